"""From the bytes of an answer to documents: one customer's part of one Copaco invoice.

Elements of ``Invoices`` with the same InvoiceID are one invoice (before February 2024
Copaco grouped by vendor), and a customer that is in several of them gets one document
with all its lines. A document is judged by its own elements alone: an unreadable
header or line condemns the documents it belongs to, and no others.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from .answer import read_answer
from .digest import digest_document, digest_payload
from .errors import InvalidResponseError
from .schemas import (
    Customer,
    Header,
    Invoice,
    InvoiceResponse,
    Party,
    Receiver,
    describe_problems,
)
from .source import (
    CustomerInfo,
    DocumentLine,
    ParsedResponse,
    RejectedInvoice,
    SourceDocument,
)
from .strict_json import write_json
from .totals import ElementTotals, add_exactly, sum_differences

# A person needs to see what is wrong, not every place where it is.
MAX_PROBLEMS = 3


def parse_documents(raw):
    """Read an answer of any of Copaco's invoice endpoints.

    :param bytes raw: the body, decompressed; JSON, or the XML of the older platform
    :return: `ParsedResponse`, empty for an answer without invoices
    :raise InvalidResponseError: if nothing of it can be used
    """
    # Raised outside of it, an error has no context that would print the answer.
    with suppress(RecursionError):
        return _parse_tree(read_answer(raw))
    raise InvalidResponseError("Copaco's answer can't be read: it is nested too deep.")


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


@dataclass(slots=True)
class _Part:
    """A customer's entry in one element of ``Invoices``.

    ``entry`` is the entry as it came, ``element`` the element without all others, and
    ``totals`` are those of the whole element.
    """

    header: Header
    party: Party
    entry: Any
    element: dict
    totals: ElementTotals
    receiver: Receiver | None = None


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
    response = ParsedResponse()
    groups = {}
    for element in elements:
        try:
            invoice = Invoice.model_validate(element)
        except ValidationError as error:
            reason = _summarize(describe_problems(error))
            response.rejected.append(RejectedInvoice(reason, write_json(element)))
            continue
        totals = ElementTotals(invoice.totals and invoice.totals.total_excluding_vat)
        parts = list(_split(invoice, element, totals))
        if not parts and totals.difference:
            reason = "Customers is empty, while Totals has an amount."
            response.rejected.append(RejectedInvoice(reason, write_json(element)))
        for part in parts:
            key = (invoice.header.invoice_id, part.party.account_id)
            groups.setdefault(key, []).append(part)
    response.documents += [_make_document(*key, parts) for key, parts in groups.items()]
    # Only now each element's lines have been counted, those of all its customers.
    for document, parts in zip(response.documents, groups.values(), strict=True):
        document.totals_difference = sum_differences(part.totals for part in parts)
    return response


def _split(invoice, element, totals) -> Iterator[_Part]:
    """Yield a part for each customer of an element.

    Without a list of customers nobody knows whom the element is for: it is one part,
    with all that the element has, since the customers may be there by another name.
    """
    header = {"Header": element["Header"]}
    if not isinstance(invoice.customers, list):
        yield _Part(invoice.header, Party(), None, element, totals)
        return
    for entry in invoice.customers:
        own = {**header, "Customers": [entry]}
        party = Party.model_validate(entry) if isinstance(entry, dict) else Party()
        part = _Part(invoice.header, party, entry, own, totals)
        receiver = invoice.receiver
        # Any other receiver is the reseller itself.
        if receiver and party.account_id and receiver.account_id == party.account_id:
            part.receiver = receiver
            own["Receiver"] = element["Receiver"]
        yield part


def _make_document(number, account_ref, parts):
    lines, problems = _read_parts(parts)
    dates = [part.header.date for part in parts if part.header.date]
    if len(dates) < len(parts):
        problems.append("Header.Date is missing or not a date")
    currencies = {part.header.currency.upper() for part in parts}
    if len(currencies) > 1:
        problems.append("Header.Currency differs between parts of the same invoice")
    if _is_doubtful_credit(parts, lines):
        problems.append("Header.Type is a credit, but its lines are not")
    tree = {"Invoices": [part.element for part in parts]}
    document = SourceDocument(
        invoice_number=number,
        account_ref=account_ref,
        invoice_date=max(dates, default=None),
        currency=currencies.pop() if len(currencies) == 1 else "",
        customer=_read_customer_info(account_ref, parts),
        lines=[] if problems else lines,
        payload=write_json(tree),
        digest="",
        error=_summarize(problems),
    )
    document.digest = digest_payload(tree) if problems else digest_document(document)
    return document


def _is_doubtful_credit(parts, lines):
    """No page says which sign the amounts of a credit had on the older platform; those
    that are not below zero may be owed to the customer, or by it."""
    is_credit = any("credit" in part.header.type.casefold() for part in parts)
    return is_credit and add_exactly(line.extended_price for line in lines) > 0


def _read_parts(parts):
    """Read the lines of all parts.

    :return: list of `DocumentLine`, list of what is wrong
    """
    lines, problems, entries = [], [], []
    for part in parts:
        if not isinstance(part.element.get("Customers"), list):
            problems.append("Customers is missing or not a list")
            part.totals.give_up()
            continue
        try:
            customer = Customer.model_validate(part.entry)
        except ValidationError as error:
            problems += [f"Customer: {each}" for each in describe_problems(error)]
            part.totals.give_up()
            continue
        own_lines = list(_read_lines(customer))
        part.totals.add(own_lines)
        if own_lines and len(parts) > 1:
            entries.append(write_json(part.entry, canonical=True))
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


def _read_customer_info(account_ref, parts):
    """Take each field from the first who says it: the customer, then the receiver."""
    info = CustomerInfo(account_ref)
    for part in parts if account_ref else ():
        for party in filter(None, (part.party, part.receiver)):
            found = _read_party(party)
            for each in fields(info):
                if not getattr(info, each.name):
                    setattr(info, each.name, getattr(found, each.name))
    return info


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
