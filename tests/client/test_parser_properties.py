"""Whatever a response holds, nothing of it is lost and nothing counted twice."""

import json
from copy import deepcopy
from decimal import Decimal

from ...client import InvalidResponseError, parse_documents, parse_payload
from ..properties import st
from . import make, responses
from .case import ClientCase
from .responses import given

IDS = st.sampled_from(["1", 1, "2", 2, " 2 ", "", None, True, "x" * 300])
ODD = st.sampled_from([None, "", "x", 0, 1.5, True, [], {}, ["x"], {"x": 1}])
DATES = st.sampled_from(["20260323", "2026-03-24", "", None, "x"])
CURRENCIES = st.sampled_from(["EUR", "eur", "USD", None])
MARKS = st.integers(0, 10**9)
FIELDS = (
    *("Invoices", "Header", "Receiver", "Customers", "Subscriptions", "PriceLines"),
    *("InvoiceID", "AccountID", "ExtendedPrice", "Date", "Currency", "Quantity"),
    *("StartDate", "SubscriptionDetails", "VendorDetails", "noshow", "Zip"),
)


@st.composite
def price_lines(draw):
    # A mark in each line, in the amount's digits if there is an amount.
    mark = draw(MARKS)
    amount = draw(st.sampled_from([f"{mark}.5", f"-{mark}.25", None, "1,5", ""]))
    return {"LineId": f"mark-{mark}", "ExtendedPrice": amount, "Duration": draw(ODD)}


def lists_of(elements, most=3):
    return st.lists(elements, max_size=most)


SUBSCRIPTIONS = st.fixed_dictionaries({"PriceLines": lists_of(price_lines())})
CUSTOMERS = st.fixed_dictionaries(
    {"AccountID": IDS, "Subscriptions": lists_of(SUBSCRIPTIONS)}
)
HEADERS = st.fixed_dictionaries(
    {"InvoiceID": IDS, "Date": DATES, "Currency": CURRENCIES}
)
INVOICES = st.fixed_dictionaries({"Header": HEADERS, "Customers": lists_of(CUSTOMERS)})
ANYTHING = st.recursive(
    ODD | responses.TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner)
    ),
    max_leaves=20,
)


def find_lines(tree):
    """Yield every price line of a response."""
    for invoice in tree["Invoices"]:
        for customer in invoice["Customers"]:
            for subscription in customer["Subscriptions"]:
                yield from subscription["PriceLines"]


def count_lines(text):
    """Return how often each line's mark stands in a payload."""
    counts = {}
    for part in text.split('"mark-')[1:]:
        mark = part.partition('"')[0]
        counts[mark] = counts.get(mark, 0) + 1
    return counts


def add_counts(*many):
    total = {}
    for counts in many:
        for mark, count in counts.items():
            total[mark] = total.get(mark, 0) + count
    return total


class TestNothingIsLost(ClientCase):
    @given(st.fixed_dictionaries({"Invoices": lists_of(INVOICES, 4)}))
    def test_every_line_is_in_exactly_one_place(self, tree):
        response = parse_documents(json.dumps(tree).encode())
        arrived = count_lines(json.dumps(tree))
        payloads = [each.payload for each in (*response.documents, *response.rejected)]
        self.assertEqual(add_counts(*map(count_lines, payloads)), arrived)
        for document in response.documents:
            if not document.error:
                booked = [line.line_ref for line in document.lines]
                stored = add_counts(*({ref[5:]: 1} for ref in booked))
                self.assertEqual(stored, count_lines(document.payload))
        keys = [(each.invoice_number, each.account_ref) for each in response.documents]
        self.assertEqual(len(set(keys)), len(keys))

    @given(st.fixed_dictionaries({"Invoices": lists_of(INVOICES, 4)}))
    def test_the_amounts_add_up_to_what_arrived(self, tree):
        response = parse_documents(json.dumps(tree).encode())
        unread = "".join(
            each.payload
            for each in (*response.documents, *response.rejected)
            if getattr(each, "error", "rejected")
        )
        unreadable = count_lines(unread)
        total = Decimal(0)
        for line in find_lines(tree):
            mark = line["LineId"][5:]
            if unreadable.get(mark):
                unreadable[mark] -= 1
            else:
                total += Decimal(line["ExtendedPrice"])
        self.assertEqual(sum(each.amount for each in response.documents), total)

    @given(st.fixed_dictionaries({"Invoices": lists_of(INVOICES, 4)}))
    def test_every_document_reads_back_the_same(self, tree):
        for document in parse_documents(json.dumps(tree).encode()).documents:
            self.assertEqual(parse_payload(document.payload), document)


class TestNothingBreaks(ClientCase):
    def assert_survives(self, raw):
        try:
            response = parse_documents(raw)
        except InvalidResponseError:
            return
        for document in response.documents:
            self.assertEqual(parse_payload(document.payload), document)
            document.payload.encode()
        for rejected in response.rejected:
            rejected.payload.encode()

    @given(st.binary() | st.binary().map(lambda rest: b'{"Invoices": [' + rest))
    def test_any_bytes(self, raw):
        self.assert_survives(raw)

    @given(ANYTHING, lists_of(ANYTHING))
    def test_any_json(self, tree, elements):
        self.assert_survives(json.dumps(tree).encode())
        self.assert_survives(json.dumps({"Invoices": elements}).encode())

    @given(st.data())
    def test_any_change_to_a_good_response(self, data):
        line = make.line(Quantity=1, StartDate="20260301", VendorDetails="x")
        receiver = {"AccountID": "100", "City": "Voorbeelddam"}
        customer = make.customer(make.subscription(line))
        tree = {"Invoices": [make.invoice(customer, Receiver=receiver)]}
        for _ in range(data.draw(st.integers(1, 3))):
            self.change(data.draw, tree)
        self.assert_survives(json.dumps(tree).encode())

    def change(self, draw, tree):
        """Put anything in any one place of a tree."""
        while isinstance(tree, dict | list) and tree:
            keys = list(tree) if isinstance(tree, dict) else range(len(tree))
            key = draw(st.sampled_from(keys))
            inner = tree[key]
            if not (isinstance(inner, dict | list) and inner) or draw(st.booleans()):
                tree[key] = deepcopy(draw(ANYTHING))  # it may be changed next
                return
            tree = inner

    @given(st.binary(max_size=3), st.integers(0, 500), st.integers(0, 10))
    def test_any_damage_to_the_bytes(self, damage, start, length):
        raw = make.raw(make.invoice())
        start %= len(raw)
        self.assert_survives(raw[:start] + damage + raw[start + length :])
