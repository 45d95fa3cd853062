from odoo.tests import freeze_time, tagged

from .common import price_line
from .simulator import Simulator
from .simulator.server import SPECIFICATIONS
from .test_source import SourceCommon


def taxed(amount, vat, **values):
    return price_line(amount, VAT=vat, TaxPercentage=21, TaxZoneID="NL", **values)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestVat(SourceCommon):
    """Copaco's VAT is shown and compared with Odoo's tax, and never booked."""

    def fetch_lines(self, *lines, **totals):
        self.add("CI-1", *lines)
        if totals:
            self.simulator.customer_invoices[-1].content["Totals"] = totals
        self.fetch()
        return self.documents

    def test_equal_vat_is_invoiced_and_shown(self):
        document = self.fetch_lines(
            taxed("100", "21.00"),
            taxed("10", "2.10", number=2),
            TotalVAT="23.10",
            TotalExcludingVAT="110",
        )
        self.assertRecordValues(
            document,
            [
                {
                    "state": "invoiced",
                    "has_vat": True,
                    "amount_vat": 23.1,
                    "totals_vat": 23.1,
                    "move_amount_tax": 23.1,
                }
            ],
        )
        self.assertEqual(document.line_ids.mapped("vat"), [21, 2.1])

    def test_other_vat_is_held_and_names_the_line(self):
        document = self.fetch_lines(
            taxed("100", "21.00"), taxed("10", "0.90", number=2)
        )
        self.assertRecordValues(
            document, [{"state": "held", "hold_reason": "vat_differs"}]
        )
        self.assertIn("Service 2", document.hold_message)
        self.assertNotIn("Service 1", document.hold_message)
        self.assertFalse(document.move_id)

    def test_other_vat_in_the_totals_is_held_too(self):
        document = self.fetch_lines(
            taxed("100", "21.00"), TotalVAT="9", TotalExcludingVAT="100"
        )
        self.assertEqual(document.hold_reason, "vat_differs")

    def test_lines_that_make_up_for_each_other_are_held(self):
        document = self.fetch_lines(taxed("10", "4.20"), taxed("10", "0", number=2))
        self.assertEqual(document.hold_reason, "vat_differs")

    def test_what_rounding_and_tolerance_explain_is_invoiced(self):
        document = self.fetch_lines(taxed("100", "21.05"))
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_tax, 21)

    def test_what_is_allowed_exactly_is_invoiced_and_a_little_more_says_why(self):
        with self.undone():
            self.assertEqual(self.fetch_lines(taxed("100", "21.055")).state, "invoiced")
        self.simulator.customer_invoices.clear()
        document = self.fetch_lines(taxed("100", "21.0551"))
        self.assertEqual(document.hold_reason, "vat_differs")
        for figure in ("21.00", "21.0551", "0.055"):
            self.assertRegex(document.hold_message, rf"(?<![\d.]){figure}(?!\d)")

    def test_a_person_accepts_odoos_tax(self):
        document = self.fetch_lines(taxed("100", "6"))
        with self.committing(document.with_user(self.billing_user)) as committing:
            committing.action_accept_vat()
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_tax, 21)
        self.assertTrue(document.is_vat_accepted)

    def test_tell_invoices_and_says_so_on_the_invoice(self):
        self.connection.vat_check = "tell"
        document = self.fetch_lines(taxed("100", "6"))
        self.assertEqual(document.state, "invoiced")
        bodies = " ".join(document.move_id.message_ids.mapped("body"))
        self.assertIn("VAT is", bodies)

    def test_off_says_nothing(self):
        self.connection.vat_check = "off"
        document = self.fetch_lines(taxed("100", "6"))
        self.assertEqual(document.state, "invoiced")
        bodies = " ".join(document.move_id.message_ids.mapped("body"))
        self.assertNotIn("VAT is", bodies)

    def test_corrected_vat_is_processed_again(self):
        document = self.fetch_lines(taxed("100", "6"))
        self.assertEqual(document.hold_reason, "vat_differs")
        self.simulator.customer_invoices.clear()
        self.fetch_lines(taxed("100", "21"))
        with self.committing(self.env["copaco.document"]) as Document:
            Document._cron_process()
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.amount_vat, 21)

    def test_a_draft_that_is_rebuilt_is_compared_again(self):
        document = self.fetch_lines(taxed("100", "21"))
        self.simulator.customer_invoices.clear()
        self.fetch_lines(taxed("100", "21"), taxed("50", "3", number=2))
        self.assertEqual(document.move_id.amount_untaxed, 150)
        bodies = " ".join(document.move_id.message_ids.mapped("body"))
        self.assertIn("Service 2", bodies)

    def test_other_vat_of_a_new_version_is_not_accepted_with_the_old(self):
        document = self.fetch_lines(taxed("100", "6"))
        with self.committing(document.with_user(self.billing_user)) as committing:
            committing.action_accept_vat()
        self.simulator.customer_invoices.clear()
        self.fetch_lines(taxed("100", "6"), taxed("50", "3", number=2))
        self.assertFalse(document.is_vat_accepted)

    def test_a_credit_is_compared_with_its_sign(self):
        document = self.fetch_lines(taxed("-100", "-21"))
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.move_type, "out_refund")

    def test_reverse_charge_that_odoo_does_not_have_is_held(self):
        line = price_line("100", VAT=0, TaxPercentage=0, TaxZoneID="BE")
        self.assertEqual(self.fetch_lines(line).hold_reason, "vat_differs")

    def test_what_waits_for_another_tax_goes_on_with_the_rule_that_says_it(self):
        document = self.fetch_lines(taxed("100", "9"))
        self.assertEqual(document.hold_reason, "vat_differs")
        rule = self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "plan_ref": "plan",
                "tax_ids": self.percent_tax(9).ids,
            }
        )
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(document.move_amount_tax, 9)

    def test_a_rate_without_an_amount_is_no_vat(self):
        line = price_line("100", TaxPercentage=21, TaxZoneID="NL")
        with self.undone():
            document = self.fetch_lines(line)
            self.assertEqual((document.state, document.has_vat), ("invoiced", False))
        for vat, state in (("21", "invoiced"), ("9", "held")):
            with self.subTest(vat=vat), self.undone():
                self.simulator.customer_invoices.clear()
                totals = {"TotalVAT": vat, "TotalExcludingVAT": "100"}
                self.assertEqual(self.fetch_lines(line, **totals).state, state)

    def test_a_rate_without_vat_on_a_specification_says_nothing(self):
        self.connection.source = "customer_specifications"
        for number, stated in enumerate(
            (
                {"TaxPercentage": 21, "TaxZoneID": "NL", "VAT": 0},
                {"TaxPercentage": 21, "TaxZoneID": "NL"},
                {"TaxPercentage": 0, "TaxZoneID": "NL", "VAT": None},
            )
        ):
            line = price_line("100", number=number, **stated)
            self.add(f"S-{number}", line, endpoint=SPECIFICATIONS)
        self.fetch()
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 3)
        self.assertFalse(any(self.documents.mapped("has_vat")))

    def test_what_another_source_does_not_say_is_not_taken_back(self):
        document = self.fetch_lines(taxed("100", "6"))
        self.connection.source = "customer_specifications"
        self.add("CI-1", price_line("100"), endpoint=SPECIFICATIONS)
        self.fetch()
        self.assertRecordValues(
            document, [{"hold_reason": "vat_differs", "amount_vat": 6}]
        )

    def test_a_month_of_customer_invoices_agrees_with_odoos_taxes(self):
        """Dutch customers with tax, Belgian ones reverse-charged by Odoo's own fiscal
        position. Only telecommunication needs a tax of its own."""
        server = self.enterContext(Simulator(customers=12, months=1))
        self.connection.write({"base_url": server.url, "api_key": "simulator-key"})
        for customer in server.customers:
            self.create_partner(
                name=customer.name,
                country_id=self.env["res.country"]
                .search([("code", "=", customer.country_code)])
                .id,
                vat=customer.vat or "/",
                ref=customer.customer_number if not customer.vat else False,
            )
        self.fetch()
        compared = self.documents.filtered(
            lambda document: (
                document.partner_id and document.state in ("invoiced", "held")
            )
        )
        self.assertGreater(len(compared), 8)
        for document in compared:
            with self.subTest(document=document.name):
                has_telecom = "Telecom" in document.line_ids.mapped("plan_category")
                is_dutch = document.partner_id.country_id == self.nl
                self.assertEqual(
                    document.hold_reason == "vat_differs", has_telecom and is_dutch
                )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestUnreadableDocument(SourceCommon):
    """What can't be billed can be read as far as possible, and is estimated."""

    def setUp(self):
        super().setUp()
        bad = price_line("3", ExtendedPrice=None, Quantity=4, UnitPrice=5, number=2)
        self.add("CI-1", price_line("10"), bad)
        self.run = self.fetch()

    def test_the_line_that_cannot_be_read_is_named_in_words(self):
        self.assertEqual(self.documents.hold_reason, "payload_invalid")
        self.assertIn(
            "Line 2, Plan – Service 2: the amount is missing.",
            self.documents.hold_message,
        )

    def test_the_readable_lines_are_shown(self):
        table = self.documents.unreadable_table
        self.assertIn("Service 1", table)
        self.assertIn("Line 2, Plan", table)
        self.assertFalse(self.documents.line_ids)

    def test_the_estimate_is_counted_apart(self):
        self.assertEqual(self.documents.amount_estimated, 30)
        self.assertEqual(self.documents.amount_source, 0)
        self.assertEqual(self.run.amount_held, 0)
        self.assertTrue(self.run.is_balanced)
        self.assertIn("estimated", self.run.reconciliation)
        self.assertRegex(self.run.reconciliation, r"30\.00")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestUnits(SourceCommon):
    def test_the_unit_is_on_the_invoice_line(self):
        line = price_line(
            "17.07", Quantity="568.85", UnitPrice="0.03", QuantityType="GB"
        )
        self.add("CI-1", line, price_line("1", number=2, QuantityType="item"))
        self.fetch()
        texts = self.documents.move_id.invoice_line_ids.mapped("name")
        self.assertIn("568.85 GB", texts[0])
        self.assertNotIn("item", texts[1])
        self.assertEqual(self.documents.line_ids.mapped("quantity_type")[0], "GB")
