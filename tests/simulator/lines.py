"""A price line as a matter of business, before anybody writes it as JSON."""

from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from .catalog import Plan

# Wide enough that no product or sum of the data is ever rounded.
EXACT = Context(prec=80)


@dataclass(frozen=True)
class Subscription:
    """A customer's contract for a plan."""

    ref: str
    plan: Plan
    start: date
    po_number: str
    details: tuple = ()


@dataclass
class Line:
    """One charge. ``amount`` is None where the formula of the API gives it."""

    subscription: Subscription
    description: str
    charge_type: str
    quantity: Decimal
    unit_price: Decimal
    start: date
    end: date
    frequency: str = "Monthly"
    duration: str = "1"
    duration_type: str = "Month"
    vendor_details: str | None = None
    amount: Decimal | None = None

    @property
    def extended_price(self):
        """The amount without VAT, at full precision."""
        return self.amount_at(self.unit_price) if self.amount is None else self.amount

    def amount_at(self, unit_price):
        """Return quantity x price x duration (Copaco's knowledge base, page
        https://kb.copaco.cloud/kb/platform-logic-new)."""
        product = EXACT.multiply(self.quantity, unit_price)
        return EXACT.multiply(product, Decimal(self.duration))
