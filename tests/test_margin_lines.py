from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_margin import line

FIELDS = ("copaco_cost", "copaco_margin", "copaco_margin_percent")
NOTHING = (0, 0, 0)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginLines(CopacoBillCommon):
    """The margin of an invoice line follows what is corrected and credited of it."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def bill(self, sales, costs):
        self.add_known("S-1", lines=sales)
        self.add_purchase("P-1", {"A1": costs})
        self.fetch()
        self.document = self.documents.filtered(
            lambda each: each.kind == "specification"
        )
        self.document.move_id.action_post()
        return self.document.move_id

    def correct(self, *sales):
        self.simulator.invoices.clear()
        self.add_known("S-1", lines=list(sales))
        self.fetch()
        result = self.act(self.document, "action_correct")
        return self.env["account.move"].browse(result["res_id"])

    def credit(self, move, is_modify=False):
        """Credit a move as a person does.

        :return: the credit note, and what was created anew
        """
        before = self.env["account.move"].search([])
        reversal = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id}
        )
        reversal.reverse_moves(is_modify=is_modify)
        self.env.invalidate_all()
        return (self.env["account.move"].search([]) - before).sorted("id")

    def get_margins(self, move):
        self.env.invalidate_all()
        lines = move.invoice_line_ids.filtered("copaco_line_id") or (
            move.invoice_line_ids
        )
        lines = lines.with_user(self.billing_user)
        return [tuple(round(each[name], 2) for name in FIELDS) for each in lines]

    def test_a_correction_counts_on_the_line_that_it_corrects(self):
        invoice = self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20), (15, 5, 25)])
        correction = self.correct(line("12"), line("20", 2))
        self.assertEqual(self.get_margins(invoice), [(8, 4, 33.33), (15, 5, 25)])
        self.assertEqual(self.get_margins(correction), [NOTHING])
        correction.action_post()
        credit = self.correct(line("9"), line("20", 2))
        self.assertEqual(credit.move_type, "out_refund")
        self.assertEqual(self.get_margins(invoice), [(8, 1, 11.11), (15, 5, 25)])
        self.assertEqual(self.get_margins(credit), [NOTHING])
        credit.button_cancel()
        self.assertEqual(self.get_margins(invoice)[0], (8, 4, 33.33))

    def test_what_is_on_a_correction_alone_has_its_cost_there(self):
        invoice = self.bill([line("10")], [line("8"), line("15", 2)])
        correction = self.correct(line("10"), line("20", 2))
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20)])
        self.assertEqual(self.get_margins(correction), [(15, 5, 25)])

    def test_what_a_person_credits_counts(self):
        invoice = self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        credit = self.credit(invoice)
        self.assertEqual(credit.move_type, "out_refund")
        self.assertEqual(self.get_margins(invoice), [(8, -8, 0), (15, -15, 0)])
        self.assertEqual(self.get_margins(credit), [NOTHING, NOTHING])
        credit.invoice_line_ids[0].unlink()
        credit.invoice_line_ids.price_unit = 4
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20), (15, 1, 6.25)])
        credit.button_cancel()
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20), (15, 5, 25)])

    def test_what_is_reversed_and_created_anew_counts_as_it_is_then(self):
        invoice = self.bill([line("10")], [line("8")])
        _credit, anew = self.credit(invoice, is_modify=True)
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20)])
        anew.invoice_line_ids.price_unit = 9
        self.assertEqual(self.get_margins(invoice), [(8, 1, 11.11)])

    def test_a_correction_that_is_credited_counts_no_more(self):
        invoice = self.bill([line("10")], [line("8")])
        correction = self.correct(line("12"))
        correction.action_post()
        self.credit(correction)
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20)])

    def test_lines_of_one_text_are_credited_one_after_another(self):
        same = {"Description": "Same"}
        invoice = self.bill(
            [line("10", 1, **same), line("20", 2, **same)],
            [line("8", 1), line("15", 2)],
        )
        credit = self.credit(invoice)
        self.assertEqual(self.get_margins(invoice), [(8, -8, 0), (15, -15, 0)])
        credit.invoice_line_ids[0].unlink()
        credit.invoice_line_ids.price_unit = 14
        self.assertEqual(self.get_margins(invoice), [(8, -8, 0), (15, 1, 6.25)])
        credit.invoice_line_ids.price_unit = 32
        self.assertEqual(self.get_margins(invoice), [(8, -8, 0), (15, -17, 850)])

    def test_what_is_credited_in_other_words_is_of_no_line(self):
        invoice = self.bill([line("10")], [line("8")])
        credit = self.credit(invoice)
        credit.invoice_line_ids.name = "Our apologies"
        self.assertEqual(self.get_margins(invoice), [(8, 2, 20)])

    def test_what_is_invoiced_anew_has_its_margin_there(self):
        invoice = self.bill([line("10")], [line("8")])
        self.env["copaco.reverser"].sudo()._invoice_to_contact(
            self.document, self.create_partner(name="Slager"), invoice.invoice_date
        )
        anew = self.document.move_id
        self.assertNotEqual(anew, invoice)
        self.assertEqual(self.get_margins(invoice), [NOTHING])
        self.assertEqual(self.get_margins(anew), [(8, 2, 20)])

    def test_a_cost_that_copaco_credits_counts(self):
        invoice = self.bill([line("10")], [line("8")])
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("0")]})
        self.fetch()
        self.credit(invoice)
        self.assertEqual(self.get_margins(invoice), [NOTHING])
