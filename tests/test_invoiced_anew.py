from datetime import date

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, copaco_invoice, price_line


class InvoicedAnewCommon(CopacoChangeCommon):
    """One customer, and another contact to which it may be invoiced."""

    def setUp(self):
        super().setUp()
        self.other = self.create_partner(name="Slagerij")
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")

    def invoice(self, *amounts, **header):
        self.send_with(*amounts, **header)
        self.documents.move_id.action_post()
        return self.documents

    def send_with(self, *amounts, **header):
        lines = [price_line(each, number=n) for n, each in enumerate(amounts, 1)]
        self.simulator.invoices.clear()
        self.simulator.add_invoice(
            copaco_invoice(
                "INV-1", "A1", lines, customer={"CustomerNumber": "K-1"}, **header
            ),
            created=date(2026, 11, 23),
        )
        return self.fetch()

    def invoice_to(self, document, partner):
        """:return: the drafts that the dialog makes"""
        wizard = (
            self.env["copaco.invoice.contact"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_id=document.id)
            .create({"partner_id": partner.id})
        )
        action = wizard.action_invoice()
        self.env.invalidate_all()
        ids = [action["res_id"]] if action.get("res_id") else action["domain"][0][2]
        return self.env["account.move"].browse(ids)

    def get_table(self, document):
        self.env.invalidate_all()
        return str(document.run_id.reconciliation)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestInvoicedAnew(InvoicedAnewCommon):
    """What can't be corrected by the difference is credited in full, and invoiced anew:
    promises 1, 4, 5 and 7."""

    # === ANOTHER CONTACT === #

    def test_a_sent_invoice_of_the_wrong_contact_is_invoiced_to_another(self):
        document = self.invoice("10", "5")
        old = document.move_id
        drafts = self.invoice_to(document, self.other)
        credit, new = drafts.sorted("id")
        self.assertRecordValues(
            credit | new,
            [
                {
                    "move_type": "out_refund",
                    "state": "draft",
                    "partner_id": self.partner.id,
                    "amount_untaxed": 15,
                    "reversed_entry_id": old.id,
                },
                {
                    "move_type": "out_invoice",
                    "state": "draft",
                    "partner_id": self.other.id,
                    "amount_untaxed": 15,
                    "reversed_entry_id": False,
                },
            ],
        )
        self.assertEqual(old.state, "posted")
        self.assertEqual(document.move_id, new)
        self.assertEqual(new.copaco_document_id, document)
        self.assertEqual(document.customer_id.partner_id, self.other)
        self.assertIn(old.display_name, new.message_ids.mapped("body")[0])
        drafts.action_post()
        self.assertEqual(self.get_amounts(document), {"posted": 15})
        self.assertFalse(old.amount_residual)
        self.assertBalanced()

    def test_what_was_credited_in_full_is_not_credited_again(self):
        document = self.invoice("10")
        document.move_id._reverse_moves(cancel=True)
        document.customer_id.partner_id = self.other
        (new,) = self.invoice_to(document, self.other)
        self.assertEqual(new.partner_id, self.other)
        new.action_post()
        self.assertEqual(self.get_amounts(document), {"posted": 10})
        self.assertBalanced()

    def test_what_was_credited_in_part_is_credited_by_who_began_it(self):
        document = self.invoice("10")
        credit = document.move_id._reverse_moves()
        credit.invoice_line_ids.price_unit = 4
        with self.assertRaisesRegex(UserError, r"credited in part\. Credit the other"):
            self.invoice_to(document, self.other)
        self.env.invalidate_all()
        self.assertEqual(document.customer_id.partner_id, self.partner)

    def test_what_was_credited_in_another_currency_is_not_called_credited(self):
        document = self.invoice("100", "50")
        usd = self.env.ref("base.USD")
        usd.active = True
        credit = document.move_id._reverse_moves([{"invoice_date": "2026-11-25"}])
        credit.currency_id = usd
        credit.action_post()
        with self.assertRaisesRegex(UserError, "USD"):
            self.invoice_to(document, self.other)
        credit.button_draft()
        credit.unlink()
        credit, new = self.invoice_to(document, self.other).sorted("id")
        self.assertEqual((credit | new).mapped("amount_untaxed"), [150, 150])

    def test_corrections_are_credited_with_the_invoice(self):
        document = self.invoice("10")
        self.send_with("12")
        self.get_correction(document).action_post()
        self.send_with("13")
        self.get_correction(document)
        drafts = self.invoice_to(document, self.other)
        self.assertEqual(
            sorted(drafts.mapped("amount_untaxed_in_currency_signed")), [-10, -2, 13]
        )
        self.assertFalse(document.correction_ids)
        drafts.action_post()
        self.assertEqual(self.get_amounts(document), {"posted": 13})
        self.assertBalanced()

    def test_a_draft_is_nothing_to_be_credited(self):
        self.send_with("10")
        with self.assertRaisesRegex(UserError, "is a draft"):
            self.invoice_to(self.documents, self.other)

    def test_a_credit_note_that_goes_is_named_by_the_reconciliation(self):
        document = self.invoice("10")
        credit, new = self.invoice_to(document, self.other).sorted("id")
        new.action_post()
        credit.unlink()
        self.assertEqual(self.get_amounts(document), {"posted": 20, "credited": -10})
        self.assertBalanced()

    def test_the_new_invoice_may_be_deleted_and_made_again(self):
        document = self.invoice("10")
        credit, new = self.invoice_to(document, self.other).sorted("id")
        credit.action_post()
        new.unlink()
        self.assertEqual(document.hold_reason, "invoice_deleted")
        self.act(document, "action_retry")
        self.assertEqual(document.move_id.partner_id, self.other)
        self.assertEqual(document.move_id.amount_untaxed, 10)
        self.assertBalanced()

    def test_an_old_invoice_can_not_be_used_beside_the_new_one(self):
        document = self.invoice("10")
        old = document.move_id
        self.invoice_to(document, self.other).filtered(
            lambda move: move.move_type == "out_refund"
        ).unlink()
        old.button_draft()
        old.button_cancel()
        self.assertEqual(document.state, "invoiced")
        with self.assertRaisesRegex(UserError, "can't be used again"):
            old.button_draft()

    def test_an_invoice_of_a_locked_period_is_invoiced_to_another_on_an_open_day(self):
        document = self.invoice("10")
        self.company.sale_lock_date = "2026-11-24"
        new = self.invoice_to(document, self.other).sorted("id")[-1]
        self.assertEqual(new.invoice_date, date(2026, 11, 25))
        self.assertIn("Copaco dated this invoice 11/23/2026", new.narration)

    def test_what_has_no_lines_is_corrected_in_the_currency_of_before(self):
        document = self.invoice("10")
        credit = document.move_id._reverse_moves()
        credit.invoice_line_ids.price_unit = 4
        credit.action_post()
        self.send_with(Currency="USD")
        correction = self.get_correction(document)
        self.env.invalidate_all()
        self.assertRecordValues(
            correction,
            [{"currency_id": self.company.currency_id.id, "amount_untaxed": 6}],
        )
        self.assertFalse(self.get_amounts(document).get("unexplained"))
        self.assertBalanced()

    def test_a_correction_is_in_copacos_currency_whatever_a_person_chose(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.send_with("10")
        document = self.documents
        document.move_id.currency_id = usd
        document.move_id.action_post()
        self.send_with("13")
        correction = self.get_correction(document)
        correction.action_post()
        self.env.invalidate_all()
        self.assertRecordValues(
            correction,
            [{"currency_id": self.company.currency_id.id, "amount_untaxed": 3}],
        )
        self.assertEqual(self.get_amounts(document), {"posted": 3, "edited": 10})
        self.assertBalanced()

    def test_nobody_forges_that_an_invoice_was_replaced(self):
        document = self.invoice("10")
        for name, value in (
            ("copaco_is_replaced", True),
            ("copaco_origin_id", document.move_id.id),
        ):
            with self.assertRaises(UserError):
                document.move_id.with_user(self.billing_user).write({name: value})

    # === ANOTHER DATE OR CURRENCY, BY COPACO === #

    def test_another_month_is_shown_and_invoiced_anew(self):
        document = self.invoice("100", Date="20261031")
        old = document.move_id
        self.send_with("100", Date="20261123")
        self.assertWaits(document)
        self.assertIn("still", document.hold_message)
        self.assertIn("10/31/2026 became 11/23/2026", document.hold_message)
        self.assertIn("11/23/2026", document.pending_difference)
        self.act(document, "action_correct")
        self.assertRecordValues(
            document.move_id,
            [{"invoice_date": date(2026, 11, 23), "amount_untaxed": 100}],
        )
        self.assertEqual(old.reversal_move_ids.amount_untaxed, 100)
        (old.reversal_move_ids | document.move_id).action_post()
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.get_amounts(document), {"posted": 100})
        self.assertBalanced()

    def test_another_day_of_the_month_needs_no_correction(self):
        document = self.invoice("100", Date="20261120")
        self.send_with("100", Date="20261123")
        self.assertIn("11/20/2026 became 11/23/2026", document.hold_message)
        self.act(document, "action_correct")
        self.assertRecordValues(document, [{"state": "invoiced"}])
        self.assertFalse(document.move_id.reversal_move_ids)

    def test_another_currency_is_shown_and_invoiced_anew(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "rate": 1.1, "currency_id": usd.id}
        )
        document = self.invoice("100")
        old = document.move_id
        self.send_with("100", Currency="USD")
        self.assertRegex(document.hold_message, r"100.00.€ became \$.100.00")
        self.assertIn("USD", document.pending_difference)
        self.act(document, "action_correct")
        self.assertEqual(document.move_id.currency_id, usd)
        self.assertEqual(old.reversal_move_ids.currency_id, old.currency_id)
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.get_amounts(document), {"draft": 100})
        self.assertBalanced()

    # === BY HAND === #

    def test_a_currency_that_a_person_chose_is_told(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.send_with("100")
        document = self.documents
        document.move_id.currency_id = usd
        self.assertEqual(self.get_amounts(document), {"edited": 100})
        self.assertIn("in another currency", self.get_table(document))
        self.assertBalanced()

    def test_a_switch_into_a_credit_note_is_told(self):
        self.send_with("100")
        self.documents.move_id.action_switch_move_type()
        self.assertEqual(
            self.get_amounts(self.documents), {"draft": -100, "edited": 200}
        )
        self.assertBalanced()

    def test_an_old_version_that_was_kept_is_told_with_who_and_the_difference(self):
        document = self.invoice("100")
        self.send_with("110")
        self.act(document, "action_keep_version")
        table = self.get_table(document)
        self.assertIn(f"{self.billing_user.name} kept the old version", table)
        self.assertIn("10.00", table.partition("kept the old version")[2])
        self.send_with("110")
        self.assertEqual(document.state, "invoiced", "that is decided")
        self.send_with("100")
        self.assertNotIn("kept the old version", self.get_table(document))
        self.send_with("110")
        self.assertEqual(document.state, "changed", "Copaco changed it once more")

    def test_new_lines_say_what_they_became(self):
        document = self.invoice("10")
        self.send_with("10", "5", Date="20261224")
        self.act(document, "action_correct")
        self.env.invalidate_all()
        self.assertEqual(document.move_id.amount_untaxed, 15)
        self.assertEqual(document.line_ids.mapped("product_id"), self.product)
        self.assertTrue(all(document.line_ids.mapped("product_id.id")))
        self.assertTrue(document.line_ids[-1].product_id)
