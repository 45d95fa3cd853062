from odoo import fields, models


class CopacoPreviewLine(models.TransientModel):
    """A line of the invoice that an import would make; without one, a price line."""

    _name = "copaco.preview.line"
    _description = "Copaco Preview: Line"
    _order = "preview_document_id, sequence, id"
    _rec_name = "name"

    preview_document_id = fields.Many2one(
        "copaco.preview.document",
        string="Document",
        required=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="preview_document_id.company_id", store=True)
    currency_id = fields.Many2one(related="preview_document_id.currency_id", store=True)
    sequence = fields.Integer()
    display_type = fields.Char(help="As of a line of Odoo's invoices.")
    name = fields.Text(string="Description")
    vendor_details = fields.Char()
    quantity = fields.Float(min_display_digits=0)
    price_unit = fields.Float(string="Price", min_display_digits="Product Price")
    discount = fields.Float(string="Disc.%")
    taxes = fields.Char()
    account = fields.Char()
    price_subtotal = fields.Monetary(string="Without Tax")
    price_total = fields.Monetary(string="With Tax")
