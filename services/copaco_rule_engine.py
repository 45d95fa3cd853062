from typing import NamedTuple

from odoo import api, models

from ..const import KINDS, PURCHASE_KINDS, Hold


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
        kind = KINDS[document.kind]
        journal = document.connection_id[kind.journal]
        # As `account.move.line._compute_account_id` does.
        account = product.product_tmpl_id.get_product_accounts(fiscal_position)[
            kind.product_account
        ] or fiscal_position.map_account(journal.default_account_id)
        if not account or not account.active:
            return self._get_account_hold(document, product, journal)
        base_taxes = self._get_base_taxes(document, product, account)
        if not base_taxes:
            return self._get_tax_hold(document, product, account)
        return LineMatch(product, account, fiscal_position.map_tax(base_taxes), None)

    @api.model
    def _get_base_taxes(self, document, product, account):
        """The taxes before the fiscal position, as
        `account.move.line._get_computed_taxes` finds them."""
        company, tax_use = document.company_id, KINDS[document.kind].tax_use
        taxes = product[KINDS[document.kind].product_taxes].filtered_domain(
            self.env["account.tax"]._check_company_domain(company)
        ) or account.tax_ids.filtered(lambda tax: tax.type_tax_use == tax_use)
        return taxes._filter_taxes_by_company(company)

    @api.model
    def _get_account_hold(self, document, product, journal):
        values = {
            "document": document.name,
            "product": product.display_name,
            "journal": journal.name,
        }
        if document.kind in PURCHASE_KINDS:
            message = self.env._(
                "There is no usable expense account for %(document)s. Set one on "
                "product %(product)s, on its category or on journal %(journal)s, then "
                "retry.",
                **values,
            )
        else:
            message = self.env._(
                "There is no usable income account for %(document)s. Set one on "
                "product %(product)s, on its category or on journal %(journal)s, then "
                "retry.",
                **values,
            )
        return Hold("account_missing", message)

    @api.model
    def _get_tax_hold(self, document, product, account):
        values = {
            "document": document.name,
            "product": product.display_name,
            "account": account.display_name,
        }
        if document.kind in PURCHASE_KINDS:
            message = self.env._(
                "There is no purchase tax for %(document)s. Set one on product "
                "%(product)s or on account %(account)s (a 0 %% tax when none is due), "
                "then retry.",
                **values,
            )
        else:
            message = self.env._(
                "There is no sales tax for %(document)s. Set one on product "
                "%(product)s or on account %(account)s (a 0 %% tax when none is due), "
                "then retry.",
                **values,
            )
        return Hold("tax_missing", message)
