"""What can't be read is kept and named, and nothing else suffers from it."""

import json

from pydantic import ValidationError

from ...client import parse_payload
from ...client.schemas import Customer
from . import make
from .case import ClientCase
from .responses import parse, parse_one


class TestUnreadableElements(ClientCase):
    def test_a_bad_line_condemns_its_customer_only(self):
        bad, good = parse(
            make.invoice(make.bad_customer(), make.customer(AccountID="200"))
        ).documents
        self.assertEqual(
            bad.error,
            "Customer: Subscriptions[0].PriceLines[1].ExtendedPrice is missing or "
            "empty.",
        )
        self.assertEqual((bad.lines, bad.amount), ([], 0))
        self.assertIn('"L1"', bad.payload)
        self.assertIn('"L2"', bad.payload)
        self.assertEqual((good.error, len(good.lines)), ("", 1))
        self.assertNotIn('"L2"', good.payload)

    def test_what_can_be_read_of_it_is_told_with_an_estimate(self):
        subscription = make.subscription(
            make.line(),
            make.line(ExtendedPrice=None, Quantity=3, UnitPrice="2.5", Duration="2"),
            make.line(ExtendedPrice="much", Description=""),
            "no line",
            PlanName="Mail",
        )
        bad = make.invoice(make.customer(subscription))
        document = parse_one(bad)
        self.assertEqual([line.plan_name for line in document.readable_lines], ["Mail"])
        self.assertEqual(
            [
                (line.number, line.name, line.is_missing, line.estimate)
                for line in document.unreadable_lines
            ],
            [
                (2, "Mail – Backup", True, 15),
                (3, "Mail", False, None),
                (4, "", False, None),
            ],
        )
        self.assertEqual(document.estimate, 25)
        stated = parse_one({**bad, "Totals": {"TotalExcludingVAT": 40}})
        self.assertEqual(stated.estimate, 40)

    def test_a_bad_line_condemns_its_customer_in_all_elements(self):
        document = parse_one(make.invoice(), make.invoice(make.bad_customer()))
        self.assertTrue(document.error)
        self.assertEqual(document.lines, [])

    def test_a_bad_header_condemns_its_documents(self):
        for day in (None, "", "soon", "20261341"):
            response = parse(
                make.invoice(
                    make.customer(), make.customer(AccountID=2), header={"Date": day}
                ),
                make.invoice(header={"InvoiceID": "2026002"}),
            )
            errors = [document.error for document in response.documents]
            error = "Header.Date is missing or not a date."
            self.assertEqual(errors, [error, error, ""])
            self.assertIsNone(response.documents[0].invoice_date)

    def test_an_account_that_cannot_be_read(self):
        for account in (None, "", " ", {}, True, "x" * 300):
            document = parse_one(make.invoice(make.customer(AccountID=account)))
            self.assertEqual(document.account_ref, "")
            self.assertIn("AccountID", document.error)
        for customer in (None, 5, "x", []):
            document = parse_one(make.invoice(Customers=[customer]))
            self.assertEqual(document.error, "Customer: The element is not an object.")

    def test_nobody_is_billed_nothing_because_a_field_was_renamed(self):
        for customers in (None, {"AccountID": "1"}, "x"):
            document = parse_one(make.invoice(Customers=customers))
            self.assertEqual(document.error, "Customers is missing or not a list.")
        for document in (
            parse_one(make.invoice(make.customer(Subscriptions="x"))),
            parse_one(make.invoice({"AccountID": "1", "Subscribed": [make.line()]})),
            parse_one(make.invoice(make.customer({"Lines": [make.line()]}))),
        ):
            self.assertTrue(document.error)
            self.assertTrue(document.payload)

    def test_what_may_be_a_customer_by_another_name_is_kept(self):
        invoice = make.invoice(customers=[make.customer()])
        del invoice["Customers"]
        document = parse_one(invoice)
        self.assertEqual(document.error, "Customers is missing or not a list.")
        self.assertEqual(json.loads(document.payload), {"Invoices": [invoice]})
        self.assertEqual(parse_payload(document.payload), document)

    def test_different_currencies_are_not_added_up(self):
        for currency in ("USD", None):
            document = parse_one(
                make.invoice(),
                make.invoice(
                    make.customer(make.subscription(make.line(LineId="L2"))),
                    header={"Currency": currency},
                ),
            )
            self.assertIn("Currency differs", document.error)
            self.assertEqual((document.currency, document.lines), ("", []))

    def test_an_element_without_a_number_is_rejected_alone(self):
        for element in (
            None,
            "x",
            {},
            {"Header": None},
            make.invoice(header={"InvoiceID": ""}),
            make.invoice(header={"InvoiceID": None}),
            make.invoice(header={"InvoiceID": "x" * 256}),
        ):
            response = parse(element, make.invoice())
            self.assertEqual(len(response.documents), 1)
            (rejected,) = response.rejected
            self.assertRegex(rejected.reason, r"^(Header.*|The element) is .*\.$")
            self.assertEqual(json.loads(rejected.payload), element)

    def test_errors_quote_no_customer_data(self):
        with self.assertRaises(ValidationError) as caught:
            Customer.model_validate({"AccountID": "1", "Subscriptions": ["geheim"]})
        self.assertNotIn("geheim", str(caught.exception))
        lines = [make.line(ExtendedPrice="geheim") for _ in range(10)]
        customer = make.customer(make.subscription(*lines), Geheim={"geheim": 1})
        document = parse_one(make.invoice(customer, header={"Date": "geheim"}))
        self.assertNotIn("geheim", document.error.lower())
        self.assertIn("; and 8 more", document.error)
