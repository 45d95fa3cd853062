"""What the commands write into the README: figures that were measured, as a table."""

import re

from .places import CHECKOUT

README = CHECKOUT / "README.rst"


def write_part(command, text):
    """Replace what ``command`` has written into the README.

    :param command: such as "make bench"; comments with its name stand around that
    """
    start, end = f".. {command} writes from here", ".. to here"
    pattern = re.compile(
        rf"(?<={re.escape(start)}\n).*?(?={re.escape(end)}\n)", re.DOTALL
    )
    README.write_text(pattern.sub(lambda _: f"\n{text}\n", README.read_text(), count=1))


def list_table(rows):
    """Return a table in reStructuredText.

    :param rows: tuples of texts, the titles first
    """
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        for index, cell in enumerate(row):
            lines.append(f"   {'*' if index == 0 else ' '} - {cell.strip()}".rstrip())
    return "\n".join([*lines, ""])
