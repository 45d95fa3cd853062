"""What is read of responses, and the texts that may stand in them."""

from ...client import parse_documents
from .. import properties
from ..properties import settings, st
from . import make

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


def parse(*invoices):
    """Return the `ParsedResponse` of a response with these elements."""
    return parse_documents(make.raw(*invoices))


def parse_one(*invoices):
    """Return the only document of a response, of which nothing was rejected."""
    response = parse(*invoices)
    if len(response.documents) != 1 or response.rejected:
        raise AssertionError(f"not one document: {response}")
    return response.documents[0]


def parse_line(**values):
    """Return the only line of a response whose price line has these values too."""
    return parse_one(
        make.invoice(make.customer(make.subscription(make.line(**values))))
    ).lines[0]
