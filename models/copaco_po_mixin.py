from odoo import fields, models

PURCHASE_FIELDS = {
    "buyer_reference",
    "po_number",
    "is_po_number_required",
    "is_split_by_po",
}


class CopacoPoMixin(models.AbstractModel):
    """What a customer wants on its invoices to recognise what it ordered."""

    _name = "copaco.po.mixin"
    _description = "Purchase References of a Copaco Customer"

    buyer_reference = fields.Char(
        tracking=True,
        help="What the customer wants to find as such on e-invoices, such as a "
        "department. The reference of the contact is not used where it is the number "
        "that links the contact.",
    )
    po_number = fields.Char(
        string="PO Number",
        tracking=True,
        help="The customer's PO number for lines for which Copaco sends none.",
    )
    is_po_number_required = fields.Boolean(
        string="PO Number Required",
        tracking=True,
        help="Hold documents that have lines without a PO number.",
    )
    is_split_by_po = fields.Boolean(
        string="One Invoice per PO Number",
        tracking=True,
        help="A Copaco invoice with several PO numbers becomes one invoice for each of "
        "them; its lines without a PO number are an invoice, too. What was received "
        "before this was switched on, or off, stays as it is.",
    )
