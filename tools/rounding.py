"""How amounts are rounded."""

from decimal import ROUND_HALF_UP, Decimal

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
