from odoo import api, fields, models

from .copaco_preview_outcome import OUTCOMES

REFUNDS = ("out_refund", "in_refund")


class CopacoPreviewDocument(models.TransientModel):
    """A document, and what an import would make of it.

    Customers and contacts are texts: the import may have made them, and then they are
    undone with it.
    """

    _name = "copaco.preview.document"
    _description = "Copaco Preview: Document"
    _order = "id"
    _rec_name = "invoice_number"

    preview_id = fields.Many2one(
        "copaco.preview", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="preview_id.company_id", store=True)
    outcome = fields.Selection(OUTCOMES, required=True)
    document_id = fields.Many2one(
        "copaco.document",
        string="Copaco Document",
        ondelete="set null",
        help="What an earlier fetch stored.",
    )
    invoice_number = fields.Char(string="Number", help="Copaco's InvoiceID.")
    customer_name = fields.Char(string="Customer")
    partner_name = fields.Char(string="Contact")
    invoice_date = fields.Date()
    move_type = fields.Selection(
        [
            ("out_invoice", "Invoice"),
            ("out_refund", "Credit Note"),
            ("in_invoice", "Vendor Bill"),
            ("in_refund", "Vendor Credit Note"),
            ("in_receipt", "Purchase Receipt"),
        ],
        string="Becomes",
    )
    currency_id = fields.Many2one("res.currency")
    line_count = fields.Integer(string="Lines")
    amount_untaxed = fields.Monetary(string="Without Tax")
    amount_tax = fields.Monetary(string="Tax")
    amount_total = fields.Monetary(string="Total")
    amount_untaxed_signed = fields.Monetary(
        string="Without Tax (Signed)", compute="_compute_amounts_signed", store=True
    )
    amount_tax_signed = fields.Monetary(
        string="Tax (Signed)", compute="_compute_amounts_signed", store=True
    )
    amount_total_signed = fields.Monetary(
        string="Total (Signed)", compute="_compute_amounts_signed", store=True
    )
    hold_reason = fields.Selection(
        string="Reason",
        selection=lambda self: (
            self.env["copaco.document"]
            ._fields["hold_reason"]
            ._description_selection(self.env)
        ),
    )
    message = fields.Text(string="What to Do")
    warnings = fields.Text(
        help="Why the invoice would stay a draft, or could not be sent."
    )
    difference = fields.Html(string="What Changed", sanitize=False)
    payload = fields.Text(string="Raw Data")
    # Of the customer, so never to be added up over its documents.
    month_amount = fields.Monetary(
        string="This Month",
        aggregator=None,
        help="Without tax: all documents of this customer with an invoice date in the "
        "same month, but for excluded ones.",
    )
    last_month_amount = fields.Monetary(
        string="Month Before",
        aggregator=None,
        help="Without tax: all documents of this customer with an invoice date in the "
        "month before, but for excluded ones.",
    )
    month_difference = fields.Monetary(
        string="Difference",
        aggregator=None,
        compute="_compute_month_difference",
        store=True,
    )
    month_difference_percent = fields.Float(
        string="Difference in %",
        aggregator=None,
        compute="_compute_month_difference",
        store=True,
    )
    line_ids = fields.One2many("copaco.preview.line", "preview_document_id")

    # === COMPUTE METHODS === #

    @api.depends("move_type", "amount_untaxed", "amount_tax", "amount_total")
    def _compute_amounts_signed(self):
        for document in self:
            sign = -1 if document.move_type in REFUNDS else 1
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                document[f"{name}_signed"] = sign * document[name]

    @api.depends("month_amount", "last_month_amount")
    def _compute_month_difference(self):
        for document in self:
            before = document.last_month_amount
            document.month_difference = document.month_amount - before
            document.month_difference_percent = (
                document.month_difference / abs(before) if before else 0.0
            )

    # === ACTION METHODS === #

    def action_view_document(self):
        """:return: the form of the document that an earlier fetch stored"""
        self.ensure_one()
        # Not this context: it may name the views that the preview is shown with.
        return self.document_id._get_records_action(context={})
