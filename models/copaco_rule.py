from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.account.models.product import ACCOUNT_DOMAIN

from ..tools import notify

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
# What the line becomes.
RESULT_FIELDS = (
    "product_id",
    "account_id",
    "tax_ids",
    "analytic_distribution",
    "expense_account_id",
    "purchase_tax_ids",
)
# A tax that is archived holds documents, and is seen on the rule to be replaced.
WITH_ARCHIVED = {"active_test": False}


class CopacoRule(models.Model):
    """What the price lines that it catches become; the first rule wins."""

    _name = "copaco.rule"
    _inherit = ["analytic.mixin", "copaco.company.mixin"]
    _description = "Copaco Rule"
    _order = "sequence, id"
    _check_company_auto = True

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
        ondelete="restrict",
        help="Empty: the product of the connection.",
    )
    account_id = fields.Many2one(
        "account.account",
        string="Income Account",
        check_company=True,
        domain=ACCOUNT_DOMAIN,
        ondelete="restrict",
        help="Before the fiscal position of the customer. Empty: that of the product.",
    )
    tax_ids = fields.Many2many(
        "account.tax",
        "copaco_rule_tax_rel",
        string="Sales Taxes",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale'), ('active', '=', True)]",
        context=WITH_ARCHIVED,
        ondelete="restrict",
        help="Before the fiscal position of the customer. Empty: those of the product "
        "or account.",
    )
    expense_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        domain=ACCOUNT_DOMAIN,
        ondelete="restrict",
        help="Of Copaco's own invoices. Empty: that of the product.",
    )
    purchase_tax_ids = fields.Many2many(
        "account.tax",
        "copaco_rule_purchase_tax_rel",
        string="Purchase Taxes",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase'), ('active', '=', True)]",
        context=WITH_ARCHIVED,
        ondelete="restrict",
        help="Of Copaco's own invoices. Empty: those of the product or account.",
    )
    margin_threshold = fields.Float(
        string="Lowest Margin",
        help="In percent of the sale. What has less is a finding; 0: that of the "
        "connection.",
    )

    line_count = fields.Integer(
        string="Lines",
        compute="_compute_line_count",
        help="Of the last three months, that it catches as it is saved.",
    )
    effect = fields.Html(compute="_compute_effect", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends("sequence", "active", "company_id", *CONDITION_FIELDS)
    def _compute_line_count(self):
        counts = self.env["copaco.rule.effect"]._get_line_counts(self._origin)
        for rule in self:
            rule.line_count = counts[rule._origin.id] if rule._origin else 0

    @api.depends("sequence", "active", "company_id", *CONDITION_FIELDS, *RESULT_FIELDS)
    def _compute_effect(self):
        for rule in self:
            rule.effect = self.env["copaco.rule.effect"]._render(rule)

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

    # === CONSTRAINT METHODS === #

    @api.constrains("tax_ids", "purchase_tax_ids")
    def _check_taxes(self):
        """Taxes of sales and purchases often have the same name, by which an import of
        rules finds them."""
        for rule in self:
            for taxes, use in (
                (rule.tax_ids, "sale"),
                (rule.purchase_tax_ids, "purchase"),
            ):
                wrong = taxes.filtered(lambda tax, use=use: tax.type_tax_use != use)
                if wrong:
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s can't have these taxes: %(taxes)s. "
                            "Customers have sales taxes, and Copaco's own invoices "
                            "purchase taxes.",
                            rule=rule.display_name,
                            taxes=", ".join(wrong.mapped("display_name")),
                        )
                    )

    # === ACTION METHODS === #

    def action_process_drafts(self):
        """Process the documents again that these rules concern: those held for want of
        a product, an account or a tax or for another VAT, and those whose invoice is a
        draft. Manual edits are kept.

        :return: see `copaco.document.action_retry`
        """
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        return self._process_again(self.env["copaco.rule.effect"]._get_documents(self))

    def _process_again(self, documents):
        """See `action_process_drafts`; of these `copaco.document` records."""
        if documents:
            return documents.action_retry()
        return notify(
            "info",
            self.env._(
                "No draft invoice and no held document has lines of these rules."
            ),
        )

    # === BUSINESS METHODS === #

    def _is_for(self, company):
        """Whether this rule counts in a `res.company`."""
        self.ensure_one()
        return self.active and (
            not self.company_id or self.company_id._origin in company.parent_ids
        )

    def _describe(self):
        """:return: text that says which rule this is, and what its lines become"""
        self.ensure_one()
        labels = self.fields_get(RESULT_FIELDS, ["string"])
        values = {
            **{name: self[name] for name in RESULT_FIELDS},
            "analytic_distribution": self.distribution_analytic_account_ids,
        }
        results = [
            f"{labels[name]['string']}: {_get_text(value)}"
            for name, value in values.items()
            if value
        ]
        return f"{self.display_name} → {' · '.join(results) or '–'}"

    def _take_off_product(self):
        """Have these rules say nothing of the product; one that says nothing else ends,
        so that its lines are as without it."""
        for rule in self:
            rule.product_id = False
            others = (*RESULT_FIELDS, "margin_threshold")
            rule.active = any(rule[name] for name in others)

    def _is_for_many_plans(self):
        """Whether lines of any plan, customer and connection may fall under it."""
        return not (self.plan_ref or self.customer_id or self.connection_id)

    def _is_overridden(self, company):
        """Whether a rule for many plans comes before this one of a plan."""
        rules = self.env["copaco.rule.engine"]._get_rules(company)
        earlier = rules[: rules.ids.index(self.id)]
        return any(rule._is_for_many_plans() for rule in earlier)

    @api.model
    def _get_plan_sequence(self, company, rule):
        """:param rule: the `copaco.rule` of the same plan that counts by now, if any
        :return: the sequence of a new rule of one plan: before that, and before every
            rule that is for many plans, whoever the customer
        """
        rules = self.env["copaco.rule.engine"]._get_rules(company)
        later = rules.filtered(lambda each: each == rule or each._is_for_many_plans())
        return min(later.mapped("sequence"), default=11) - 1


def _get_text(value):
    return value if isinstance(value, str) else ", ".join(value.mapped("display_name"))
