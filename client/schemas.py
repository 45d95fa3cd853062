"""What Copaco sends (Copaco kb: overview-api-fields-and-data-types, invoices-xml).

Tolerant of what may vary: unknown fields, key order, null or missing fields, and how a
value is written (``values.py``). Strict about money and identity: without a readable
InvoiceID, AccountID or ExtendedPrice the model that holds it is refused.

The levels are validated one by one (``documents.py``), so that what is wrong in one
place condemns that place alone. Errors name the field and never quote a value.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
)
from pydantic.alias_generators import to_pascal

from .values import (
    read_date,
    read_flag,
    read_identity,
    read_money,
    read_number,
    read_objects,
    read_optional_identity,
    read_setting,
    read_text,
)

Text = Annotated[str, PlainValidator(read_text)]
Identity = Annotated[str, PlainValidator(read_identity)]
OptionalIdentity = Annotated[str, PlainValidator(read_optional_identity)]
Money = Annotated[Decimal, PlainValidator(read_money)]
Number = Annotated[Decimal | None, PlainValidator(read_number)]
Day = Annotated[date | None, PlainValidator(read_date)]
Flag = Annotated[bool, PlainValidator(read_flag)]
# .NET writes null for a list that was never filled.
null_is_empty = BeforeValidator(lambda value: [] if value is None else value)
# What a good invoice doesn't need may be anything.
other_is_none = BeforeValidator(
    lambda value: value if isinstance(value, dict) else None
)


class Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_pascal,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )


class SubscriptionDetail(Model):
    """A setting of a subscription (release notes of 7 March 2024)."""

    attribute: Text = ""
    attribute_value: Annotated[str, PlainValidator(read_setting)] = ""
    attribute_description: Text = ""
    # By its name: Copaco doesn't print it. Neither type nor meaning is documented.
    is_hidden: Flag = Field(
        False,
        validation_alias=AliasChoices("noshow", "NoShow", "noShow", "Noshow"),
    )


Details = Annotated[list[SubscriptionDetail], BeforeValidator(read_objects)]


class PriceLine(Model):
    """One charge. Missing: whatever an invoice line doesn't need."""

    line_id: Text = ""
    invoice_row_hash: Text = ""
    charge_type: Text = ""
    billing_frequency: Text = ""
    description: Text = ""
    quantity: Number = None
    unit_price: Number = None
    discount: Number = None
    duration: Number = None
    extended_price: Money
    start_date: Day = None
    end_date: Day = None
    vendor_details: Text = ""
    sub_po_number: Text = Field("", alias="SubPONumber")
    consumer_company_name: Text = ""
    subscription_details: Details = ()


class Subscription(Model):
    subscription_id: Text = Field("", alias="SubscriptionID")
    subscription_name: Text = ""
    plan_id: Text = Field("", alias="PlanID")
    plan_name: Text = ""
    plan_category_name: Text = ""
    subscription_po_number: Text = Field("", alias="SubscriptionPONumber")
    # Not optional: if Copaco renames it, nobody must be billed nothing.
    price_lines: Annotated[list[PriceLine], null_is_empty]
    subscription_details: Details = ()


class Party(Model):
    """Who and where: of a customer, or of a receiver."""

    account_id: OptionalIdentity = Field("", alias="AccountID")
    customer_number: Text = ""
    company_name: Text = ""
    cost_center: Text = ""
    vat_number: Text = Field("", alias="VATNumber")
    email: Text = ""
    telephone: Text = ""
    # The XML of the older platform has other names (Copaco kb: invoices-(XML)).
    street: Text = Field("", validation_alias=AliasChoices("Address", "Street"))
    zip: Text = Field("", validation_alias=AliasChoices("Zip", "PostalCode"))
    city: Text = ""
    country_code: Text = ""
    contact_first_name: Text = ""
    contact_middle_name: Text = ""
    contact_last_name: Text = ""


class Receiver(Party):
    """Whom Copaco's invoice is for: the customer itself, or the reseller."""


class Customer(Party):
    account_id: Identity = Field(alias="AccountID")
    # Not optional, as `Subscription.price_lines`.
    subscriptions: Annotated[list[Subscription], null_is_empty]


class CountedLine(Model):
    """Of a `PriceLine`, what it adds to Copaco's total."""

    extended_price: Money


class CountedSubscription(Model):
    price_lines: Annotated[list[CountedLine], null_is_empty]


class CountedCustomer(Model):
    """A `Customer` as far as its lines are counted: all else is read later."""

    subscriptions: Annotated[list[CountedSubscription], null_is_empty]


class Header(Model):
    invoice_id: Identity = Field(alias="InvoiceID")
    date: Day = None
    currency: Text = ""
    # Always INVOICE today; on the older platform invoice or credit (3-xml-elements).
    type: Text = ""


class Totals(Model):
    """What Copaco says the lines add up to. How JSON names it is not documented; none
    that can be read is none to be compared with (Copaco kb: platform-logic-new)."""

    total_excluding_vat: Number = Field(
        None,
        validation_alias=AliasChoices(
            "TotalExcludingVAT",
            "TotalExcludingVat",
            "TotalExclVAT",
            "TotalExclVat",
            "TotalExVAT",
            "TotalExVat",
        ),
    )


class Invoice(Model):
    """An element of ``Invoices``; its customers are judged one by one."""

    header: Header
    receiver: Annotated[Receiver | None, other_is_none] = None
    totals: Annotated[Totals | None, other_is_none] = None
    customers: Any = None


class InvoiceResponse(Model):
    """A whole answer; its invoices are judged one by one."""

    invoices: list[Any]


def describe_problems(error):
    """Say what is wrong with what was validated, naming fields and quoting nothing.

    :param pydantic.ValidationError error: of one of these models
    :return: list of texts such as "PriceLines[0].ExtendedPrice is missing"
    """
    problems = error.errors(
        include_url=False, include_context=False, include_input=False
    )
    return [
        f"{_format_path(problem['loc'])} "
        f"{_PHRASES.get(problem['type'], problem['msg'])}"
        for problem in problems
    ]


_PHRASES = {
    "missing": "is missing",
    "list_type": "is not a list",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
}


def _format_path(location):
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in location
    )
    return path.removeprefix(".") or "The element"
