"""How single values are read, whichever of the known ways Copaco writes them.

What is optional and unreadable counts as missing; an amount or an identity that is
unreadable is refused. Each function takes any value of a JSON tree.
"""

import json
import re
import unicodedata
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

# Copaco's longest text, VendorDetails, has 120 characters (release notes of 13 February
# 2024); descriptions have no stated limit, but no invoice line needs more than this.
MAX_TEXT_LENGTH = 2000
# No id of any system is longer; a cut one might become equal to another.
MAX_IDENTITY_LENGTH = 255
# So much of what can't be read tells a person what it is.
MAX_QUOTE_LENGTH = 40
# A line of a thousand billion is an error, not a charge.
MONEY_LIMIT = Decimal(10) ** 12
# A double is printed with up to 17 digits and may be a rest such as 5.55e-17; smaller
# or longer numbers are no figures of an invoice.
MAX_DECIMALS = 40
MAX_NUMBER_LENGTH = 64
# More digits than any sum of such numbers has, so that no sum is ever rounded.
EXACT = Context(prec=200)
# Outside it lie the dates by which systems say "none", such as 0001-01-01.
YEARS = range(1990, 2200)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d))(?:[T ][\d:.,+\-Z ]*)?", re.ASCII
)
_LINE_BREAKS = re.compile("[\t-\r\x85\u2028\u2029]+")
# Control characters and non-characters: PostgreSQL refuses NUL, XML (e-invoices) most.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
# Joiners, direction marks, soft hyphen and byte order mark: Unicode's category Cf.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
_INTEGRAL = re.compile(r"[0-9]+\.0+", re.ASCII)
_SURROGATES = re.compile("[\ud800-\udfff]")
_TRUE = frozenset({"true", "1", "yes", "y"})


def read_text(value: object) -> str:
    """Return any text or number as clean text, "" for anything else."""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return ""
        return str(value)
    if not value.isprintable():
        value = _LINE_BREAKS.sub(" ", value)
        value = _FORBIDDEN.sub("", value)
        value = _SURROGATES.sub("\ufffd", value)
    return value.strip()[:MAX_TEXT_LENGTH].rstrip()


def read_identity(value: object) -> str:
    """Return an id that is given as text or number.

    :raise PydanticCustomError: if it is missing, empty or too long to be one
    """
    text = _clean_identity(value)
    if not text:
        raise PydanticCustomError("identity", "%(field)s is missing or empty")
    if len(text) > MAX_IDENTITY_LENGTH:
        raise PydanticCustomError("identity", "%(field)s is too long")
    return text


def read_optional_identity(value: object) -> str:
    """As `read_identity`, with "" for what is no id."""
    text = _clean_identity(value)
    return text if len(text) <= MAX_IDENTITY_LENGTH else ""


def _clean_identity(value: object) -> str:
    # Look-alikes and invisible characters must not make one id into two, and neither
    # must 81001.0 for 81001.
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", read_text(value))).strip()
    return text.partition(".")[0] if _INTEGRAL.fullmatch(text) else text


def read_number(value: object) -> Decimal | None:
    """Return a JSON number, or a number given as text, exactly as it is.

    A decimal comma is not accepted: "1,234" may mean two things.

    :return: None if it is missing, no number, or beyond all reason
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
    else:
        # A Python float too: its digits are no longer those that were sent.
        return None
    if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if not number:
        return Decimal(0)
    if abs(number) >= MONEY_LIMIT or number.adjusted() < -MAX_DECIMALS:
        return None
    return number


def read_unreadable(value: object) -> str:
    """Return what stands where a number should, as far as a person needs it; "" for a
    number, and for nothing."""
    if value is None or read_number(value) is not None:
        return ""
    return quote(value)


def quote(value: object) -> str:
    """Return any value as text to be shown, cut off if it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return read_text(text)[:MAX_QUOTE_LENGTH]


def read_money(value: object) -> Decimal:
    """As `read_number`.

    :raise PydanticCustomError: if there is no readable amount
    """
    number = read_number(value)
    if number is None:
        if value is None or value == "":
            raise PydanticCustomError("money", "%(field)s is missing or empty")
        raise PydanticCustomError("money", "%(field)s is not an amount")
    return number


def read_date(value: object) -> date | None:
    """Return the day of ``YYYYMMDD`` or of an ISO date or date-time, as it is written.

    A time zone doesn't move the day.

    :return: None if it is missing, no date or not of this age
    """
    return _read_date(value.strip()) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _read_date(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) for part in match.groups() if part)
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def read_flag(value: object) -> bool:
    """Return True for true, 1, "true", "1", "yes"; False for anything else."""
    return value is True or (
        isinstance(value, str | int) and str(value).strip().lower() in _TRUE
    )


def read_setting(value: object) -> str:
    """As `read_text`, with "true" and "false" for booleans."""
    return read_text(str(value).lower() if isinstance(value, bool) else value)


def read_objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, or of one object that stands for a list.

    For ``SubscriptionDetails``, of which Copaco's only sample is no valid JSON.
    """
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


# As types of fields.
Text = Annotated[str, PlainValidator(read_text)]
Identity = Annotated[str, PlainValidator(read_identity)]
OptionalIdentity = Annotated[str, PlainValidator(read_optional_identity)]
Money = Annotated[Decimal, PlainValidator(read_money)]
Number = Annotated[Decimal | None, PlainValidator(read_number)]
Unreadable = Annotated[str, PlainValidator(read_unreadable)]
Day = Annotated[date | None, PlainValidator(read_date)]
