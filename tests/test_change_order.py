from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeOrder(CopacoChangeCommon):
    """Promises 1, 2 and 7 when Copaco and people do things in an unusual order."""

    def get_billed(self, document):
        moves = document.move_id | document.correction_ids
        return sum(moves.mapped("amount_untaxed_in_currency_signed"))

    def test_what_comes_again_and_can_not_be_read_says_so(self):
        for state in ("draft", "posted"):
            with self.subTest(state=state), self.undone():
                document = self.send(price_line("41.20"))
                if state == "posted":
                    document.move_id.action_post()
                self.send(price_line("41.20", ExtendedPrice="12,50"))
                self.assertWaits(document)
                self.assertIn("can't be read", document.hold_message)
                self.assertIn("Service 1", document.hold_message)
                self.assertIn("Keep the old version", document.hold_message)
                self.assertNotIn("0.00", document.hold_message)
                self.act(document, "action_keep_version")
                self.assertEqual(document.state, "invoiced")
                self.assertEqual(document.move_id.amount_untaxed, 41.2)

    def test_a_draft_that_has_a_correction_is_not_rebuilt_as_well(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        self.get_correction(document).action_post()
        document.move_id.button_draft()
        with self.assertRaisesRegex(UserError, "corrected since"):
            self.act(document, "action_retry")
        self.assertEqual(self.get_billed(document), 12)
        self.send(price_line("15"))
        with self.assertRaisesRegex(UserError, "has a correction"):
            self.act(document, "action_use_new_version")
        self.get_correction(document)
        self.assertEqual(self.get_billed(document), 15)

    def test_what_copaco_no_longer_says_can_not_be_corrected(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        self.act(document, "action_keep_version")
        self.send(price_line("15"))
        self.assertWaits(document)
        self.send(price_line("12"))
        self.assertEqual(document.state, "invoiced", "decided before")
        with self.assertRaisesRegex(UserError, "nothing to correct"):
            self.act(document, "action_correct")
        self.assertBalanced()

    def test_what_was_declined_waits_again_after_another_decision(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        self.act(document, "action_keep_version")
        self.send(price_line("15"))
        self.get_correction(document)
        self.send(price_line("12"))
        self.assertWaits(document)
        self.get_correction(document)
        self.assertEqual(self.get_billed(document), 12)
        self.assertBalanced()

    def test_what_copaco_took_back_is_told_once(self):
        document = self.send(price_line("10"))
        document.move_id.unlink()
        self.send(price_line("12"))
        self.send(price_line("10"))
        self.assertIn("took back", document.hold_message)
        messages = len(document.message_ids)
        self.send(price_line("10"))
        self.assertEqual(len(document.message_ids), messages)

    def test_an_invoice_of_what_was_replaced_is_not_used_again(self):
        document = self.send(price_line("10"))
        move = document.move_id
        move.button_cancel()
        self.send(price_line("12"))
        self.partner.active = False
        self.act(document, "action_use_new_version")
        self.assertEqual(document.hold_reason, "partner_archived")
        with self.assertRaisesRegex(UserError, "can't be used again"):
            move.button_draft()
        self.partner.active = True
        self.act(document, "action_retry")
        self.assertEqual(document.move_id.amount_untaxed, 12)

    def test_who_excludes_a_changed_document_leaves_nothing_that_waits(self):
        document = self.send(price_line("10"))
        document.move_id.unlink()
        self.send(price_line("12"))
        self.act(document, "action_exclude", "Own use")
        self.assertEqual(document.state, "excluded")
        self.assertEqual(document.exclude_reason, "Own use")
        self.assertFalse(document.has_pending_version)
        runs = document.run_id | document.version_ids.run_id
        self.assertEqual(runs.mapped("state"), ["done"] * 2)
        self.assertBalanced()
        self.act(document, "action_include")
        self.assertEqual(document.move_id.amount_untaxed, 12)

    def test_a_document_that_was_empty_once_is_not_excluded_again(self):
        document = self.send()
        self.assertEqual(document.state, "excluded")
        self.partner.active = False
        self.send(price_line("10"))
        self.act(document, "action_use_new_version")
        self.send(price_line("11", number=7))
        self.send(price_line("10"))
        self.assertEqual(document.state, "held")
        self.assertFalse(document.exclude_reason)

    def test_an_invoice_of_which_nothing_is_left_is_credited_and_may_come_back(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send()
        self.assertWaits(document)
        credit = self.get_correction(document)
        self.assertRecordValues(
            credit, [{"move_type": "out_refund", "amount_untaxed": 10}]
        )
        self.assertEqual(document.state, "invoiced")
        self.send(price_line("8"))
        self.get_correction(document)
        self.assertEqual(self.get_billed(document), 8)
        self.assertBalanced()

    def test_a_line_without_tax_is_corrected_without_tax(self):
        document = self.send(price_line("10"))
        document.move_id.invoice_line_ids.tax_ids = False
        document.move_id.action_post()
        self.send(price_line("12"))
        self.assertFalse(self.get_correction(document).invoice_line_ids.tax_ids)

    def test_a_run_whose_change_was_overtaken_waits_for_nobody(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        overtaken = document._get_pending_version().run_id
        self.assertEqual(overtaken.state, "attention")
        self.send(price_line("15"))
        self.assertEqual(overtaken.state, "done")
        self.assertEqual(document._get_pending_version().run_id.state, "attention")

    def test_a_change_whose_totals_differ_is_not_taken_over_unasked(self):
        document = self.send(price_line("10"))
        lines = self.simulator.invoices[0].content["Customers"][0]["Subscriptions"][0]
        lines["PriceLines"][0].update(UnitPrice=12, ExtendedPrice=12)
        self.simulator.invoices[0].content["Totals"] = {"TotalExcludingVAT": 99}
        self.fetch()
        self.assertWaits(document)
        self.assertIn("87.00", document.hold_message)
        self.assertEqual(document.move_id.amount_untaxed, 10)
        self.act(document, "action_use_new_version")
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_untaxed, 12)

    def test_totals_that_differ_are_not_forgotten_while_a_currency_is_unknown(self):
        self.add_invoice(
            "INV-1",
            "A1",
            [price_line("12")],
            customer={"CustomerNumber": "K-1"},
            Currency="XTS",
        )
        self.simulator.invoices[0].content["Totals"] = {"TotalExcludingVAT": 99}
        self.fetch()
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        self.act(self.documents, "action_retry")
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        self.act(self.documents, "action_accept_lines")
        self.assertEqual(self.documents.hold_reason, "currency_unknown")

    def test_the_run_whose_change_was_rebuilt_is_done(self):
        document = self.send(price_line("10"))
        self.send(price_line("11"))
        runs = document.run_id | document.version_ids.run_id
        self.assertEqual(runs.mapped("state"), ["done"] * 2)

    def correct_and_undo(self, document):
        """Correct an invoice for a line that is gone, and one that became less, then
        take all of that back."""
        document.move_id.action_post()
        self.send(price_line("9"), number=document.invoice_number)
        self.get_correction(document).unlink()
        document.move_id.button_draft()
        self.act(document, "action_keep_version")

    def test_a_line_that_was_corrected_away_and_came_back_is_billed_once(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        self.correct_and_undo(document)
        self.act(document, "action_retry")
        self.assertEqual(document.move_id.amount_untaxed, 15)
        self.assertFalse(any(document.line_ids.mapped("invoice_line_state")))

    def test_what_a_person_did_to_a_line_that_came_back_is_kept(self):
        for number, edit in enumerate(("edited", "removed")):
            with self.subTest(edit=edit):
                document = self.send(
                    price_line("10"),
                    price_line("5", number=2),
                    number=f"INV-{number}",
                )[-1]
                line = document.move_id.invoice_line_ids[1]
                if edit == "edited":
                    line.price_unit = 4
                else:
                    line.unlink()
                amount = document.move_id.amount_untaxed
                self.correct_and_undo(document)
                self.act(document, "action_retry")
                self.assertEqual(document.move_id.amount_untaxed, amount)
                self.assertEqual(
                    document.line_ids.mapped("invoice_line_state"), [False, edit]
                )
