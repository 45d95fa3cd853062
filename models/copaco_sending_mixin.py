from odoo import api, fields, models


class CopacoSendingMixin(models.AbstractModel):
    """How a connection has its invoices sent, see `copaco.sender`."""

    _name = "copaco.sending.mixin"
    _description = "Sending of Copaco Invoices"

    send_zero_totals = fields.Boolean(
        string="Send Invoices of 0.00",
        help="Otherwise invoices without an amount to pay are confirmed, and not sent.",
    )
    peppol_silent_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="Peppol's directory did not respond, and is left alone until then.",
    )
    peppol_warning = fields.Char(compute="_compute_peppol_warning")
    unsent_count = fields.Integer(
        string="Could Not Be Sent", compute="_compute_unsent_count"
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "invoice_policy")
    def _compute_peppol_warning(self):
        peppol = self.env["copaco.peppol"]
        self.peppol_warning = ""
        for connection in self.filtered(lambda each: each.invoice_policy == "send"):
            connection.peppol_warning = peppol._get_warning(connection.company_id)

    def _compute_unsent_count(self):
        counts = dict(
            self.env["copaco.delivery"]._read_group(
                [("connection_id", "in", self.ids), ("is_unsent", "=", True)],
                ["connection_id"],
                ["__count"],
            )
        )
        for connection in self:
            connection.unsent_count = counts.get(connection, 0)

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if not vals.keys().isdisjoint(("invoice_policy", "active")):
            # Whoever turns sending off sees soon what is not sent any more.
            self.env["copaco.sender"]._continue_in_background()
        return res
