"""What ``documents.py`` makes of an answer: plain records, nothing is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .totals import add_exactly


@dataclass(slots=True)
class CustomerInfo:
    """Who the customer is, as far as Copaco says; "" for what it doesn't."""

    account_ref: str = ""
    customer_number: str = ""
    name: str = ""
    cost_center: str = ""
    vat: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    zip: str = ""
    city: str = ""
    country_code: str = ""
    contact_name: str = ""


@dataclass(slots=True)
class DocumentLine:
    """A price line with what its subscription says; ``digest.py`` knows the fields."""

    line_ref: str
    row_hash: str
    subscription_ref: str
    subscription_name: str
    plan_ref: str
    plan_name: str
    plan_category: str
    charge_type: str
    billing_frequency: str
    description: str
    quantity: Decimal | None
    unit_price: Decimal | None
    discount: Decimal | None
    duration: Decimal | None
    extended_price: Decimal
    date_start: date | None
    date_end: date | None
    vendor_details: str
    subscription_po: str
    line_po: str
    consumer_name: str
    # (label, value) of what Copaco prints of the subscription's settings
    details: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class SourceDocument:
    """One customer's part of one Copaco invoice.

    :ivar invoice_number: Copaco's ``InvoiceID``
    :ivar account_ref: the customer's ``AccountID``; "" if it couldn't be read
    :ivar invoice_date: the latest, when elements differ; None if none could be read
    :ivar currency: upper case, "" if missing
    :ivar lines: none if there is an error
    :ivar payload: JSON that `parse_payload` reads, of this part only
    :ivar digest: what `digest_document` makes, or `digest_payload` if there is an error
    :ivar error: "", or what can't be read, naming fields and quoting nothing
    :ivar totals_difference: Copaco's ``Totals`` (without VAT) minus the exact sum of
        all lines, of the whole elements of ``Invoices`` that it was part of, with all
        their customers; None if Copaco sent no readable totals or a line of them can't
        be read. Neither the payload nor the digest know it.
    """

    invoice_number: str
    account_ref: str
    invoice_date: date | None
    currency: str
    customer: CustomerInfo
    lines: list[DocumentLine]
    payload: str
    digest: str
    error: str
    totals_difference: Decimal | None = None

    @property
    def amount(self):
        """The exact sum of the lines, without VAT."""
        return add_exactly(line.extended_price for line in self.lines)


@dataclass(slots=True)
class RejectedInvoice:
    """An element of ``Invoices`` that makes no document because its number can't be
    read or it has an amount and no customer: why, and its JSON."""

    reason: str
    payload: str


@dataclass(slots=True)
class DocumentHead:
    """Which document it is and for whom: of `SourceDocument`, what is cheap to know."""

    invoice_number: str
    account_ref: str
    customer: CustomerInfo


@dataclass(slots=True)
class ParsedResponse:
    """Everything that an answer holds, each price line in exactly one place.

    :ivar heads: of the documents, in their order
    :ivar documents: each is made anew whenever it is asked for; go through them once
    """

    heads: list[DocumentHead]
    documents: Sequence[SourceDocument]
    rejected: list[RejectedInvoice]
