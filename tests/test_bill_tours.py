from datetime import date

from odoo.tests import HttpCase, tagged

from .common import price_line
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
class TestBillTours(CopacoBillCommon, HttpCase):
    """What a user clicks about bills and margins, in a real browser."""

    def setUp(self):
        super().setUp()
        self.connection.import_from = date.today().replace(day=1)

    def receive(self, amount):
        """Let Copaco send a purchase invoice, and fetch it."""
        today = date.today()
        self.add_purchase(
            "P-1", {"A1": [price_line(amount)]}, today, Date=f"{today:%Y%m%d}"
        )
        self.fetch()

    def test_a_bill_that_was_entered_first_is_linked_although_it_differs(self):
        bill = self.enter_bill("P-1", 14)
        self.receive("15")
        self.start_tour("/odoo/copaco-to-do", "copaco_bill_differs", login="billing")
        self.assertEqual(self.purchases.move_id, bill)

    def test_a_bill_that_was_received_first_is_linked(self):
        bill = self.enter_bill("P-1", 15)
        self.receive("15")
        self.start_tour(
            f"/odoo/copaco-documents/{self.purchases.id}",
            "copaco_bill_linked",
            login="billing",
        )
        self.assertEqual(self.purchases.move_id, bill)

    def test_a_bill_that_was_received_after_the_draft_takes_its_place(self):
        self.receive("15")
        draft = self.purchases.move_id
        received = self.enter_bill("P-1", 15)
        self.start_tour(
            f"/odoo/vendor-bills/{draft.id}", "copaco_bill_received", login="billing"
        )
        self.assertFalse(draft.exists())
        self.assertEqual(self.purchases.move_id, received)

    def test_a_finding_is_accepted_with_a_reason(self):
        today = date.today()
        day = f"{today:%Y%m%d}"
        row = {"InvoiceRowHash": "row"}
        self.add_known(lines=[price_line("10", **row)], created=today, Date=day)
        self.add_purchase("P-1", {"A1": [price_line("11", **row)]}, today, Date=day)
        self.fetch()
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        self.start_tour("/odoo/copaco-findings", "copaco_finding", login="billing")
        finding = self.env["copaco.finding"].search([("kind", "=", "below_cost")])
        self.assertEqual(finding.reason, "Agreed with the customer")
