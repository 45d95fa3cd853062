from psycopg2.errors import UniqueViolation

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .test_po_numbers import PoNumberCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoSpellings(PoNumberCommon):
    """A PO number that is written in other capitals or blanks is the same."""

    def test_spellings_of_a_po_number_share_an_invoice(self):
        self.send(
            self.po_line("10", "PO 4711", 1),
            self.po_line("20", "po4711", 2),
            self.po_line("5", "PO\u00a0 4711", 3),
            self.po_line("7", "PO 4712", 4),
        )
        self.assertEqual(self.documents.mapped("po_part"), ["PO 4711", "PO 4712"])
        self.assertBilled(**{"PO 4711": 35, "PO 4712": 7})
        for line in self.documents[0].move_id.invoice_line_ids:
            self.assertNotIn("4711", line.name)
        self.assertBalanced()

    def test_another_spelling_that_comes_later_is_the_same_document(self):
        known = self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        lines = self.po_line("10", "p1", 1), self.po_line("20", "P2", 2)
        self.send(*lines)
        self.assertEqual(self.documents, known)
        self.assertEqual(self.documents.mapped("po_part"), ["p1", "P2"])
        self.assertBilled(p1=10, P2=20)
        self.send(*lines, self.po_line("3", "P 1", 3))
        self.assertEqual(self.documents, known)
        self.assertBilled(p1=13, P2=20)
        self.assertBalanced()

    def test_a_line_that_is_added_in_another_spelling_changes_no_name(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.documents.move_id.action_post()
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            self.po_line("3", "p 1", 3),
        )
        self.assertEqual(self.documents.mapped("po_part"), ["P1", "P2"])
        self.assertWaits(self.documents[0])
        self.get_correction(self.documents[0])
        self.assertBilled(P1=13, P2=20)
        self.assertBalanced()

    def test_what_was_confirmed_keeps_its_spelling(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.documents.move_id.action_post()
        self.send(self.po_line("10", "p1", 1), self.po_line("20", "P2", 2))
        self.assertEqual(self.documents.mapped("po_part"), ["P1", "P2"])
        self.assertBilled(P1=10, P2=20)

    def test_lines_move_to_another_spelling_of_a_part_that_is_there(self):
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            self.po_line("5", "P1", 3),
        )
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            self.po_line("5", "p2", 3),
        )
        self.assertEqual(self.documents.mapped("po_part"), ["P1", "P2"])
        self.assertBilled(P1=10, P2=25)
        self.assertBalanced()

    def test_the_database_refuses_another_spelling_of_a_part(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        values = {"invoice_number": "INV-1", "po_part": "p 1", "is_po_part": True}
        with (
            self.assertRaises(UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.documents[0].sudo().copy(values)
            self.env.flush_all()

    def test_an_invoice_names_the_order_that_all_lines_have_in_any_spelling(self):
        self.customer.is_split_by_po = False
        document = self.send(
            self.po_line("10", "PO 4711", 1), self.po_line("20", "po4711", 2)
        )
        self.assertEqual(document.move_id.ref, "PO 4711")
        document.move_id.action_post()
        builder = self.env["account.edi.xml.ubl_bis3"]
        xml, _errors = builder._export_invoice(document.move_id)
        self.assertIn("<cac:OrderReference><cbc:ID>PO 4711<", xml.decode())
        self.assertNotIn("po4711", xml.decode())

    def test_a_heading_stands_over_all_spellings(self):
        self.customer.is_split_by_po = False
        self.customer.layout_id = self.env.ref("account_copaco.layout_po")
        document = self.send(
            self.po_line("10", "PO 4711", 1),
            self.po_line("20", "po4711", 2),
            self.po_line("7", "PO 4712", 3),
        )
        headings = document.move_id.invoice_line_ids.filtered(
            lambda line: line.display_type == "line_section"
        )
        self.assertEqual(
            headings.mapped("name"), ["PO number: PO 4711", "PO number: PO 4712"]
        )
        self.assertEqual(document.move_id.amount_untaxed, 37)
