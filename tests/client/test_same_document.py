"""A document is the same whether it comes as XML of the older platform or as JSON."""

import json
from dataclasses import replace

from ...client import CustomerInfo, parse_documents
from ..properties import st
from ..simulator import Simulator, encoding
from ..simulator.older_platform import NULLS, write_xml
from .case import ClientCase
from .responses import given

# What both can carry: XML has no control characters and no halves of signs.
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r\x85\u2028\ufeff<>&\"'"),
    max_size=20,
)
NUMBERS = st.sampled_from([0, 7, -3, "1.50", "-0.005", "1e-7", "12E2", "1,5", "x", ""])
VALUES = TEXTS | NUMBERS | st.none()
# Mostly good ones, or hardly a document could be read.
PRICES = st.sampled_from([0, 7, -3, "1.50", "-0.005", "1e-7", "12E2", "0.1", 5, ""])
IDS = st.sampled_from(["1", 1, " 2\n", "3", 4, "é&<", "5", "6", "x" * 300, None])
DAYS = st.sampled_from(["20260323", "2026-03-24", "2026-03-24T00:00:00", "20260325"])
DATES = DAYS | st.sampled_from(["", None, "x", 20260325])
FLAGS = st.sampled_from([True, False, 0, 1, "true", "False", None])


def dictionaries(required, **optional):
    return st.fixed_dictionaries(required, optional=optional)


def lists_of(elements):
    return st.lists(elements, min_size=1, max_size=3)


DETAILS = dictionaries({"Attribute": TEXTS, "AttributeValue": VALUES | st.booleans()})
DETAILS = st.tuples(DETAILS, FLAGS).map(lambda pair: pair[0] | {"noshow": pair[1]})
LINES = dictionaries(
    {"ExtendedPrice": PRICES},
    SubscriptionDetails=DETAILS | lists_of(DETAILS) | st.none(),
    **dict.fromkeys(("Quantity", "UnitPrice", "Discount", "Duration", "VAT"), VALUES),
    **dict.fromkeys(("LineId", "InvoiceRowHash", "SubPONumber", "ChargeType"), VALUES),
    **dict.fromkeys(("Description", "VendorDetails", "ConsumerCompanyName"), VALUES),
    **dict.fromkeys(("StartDate", "EndDate"), DATES),
)
SUBSCRIPTIONS = dictionaries(
    {"PriceLines": lists_of(LINES) | st.just([]) | st.none()},
    SubscriptionDetails=DETAILS | lists_of(DETAILS),
    **dict.fromkeys(("SubscriptionID", "PlanID", "SubscriptionPONumber"), VALUES),
    **dict.fromkeys(("SubscriptionName", "PlanName", "PlanCategoryName"), VALUES),
)
CUSTOMERS = dictionaries(
    {"AccountID": IDS, "Subscriptions": lists_of(SUBSCRIPTIONS)},
    CompanyName=TEXTS,
    CustomerNumber=VALUES,
)
HEADERS = dictionaries(
    {"InvoiceID": IDS, "Date": DAYS, "Currency": st.sampled_from(["EUR", "eur"])},
    Type=st.sampled_from(["INVOICE", "credit"]),
)
TOTALS = dictionaries({"TotalExcludingVAT": PRICES})
INVOICES = dictionaries(
    {"Header": HEADERS, "Customers": lists_of(CUSTOMERS), "Totals": TOTALS},
    Receiver=dictionaries({"AccountID": IDS}, Address=TEXTS, Zip=VALUES) | st.none(),
)


class TestSameDocument(ClientCase):
    def assert_same(self, from_json, from_xml, ignored=()):
        """Compare everything but how the parts are written; of documents that can't be
        read, the digest is made of that."""

        def strip(document):
            # What is null in one may be missing in the other, and then it says so.
            digest = "error" if document.problems else document.digest
            values = {"payload": "", "problems": bool(document.problems)}
            return replace(document, digest=digest, **values, **dict(ignored))

        self.assertEqual(
            list(map(strip, from_xml.documents)), list(map(strip, from_json.documents))
        )
        self.assertEqual(len(from_xml.rejected), len(from_json.rejected))

    @given(lists_of(INVOICES), st.sampled_from(NULLS))
    def test_whatever_it_says(self, invoices, nulls):
        raw = json.dumps({"Invoices": invoices}).encode()
        self.assert_same(
            parse_documents(raw), parse_documents(write_xml(invoices, nulls=nulls))
        )

    @given(
        st.integers(0, 10**6),
        st.sampled_from(["per_customer", "consolidated"]),
        st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
        st.sampled_from(NULLS),
        max_examples=15,
    )
    def test_a_month_of_the_simulator(self, seed, shape, name, nulls):
        server = Simulator(seed, customers=6, months=1, shape=shape, lines=60)
        server.stop()
        for store in (server.invoices, server.purchases):
            invoices = [stored.content for stored in store]
            from_json = parse_documents(encoding.dumps({"Invoices": invoices}))
            from_xml = parse_documents(write_xml(invoices, name, nulls))
            self.assertGreaterEqual(len(from_json.documents), 6)
            self.assertFalse(any(each.error for each in from_json.documents))
            # The older platform doesn't say the country of a receiver.
            self.assert_same(from_json, from_xml, {"customer": CustomerInfo()})
            digests = [document.digest for document in from_json.documents]
            self.assertEqual(len(set(digests)), len(digests))
