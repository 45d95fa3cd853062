from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import PURCHASE_KINDS
from ..tools import avoid_compiling, get_text_key, open_window, write_text_key

_LIKELY_KEY = write_text_key(
    "concat_ws('|', line.subscription_ref, line.date_start, line.date_end, "
    "line.charge_type, line.line_ref)"
)
# Lines of both sides are paired within the books of a root company: by row hash; and,
# where one side has none, by subscription, period, charge type and line number. A hash
# that another period has, too, is of another charge. What a rule excluded is on another
# document; what a person excluded of the sales side is known, and no sale. Of what is
# held as a possible duplicate only the lines count that are on no other document. What
# is in a currency that Odoo doesn't know can't be converted, and counts for nothing.
_PAIRS = f"""
    WITH arrived AS (
        SELECT line.id, document.kind = ANY(%(purchases)s) AS is_cost,
               document.state = 'excluded' AND document.kind != ALL(%(purchases)s)
                   AS is_off,
               document.state = 'held' AND document.hold_reason = 'possible_double'
                   AS is_doubted,
               document.root_company_id, document.company_id, document.customer_id,
               document.connection_id, document.invoice_date,
               line.date_start, nullif(line.row_hash, '') AS row_hash,
               CASE WHEN line.subscription_ref != ''
                    THEN {_LIKELY_KEY} END AS likely_key,
               line.subscription_ref, line.quantity,
               line.amount * coalesce(rate.rate, 1) AS amount,
               rate.rate IS NOT NULL AS is_converted
          FROM copaco_document_line line
          JOIN copaco_document document ON document.id = line.document_id
     LEFT JOIN unnest(%(currencies)s::int[], %(companies)s::int[], %(days)s::date[],
                      %(rates)s::numeric[])
               AS rate (currency_id, company_id, day, rate)
            ON rate.currency_id = document.currency_id
           AND rate.company_id = document.company_id
           AND rate.day IS NOT DISTINCT FROM document.invoice_date
         WHERE line.is_excluded IS NOT TRUE
           AND document.currency_id IS NOT NULL
           AND (document.state != 'excluded'
                OR document.is_margin_only
                OR (document.excluded_by_id IS NOT NULL
                    AND document.kind != ALL(%(purchases)s)))
           AND %(condition)s
    ),
    line AS (
        SELECT *
          FROM arrived
         WHERE NOT (is_doubted AND EXISTS (
                    SELECT
                      FROM arrived other
                     WHERE NOT other.is_doubted
                       AND other.is_cost = arrived.is_cost
                       AND other.root_company_id = arrived.root_company_id
                       AND (other.row_hash = arrived.row_hash
                            AND other.date_start IS NOT DISTINCT FROM arrived.date_start
                            OR other.likely_key = arrived.likely_key)))
    ),
    by_hash AS (
        SELECT root_company_id, row_hash, date_start
          FROM line
         WHERE row_hash IS NOT NULL
      GROUP BY 1, 2, 3
        HAVING bool_or(is_cost) AND NOT bool_and(is_cost)
    ),
    matched AS (
        SELECT line.*, by_hash.row_hash IS NOT NULL AS is_sure
          FROM line
     LEFT JOIN by_hash
            ON by_hash.root_company_id = line.root_company_id
           AND by_hash.row_hash = line.row_hash
           AND by_hash.date_start IS NOT DISTINCT FROM line.date_start
    ),
    by_likeness AS (
        SELECT root_company_id, likely_key
          FROM matched
         WHERE NOT is_sure AND likely_key IS NOT NULL
      GROUP BY 1, 2
        HAVING bool_or(is_cost) AND NOT bool_and(is_cost)
           AND (count(row_hash) FILTER (WHERE is_cost) = 0
                OR count(row_hash) FILTER (WHERE NOT is_cost) = 0)
    ),
    paired AS (
        SELECT matched.*,
               NOT is_sure AND by_likeness.likely_key IS NOT NULL AS is_likely,
               CASE WHEN is_sure
                    THEN matched.row_hash || coalesce(date_start::text, '')
                    WHEN by_likeness.likely_key IS NOT NULL
                    THEN matched.likely_key
                    ELSE matched.id::text END AS pair
          FROM matched
     LEFT JOIN by_likeness
            ON NOT is_sure
           AND by_likeness.root_company_id = matched.root_company_id
           AND by_likeness.likely_key = matched.likely_key
    )
    SELECT min(id) AS id,
           coalesce(min(company_id) FILTER (WHERE NOT is_cost), min(company_id))
               AS company_id,
           coalesce(min(customer_id) FILTER (WHERE NOT is_cost), min(customer_id))
               AS customer_id,
           coalesce(min(connection_id) FILTER (WHERE NOT is_cost), min(connection_id))
               AS connection_id,
           coalesce(min(id) FILTER (WHERE NOT is_cost), min(id)) AS first_line_id,
           min(id) FILTER (WHERE NOT is_cost) AS sale_line_id,
           min(id) FILTER (WHERE is_cost) AS cost_line_id,
           array_agg(id) AS line_ids,
           coalesce(min(invoice_date) FILTER (WHERE NOT is_cost), min(invoice_date))
               AS date,
           count(*) FILTER (WHERE NOT is_cost) AS sale_count,
           count(*) FILTER (WHERE is_cost) AS cost_count,
           coalesce(sum(amount) FILTER (WHERE NOT is_cost AND NOT is_off), 0) AS sale,
           coalesce(sum(amount) FILTER (WHERE is_cost), 0) AS cost,
           coalesce(sum(quantity) FILTER (WHERE NOT is_cost), 0) AS sale_quantity,
           coalesce(sum(quantity) FILTER (WHERE is_cost), 0) AS cost_quantity,
           bool_or(is_off) AS is_excluded,
           bool_or(is_converted) AS is_converted,
           CASE WHEN bool_and(is_cost) THEN 'cost'
                WHEN NOT bool_or(is_cost) THEN 'sale'
                WHEN count(*) > 2 THEN 'group'
                WHEN bool_or(is_likely) THEN 'likely'
                ELSE 'sure' END AS match
      FROM paired
  GROUP BY root_company_id, pair, is_likely, is_sure"""


