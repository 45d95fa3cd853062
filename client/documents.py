"""From the bytes of an answer to documents: one customer's part of one Copaco invoice.

Elements of ``Invoices`` with the same InvoiceID are one invoice (before February 2024
Copaco grouped by vendor), and a customer that is in several of them gets one document
with all its lines. A document is judged by its own elements alone: an unreadable
header or line condemns the documents it belongs to, and no others.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from .answer import read_answer
from .digest import digest_document, digest_payload
from .errors import InvalidResponseError
from .schemas import (
    CountedCustomer,
    Customer,
    Invoice,
    InvoiceResponse,
    Party,
    Receiver,
    describe_problems,
)
from .source import (
    CustomerInfo,
    DocumentHead,
    DocumentLine,
    ParsedResponse,
    RejectedInvoice,
    SourceDocument,
)
from .strict_json import read_slice, write_json
from .totals import ElementTotals, add_exactly, sum_differences

# A person needs to see what is wrong, not every place where it is.
MAX_PROBLEMS = 3


def parse_documents(raw):
    """Read an answer of any of Copaco's invoice endpoints.

    All of it is checked; but what a document consists of is read when the document is
    asked for, and forgotten with it: a large answer is much larger when it is read.

    :param bytes raw: the body, decompressed; JSON, or the XML of the older platform
    :return: `ParsedResponse`, empty for an answer without invoices
    :raise InvalidResponseError: if nothing of it can be used
    """
    return _refuse_deep(lambda: _parse_tree(read_answer(raw)))


def parse_payload(payload):
    """Read a stored document again.

    :param str payload: a `SourceDocument.payload`
    :return: `SourceDocument` with the same lines, amount and digest
    :raise InvalidResponseError: if the payload isn't exactly one document
    """
    response = parse_documents(payload.encode())
    if len(response.documents) != 1 or response.rejected:
        raise InvalidResponseError("The stored text is not that of one document.")
    return response.documents[0]


def merge_payloads(old, kept, new):
    """Put some lines of a stored document and all of another together.

    :param str old: a `SourceDocument.payload` that can be read
    :param kept: positions of the lines of it that are kept
    :param str new: another one, of the same document
    :return: text that `parse_payload` reads
    """
    kept, position, trees = set(kept), 0, []
    for element in _read_elements(old):
        (customer,) = element["Customers"]
        own = []
        for subscription in customer["Subscriptions"] or ():
            lines = []
            for line in subscription["PriceLines"] or ():
                if position in kept:
                    lines.append(line)
                position += 1
            if lines:
                own.append({**subscription, "PriceLines": lines})
        if own:
            customer = {**customer, "Subscriptions": own}
            trees.append({**element, "Customers": [customer]})
    return write_json({"Invoices": [*trees, *_read_elements(new)]})


def _read_elements(payload):
    elements = read_answer(payload.encode())["Invoices"]
    return [
        {**element, "Customers": [read_slice(each) for each in element["Customers"]]}
        for element in elements
    ]


def _refuse_deep(read):
    # Raised outside of it, an error has no context that would print the answer.
    with suppress(RecursionError):
        return read()
    raise InvalidResponseError("Copaco's answer can't be read: it is nested too deep.")


@dataclass(slots=True)
class _Part:
    """A customer's entry in one element of ``Invoices``.

    ``entry`` is the entry as it came, perhaps a `Slice`; ``totals`` are those of the
    whole element. ``receiver`` is the element's if it is this customer.
    """

    element: dict
    invoice: Invoice
    entry: Any
    totals: ElementTotals
    receiver: Receiver | None = None

    @property
    def header(self):
        return self.invoice.header

    def get_tree(self):
        """Return the tree of the element as it came, without all other customers."""
        if not isinstance(self.invoice.customers, list):
            return self.element
        own = {
            "Header": self.element["Header"],
            "Customers": [read_slice(self.entry)],
        }
        if self.receiver:
            own["Receiver"] = self.element["Receiver"]
        return own


class _Documents(Sequence):
    """The documents of an answer, each made anew whenever it is asked for."""

    def __init__(self, groups):
        self._groups = list(groups.items())

    def __len__(self):
        return len(self._groups)

    def __iter__(self):
        # `Sequence` would take an IndexError for the end: a mistake of ours would hide
        # the rest.
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        (number, account_ref), (customer, parts) = self._groups[index]
        return _refuse_deep(
            lambda: _make_document(number, account_ref, customer, parts)
        )


def _parse_tree(tree):
    if not isinstance(tree, dict):
        raise InvalidResponseError("Copaco's answer is not an object with invoices.")
    try:
        elements = InvoiceResponse.model_validate(tree).invoices
    except ValidationError as error:
        problem = describe_problems(error)[0]
    else:
        return _parse_elements(elements)
    raise InvalidResponseError(f"Copaco's answer can't be used: {problem}.")


def _parse_elements(elements):
    rejected, groups = [], {}
    for element in elements:
        try:
            invoice = Invoice.model_validate(element)
        except ValidationError as error:
            reason = _summarize(describe_problems(error))
            rejected.append(RejectedInvoice(reason, write_json(element)))
            continue
        totals = ElementTotals(invoice.totals and invoice.totals.total_excluding_vat)
        is_empty = True
        for part, party in _split(invoice, element, totals):
            is_empty = False
            key = (invoice.header.invoice_id, party.account_id)
            customer, parts = groups.setdefault(key, (CustomerInfo(key[1]), []))
            if party.account_id:
                _complete(customer, party, part.receiver)
            parts.append(part)
        if is_empty and totals.difference:
            reason = "Customers is empty, while Totals has an amount."
            rejected.append(RejectedInvoice(reason, write_json(element)))
    heads = [DocumentHead(*key, customer) for key, (customer, _) in groups.items()]
    return ParsedResponse(heads, _Documents(groups), rejected)


def _split(invoice, element, totals) -> Iterator[tuple[_Part, Party]]:
    """Yield a part for each customer of an element, and who the customer is; count the
    lines of all in its totals.

    Without a list of customers nobody knows whom the element is for: it is one part,
    with all that the element has, since the customers may be there by another name.
    """
    if not isinstance(invoice.customers, list):
        totals.give_up()
        yield _Part(element, invoice, None, totals), Party()
        return
    for entry in invoice.customers:
        tree = read_slice(entry)
        party = Party.model_validate(tree) if isinstance(tree, dict) else Party()
        part = _Part(element, invoice, entry, totals)
        receiver = invoice.receiver
        # Any other receiver is the reseller itself.
        if receiver and party.account_id and receiver.account_id == party.account_id:
            part.receiver = receiver
        _count(tree, totals)
        yield part, party


def _count(entry, totals):
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


def _make_document(number, account_ref, customer, parts):
    trees = [part.get_tree() for part in parts]
    lines, problems = _read_trees(trees)
    dates = [part.header.date for part in parts if part.header.date]
    if len(dates) < len(parts):
        problems.append("Header.Date is missing or not a date")
    currencies = {part.header.currency.upper() for part in parts}
    if len(currencies) > 1:
        problems.append("Header.Currency differs between parts of the same invoice")
    if _is_doubtful_credit(parts, lines):
        problems.append("Header.Type is a credit, but its lines are not")
    tree = {"Invoices": trees}
    document = SourceDocument(
        invoice_number=number,
        account_ref=account_ref,
        invoice_date=max(dates, default=None),
        currency=currencies.pop() if len(currencies) == 1 else "",
        customer=customer,
        lines=[] if problems else lines,
        payload=write_json(tree),
        digest="",
        error=_summarize(problems),
        totals_difference=sum_differences(part.totals for part in parts),
    )
    document.digest = digest_payload(tree) if problems else digest_document(document)
    return document


def _is_doubtful_credit(parts, lines):
    """No page says which sign the amounts of a credit had on the older platform; those
    that are not below zero may be owed to the customer, or by it."""
    is_credit = any("credit" in part.header.type.casefold() for part in parts)
    return is_credit and add_exactly(line.extended_price for line in lines) > 0


def _read_trees(trees):
    """Read the lines of all parts of a document.

    :return: list of `DocumentLine`, list of what is wrong
    """
    lines, problems, entries = [], [], []
    for tree in trees:
        if not isinstance(tree.get("Customers"), list):
            problems.append("Customers is missing or not a list")
            continue
        (entry,) = tree["Customers"]
        try:
            customer = Customer.model_validate(entry)
        except ValidationError as error:
            problems += [f"Customer: {each}" for each in describe_problems(error)]
            continue
        own_lines = list(_read_lines(customer))
        if own_lines and len(trees) > 1:
            entries.append(write_json(entry, canonical=True))
        lines += own_lines
    # More likely an error than charges that are equal in everything, ids included.
    if len(set(entries)) < len(entries):
        problems.append("Customers has the same customer with the same lines twice")
    return lines, problems


def _read_lines(customer) -> Iterator[DocumentLine]:
    for subscription in customer.subscriptions:
        shared_details = _read_details(subscription.subscription_details)
        for line in subscription.price_lines:
            details = shared_details
            if line.subscription_details:
                own = _read_details(line.subscription_details)
                details = tuple(dict.fromkeys(shared_details + own))
            yield DocumentLine(
                line_ref=line.line_id,
                row_hash=line.invoice_row_hash,
                subscription_ref=subscription.subscription_id,
                subscription_name=subscription.subscription_name,
                plan_ref=subscription.plan_id,
                plan_name=subscription.plan_name,
                plan_category=subscription.plan_category_name,
                charge_type=line.charge_type,
                billing_frequency=line.billing_frequency,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount=line.discount,
                duration=line.duration,
                extended_price=line.extended_price,
                date_start=line.start_date,
                date_end=line.end_date,
                vendor_details=line.vendor_details,
                subscription_po=subscription.subscription_po_number,
                line_po=line.sub_po_number,
                consumer_name=line.consumer_company_name,
                details=details,
            )


def _read_details(details):
    return tuple(
        (detail.attribute_description or detail.attribute, detail.attribute_value)
        for detail in details
        if not detail.is_hidden and detail.attribute_value
    )


def _complete(customer, *parties):
    """Take what a `CustomerInfo` lacks from the first who says it: the customer, then
    the receiver."""
    for party in filter(None, parties):
        found = _read_party(party)
        for each in fields(customer):
            if not getattr(customer, each.name):
                setattr(customer, each.name, getattr(found, each.name))


def _read_party(party):
    names = (
        party.contact_first_name,
        party.contact_middle_name,
        party.contact_last_name,
    )
    return CustomerInfo(
        account_ref=party.account_id,
        customer_number=party.customer_number,
        name=party.company_name,
        cost_center=party.cost_center,
        vat=party.vat_number,
        email=party.email,
        phone=party.telephone,
        street=party.street,
        zip=party.zip,
        city=party.city,
        country_code=party.country_code.upper(),
        contact_name=" ".join(filter(None, names)),
    )


def _summarize(problems):
    """Join problems into sentences, naming the first few."""
    problems = list(dict.fromkeys(problems))
    more = len(problems) - MAX_PROBLEMS
    text = "; ".join(problems[:MAX_PROBLEMS])
    if more > 0:
        text += f"; and {more} more"
    return f"{text}." if text else ""
