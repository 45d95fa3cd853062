from datetime import date
from decimal import Decimal

from odoo.tests import freeze_time, tagged

from ..tools import get_text_key, write_text_key
from .common import CREATED, copaco_invoice
from .simulator.server import CUSTOMER_INVOICES
from .test_bill import CopacoBillCommon
from .test_content_found import ContentCase
from .test_duplicates import price_line
from .test_po_numbers import PoNumberCommon

NAME = "Domain example.nl"
# Of a subscription ID and a text.
SPELLINGS = (
    ("SUBSCRIPTION-a1", NAME),
    ("subscription - A1", NAME),
    ("subscription-A1", "DOMAIN  example.nl"),
    ("Subscription-A1", "Domain\u00a0Example.nl"),
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSpellings(ContentCase):
    """What is written in other capitals or blanks is the same charge (promise 1)."""

    def make_line(self, text=NAME, amount="10.00", **values):
        """:return: a price line without Copaco's names of it"""
        names = {"InvoiceRowHash": "", "LineId": ""}
        return price_line(amount, **{"Description": text, **names, **values})

    def add(
        self,
        number,
        subscription,
        *lines,
        created=CREATED,
        endpoint="customer-specifications",
    ):
        """Let Copaco have an invoice with a subscription of this ID."""
        customer = {"CustomerNumber": "K-1"}
        invoice = copaco_invoice(number, "A1", list(lines), customer=customer)
        (customer,) = invoice["Customers"]
        customer["Subscriptions"][0]["SubscriptionID"] = subscription
        self.simulator.add_invoice(invoice, created=created, endpoint=endpoint)

    def receive_first(self, *lines):
        return self.send("V-1", *(lines or [self.make_line()]))

    def each_spelling(self):
        for subscription, text in SPELLINGS:
            with self.subTest(subscription=subscription, text=text), self.undone():
                yield subscription, text
                self.simulator.invoices.clear()

    def test_without_row_hash_it_is_asked_about_under_another_number(self):
        self.receive_first()
        for subscription, text in self.each_spelling():
            self.add("V-2", subscription, self.make_line(text))
            self.fetch()
            self.assertHeld(self.find("V-2"), "V-1")
            self.assertEqual(self.billed, 10)

    def test_the_same_text_is_the_same_charge_whatever_is_in_it(self):
        """PostgreSQL keeps some blanks, and makes other small letters of some capitals,
        than Python."""
        for text in (
            "Domain\u202fexample.nl",
            "Domain\u2007example.nl",
            "\u0130zmir.nl",
        ):
            with self.subTest(text=text), self.undone():
                self.receive_first(self.make_line(text))
                self.assertHeld(self.receive("V-2", self.make_line(text)), "V-1")
                self.assertEqual(self.billed, 10)
                self.simulator.invoices.clear()

    def test_the_database_leaves_out_the_blanks_that_python_does(self):
        texts = [f"a{chr(code)}B" for code in range(1, 0x3100)]
        texts = [text for text in texts if get_text_key(text) == "ab"]
        self.env.cr.execute(
            f"SELECT {write_text_key('text')} FROM unnest(%s) text", [texts]
        )
        self.assertGreater(len(texts), 20)
        self.assertEqual({key for (key,) in self.env.cr.fetchall()}, {"ab"})

    def test_with_row_hash_it_is_excluded_by_a_rule(self):
        self.receive_first(price_line("10.00", Description=NAME))
        for subscription, text in self.each_spelling():
            self.add("V-2", subscription, price_line("10.00", Description=text))
            self.fetch()
            self.assertEqual(self.find("V-2").state, "excluded")
            self.assertEqual(self.billed, 10)

    def test_an_id_that_is_a_number_is_the_same_however_it_is_written(self):
        self.add("V-1", 4711, self.make_line())
        self.fetch()
        for position, number in enumerate(("4711", Decimal("4711.0"), "\u200b4711")):
            with self.subTest(number=number), self.undone():
                self.add(f"X-{position}", number, self.make_line())
                self.fetch()
                self.assertHeld(self.find(f"X-{position}"), "V-1")
                self.simulator.invoices.pop()

    def test_a_number_in_other_blanks_is_asked_about(self):
        self.receive_first(price_line("10.00"))
        self.assertHeld(self.receive("v -1", price_line("10.00")), "V-1")

    def test_it_is_no_second_line_of_a_document_that_comes_in_parts(self):
        self.connection.overlap_days = 0
        self.add("V-1", "subscription-A1", self.make_line())
        later = date(2026, 11, 24)
        other = self.make_line("Other", "5.00")
        self.add("V-1", "subscription-A1", other, created=later)
        self.fetch()
        self.assertEqual(self.billed, 15)
        for subscription, text in self.each_spelling():
            self.simulator.invoices.clear()
            self.add("V-1", subscription, self.make_line(text))
            self.fetch_period(CREATED, CREATED)
            self.assertEqual(self.find("V-1").state, "invoiced")
            self.assertEqual(self.billed, 15)

    def test_a_document_that_has_it_twice_is_asked_about(self):
        self.receive_first(self.make_line(), self.make_line("DOMAIN  example.nl"))
        self.assertHeld(self.documents, "more than once")

    def test_what_was_declined_is_asked_about(self):
        other = self.make_line("Other", "5.00")
        document = self.receive_first(other)
        self.post(document)
        self.send("V-1", other, self.make_line())
        self.act(document, "action_keep_version")
        self.send("V-1", other)
        for subscription, text in self.each_spelling():
            self.add("V-2", subscription, self.make_line(text))
            self.fetch()
            self.assertHeld(self.find("V-2"), "V-1", "declined")
            self.assertEqual(self.billed, 5)

    def test_what_is_excluded_elsewhere_does_not_go_unasked(self):
        """Copaco takes a line off V-1 that V-2 was excluded for."""
        other = self.make_line("Other", "5.00")
        document = self.receive_first(other, self.make_line())
        for subscription, text in self.each_spelling():
            self.simulator.invoices.clear()
            self.add("V-2", subscription, self.make_line(text))
            self.fetch()
            self.act(self.find("V-2"), "action_exclude_duplicates")
            self.send("V-1", other)
            self.assertWaits(document)
            self.assertIn("V-2", document.hold_message)
            self.assertEqual(self.billed, 15)

    def test_another_endpoint_writes_it_otherwise(self):
        self.receive_first(price_line("10.00", Description=NAME))
        self.connection.source = "customer_invoices"
        for number in ("V-1", "V-2"):
            for subscription, text in self.each_spelling():
                line = price_line("10.00", InvoiceRowHash="other", Description=text)
                self.simulator.invoices.clear()
                self.add(number, subscription, line, endpoint=CUSTOMER_INVOICES)
                self.fetch()
                self.simulator.customer_invoices.clear()
                self.assertEqual(self.billed, 10)
                self.assertIn(self.find(number).hold_reason, (False, "possible_double"))

    def test_a_charge_that_is_written_otherwise_is_the_same_line(self):
        document = self.receive_first()
        self.post(document)
        for subscription, text in self.each_spelling():
            self.simulator.invoices.clear()
            self.add("V-1", subscription, self.make_line(text))
            self.fetch()
            version = document._get_pending_version()
            self.assertFalse(version._get_new_lines())
            self.assertFalse(version._get_lost_lines())
            self.act(document, "action_correct")
            self.assertEqual(self.billed, 10)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoLineSpellings(PoNumberCommon):
    def test_a_line_that_moves_to_another_po_number_is_billed_once(self):
        kept = self.po_line("5", "P1", 3), self.po_line("20", "P2", 2)
        self.send(self.po_line("10", "P1", 1, Description="Domain"), *kept)
        self.documents.move_id.action_post()
        moved = {"Description": "DOMAIN", "InvoiceRowHash": "other"}
        self.send(self.po_line("10", "P2", 1, **moved), *kept)
        self.assertWaits(self.get_part("P1"))
        self.assertIn("PO P1", self.get_part("P2").hold_message)
        self.assertBilled(P1=15, P2=20)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginSpellings(CopacoBillCommon):
    def test_what_a_line_costs_is_known_by_another_spelling(self):
        self.create_partner(name="Bakkerij", ref="K-1")
        sold, bought = (
            price_line(amount, InvoiceRowHash="", ChargeType=charge_type)
            for amount, charge_type in (("10", "Cycle Fee"), ("8", "CYCLE  FEE"))
        )
        self.add_known("S-1", lines=[sold])
        self.add_purchase("P-1", {"A1": [bought]})
        self.fetch()
        sale = self.documents.filtered(lambda each: each.kind == "specification")
        self.assertEqual(sale.line_ids.cost, 8)
