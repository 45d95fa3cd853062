from datetime import date

from odoo.tests import HttpCase, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestTours(CopacoCommon, HttpCase):
    """What a user clicks, in a real browser."""

    def setUp(self):
        super().setUp()
        self.billing_user.password = "billing-password"
        self.connection.import_from = False
        self.add_invoice(
            "INV-1",
            "A1",
            [price_line("10")],
            customer={"CompanyName": "Café Noord"},
            created=date.today(),
        )

    def test_the_button_on_the_invoice_list_fetches_and_shows_the_proof(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        self.add_invoice(
            "INV-2",
            "A2",
            [price_line("20")],
            customer={"CustomerNumber": "K-2"},
            created=date.today(),
        )
        self.start_tour("/odoo/customer-invoices", "copaco_fetch", login="billing")
        self.assertEqual(self.documents.mapped("state"), ["held", "invoiced"])

    def test_a_suggestion_is_accepted_and_invoiced(self):
        partner = self.create_partner(name="Café Noord B.V.")
        self.fetch()
        self.start_tour("/odoo/copaco-to-do", "copaco_decide", login="billing")
        self.assertEqual(self.documents.move_id.partner_id, partner)

    def test_the_key_is_set_in_a_dialog_and_never_shown_back(self):
        self.start_simulator(
            api_key="simulator-key-of-the-tour", auth_method="x_api_key"
        )
        self.env.user.password = "manager-password"
        self.start_tour(
            "/odoo/copaco-connections", "copaco_set_key", login=self.env.user.login
        )
        self.assertEqual(self.connection.auth_method, "x_api_key")
