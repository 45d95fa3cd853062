from odoo import api, fields, models

# What a line must have, to fall under a rule.
CONDITION_FIELDS = (
    "connection_id",
    "customer_id",
    "plan_ref",
    "plan_category",
    "text_contains",
    "charge_type",
    "billing_frequency",
)


class CopacoRule(models.Model):
    """What the price lines that it catches become; the first rule wins."""

    _name = "copaco.rule"
    _inherit = ["analytic.mixin"]
    _description = "Copaco Rule"
    _order = "sequence, id"
    _check_company_auto = True

    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="Empty: all companies.",
    )
    connection_id = fields.Many2one(
        "copaco.connection", check_company=True, ondelete="cascade"
    )
    customer_id = fields.Many2one(
        "copaco.customer",
        string="Copaco Customer",
        check_company=True,
        ondelete="cascade",
    )
    plan_ref = fields.Char(string="Plan ID", index="btree_not_null")
    plan_category = fields.Char(help="Spaces, hyphens and capitals don't matter.")
    text_contains = fields.Char(
        help="In the name of the plan or of the subscription, or in the description; "
        "* stands for any text. Capitals don't matter."
    )
    charge_type = fields.Char(help="Spaces, hyphens and capitals don't matter.")
    billing_frequency = fields.Char(help="Spaces, hyphens and capitals don't matter.")
    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        help="Empty: the product of the connection.",
    )
    account_id = fields.Many2one(
        "account.account",
        string="Income Account",
        check_company=True,
        help="Before the fiscal position of the customer. Empty: that of the product.",
    )
    tax_ids = fields.Many2many(
        "account.tax",
        "copaco_rule_tax_rel",
        string="Sales Taxes",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale')]",
        help="Before the fiscal position of the customer. Empty: those of the product "
        "or account.",
    )
    expense_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        help="Of Copaco's own invoices. Empty: that of the product.",
    )
    purchase_tax_ids = fields.Many2many(
        "account.tax",
        "copaco_rule_purchase_tax_rel",
        string="Purchase Taxes",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase')]",
        help="Of Copaco's own invoices. Empty: those of the product or account.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", *CONDITION_FIELDS)
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = self.fields_get(CONDITION_FIELDS, ["string"])
        for rule in self:
            conditions = [
                f"{labels[name]['string']}: {_get_text(rule[name])}"
                for name in CONDITION_FIELDS
                if rule[name]
            ]
            rule.display_name = " · ".join(conditions) or self.env._("All lines")


def _get_text(value):
    return value if isinstance(value, str) else value.display_name
