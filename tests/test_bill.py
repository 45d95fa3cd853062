from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CREATED, CopacoCommon, copaco_invoice, price_line


class CopacoBillCommon(CopacoCommon):
    """A connection that also fetches what Copaco bills the reseller."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purchase_tax = cls.company_data["default_tax_purchase"]
        cls.product.supplier_taxes_id = cls.purchase_tax
        cls.vendor = cls.env["res.partner"].create(
            {"name": "Copaco Nederland B.V.", "is_company": True}
        )
        cls.connection.write({"fetch_purchases": True, "vendor_id": cls.vendor.id})

    def start_simulator(self, **options):
        result = super().start_simulator(**options)
        self.simulator.purchases.clear()
        return result

    def add_purchase(self, number, amounts, created=CREATED, **values):
        """Give the simulator a purchase invoice of several customers.

        :param amounts: dict of lists of `price_line` by account
        """
        invoices = [
            copaco_invoice(number, account, lines, **values)
            for account, lines in amounts.items()
        ]
        invoice = invoices[0]
        invoice["Receiver"] = {"AccountID": "reseller"}
        invoice["Sender"] = {"CompanyName": "Copaco Nederland B.V."}
        invoice["Customers"] = [each["Customers"][0] for each in invoices]
        return self.simulator.add_invoice(invoice, created, "invoices")

    @property
    def purchases(self):
        return self.documents.filtered(lambda each: each.kind == "purchase")

    def assertBalanced(self):
        for run in self.env["copaco.run"].search([]):
            self.assertTrue(run.is_balanced, run.balance_problem)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBill(CopacoBillCommon):
    """Copaco's purchase invoices become vendor bills."""

    def test_all_documents_of_a_purchase_invoice_become_one_draft_bill(self):
        self.add_known()
        self.add_purchase(
            "P-1",
            {
                "A1": [price_line("8.00", VAT="1.68"), price_line("2", VAT="0.42")],
                "A2": [price_line("5.005", VAT="1.05")],
                "A3": [price_line("-1.004", VAT="-0.21")],
            },
        )
        self.fetch()
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 3)
        bill = self.purchases.move_id
        self.assertRecordValues(
            bill,
            [
                {
                    "move_type": "in_invoice",
                    "state": "draft",
                    "ref": "P-1",
                    "partner_id": self.vendor.id,
                    "journal_id": self.connection.purchase_journal_id.id,
                    "invoice_date": date(2026, 11, 23),
                    "amount_untaxed": 14.0,
                    "amount_tax": 2.94,
                    "amount_total": 16.94,
                }
            ],
        )
        self.assertEqual(
            bill.invoice_line_ids.account_id,
            self.product.product_tmpl_id.get_product_accounts()["expense"],
        )
        self.assertBalanced()
        self.fetch()
        self.assertEqual(self.purchases.move_id, bill)
        self.assertEqual(
            self.env["account.move"].search_count(
                [("move_type", "=", "in_invoice"), ("ref", "=", "P-1")]
            ),
            1,
        )
