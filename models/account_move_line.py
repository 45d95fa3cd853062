from odoo import api, fields, models

from ..const import BILLING_GROUP

# Set by the import alone.
PROTECTED_FIELDS = (
    "copaco_line_id",
    "copaco_is_hidden",
    "copaco_is_rounding",
    "copaco_analytic_distribution",
    "copaco_layout_key",
)


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

    copaco_analytic_distribution = fields.Json(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="What a rule or the Copaco customer says of the analytic distribution.",
    )

    copaco_layout_key = fields.Char(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="Of a heading or a note that the layout of a Copaco document asks for.",
    )

    copaco_is_hidden = fields.Boolean(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="Not printed as long as it is zero.",
    )

    copaco_cost = fields.Monetary(
        string="Cost",
        compute="_compute_copaco_margin",
        currency_field="company_currency_id",
        groups=BILLING_GROUP,
        exportable=False,
        help="What Copaco bills for this line, in the company's currency.",
    )
    copaco_margin = fields.Monetary(
        string="Margin",
        compute="_compute_copaco_margin",
        currency_field="company_currency_id",
        groups=BILLING_GROUP,
        exportable=False,
        help="Of the line with its corrections, and with what was credited of it.",
    )
    copaco_margin_percent = fields.Float(
        string="Margin %",
        compute="_compute_copaco_margin",
        groups=BILLING_GROUP,
        exportable=False,
    )

    # === COMPUTE METHODS === #

    @api.depends("copaco_line_id", "balance", "parent_state")
    def _compute_copaco_margin(self):
        self.copaco_cost = self.copaco_margin = self.copaco_margin_percent = 0
        own = self.sudo().filtered(
            lambda line: line.copaco_line_id and line.move_id.is_sale_document()
        )
        pairs = self.env["copaco.margin"].sudo()._get_pairs(own.copaco_line_id)
        paired = own.filtered(lambda line: line.copaco_line_id in pairs)
        changes = self.env["copaco.invoice.margin"]._get_changes(
            paired.copaco_line_id.document_id
        )
        for line in paired:
            # What a correction has of a line counts where that was billed first.
            if line._origin not in changes:
                continue
            sale = changes[line._origin] - line.balance
            line.copaco_cost = pairs[line.copaco_line_id].cost
            line.copaco_margin = sale - line.copaco_cost
            line.copaco_margin_percent = sale and line.copaco_margin / sale * 100

    def _related_analytic_distribution(self):
        # EXTENDS account: distribution models add those plans of which it says nothing.
        own = self.sudo().copaco_analytic_distribution
        return super()._related_analytic_distribution() | (own or {})

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

    # === BUSINESS METHODS === #

    def _is_copaco_printed(self):
        """:return: whether this line has to be on a printed invoice"""
        self.ensure_one()
        if not self.sudo().copaco_is_hidden:
            return True
        if self.display_type == "product":
            return bool(self.price_subtotal)
        return bool(self.get_section_subtotal())