# What is in another currency than the books.
_FOREIGN = """
    SELECT DISTINCT document.currency_id, document.company_id, document.invoice_date
      FROM copaco_document_line line
      JOIN copaco_document document ON document.id = line.document_id
      JOIN res_company company ON company.id = document.company_id
     WHERE document.currency_id != company.currency_id AND %(condition)s"""


class Pair(NamedTuple):
    """What a line is billed on for, and what Copaco bills for it, without tax, in the
    company's currency."""

    sale: float
    cost: float


class CopacoMargin(models.Model):
    """What Copaco bills, beside what is billed on: a row for each pair of price lines,
    or for lines that can't be told apart. Rows are made anew for the months of which
    documents changed (`copaco.margin.checker`), so that years are shown at once."""

    _name = "copaco.margin"
    _inherit = ["copaco.margin.mixin", "copaco.overview.mixin"]
    _description = "Copaco Margin"
    _log_access = False
    _order = "date desc, margin"
    _rec_name = "plan_name"

    connection_id = fields.Many2one(ondelete="cascade")
    partner_id = fields.Many2one(related="customer_id.partner_id")
    sale_line_id = fields.Many2one(
        "copaco.document.line", readonly=True, index=True, ondelete="cascade"
    )
    cost_line_id = fields.Many2one(
        "copaco.document.line", readonly=True, index=True, ondelete="cascade"
    )
    subscription_ref = fields.Char(string="Subscription ID", readonly=True)
    subscription_name = fields.Char(string="Subscription", readonly=True)
    billing_frequency = fields.Char(readonly=True)
    description = fields.Char(readonly=True)
    match = fields.Selection(
        [
            ("sure", "Row hash"),
            ("likely", "Likely"),
            ("group", "Group"),
            ("sale", "Sale without cost"),
            ("cost", "Cost without sale"),
        ],
        string="Paired By",
        readonly=True,
        help="Likely: one side has no row hash, and subscription, period, charge type "
        "and line number agree. Group: the lines are not one to one, and are not told "
        "apart.",
    )
    sale_count = fields.Integer(string="Sales Lines", readonly=True)
    cost_count = fields.Integer(string="Cost Lines", readonly=True)
    sale_quantity = fields.Float(readonly=True)
    cost_quantity = fields.Float(readonly=True)
    is_excluded = fields.Boolean(
        string="Sale Excluded",
        readonly=True,
        help="A person excluded the customer or the document, so nothing is billed on.",
    )
    is_converted = fields.Boolean(
        string="Converted",
        readonly=True,
        help="In another currency: converted at the rate of the date of each document.",
    )

    _month_idx = models.Index("(company_id, date)")

    @api.model
    def _get_pairs_query(self, condition=None):
        """:param condition: `SQL` condition on ``line`` and ``document``, which has all
            lines that may be paired, or none of them
        :return: `SQL` of pairs
        """
        for name in (
            "copaco.document",
            "copaco.document.line",
            "copaco.customer",
            "res.currency.rate",
        ):
            self.env[name].flush_model()
        condition = condition or SQL("true")
        rows = self.env.execute_query(SQL(_FOREIGN, condition=condition))
        return SQL(
            _PAIRS,
            purchases=list(PURCHASE_KINDS),
            condition=condition,
            currencies=[currency for currency, _company, _day in rows],
            companies=[company for _currency, company, _day in rows],
            days=[day for _currency, _company, day in rows],
            rates=[self._get_rate(*row) for row in rows],
        )

    @api.model
    def _get_rate(self, currency_id, company_id, day):
        """:return: what one of a currency is in that of a company on a day"""
        Currency = self.env["res.currency"].sudo()
        company = self.env["res.company"].sudo().browse(company_id)
        return Currency._get_conversion_rate(
            Currency.browse(currency_id), company.currency_id, company, day
        )

    @api.model
    def _refresh(self, root_company, date_from, date_to):
        """Make the rows of a period anew; those that stay as they are aren't written. A
        sale and its cost may be dated in months next to each other.

        :param root_company: `res.company`
        :param date_from: first day of the first month
        :param date_to: last day of the last month
        """
        condition = SQL(
            "document.root_company_id = %s AND document.invoice_date BETWEEN %s AND %s",
            root_company.id,
            date_from - relativedelta(months=1),
            date_to + relativedelta(months=1),
        )
        columns = [
            *("company_id", "customer_id", "connection_id"),
            *("sale_line_id", "cost_line_id", "date"),
            *("sale_count", "cost_count", "sale", "cost", "margin", "margin_percent"),
            *("sale_quantity", "cost_quantity", "is_excluded", "is_converted", "match"),
            *("subscription_ref", "subscription_name", "plan_name", "plan_category"),
            *("charge_type", "billing_frequency", "description"),
        ]
        pairs = self._get_pairs_query(condition)
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        avoid_compiling(self.env.cr)
        self.env.cr.execute(
            SQL(
                """
                WITH pair AS MATERIALIZED (
                    SELECT pair.*, pair.sale - pair.cost AS margin,
                           CASE WHEN pair.sale != 0
                                THEN (pair.sale - pair.cost) / pair.sale * 100 END
                               AS margin_percent,
                           line.subscription_ref, line.subscription_name,
                           line.plan_name, line.plan_category, line.charge_type,
                           line.billing_frequency, line.description
                      FROM (%(pairs)s) pair
                      JOIN copaco_document_line line ON line.id = pair.first_line_id
                     WHERE pair.date BETWEEN %(date_from)s AND %(date_to)s
                ),
                gone AS (
                    DELETE FROM copaco_margin
                     WHERE company_id = ANY(%(companies)s)
                       AND date BETWEEN %(date_from)s AND %(date_to)s
                       AND id NOT IN (SELECT id FROM pair)
                )
                INSERT INTO copaco_margin (id, %(columns)s)
                SELECT id, %(columns)s FROM pair
                    ON CONFLICT (id) DO UPDATE SET %(updates)s
                       WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                columns=SQL(", ").join(map(SQL.identifier, columns)),
                updates=SQL(", ").join(
                    SQL("%(name)s = excluded.%(name)s", name=SQL.identifier(name))
                    for name in columns
                ),
                old=SQL(", ").join(
                    SQL.identifier(self._table, name) for name in columns
                ),
                new=SQL(", ").join(
                    SQL.identifier("excluded", name) for name in columns
                ),
                pairs=pairs,
                companies=companies.search([("id", "child_of", root_company.id)]).ids,
                date_from=date_from,
                date_to=date_to,
            )
        )
        self.invalidate_model()

    # === ACTION METHODS === #

    def action_view_margins(self):
        """:return: the window action with the margins, of all that is known now"""
        self._update()
        return open_window(self.env, "action_copaco_margin")

    def action_view_lines(self):
        """:return: the window action with all price lines of these pairs"""
        rows = self.env.execute_query(
            SQL(
                "SELECT line_ids FROM (%s) pair WHERE id = ANY(%s)",
                self._get_pairs_query(
                    self._get_condition(self.sale_line_id | self.cost_line_id)
                ),
                self.ids,
            )
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Price Lines"),
            "res_model": "copaco.document.line",
            "view_mode": "list,form",
            "domain": [("id", "in", [line for (ids,) in rows for line in ids])],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _update(self):
        """Make the rows of the user's companies anew of which documents changed."""
        self.env["copaco.connection"]._check_billing_access()
        connections = self.env["copaco.connection"].search(
            [("company_id", "in", self.env.companies.ids)]
        )
        self.env["copaco.margin.checker"].sudo()._check_changed(connections.sudo())

    @api.model
    def _get_pairs(self, lines):
        """:param lines: `copaco.document.line` records of the sales side
        :return: dict of `Pair` by line, of those that are paired one to one
        """
        if not lines.ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT sale_line_id, sale, cost FROM (%s) pair "
                "WHERE match IN ('sure', 'likely') AND sale_line_id = ANY(%s)",
                self._get_pairs_query(self._get_condition(lines)),
                lines.ids,
            )
        )
        by_id = {line.id: line for line in lines}
        return {
            by_id[line_id]: Pair(float(sale), float(cost))
            for line_id, sale, cost in rows
        }

    @api.model
    def _get_condition(self, lines):
        """:return: see `_get_pairs_query`: that of what may be paired with these
        `copaco.document.line` records"""
        keys = {line: get_text_key(line.subscription_ref) for line in lines}
        return SQL(
            f"(line.row_hash = ANY(%s) OR {write_text_key('line.subscription_ref')}"
            " = ANY(%s) OR line.id = ANY(%s))",
            [line.row_hash for line in lines if line.row_hash],
            list(set(filter(None, keys.values()))),
            [line.id for line in lines if not (line.row_hash or keys[line])],
        )
