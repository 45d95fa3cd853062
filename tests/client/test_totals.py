"""Copaco's own totals are compared with its lines and condemn no document."""

import json
from decimal import Decimal
from fractions import Fraction

from ...client import CopacoClient, parse_documents, parse_payload
from ..simulator import Simulator
from . import make
from .case import ClientCase
from .responses import parse, parse_one


def make_totals(value):
    return {"TotalExcludingVAT": value, "TotalVAT": "x", "TotalIncludingVAT": None}


def find_differences(*invoices):
    """Return the difference of each document of a response by its account."""
    response = parse(*invoices)
    return {each.account_ref: each.totals_difference for each in response.documents}


class TestTotals(ClientCase):
    OTHER = make.customer(
        make.subscription(make.line(LineId="L2", ExtendedPrice="0.005")),
        AccountID="200",
    )

    def test_totals_are_compared_with_all_lines_of_the_element(self):
        for total, difference in (
            ("10.005", "0"),
            (10.01, "0.005"),
            ("10", "-0.005"),
            ("-1e-20", "-10.00500000000000000001"),
        ):
            found = find_differences(
                make.invoice(make.customer(), self.OTHER, Totals=make_totals(total))
            )
            expected = Decimal(difference)
            self.assertEqual(found, {"100": expected, "200": expected})

    def test_the_difference_is_exact(self):
        prices = ["999999999999.99", "1e-40", "-0.00000000000000005"] * 300
        lines = (
            make.line(LineId=str(n), ExtendedPrice=p) for n, p in enumerate(prices)
        )
        document = parse_one(
            make.invoice(
                make.customer(make.subscription(*lines)), Totals=make_totals("0.01")
            )
        )
        expected = Fraction("0.01") - sum(map(Fraction, prices))
        self.assertEqual(Fraction(document.totals_difference), expected)

    def test_of_the_elements_of_a_document_the_worst_is_told(self):
        second = make.subscription(make.line(LineId="L2", ExtendedPrice="5"))
        found = find_differences(
            # The same customer twice in one element: the difference counts once.
            make.invoice(
                make.customer(), make.customer(second), Totals=make_totals("17")
            ),
            make.invoice(
                make.customer(make.subscription(make.line(LineId="L3"))),
                self.OTHER,
                Totals=make_totals("10.505"),
            ),
        )
        self.assertEqual(found, {"100": Decimal(2), "200": Decimal("0.5")})

    def test_other_numbers_are_other_invoices(self):
        response = parse(
            make.invoice(Totals=make_totals("11")),
            make.invoice(header={"InvoiceID": "2"}, Totals=make_totals("10")),
            make.invoice(header={"InvoiceID": "3"}),
        )
        found = [document.totals_difference for document in response.documents]
        self.assertEqual(found, [1, 0, None])

    def test_no_totals_that_can_be_read_are_none_to_compare_with(self):
        for totals in (
            *(None, [], "10", 5, {}, {"TotalVAT": "1"}),
            *map(make_totals, (None, "", "x", "1,5", [], {}, True, "1e400")),
        ):
            document = parse_one(make.invoice(Totals=totals))
            self.assertEqual((document.error, len(document.lines)), ("", 1))
            self.assertIsNone(document.totals_difference)
        self.assertIsNone(parse_one(make.invoice()).totals_difference)

    def test_what_stands_instead_of_a_total_is_told(self):
        for totals, unread in (
            *((value, "") for value in (None, [], "", {}, {"TotalVAT": "1"})),
            ("10", '{"Totals": "10"}'),
            *((make_totals(value), "") for value in (None, "", " ", "10", 10, "-1e2")),
            *((make_totals(each), each) for each in ("1.234,56", "NaN", "x", "1e400")),
            (make_totals(["10"]), '["10"]'),
            (make_totals({}), "{}"),
            (make_totals(True), "true"),
            (make_totals("€" * 500), "€" * 40),
            ({"TotalIncludingVAT": "1,5", "TotalVAT": "1"}, "1,5"),
            ({"TotalIncludingVAT": "5", "TotalVAT": "x"}, "x"),
            ({"TotalExcludingVAT": "1", "TotalIncludingVAT": "x"}, ""),
        ):
            document = parse_one(make.invoice(Totals=totals))
            with self.subTest(totals=totals):
                self.assertEqual((document.unread_total, document.error), (unread, ""))
                again = parse_payload(document.payload)
                self.assertEqual(again.unread_total, unread)

    def test_all_documents_of_an_element_know_that_its_total_is_unreadable(self):
        response = parse(
            make.invoice(make.customer(), self.OTHER, Totals=make_totals("x")),
            make.invoice(header={"InvoiceID": "2"}, Totals=make_totals("10")),
        )
        found = [document.unread_total for document in response.documents]
        self.assertEqual(found, ["x", "x", ""])

    def test_totals_are_known_by_their_likely_names(self):
        for name in ("TotalExcludingVat", "TotalExclVAT", "TotalExclVat"):
            document = parse_one(make.invoice(Totals={name: "10.01"}))
            self.assertEqual(document.totals_difference, Decimal("0.01"))

    def test_a_total_that_is_stated_with_its_vat_only_is_told_without(self):
        totals = {"TotalIncludingVAT": "12.21", "TotalVAT": "2.10"}
        document = parse_one(make.invoice(Totals=totals))
        self.assertEqual(document.totals_difference, Decimal("0.11"))
        document = parse_one(make.invoice(Totals={"TotalIncludingVAT": "12.21"}))
        self.assertIsNone(document.totals_difference)

    def test_nobody_can_tell_when_a_line_of_the_element_cannot_be_read(self):
        for other in (make.bad_customer(AccountID="200"), {"AccountID": "200"}, None):
            found = find_differences(
                make.invoice(make.customer(), other, Totals=make_totals("99"))
            )
            self.assertEqual(set(found.values()), {None})
        found = find_differences(make.invoice(Customers={}, Totals=make_totals("9")))
        self.assertEqual(found, {"": None})

    def test_an_element_of_which_nobody_can_tell_hides_no_other_difference(self):
        second = make.customer(make.subscription(make.line(LineId="L2")))
        first = make.invoice(Totals=make_totals("11"))
        for other in (make.invoice(second), make.invoice(make.bad_customer())):
            self.assertEqual(find_differences(first, other), {"100": 1})

    def test_an_unreadable_header_leaves_the_lines_comparable(self):
        document = parse_one(
            make.invoice(header={"Date": "x"}, Totals=make_totals("10"))
        )
        self.assertTrue(document.error)
        self.assertEqual(document.totals_difference, 0)

    def test_an_amount_without_customers_is_not_lost(self):
        invoice = make.invoice(Customers=[], Totals=make_totals("0.01"))
        response = parse(invoice, make.invoice())
        self.assertEqual(len(response.documents), 1)
        (rejected,) = response.rejected
        self.assertRegex(rejected.reason, "^Customers is empty.*\\.$")
        self.assertEqual(json.loads(rejected.payload), invoice)
        unread = parse(make.invoice(Customers=[], Totals=make_totals("x")))
        self.assertIn("can't be read", unread.rejected[0].reason)
        for total in ("0", "0.00", "", None):
            response = parse(make.invoice(Customers=[], Totals=make_totals(total)))
            self.assertEqual([*response.documents, *response.rejected], [])

    def test_the_digest_does_not_know_the_totals_and_the_payload_does(self):
        right = parse_one(make.invoice(Totals=make_totals("10")))
        wrong = parse_one(make.invoice(Totals=make_totals("11")))
        self.assertEqual(right.digest, wrong.digest)
        for document, difference in ((right, 0), (wrong, 1)):
            found = parse_payload(document.payload).totals_difference
            self.assertEqual(found, difference)


