"""How amounts are rounded."""

from decimal import ROUND_HALF_UP, Decimal

from odoo.tools import formatLang
from odoo.tools.misc import NON_BREAKING_SPACE

from ..client import EXACT

CENT = 0.01


def round_amount(amount, rounding=CENT):
    """Round half up, away from zero.

    :param amount: exact `Decimal`
    :param rounding: the currency's smallest unit; 0: that of cents
    :return: `Decimal`
    """
    unit = Decimal(str(rounding or CENT))
    units = EXACT.divide(amount, unit).quantize(Decimal(1), ROUND_HALF_UP, EXACT)
    return units * unit


def get_rounding_room(line_count, rounding=CENT):
    """:param rounding: the currency's smallest unit; 0: that of cents
    :return: exact `Decimal`: by how much a total may differ from the sum of its lines
        because each of them was rounded: half a unit per line
    """
    return line_count * Decimal(str(rounding or CENT)) / 2


def to_decimal(amount):
    """:return: exact `Decimal` of the number that a float stands for"""
    return Decimal(repr(amount))


def round_price(price):
    """:param price: float
    :return: `Decimal` with three decimals: of two prices that differ by more than half
        a cent these differ, too
    """
    return round_amount(to_decimal(price), 0.001)


def format_exact(env, amount, currency):
    """:param amount: exact `Decimal`
    :return: text of it, with all of its decimals and at least the currency's
    """
    digits = max(currency.decimal_places, -amount.normalize().as_tuple().exponent)
    parts = [formatLang(env, float(amount), digits=digits), currency.symbol]
    if currency.position == "before":
        parts.reverse()
    return NON_BREAKING_SPACE.join(filter(None, parts))
