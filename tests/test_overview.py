from lxml import html

from odoo.tests import freeze_time, tagged
from odoo.tools import formatLang
from odoo.tools.safe_eval import safe_eval

from .common import price_line
from .test_bill import CopacoBillCommon

# What is added up of the records that a figure leads to.
MEASURES = {"copaco.overview.line": "amount"}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestOverview(CopacoBillCommon):
    """The owner's page: each figure is the sum of the records that it opens."""

    def get_overview(self):
        Overview = self.env["copaco.overview"].with_user(self.billing_user)
        return Overview.browse(Overview.action_view_overview()["res_id"])

    def get_rows(self, overview):
        """:return: list of the texts of the cells of each row"""
        page = html.fromstring(str(overview.figures))
        return [
            [cell.text_content().strip() for cell in row.xpath("./td|./th")]
            for row in page.iter("tr")
        ]

    def get_row(self, overview, label):
        return next(row[1:] for row in self.get_rows(overview) if row[0] == label)

    def show(self, *amounts):
        env = self.env(user=self.billing_user)
        return [
            formatLang(env, amount, currency_obj=self.company.currency_id)
            for amount in amounts
        ]

    def assertLinksAddUp(self, overview):
        """Each link leads to records that add up to its text."""
        links = html.fromstring(str(overview.figures)).xpath("//a[@href]")
        self.assertTrue(links)
        for link in links:
            active_id, path = link.get("href").split("/")[-2:]
            action = self.env["ir.actions.act_window"].search([("path", "=", path)])
            self.assertTrue(action, link.get("href"))
            domain = safe_eval(action.domain, {"active_id": int(active_id)})
            Model = self.env[action.res_model].with_user(self.billing_user)
            measure = MEASURES[action.res_model]
            records = Model.search(domain)
            self.assertTrue(records, link.get("href"))
            self.assertEqual(
                self.show(sum(records.mapped(measure))),
                [link.text_content().strip()],
                link.get("href"),
            )

    def test_each_month_says_what_was_received_and_what_became_of_it(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1", lines=[price_line("10"), price_line("0.004", number=2)])
        self.add_known("INV-2", lines=[price_line("7", number=3)], Date="20261023")
        self.add_invoice("INV-3", "unknown", [price_line("12.50")])
        self.fetch()
        overview = self.get_overview()
        self.assertEqual(overview.display_name, "November 2026")
        self.assertEqual(self.get_row(overview, "Received"), self.show(22.5, 7, 0))
        self.assertEqual(self.get_row(overview, "Invoiced"), self.show(10, 7, 0))
        self.assertEqual(
            self.get_row(overview, "Held for a decision"), self.show(12.5, 0, 0)
        )
        self.assertLinksAddUp(overview)
