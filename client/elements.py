"""The fields that are read of customers and price lines.

A record says with each field how Copaco calls it, where that isn't the field's own name
in PascalCase: a new field is one line here.
"""

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
from pydantic.dataclasses import dataclass

from .values import (
    Day,
    Money,
    Number,
    OptionalIdentity,
    Text,
    Unreadable,
    read_text,
)

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


@dataclass(slots=True, config=CONFIG)
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


@dataclass(slots=True, config=CONFIG)
class DocumentLine:
    """A price line with what its subscription says. Missing: whatever an invoice line
    doesn't need. ``digest.py`` has a list of its own of what makes a line another one.

    :ivar unread_vat: what stands there instead of an amount
    :ivar details: (label, value) of what Copaco prints of the subscription's settings
    :ivar hidden_details: as details, of what it doesn't print
    """

    extended_price: Money
    line_ref: OptionalIdentity = _named("LineId")
    row_hash: OptionalIdentity = _named("InvoiceRowHash")
    subscription_ref: OptionalIdentity = _of_subscription("SubscriptionID")
    subscription_name: Text = _of_subscription("SubscriptionName")
    plan_ref: OptionalIdentity = _of_subscription("PlanID")
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
    unread_vat: Unreadable = _named("VAT")
    tax_percentage: Number = None
    tax_zone: Text = _named("TaxZoneID")
    details: Details = ()
    hidden_details: Details = ()
