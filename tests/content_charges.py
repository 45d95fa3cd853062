"""What Copaco bills in `content_copaco`: charges, and the parts of invoices."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from ..tools import get_account_key


@dataclass(eq=False)
class Charge:
    """What a customer has to pay once, whatever number it is on."""

    id: int
    customer: int
    subscription: str
    description: str
    start: date
    row_hash: str | None
    quantity: Decimal
    amounts: list  # each that it ever had; the last one counts
    po_number: str = ""
    is_moved: bool = False

    @property
    def amount(self):
        return self.amounts[-1]

    @property
    def end(self):
        return self.start + relativedelta(months=1, days=-1)

    def __repr__(self):
        return f"<{self.id}: {self.amount}>"


@dataclass(eq=False)
class Part:
    """An element of a response, as far as it is one customer's."""

    number: str
    account: str
    created: date
    charges: list
    totals: str
    text: str = "Plan"

    @property
    def key(self):
        return get_key(self.number, self.account)

    @property
    def content(self):
        return [(charge, charge.amount) for charge in self.charges]

    def __repr__(self):
        return f"<{self.number}/{self.account} {self.created:%d.%m.} {self.charges}>"


def get_key(number, account):
    """:return: what makes two parts those of one document"""
    return number.removesuffix(".0"), get_account_key(account.removesuffix(".0"))


def are_movable(charges):
    """Whether they can be recognised under another number, see `change_amount`."""
    return all(charge.row_hash or len(charge.amounts) == 1 for charge in charges)


def round_up(amount):
    """:return: `Decimal` rounded to cents, half up"""
    cents = abs(amount) * 100
    whole = int(cents + Decimal("0.5"))
    return (whole if amount > 0 else -whole) / Decimal(100)
