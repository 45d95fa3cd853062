from odoo import api, fields, models

from ..const import BILLING_GROUP


class KnownTotals:
    """What the taxes make of lines that are about to be created, so that Odoo need not
    compute it once more for each of them. Who hands them over sees to it that the lines
    become what they were computed of. A context from outside can't have one."""

    def __init__(self):
        self._totals = {}

    def add(self, copaco_line_id, base_line):
        """:param copaco_line_id: id of a `copaco.document.line`
        :param base_line: of it, with the tax details of `account.tax`
        """
        details = base_line["tax_details"]
        self._totals[copaco_line_id] = (
            details["total_excluded_currency"],
            details["total_included_currency"],
        )

    def get(self, line):
        """:return: (total without taxes, total with taxes) of an `account.move.line`;
        None when they aren't known"""
        return self._totals.get(line.copaco_line_id.id)


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

    # === COMPUTE METHODS === #

    def _compute_totals(self):
        known = self.env.context.get("copaco_known_totals")
        if not isinstance(known, KnownTotals):
            return super()._compute_totals()
        rest = []
        for line in self:
            if totals := known.get(line):
                line.price_subtotal, line.price_total = totals
            else:
                rest.append(line.id)
        return super(AccountMoveLine, self.browse(rest))._compute_totals()

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
