"""How VAT numbers, and the texts by which something is known, are compared, however
they are written."""

import re
from typing import NamedTuple

# What people write before or after the number.
_LABEL = "(?:BTW|TVA|VAT|MWST|UST)(?:NUMMER|NUMERO|NUMBER|NR|NO|ID)?"
# "NVT" and "0" are what people type who have none.
_MIN_DIGITS = 6
# What Python takes for blanks. PostgreSQL's ``\s`` knows fewer, and which ones depends
# on the database.
_BLANKS = (
    r"\s\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)


class VatKey(NamedTuple):
    """What the spellings of a VAT number have in common."""

    country: str  # two letters, "" when it isn't known
    number: str  # without leading zeros

    @property
    def digits(self):
        """The digits of the number alone, without leading zeros."""
        return re.sub(r"\D", "", self.number).lstrip("0")


def get_vat_key(vat, country_code=""):
    """:param vat: a VAT number, as anyone wrote it
    :param country_code: of whoever has it, for a number without a country
    :return: `VatKey`; None when it is no number
    """
    compact = re.sub(r"[^A-Z0-9]", "", (vat or "").upper())
    compact = re.sub(f"^{_LABEL}|{_LABEL}$", "", compact)
    country, number = re.fullmatch("([A-Z]{2})?(.*)", compact).groups()
    key = VatKey(country or (country_code or "").upper(), number.lstrip("0"))
    return key if len(key.digits) >= _MIN_DIGITS else None


def get_text_key(text):
    """:param text: a number, an ID, a description or whatever else something is known
        by, as anyone wrote it
    :return: it without blanks and capitals; "" for none
    """
    return "".join((text or "").split()).lower()


def write_text_key(column):
    """:param column: SQL, as text
    :return: the same of it as `get_text_key`, as text of SQL. Which capitals have small
        letters depends on the database, so that it is best compared with its like.
    """
    return f"lower(regexp_replace({column}, '[{_BLANKS}]', '', 'g'))"


def is_same_vat(vat, other):
    """:return: whether these are two spellings of one VAT number"""
    return is_same_vat_key(get_vat_key(vat), get_vat_key(other))


def is_same_vat_key(key, other):
    """:param key: `VatKey` or None
    :return: whether they are of one VAT number: what one doesn't say says nothing
    """
    return (
        key is not None
        and other is not None
        and key.number == other.number
        and (not key.country or not other.country or key.country == other.country)
    )


def is_same_number(number, other):
    """:return: whether these are two spellings of one customer number"""
    return bool(number) and get_text_key(number) == get_text_key(other)


# What links a customer by itself: a value of `copaco.customer.match_method`, which is a
# field of customers and documents too.
EVIDENCE = {"customer_number": is_same_number, "vat": is_same_vat}
