"""The XML of Copaco's older platform, read as if it were the JSON of today.

It has the same content (Copaco's knowledge base, pages
https://kb.copaco.cloud/kb/invoices-(XML).626294812.html and
https://kb.copaco.cloud/kb/3-xml-elements)::

    <InvoiceResponse>               {"Invoices": [
      <Invoice>                       {
        <Header>…</Header>              "Header": {…},
        <Customers>                     "Customers": [
          <Customer>…</Customer>          {…},

so it becomes the same tree, and everything after this file knows one form only: what
of a new element is read stands in ``elements.py``.

A file is read alone: a document type, and with it every entity and every address in
it, is refused before it is looked at. Comments and attributes are passed over.
"""

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from .exceptions import InvalidResponseError
from .sentences import NESTED_TOO_DEEP, NOT_ENCODED, Sentence

# Whatever stands in one of these is an entry of a list, however it is called.
LISTS = frozenset(
    {"Invoices", "Customers", "Subscriptions", "PriceLines", "SubscriptionDetails"}
)
# A response has ten levels.
MAX_DEPTH = 100
# Five months of the largest known reseller (60,000 lines of some 23 elements). A few
# characters may be an element, which takes hundreds of bytes once it is read.
MAX_ELEMENTS = 8_000_000
# The root begins within so many bytes, or it is no response of Copaco.
_MAX_PROLOG = 65536
_ROOT = "InvoiceResponse"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TEXT = "#text"

_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""", re.ASCII)
# Of the encodings that Python knows those in which such files are written.
_ENCODINGS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32"})


def read_xml(raw: bytes) -> Any:
    """Read a response.

    Empty elements are empty texts or lists, those with ``xsi:nil`` are None. What
    stands twice in the same place is a list, so that no value is taken for the only
    one.

    :param raw: in UTF-8, UTF-16 or UTF-32, or as its declaration says
    :return: the tree that `read_json` would return for the same response
    :raise InvalidResponseError: if it is a web page, XML of another kind, or damaged
    """
    try:
        return _parse(_to_utf8(raw))
    except UnicodeDecodeError:
        problem = NOT_ENCODED
    except _NotStrictError as error:
        problem = error.sentence
    except _OtherMarkupError:
        problem = Sentence(
            "Copaco responded with a web page, or XML of another kind, instead of data."
        )
    # Raised here and not above: the errors caught there may hold the whole response.
    raise InvalidResponseError(problem)


class _NotStrictError(Exception):
    """Says why a response is refused."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__()
        self.sentence = sentence


class _OtherMarkupError(Exception):
    """It never was a response of Copaco's API."""


@dataclass(slots=True)
class _Element:
    name: str
    is_nil: bool
    # (name, value) of what stands in it
    fields: list[tuple[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class _TreeBuilder:
    """Makes the tree while the parser goes through the text.

    :ivar has_root: whether the root has begun
    :ivar tree: what was made of it, once it has ended
    """

    def __init__(self) -> None:
        self.has_root = False
        self.tree: dict[str, Any] = {}
        self._open: list[_Element] = []
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if not self.has_root:
            if name != _ROOT:
                raise _OtherMarkupError
            self.has_root = True
        if len(self._open) == MAX_DEPTH:
            raise _NotStrictError(NESTED_TOO_DEEP)
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise _NotStrictError(
                Sentence(
                    "Copaco's response can't be read: it is in more pieces than any "
                    "response has."
                )
            )
        self._open.append(_Element(name, attributes.get(_NIL) in ("true", "1")))

    def data(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def end(self, _tag: str) -> None:
        element = self._open.pop()
        if self._open:
            self._open[-1].fields.append((element.name, _make_value(element)))
        else:
            self.tree = _make_response(element)

    def close(self) -> dict[str, Any]:
        return self.tree


def _parse(text: bytes) -> dict[str, Any]:
    builder = _TreeBuilder()
    # The encoding given here counts, whatever the declaration says.
    parser = DefusedXMLParser(target=builder, encoding="utf-8", forbid_dtd=True)
    problem: Sentence | None = None
    try:
        # Once a document type is refused, expat goes on with what it was given: it must
        # not yet have got what a document type would tell it to repeat a million times.
        parser.feed(text[:_MAX_PROLOG])
        if builder.has_root:
            # In one piece: a long token is searched anew with each piece.
            parser.feed(memoryview(text)[_MAX_PROLOG:])
            parser.close()
    except ParseError as error:
        problem = Sentence(
            "Copaco's response can't be read: it is damaged or cut off at line "
            "%(line)s.",
            {"line": error.position[0]},
        )
    except DTDForbidden as error:
        if error.name != _ROOT:
            raise _OtherMarkupError from None
        raise _NotStrictError(
            Sentence(
                "Copaco's response can't be read: it is XML with a document type, "
                "which is not allowed."
            )
        ) from None
    if not builder.has_root:
        raise _OtherMarkupError
    if problem:
        # It may be damaged because it isn't UTF-8; only its end may be a cut character.
        codecs.getincrementaldecoder("utf-8")().decode(text)
        raise _NotStrictError(problem)
    return builder.tree


def _to_utf8(raw: bytes) -> bytes:
    """Return the same text in UTF-8, from its first element or declaration on.

    :raise UnicodeDecodeError: if it isn't in the encoding that it says
    :raise _NotStrictError: if it says an encoding that isn't known
    """
    # It looks for byte order marks and zero bytes, which are the same for XML.
    encoding: str = json.detect_encoding(raw)
    if encoding == "utf-8":
        encoding = _get_declared_encoding(raw)
    elif encoding == "utf-8-sig":
        raw, encoding = raw.removeprefix(codecs.BOM_UTF8), "utf-8"
    if encoding != "utf-8":
        raw = raw.decode(encoding).encode()
    return raw.lstrip(codecs.BOM_UTF8 + b" \t\r\n")


def _get_declared_encoding(raw: bytes) -> str:
    match = _DECLARED.match(raw.lstrip())
    if not match:
        return "utf-8"
    try:
        encoding = codecs.lookup(match[1].decode()).name
    except LookupError:
        encoding = ""
    # What .NET keeps in memory declares UTF-16, in whichever encoding it is saved.
    if encoding in _WIDE:
        return "utf-8"
    if encoding not in _ENCODINGS:
        raise _NotStrictError(
            Sentence(
                "Copaco's response can't be read: it is in an encoding that isn't "
                "known."
            )
        )
    return encoding


def _make_response(root: _Element) -> dict[str, Any]:
    """Return the tree of a response, in which ``Invoices`` is missing if it has
    anything but invoices."""
    entries: list[Any] = []
    fields = root.fields
    for name, value in fields:
        if name == "Invoice":
            entries.append(value)
        elif name == "Invoices":
            entries += value or ()
    is_known = any(name in ("Invoice", "Invoices") for name, _value in fields)
    if is_known or not (fields or "".join(root.texts).strip()):
        return {"Invoices": entries}
    return {}


def _make_value(element: _Element) -> Any:
    """Return the text, list or dictionary that an element stands for."""
    text = "".join(element.texts)
    if not element.fields and not text and element.is_nil:
        return None
    is_list = element.name in LISTS
    if not (element.fields or is_list):
        return text
    if text.strip():
        # Text between fields is no field that is known, and no entry that is good.
        element.fields.append((_TEXT, text))
    if is_list:
        return [value for _name, value in element.fields]
    values = dict(element.fields)
    if len(values) < len(element.fields):
        return _make_repeated(element.fields)
    return values


def _make_repeated(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {
        name: found if len(found) > 1 else found[0] for name, found in values.items()
    }
