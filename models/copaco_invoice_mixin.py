from odoo import api, fields, models

from ..const import PURCHASE_KINDS


class CopacoInvoiceMixin(models.AbstractModel):
    """What was invoiced of a document: its invoice, and what corrects that."""

    _name = "copaco.invoice.mixin"
    _description = "Invoices of a Copaco Document"

    currency_id = fields.Many2one("res.currency")
    move_id = fields.Many2one(
        "account.move", string="Invoice", index="btree_not_null", ondelete="restrict"
    )
    move_snapshot = fields.Json(
        help="What the addon put on the invoice, to find manual edits."
    )
    # What happens to the invoice, or the customer, is in the log of that one alone.
    move_partner_id = fields.Many2one(
        related="move_id.partner_id", string="Invoiced To", tracking=False
    )
    move_state = fields.Selection(
        related="move_id.state", string="Invoice Status", tracking=False
    )
    move_amount_untaxed = fields.Monetary(
        string="Invoice Amount", compute="_compute_move_amount_untaxed"
    )
    chosen_date = fields.Date(
        string="Other Invoice Date",
        readonly=True,
        help="The invoice date that a person chose instead of Copaco's.",
    )
    replaced_date = fields.Date(
        readonly=True,
        help="Copaco's date that another one was chosen for. When Copaco changes it, "
        "nobody has chosen one for the new date.",
    )
    correction_ids = fields.Many2many(
        "account.move", string="Corrections", compute="_compute_correction_ids"
    )
    correction_count = fields.Integer(compute="_compute_correction_ids")
    is_invoiced_anew = fields.Boolean(
        compute="_compute_is_invoiced_anew",
        help="What Copaco changed can't be corrected by the difference alone.",
    )

    # === COMPUTE METHODS === #

    @api.depends("move_id.amount_untaxed", "move_id.move_type")
    def _compute_move_amount_untaxed(self):
        for document in self:
            booked = document.move_id.amount_untaxed_in_currency_signed
            document.move_amount_untaxed = document._get_sign() * booked

    @api.depends(
        "version_ids.move_ids.state", "version_ids.move_ids.copaco_is_replaced"
    )
    def _compute_correction_ids(self):
        for document in self:
            document.correction_ids = document._get_live_corrections()
            document.correction_count = len(document.correction_ids)

    @api.depends("version_ids.state")
    def _compute_is_invoiced_anew(self):
        for document in self:
            version = document._get_pending_version()
            document.is_invoiced_anew = bool(version) and version._is_invoiced_anew()

    # === ACTION METHODS === #

    def action_view_invoice(self):
        """:return: the form of the invoice"""
        return self.move_id._get_records_action()

    def action_view_corrections(self):
        """:return: the window action with the corrections of these documents"""
        return self.correction_ids._get_copaco_action()

    # === BUSINESS METHODS === #

    def _get_invoice_date(self):
        """:return: the date of the invoice: Copaco's, or what a person chose instead"""
        return self._get_chosen_date() or self.invoice_date

    def _get_chosen_date(self):
        """:return: the day that a person chose instead of the date that Copaco gives
        these documents now, or False"""
        return self.filtered(
            lambda document: document.replaced_date == document.invoice_date
        )[:1].chosen_date

    def _choose_date(self, day, version=None):
        """:param day: instead of Copaco's date
        :param version: the `copaco.document.version` whose date it is chosen for, if
            it isn't that of the document
        """
        self.ensure_one()
        date = version and version._get_invoice_date() or self.invoice_date
        self.write({"chosen_date": day, "replaced_date": date})

    def _get_layout(self):
        """:return: the `copaco.layout` of the customer or of the connection, if any"""
        if self.kind in PURCHASE_KINDS:
            return self.env["copaco.layout"]
        return self.customer_id.layout_id or self.connection_id.layout_id

    def _get_live_invoice(self):
        """:return: the invoice of this document unless it was cancelled"""
        self.ensure_one()
        if self.move_id and self.move_id.state != "cancel":
            return self.move_id
        return self.env["account.move"].search(
            [
                ("copaco_document_id", "=", self.id),
                ("state", "!=", "cancel"),
                ("copaco_is_replaced", "=", False),
            ],
            limit=1,
        )

    def _get_live_corrections(self):
        return self.version_ids.move_ids.filtered(
            lambda move: move.state != "cancel" and not move.copaco_is_replaced
        )
