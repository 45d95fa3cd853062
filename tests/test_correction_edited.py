from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .test_content_found import ContentCase
from .test_duplicates import price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCorrectionEdited(ContentCase):
    """A correction credits no more of a line than was billed of it (promises 1 and
    2)."""

    def confirm(self, *lines, edits, number="V-1"):
        """:param edits: dict of prices by those of before; None: the line is removed
        :return: a document whose invoice was edited so, and confirmed
        """
        document = self.send(number, *lines)
        for price, new_price in edits.items():
            line = document.move_id.invoice_line_ids.filtered(
                lambda line, price=price: line.price_unit == price
            )
            document.move_id.write(
                {
                    "invoice_line_ids": [
                        Command.delete(line.id)
                        if new_price is None
                        else Command.update(line.id, {"price_unit": new_price})
                    ]
                }
            )
        self.post(document)
        return document

    def correct(self, document, *lines):
        self.send(document.invoice_number, *lines)
        self.act(document, "action_correct")
        self.assertBalanced()

    def test_what_was_taken_off_is_not_credited(self):
        kept = price_line("10.00")
        for amount, edited, new_amount, billed in (
            (5, None, None, 10),
            (5, None, 4, 10),
            (5, None, 6, 11),
            (5, None, -2, 8),
            (5, 3, None, 10),
            (5, 3, -2, 8),
            (-5, None, None, 10),
            (-5, None, -4, 10),
            # An amount less that stays an amount less.
            (100, 90, 50, 50),
            (5, 9, None, 14),
        ):
            with (
                self.subTest(amount=amount, edited=edited, now=new_amount),
                self.undone(),
            ):
                line = price_line(amount, number=2)
                # The price is never negative.
                edits = {abs(amount): edited}
                document = self.confirm(kept, line, edits=edits)
                lines = [] if new_amount is None else [price_line(new_amount, number=2)]
                self.correct(document, kept, *lines)
                self.assertEqual(self.billed, billed)
                self.simulator.invoices.clear()

    def test_it_is_said_why_nothing_is_left_to_correct(self):
        kept = price_line("10.00")
        lines = kept, price_line("5.00", number=2)
        document = self.confirm(*lines, edits={5: None})
        self.correct(document, kept)
        self.assertFalse(document._get_live_corrections())
        self.assertIn("taken off the invoice", document.message_ids[0].body)

    def test_the_others_are_corrected_and_the_correction_may_be_deleted(self):
        lines = [price_line(amount, number=amount) for amount in (10, 5, 7)]
        document = self.confirm(*lines, edits={5: None})
        for _time in range(2):
            self.correct(document, lines[0], price_line(4, number=5))
            correction = document._get_live_corrections()
            self.assertEqual(correction.amount_untaxed, 7)
            self.assertIn(
                "had taken that off", correction.message_ids.mapped("body")[0]
            )
            self.assertEqual(self.billed, 10)
            correction.with_user(self.billing_user).unlink()
            self.assertEqual(self.billed, 17)
            self.assertBalanced()

    def test_a_credit_note_that_settled_the_rest_may_be_cancelled(self):
        lines = [price_line(amount, number=amount) for amount in (10, 5, 7)]
        document = self.confirm(*lines, edits={5: None})
        reversal = self.env["account.move.reversal"].create(
            {
                "move_ids": document.move_id.ids,
                "journal_id": document.move_id.journal_id.id,
            }
        )
        reversal.refund_moves()
        credit = reversal.new_move_ids
        credit.invoice_line_ids.filtered(lambda line: line.price_unit == 10).unlink()
        credit.action_post()
        self.correct(document, lines[0])
        self.assertEqual(self.billed, 10)
        credit.button_draft()
        credit.button_cancel()
        self.assertWaits(document)
        self.act(document, "action_correct")
        self.assertEqual(self.billed, 10)
        self.assertBalanced()

    def test_what_was_billed_on_a_line_of_ones_own_is_credited(self):
        kept = price_line("10.00")
        document = self.send("V-1", kept, price_line("5.00", number=2))
        line = document.move_id.invoice_line_ids.filtered(
            lambda line: line.price_unit == 5
        )
        own = {"name": "My words", "price_unit": 5, "tax_ids": line.tax_ids.ids}
        document.move_id.write(
            {"invoice_line_ids": [Command.delete(line.id), Command.create(own)]}
        )
        self.post(document)
        self.correct(document, kept)
        self.assertEqual(self.billed, 10)

    def test_of_several_on_an_invoice_the_one_that_changes_is_corrected(self):
        self.connection.invoice_grouping = "month"
        first = self.send("V-1", price_line("10.00"))
        lines = price_line("20.00", number=2), price_line("5.00", number=3)
        second = self.confirm(*lines, edits={5: None}, number="V-2")
        self.assertEqual(first.move_id, second.move_id)
        self.correct(second, lines[0], price_line("4.00", number=3))
        self.assertEqual(self.billed, 30)
        self.correct(second, lines[0])
        self.assertEqual(self.billed, 30)

    def test_what_was_removed_is_asked_about_when_it_comes_elsewhere(self):
        kept, line = price_line("10.00"), price_line("25.00", number=2)
        document = self.confirm(kept, line, edits={25: None})
        moved = self.receive("V-2", line)
        self.assertEqual(moved.state, "excluded")
        self.simulator.invoices.pop(0)
        self.receive("V-1", kept)
        self.act(document, "action_correct")
        self.run_background()
        self.assertHeld(moved, "V-1", "removed from its invoice")
        self.assertEqual(self.billed, 10)
        self.assertBalanced()
