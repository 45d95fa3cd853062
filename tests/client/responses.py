"""Responses as Copaco documents them, in the smallest form that is whole."""

import json

from ...client import parse_documents
from .. import properties
from ..properties import settings, st

# Any text that JSON can carry, the odd signs far more often than by chance.
ODD_SIGNS = "\ud800\udfff\x00\x1f\x7f\x85\n\t\u2028\ufeff\ufffe"
TEXTS = st.lists(
    st.characters() | st.sampled_from([*ODD_SIGNS, "x\ud800y", " \x00 "]), max_size=20
).map("".join)


def given(*strategies, max_examples=150):
    """As hypothesis has it, with the same examples each time: a test fails where it
    failed before."""
    fixed = settings(
        derandomize=True, database=None, deadline=None, max_examples=max_examples
    )
    return lambda test: fixed(properties.given(*strategies)(test))


def make_line(**values):
    return {"LineId": "L1", "Description": "Backup", "ExtendedPrice": "10.00"} | values


def make_subscription(*lines, **values):
    return {"SubscriptionID": "S1", "PriceLines": list(lines or [make_line()])} | values


def make_customer(*subscriptions, **values):
    own = list(subscriptions or [make_subscription()])
    return {"AccountID": "100", "CompanyName": "Molen", "Subscriptions": own} | values


def make_bad_customer(**values):
    """Return a customer of whose two lines one has no amount."""
    lines = make_line(), make_line(LineId="L2", ExtendedPrice=None)
    return make_customer(make_subscription(*lines), **values)


def make_invoice(*customers, header=None, **values):
    own_header = {"InvoiceID": "2026001", "Date": "20260323", "Currency": "EUR"}
    return {
        "Header": own_header | (header or {}),
        "Customers": list(customers or [make_customer()]),
    } | values


def make_raw(*invoices):
    """Return the bytes of a response with these elements."""
    return json.dumps({"Invoices": list(invoices)}).encode()


def parse(*invoices):
    """Return the `ParsedResponse` of a response with these elements."""
    return parse_documents(make_raw(*invoices))


def parse_one(*invoices):
    """Return the only document of a response, of which nothing was rejected."""
    response = parse(*invoices)
    if len(response.documents) != 1 or response.rejected:
        raise AssertionError(f"not one document: {response}")
    return response.documents[0]


def parse_line(**values):
    """Return the only line of a response whose price line has these values too."""
    return parse_one(
        make_invoice(make_customer(make_subscription(make_line(**values))))
    ).lines[0]
