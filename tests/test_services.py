from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import CopacoCommon, price_line


class BelgianCommon:
    """The tests of the other class, in a Belgian company."""

    country = "BE"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("be_comp")
    def setUpClass(cls):
        super().setUpClass()


class ServicesCommon(CopacoCommon):
    """A connection as a new user gets it, in a chart of accounts of a country."""

    country = foreign = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own_product = cls.env.ref("account_copaco.product_cloud_services")
        # As the addon is installed: with the tax that Odoo gives to new products.
        cls.own_product.taxes_id = cls.company.account_sale_tax_id
        cls.own_product.supplier_taxes_id = cls.company.account_purchase_tax_id
        cls.connection = cls._create_connection(
            name="New", product_id=cls.own_product.id
        )
        cls.company.vat = {"NL": "NL123456782B90", "BE": "BE0477472701"}[cls.country]

    def book(self, **partner):
        """Invoice a hundred euros to a customer, and post that.

        :return: the invoice
        """
        self.create_partner(name="Customer", ref="K-1", **partner)
        self.add_known(lines=[price_line("100.00")])
        self.fetch()
        move = self.documents.move_id
        self.assertTrue(move, self.documents.hold_message)
        move.action_post()
        return move

    def get_reported(self, move):
        """:return: dict of the amounts in the tax report by (code of the line, tag)"""
        return {
            (
                tag._get_related_tax_report_expressions().report_line_id.code,
                tag.name,
            ): -line.balance
            for line in move.line_ids
            for tag in line.tax_tag_ids
        }

    def get_shown(self):
        """:return: list of (account, names of taxes, codes of report lines) of the
        typical customers"""
        setup = self.env["copaco.service.setup"]
        return [
            (
                customer.match.account.code,
                customer.match.taxes.mapped("name"),
                set(customer.report_lines.mapped("code")),
            )
            for customer in setup._get_typical_customers(self.connection)
        ]

    def assertAsShown(self, move, which):
        """The invoice is booked as was shown of a typical customer."""
        line = move.invoice_line_ids
        self.assertEqual(
            self.get_shown()[which],
            (
                line.account_id.code,
                line.tax_ids.mapped("name"),
                {code for code, _tag in self.get_reported(move)},
            ),
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDutchServices(ServicesCommon):
    country = "NL"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("nl")
    def setUpClass(cls):
        super().setUpClass()

    def test_a_new_connection_books_services(self):
        product = self.own_product.with_company(self.company)
        self.assertEqual(product.property_account_income_id.code, "800500")
        self.assertEqual(product.taxes_id.mapped("name"), ["21% ST S"])
        self.assertEqual(product.supplier_taxes_id.mapped("name"), ["21% S"])
        self.assertFalse(self.connection.goods_tax_warning)

    def test_a_product_without_purchase_tax_gets_one_unless_a_person_chose_it(self):
        product = self.own_product.with_company(self.company)
        chosen = self.percent_tax(5, type_tax_use="purchase")
        for taxes, name in (
            (self.env["account.tax"], "21% S"),
            (chosen, chosen.name),
        ):
            product.property_account_income_id = False
            product.supplier_taxes_id = taxes
            self._create_connection(name="Another", product_id=product.id)
            self.assertEqual(product.supplier_taxes_id.mapped("name"), [name])

    def test_a_domestic_business_pays_tax(self):
        move = self.book(vat="NL123456782B90")
        self.assertEqual(
            self.get_reported(move),
            {("NL_VAT_1a", "1a (omzet)"): 100, ("NL_VAT_1a", "1a (BTW)"): 21},
        )
        self.assertAsShown(move, 0)

    def test_a_business_in_another_country_is_reported_as_services(self):
        move = self.book(country_id=self.env.ref("base.be").id, vat="BE0477472701")
        self.assertEqual(self.get_reported(move), {("NL_VAT_3bs", "3bs (omzet)"): 100})
        self.assertAsShown(move, 1)

    def test_a_private_person_pays_tax(self):
        move = self.book(is_company=False)
        self.assertEqual(move.amount_tax, 21)
        self.assertAsShown(move, 2)

    def test_a_tax_of_goods_is_warned_of_and_replaced(self):
        product = self.own_product.with_company(self.company)
        company = self.setup_other_company()["company"]
        other = self.percent_tax(9, company_id=company.id)
        product = product.sudo()
        product.taxes_id = self.company.account_sale_tax_id | other
        of_rule = self._create_product(
            name="Telephony",
            type="service",
            taxes_id=self.company.account_sale_tax_id,
            property_account_income_id=product.property_account_income_id.copy().id,
        )
        chosen = of_rule.property_account_income_id
        self.env["copaco.rule"].create(
            {"company_id": self.company.id, "product_id": of_rule.id}
        )
        for name in ("Cloud services", "Telephony"):
            self.assertIn(name, self.connection.goods_tax_warning)
        self.connection.action_use_services()
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.goods_tax_warning)
        taxes = of_rule.taxes_id._filter_taxes_by_company(self.company)
        self.assertEqual(taxes.mapped("name"), ["21% ST S"])
        self.assertEqual(of_rule.property_account_income_id, chosen)
        self.assertEqual(set(product.taxes_id.mapped("name")), {"21% ST S", other.name})

    def test_a_rule_that_gives_services_a_tax_of_goods_is_warned_of(self):
        goods = self._create_product(name="Router", type="consu")
        tax = self.company.account_sale_tax_id
        values = {"company_id": self.company.id, "tax_ids": tax.ids}
        rule, _of_goods = self.env["copaco.rule"].create(
            [
                {**values, "plan_ref": "VOIP"},
                {**values, "plan_ref": "ROUTER", "product_id": goods.id},
            ]
        )
        self.assertIn("Plan ID: VOIP", self.connection.goods_tax_warning)
        self.assertNotIn("ROUTER", self.connection.goods_tax_warning)
        self.connection.action_use_services()
        self.assertEqual(rule.tax_ids.mapped("name"), ["21% ST S"])
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.goods_tax_warning)

    def test_what_a_person_chose_stays_when_another_connection_is_made(self):
        product = self.own_product.with_company(self.company)
        account = product.property_account_income_id.copy()
        product.property_account_income_id = account
        product.taxes_id = self.tax
        self._create_connection(name="Another", product_id=product.id)
        self.assertEqual(product.property_account_income_id, account)
        self.assertEqual(product.taxes_id, self.tax)

    def test_nobody_else_changes_how_it_is_booked(self):
        with self.assertRaises(UserError):
            self.connection.with_user(self.billing_user).action_use_services()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBelgianServices(BelgianCommon, ServicesCommon):
    @property
    def be(self):
        return self.env.ref("base.be")

    def test_a_new_connection_books_services(self):
        product = self.own_product.with_company(self.company)
        self.assertEqual(product.property_account_income_id.code, "700100")
        self.assertEqual(product.taxes_id.mapped("name"), ["21% S"])
        self.assertEqual(product.supplier_taxes_id.mapped("name"), ["21% S"])
        self.assertTrue(product.taxes_id.active)
        self.assertFalse(self.connection.goods_tax_warning)

    def test_a_domestic_business_pays_tax(self):
        move = self.book(country_id=self.be.id, vat="BE0477472701")
        self.assertEqual(
            self.get_reported(move), {("c03", "03"): 100, ("c54", "54"): 21}
        )
        self.assertAsShown(move, 0)

    def test_a_business_in_another_country_is_reported_as_services(self):
        move = self.book(vat="NL123456782B90")
        self.assertEqual(move.invoice_line_ids.account_id.code, "700610")
        self.assertEqual(self.get_reported(move), {("c44", "44"): 100})
        self.assertAsShown(move, 1)

    def test_a_private_person_pays_tax(self):
        move = self.book(country_id=self.be.id, is_company=False)
        self.assertEqual(move.amount_tax, 21)
        self.assertAsShown(move, 2)
