from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..const import OVERDUE_HOURS
from ..tools import Message


class CopacoDelivery(models.Model):
    """That an invoice is to be sent, and what became of it.

    waiting ──▶ sending ──▶ sent
       ▲           │         │ refused later
       │           ▼         │
       └──────── failed ◀────┘
    Send again
    """

    _name = "copaco.delivery"
    _description = "Copaco Invoice Delivery"
    _order = "send_at desc, id desc"
    _rec_name = "move_id"
    _check_company_auto = True

    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        required=True,
        readonly=True,
        ondelete="cascade",
        check_company=True,
    )
    active = fields.Boolean(
        default=True,
        readonly=True,
        help="Not while the invoice has no amount to pay, and its connection sends no "
        "such invoices.",
    )
    connection_id = fields.Many2one(
        "copaco.connection", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one(related="move_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="move_id.partner_id", string="Customer")
    email = fields.Char(related="move_id.partner_id.email")
    invoice_date = fields.Date(string="Invoice Date", related="move_id.invoice_date")
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount_total = fields.Monetary(
        related="move_id.amount_total_in_currency_signed", string="Total"
    )
    state = fields.Selection(
        [
            ("waiting", "To Send"),
            ("sending", "Being Sent"),
            ("sent", "Sent"),
            ("failed", "Could Not Be Sent"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    reason = Message(readonly=True, help="Why sending failed.")
    message = fields.Text(
        string="What to Do",
        compute="_compute_message",
        help="Why it could not be sent, or is not yet.",
    )
    send_at = fields.Datetime(
        string="To Send From",
        required=True,
        readonly=True,
        index=True,
        help="When it was confirmed, or the day of an invoice that is dated later.",
    )
    # What is being sent waits since then, and must not be sent again meanwhile.
    tried_at = fields.Datetime(string="Sending Began", readonly=True)
    sent_at = fields.Datetime(
        string="Delivered On", readonly=True, help="When its delivery was proved."
    )
    confirmed_by_id = fields.Many2one(
        "res.users",
        string="Delivery Confirmed By",
        readonly=True,
        help="Who said that it was delivered, of which nothing else is a proof.",
    )
    requested_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        help="Who pressed Send again: it is sent even if its connection sends no "
        "invoices any more.",
    )
    # What was posted before, or Peppol accepted, is no proof that it was sent since.
    last_message_id = fields.Integer(readonly=True)
    last_peppol_uuid = fields.Char(string="Last Peppol Message ID", readonly=True)
    is_unsent = fields.Boolean(
        string="Could Not Be Sent",
        compute="_compute_is_unsent",
        search="_search_is_unsent",
        help="Sending failed, or waits for more than an hour.",
    )

    _move_unique = models.UniqueIndex(
        "(move_id)", "This invoice is already to be sent."
    )

    # === COMPUTE METHODS === #

    @api.depends(
        *("state", "send_at", "tried_at"),
        *("move_id.state", "move_id.copaco_is_replaced"),
    )
    def _compute_is_unsent(self):
        unsent = self.filtered_domain(self._get_unsent_domain())
        for delivery in self:
            delivery.is_unsent = delivery in unsent

    @api.depends("reason", "is_unsent")
    @api.depends_context("lang")
    def _compute_message(self):
        proof = self.env["copaco.delivery.proof"]
        self.message = ""
        for delivery in self.filtered_domain(self._get_sendable_domain()):
            delivery.message = delivery.reason or proof._describe_wait(delivery)

    def _search_is_unsent(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_unsent_domain()

    # === ACTION METHODS === #

    def action_send_again(self):
        """Send these invoices once more, unless they were delivered meanwhile.

        :return: a notification with what became of them
        """
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        return self.env["copaco.sender"]._send_again(self.sudo())

    def action_was_delivered(self):
        """Note that these invoices were delivered, because a person knows that of what
        could not be sent, or of which nobody else knows it.

        :return: a notification that names those that are still to be sent, if any
        """
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        others = self.filtered(lambda each: not each.is_unsent and each.state != "sent")
        self.env["copaco.sender"].sudo()._note_delivered(self.sudo(), self.env.user)
        return self.env["copaco.processor"]._add_left_out(
            False, self.env["copaco.decision"]._get_reasons(others.move_id)
        )

    def action_view_invoice(self):
        """:return: the form of the invoice"""
        return self.move_id._get_records_action()

    # === BUSINESS METHODS === #

    @api.model
    def _get_sendable_domain(self):
        """:return: domain of what may be sent: not what was credited in full and
        invoiced anew, perhaps to another contact, before it was"""
        return Domain("move_id.state", "=", "posted") & Domain(
            "move_id.copaco_is_replaced", "=", False
        )

    @api.model
    def _get_unsent_domain(self):
        overdue = fields.Datetime.now() - timedelta(hours=OVERDUE_HOURS)
        return self._get_sendable_domain() & (
            Domain("state", "=", "failed")
            | Domain("state", "=", "waiting") & Domain("send_at", "<", overdue)
            | Domain("state", "=", "sending") & Domain("tried_at", "<", overdue)
        )

    # === CRON METHODS === #

    @api.model
    def _cron_send(self):
        """Send what waits for it, and look at what became of what was sent."""
        self.sudo().env["copaco.sender"]._send_all()

    @api.model
    def _cron_verify_contacts(self):
        """Look contacts up in Peppol's directory before anything is sent to them."""
        self.sudo().env["copaco.peppol"]._verify_contacts()
