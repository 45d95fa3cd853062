"""Says in plain words what is missing, before anything fails because of it."""

import sys

import pydantic

# Debian 12 and Ubuntu 24.04 have version 1.
PYDANTIC = (2, 4)


def _check_pydantic() -> None:
    found = pydantic.VERSION
    if tuple(map(int, found.split(".")[:2])) < PYDANTIC:
        wanted = "pydantic>=" + ".".join(map(str, PYDANTIC))
        raise ImportError(
            f"The Copaco client needs {wanted}, and version {found} is installed. "
            f'Type: {sys.executable} -m pip install "{wanted}" (with '
            "--break-system-packages where pip asks for it), and restart."
        )


_check_pydantic()
