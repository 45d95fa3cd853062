"""What ``parser.py`` makes of a response: plain records, nothing is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .elements import CustomerInfo, DocumentLine
from .sentences import Problems
from .totals import add_exactly


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
    :ivar problems: what can't be read, naming fields and quoting nothing
    :ivar totals_difference: Copaco's ``Totals`` (without VAT) minus the exact sum of
        the lines, of that element of ``Invoices`` it was part of, with all customers of
        it, where they differ most; None if Copaco sent no readable totals or a line of
        them can't be read. The digest doesn't know it.
    :ivar totals_line_count: how many lines that element has
    :ivar has_empty_list: whether its customer or a subscription is without lines: .NET
        writes the same for a list that was never filled
    :ivar stated_amount: what Copaco's ``Totals`` say that this document alone costs
        without VAT; None if they don't
    :ivar stated_vat: the VAT of that
    :ivar unread_total: what stands there instead of a total without VAT, in any element
        of ``Invoices`` that it is part of; "" for none
    :ivar unread_vat: what stands instead of a VAT of this document alone or of a line
    :ivar payment_days: ``TermsOfPaymentDays``: in Customer-Invoices, the customer's
    :ivar due_date: the latest, when elements differ; None if none could be read
    :ivar sender: who bills it: Copaco, or the reseller
    :ivar whole_vat: the VAT that Copaco's ``Totals`` state of the whole that this was
        taken from
    """

    invoice_number: str
    account_ref: str
    invoice_date: date | None
    currency: str
    customer: CustomerInfo
    lines: list[DocumentLine]
    payload: str
    digest: str
    problems: Problems
    totals_difference: Decimal | None = None
    totals_line_count: int = 0
    has_empty_list: bool = False
    stated_amount: Decimal | None = None
    stated_vat: Decimal | None = None
    unread_total: str = ""
    unread_vat: str = ""
    payment_days: int = 0
    readable_lines: list[DocumentLine] = field(default_factory=list)
    unreadable_lines: list[UnreadableLine] = field(default_factory=list)
    due_date: date | None = None
    sender: CustomerInfo | None = None
    whole_vat: Decimal | None = None

    @property
    def error(self) -> str:
        """Its problems in English, "" for none."""
        return str(self.problems)

    @property
    def amount(self) -> Decimal:
        """The exact sum of the lines, without VAT."""
        return add_exactly(line.extended_price for line in self.lines)

    @property
    def has_line_vat(self) -> bool:
        """Whether the lines say which VAT they have. Where Copaco doesn't fill it in,
        it may be 0; but no tax was determined for it, either. A rate or a zone without
        an amount says nothing."""
        return any(
            line.vat is not None and (line.vat or line.tax_percentage or line.tax_zone)
            for line in self.lines
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

    problems: Problems
    payload: str

    @property
    def reason(self) -> str:
        """Its problems in English."""
        return str(self.problems)


@dataclass(slots=True)
class DocumentHead:
    """Which document it is and for whom: of `SourceDocument`, what is cheap to know."""

    invoice_number: str
    account_ref: str
    customer: CustomerInfo
    invoice_date: date | None


@dataclass(slots=True)
class ParsedResponse:
    """Everything that a response holds, each price line in exactly one place.

    :ivar heads: of the documents, in their order
    :ivar documents: each is made anew whenever it is asked for; go through them once
    """

    heads: list[DocumentHead]
    documents: Sequence[SourceDocument]
    rejected: list[RejectedInvoice]
