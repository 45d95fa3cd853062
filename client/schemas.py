"""What Copaco sends (Copaco's knowledge base, pages
https://kb.copaco.cloud/kb/overview-api-fields-and-data-types and
https://kb.copaco.cloud/kb/invoices-xml).

Tolerant of what may vary: unknown fields, key order, null or missing fields, and how a
value is written (``values.py``). Strict about money and identity: without a readable
InvoiceID, AccountID or ExtendedPrice the model that holds it is refused.

The levels are validated one by one (``parser.py``), so that what is wrong in one place
spoils no other. Errors name the field and never quote a value.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from .elements import CONFIG, CustomerInfo, DocumentLine
from .sentences import Sentence, Value
from .values import (
    EXACT,
    Day,
    Identity,
    Money,
    Number,
    Text,
    Unreadable,
    read_flag,
    read_objects,
    read_setting,
    read_text,
)

# .NET writes null for a list that was never filled.
null_is_empty = BeforeValidator(lambda value: [] if value is None else value)
# What a good invoice doesn't need may be anything.
other_is_none = BeforeValidator(
    lambda value: value if isinstance(value, dict) else None
)


# Something else in place of totals is a total that can't be read.
other_is_unread = BeforeValidator(
    lambda value: (
        {"TotalExcludingVAT": {"Totals": value}}
        if value and not isinstance(value, dict)
        else value or {}
    )
)


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, **CONFIG)


class Subscription(Model):
    # Not optional: if Copaco renames it, nobody must be billed nothing.
    price_lines: Annotated[list[DocumentLine], null_is_empty]

    @model_validator(mode="before")
    @classmethod
    def _give_to_lines(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(
            values.get("PriceLines"), list
        ):
            return values
        return {"PriceLines": give_to_lines(values)}


def give_to_lines(subscription: dict[str, Any]) -> list[Any]:
    """Give each line what its subscription says.

    :param subscription: a tree with a list of lines
    :return: the trees of the lines, for `DocumentLine`
    """
    settings = read_objects(subscription.get("SubscriptionDetails"))
    printed = _read_details(settings, hidden=False)
    hidden = _read_details(settings, hidden=True)
    return [
        {
            **line,
            "Subscription": subscription,
            "Details": _add_details(printed, line, hidden=False),
            "HiddenDetails": _add_details(hidden, line, hidden=True),
        }
        if isinstance(line, dict)
        else line
        for line in subscription["PriceLines"]
    ]


def _add_details(
    shared: tuple[tuple[str, str], ...], line: dict[str, Any], *, hidden: bool
) -> tuple[tuple[str, str], ...]:
    own = read_objects(line.get("SubscriptionDetails"))
    if not own:
        return shared
    return tuple(dict.fromkeys(shared + _read_details(own, hidden=hidden)))


def _read_details(
    settings: list[dict[str, Any]], *, hidden: bool
) -> tuple[tuple[str, str], ...]:
    """Return (label, value) of those settings of a subscription that Copaco prints, or
    of those that it doesn't print (Copaco's knowledge base, page
    https://kb.copaco.cloud/kb/07-03-2024-invoices-api-functionality-extended)."""
    return tuple(
        (
            read_text(setting.get("AttributeDescription"))
            or read_text(setting.get("Attribute")),
            value,
        )
        for setting in settings
        if _is_hidden(setting) == hidden
        and (value := read_setting(setting.get("AttributeValue")))
    )


def _is_hidden(setting: dict[str, Any]) -> bool:
    # By its name: Copaco doesn't print it. Neither type nor meaning is documented.
    names = ("noshow", "NoShow", "noShow", "Noshow")
    return next((read_flag(setting[name]) for name in names if name in setting), False)


class Customer(Model):
    account_ref: Identity = Field(alias="AccountID")
    # Not optional, as `Subscription.price_lines`.
    subscriptions: Annotated[list[Subscription], null_is_empty]


class CountedLine(Model):
    """Of a `DocumentLine`, what it adds to Copaco's total."""

    extended_price: Money


class CountedSubscription(Model):
    price_lines: Annotated[list[CountedLine], null_is_empty]


class CountedCustomer(Model):
    """A `Customer` as far as its lines are counted: all else is read later."""

    subscriptions: Annotated[list[CountedSubscription], null_is_empty]


