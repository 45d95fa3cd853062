from odoo.tests import freeze_time, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import price_line
from .test_bill import CopacoBillCommon
from .test_services import BelgianCommon, ServicesCommon


class BillTaxCommon(ServicesCommon, CopacoBillCommon):
    """A new connection that fetches purchase invoices, in a chart of accounts of a
    country, and vendors of two."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.write({"fetch_purchases": True, "purchase_policy": "create"})
        cls.dutch = cls.create_vendor("nl", "NL123456782B90")
        cls.belgian = cls.create_vendor("be", "BE0477472701")

    @classmethod
    def create_vendor(cls, country, vat):
        return cls.env["res.partner"].create(
            {
                "name": f"Copaco {country}",
                "is_company": True,
                "country_id": cls.env.ref(f"base.{country}").id,
                "vat": vat,
            }
        )

    def make_bill(self, vendor, *lines, **values):
        """:return: the bill of Copaco's lines, or nothing when they are held"""
        self.connection.vendor_id = vendor
        self.add_purchase("P-1", {"A1": list(lines)}, **values)
        self.fetch()
        return self.purchases.move_id

    def taxed(self, amount, vat, number=1):
        """:return: a line with the VAT that Copaco states, 0 included"""
        return price_line(amount, number=number, VAT=vat, TaxZoneID="X")

    def get_purchase_reported(self, bill):
        """:return: as `get_reported`, as debit"""
        return {key: -amount for key, amount in self.get_reported(bill).items()}

    def assertHeld(self, reason, *words):
        self.assertEqual(self.purchases.hold_reason, reason)
        self.assertFalse(self.purchases.move_id)
        for word in words:
            self.assertIn(word, self.purchases.hold_message)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDutchBillTax(BillTaxCommon):
    """What Copaco bills a Dutch reseller is booked as a bookkeeper expects."""

    country = "NL"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("nl")
    def setUpClass(cls):
        super().setUpClass()

    def test_a_bill_of_a_dutch_vendor_is_input_tax(self):
        bill = self.make_bill(self.dutch, self.taxed("100", "21"))
        self.assertEqual(bill.amount_total, 121)
        self.assertEqual(bill.invoice_line_ids.account_id.code, "700100")
        self.assertEqual(
            self.get_purchase_reported(bill), {("NL_VAT_5b", "5b (BTW)"): 21}
        )

    def test_a_bill_of_a_belgian_vendor_is_reverse_charged(self):
        bill = self.make_bill(self.belgian, self.taxed("100", "0"))
        self.assertEqual(bill.amount_total, 100)
        self.assertEqual(bill.invoice_line_ids.account_id.code, "700200")
        self.assertEqual(
            self.get_purchase_reported(bill),
            {
                ("NL_VAT_4b", "4b (omzet)"): 100,
                ("NL_VAT_4b", "4b (BTW)"): -21,
                ("NL_VAT_5b", "5b (BTW)"): 21,
            },
        )

    def test_vat_of_a_reverse_charged_bill_is_held(self):
        self.make_bill(self.belgian, self.taxed("100", "21"))
        self.assertHeld("vat_differs", "0.00", "21.00")

    def test_vat_of_a_reverse_charged_bill_is_no_rounding_however_small(self):
        self.make_bill(self.belgian, self.taxed("0.10", "0.02"))
        self.assertHeld("vat_differs", "0.02")

    def test_no_vat_of_a_dutch_bill_is_held(self):
        self.make_bill(self.dutch, self.taxed("100", "0"))
        self.assertHeld("vat_differs", "21.00", "0.00")

    def test_a_vendor_abroad_without_vat_number_is_no_domestic_one(self):
        self.belgian.vat = False
        self.make_bill(self.belgian, price_line("100"))
        self.assertHeld("vendor_unknown", "Belgium", "VAT number")
        self.belgian.vat = "BE0477472701"
        self.act(self.purchases, "action_retry")
        self.run_crons()
        self.assertEqual(self.purchases.move_id.amount_total, 100)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBelgianBillTax(BelgianCommon, BillTaxCommon):
    """What Copaco bills a Belgian reseller is booked as a bookkeeper expects."""

    @property
    def replacement(self):
        templates = self.env["account.chart.template"].with_company(self.company)
        return templates.ref("attn_VAT-IN-V82-21-EU-S")

    def test_a_bill_of_a_belgian_vendor_is_deducted(self):
        bill = self.make_bill(self.belgian, self.taxed("100", "21"))
        self.assertEqual(bill.amount_total, 121)
        self.assertEqual(bill.invoice_line_ids.account_id.code, "602000")
        self.assertEqual(
            self.get_purchase_reported(bill),
            {("c82", "82"): 100, ("c59", "59"): 21},
        )

    def test_a_bill_of_a_dutch_vendor_is_reverse_charged(self):
        bill = self.make_bill(self.dutch, self.taxed("100", "0"))
        self.assertEqual(bill.amount_total, 100)
        self.assertEqual(bill.invoice_line_ids.account_id.code, "602000")
        self.assertEqual(
            self.get_purchase_reported(bill),
            {
                ("c82", "82"): 100,
                ("c88", "88"): 100,
                ("c55", "55"): -21,
                ("c59", "59"): 21,
            },
        )

    def test_a_bill_that_says_nothing_of_vat_is_reverse_charged_too(self):
        bill = self.make_bill(self.dutch, price_line("100"))
        self.assertEqual(bill.amount_total, 100)

    def test_a_credit_of_a_dutch_vendor_is_reverse_charged(self):
        bill = self.make_bill(self.dutch, self.taxed("-100", "0"))
        self.assertEqual((bill.move_type, bill.amount_total), ("in_refund", 100))

    def test_dutch_vat_is_held(self):
        self.make_bill(self.dutch, self.taxed("100", "21"))
        self.assertHeld("vat_differs", "0.00", "21.00")

    def test_an_archived_tax_for_other_countries_is_named(self):
        self.replacement.active = False
        self.make_bill(self.dutch, price_line("100"))
        self.assertHeld("tax_missing", "Intra-Community", "21% EU S", "Activate")
        self.replacement.active = True
        self.act(self.purchases, "action_retry")
        self.run_crons()
        self.assertEqual(self.purchases.move_id.amount_total, 100)

    def test_an_archived_tax_for_other_countries_is_not_asked_for_at_home(self):
        self.replacement.active = False
        bill = self.make_bill(self.belgian, price_line("100"))
        self.assertEqual(bill.amount_total, 121)

    def test_a_vendor_without_country_is_where_the_sender_is(self):
        self.dutch.write({"country_id": False, "vat": False})
        self.connection.vendor_id = self.dutch
        invoice = self.add_purchase("P-1", {"A1": [price_line("100")]})
        invoice.content["Sender"]["CountryCode"] = "NL"
        self.fetch()
        self.assertHeld("vendor_unknown", "Netherlands", "VAT number")

    def test_a_fiscal_position_that_a_person_chose_decides(self):
        self.dutch.vat = False
        position = self.env["account.fiscal.position"].search(
            [("name", "=", "Intra-Community"), ("company_id", "=", self.company.id)]
        )
        self.dutch.property_account_position_id = position
        bill = self.make_bill(self.dutch, self.taxed("100", "0"))
        self.assertEqual(bill.fiscal_position_id, position)
        self.assertEqual(bill.amount_total, 100)

    def test_a_purchase_tax_of_goods_is_warned_of_and_replaced(self):
        goods_tax = self.company.account_purchase_tax_id
        sales_tax = self.percent_tax(6, type_tax_use="sale")
        product = self._create_product(
            name="Telephony",
            type="service",
            taxes_id=sales_tax,
            supplier_taxes_id=goods_tax,
        )
        rule = self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "plan_ref": "VOIP",
                "purchase_tax_ids": goods_tax.ids,
            }
        )
        self.connection.product_id = product
        for name in ("Telephony", "VOIP"):
            self.assertIn(name, self.connection.goods_tax_warning)
        self.connection.purchase_policy = "link"
        self.assertFalse(self.connection.goods_tax_warning)
        self.connection.purchase_policy = "create"
        self.connection.action_use_services()
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.goods_tax_warning)
        taxes = product.taxes_id._filter_taxes_by_company(self.company)
        self.assertEqual(taxes, sales_tax)
        bill = self.make_bill(self.dutch, price_line("100"))
        self.assertIn(("c88", "88"), self.get_purchase_reported(bill))
        self.assertEqual(rule.purchase_tax_ids.mapped("name"), ["21% S"])

    def test_what_a_person_chose_to_book_on_stays(self):
        product = self.own_product.with_company(self.company)
        chosen = product.property_account_expense_id.copy()
        product.write(
            {"property_account_expense_id": chosen, "property_account_income_id": False}
        )
        self._create_connection(name="Another", product_id=product.id)
        self.assertEqual(product.property_account_expense_id, chosen)
