from odoo import api, fields, models

from ..const import PURCHASE_KINDS


class CopacoMonthMarginMixin(models.AbstractModel):
    """What a month has of both sides: what Copaco bills, and what is billed on."""

    _name = "copaco.month.margin.mixin"
    _description = "Margin of a Copaco Month"

    currency_id = fields.Many2one("res.currency")
    purchase_reconciliation = fields.Html(
        compute="_compute_reconciliation", sanitize=False
    )
    amount_sale = fields.Monetary(string="Billed On", compute="_compute_margin")
    amount_cost = fields.Monetary(string="Billed by Copaco", compute="_compute_margin")
    amount_margin = fields.Monetary(string="Margin", compute="_compute_margin")
    margin_percent = fields.Float(string="Margin %", compute="_compute_margin")
    finding_count = fields.Integer(string="Findings", compute="_compute_margin")

    # === COMPUTE METHODS === #

    @api.depends("date", "connection_id")
    def _compute_margin(self):
        for month in self:
            ((sale, cost),) = self.env["copaco.margin"]._read_group(
                month._get_own_domain("date"), aggregates=["sale:sum", "cost:sum"]
            )
            month.amount_sale = sale or 0
            month.amount_cost = cost or 0
            month.amount_margin = month.amount_sale - month.amount_cost
            month.margin_percent = (
                month.amount_margin / month.amount_sale * 100
                if month.amount_sale
                else 0
            )
            month.finding_count = self.env["copaco.finding"].search_count(
                [*month._get_own_domain("date"), ("state", "=", "open")]
            )

    # === ACTION METHODS === #

    def action_view_margins(self):
        """:return: the window action with the pairs of lines of this month"""
        return self._get_own_action("action_copaco_margin", "date", "list,pivot,graph")

    def action_view_findings(self):
        """:return: the window action with the findings of this month"""
        return self._get_own_action("action_copaco_finding", "date", "list,form")

    def action_view_purchases(self):
        """:return: the window action with the purchase documents of this month"""
        action = self._get_own_action(
            "action_copaco_document", "invoice_date", "list,form"
        )
        action["domain"].append(("kind", "in", PURCHASE_KINDS))
        return action

    # === BUSINESS METHODS === #

    def _get_own_domain(self, name):
        """:param name: of a field with a date
        :return: domain of what is of this month
        """
        return [
            ("connection_id", "in", self._get_connections().ids),
            (name, ">=", self.date),
            (name, "<=", self._get_last_day()),
        ]

    def _get_own_action(self, xml_id, name, view_mode):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"account_copaco.{xml_id}"
        )
        modes = view_mode.split(",")
        views = {mode: view_id for view_id, mode in action["views"]}
        return {
            **action,
            "domain": self._get_own_domain(name),
            "view_mode": view_mode,
            "views": [(views.get(mode, False), mode) for mode in modes],
        }
