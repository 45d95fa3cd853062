from odoo import fields, models

from ..tools import get_rounding_room, to_decimal


class CopacoRoundingMixin(models.AbstractModel):
    """Up to where Copaco's figures are taken without a person."""

    _name = "copaco.rounding.mixin"
    _description = "Tolerances of a Copaco Connection"

    currency_id = fields.Many2one("res.currency")
    totals_tolerance = fields.Monetary(
        default=0.05,
        help="Documents are held when Copaco's total of an invoice and the sum of its "
        "lines differ by more than this and half a cent per line.",
    )
    date_tolerance_days = fields.Integer(
        string="Date Tolerance",
        default=62,
        help="Documents are held when they are dated more than so many days before or "
        "after the days that Copaco was asked for.",
    )

    _totals_tolerance_positive = models.Constraint(
        "CHECK(totals_tolerance >= 0)", "The tolerance for totals can't be negative."
    )
    _date_tolerance_days_positive = models.Constraint(
        "CHECK(date_tolerance_days >= 0)", "The tolerance for dates can't be negative."
    )

    # === BUSINESS METHODS === #

    def _get_allowed_difference(self, currency, line_count):
        """:param currency: `res.currency` of the amounts that are compared
        :param line_count: how many lines they are the sum of
        :return: exact `Decimal`: by how much Copaco's figure may differ from ours, in
            that currency
        """
        room = get_rounding_room(line_count, currency.rounding)
        return to_decimal(self.totals_tolerance) + room

    def _is_total_missed(self, currency, difference, line_count):
        """:param difference: of Copaco's total and the sum of so many lines
        :return: whether it is more than is allowed, see `_get_allowed_difference`
        """
        allowed = self._get_allowed_difference(currency, line_count)
        return abs(to_decimal(difference)) > allowed
