from typing import NamedTuple

from odoo import models
from odoo.tools import LazyTranslate

from ..const import KINDS, PURCHASE_KINDS
from ..hold_reasons import Hold
from ..tools import LineTraits, RuleConditions, RuleIndex, list_names

_lt = LazyTranslate(__name__)


class LineMatch(NamedTuple):
    """What a price line becomes."""

    rule: models.BaseModel  # `copaco.rule` that decided it; empty: none did
    product: models.BaseModel
    account: models.BaseModel
    taxes: models.BaseModel
    analytic_distribution: dict | None  # Odoo's own models add other plans


class RuleBook(NamedTuple):
    """The rules of a batch of documents, and what was made of them so far."""

    indexes: dict  # `RuleIndex` by `res.company`
    rules: dict  # `copaco.rule` by id, read all at once; by None an empty one
    matches: dict  # `LineMatch` by what it depends on


class CopacoRuleEngine(models.AbstractModel):
    """Searches, and never writes: product, account, taxes and analytic distribution of
    each line."""

    _name = "copaco.rule.engine"
    _description = "Copaco Rule Engine"

    # === RULES === #

    def _get_rule_book(self, companies):
        """:return: `RuleBook` for documents of these `res.company` records"""
        rules = {company: self._get_rules(company) for company in companies}
        indexes = {company: self._build_index(own) for company, own in rules.items()}
        every = self.env["copaco.rule"].sudo().union(*rules.values())
        return RuleBook(
            indexes, {None: every.browse(), **{rule.id: rule for rule in every}}, {}
        )

    def _get_rules(self, company):
        """:return: the `copaco.rule` records for a company, those that win first"""
        return (
            self.env["copaco.rule"]
            .sudo()
            .search([("company_id", "in", [False, *company.parent_ids.ids])])
        )

    def _get_index(self, company):
        """:return: `RuleIndex` of the rules for a company"""
        return self._build_index(self._get_rules(company))

    def _build_index(self, rules):
        """:param rules: iterable of `copaco.rule` records, those that win first
        :return: `RuleIndex`
        """
        successions = {}
        if any(rule.connection_id for rule in rules):
            successions = self.env["copaco.replacement"]._get_successions()
        return RuleIndex(self._get_conditions(rule, successions) for rule in rules)

    def _get_conditions(self, rule, successions):
        """:param rule: a `copaco.rule`, saved or as it is being edited
        :param successions: see `copaco.replacement._get_successions`
        :return: `RuleConditions`, with the id 0 of one that was never saved
        """
        connection = rule.connection_id._origin
        return RuleConditions(
            rule._origin.id or 0,
            successions[connection.id] if connection else frozenset(),
            rule.customer_id._origin.id,
            rule.plan_ref or "",
            rule.plan_category or "",
            rule.text_contains or "",
            rule.charge_type or "",
            rule.billing_frequency or "",
        )

    def _get_traits(self, document):
        """Yield the `LineTraits` of each line of a document that is billed.

        :param document: a `copaco.document`
        :return: iterator of (`copaco.document.line`, `LineTraits`)
        """
        owners = document.connection_id.id, document.customer_id.id
        for line in document._get_billed_lines():
            texts = (line[name] or "" for name in LineTraits._fields[len(owners) :])
            yield line, LineTraits(*owners, *texts)

    def _find_rule(self, line):
        """:param line: a `copaco.document.line`
        :return: the `copaco.rule` that catches it as the rules are now; empty for none
        """
        traits = dict(self._get_traits(line.document_id)).get(line)
        rule_id = traits and self._get_index(line.company_id).find(traits)
        return self.env["copaco.rule"].sudo().browse(rule_id)

    def _find_unmatched(self, document):
        """:param document: a `copaco.document`
        :return: those of its `copaco.document.line` records that no rule catches
        """
        index = self._get_index(document.company_id)
        return document.line_ids.browse(
            line.id
            for line, traits in self._get_traits(document)
            if not index.find(traits)
        )

    # === MATCHES === #

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
            line: book.rules[index.find(traits)]
            for line, traits in self._get_traits(document)
        }
        unmatched = [line for line, rule in rules.items() if not rule]
        is_sale = KINDS[document.kind].tax_use == "sale"
        if unmatched and is_sale and document.connection_id.unmatched_policy == "hold":
            return self._get_unmatched_hold(document, unmatched)
        customer = document.customer_id
        if self._has_missing_account(customer):
            return self._get_customer_analytic_hold(document, customer)
        found = {}
        for rule in dict.fromkeys(rules.values()):
            match = self._match_rule(document, rule, fiscal_position, book)
            if isinstance(match, Hold):
                return match
            found[rule] = match._replace(
                analytic_distribution=self._combine_distributions(
                    match.analytic_distribution, customer.analytic_distribution
                )
            )
        return {line: found[rule] for line, rule in rules.items()}

    def _combine_distributions(self, first, other):
        """As `account.analytic.distribution.model._get_distribution` does with its
        models: what has a plan of the first is left out.

        :param first: analytic distribution of a rule, or None
        :param other: that of a customer, or None
        :return: both together, None when there is none
        """
        if not first or not other:
            return first or other or None

        first_plans = self._get_analytic_accounts(first).root_plan_id
        if first_plans & self._get_analytic_accounts(other).root_plan_id:
            return first
        return first | other

    def _get_analytic_accounts(self, distribution):
        """:return: the `account.analytic.account` records of an analytic distribution,
        of which some may be deleted by now"""
        mixin = self.env["analytic.mixin"]
        ids = mixin._get_analytic_account_ids_from_distributions(distribution)
        return self.env["account.analytic.account"].sudo().browse(ids)

    def _has_missing_account(self, record):
        """Whether a `copaco.rule` or `copaco.customer` distributes to an analytic
        account that is deleted or archived: Odoo would leave its part out, and doesn't
        show it any more where the distribution is entered."""
        if not record.analytic_distribution:
            return False
        accounts = self._get_analytic_accounts(record.analytic_distribution)
        return accounts != accounts.exists().filtered("active")

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

    def _match_product(self, document, rule, fiscal_position):
        """:return: see `_match_rule`"""
        connection = document.connection_id
        product = (rule.product_id or connection.product_id).with_company(
            document.company_id
        )
        if not product.active:
            return self._get_archived_hold(document, product)
        kind = KINDS[document.kind]
        journal = connection[kind.journal]
        own_account = rule[kind.rule_account]
        if own_account and not own_account.active:
            return self._get_rule_account_hold(document, rule, own_account)
        # As `account.move.line._compute_account_id` does.
        account = (
            fiscal_position.map_account(own_account)
            or product.product_tmpl_id.get_product_accounts(fiscal_position)[
                kind.product_account
            ]
            or fiscal_position.map_account(journal.default_account_id)
        )
        if not account or not account.active:
            return self._get_account_hold(document, product, journal)
        if archived := rule[kind.rule_taxes].filtered(lambda tax: not tax.active):
            return self._get_rule_tax_hold(document, rule, archived[0])
        base_taxes = self._get_base_taxes(document, rule, product, account)
        if not base_taxes:
            return self._get_tax_hold(document, product, account)
        if self._has_missing_account(rule):
            return self._get_rule_analytic_hold(document, rule)
        if archived := self._find_archived_replacement(base_taxes, fiscal_position):
            return self._get_replacement_hold(document, fiscal_position, archived)
        return LineMatch(
            rule,
            product,
            account,
            fiscal_position.map_tax(base_taxes),
            rule.analytic_distribution or None,
        )

    def _get_base_taxes(self, document, rule, product, account):
        """The taxes before the fiscal position, as
        `account.move.line._get_computed_taxes` finds them."""
        company, kind = document.company_id, KINDS[document.kind]
        taxes = (
            rule[kind.rule_taxes]
            or product[kind.product_taxes].filtered_domain(
                self.env["account.tax"]._check_company_domain(company)
            )
            or account.tax_ids.filtered(lambda tax: tax.type_tax_use == kind.tax_use)
        )
        return taxes._filter_taxes_by_company(company)

    def _find_archived_replacement(self, base_taxes, fiscal_position):
        """Odoo leaves a tax as it is when its replacement is archived, as that for
        services of other EU countries is in a new Belgian database.

        :return: `account.tax` by which a fiscal position would replace one of these;
            empty when it replaces them, or has them itself
        """
        kept = base_taxes & fiscal_position.map_tax(base_taxes)
        kept -= fiscal_position.tax_ids
        if not kept:
            return kept
        return self.env["account.tax"].search(
            [
                ("active", "=", False),
                ("fiscal_position_ids", "in", fiscal_position.ids),
                ("original_tax_ids", "in", kept.ids),
            ],
            limit=1,
        )

    # === WHAT HOLDS A DOCUMENT === #

    def _get_account_hold(self, document, product, journal):
        values = {
            "document": document.name,
            "product": product,
            "journal": journal,
        }
        if document.kind in PURCHASE_KINDS:
            message = _lt(
                "There is no usable expense account for %(document)s. Set one on "
                "product %(product)s, on its category or on journal %(journal)s, then "
                "retry.",
                **values,
            )
        else:
            message = _lt(
                "There is no usable income account for %(document)s. Set one on "
                "product %(product)s, on its category or on journal %(journal)s, then "
                "retry.",
                **values,
            )
        return Hold("account_missing", message)

    def _get_rule_account_hold(self, document, rule, account):
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because account %(account)s is "
                "archived. Choose another one on rule %(rule)s, then retry.",
                document=document.name,
                account=account,
                rule=rule,
            ),
        )

    def _get_rule_tax_hold(self, document, rule, tax):
        return Hold(
            "tax_missing",
            _lt(
                "%(document)s can't be booked, because tax %(tax)s is archived. Choose "
                "another one on rule %(rule)s, then retry.",
                document=document.name,
                tax=tax,
                rule=rule,
            ),
        )

    def _get_rule_analytic_hold(self, document, rule):
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because rule %(rule)s distributes to an "
                "analytic account that is archived or deleted. Enter the analytic "
                "distribution of the rule again, or restore the account, then retry.",
                document=document.name,
                rule=rule,
            ),
        )

    def _get_customer_analytic_hold(self, document, customer):
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because the analytic distribution of "
                "Copaco customer %(customer)s has an analytic account that is archived "
                "or deleted. Enter it again, or restore the account, then retry.",
                document=document.name,
                customer=customer,
            ),
        )

    def _get_replacement_hold(self, document, fiscal_position, tax):
        return Hold(
            "tax_missing",
            _lt(
                "%(document)s can't be booked, because tax %(tax)s is archived, by "
                "which fiscal position %(position)s replaces that of the lines. "
                "Activate it under Configuration, Taxes, then retry.",
                document=document.name,
                tax=tax,
                position=fiscal_position,
            ),
        )

    def _get_tax_hold(self, document, product, account):
        values = {
            "document": document.name,
            "product": product,
            "account": account,
        }
        if document.kind in PURCHASE_KINDS:
            message = _lt(
                "There is no purchase tax for %(document)s. Set one on product "
                "%(product)s or on account %(account)s (a 0 %% tax when none is due), "
                "then retry.",
                **values,
            )
        else:
            message = _lt(
                "There is no sales tax for %(document)s. Set one on product "
                "%(product)s or on account %(account)s (a 0 %% tax when none is due), "
                "then retry.",
                **values,
            )
        return Hold("tax_missing", message)

    def _get_unmatched_hold(self, document, lines):
        plans = dict.fromkeys(
            line.plan_name or line.plan_ref or line.display_name for line in lines
        )
        return Hold(
            "product_missing",
            _lt(
                "%(document)s: no rule says which product there is for plan %(plans)s. "
                "Choose the product under Plans, or make a rule from the line, then "
                "retry.",
                document=document.name,
                plans=list_names(plans),
            ),
        )

    def _get_archived_hold(self, document, product):
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because product %(product)s is "
                "archived. Restore it, or choose another one on connection "
                "%(connection)s or on the rule that says so, then retry.",
                document=document.name,
                product=product,
                connection=document.connection_id.name,
            ),
        )
