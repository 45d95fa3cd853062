"""Recognises what was seen before by what matters for the bill, and nothing else.

Copaco may add fields, reorder fields and lines, write 1 as 1.0 or "1.00", or rename a
customer at any time (Copaco's knowledge base, page
https://kb.copaco.cloud/kb/versioning-new). None of that may look like a changed
invoice, so a digest is made of a fixed list of values, numbers normalised and lines
sorted. Digests are stored: whoever changes what they are made of has to raise
`VERSION`, and every known document then looks changed once.
"""

import hashlib
import json
from decimal import Decimal
from operator import attrgetter
from typing import Any

from .elements import DocumentLine
from .json_reader import write_json
from .records import SourceDocument
from .values import EXACT

VERSION = "1"

# The fields of a line in version 1, in this order; then its details.
_TEXTS = attrgetter(
    "line_ref",
    "row_hash",
    "subscription_ref",
    "subscription_name",
    "plan_ref",
    "plan_name",
    "plan_category",
    "charge_type",
    "billing_frequency",
    "description",
    "vendor_details",
    "subscription_po",
    "line_po",
    "consumer_name",
)
_NUMBERS = attrgetter(
    "quantity", "unit_price", "discount", "duration", "extended_price"
)
_DATES = attrgetter("date_start", "date_end")


def digest_document(document: SourceDocument) -> str:
    """Make the digest of a readable document, of its number, date, currency, account
    and lines: "1:" and a SHA-256 in hexadecimal."""
    head = (
        document.invoice_number,
        str(document.invoice_date),
        document.currency,
        document.account_ref,
    )
    lines = sorted(_write_line(line) for line in document.lines)
    return _hash("\n".join((json.dumps(head), *lines)))


def digest_payload(tree: Any) -> str:
    """Make the digest of a document that can't be read: all of it, whatever its order
    of keys.

    :param tree: what `read_json` returns for the document's payload
    """
    return _hash(write_json(tree, canonical=True))


def _write_line(line: DocumentLine) -> str:
    values = (
        _TEXTS(line),
        [_write_number(number) for number in _NUMBERS(line)],
        [str(day) for day in _DATES(line)],
        sorted(line.details),
    )
    return json.dumps(values)


def _write_number(number: Decimal | None) -> str | None:
    return None if number is None else str(number.normalize(EXACT))


def _hash(text: str) -> str:
    return f"{VERSION}:{hashlib.sha256(text.encode()).hexdigest()}"
