from odoo.tests import freeze_time, tagged

from .test_po_numbers import PoNumberCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoRenumbered(PoNumberCommon):
    """Promise 1 where the lines of parts come under another number of Copaco's, or by
    another connection."""

    def get_lines(self):
        return (
            self.po_line("10", "P1", 1, InvoiceRowHash="row-1"),
            self.po_line("20", "P2", 2, InvoiceRowHash="row-2"),
        )

    def get_total(self):
        moves = self.env["account.move"].search([("company_id", "=", self.company.id)])
        return sum(moves.mapped("amount_untaxed_in_currency_signed"))

    def test_parts_under_another_number_are_billed_once(self):
        self.send(*self.get_lines(), number="81001")
        self.get_part("P1").move_id.action_post()
        self.send(*self.get_lines(), number="81100")
        self.assertEqual(
            self.documents.mapped("state"), ["invoiced"] * 2 + ["excluded"] * 2
        )
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    def test_it_is_switched_between_two_numbers_of_the_same_lines(self):
        for is_split in (True, False):
            with self.subTest(is_split=is_split), self.undone():
                self.customer.is_split_by_po = not is_split
                first = self.send(*self.get_lines(), number="81001")
                self.customer.is_split_by_po = is_split
                self.send(*self.get_lines(), number="81100")
                self.assertEqual(
                    set((self.documents - first).mapped("state")), {"excluded"}
                )
                self.assertEqual(self.get_total(), 30)
                self.assertBalanced()

    def test_a_connection_that_takes_the_place_of_another_bills_nothing_twice(self):
        known = self.send(*self.get_lines())
        other = self._create_connection(name="New", base_url=self.simulator.url)
        other.api_key = "simulator-key"
        self.connection.active = False
        self.fetch(other)
        self.assertEqual(self.documents, known)
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    def test_two_accounts_of_a_contact_are_billed_each_for_itself(self):
        self.create_customer("A2", self.partner).is_split_by_po = True
        self.simulator.invoices.clear()
        for account in ("A1", "A2"):
            self.add_invoice(
                "INV-1",
                account,
                [self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)],
                customer={"CustomerNumber": "K-1"},
            )
        self.fetch()
        self.assertEqual(len(self.documents), 4)
        self.assertBilled(P1=20, P2=40)
        self.assertBalanced()
