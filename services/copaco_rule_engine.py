from typing import NamedTuple

from odoo import api, models

from ..const import KINDS, Hold
from ..tools import LineTraits, RuleConditions, RuleIndex, enumerate_names


class LineMatch(NamedTuple):
    """What a price line becomes."""

    rule: models.BaseModel  # `copaco.rule` that decided it; empty: none did
    product: models.BaseModel
    account: models.BaseModel
    taxes: models.BaseModel
    analytic_distribution: dict | None  # None: Odoo's own models decide


class RuleBook(NamedTuple):
    """The rules of a batch of documents, and what was made of them so far."""

    indexes: dict  # `RuleIndex` by `res.company`
    matches: dict  # `LineMatch` by what it depends on


class CopacoRuleEngine(models.AbstractModel):
    """Searches, and never writes: product, account, taxes and analytic distribution of
    each line."""

    _name = "copaco.rule.engine"
    _description = "Copaco Rule Engine"

    # === RULES === #

    @api.model
    def _get_rule_book(self, companies):
        """:return: `RuleBook` for documents of these `res.company` records"""
        return RuleBook({each: self._get_index(each) for each in companies}, {})

    @api.model
    def _get_rules(self, company):
        """:return: the `copaco.rule` records for a company, those that win first"""
        return (
            self.env["copaco.rule"]
            .sudo()
            .search([("company_id", "in", [False, *company.parent_ids.ids])])
        )

    @api.model
    def _get_index(self, company):
        """:return: `RuleIndex` of the rules for a company"""
        return RuleIndex(map(self._get_conditions, self._get_rules(company)))

    @api.model
    def _get_conditions(self, rule):
        """:param rule: a `copaco.rule`, saved or as it is being edited
        :return: `RuleConditions`, with the id 0 of one that was never saved
        """
        return RuleConditions(
            rule._origin.id or 0,
            rule.connection_id._origin.id,
            rule.customer_id._origin.id,
            rule.plan_ref or "",
            rule.plan_category or "",
            rule.text_contains or "",
            rule.charge_type or "",
            rule.billing_frequency or "",
        )

    @api.model
    def _get_traits(self, line):
        """:param line: a `copaco.document.line`
        :return: `LineTraits`"""
        document = line.document_id
        return LineTraits(
            document.connection_id.id,
            document.customer_id.id,
            line.plan_ref or "",
            line.plan_category or "",
            line.charge_type or "",
            line.billing_frequency or "",
            line.plan_name or "",
            line.subscription_name or "",
            line.description or "",
        )

    # === MATCHES === #

    @api.model
    def _match_lines(self, document, fiscal_position, book):
        """Decide what each line of a document becomes: what the first rule says that
        catches it, and the product of the connection where it says nothing.

        :param document: a `copaco.document`
        :param fiscal_position: `account.fiscal.position` of its customer
        :param book: `RuleBook`, see `_get_rule_book`
        :return: dict of `LineMatch` by `copaco.document.line`, or a `Hold`
        """
        index = book.indexes[document.company_id]
        rules = {
            line: self.env["copaco.rule"].browse(index.find(self._get_traits(line)))
            for line in document._get_billed_lines()
        }
        unmatched = [line for line, rule in rules.items() if not rule]
        if unmatched and document.connection_id.unmatched_policy == "hold":
            return self._get_unmatched_hold(document, unmatched)
        found = {}
        for rule in set(rules.values()):
            match = self._match_rule(document, rule, fiscal_position, book)
            if isinstance(match, Hold):
                return match
            if not match.analytic_distribution:
                own = document.customer_id.analytic_distribution
                match = match._replace(analytic_distribution=own or None)
            found[rule] = match
        return {line: found[rule] for line, rule in rules.items()}

    @api.model
    def _match_rule(self, document, rule, fiscal_position, book):
        """:param rule: a `copaco.rule`; empty: the product of the connection
        :return: its `LineMatch` for a document, or a `Hold`
        """
        key = document.connection_id, rule, fiscal_position
        if key not in book.matches:
            match = self._match_product(document, rule, fiscal_position)
            if isinstance(match, Hold):
                return match
            book.matches[key] = match
        return book.matches[key]

    @api.model
    def _match_product(self, document, rule, fiscal_position):
        """:return: see `_match_rule`"""
        connection = document.connection_id
        product = (rule.product_id or connection.product_id).with_company(
            document.company_id
        )
        if not product.active:
            return self._get_archived_hold(document, product)
        journal = connection.journal_id
        # As `account.move.line._compute_account_id` does for a sale.
        account = (
            fiscal_position.map_account(rule.account_id)
            or product.product_tmpl_id.get_product_accounts(fiscal_position)["income"]
            or fiscal_position.map_account(journal.default_account_id)
        )
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
        base_taxes = self._get_base_taxes(document, rule, product, account)
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
        return LineMatch(
            rule,
            product,
            account,
            fiscal_position.map_tax(base_taxes),
            rule.analytic_distribution or None,
        )

    @api.model
    def _get_unmatched_hold(self, document, lines):
        plans = dict.fromkeys(
            line.plan_name or line.plan_ref or line.display_name for line in lines
        )
        return Hold(
            "product_missing",
            self.env._(
                "%(document)s: no rule says which product there is for plan %(plans)s. "
                "Choose the product under Plans, or make a rule from the line, then "
                "retry.",
                document=document.name,
                plans=enumerate_names(self.env, plans),
            ),
        )

    @api.model
    def _get_archived_hold(self, document, product):
        return Hold(
            "account_missing",
            self.env._(
                "%(document)s can't be booked, because product %(product)s is "
                "archived. Restore it, or choose another one on connection "
                "%(connection)s or on the rule that says so, then retry.",
                document=document.name,
                product=product.display_name,
                connection=document.connection_id.name,
            ),
        )

    @api.model
    def _get_base_taxes(self, document, rule, product, account):
        """The taxes before the fiscal position, as
        `account.move.line._get_computed_taxes` finds them."""
        company, tax_use = document.company_id, KINDS[document.kind].tax_use
        taxes = (
            rule.tax_ids
            or product.taxes_id.filtered_domain(
                self.env["account.tax"]._check_company_domain(company)
            )
            or account.tax_ids.filtered(lambda tax: tax.type_tax_use == tax_use)
        )
        return taxes._filter_taxes_by_company(company)
