"""Whether what Copaco says its lines add up to is what they add up to."""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

from .values import EXACT


def add_exactly(amounts: Iterable[Decimal]) -> Decimal:
    """Add up without rounding."""
    return reduce(EXACT.add, amounts, Decimal(0))


class ElementTotals:
    """Compares ``Totals`` of one element of ``Invoices`` with all lines of the element,
    whichever documents they belong to (formula: Copaco's knowledge base, page
    https://kb.copaco.cloud/kb/platform-logic-new).

    :param stated: ``TotalExcludingVAT``; None if there is none to be read
    """

    def __init__(self, stated: Decimal | None) -> None:
        self._rest = stated

    @property
    def difference(self) -> Decimal | None:
        """`stated` minus the lines added so far; None if nobody can tell."""
        return self._rest

    def add(self, amounts: Iterable[Decimal]) -> None:
        """Count these extended prices."""
        if self._rest is not None:
            self._rest = EXACT.subtract(self._rest, add_exactly(amounts))

    def give_up(self) -> None:
        """Note that some line of the element can't be read."""
        self._rest = None


def sum_differences(totals: Iterable[ElementTotals]) -> Decimal | None:
    """Say how far Copaco's Totals are from its lines, in all elements of a document.

    An element of which nobody can tell hides no difference of the others.

    :param totals: in which the same one may be repeated
    :return: None if nobody can tell of any
    """
    found = [each.difference for each in dict.fromkeys(totals)]
    known = [difference for difference in found if difference is not None]
    return add_exactly(known) if known else None
