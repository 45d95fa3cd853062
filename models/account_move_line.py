from odoo import api, fields, models

from ..const import BILLING_GROUP


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    copaco_line_id = fields.Many2one(
        "copaco.document.line",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        groups=BILLING_GROUP,
    )
    copaco_vendor_details = fields.Char(
        string="Vendor Details",
        help="What the vendor says about this charge, as Copaco sent it.",
    )

    copaco_is_rounding = fields.Boolean(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="What the roundings of the lines of a Copaco document add up to.",
    )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        # A default of a user would also get past `sudo()`, onto tax lines and all.
        return super().default_get(
            [name for name in fields if name != "copaco_line_id"]
        )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self.env.su and lines.sudo().copaco_line_id:
            lines.move_id._refuse_copaco_link()
        return lines

    def write(self, vals):
        if "copaco_line_id" in vals and not self.env.su:
            self.move_id._refuse_copaco_link()
        return super().write(vals)
