from odoo import api, fields, models

from ..const import PURCHASE_KINDS
from ..tools import open_window


class CopacoMonthMarginMixin(models.AbstractModel):
    """What a month has of both sides: what Copaco bills, and what is billed on."""

    _name = "copaco.month.margin.mixin"
    _description = "Margin of a Copaco Month"

    currency_id = fields.Many2one("res.currency")
    purchase_reconciliation = fields.Html(
        compute="_compute_reconciliation", sanitize=False
    )
    company_id = fields.Many2one("res.company")
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_sale = fields.Monetary(
        string="Billed On",
        compute="_compute_margin",
        currency_field="company_currency_id",
    )
    amount_cost = fields.Monetary(
        string="Billed by Copaco",
        compute="_compute_margin",
        currency_field="company_currency_id",
    )
    amount_margin = fields.Monetary(
        string="Margin",
        compute="_compute_margin",
        currency_field="company_currency_id",
    )
    margin_percent = fields.Float(string="Margin %", compute="_compute_margin")
    last_month_margin = fields.Monetary(
        string="Margin, Month Before",
        compute="_compute_margin",
        currency_field="company_currency_id",
    )
    last_year_margin = fields.Monetary(
        string="Margin, Year Before",
        compute="_compute_margin",
        currency_field="company_currency_id",
    )
    missing_names = fields.Text(
        string="Missing",
        compute="_compute_missing_names",
        help="What there was in the month before, and isn't in this one.",
    )
    finding_count = fields.Integer(string="Findings", compute="_compute_margin")

    # === COMPUTE METHODS === #

    @api.depends("date", "connection_id")
    def _compute_margin(self):
        for month in self:
            ((sale, cost, last_month, last_year),) = self.env[
                "copaco.margin.comparison"
            ]._read_group(
                month._get_own_domain(),
                aggregates=[
                    "sale:sum",
                    "cost:sum",
                    "last_month_margin:sum",
                    "last_year_margin:sum",
                ],
            )
            month.amount_sale = sale or 0
            month.amount_cost = cost or 0
            month.amount_margin = month.amount_sale - month.amount_cost
            month.last_month_margin = last_month or 0
            month.last_year_margin = last_year or 0
            month.margin_percent = (
                month.amount_margin / month.amount_sale * 100
                if month.amount_sale
                else 0
            )
            month.finding_count = self.env["copaco.finding"].search_count(
                [*month._get_own_domain(), ("state", "=", "open")]
            )

    @api.depends(
        "date", "connection_id.wait_for_month", "connection_id.released_months"
    )
    def _compute_missing_names(self):
        completeness = self.env["copaco.completeness"].sudo()
        for month in self:
            connection = month.connection_id.sudo()
            month.missing_names = connection.wait_for_month and ", ".join(
                completeness._get_missing(connection, month.date)
            )

    # === ACTION METHODS === #

    def action_confirm_incomplete(self):
        """Let the invoices of these months be confirmed, whatever is missing."""
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        for month in self.sudo():
            connection = month.connection_id
            connection.released_months = sorted(
                {*(connection.released_months or []), month.date.isoformat()}
            )
            connection._message_log(
                body=self.env._(
                    "%(user)s confirmed %(month)s without what is missing: %(names)s.",
                    user=self.env.user.name,
                    month=month.display_name,
                    names=month.missing_names or "–",
                )
            )
        self.env["copaco.background"].sudo()._continue_invoicing()

    def action_view_margins(self):
        """:return: the window action with the pairs of lines of this month"""
        return self._get_own_action("action_copaco_margin", "list,pivot,graph")

    def action_view_sales(self):
        """:return: the window action with the lines of this month that are billed on,
        beside what they cost"""
        action = self.action_view_margins()
        action["domain"].append(("sale", "!=", 0))
        return action

    def action_view_findings(self):
        """:return: the window action with the findings of this month"""
        return self._get_own_action("action_copaco_finding", "list,form")

    def action_view_purchases(self):
        """:return: the window action with the lines of this month that Copaco bills,
        beside what is billed on: a cost counts in the month of its sale"""
        action = self.action_view_margins()
        action["domain"].append(("cost", "!=", 0))
        return action

    # === BUSINESS METHODS === #

    def _get_purchase_currency(self):
        """:return: the `res.currency` of the purchase documents of this month; that of
        the company, when they have several or none"""
        rows = self.env["copaco.document"]._read_group(
            [
                ("connection_id", "in", self._get_connections().ids),
                ("kind", "in", PURCHASE_KINDS),
                ("invoice_date", ">=", self.date),
                ("invoice_date", "<=", self._get_last_day()),
            ],
            ["currency_id"],
        )
        own = rows[0][0] if len(rows) == 1 else self.currency_id.browse()
        return own or self.company_currency_id

    def _get_own_domain(self):
        """:return: domain of what is of this month, with what other connections have of
        the other side"""
        days = self.date, self._get_last_day()
        connections = self.env["copaco.counterpart"]._get_connections(
            self.connection_id, *days
        )
        return [
            ("connection_id", "in", connections.ids),
            ("date", ">=", days[0]),
            ("date", "<=", days[1]),
        ]

    def _get_own_action(self, xml_id, view_mode):
        self.ensure_one()
        action = open_window(self.env, xml_id)
        modes = view_mode.split(",")
        views = {mode: view_id for view_id, mode in action["views"]}
        return {
            **action,
            "domain": self._get_own_domain(),
            "view_mode": view_mode,
            "views": [(views.get(mode, False), mode) for mode in modes],
        }
