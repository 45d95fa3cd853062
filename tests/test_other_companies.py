from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CopacoCommon


@tagged("post_install", "-at_install")
class TestOtherCompanies(CopacoCommon):
    """Companies that have no accounting yet, or keep it in another currency."""

    def test_a_company_without_a_sales_journal_is_told_so(self):
        company = self.env["res.company"].create({"name": "Nieuw B.V."})
        self.env.user.company_ids = [Command.link(company.id)]
        self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "sale")]
        ).unlink()
        with self.assertRaisesRegex(UserError, "Nieuw B.V. has no sales journal"):
            self._create_connection(company_id=company.id)
        with self.assertRaisesRegex(UserError, "Nieuw B.V. has no sales journal"):
            self.env["copaco.connection"].with_company(company).create(
                {
                    "name": "Test",
                    "product_id": self.product.id,
                    "base_url": "http://127.0.0.1/",
                }
            )

    def test_a_month_is_in_the_currency_of_its_documents(self):
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.env.ref("base.EUR").id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 0.9,
            }
        )
        # A company with entries can't change its currency.
        self.env.cr.execute(
            "UPDATE res_company SET currency_id = %s WHERE id = %s",
            [self.env.ref("base.USD").id, self.company.id],
        )
        self.env.invalidate_all()
        self.add_known()
        self.fetch()
        month = self.env["copaco.month"].search([("document_count", "=", 1)])
        self.assertEqual(month.currency_id.name, "EUR")
        self.assertIn("€", month.reconciliation)
        self.assertNotIn("$", month.reconciliation)
        others = self.env["copaco.month"].search(
            [("connection_id", "=", self.connection.id), ("document_count", "=", 0)]
        )
        self.assertEqual(set(others.currency_id.mapped("name")) - {"USD"}, set())

        self.add_known("INV-2", Currency="USD")
        self.fetch()
        self.env.invalidate_all()
        self.assertEqual(month.document_count, 2)
        self.assertEqual(month.currency_id.name, "USD", "the company's, as of several")
