from odoo import fields, models
from odoo.tools import SQL

from ..tools import open_window

# By its prefix, how many months later the figures of a pair are shown again.
_PERIODS = {"": 0, "last_month_": 1, "last_year_": 12}
_FIGURES = ("sale", "cost", "margin")


class CopacoMarginComparison(models.Model):
    """Margins with those of the month before and of the year before beside them, for
    whatever they are grouped by: each pair of lines is in it three times, in its own
    month and in those that it is compared with."""

    _name = "copaco.margin.comparison"
    _inherit = "copaco.margin.mixin"
    _description = "Copaco Margin Comparison"
    _auto = False
    _order = "date desc, id"
    _depends = {
        "copaco.margin": [
            *("charge_type", "company_id", "connection_id", "customer_id", "date"),
            *("plan_category", "plan_name", "sale_line_id", *_FIGURES),
        ],
        "copaco.document.line": ["product_id"],
    }

    product_id = fields.Many2one("product.product", readonly=True)
    last_month_sale = fields.Monetary(string="Sales, Month Before", readonly=True)
    last_month_cost = fields.Monetary(string="Cost, Month Before", readonly=True)
    last_month_margin = fields.Monetary(string="Margin, Month Before", readonly=True)
    last_year_sale = fields.Monetary(string="Sales, Year Before", readonly=True)
    last_year_cost = fields.Monetary(string="Cost, Year Before", readonly=True)
    last_year_margin = fields.Monetary(string="Margin, Year Before", readonly=True)

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT margin.id::bigint * 3 + %(place)s AS id, margin.company_id,
                       margin.connection_id, margin.customer_id,
                       (margin.date + make_interval(months => %(months)s))::date
                           AS date,
                       margin.plan_name, margin.plan_category, margin.charge_type,
                       line.product_id, %(percent)s AS margin_percent,
                       %(figures)s
                  FROM copaco_margin margin
             LEFT JOIN copaco_document_line line ON line.id = margin.sale_line_id""",
                place=place,
                months=_PERIODS[shown],
                percent=SQL("NULL::float8") if shown else SQL("margin.margin_percent"),
                figures=SQL(", ").join(
                    SQL("margin.%s AS %s", SQL.identifier(name), column)
                    if period == shown
                    else SQL("0::numeric AS %s", column)
                    for period in _PERIODS
                    for name in _FIGURES
                    for column in [SQL.identifier(f"{period}{name}")]
                ),
            )
            for place, shown in enumerate(_PERIODS)
        )

    # === ACTION METHODS === #

    def action_view_comparison(self):
        """:return: the window action with the margins, of all that is known now"""
        self.env["copaco.margin"]._update()
        return open_window(self.env, "action_copaco_margin_comparison")
