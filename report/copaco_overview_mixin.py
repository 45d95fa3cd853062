from odoo import fields, models
from odoo.fields import Domain

from ..tools import read_month_id


class CopacoOverviewMixin(models.AbstractModel):
    """What an overview adds up, by month."""

    _name = "copaco.overview.mixin"
    _description = "Part of a Copaco Overview"

    company_id = fields.Many2one("res.company")
    date = fields.Date()
    overview_id = fields.Many2one(
        "copaco.overview", store=False, search="_search_overview_id"
    )

    def _search_overview_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(map(self._get_month_domain, filter(None, value)))

    def _get_month_domain(self, overview_id):
        """:return: domain of what is of the company and month of a `copaco.overview`"""
        company_id, first_day, last_day = read_month_id(overview_id)
        return (
            Domain("company_id", "=", company_id)
            & Domain("date", ">=", first_day)
            & Domain("date", "<=", last_day)
        )
