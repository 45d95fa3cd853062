from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


class PoNumberCommon(CopacoChangeCommon):
    """A customer that gets one invoice per PO number."""

    def setUp(self):
        super().setUp()
        self.customer = self.create_customer("A1", self.partner)
        self.customer.is_split_by_po = True

    def po_line(self, amount, po_number, number, **values):
        return price_line(amount, number=number, SubPONumber=po_number, **values)

    def get_part(self, po_number):
        return self.documents.filtered(
            lambda document: (document.po_part or "") == po_number
        )

    def assertBilled(self, **amounts):
        """:param amounts: of all invoices together without tax, by PO number"""
        self.env.invalidate_all()
        booked = {}
        for move in self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "like", "out_%")]
        ):
            booked.setdefault(move.ref or "none", 0)
            booked[move.ref or "none"] -= move.amount_untaxed_in_currency_signed * -1
        self.assertEqual(
            {key: round(amount, 2) for key, amount in booked.items()}, amounts
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoNumbers(PoNumberCommon):
    """Promises 1 to 4 where a customer gets one invoice per PO number."""

    def test_each_po_number_has_an_invoice(self):
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            self.po_line("5", "P1", 3),
        )
        self.assertRecordValues(
            self.documents,
            [
                {"po_part": "P1", "state": "invoiced", "move_amount_untaxed": 15},
                {"po_part": "P2", "state": "invoiced", "move_amount_untaxed": 20},
            ],
        )
        self.assertEqual(self.documents.move_id.mapped("ref"), ["P1", "P2"])
        self.assertEqual(self.documents[0].name, "INV-1 · PO P1 · Customer A1")
        self.assertBalanced()

    def test_it_is_fetched_again_and_nothing_is_new(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        known = self.send(*lines)
        self.send(*lines)
        self.assertEqual(self.documents, known)
        self.assertFalse(known.version_ids)
        self.assertBilled(P1=10, P2=20)
        run = self.env["copaco.run"].search([], limit=1)
        self.assertEqual(
            (run.received_count, run.unchanged_count, run.amount_received), (2, 2, 30)
        )
        self.assertBalanced()
