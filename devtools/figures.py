"""Files in ``doc`` with figures that a command measured, as tables."""

import re

from .paths import CHECKOUT

DOC = CHECKOUT / "doc"


def write_section(name: str, command: str, text: str) -> str:
    """Replace what ``command`` wrote into a file before; other text in it stays.

    :param name: of the file in ``doc``
    :param command: such as "make bench"; comments with its name stand around its text
    :return: where it was written, for people
    """
    path = DOC / name
    start, end = f".. {command} writes from here\n", ".. to here\n"
    pattern = re.compile(f"(?<={re.escape(start)}).*?(?={re.escape(end)})", re.DOTALL)
    before = path.read_text()
    if not pattern.search(before):
        before += f"{start}{end}"
    path.write_text(pattern.sub(lambda _: f"\n{text}\n", before, count=1))
    return str(path.relative_to(CHECKOUT))


def list_table(rows) -> str:
    """Return a table in reStructuredText.

    :param rows: tuples of texts, the titles first
    """
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        for index, cell in enumerate(row):
            lines.append(f"   {'*' if index == 0 else ' '} - {cell.strip()}".rstrip())
    return "\n".join([*lines, ""])


def align(rows, separator: str = "  "):
    """Yield the rows as lines of a table for a terminal: first column to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            f"{cell:{'<' if index == 0 else '>'}{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield separator.join([first, *others])
