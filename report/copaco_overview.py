from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..const import SALES_KINDS
from ..tools import get_month_id, open_window


class CopacoOverview(models.Model):
    """A month of a company at a glance, beside the month and the year before. Nothing
    is stored."""

    _name = "copaco.overview"
    _description = "Copaco Overview"
    _auto = False
    _order = "date desc, company_id"
    _rec_name = "date"
    _depends = {
        "copaco.connection": ["company_id"],
        "copaco.document": ["company_id", "invoice_date", "kind"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date(string="Month", readonly=True)
    figures = fields.Html(compute="_compute_figures", sanitize=False)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT %(id)s AS id, company_id, month::date AS date
              FROM (
                SELECT company_id, min(day) AS first_day, max(day) AS last_day
                  FROM (
                    SELECT company_id,
                           coalesce(invoice_date, create_date::date) AS day
                      FROM copaco_document
                     WHERE kind IN %(kinds)s
                 UNION ALL
                    SELECT company_id, %(today)s
                      FROM copaco_connection
                  ) known
                 GROUP BY company_id
              ) company
        CROSS JOIN LATERAL generate_series(
                       date_trunc('month', first_day), last_day, interval '1 month'
                   ) month""",
            id=get_month_id(SQL("company_id"), SQL("month")),
            kinds=SALES_KINDS,
            today=self.env["copaco.fetch.window"]._get_today(),
        )

    # === COMPUTE METHODS === #

    @api.depends("date")
    def _compute_display_name(self):
        for overview in self:
            overview.display_name = format_date(
                self.env, overview.date, date_format="MMMM y"
            )

    @api.depends("company_id", "date")
    def _compute_figures(self):
        for overview in self:
            overview.figures = self.env["copaco.overview.table"]._render(overview)

    # === ACTION METHODS === #

    def action_view_overview(self):
        """:return: the window action with the last month of the user's company of
        which something was received; with the list of months, when there is none"""
        last = self.search([("company_id", "=", self.env.company.id)], limit=1)
        ((day,),) = self.env["copaco.document"]._read_group(
            [("company_id", "=", self.env.company.id), ("kind", "in", SALES_KINDS)],
            aggregates=["invoice_date:max"],
        )
        if day:
            last = self.search(
                [("company_id", "=", self.env.company.id), ("date", "<=", day)], limit=1
            )
        action = open_window(self.env, "action_copaco_overview")
        if last:
            form = [view for view in action["views"] if view[1] == "form"]
            action |= {"res_id": last.id, "view_mode": "form", "views": form}
        return action
