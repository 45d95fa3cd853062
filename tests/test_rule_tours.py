from datetime import date

from odoo.tests import HttpCase, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .rules import RulesCommon


class RuleTourCommon(RulesCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.connection.import_from = False

    def add_invoice(self, *args, **values):
        # Time can't be frozen for the threads of the server.
        return super().add_invoice(*args, **{**values, "created": date.today()})

    def run_tour(self, url, name):
        self.start_tour(url, name, login=self.env.user.login)


@tagged("post_install", "-at_install")
class TestRuleTours(RuleTourCommon):
    """What a person clicks to say what lines become, in a real browser."""

    def test_plans_are_mapped_and_what_waited_is_invoiced(self):
        self.connection.unmatched_policy = "hold"
        telephony = self.add_product("Telephony")
        suggested = self.add_product("Plan M365")
        document = self.book(
            self.subscription("M365", "10.00"), self.subscription("VOIP", "5.00")
        )
        self.run_tour("/odoo/copaco-to-do", "copaco_map_plans")
        self.assertEqual(
            document.move_id.invoice_line_ids.product_id, suggested | telephony
        )

    def test_a_rule_is_made_from_a_line(self):
        telephony = self.add_product("Telephony")
        document = self.book(
            self.subscription("M365", "10.00"),
            self.subscription("VOIP", "5.00", line={"Description": "Telephone"}),
        )
        self.run_tour("/odoo/copaco-documents", "copaco_rule_from_line")
        self.assertEqual(
            document.move_id.invoice_line_ids.product_id, self.product | telephony
        )


@tagged("post_install", "-at_install")
class TestServiceTour(RuleTourCommon):
    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("nl")
    def setUpClass(cls):
        super().setUpClass()
        cls.product.write(
            {
                "name": "Cloud",
                "type": "service",
                "taxes_id": cls.company.account_sale_tax_id.ids,
            }
        )
        cls.company.vat = "NL123456782B90"

    def test_a_connection_shows_how_typical_customers_are_invoiced(self):
        self.run_tour("/odoo/copaco-connections", "copaco_typical_customers")
        self.assertEqual(self.product.taxes_id.mapped("name"), ["21% ST S"])
