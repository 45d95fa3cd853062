from odoo import api, fields, models


class CopacoConnection(models.Model):
    """What the responsible user is alerted of, see `copaco.monitor`."""

    _inherit = "copaco.connection"

    expected_day = fields.Integer(
        string="Expected by Day",
        required=True,
        default=25,
        help="Day of a month by which Copaco has created its invoices. The responsible "
        "user is alerted when none were received by then.",
    )
    months_without_invoices = fields.Json(
        readonly=True,
        copy=False,
        help="First days of the months of which a person confirmed that Copaco has no "
        "invoices.",
    )
    last_alert_at = fields.Datetime(
        string="Last Alert",
        readonly=True,
        copy=False,
        help="When an activity was last scheduled for the responsible user.",
    )

    _expected_day_in_month = models.Constraint(
        "CHECK(expected_day BETWEEN 1 AND 31)",
        "The day by which a connection expects invoices is between 1 and 31.",
    )

    def _update_activity(self):
        """Bring the activity of the responsible user in line with the alerts."""
        self.env["copaco.monitor"]._update_activity(self)

    # === CRON METHODS === #

    @api.model
    def _cron_check_alerts(self):
        """Scheduled action, daily: alert responsible users of what nobody did."""
        self.env["copaco.monitor"]._check_alerts()

    @api.model
    def _cron_weekly_digest(self):
        """Scheduled action, weekly: mail what waits for a decision."""
        self.env["copaco.monitor"]._send_weekly_digest()
