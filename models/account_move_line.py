from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    copaco_line_id = fields.Many2one(
        "copaco.document.line",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    copaco_vendor_details = fields.Char(
        string="Vendor Details",
        help="What the vendor says about this charge, as Copaco sent it.",
    )
