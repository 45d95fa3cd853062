from odoo import fields, models
from odoo.tools import SQL


class CopacoMarginMixin(models.AbstractModel):
    """What margins have, whatever they are compared with."""

    _name = "copaco.margin.mixin"
    _description = "Figures of Copaco Margins"

    company_id = fields.Many2one("res.company", readonly=True)
    connection_id = fields.Many2one("copaco.connection", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("copaco.customer", readonly=True)
    date = fields.Date(readonly=True)
    plan_name = fields.Char(string="Plan", readonly=True)
    plan_category = fields.Char(string="Vendor", readonly=True)
    charge_type = fields.Char(readonly=True)
    sale = fields.Monetary(string="Sales", readonly=True)
    cost = fields.Monetary(readonly=True)
    margin = fields.Monetary(readonly=True)
    margin_percent = fields.Float(
        string="Margin %", readonly=True, aggregator="avg", help="Of the sales."
    )

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec != "margin_percent:avg":
            return super()._read_group_select(aggregate_spec, query)
        # An average of percents says nothing.
        return SQL(
            "sum(%(margin)s) / nullif(sum(%(sale)s), 0) * 100",
            margin=self._field_to_sql(self._table, "margin", query),
            sale=self._field_to_sql(self._table, "sale", query),
        )
