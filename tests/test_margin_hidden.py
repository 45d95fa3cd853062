from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged

from ..const import E_INVOICE_BUILDER
from .test_bill import CopacoBillCommon
from .test_margin import line

# Cost, margin and margin in percent of the line that is billed on for 10.00.
SECRETS = ("7.77", "2.23", "22.3")
FIELDS = ["copaco_cost", "copaco_margin", "copaco_margin_percent"]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginHidden(CopacoBillCommon, HttpCase):
    """What Copaco bills is told to nobody but accountants."""

    def setUp(self):
        super().setUp()
        partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.add_known("S-1", lines=[line("10", Description="Widget")])
        self.add_purchase("P-1", {"A1": [line("7.77")]})
        self.fetch()
        self.invoice = (self.documents - self.purchases).move_id
        self.invoice.action_post()
        self.portal = new_test_user(
            self.env,
            "customer-portal",
            groups="base.group_portal",
            partner_id=self.env["res.partner"]
            .create({"name": "Baker", "parent_id": partner.id})
            .id,
        )

    @property
    def line(self):
        return self.invoice.invoice_line_ids.filtered("copaco_line_id")

    def assertHidden(self, text):
        self.assertIn("Widget", text)
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def test_no_document_for_a_customer_has_cost_or_margin(self):
        own = self.line.with_user(self.billing_user)
        self.assertEqual([round(own[name], 2) for name in FIELDS], [7.77, 2.23, 22.3])
        report, _type = self.env["ir.actions.report"]._render_qweb_html(
            "account.account_invoices", self.invoice.ids
        )
        self.assertHidden(report.decode())
        if E_INVOICE_BUILDER in self.env:
            builder = self.env[E_INVOICE_BUILDER]
            content, _errors = builder._export_invoice(self.invoice)
            self.assertHidden(content.decode())

    def test_no_portal_page_has_cost_or_margin(self):
        self.authenticate("customer-portal", "customer-portal")
        for report_type in (None, "html"):
            page = self.url_open(self.invoice.get_portal_url(report_type=report_type))
            self.assertEqual(page.status_code, 200)
            for secret in SECRETS:
                self.assertNotIn(secret, page.text)
        self.assertHidden(page.text)

    def test_who_is_no_accountant_reads_no_cost_or_margin(self):
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        for user in (self.portal, clerk):
            own = self.line.with_user(user)
            self.assertFalse(set(FIELDS) & set(own.fields_get()))
            for read in (
                lambda own=own: own.read(FIELDS),
                lambda own=own: own.web_read({"copaco_cost": {}}),
                lambda own=own: own.search([("copaco_margin", ">", 0)]),
                lambda own=own: own.formatted_read_group([], [], ["copaco_cost:sum"]),
                lambda own=own: own.env["copaco.margin"].search_read([], ["cost"]),
            ):
                with self.assertRaises(AccessError):
                    read()
