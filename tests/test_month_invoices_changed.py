from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import price_line
from .month_invoices import CopacoMonthInvoicesCommon
from .preview import PreviewCommon
from .test_source import SourceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesChanged(CopacoMonthInvoicesCommon):
    """What Copaco and a person do with an invoice of several documents: promises 1, 2,
    5 and 7."""

    # === WHAT COPACO CHANGES === #

    def test_a_change_of_one_updates_the_draft(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        self.receive(P2=["7", "1"])
        self.assertTogether(first | second, 18)
        self.assertEqual(second.amount_billed, 8)
        self.receive(P1=["1"])
        self.assertTogether(first | second, 9)
        self.assertFalse((first | second)._get_live_corrections())

    def test_a_change_after_confirming_is_corrected_for_that_document_alone(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        move = first.move_id
        move.action_post()
        self.receive(P2=["7"])
        self.assertWaits(second)
        self.assertEqual(first.state, "invoiced")
        correction = self.get_correction(second)
        self.env.invalidate_all()
        self.assertEqual(correction.amount_untaxed, 2)
        self.assertEqual(correction.invoice_origin, "P2")
        self.assertEqual(move.copaco_correction_count, 1)
        self.assertBalanced()
        correction.action_post()
        self.receive(P1=["4"])
        credit = self.get_correction(first)
        self.assertEqual(credit.move_type, "out_refund")
        self.assertEqual(credit.reversed_entry_id, move)
        self.assertBalanced()

    def test_a_change_of_one_with_edits_waits_and_keeps_them(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        edited = first.move_id.invoice_line_ids.filtered(
            lambda line: line.copaco_line_id == first.line_ids
        )
        edited.price_unit = 9
        self.receive(P2=["7"])
        self.assertWaits(second)
        self.assertEqual(self.get_amounts(first), {"draft": 14, "edited": 1})
        self.press(second, "action_use_new_version")
        self.assertEqual(first.move_id.amount_untaxed, 16)
        self.assertEqual(second.state, "invoiced")
        self.assertBalanced()

    def test_one_that_moves_to_another_currency_is_decided_by_a_person(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        self.env.ref("base.USD").active = True
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "currency_id": self.env.ref("base.USD").id}
        )
        self.receive(header={"Currency": "USD"}, P2=["5"])
        self.assertWaits(second)
        self.assertIn("Delete the draft", second.hold_message)
        self.assertEqual(first.move_id.amount_untaxed, 15)
        first.move_id.unlink()
        self.press(second, "action_use_new_version")
        self.press(first, "action_retry")
        self.assertNotEqual(first.move_id, second.move_id)
        self.assertEqual(second.move_id.currency_id.name, "USD")
        self.assertBalanced()

    # === WHAT A PERSON DOES WITH THE INVOICE === #

    def test_a_deleted_draft_holds_all_and_retried_they_share_one_again(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        first.move_id.unlink()
        documents = first | second
        self.assertEqual(documents.mapped("hold_reason"), ["invoice_deleted"] * 2)
        self.assertBalanced()
        self.press(first, "action_retry")
        self.assertTogether(first, 10)
        self.press(second, "action_retry")
        self.assertTogether(documents, 15)

    def test_a_cancelled_invoice_is_used_again_as_a_whole(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        first.move_id.action_post()
        first.move_id.button_draft()
        first.move_id.button_cancel()
        documents = first | second
        self.assertEqual(documents.mapped("hold_reason"), ["invoice_cancelled"] * 2)
        self.assertBalanced()
        first.move_id.button_draft()
        self.assertTogether(documents, 15)

    def test_a_cancelled_invoice_is_not_used_again_when_one_of_them_has_another(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        for retried in (first, second):
            with self.subTest(retried=retried.name), self.undone():
                old = retried.move_id
                old.button_cancel()
                self.press(retried, "action_retry")
                self.assertEqual(retried.state, "invoiced")
                with self.assertRaisesRegex(UserError, "was invoiced as"):
                    old.button_draft()
                self.assertBalanced()
                self.press((first | second) - retried, "action_retry")
                self.assertTogether(first | second, 15)

    def test_a_credit_note_by_hand_is_balanced(self):
        first, _second = self.receive(P1=["10"], P2=["5"])
        first.move_id.action_post()
        first.move_id._reverse_moves(cancel=True)
        self.assertEqual(self.get_amounts(first), {"credited": 15})
        self.assertBalanced()

    def test_it_is_invoiced_to_another_contact_with_all_of_its_documents(self):
        other = self.create_partner(name="Slagerij")
        first, second = self.receive(P1=["10"], P2=["5"])
        old = first.move_id
        old.action_post()
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        wizard = self.env["copaco.invoice.contact"].with_user(self.billing_user)
        wizard = wizard.with_context(
            active_model="copaco.document", active_id=second.id
        )
        wizard.create({"partner_id": other.id}).action_invoice()
        self.env.invalidate_all()
        self.assertNotEqual(first.move_id, old)
        self.assertTogether(first | second, 15)
        self.assertEqual(first.move_id.partner_id, other)
        self.assertEqual(old.reversal_move_ids.amount_untaxed, 15)
        self.assertTrue(old.copaco_is_replaced)

    def test_of_two_accounts_only_one_is_invoiced_to_another_contact(self):
        first, second, other = self.receive_two_accounts()
        first.move_id.action_post()
        self.env["copaco.reverser"].sudo()._invoice_anew(second.sudo(), partner=other)
        self.env.invalidate_all()
        self.assertTogether(first, 10)
        self.assertTogether(second, 5)
        self.assertEqual(second.move_id.partner_id, other)

    def test_its_number_finds_it(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        Move = self.env["account.move"]
        for document in first | second:
            found = Move.search(
                [("copaco_document_ids.invoice_number", "=", document.invoice_number)]
            )
            self.assertEqual(found, first.move_id)
        action = first.move_id.action_view_copaco_document()
        found = self.env["copaco.document"].search(action["domain"])
        self.assertEqual(found.sorted("id"), first | second)

    def test_an_undone_decision_takes_back_all_of_the_invoice(self):
        suggested = self.create_partner(name="Customer A7")
        first, second = self.receive("A7", "K-7", P1=["10"], P2=["5"])
        first.customer_id.sudo().write(
            {"suggested_partner_id": suggested.id, "state": "suggested"}
        )
        self.press(first.customer_id, "action_accept")
        self.assertTogether(first | second, 15)
        self.press(first.customer_id, "action_undo")
        self.assertFalse((first | second).move_id)
        self.assertEqual((first | second).mapped("state"), ["held"] * 2)
        self.assertBalanced()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesRefused(SourceCommon):
    """Promise 3: what Odoo refuses of one document stops no other."""

    def test_one_with_other_vat_is_held_and_the_others_share_an_invoice(self):
        self.connection.invoice_grouping = "month"
        for number, vat in (("P1", "2.10"), ("P2", "0.90"), ("P3", "2.10")):
            self.add(number, price_line("10", VAT=vat, TaxPercentage=21))
        self.fetch()
        first, second, third = self.documents.sorted("invoice_number")
        self.assertRecordValues(
            second, [{"state": "held", "hold_reason": "vat_differs", "move_id": False}]
        )
        self.assertEqual(first.move_id, third.move_id)
        self.assertEqual(first.move_id.amount_untaxed, 20)
        with self.committing(second) as committing:
            committing.action_accept_vat()
        self.assertEqual(second.move_id, first.move_id)
        self.assertEqual(first.move_id.amount_untaxed, 30)

    def test_one_that_can_not_be_added_to_the_draft_is_held_and_leaves_it_alone(self):
        self.connection.invoice_grouping = "month"
        self.add("P1", price_line("10", VAT="2.10", TaxPercentage=21))
        self.fetch()
        self.add("P2", price_line("10", VAT="0.90", TaxPercentage=21))
        self.fetch()
        first, second = self.documents
        self.assertEqual(second.hold_reason, "vat_differs")
        self.assertEqual(first.move_id.amount_untaxed, 10)
        self.assertTrue(self.is_unedited_draft(first))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesPreview(CopacoMonthInvoicesCommon, PreviewCommon):
    def test_the_preview_shows_one_invoice(self):
        self.provide(P1=["10"], P2=["5"])
        wizard = self.preview()
        self.assertRecordValues(
            wizard.document_ids,
            [{"outcome": "invoiced", "amount_untaxed": 15, "line_count": 2}],
        )
        self.assertIn("P1", wizard.document_ids.invoice_number)
        self.assertIn("P2", wizard.document_ids.invoice_number)
