"""Whether what Copaco says its lines add up to is what they add up to."""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

from .values import EXACT

HALF_CENT = Decimal("0.005")


def add_exactly(amounts: Iterable[Decimal]) -> Decimal:
    """Add up without rounding."""
    return reduce(EXACT.add, amounts, Decimal(0))


class ElementTotals:
    """Compares ``Totals`` of one element of ``Invoices`` with all lines of the element,
    whichever documents they belong to (formula: Copaco's knowledge base, page
    https://kb.copaco.cloud/kb/platform-logic-new).

    :ivar stated: ``TotalExcludingVAT``; None if there is none to be read
    :ivar stated_vat: the same of ``TotalVAT``
    :ivar unread: what stands there instead of the total, and can't be read
    :ivar unread_vat: the same of the VAT
    :ivar line_count: how many lines were counted
    :ivar customer_count: of how many customers
    """

    def __init__(
        self,
        stated: Decimal | None,
        stated_vat: Decimal | None,
        unread: str = "",
        unread_vat: str = "",
    ) -> None:
        self.stated = stated
        self.stated_vat = stated_vat
        self.unread = unread
        self.unread_vat = unread_vat
        self.line_count = 0
        self.customer_count = 0
        self._rest = stated

    @property
    def difference(self) -> Decimal | None:
        """`stated` minus the lines added so far; None if nobody can tell."""
        return self._rest

    def add(self, amounts: Iterable[Decimal]) -> None:
        """Count these extended prices."""
        amounts = list(amounts)
        self.line_count += len(amounts)
        if self._rest is not None:
            self._rest = EXACT.subtract(self._rest, add_exactly(amounts))

    def give_up(self) -> None:
        """Note that some line of the element can't be read."""
        self._rest = None


def get_worst(totals: Iterable[ElementTotals]) -> ElementTotals | None:
    """Find the element of a document whose ``Totals`` are furthest from its lines,
    beyond what rounding each line to the cent explains. Each is compared: what one has
    too much makes up for nothing that another one lacks.

    :param totals: in which the same one may be repeated
    :return: None if nobody can tell of any
    """
    known = {each: each.difference for each in totals if each.difference is not None}
    return max(
        known,
        key=lambda each: abs(known[each]) - each.line_count * HALF_CENT,
        default=None,
    )


def get_stated_amounts(
    totals: Iterable[ElementTotals],
) -> tuple[Decimal | None, Decimal | None]:
    """Add up what Copaco states for a document: without VAT, and the VAT.

    :param totals: of all elements that it is part of
    :return: None unless each of them is of this document's customer alone, and states
        it
    """
    own = list(totals)
    if any(each.customer_count > 1 for each in own):
        return None, None
    return (
        _add_known(each.stated for each in own),
        _add_known(each.stated_vat for each in own),
    )


def get_unread(totals: Iterable[ElementTotals]) -> tuple[str, str]:
    """Find what stands instead of amounts in the totals of a document.

    :param totals: of all elements that it is part of
    :return: instead of the total without VAT; instead of the VAT, where that would be
        of this document's customer alone
    """
    every = list(totals)
    own = [each for each in every if each.customer_count <= 1]
    return (
        next((each.unread for each in every if each.unread), ""),
        next((each.unread_vat for each in own if each.unread_vat), ""),
    )


def _add_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = list(amounts)
    if not known or None in known:
        return None
    return add_exactly(amount for amount in known if amount is not None)
