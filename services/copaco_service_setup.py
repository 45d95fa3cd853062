from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError

from ..const import DEFAULT_KIND
from ..hold_reasons import Hold
from ..tools import enumerate_names


class Chart(NamedTuple):
    """Where a chart of accounts has what services are booked with: external ids, as
    its templates name them."""

    account: str
    tax: str
    goods_taxes: tuple
    expense_account: str | None  # None: that of the company is right
    purchase_tax: str
    eu_purchase_tax: str
    purchase_goods_taxes: tuple


DUTCH = Chart(
    "8005",
    "btw_21_d",
    ("btw_21", "btw_9", "btw_0", "btw_overig"),
    None,
    "btw_21_buy_d",
    "btw_I_21_d",
    ("btw_21_buy", "btw_9_buy", "btw_overig_buy"),
)
BELGIAN = Chart(
    "a7001",
    # It isn't active in a new database. The other one is of goods: the fiscal position
    # for other EU countries would report it as a delivery.
    "attn_VAT-OUT-21-S",
    tuple(f"attn_VAT-OUT-{rate}-L" for rate in ("21", "12", "06", "00")),
    "a602",
    "attn_VAT-IN-V82-21-S",
    # Nor is this one active, without which Odoo would not reverse the charge.
    "attn_VAT-IN-V82-21-EU-S",
    tuple(f"attn_VAT-IN-V81-{rate}" for rate in ("21", "12", "06", "00")),
)
# Of taxes, where a chart of accounts tells: goods, and goods for resale.
GOODS_SCOPES = ("consu", "merch")
CHARTS = {"nl": DUTCH, "be": BELGIAN, "be_comp": BELGIAN, "be_asso": BELGIAN}


class ServiceProposal(NamedTuple):
    """What a company books services with, as far as its chart of accounts says."""

    account: models.BaseModel
    tax: models.BaseModel
    goods_taxes: models.BaseModel
    expense_account: models.BaseModel
    purchase_tax: models.BaseModel
    eu_purchase_tax: models.BaseModel
    purchase_goods_taxes: models.BaseModel


class TypicalCustomer(NamedTuple):
    """How an invoice is booked for a customer of a kind."""

    name: str
    fiscal_position: models.BaseModel
    match: object  # a `LineMatch` or a `Hold`
    report_lines: models.BaseModel  # `account.report.line`


