from odoo import fields, models


class CopacoLayoutMixin(models.AbstractModel):
    """How invoices of a connection, or to a customer, are laid out."""

    _name = "copaco.layout.mixin"
    _description = "Invoice Layout of a Copaco Connection or Customer"

    layout_id = fields.Many2one(
        "copaco.layout",
        string="Invoice Layout",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        help="Order, headings and texts of the lines of new invoices, and of drafts "
        "that are processed again. What is booked stays the same.",
    )
