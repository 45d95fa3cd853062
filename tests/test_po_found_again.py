from odoo.tests import freeze_time, tagged

from .test_po_numbers import PoNumberCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoFoundAgain(PoNumberCommon):
    """Invoices from before the addon was installed anew, of parts by PO number."""

    def forget(self):
        """Leave the invoices alone of all that was received."""
        documents = self.documents
        moves = documents.move_id.sudo()
        moves.line_ids.copaco_line_id = False
        moves.copaco_document_id = False
        runs = documents.run_id
        documents.sudo().unlink()
        runs.sudo().unlink()
        self.env.flush_all()
        return moves

    def test_each_part_finds_its_own_invoice(self):
        for second in ("20", "10"):
            with self.subTest(second=second), self.undone():
                lines = self.po_line("10", "P1", 1), self.po_line(second, "P2", 2)
                self.send(*lines)
                self.documents.move_id.action_post()
                moves = self.forget()
                self.send(*lines)
                self.assertEqual(self.get_part("P1").move_id, moves[0])
                self.assertEqual(self.get_part("P2").move_id, moves[1])
                self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)
                self.assertBalanced()

    def test_no_part_takes_the_invoice_of_another_one(self):
        lines = self.po_line("10", "P1", 1), self.po_line("10", "P2", 2)
        self.send(*lines)
        self.get_part("P1").move_id.unlink()
        self.get_part("P2").move_id.action_post()
        move = self.forget()
        self.send(*lines)
        self.assertEqual(self.get_part("P2").move_id, move)
        self.assertBilled(P1=10, P2=10)
        self.assertBalanced()

    def test_of_two_invoices_with_the_number_it_is_the_one_with_the_amount(self):
        self.customer.is_split_by_po = False
        line = self.po_line("10", "P1", 1)
        self.send(line)
        move = self.documents.move_id
        other = move.copy({"invoice_origin": "INV-1"})
        for price, state in ((4, "invoiced"), (10, "held")):
            with self.subTest(price=price), self.undone():
                other.invoice_line_ids.price_unit = price
                self.forget()
                self.send(line)
                self.assertEqual(self.documents.state, state)
                if state == "invoiced":
                    self.assertEqual(self.documents.move_id, move)
                else:
                    self.assertIn("Several invoices", self.documents.hold_message)
