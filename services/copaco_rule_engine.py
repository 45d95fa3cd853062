from typing import NamedTuple

from odoo import api, models

from ..const import KINDS, Hold


class LineMatch(NamedTuple):
    """What a price line becomes."""

    product: models.BaseModel
    account: models.BaseModel
    taxes: models.BaseModel
    analytic_distribution: dict | None  # None: Odoo's own models decide


class CopacoRuleEngine(models.AbstractModel):
    """Searches, and never writes: product, account, taxes and analytic distribution of
    each line."""

    _name = "copaco.rule.engine"
    _description = "Copaco Rule Engine"

    @api.model
    def _match_lines(self, document, fiscal_position):
        """Decide what each line of a document becomes: the product of the connection.

        :param document: a `copaco.document`
        :param fiscal_position: `account.fiscal.position` of its customer
        :return: dict of `LineMatch` by `copaco.document.line`, or a `Hold`
        """
        match = self._match_default(document, fiscal_position)
        if isinstance(match, Hold):
            return match
        return dict.fromkeys(document._get_billed_lines(), match)

    @api.model
    def _match_default(self, document, fiscal_position):
        """:return: the `LineMatch` of the connection's product, or a `Hold`"""
        product = document.connection_id.product_id.with_company(document.company_id)
        return self._match_product(document, product, fiscal_position)

    @api.model
    def _match_product(self, document, product, fiscal_position):
        """:return: the `LineMatch` of a product, or a `Hold`"""
        journal = document.connection_id.journal_id
        # As `account.move.line._compute_account_id` does for a sale.
        account = product.product_tmpl_id.get_product_accounts(fiscal_position)[
            "income"
        ] or fiscal_position.map_account(journal.default_account_id)
        if not account or not account.active:
            return Hold(
                "account_missing",
                self.env._(
                    "There is no usable income account for %(document)s. Set one on "
                    "product %(product)s, on its category or on journal %(journal)s, "
                    "then retry.",
                    document=document.name,
                    product=product.display_name,
                    journal=journal.name,
                ),
            )
        base_taxes = self._get_base_taxes(document, product, account)
        if not base_taxes:
            return Hold(
                "tax_missing",
                self.env._(
                    "There is no sales tax for %(document)s. Set one on product "
                    "%(product)s or on account %(account)s (a 0 %% tax when none is "
                    "due), then retry.",
                    document=document.name,
                    product=product.display_name,
                    account=account.display_name,
                ),
            )
        return LineMatch(product, account, fiscal_position.map_tax(base_taxes), None)

    @api.model
    def _get_base_taxes(self, document, product, account):
        """The taxes before the fiscal position, as
        `account.move.line._get_computed_taxes` finds them."""
        company, tax_use = document.company_id, KINDS[document.kind].tax_use
        taxes = product.taxes_id.filtered_domain(
            self.env["account.tax"]._check_company_domain(company)
        ) or account.tax_ids.filtered(lambda tax: tax.type_tax_use == tax_use)
        return taxes._filter_taxes_by_company(company)
