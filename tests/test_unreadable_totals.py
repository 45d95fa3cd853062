import base64

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import MUTED, price_line
from .simulator.encoding import dumps
from .test_bill import CopacoBillCommon

# What stands there, and what a person is told of it.
UNREADABLE = (
    ("1.234,56", "“1.234,56”"),
    ("NaN", "“NaN”"),
    ("ten", "“ten”"),
    (["10.00"], '“["10.00"]”'),
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestUnreadableTotals(CopacoBillCommon):
    """What Copaco states and can't be read is not passed over in silence (promise 8):
    nothing is compared with it, so a person looks."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij", ref="K-1")

    def add(self, number="INV-1", line=None, **totals):
        """:return: the content of an invoice of one line"""
        line = line or price_line("12.50", InvoiceRowHash=f"row of {number}")
        self.add_known(number, lines=[line])
        content = self.simulator.invoices[-1].content
        content["Totals"] = totals
        return content

    def add_bill(self, number="P-1", **totals):
        line = totals.pop("line", {})
        lines = {
            account: [price_line("8.00", number=count, **line)]
            for count, account in enumerate(("A1", "A2"))
        }
        content = self.add_purchase(number, lines).content
        content["Totals"] = totals
        return content

    def upload(self, content, kind="specification"):
        wizard = self.env["copaco.upload"].with_user(self.billing_user)
        wizard = wizard.create(
            {
                "connection_id": self.connection.id,
                "kind": kind,
                "content": base64.b64encode(dumps({"Invoices": content})),
                "file_name": "answer.json",
            }
        )
        with self.committing(wizard) as committing, mute_logger(*MUTED):
            committing.action_upload()

    def find(self, number):
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def assertHeld(self, documents, text, reason="source_totals_differ"):
        self.assertTrue(documents)
        for document in documents:
            self.assertRecordValues(
                document, [{"state": "held", "hold_reason": reason, "move_id": False}]
            )
            self.assertIn(text, document.hold_message)
        self.assertEqual(documents.run_id.state, "attention")
        self.assertBalanced()

    def test_an_unreadable_total_holds_its_document_alone(self):
        for value, text in UNREADABLE:
            with self.subTest(value=value), self.undone():
                self.add(TotalExcludingVAT=value)
                self.add("INV-2", TotalExcludingVAT="12.50")
                self.fetch()
                document = self.find("INV-1")
                self.assertHeld(document, text)
                self.assertEqual(self.find("INV-2").state, "invoiced")
                self.act(document, "action_retry")
                self.assertHeld(document, text)
                self.act(document, "action_accept_lines")
                self.assertEqual(document.move_id.amount_untaxed, 12.5)
                bodies = str(document.message_ids.mapped("body"))
                self.assertIn("accepted the lines", bodies)
                self.fetch()
                self.assertEqual(document.state, "invoiced")
                self.assertBalanced()
                self.simulator.invoices.clear()

    def test_an_unreadable_total_of_a_file_holds_its_document_alone(self):
        content = self.add(TotalExcludingVAT="1.234,56")
        other = self.add("INV-2")
        self.upload([content, other])
        self.assertHeld(self.find("INV-1"), "“1.234,56”")
        self.assertEqual(self.find("INV-2").state, "invoiced")
        purchases = [self.add_bill(TotalExcludingVAT="NaN"), self.add_bill("P-2")]
        self.upload(purchases, "purchase")
        self.assertHeld(self.find("P-1"), "“NaN”")
        self.assertEqual(set(self.find("P-2").mapped("state")), {"invoiced"})

    def test_an_unreadable_total_holds_its_bill_alone(self):
        for value, text in UNREADABLE:
            with self.subTest(value=value), self.undone():
                self.add_bill(TotalExcludingVAT=value)
                self.add_bill("P-2", TotalExcludingVAT=16)
                self.fetch()
                documents = self.find("P-1")
                self.assertHeld(documents, text)
                self.assertEqual(self.find("P-2").move_id.amount_untaxed, 16)
                self.act(documents[0], "action_accept_lines")
                self.assertEqual(documents.move_id.amount_untaxed, 16)
                self.assertBalanced()
                self.simulator.purchases.clear()

    def test_a_total_that_copaco_corrects_releases_what_waited_for_it(self):
        content = self.add(TotalExcludingVAT="x")
        self.fetch()
        content["Totals"]["TotalExcludingVAT"] = "y"
        self.fetch()
        self.run_crons()
        self.assertHeld(self.documents, "“y”")
        content["Totals"]["TotalExcludingVAT"] = "12.50"
        self.fetch()
        self.run_crons()
        self.assertEqual(self.documents.state, "invoiced")

    def test_something_else_in_place_of_totals_is_told(self):
        self.add()["Totals"] = "12.50"
        self.fetch()
        self.assertHeld(self.documents, '“{"Totals": "12.50"}”')

    def test_totals_that_say_nothing_hold_nothing(self):
        for totals in (None, [], {}, {"TotalExcludingVAT": ""}, {"TotalVAT": None}):
            with self.subTest(totals=totals), self.undone():
                self.add()["Totals"] = totals
                self.fetch()
                self.assertEqual(self.documents.state, "invoiced")
                self.simulator.invoices.clear()

    def test_without_lines_or_customers_an_unreadable_total_is_not_lost(self):
        content = self.add(TotalExcludingVAT="1.234,56")
        content["Customers"][0]["Subscriptions"] = None
        self.fetch()
        self.assertHeld(self.documents, "“1.234,56”")
        self.act(self.documents, "action_accept_lines")
        self.assertEqual(self.documents.state, "held", "there is nothing to invoice")
        content["Customers"] = []
        self.fetch()
        runs = self.env["copaco.run"].search([("kind", "=", "specification")])
        run = runs.sorted("id")[-1]
        self.assertTrue(run.is_unread)
        self.assertIn("can't be read", run.rejected_reason)

    def test_a_change_with_an_unreadable_total_waits(self):
        content = self.add()
        self.fetch()
        document = self.documents
        (subscription,) = content["Customers"][0]["Subscriptions"]
        added = price_line("5", number=2, InvoiceRowHash="another")
        subscription["PriceLines"].append(added)
        content["Totals"] = {"TotalExcludingVAT": "17,50"}
        self.fetch()
        self.assertRecordValues(
            document, [{"state": "changed", "move_amount_untaxed": 12.5}]
        )
        self.assertIn("“17,50”", document.hold_message)
        self.act(document, "action_use_new_version")
        self.assertRecordValues(
            document, [{"state": "invoiced", "move_amount_untaxed": 17.5}]
        )

    def test_lines_that_cannot_be_read_come_first(self):
        line = price_line("12.50", ExtendedPrice="12,50")
        self.add(line=line, TotalExcludingVAT="12,50")
        self.fetch()
        self.assertHeld(self.documents, "can't be read", "payload_invalid")

    # === VAT === #

    def test_an_unreadable_vat_is_held_told_or_left_as_the_connection_says(self):
        line = price_line("12.50", VAT="2,63")
        for values in ({"line": line}, {"TotalVAT": "2,63"}):
            for vat_check in ("hold", "tell", "off"):
                with self.subTest(values=values, check=vat_check), self.undone():
                    self.connection.vat_check = vat_check
                    self.add(**values)
                    self.fetch()
                    document = self.documents
                    if vat_check == "hold":
                        self.assertHeld(document, "“2,63”", "vat_differs")
                        self.act(document, "action_accept_vat")
                    self.assertEqual(document.move_id.amount_tax, 2.63)
                    told = "2,63" in str(document.move_id.message_ids.mapped("body"))
                    self.assertEqual(told, vat_check == "tell")
                    self.simulator.invoices.clear()

    def test_vat_that_copaco_corrects_releases_what_waited_for_it(self):
        content = self.add(TotalVAT="x")
        self.fetch()
        self.assertHeld(self.documents, "“x”", "vat_differs")
        content["Totals"]["TotalVAT"] = "2.63"
        self.fetch()
        self.run_crons()
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_unreadable_vat_holds_its_bill(self):
        self.enter_bill("P-1", 16)
        self.add_bill(line={"VAT": ["1.68"]})
        self.fetch()
        documents = self.documents
        self.assertHeld(documents, '“["1.68"]”', "vat_differs")
        self.act(documents[0], "action_accept_vat")
        self.assertEqual(documents.mapped("state"), ["invoiced"] * 2)
        self.assertEqual(documents.move_id.amount_untaxed, 16)
        self.assertBalanced()
