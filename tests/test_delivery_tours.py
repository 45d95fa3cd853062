from datetime import date

from odoo.tests import HttpCase, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestDeliveryTours(CopacoCommon, HttpCase):
    """In a real browser: before and beside the sending of invoices."""

    browser_size = "1280x800"

    def setUp(self):
        super().setUp()
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        self.connection.write({"import_from": False, "invoice_policy": "post"})
        self.partner = self.create_partner(name="Bakkerij", ref="K-1", lang="en_US")
        today = date.today()
        self.add_known(lines=[price_line("10")], created=today, Date=f"{today:%Y%m%d}")
        self.fetch()

    def test_what_is_missing_is_mended_in_the_list(self):
        self.start_tour("/odoo/copaco-readiness", "copaco_readiness", login="billing")
        self.assertEqual(self.partner.email, "info@bakkerij.example")
        self.assertFalse(self.partner.copaco_missing)

    def test_a_month_has_a_mail_merge_sheet(self):
        self.start_tour("/odoo/copaco-months", "copaco_mail_merge", login="billing")