class CopacoServiceSetup(models.AbstractModel):
    """Services are booked as services, and not as the goods that a chart of accounts
    has by default."""

    _name = "copaco.service.setup"
    _description = "Copaco Service Set-up"

    def _get_proposal(self, company):
        """:param company: `res.company`
        :return: `ServiceProposal`, empty where its chart of accounts is not known
        """
        owner = company.root_id
        chart = CHARTS.get(owner.chart_template)
        if not chart:
            account, tax = self.env["account.account"], self.env["account.tax"]
            return ServiceProposal(account, tax, tax, account, tax, tax, tax)

        def find(model, *names):
            records = self.env[model]
            templates = self.env["account.chart.template"].with_company(owner)
            for name in filter(None, names):
                records |= templates.ref(name, raise_if_not_found=False) or records
            return records

        return ServiceProposal(
            find("account.account", chart.account),
            find("account.tax", chart.tax),
            find("account.tax", *chart.goods_taxes),
            find("account.account", chart.expense_account),
            find("account.tax", chart.purchase_tax),
            find("account.tax", chart.eu_purchase_tax),
            find("account.tax", *chart.purchase_goods_taxes),
        )

    def _set_up_own_product(self, connection):
        """Have the addon's own product booked as a service, unless someone has chosen
        its account in this company.

        :param connection: `copaco.connection`
        """
        product = connection.product_id.with_company(connection.company_id)
        own = self.env.ref("account_copaco.product_cloud_services", False)
        if product == own and not product.property_account_income_id:
            self._apply(connection, product)

    def _use_services(self, connection):
        """Have the products of a connection and of its rules booked as services that
        have a tax of goods, and rules that have one give the tax for services.

        :param connection: `copaco.connection`
        :raise UserError: when the chart of accounts doesn't say how
        """
        connection.check_access("write")
        company = connection.company_id
        tax = self._get_proposal(company).tax
        if not tax:
            raise UserError(
                self.env._(
                    "The addon doesn't know which tax the chart of accounts of "
                    "%(company)s has for services. Choose it on product %(product)s.",
                    company=company.name,
                    product=connection.product_id.display_name,
                )
            )
        self._apply(connection, self._get_products_with_goods_tax(connection))
        for rule in self._get_rules_with_goods_tax(connection):
            tax.sudo().active = True
            goods_taxes = rule.tax_ids.filtered(
                lambda each: self._has_goods_tax(each, company)
            )
            rule.tax_ids = rule.tax_ids - goods_taxes | tax
        for product in self._get_products_billed_as_goods(connection):
            self._apply_purchase_tax(product.sudo().with_company(company))
        for rule in self._get_rules_billed_as_goods(connection):
            goods_taxes = self._filter_goods_scope(rule.purchase_tax_ids, company)
            tax = self._activate_purchase_tax(company)
            rule.purchase_tax_ids = rule.purchase_tax_ids - goods_taxes | tax

    def _apply(self, connection, products):
        """Give products the taxes for services instead of those for goods, and those
        that have no account of their own the one for services. What they have in other
        companies, and other taxes, stay.

        :param connection: `copaco.connection`, which the user may change
        """
        connection.check_access("write")
        company = connection.company_id
        proposal = self._get_proposal(company)
        # An accounting administrator need not be one of products.
        for product in products.sudo().with_company(company):
            if proposal.account and not product.property_account_income_id:
                product.property_account_income_id = proposal.account
            if proposal.expense_account and not product.property_account_expense_id:
                product.property_account_expense_id = proposal.expense_account
            if proposal.tax:
                proposal.tax.sudo().active = True
                product.taxes_id = (
                    product.taxes_id - proposal.goods_taxes | proposal.tax
                )
            self._apply_purchase_tax(product)

    def _apply_purchase_tax(self, product):
        """Give a product the purchase tax for services instead of those for goods;
        another one is somebody's choice.

        :param product: `product.product` with the company whose taxes are meant
        """
        company = product.env.company
        goods_taxes = self._get_proposal(company).purchase_goods_taxes
        taxes = product.supplier_taxes_id - goods_taxes
        if not taxes._filter_taxes_by_company(company):
            product.supplier_taxes_id = taxes | self._activate_purchase_tax(company)

    def _activate_purchase_tax(self, company):
        """:return: `account.tax` for services that are bought, empty where the chart of
        accounts is not known; active, as is what replaces it within the EU"""
        proposal = self._get_proposal(company)
        (proposal.purchase_tax | proposal.eu_purchase_tax).sudo().active = True
        return proposal.purchase_tax

    # === WHAT THE USER SEES === #

    def _get_products_with_goods_tax(self, connection):
        """:return: `product.product` records of a connection and of its rules that are
        services and have a tax of goods"""
        company = connection.company_id
        rules = self.env["copaco.rule.engine"]._get_rules(company)
        return (connection.product_id | rules.product_id).filtered(
            lambda product: (
                product.type == "service"
                and self._has_goods_tax(product.taxes_id, company)
            )
        )

    def _get_rules_with_goods_tax(self, connection):
        """:return: `copaco.rule` records that give services a tax of goods"""
        company = connection.company_id
        return (
            self.env["copaco.rule.engine"]
            ._get_rules(company)
            .filtered(
                lambda rule: (
                    (rule.product_id or connection.product_id).type == "service"
                    and self._has_goods_tax(rule.tax_ids, company)
                )
            )
        )

    def _has_goods_tax(self, taxes, company):
        goods_taxes = self._get_proposal(company).goods_taxes
        return any(
            tax in goods_taxes or tax.tax_scope in GOODS_SCOPES
            for tax in taxes._filter_taxes_by_company(company)
        )

    def _get_products_billed_as_goods(self, connection):
        """:return: `product.product` records of a connection and of its rules that are
        services, and on bills have a tax that is reported as one of goods"""
        company = connection.company_id
        if not self._creates_bills(connection):
            return connection.product_id.browse()
        rules = self.env["copaco.rule.engine"]._get_rules(company)
        return (connection.product_id | rules.product_id).filtered(
            lambda product: (
                product.type == "service"
                and self._filter_goods_scope(product.supplier_taxes_id, company)
            )
        )

    def _get_rules_billed_as_goods(self, connection):
        """:return: the same of the purchase taxes of `copaco.rule` records"""
        company = connection.company_id
        rules = self.env["copaco.rule.engine"]._get_rules(company)
        return rules.filtered(
            lambda rule: (
                self._creates_bills(connection)
                and (rule.product_id or connection.product_id).type == "service"
                and self._filter_goods_scope(rule.purchase_tax_ids, company)
            )
        )

    def _creates_bills(self, connection):
        return connection.fetch_purchases and connection.purchase_policy == "create"

    def _filter_goods_scope(self, taxes, company):
        return taxes._filter_taxes_by_company(company).filtered(
            lambda tax: tax.tax_scope in GOODS_SCOPES
        )

    def _get_warning(self, connection):
        """:return: text that warns of services with a tax of goods, else False"""
        warnings = []
        if products := self._get_products_with_goods_tax(connection):
            warnings.append(
                self.env._(
                    "These products are services and have a tax of goods: "
                    "%(products)s. For customers in other EU countries the tax return "
                    "would be wrong. Use a tax for services.",
                    products=enumerate_names(self.env, products.mapped("display_name")),
                )
            )
        if rules := self._get_rules_with_goods_tax(connection):
            warnings.append(
                self.env._(
                    "These rules give services a tax of goods: %(rules)s. For "
                    "customers in other EU countries the tax return would be wrong. "
                    "Use a tax for services.",
                    rules=enumerate_names(self.env, rules.mapped("display_name")),
                )
            )
        products = self._get_products_billed_as_goods(connection)
        rules = self._get_rules_billed_as_goods(connection)
        if products or rules:
            names = [*products.mapped("display_name"), *rules.mapped("display_name")]
            warnings.append(
                self.env._(
                    "On bills, these are services and have a purchase tax of goods: "
                    "%(names)s. The tax return would be wrong. Use a tax for services.",
                    names=enumerate_names(self.env, names),
                )
            )
        return "\n".join(warnings) or False

    def _get_typical_customers(self, connection):
        """:return: list of `TypicalCustomer`, for the product of the connection"""
        company = connection.company_id
        self = self.with_company(company)
        domestic = company.account_fiscal_country_id
        abroad = self.env.ref("base.nl" if domestic.code == "BE" else "base.be")
        kinds = {
            self.env._("Domestic business"): (domestic, True),
            self.env._("Business in another EU country"): (abroad, True),
            self.env._("Private person"): (domestic, False),
        }
        engine = self.env["copaco.rule.engine"]
        document = self.env["copaco.document"].new(
            {
                "connection_id": connection._origin.id,
                "company_id": company.id,
                "kind": DEFAULT_KIND,
                "invoice_number": self.env._("an invoice"),
            }
        )
        no_rule = self.env["copaco.rule"]
        customers = []
        for name, (country, is_business) in kinds.items():
            position = self._get_fiscal_position(country, is_business)
            match = engine._match_product(document, no_rule, position)
            customers.append(
                TypicalCustomer(name, position, match, self._get_report_lines(match))
            )
        return customers

    def _get_fiscal_position(self, country, is_business):
        """:return: `account.fiscal.position` that Odoo detects for such a customer"""
        Partner = self.env["res.partner"]
        vals = {
            "country_id": country.id,
            "is_company": is_business,
            "vat": is_business and f"{country.code}000000000",
        }
        if "vies_valid" in Partner._fields:
            # Given, it is not looked up on the network.
            vals["vies_valid"] = is_business
        return self.env["account.fiscal.position"]._get_fiscal_position(
            Partner.new(vals)
        )

    def _get_report_lines(self, match):
        """:return: `account.report.line` records of the tax report, for an invoice"""
        if isinstance(match, Hold):
            return self.env["account.report.line"]
        taxes = match.taxes.flatten_taxes_hierarchy()
        tags = taxes.get_tax_tags(False, "base") | taxes.get_tax_tags(False, "tax")
        return tags._get_related_tax_report_expressions().report_line_id

    def _render(self, connection):
        """:return: `Markup` of how typical customers are invoiced"""
        customers = self._get_typical_customers(connection)
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_typical_customers",
            {
                "customers": customers,
                "company": connection.company_id,
                "is_hold": lambda match: isinstance(match, Hold),
            },
        )