class TestTotalsOfTheSimulator(ClientCase):
    def fetch_differences(self, server):
        with CopacoClient(server.url, server.api_key) as client:
            response = parse_documents(client.fetch("example"))
        return {document.totals_difference for document in response.documents}

    def test_its_totals_are_right_in_every_shape(self):
        for shape in ("per_customer", "consolidated"):
            with Simulator(customers=45, months=2, shape=shape) as server:
                first = min(stored.created for stored in server.invoices)
                with CopacoClient(server.url, server.api_key) as client:
                    raws = (
                        client.fetch("specification", first, server.today),
                        client.fetch("purchase", first, server.today),
                    )
            for raw in raws:
                documents = parse_documents(raw).documents
                self.assertGreater(len(documents), 80)
                differences = {each.totals_difference for each in documents}
                self.assertEqual(differences, {0})

    def test_they_can_be_made_wrong(self):
        with Simulator(customers=1) as server:
            server.misbehave("wrong_totals", amount="-0.07")
            self.assertEqual(self.fetch_differences(server), {Decimal("-0.07")})
            self.assertEqual(self.fetch_differences(server), {0})


class TestVat(ClientCase):
    """Which VAT Copaco states, and whether it states any."""

    def find_vat(self, *lines, **totals):
        invoice = make.invoice(make.customer(make.subscription(*lines)), Totals=totals)
        return parse_one(invoice).vat

    def test_the_vat_of_the_lines_comes_before_that_of_the_totals(self):
        lines = make.line(VAT="2.10", TaxPercentage=21), make.line(VAT=None)
        self.assertEqual(self.find_vat(*lines, TotalVAT=9), Decimal("2.10"))
        self.assertEqual(self.find_vat(make.line(), TotalVAT=9), 9)

    def test_what_stands_instead_of_a_vat_is_told(self):
        for line, totals, unread in (
            ({"VAT": "2,10"}, {}, "2,10"),
            ({"VAT": ["2.10"]}, {"TotalVAT": "2.10"}, '["2.10"]'),
            ({"VAT": "2.10"}, {"TotalVAT": "NaN"}, "NaN"),
            ({"VAT": None}, {"TotalVAT": ""}, ""),
            ({"VAT": "0.00"}, {"TotalVAT": 0}, ""),
        ):
            lines = make.subscription(make.line(), make.line(LineId="L2", **line))
            invoice = make.invoice(make.customer(lines), Totals=totals)
            self.assertEqual(parse_one(invoice).unread_vat, unread)

    def test_no_vat_is_stated_where_nothing_is_filled_in(self):
        for values in (
            {},
            {"VAT": None, "TaxPercentage": None, "TaxZoneID": None},
            {"VAT": 0, "TaxPercentage": 0, "TaxZoneID": ""},
        ):
            self.assertIsNone(self.find_vat(make.line(**values), TotalVAT=0), values)

    def test_reverse_charge_is_stated_by_its_zone(self):
        line = make.line(VAT=0, TaxPercentage=0, TaxZoneID="BE")
        self.assertEqual(self.find_vat(line), 0)

    def test_totals_of_several_customers_say_nothing_of_one(self):
        response = parse(
            make.invoice(
                make.customer(), make.customer(AccountID="2"), Totals={"TotalVAT": 4}
            )
        )
        self.assertEqual([each.vat for each in response.documents], [None, None])
