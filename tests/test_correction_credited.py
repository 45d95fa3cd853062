from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCorrectionCredited(CopacoChangeCommon):
    """What a person credited by hand is not credited once more: promises 4 and 7."""

    def invoice(self, *amounts):
        """:return: the document of these amounts, whose invoice is posted"""
        document = self.send(*self.lines(*amounts))
        document.move_id.action_post()
        return document

    def lines(self, *amounts):
        """:return: list of `price_line`; None leaves a number out"""
        return [
            price_line(amount, number=number)
            for number, amount in enumerate(amounts, start=1)
            if amount
        ]

    def credit(self, move, *numbers, amount=None, is_modify=False):
        """Credit an invoice by Odoo's own button.

        :param numbers: of the lines that are credited; none: all of them
        :param amount: of one line, instead of what it is
        :return: the draft credit note
        """
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard = wizard.create({"journal_id": move.journal_id.id})
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        lines = credit.invoice_line_ids.sorted("id")
        if numbers:
            (lines - lines.browse(lines.ids[number - 1] for number in numbers)).unlink()
        if amount:
            credit.invoice_line_ids.price_unit = amount
        return credit

    def create_anew(self, move):
        """:return: the draft of Odoo's Reverse and Create Invoice"""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard = wizard.create({"journal_id": move.journal_id.id})
        return self.env["account.move"].browse(wizard.modify_moves()["res_id"])

    def correct(self, document):
        """:return: the correction, if there is one"""
        result = self.act(document, "action_correct")
        self.env.invalidate_all()
        return self.env["account.move"].browse(result.get("res_id", []))

    def test_what_was_credited_already_is_not_proposed_again(self):
        document = self.invoice("100", "40.50", "9.99")
        credit = self.credit(document.move_id, 3)
        credit.action_post()
        self.send(*self.lines("100", "40.50"))
        self.assertFalse(self.correct(document))
        self.assertEqual(document.state, "invoiced")
        self.assertFalse(document.correction_ids)
        self.assertIn("9.99", document.message_ids[0].body)
        self.assertIn("credited manually", document.message_ids[0].body)
        self.assertEqual(self.get_amounts(document), {"posted": 140.5})
        self.assertBalanced()

    def test_what_was_reversed_of_a_credit_note_is_not_invoiced_again(self):
        document = self.invoice("-100", "-40.50", "-9.99")
        reversal = self.credit(document.move_id, 3)
        self.assertEqual(reversal.move_type, "out_invoice")
        reversal.action_post()
        self.send(*self.lines("-100", "-40.50"))
        self.assertFalse(self.correct(document))
        self.assertIn("9.99", document.message_ids[0].body)
        self.assertIn("invoiced manually", document.message_ids[0].body)
        self.assertEqual(self.get_amounts(document), {"posted": -140.5})
        self.assertBalanced()
        reversal.button_draft()
        reversal.unlink()
        self.assertWaits(document)
        correction = self.correct(document)
        self.assertRecordValues(
            correction, [{"move_type": "out_invoice", "amount_untaxed": 9.99}]
        )
        self.assertBalanced()

    def test_what_was_reversed_of_a_correction_is_not_invoiced_again(self):
        document = self.invoice("100", "40.50")
        self.send(*self.lines("100", "30.50"))
        correction = self.correct(document)
        correction.action_post()
        self.credit(correction).action_post()
        self.send(*self.lines("100", "40.50"))
        self.assertFalse(self.correct(document))
        self.assertEqual(self.get_amounts(document), {"posted": 140.5})
        self.assertBalanced()

    def test_what_a_person_created_anew_for_more_is_not_invoiced_again(self):
        document = self.invoice("100", "40.50")
        new = self.create_anew(document.move_id)
        new.invoice_line_ids.sorted("id")[1].price_unit = 45.5
        new.action_post()
        self.send(*self.lines("100", "47.50"))
        correction = self.correct(document)
        self.assertRecordValues(
            correction, [{"move_type": "out_invoice", "amount_untaxed": 2}]
        )
        correction.action_post()
        self.assertFalse(self.get_amounts(document).get("unexplained"))
        self.assertBalanced()

    def test_what_is_left_is_proposed_and_the_credit_note_named(self):
        document = self.invoice("100", "9.99")
        credit = self.credit(document.move_id, 2, amount=4)
        self.send(*self.lines("100"))
        correction = self.correct(document)
        self.assertRecordValues(
            correction, [{"move_type": "out_refund", "amount_untaxed": 5.99}]
        )
        self.assertIn(credit.display_name, correction.message_ids[0].body)
        self.assertEqual(self.get_amounts(document), {"posted": 109.99, "draft": -9.99})
        self.assertBalanced()

    def test_a_credit_of_an_invoice_that_was_linked_settles_whatever_became_less(self):
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-23",
            amounts=[10.0],
            company=self.company,
        )
        invoice.invoice_origin = "INV-1"
        invoice.action_post()
        self.credit(invoice, amount=2).action_post()
        document = self.send(price_line("10"))
        self.assertEqual(document.move_id, invoice)
        self.send(price_line("8"))
        self.assertFalse(self.correct(document))
        self.assertIn("credited manually", document.message_ids[0].body)
        self.assertBalanced()

    def test_a_credit_in_another_currency_settles_nothing_and_is_named(self):
        document = self.invoice("100", "9.99")
        usd = self.env.ref("base.USD")
        usd.active = True
        credit = self.credit(document.move_id, 2)
        credit.currency_id = usd
        credit.action_post()
        self.send(*self.lines("100"))
        correction = self.correct(document)
        self.assertEqual(correction.amount_untaxed, 9.99)
        messages = " ".join(map(str, correction.message_ids.mapped("body")))
        self.assertIn("another currency", messages)
        self.assertIn(credit.name, messages)

    def test_a_credit_of_another_line_settles_nothing(self):
        document = self.invoice("100", "40.50", "9.99")
        self.credit(document.move_id, 2).action_post()
        self.send(*self.lines("100", "40.50"))
        self.assertEqual(self.correct(document).amount_untaxed, 9.99)
        self.assertEqual(self.get_amounts(document)["credited"], 40.5)
        self.assertBalanced()

    def test_the_rounding_is_not_credited_once_more(self):
        tiny = [price_line("0.004", number=number) for number in range(100, 350)]
        document = self.send(price_line("10"), *tiny)
        self.assertEqual(document.move_id.amount_untaxed, 11)
        document.move_id.action_post()
        self.credit(document.move_id).action_post()
        self.send(price_line("4"))
        self.assertFalse(self.correct(document))
        self.assertEqual(self.get_amounts(document), {"credited": 4})
        self.assertBalanced()

    def test_a_rounding_that_was_credited_alone_settles_the_rounding(self):
        tiny = [price_line("0.004", number=number) for number in range(100, 350)]
        document = self.send(price_line("10"), *tiny)
        document.move_id.action_post()
        credit = self.credit(document.move_id)
        lines = credit.invoice_line_ids
        lines.filtered(lambda line: line.price_subtotal != 1).unlink()
        credit.action_post()
        self.assertEqual(credit.amount_untaxed, 1)
        self.send(price_line("10"))
        self.assertFalse(self.correct(document))
        self.assertEqual(self.get_amounts(document), {"posted": 10})
        self.assertBalanced()

    def test_a_credit_in_a_persons_own_words_settles_whatever_became_less(self):
        document = self.invoice("100", "9.99")
        credit = self.credit(document.move_id, 2)
        credit.invoice_line_ids.name = "As we agreed on the telephone"
        credit.action_post()
        self.send(*self.lines("100"))
        self.assertFalse(self.correct(document))
        self.assertEqual(self.get_amounts(document), {"posted": 100})

    def test_a_credit_settles_one_change_and_not_the_next(self):
        document = self.invoice("100", "9.99")
        self.credit(document.move_id, 2).action_post()
        self.send(*self.lines("100"))
        self.correct(document)
        self.send(*self.lines("100", None, "20"))
        self.correct(document).action_post()
        self.send(*self.lines("95", None, "20"))
        self.assertEqual(self.correct(document).amount_untaxed, 5)
        self.assertEqual(self.get_amounts(document), {"posted": 120, "draft": -5})
        self.assertBalanced()

    def test_a_credit_that_goes_leaves_the_change_to_be_decided_again(self):
        document = self.invoice("100", "9.99")
        credit = self.credit(document.move_id, 2)
        self.send(*self.lines("100"))
        self.correct(document)
        self.assertEqual(document.state, "invoiced")
        credit.unlink()
        self.assertWaits(document)
        self.assertEqual(document.amount_source, 109.99)
        self.assertEqual(self.correct(document).amount_untaxed, 9.99)
        self.assertBalanced()

    def test_all_was_credited_and_nothing_is_left_to_correct(self):
        document = self.invoice("100", "9.99")
        self.credit(document.move_id).action_post()
        self.send(*self.lines("60"))
        self.assertFalse(self.correct(document))
        self.assertEqual(
            self.get_amounts(document), {"credited": 60}, "nothing is owed any more"
        )
        self.assertBalanced()

    def test_changes_before_a_correction_is_confirmed_make_one_draft(self):
        document = self.invoice("100")
        self.send(*self.lines("110"))
        first = self.correct(document)
        self.send(*self.lines("125"))
        second = self.correct(document)
        self.assertFalse(first.exists())
        self.assertEqual(document.correction_ids, second)
        self.assertEqual(second.amount_untaxed, 25)
        self.send(*self.lines("100"))
        self.assertFalse(self.correct(document))
        self.assertFalse(document.correction_ids)
        self.assertRecordValues(document, [{"state": "invoiced", "amount_source": 100}])
        self.assertBalanced()

    def test_a_correction_that_a_person_edited_is_kept(self):
        document = self.invoice("100")
        self.send(*self.lines("110"))
        first = self.correct(document)
        first.invoice_line_ids.name = "What we agreed"
        self.send(*self.lines("125"))
        second = self.correct(document)
        self.assertEqual(document.correction_ids, first | second)
        self.assertEqual(second.amount_untaxed, 15)

    def test_reverse_and_create_invoice_is_counted(self):
        document = self.invoice("100", "9.99")
        anew = self.create_anew(document.move_id)
        self.assertEqual(
            self.get_amounts(document),
            {"draft": 109.99, "credited": 109.99, "added": -109.99},
        )
        anew.action_post()
        self.assertBalanced()
        self.assertEqual(self.get_amounts(document)["posted"], 109.99)
        self.send(*self.lines("100"))
        self.assertEqual(
            self.correct(document).amount_untaxed, 9.99, "it is on the new"
        )
        self.assertBalanced()

    def test_a_correction_is_for_whom_the_invoice_was_created_anew(self):
        document = self.invoice("100")
        anew = self.create_anew(document.move_id)
        anew.partner_id = other = self.create_partner(name="Other")
        anew.action_post()
        self.send(*self.lines("90"))
        self.assertRecordValues(
            self.correct(document),
            [{"partner_id": other.id, "reversed_entry_id": anew.id}],
        )

    def test_what_was_created_anew_may_be_created_anew_again(self):
        document = self.invoice("100")
        first = self.create_anew(document.move_id)
        first.action_post()
        second = self.create_anew(first)
        second.invoice_line_ids.price_unit = 90
        self.assertEqual(
            self.get_amounts(document),
            {"draft": 90, "credited": 100, "added": -90},
        )
        self.assertBalanced()

    def test_an_invoice_is_not_deleted_before_its_credit_note(self):
        document = self.invoice("10")
        invoice = document.move_id
        credit = self.credit(invoice)
        invoice.button_draft()
        with self.assertRaisesRegex(UserError, "was created from it"):
            invoice.unlink()
        credit.unlink()
        invoice.unlink()
        self.assertEqual(document.hold_reason, "invoice_deleted")
        self.assertBalanced()


@tagged("post_install", "-at_install", "-standard", "copaco_debit_note")
@freeze_time("2026-11-25 10:00:00")
class TestDebitNotes(CopacoChangeCommon):
    """`make test` runs this where Odoo's debit notes are installed."""

    def test_a_debit_note_is_counted_and_settles_nothing(self):
        document = self.send(price_line("100"))
        document.move_id.action_post()
        wizard = self.env["account.debit.note"].with_context(
            active_model="account.move", active_ids=document.move_id.ids
        )
        action = wizard.create({"copy_lines": True}).create_debit()
        note = self.env["account.move"].browse(action["res_id"])
        note.invoice_line_ids.price_unit = 7
        note.action_post()
        self.env.invalidate_all()
        self.assertRecordValues(document.run_id, [{"amount_invoiced": 107}])
        self.assertIn("-7.00", document.run_id.reconciliation)
        self.send(price_line("90"))
        self.assertEqual(self.get_correction(document).amount_untaxed, 10)
        self.assertBalanced()
