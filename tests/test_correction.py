from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCorrection(CopacoChangeCommon):
    """What Copaco changed of a posted invoice becomes an invoice of its own: promises
    1, 5 and 7."""

    def test_a_correction_is_exactly_the_difference_and_linked_both_ways(self):
        document = self.send(
            price_line("10"), price_line("5", number=2), price_line("3", number=3)
        )
        invoice = document.move_id
        invoice.action_post()
        self.send(
            price_line("12.50"), price_line("5", number=2), price_line("4", number=4)
        )
        self.assertWaits(document)
        correction = self.get_correction(document)
        self.assertRecordValues(
            correction,
            [
                {
                    "move_type": "out_invoice",
                    "state": "draft",
                    "partner_id": self.partner.id,
                    "amount_untaxed": 3.5,
                    "copaco_version_id": document.version_ids.id,
                    "invoice_date": date(2026, 11, 25),
                }
            ],
        )
        self.assertEqual(
            sorted(correction.invoice_line_ids.mapped("price_subtotal")), [-3, 2.5, 4]
        )
        self.assertTrue(
            all(line.price_unit > 0 for line in correction.invoice_line_ids)
        )
        self.assertEqual(correction.invoice_line_ids.tax_ids, self.tax)
        self.assertEqual(document.correction_ids, correction)
        self.assertIn(correction.display_name, invoice.message_ids[0].body)
        self.assertRecordValues(
            document,
            [{"state": "invoiced", "amount_source": 21.5, "move_id": invoice.id}],
        )
        self.assertEqual(invoice.amount_untaxed, 18)
        self.assertBalanced()
        with self.assertRaisesRegex(UserError, "nothing to correct"):
            self.act(document, "action_correct")
        self.send(
            price_line("12.50"), price_line("5", number=2), price_line("4", number=4)
        )
        self.assertEqual(document.state, "invoiced", "known by now")

    def test_what_became_less_is_credited_and_settled_with_the_invoice(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        invoice = document.move_id
        invoice.action_post()
        self.send(price_line("8"))
        correction = self.get_correction(document)
        self.assertRecordValues(
            correction,
            [
                {
                    "move_type": "out_refund",
                    "amount_untaxed": 7,
                    "reversed_entry_id": invoice.id,
                }
            ],
        )
        correction.action_post()
        self.assertEqual(invoice.amount_residual, 9.68)

    def test_corrections_of_corrections_add_up(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        for amount in ("12", "7.25", "9"):
            self.send(price_line(amount))
            self.get_correction(document).action_post()
        moves = document.move_id | document.correction_ids
        self.assertEqual(len(moves), 4)
        self.assertEqual(sum(moves.mapped("amount_untaxed_in_currency_signed")), 9)
        self.assertEqual(document.amount_source, 9)
        self.assertBalanced()

    def test_what_a_correction_added_is_corrected_with_the_taxes_that_it_has(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("10"), price_line("8.20", number=2))
        first = self.get_correction(document)
        other = self.tax.copy({"name": "Other", "amount": 9})
        line = first.invoice_line_ids
        line.tax_ids = other
        first.action_post()
        for amount, difference in (("6.10", -2.1), ("7", 0.9), (None, -7)):
            lines = [price_line("10")]
            if amount:
                lines.append(price_line(amount, number=2))
            self.send(*lines)
            correction = self.get_correction(document)
            self.assertEqual(correction.amount_untaxed_in_currency_signed, difference)
            self.assertEqual(correction.invoice_line_ids.tax_ids, other)
            correction.action_post()
        self.assertBalanced()

    def test_a_correction_that_goes_leaves_the_decision_open_again(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        for way in ("unlink", "button_cancel"):
            with self.subTest(way=way):
                self.send(price_line("12"))
                correction = self.get_correction(document)
                getattr(correction, way)()
                self.assertWaits(document)
                self.assertEqual(document.amount_source, 10)
                self.assertFalse(document.correction_ids)
        with self.assertRaisesRegex(UserError, "Prepare a new correction"):
            correction.button_draft()
        self.assertEqual(self.get_correction(document).amount_untaxed, 2)
        self.assertBalanced()

    def test_a_correction_that_goes_leaves_what_copaco_changed_since(self):
        for amount, state in (("10", "invoiced"), ("14", "changed")):
            with self.subTest(amount=amount):
                number = f"INV-{amount}"
                document = self.send(price_line("10"), number=number)[-1]
                document.move_id.action_post()
                self.send(price_line("12"), number=number)
                correction = self.get_correction(document)
                self.send(price_line(amount), number=number)
                self.assertWaits(document)
                correction.unlink()
                self.assertEqual(document.state, state)
                self.assertEqual(document.amount_source, 10)
                self.assertEqual(document.has_pending_version, state == "changed")
        self.assertEqual(self.get_correction(document).amount_untaxed, 4)
        self.assertBalanced()

    def test_a_fetch_is_done_once_its_correction_is_not_needed_any_more(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("10"), price_line("5", number=2))
        correction = self.get_correction(document)
        self.send(price_line("10"))
        self.assertWaits(document)
        self.act(document, "action_correct")
        self.assertFalse(correction.exists())
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(
            set(self.env["copaco.run"].search([]).mapped("state")), {"done"}
        )
        self.assertBalanced()

    def test_an_invoice_with_a_correction_can_not_go_before_it(self):
        document = self.send(price_line("10"))
        invoice = document.move_id
        invoice.action_post()
        self.send(price_line("12"))
        correction = self.get_correction(document)
        invoice.button_draft()
        for way in ("unlink", "button_cancel"):
            with self.assertRaisesRegex(UserError, "corrects it"):
                getattr(invoice, way)()
        correction.unlink()
        invoice.button_cancel()
        self.assertEqual(document.state, "held")

    def test_only_words_that_changed_need_no_correction(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("10", Description="Other words"))
        self.assertWaits(document)
        self.assertIn("Other words", document.pending_difference)
        result = self.act(document, "action_correct")
        self.assertFalse(document.correction_ids)
        self.assertEqual(document.state, "invoiced")
        self.assertNotIn("res_id", result)

    def test_a_correction_of_a_locked_period_is_of_today(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.company.fiscalyear_lock_date = "2026-11-24"
        self.send(price_line("12"))
        self.assertEqual(self.get_correction(document).date, date(2026, 11, 25))

    def test_a_correction_is_of_the_first_open_day_where_today_is_locked(self):
        for lock in ("sale_lock_date", "hard_lock_date"):
            with self.subTest(lock=lock), self.undone():
                document = self.send(price_line("10"))
                document.move_id.action_post()
                self.company[lock] = "2026-11-30"
                self.send(price_line("7"))
                correction = self.get_correction(document)
                self.assertEqual(correction.invoice_date, date(2026, 12, 1))
                correction.action_post()
                self.assertEqual(correction.date, date(2026, 12, 1))

    def test_the_correction_of_an_edited_invoice_is_what_copaco_changed(self):
        document = self.send(price_line("10"))
        document.move_id.invoice_line_ids.price_unit = 9
        document.move_id.action_post()
        self.send(price_line("12"))
        self.assertEqual(self.get_correction(document).amount_untaxed, 2)

    def test_a_correction_can_not_be_forged(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        with self.assertRaises(UserError):
            self.env["account.move"].with_user(self.billing_user).create(
                {
                    "move_type": "out_invoice",
                    "copaco_version_id": document.version_ids.id,
                }
            )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCorrectionTexts(CopacoChangeCommon):
    """A correction is for the customer, as the invoice was."""

    def test_a_correction_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.env["ir.module.module"]._load_module_terms(["account_copaco"], ["nl_NL"])
        self.partner.lang = "nl_NL"
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        correction = self.get_correction(document)
        self.assertIn("Periode: ", correction.invoice_line_ids.name)
        self.assertNotIn("Correction", correction.invoice_line_ids.name)

    def test_the_rounding_of_a_correction_has_the_tax_of_its_lines(self):
        tax = self.tax.copy({"name": "9%", "amount": 9})
        self.env["copaco.rule"].create(
            {"company_id": self.company.id, "tax_ids": [Command.set(tax.ids)]}
        )
        lines = [price_line("0.004", number=number) for number in range(250)]
        document = self.send(price_line("10", number=999))
        document.move_id.action_post()
        self.assertEqual(document.move_id.invoice_line_ids.tax_ids, tax)
        self.send(price_line("12", number=999), *lines)
        correction = self.get_correction(document)
        self.assertEqual(correction.amount_untaxed, 3)
        self.assertEqual(correction.invoice_line_ids.tax_ids, tax)
