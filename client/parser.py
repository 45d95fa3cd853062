"""From the bytes of a response to documents: one customer's part of one Copaco invoice.

Elements of ``Invoices`` with the same InvoiceID are one invoice (before February 2024
Copaco grouped by vendor), and a customer that is in several of them gets one document
with all its lines. A document is judged by its own elements alone: an unreadable
header or line makes the documents it belongs to unreadable, and no others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar, overload

from pydantic import TypeAdapter, ValidationError

from .digest import digest_document, digest_payload
from .elements import CustomerInfo, DocumentLine
from .exceptions import InvalidResponseError
from .json_reader import read_json, read_slice, write_json
from .records import DocumentHead, ParsedResponse, RejectedInvoice, SourceDocument
from .schemas import (
    CountedCustomer,
    Customer,
    Header,
    Invoice,
    InvoiceResponse,
    describe_problems,
)
from .sentences import NESTED_TOO_DEEP, Problems, Sentence
from .totals import (
    ElementTotals,
    add_exactly,
    get_stated_amounts,
    get_unread,
    get_worst,
)
from .unreadable import read_what_can_be_read
from .xml_reader import read_xml

# A person needs to see what is wrong, not every place where it is.
MAX_PROBLEMS = 3
# What may stand before the first character of a response: byte order marks (and the
# zero bytes of wide encodings) and white space.
_BLANK = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"

_Result = TypeVar("_Result")
# The invoice number and the account of a document, and what it is made of.
_Groups = dict[tuple[str, str], tuple[CustomerInfo, list["_Part"]]]


def is_markup(raw: bytes) -> bool:
    """Tell whether these bytes are XML or HTML, whatever a file's name says."""
    return raw[:1024].lstrip(_BLANK).startswith(b"<")


def parse_documents(raw: bytes) -> ParsedResponse:
    """Read a response of any of Copaco's invoice endpoints.

    All of it is checked; but what a document consists of is read when the document is
    asked for, and forgotten with it: a large response is much larger when it is read.

    :param raw: the body, decompressed; JSON, or the XML of the older platform, in
        UTF-8, UTF-16 or UTF-32, or in an encoding that XML declares
    :return: empty for a response without invoices
    :raise InvalidResponseError: if nothing of it can be used
    """
    return _refuse_deep(lambda: _parse_tree(read_tree(raw)))


def parse_payload(payload: str) -> SourceDocument:
    """Read a stored document again.

    :param payload: a `SourceDocument.payload`
    :return: the document, with the same lines, amount and digest
    :raise InvalidResponseError: if the payload isn't exactly one document
    """
    response = parse_documents(payload.encode())
    if len(response.documents) != 1 or response.rejected:
        raise InvalidResponseError("The stored text is not that of one document.")
    return response.documents[0]


def _refuse_deep(read: Callable[[], _Result]) -> _Result:
    # Raised outside of it, an error has no context that would print the response.
    with suppress(RecursionError):
        return read()
    raise InvalidResponseError(NESTED_TOO_DEEP)


def read_tree(raw: bytes) -> Any:
    """Return a tree of dictionaries, lists, texts (numbers too), booleans and None; of
    JSON, each customer is a `Slice`."""
    if not raw.strip(_BLANK):
        raise InvalidResponseError("Copaco's response is empty.")
    if is_markup(raw):
        return read_xml(raw)
    return read_json(raw, "Invoices", "Customers")


@dataclass(slots=True)
class _Part:
    """A customer's entry in one element of ``Invoices``.

    ``entry`` is the entry as received, perhaps a `Slice`; ``totals`` are those of the
    whole element. ``receiver`` is the element's if it is this customer.
    """

    element: dict[str, Any]
    invoice: Invoice
    entry: Any
    totals: ElementTotals
    receiver: CustomerInfo | None = None

    @property
    def header(self) -> Header:
        return self.invoice.header

    def get_tree(self, with_totals: bool = True) -> dict[str, Any]:
        """Return the tree of the element as received, without all other customers, and
        with the totals if they are of this customer alone.

        :param with_totals: whether to give totals and sender, of which nothing makes a
            document another one
        """
        if not isinstance(self.invoice.customers, list):
            return self.element
        own = {
            "Header": self.element["Header"],
            "Customers": [read_slice(self.entry)],
        }
        if with_totals and self.invoice.sender:
            own["Sender"] = self.element["Sender"]
        if with_totals and "Totals" in self.element and self.totals.customer_count == 1:
            own["Totals"] = self.element["Totals"]
        if self.receiver:
            own["Receiver"] = self.element["Receiver"]
        return own


