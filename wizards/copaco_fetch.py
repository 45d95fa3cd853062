from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class CopacoFetch(models.TransientModel):
    _name = "copaco.fetch"
    _inherit = "copaco.connection.mixin"
    _description = "Fetch Copaco Period"

    date_from = fields.Date(string="Created From", required=True)
    date_to = fields.Date(
        string="Created Until",
        required=True,
        default=fields.Date.context_today,
        help="Inclusive. Copaco creates the invoice of a month around the 23rd of the "
        "next one.",
    )

    # === ACTION METHODS === #

    def action_fetch(self):
        """Fetch what Copaco created in this period.

        :return: see `copaco.connection.action_fetch`
        :raise UserError: when the dates are in the wrong order
        """
        self._check_period()
        return self.env["copaco.run.scheduler"]._fetch_now(
            self.connection_id, self.date_from, self.date_to
        )

    # === BUSINESS METHODS === #

    def _check_period(self):
        """:raise UserError: when the dates are in the wrong order"""
        self.ensure_one()
        if self.date_to < self.date_from:
            raise UserError(
                self.env._(
                    "The period ends (%(date_to)s) before it begins (%(date_from)s). "
                    "Swap the dates.",
                    date_from=format_date(self.env, self.date_from),
                    date_to=format_date(self.env, self.date_to),
                )
            )
