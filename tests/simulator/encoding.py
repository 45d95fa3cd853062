"""JSON in which a Decimal becomes a number with exactly its digits."""

import json
import re
from decimal import Decimal

# A private-use character: no name or text of the data can begin with it.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


def dumps(value):
    """Return ``value`` as JSON in UTF-8, keys sorted as Copaco prints them.

    ``json`` can't write a Decimal as a number, so it writes a marked text, and the
    mark and the quotes are taken away afterwards.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=_mark)
    return _MARKED.sub(r"\1", text).encode()


def _mark(value):
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(f"{type(value).__name__} can't be written as JSON")
