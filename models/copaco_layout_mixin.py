from odoo import fields, models


class CopacoLayoutMixin(models.AbstractModel):
    """How invoices of a connection, or to a customer, are laid out."""

    _name = "copaco.layout.mixin"
    _description = "Invoice Layout of a Copaco Connection or Customer"

    invoice_grouping = fields.Selection(
        [
            ("document", "One per Copaco invoice"),
            ("month", "One per customer and month"),
        ],
        string="Invoices",
        tracking=True,
        help="One per customer and month: what is received later is added to the "
        "invoice of its month as long as that is a draft which nobody edited; after "
        "that, it gets another one. Where invoices are confirmed on import, those of "
        "one fetch are put together first; let them wait until the month is complete "
        "to put together all of it. Credit notes stay as they are.",
    )
    layout_id = fields.Many2one(
        "copaco.layout",
        string="Invoice Layout",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        help="Order, headings and texts of the lines of new invoices, and of drafts "
        "that are processed again. What is booked stays the same.",
    )
