from odoo import api, fields, models

from ..const import BILLING_GROUP

# Set by the import alone.
PROTECTED_FIELDS = ("copaco_line_id", "copaco_is_rounding")


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
            [name for name in fields if name not in PROTECTED_FIELDS]
        )

    def write(self, vals):
        if not self.env.su and not vals.keys().isdisjoint(PROTECTED_FIELDS):
            self.move_id._refuse_copaco_link()
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self.env.su and any(map(lines.sudo().filtered, PROTECTED_FIELDS)):
            lines.move_id._refuse_copaco_link()
        return lines