class _Documents(Sequence[SourceDocument]):
    """The documents of a response, each made anew whenever it is asked for."""

    def __init__(self, groups: _Groups) -> None:
        self._groups = list(groups.items())

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[SourceDocument]:
        # `Sequence` would take an IndexError for the end: a mistake of ours would hide
        # the rest.
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> SourceDocument: ...

    @overload
    def __getitem__(self, index: slice) -> list[SourceDocument]: ...

    def __getitem__(self, index: int | slice) -> SourceDocument | list[SourceDocument]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        (number, _account), (customer, parts) = self._groups[index]
        return _refuse_deep(lambda: _make_document(number, customer, parts))


def _parse_tree(tree: Any) -> ParsedResponse:
    if not isinstance(tree, dict):
        raise InvalidResponseError("Copaco's response is not an object with invoices.")
    try:
        elements = InvoiceResponse.model_validate(tree).invoices
    except ValidationError as error:
        problem = describe_problems(error)[0]
    else:
        return _parse_elements(elements)
    raise InvalidResponseError(
        Sentence("Copaco's response can't be used: %(problem)s.", {"problem": problem})
    )


def _parse_elements(elements: list[Any]) -> ParsedResponse:
    rejected: list[RejectedInvoice] = []
    groups: _Groups = {}
    for element in elements:
        try:
            invoice = Invoice.model_validate(element)
        except ValidationError as error:
            problems = _summarize(describe_problems(error))
            rejected.append(RejectedInvoice(problems, write_json(element)))
            continue
        own = invoice.totals
        totals = ElementTotals(own.stated, own.total_vat, own.unread, own.unread_vat)
        is_empty = True
        for part, found in _split(invoice, element, totals):
            is_empty = False
            # Nobody knows whether Copaco tells accounts apart by their capitals.
            key = (invoice.header.invoice_number, found.account_ref.lower())
            customer, parts = groups.setdefault(
                key, (CustomerInfo(found.account_ref), [])
            )
            if found.account_ref:
                _complete(customer, found, part.receiver)
            parts.append(part)
        if is_empty and (totals.difference or totals.unread):
            empty = Sentence("Customers is empty, while Totals has an amount")
            if totals.unread:
                empty = Sentence("Customers is empty, and Totals can't be read")
            rejected.append(RejectedInvoice(Problems((empty,)), write_json(element)))
    heads = [
        DocumentHead(number, customer.account_ref, customer, _get_date(parts))
        for (number, _account), (customer, parts) in groups.items()
    ]
    return ParsedResponse(heads, _Documents(groups), rejected)


def _split(
    invoice: Invoice, element: dict[str, Any], totals: ElementTotals
) -> Iterator[tuple[_Part, CustomerInfo]]:
    """Yield a part for each customer of an element, and who the customer is; count the
    lines of all in its totals.

    Without a list of customers nobody knows whom the element is for: it is one part,
    with all that the element has, since the customers may be there by another name.
    """
    if not isinstance(invoice.customers, list):
        totals.give_up()
        yield _Part(element, invoice, None, totals), CustomerInfo()
        return
    totals.customer_count = len(invoice.customers)
    for entry in invoice.customers:
        tree = read_slice(entry)
        found = _read_customer(tree) if isinstance(tree, dict) else CustomerInfo()
        part = _Part(element, invoice, entry, totals)
        receiver = invoice.receiver
        # Any other receiver is the reseller itself.
        if receiver and found.account_ref == receiver.account_ref != "":
            part.receiver = receiver
            if not found.language_code:
                found.language_code = invoice.header.language_code
        _count(tree, totals)
        yield part, found


_read_customer = TypeAdapter(CustomerInfo).validate_python


def _count(entry: Any, totals: ElementTotals) -> None:
    """Count the lines of a customer in the totals of its element."""
    if totals.difference is None:
        return
    try:
        customer = CountedCustomer.model_validate(entry)
    except ValidationError:
        totals.give_up()
    else:
        totals.add(
            line.extended_price
            for subscription in customer.subscriptions
            for line in subscription.price_lines
        )


def _get_date(parts: list[_Part]) -> date | None:
    """Return the latest date of the elements of a document."""
    return max((part.header.date for part in parts if part.header.date), default=None)


