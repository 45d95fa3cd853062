from collections import Counter, defaultdict
from math import inf

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL

from ..const import SALES_KINDS
from ..hold_reasons import RULE_HOLD_REASONS
from ..tools import LineTraits

MONTHS = 3


class CopacoRuleEffect(models.AbstractModel):
    """What rules do to the lines of the last months. Searches only.

    It asks the rule engine's own index, so that what is shown is what an import does.
    """

    _name = "copaco.rule.effect"
    _description = "Copaco Rule Effect"

    def _get_first_day(self):
        """:return: the first invoice date of the last three months"""
        return fields.Date.context_today(self) - relativedelta(months=MONTHS)

    def _count_lines(self, company, condition=None):
        """:param company: `res.company`
        :param condition: `SQL` on `document` and `line`; none: what customers paid for
            in the last three months
        :return: list of (`LineTraits`, id of the rule that decided them, number of
            lines, list of ids of their documents), of all lines that are the same to
            rules
        """
        for name in ("copaco.document", "copaco.document.line"):
            self.env[name].flush_model()
        condition = condition or SQL(
            "document.kind IN %s AND document.invoice_date >= %s"
            " AND document.state != 'excluded'",
            SALES_KINDS,
            self._get_first_day(),
        )
        traits = SQL(", ").join(
            SQL("coalesce(%s, '')", SQL.identifier("line", name))
            for name in LineTraits._fields[2:]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT document.connection_id, document.customer_id, %(traits)s,
                       line.rule_id, count(*), array_agg(DISTINCT document.id)
                  FROM copaco_document_line line
                  JOIN copaco_document document ON document.id = line.document_id
                 WHERE document.company_id = %(company)s
                   AND line.is_excluded IS NOT TRUE
                   AND %(condition)s
                 GROUP BY document.connection_id, document.customer_id, %(traits)s,
                          line.rule_id""",
                traits=traits,
                company=company.id,
                condition=condition,
            )
        )
        return [(LineTraits(*row[:9]), *row[9:]) for row in rows]

    def _get_line_counts(self, rules):
        """:param rules: saved `copaco.rule` records
        :return: `Counter` of the lines of the last three months by id of the rule that
            catches them
        """
        engine = self.env["copaco.rule.engine"]
        counts = Counter()
        for company in self._get_companies(rules):
            index = engine._get_index(company)
            for traits, _rule_id, count, _documents in self._count_lines(company):
                counts[index.find(traits)] += count
        return counts

    def _get_products_by_plan(self, company, plan_refs):
        """:return: dict of the `product.product` that rules give the lines of the last
        three months, by plan
        """
        index = self.env["copaco.rule.engine"]._get_index(company)
        Rule = self.env["copaco.rule"].sudo()
        rule_ids = defaultdict(set)
        for traits, *_others in self._count_lines(company):
            if traits.plan_ref in plan_refs:
                rule_ids[traits.plan_ref].add(index.find(traits))
        return {
            plan_ref: Rule.browse(filter(None, rule_ids[plan_ref])).product_id
            for plan_ref in plan_refs
        }

    def _get_documents(self, rules):
        """:param rules: `copaco.rule` records
        :return: `copaco.document` records that are held for what a rule may solve, or
            have a draft invoice or bill, with lines that these rules decide, or did
            when it was made
        """
        engine = self.env["copaco.rule.engine"]
        condition = self._get_waiting_condition()
        asked, found = set(rules.ids), set()
        for company in self._get_companies(rules):
            index = engine._get_index(company)
            for traits, was, _count, ids in self._count_lines(company, condition):
                if was in asked or index.find(traits) in asked:
                    found.update(ids)
        return self.env["copaco.document"].browse(sorted(found))

    def _get_documents_of_plans(self, plans):
        """:param plans: `copaco.plan` records
        :return: as `_get_documents`, those with lines of these plans
        """
        found = set()
        for company, own in plans.grouped("company_id").items():
            condition = SQL(
                "%s AND line.plan_ref IN %s",
                self._get_waiting_condition(),
                tuple(own.mapped("plan_ref")),
            )
            for *_traits, ids in self._count_lines(company, condition):
                found.update(ids)
        return self.env["copaco.document"].browse(sorted(found))

    def _get_waiting_condition(self):
        """:return: `SQL` on `document`: it is held for what a rule may solve, or has a
        draft invoice or bill"""
        self.env["account.move"].flush_model(["state"])
        return SQL(
            """(document.state = 'held' AND document.hold_reason IN %s
                OR document.state = 'invoiced' AND EXISTS (
                    SELECT FROM account_move move
                     WHERE move.id = document.move_id AND move.state = 'draft'))""",
            RULE_HOLD_REASONS,
        )

    def _get_companies(self, rules):
        """:return: the user's companies that one of these rules is for"""
        companies = self.env.companies
        if not all(rule.company_id for rule in rules):
            return companies
        own = rules.company_id._origin
        return companies.filtered(lambda company: company.parent_ids & own)

    # === WHAT A CHANGE DOES === #

    def _render(self, rule):
        """:param rule: a `copaco.rule`, saved or as it is being edited
        :return: `Markup` that says which lines of the last three months it catches,
            which rule would have them without it, and what saving it would change
        """
        taken, changed = self._compare(rule)
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_rule_effect",
            {
                "line_count": sum(taken.values()),
                "taken": taken.most_common(),
                "changed": changed.most_common(),
            },
        )

    def _compare(self, rule):
        """:return: (`Counter` of the lines that the rule catches by what would have
        them without it, `Counter` of the lines that saving it changes by (what
        they are, what they become)), both in words
        """
        engine = self.env["copaco.rule.engine"]
        saved = rule._origin
        key = saved.id or 0
        taken, changed = Counter(), Counter()
        companies = self._get_companies(rule)
        if saved:
            companies |= self._get_companies(saved)
        for company in companies:
            stored = engine._get_rules(company)
            others = list(stored - saved)
            edited = others + [rule] * rule._is_for(company)
            edited.sort(key=lambda each: (each.sequence, each._origin.id or inf))
            without, before, after = map(engine._build_index, (others, stored, edited))
            names = {each.id: each._describe() for each in stored}
            names_after = {**names, key: rule._describe()}
            names[None] = names_after[None] = self.env._("no rule")
            for traits, _rule_id, count, _documents in self._count_lines(company):
                is_caught = after.find(traits) == key
                if is_caught:
                    taken[names[without.find(traits)]] += count
                was = names[before.find(traits)]
                becomes = names_after[after.find(traits)]
                if was != becomes:
                    changed[was, becomes] += count
        return taken, changed
