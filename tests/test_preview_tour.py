from datetime import date

from odoo.tests import HttpCase, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestPreviewTour(CopacoCommon, HttpCase):
    """What a user clicks, in a real browser."""

    def test_a_preview_shows_the_figures_that_the_fetch_then_makes(self):
        self.billing_user.password = "billing-password"
        self.connection.import_from = False
        self.connection.layout_id = self.env["copaco.layout"].create(
            {"name": "Test", "section_by": "charge"}
        )
        self.create_partner(name="Bakkerij", ref="K-2")
        for number, account, amount, customer in (
            ("INV-1", "A1", "10", {"CompanyName": "Café Noord"}),
            ("INV-2", "A2", "20", {"CustomerNumber": "K-2"}),
        ):
            self.add_invoice(
                number,
                account,
                [price_line(amount)],
                customer=customer,
                created=date.today(),
            )
        self.start_tour("/odoo/copaco-connections", "copaco_preview", login="billing")
        previewed = self.env["copaco.preview.document"].sudo().search([])
        self.assertEqual(
            sorted(
                (each.invoice_number, each.outcome, each.amount_total)
                for each in previewed
            ),
            sorted(
                (each.invoice_number, each.state, each.move_id.amount_total)
                for each in self.documents
            ),
        )
        self.assertEqual(self.documents.move_id.amount_total, 24.2)
