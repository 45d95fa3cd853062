"""JSON read without guessing and without loss, and written again.

Numbers stay the text they were received as: a figure is never rounded on its way
through a float, and none is too big or too small to be kept and shown. So a loaded tree
has dictionaries, lists, texts, booleans and None. ``json`` itself would accept NaN and
let the second of two equal keys win; both are refused here.

A tree takes four times the memory of its text. So what a large response consists of can
be left as text, and be read piece by piece, see `Slice`.
"""

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn, TypeVar

from .exceptions import InvalidResponseError
from .sentences import NOT_ENCODED, Sentence

_Member = TypeVar("_Member")

_BLANK = re.compile(r"[ \t\n\r]*")


class Slice:
    """The text of a value that was checked, and is read when it is needed."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        # One character beyond Latin doubles what a text takes in memory.
        self._text = text.encode("utf-8", "surrogatepass")

    def load(self) -> Any:
        """Return the tree of this value, made anew each time."""
        return _DECODER.decode(self._text.decode("utf-8", "surrogatepass"))


def read_json(raw: bytes, *lists: str) -> Any:
    """Read a response.

    :param raw: JSON in UTF-8, or in UTF-16 or UTF-32; a byte order mark is fine
    :param lists: the name of a list in the root object, that of a list in the objects
        in it, and so on: what is in the last one is left as `Slice`
    :return: the tree, all numbers as text
    :raise InvalidResponseError: if it is anything else
    :raise RecursionError: if it is nested too deep
    """
    try:
        text = raw.decode(json.detect_encoding(raw))
        value, end = _read_value(text, _skip_blank(text, 0), lists)
        if (end := _skip_blank(text, end)) < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
        return value
    except UnicodeDecodeError:
        problem = NOT_ENCODED
    except json.JSONDecodeError as error:
        problem = Sentence(
            "Copaco's response can't be read: it is damaged or cut off at character "
            "%(position)s.",
            {"position": error.pos},
        )
    except _NotStrictError as error:
        problem = error.sentence
    # Raised here and not above: the errors caught there carry the whole response.
    raise InvalidResponseError(problem)


def read_slice(value: Any) -> Any:
    """Return the tree of a `Slice`; anything else as it is."""
    return value.load() if isinstance(value, Slice) else value


def write_json(tree: Any, canonical: bool = False) -> str:
    """Write a tree that `read_json` returned, so that it reads back the same.

    :param canonical: the same text for trees that differ in key order only
    :return: text without NUL or lone surrogates, which a database would refuse
    """
    text = json.dumps(tree, ensure_ascii=False, sort_keys=canonical, default=read_slice)
    # A lone surrogate becomes its JSON escape, which reads back the same.
    return text.encode("utf-8", "backslashreplace").decode()


class _NotStrictError(Exception):
    """Says in what way a response is not JSON as the standard wants it."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__()
        self.sentence = sentence


def _refuse_constant(name: str) -> NoReturn:
    raise _NotStrictError(
        Sentence(
            "Copaco's response can't be read: it is no proper JSON, a number is "
            "%(number)s.",
            {"number": name},
        )
    )


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _NotStrictError(
            Sentence(
                "Copaco's response can't be read: it is ambiguous, a field stands "
                "twice in the same place."
            )
        )
    return result


_DECODER = json.JSONDecoder(
    parse_float=str,
    parse_int=str,
    parse_constant=_refuse_constant,
    object_pairs_hook=_make_object,
)


# What ``json`` does in C, for the few objects that hold what is sliced. Each function
# returns the value that stands at ``start``, and where it ends.


def _read_value(text: str, start: int, lists: tuple[str, ...]) -> tuple[Any, int]:
    if lists and text.startswith("{", start):
        return _read_object(text, start, lists)
    return _DECODER.raw_decode(text, start)


def _read_object(
    text: str, start: int, lists: tuple[str, ...]
) -> tuple[dict[str, Any], int]:
    name, *inner = lists

    def read_member(position: int) -> tuple[tuple[str, Any], int]:
        if not text.startswith('"', position):
            raise json.JSONDecodeError("No name", text, position)
        key, position = scanstring(text, position + 1, True)
        position = _skip_blank(text, position)
        if not text.startswith(":", position):
            raise json.JSONDecodeError("No colon", text, position)
        position = _skip_blank(text, position + 1)
        if key == name and text.startswith("[", position):
            value, position = _read_list(text, position, tuple(inner))
        else:
            value, position = _DECODER.raw_decode(text, position)
        return (key, value), position

    pairs, end = _read_members(text, start + 1, "}", read_member)
    return _make_object(pairs), end


def _read_list(text: str, start: int, lists: tuple[str, ...]) -> tuple[list[Any], int]:
    def read_element(position: int) -> tuple[Any, int]:
        if lists:
            return _read_value(text, position, lists)
        _tree, end = _DECODER.raw_decode(text, position)
        return Slice(text[position:end]), end

    return _read_members(text, start + 1, "]", read_element)


def _read_members(
    text: str,
    position: int,
    closing: str,
    read_member: Callable[[int], tuple[_Member, int]],
) -> tuple[list[_Member], int]:
    """Read what stands between brackets, separated by commas."""
    members: list[_Member] = []
    position = _skip_blank(text, position)
    if text.startswith(closing, position):
        return members, position + 1
    while True:
        member, position = read_member(position)
        members.append(member)
        position = _skip_blank(text, position)
        if text.startswith(closing, position):
            return members, position + 1
        if not text.startswith(",", position):
            raise json.JSONDecodeError("No comma", text, position)
        position = _skip_blank(text, position + 1)


def _skip_blank(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position