def _make_document(
    number: str, customer: CustomerInfo, parts: list[_Part]
) -> SourceDocument:
    trees = [part.get_tree() for part in parts]
    lines, problems = read_trees(trees)
    if not all(part.header.date for part in parts):
        problems.append(Sentence("Header.Date is missing or not a date"))
    currencies = {part.header.currency.upper() for part in parts}
    if len(currencies) > 1:
        problems.append(
            Sentence("Header.Currency differs between parts of the same invoice")
        )
    if _is_doubtful_credit(parts, lines):
        problems.append(Sentence("Header.Type is a credit, but its lines are not"))
    tree = {"Invoices": trees}
    totals = dict.fromkeys(part.totals for part in parts)
    stated_amount, stated_vat = get_stated_amounts(totals)
    unread_total, unread_vat = get_unread(totals)
    document = SourceDocument(
        invoice_number=number,
        account_ref=customer.account_ref,
        invoice_date=_get_date(parts),
        currency=currencies.pop() if len(currencies) == 1 else "",
        customer=customer,
        lines=[] if problems else lines,
        payload=write_json(tree),
        digest="",
        problems=_summarize(problems),
        stated_amount=stated_amount,
        stated_vat=stated_vat,
        unread_total=unread_total,
        unread_vat=unread_vat
        or next((line.unread_vat for line in lines if line.unread_vat), ""),
        payment_days=max(int(part.header.payment_days or 0) for part in parts),
        due_date=max(
            (
                part.header.expiration_date
                for part in parts
                if part.header.expiration_date
            ),
            default=None,
        ),
        sender=next(
            (part.invoice.sender for part in parts if part.invoice.sender), None
        ),
    )
    if worst := get_worst(totals):
        document.totals_difference = worst.difference
        document.totals_line_count = worst.line_count
    if problems:
        trees = [part.get_tree(with_totals=False) for part in parts]
        document.digest = digest_payload({"Invoices": trees})
        read_what_can_be_read(document, trees)
    else:
        document.digest = digest_document(document)
        document.has_empty_list = any(map(_has_empty_list, trees))
    return document


def _is_doubtful_credit(parts: list[_Part], lines: list[DocumentLine]) -> bool:
    """No page says which sign the amounts of a credit had on the older platform; those
    that are not below zero may be owed to the customer, or by it."""
    is_credit = any("credit" in part.header.type.casefold() for part in parts)
    return is_credit and add_exactly(line.extended_price for line in lines) > 0


def read_trees(
    trees: list[dict[str, Any]],
) -> tuple[list[DocumentLine], list[Sentence]]:
    """Read the lines of all parts of a document.

    :return: the lines, and what is wrong
    """
    lines: list[DocumentLine] = []
    problems: list[Sentence] = []
    entries: list[str] = []
    for tree in trees:
        if not isinstance(tree.get("Customers"), list):
            problems.append(Sentence("Customers is missing or not a list"))
            continue
        (entry,) = tree["Customers"]
        try:
            customer = Customer.model_validate(entry)
        except ValidationError as error:
            problems += describe_problems(error, in_customer=True)
            continue
        own_lines = [
            line
            for subscription in customer.subscriptions
            for line in subscription.price_lines
        ]
        if own_lines and len(trees) > 1:
            entries.append(write_json(entry, canonical=True))
        lines += own_lines
    # More likely an error than charges that are equal in everything, ids included.
    if len(set(entries)) < len(entries):
        problems.append(
            Sentence("Customers has the same customer with the same lines twice")
        )
    return lines, problems


def _has_empty_list(tree: dict[str, Any]) -> bool:
    """Tell whether a readable customer, or a subscription of it, has no lines."""
    (entry,) = tree["Customers"]
    subscriptions = entry["Subscriptions"]
    return not subscriptions or not all(each["PriceLines"] for each in subscriptions)


def _complete(customer: CustomerInfo, *sources: CustomerInfo | None) -> None:
    """Take what a customer lacks from the first who says it: the customer's own entry,
    then the receiver."""
    for source in filter(None, sources):
        for each in fields(customer):
            if not getattr(customer, each.name):
                setattr(customer, each.name, getattr(source, each.name))


def _summarize(found: Iterable[Sentence]) -> Problems:
    """Name the first few problems, and how many more there are."""
    problems = list({str(each): each for each in found}.values())
    more = len(problems) - MAX_PROBLEMS
    shown = problems[:MAX_PROBLEMS]
    if more > 0:
        shown.append(Sentence("and %(count)s more", {"count": more}))
    return Problems(tuple(shown))