class Header(Model):
    invoice_number: Identity = Field(alias="InvoiceID")
    date: Day = None
    expiration_date: Day = None
    currency: Text = ""
    # Always INVOICE today; on the older platform invoice or credit (Copaco's knowledge
    # base, page https://kb.copaco.cloud/kb/3-xml-elements).
    type: Text = ""
    language_code: Text = ""
    payment_days: Number = Field(None, alias="TermsOfPaymentDays")


# How JSON names them is not documented.
_EXCLUDING_VAT = AliasChoices(
    "TotalExcludingVAT",
    "TotalExcludingVat",
    "TotalExclVAT",
    "TotalExclVat",
    "TotalExVAT",
    "TotalExVat",
)
_VAT = AliasChoices("TotalVAT", "TotalVat")
_INCLUDING_VAT = AliasChoices(
    "TotalIncludingVAT",
    "TotalIncludingVat",
    "TotalInclVAT",
    "TotalInclVat",
    "TotalIncVAT",
    "TotalIncVat",
)


class Totals(Model):
    """What Copaco says the lines add up to (Copaco's knowledge base, page
    https://kb.copaco.cloud/kb/platform-logic-new)."""

    total_excluding_vat: Number = Field(None, validation_alias=_EXCLUDING_VAT)
    total_vat: Number = Field(None, validation_alias=_VAT)
    total_including_vat: Number = Field(None, validation_alias=_INCLUDING_VAT)
    # What stands there instead of an amount.
    unread_excluding_vat: Unreadable = Field("", validation_alias=_EXCLUDING_VAT)
    unread_vat: Unreadable = Field("", validation_alias=_VAT)
    unread_including_vat: Unreadable = Field("", validation_alias=_INCLUDING_VAT)

    @property
    def stated(self) -> Decimal | None:
        """What the lines cost without VAT, by the formula of that page if it isn't
        said."""
        if self.total_excluding_vat is not None:
            return self.total_excluding_vat
        if self.total_including_vat is None or self.total_vat is None:
            return None
        return EXACT.subtract(self.total_including_vat, self.total_vat)

    @property
    def unread(self) -> str:
        """What stands where `stated` is read from and can't be read, "" for nothing."""
        if self.total_excluding_vat is not None or self.unread_excluding_vat:
            return self.unread_excluding_vat
        if self.total_including_vat is not None:
            return self.unread_vat
        return self.unread_including_vat


class Invoice(Model):
    """An element of ``Invoices``; its customers are judged one by one.

    :ivar receiver: whom it is for: the customer itself, or the reseller
    :ivar sender: who bills it
    """

    header: Header
    sender: Annotated[CustomerInfo | None, other_is_none] = None
    receiver: Annotated[CustomerInfo | None, other_is_none] = None
    totals: Annotated[Totals, other_is_unread] = Totals.model_validate({})
    customers: Any = None


class InvoiceResponse(Model):
    """A whole response; its invoices are judged one by one."""

    invoices: list[Any]


def describe_problems(
    error: ValidationError, *, in_customer: bool = False
) -> list[Sentence]:
    """Say what is wrong with what was validated, naming fields and quoting nothing.

    :param in_customer: that was a customer of an invoice
    :return: such as "PriceLines[0].ExtendedPrice is missing"
    """
    problems = error.errors(
        include_url=False, include_context=False, include_input=False
    )
    return [
        Sentence(
            # The messages of ``values.py`` are templates.
            problem["msg"]
            if problem["type"] in ("identity", "money")
            else _TEMPLATES.get(problem["type"], "%(field)s can't be used: %(reason)s"),
            {
                "field": _format_path(problem["loc"], in_customer),
                "reason": problem["msg"],
            },
        )
        for problem in problems
    ]


_TEMPLATES = {
    "missing": "%(field)s is missing",
    "list_type": "%(field)s is not a list",
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dataclass_type"),
        "%(field)s is not an object",
    ),
}


def _format_path(location: tuple[int | str, ...], in_customer: bool) -> Value:
    path: Value = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in location
    ).removeprefix(".") or Sentence("The element")
    return Sentence("Customer: %(field)s", {"field": path}) if in_customer else path
