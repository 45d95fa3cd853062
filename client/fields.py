"""What ``parser.py`` makes of a response: plain records, nothing is decided here.

A record that Copaco sends as such says with each field how Copaco calls it, where that
isn't the field's own name in PascalCase: a new field is one line here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic.alias_generators import to_pascal
from pydantic.dataclasses import dataclass as read_dataclass

from .totals import add_exactly
from .values import Day, Money, Number, OptionalIdentity, Text, read_text

# Errors never quote a value.
CONFIG = ConfigDict(
    alias_generator=to_pascal, extra="ignore", hide_input_in_errors=True
)


def _named(*names: str) -> Any:
    return Field("", validation_alias=AliasChoices(*names))


def _number_named(name: str) -> Any:
    return Field(None, validation_alias=name)


def _of_subscription(name: str) -> Any:
    return Field("", validation_alias=AliasPath("Subscription", name))


Details = Annotated[tuple[tuple[str, str], ...], PlainValidator(tuple)]


@read_dataclass(slots=True, config=CONFIG)
class CustomerInfo:
    """Who the customer is, or the receiver, as far as Copaco says; "" for what it
    doesn't."""

    account_ref: OptionalIdentity = _named("AccountID")
    customer_number: Text = ""
    name: Text = _named("CompanyName")
    cost_center: Text = ""
    vat: Text = _named("VATNumber")
    email: Text = ""
    phone: Text = _named("Telephone")
    # The second names are those of the XML of the older platform (Copaco's knowledge
    # base, page https://kb.copaco.cloud/kb/invoices-(XML).626294812.html).
    street: Text = _named("Address", "Street")
    zip: Text = _named("Zip", "PostalCode")
    city: Text = ""
    country_code: Annotated[Text, AfterValidator(str.upper)] = ""
    contact_name: Text = ""
    # Of the invoice that is printed for the customer (``Header``).
    language_code: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _join_contact_name(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        names = (
            read_text(values.get(f"Contact{which}Name"))
            for which in ("First", "Middle", "Last")
        )
        return {**values, "ContactName": " ".join(filter(None, names))}


@read_dataclass(slots=True, config=CONFIG)
class DocumentLine:
    """A price line with what its subscription says. Missing: whatever an invoice line
    doesn't need. ``digest.py`` has a list of its own of what makes a line another one.

    :ivar details: (label, value) of what Copaco prints of the subscription's settings
    :ivar hidden_details: as details, of what it doesn't print
    """

    extended_price: Money
    line_ref: Text = _named("LineId")
    row_hash: Text = _named("InvoiceRowHash")
    subscription_ref: Text = _of_subscription("SubscriptionID")
    subscription_name: Text = _of_subscription("SubscriptionName")
    plan_ref: Text = _of_subscription("PlanID")
    plan_name: Text = _of_subscription("PlanName")
    plan_category: Text = _of_subscription("PlanCategoryName")
    charge_type: Text = ""
    billing_frequency: Text = ""
    description: Text = ""
    quantity: Number = None
    unit_price: Number = None
    discount: Number = None
    duration: Number = None
    date_start: Day = Field(default=None, validation_alias="StartDate")
    date_end: Day = Field(default=None, validation_alias="EndDate")
    vendor_details: Text = ""
    subscription_po: Text = _of_subscription("SubscriptionPONumber")
    line_po: Text = _named("SubPONumber")
    consumer_name: Text = _named("ConsumerCompanyName")
    consumer_number: Text = _named("ConsumerCompanyNumber")
    quantity_type: Text = ""
    sku: Text = _named("SKU")
    vat: Number = _number_named("VAT")
    tax_percentage: Number = None
    tax_zone: Text = _named("TaxZoneID")
    details: Details = ()
    hidden_details: Details = ()


@dataclass(slots=True)
class UnreadableLine:
    """A price line that makes its document unreadable.

    :ivar number: its place among the lines of the document, from 1
    :ivar name: what can be read of plan and description
    :ivar is_missing: whether the amount is missing, rather than unreadable
    :ivar estimate: what the line would cost by Copaco's formula (Copaco's knowledge
        base, page https://kb.copaco.cloud/kb/platform-logic-new); None if that can't be
        told either
    """

    number: int
    name: str
    is_missing: bool
    estimate: Decimal | None


@dataclass(slots=True)
class SourceDocument:
    """One customer's part of one Copaco invoice.

    :ivar invoice_number: Copaco's ``InvoiceID``
    :ivar account_ref: the customer's ``AccountID``; "" if it couldn't be read
    :ivar invoice_date: the latest, when elements differ; None if none could be read
    :ivar currency: upper case, "" if missing
    :ivar lines: none if there is an error
    :ivar readable_lines: if there is an error, those that can be read
    :ivar unreadable_lines: if there is an error, those that can't
    :ivar payload: JSON that `parse_payload` reads, of this part only
    :ivar digest: what `digest_document` makes, or `digest_payload` if there is an error
    :ivar error: "", or what can't be read, naming fields and quoting nothing
    :ivar totals_difference: Copaco's ``Totals`` (without VAT) minus the exact sum of
        the lines, of that element of ``Invoices`` it was part of, with all customers of
        it, where they differ most; None if Copaco sent no readable totals or a line of
        them can't be read. The digest doesn't know it.
    :ivar totals_line_count: how many lines that element has
    :ivar stated_amount: what Copaco's ``Totals`` say that this document alone costs
        without VAT; None if they don't
    :ivar stated_vat: the VAT of that
    :ivar payment_days: ``TermsOfPaymentDays``: in Customer-Invoices, the customer's
    :ivar due_date: the latest, when elements differ; None if none could be read
    :ivar sender: who bills it: Copaco, or the reseller
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
    totals_line_count: int = 0
    stated_amount: Decimal | None = None
    stated_vat: Decimal | None = None
    payment_days: int = 0
    readable_lines: list[DocumentLine] = field(default_factory=list)
    unreadable_lines: list[UnreadableLine] = field(default_factory=list)
    due_date: date | None = None
    sender: CustomerInfo | None = None

    @property
    def amount(self) -> Decimal:
        """The exact sum of the lines, without VAT."""
        return add_exactly(line.extended_price for line in self.lines)

    @property
    def has_line_vat(self) -> bool:
        """Whether the lines say which VAT they have. Where Copaco doesn't fill it in,
        it may be 0; but no tax was determined for it, either."""
        return any(
            line.vat or line.tax_percentage or line.tax_zone for line in self.lines
        )

    @property
    def vat(self) -> Decimal | None:
        """The VAT that the lines say, or ``Totals`` if they don't; None if neither."""
        if self.has_line_vat:
            return add_exactly(line.vat or Decimal(0) for line in self.lines)
        return self.stated_vat or None

    @property
    def estimate(self) -> Decimal:
        """What a document with an error may cost without VAT."""
        if self.stated_amount is not None:
            return self.stated_amount
        return add_exactly(
            [
                *(line.extended_price for line in self.readable_lines),
                *(line.estimate or Decimal(0) for line in self.unreadable_lines),
            ]
        )


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
    """Everything that a response holds, each price line in exactly one place.

    :ivar heads: of the documents, in their order
    :ivar documents: each is made anew whenever it is asked for; go through them once
    """

    heads: list[DocumentHead]
    documents: Sequence[SourceDocument]
    rejected: list[RejectedInvoice]
