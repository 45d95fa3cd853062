from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import SALES_KINDS
from ..tools import enumerate_names


class CopacoPlan(models.Model):
    """A plan that Copaco ever billed, with the product that it is.

    It is a view: what there is to know of a plan is on its price lines and in the
    rules. The product that is entered here becomes a rule.
    """

    _name = "copaco.plan"
    _description = "Copaco Plan"
    _auto = False
    _order = "is_mapped, amount desc, id"
    _depends = {
        "copaco.document.line": [
            "amount",
            "document_id",
            "plan_category",
            "plan_name",
            "plan_ref",
        ],
        "copaco.document": [
            "company_id",
            "currency_id",
            "customer_id",
            "invoice_date",
            "kind",
            "state",
        ],
        "copaco.rule": [
            "active",
            "billing_frequency",
            "charge_type",
            "company_id",
            "connection_id",
            "customer_id",
            "plan_category",
            "plan_ref",
            "product_id",
            "sequence",
            "text_contains",
        ],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    plan_ref = fields.Char(string="Plan ID", readonly=True)
    name = fields.Char(string="Plan", readonly=True)
    plan_category = fields.Char(string="Vendor or Category", readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)
    line_count = fields.Integer(string="Lines", readonly=True)
    amount = fields.Monetary(
        string="Last Three Months",
        readonly=True,
        help="Without tax; documents in the currency of the company.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    rule_id = fields.Many2one(
        "copaco.rule", readonly=True, help="The first rule of this plan alone."
    )
    product_id = fields.Many2one(
        "product.product", help="Makes or changes the rule of this plan."
    )
    is_mapped = fields.Boolean(string="Has a Product", readonly=True)
    used_product_ids = fields.Many2many(
        "product.product",
        string="Invoiced As",
        compute="_compute_used_product_ids",
        help="What its lines of the last three months are by the rules as they are "
        "now; empty: the product of the connection.",
    )
    suggested_product_id = fields.Many2one(
        "product.product",
        string="Suggestion",
        compute="_compute_suggested_product_id",
        help="The only product with this internal reference, barcode or name.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT plan.*, last.plan_name AS name, company.currency_id,
                   rule.id AS rule_id, rule.product_id,
                   rule.product_id IS NOT NULL AS is_mapped
              FROM (
                SELECT min(first_id) AS id, max(last_id) AS last_id, company_id,
                       plan_ref, max(plan_category) AS plan_category,
                       count(customer_id) AS customer_count,
                       sum(line_count)::int AS line_count, sum(amount) AS amount
                  FROM (
                    SELECT document.company_id, document.customer_id, line.plan_ref,
                           min(line.id) AS first_id, max(line.id) AS last_id,
                           max(line.plan_category) AS plan_category,
                           count(*) AS line_count,
                           coalesce(sum(line.amount) FILTER (
                             WHERE line.is_excluded IS NOT TRUE
                               AND document.invoice_date >= %(since)s
                               AND document.currency_id = owner.currency_id
                               AND document.state != 'excluded'), 0) AS amount
                      FROM copaco_document_line line
                      JOIN copaco_document document ON document.id = line.document_id
                      JOIN res_company owner ON owner.id = document.company_id
                     WHERE line.plan_ref != '' AND document.kind IN %(kinds)s
                     GROUP BY document.company_id, document.customer_id, line.plan_ref
                  ) customer
                 GROUP BY company_id, plan_ref
              ) plan
              JOIN copaco_document_line last ON last.id = plan.last_id
              JOIN res_company company ON company.id = plan.company_id
              LEFT JOIN LATERAL (
                SELECT rule.id, rule.product_id
                  FROM copaco_rule rule
                 WHERE rule.active
                   AND rule.plan_ref = plan.plan_ref
                   AND (rule.company_id IS NULL OR rule.company_id::text = ANY(
                         string_to_array(company.parent_path, '/')))
                   AND rule.connection_id IS NULL
                   AND rule.customer_id IS NULL
                   AND coalesce(rule.plan_category, '') = ''
                   AND coalesce(rule.text_contains, '') = ''
                   AND coalesce(rule.charge_type, '') = ''
                   AND coalesce(rule.billing_frequency, '') = ''
                 ORDER BY rule.sequence, rule.id
                 LIMIT 1
              ) rule ON true""",
            since=self.env["copaco.rule.effect"]._get_first_day(),
            kinds=SALES_KINDS,
        )

    # === COMPUTE METHODS === #

    @api.depends("name", "plan_ref")
    def _compute_display_name(self):
        for plan in self:
            plan.display_name = plan.name or plan.plan_ref

    @api.depends("product_id")
    def _compute_used_product_ids(self):
        effect = self.env["copaco.rule.effect"]
        for company, plans in self.grouped("company_id").items():
            products = effect._get_products_by_plan(
                company, set(plans.mapped("plan_ref"))
            )
            for plan in plans:
                plan.used_product_ids = products[plan.plan_ref]

    @api.depends("product_id")
    def _compute_suggested_product_id(self):
        Product = self.env["product.product"]
        self.suggested_product_id = False
        for company, plans in self.grouped("company_id").items():
            unmapped = plans.filtered(lambda plan: not plan.product_id)
            refs = unmapped.mapped("plan_ref")
            names = list(filter(None, unmapped.mapped("name")))
            found = Product.search(
                [
                    *Product._check_company_domain(company),
                    *("|", "|"),
                    ("default_code", "in", refs),
                    ("barcode", "in", refs),
                    ("name", "in", names),
                ]
            )
            for plan in unmapped:
                for name, value in (
                    ("default_code", plan.plan_ref),
                    ("barcode", plan.plan_ref),
                    ("name", plan.name),
                ):
                    same = found.filtered(
                        lambda product, name=name, value=value: product[name] == value
                    )
                    if value and same:
                        plan.suggested_product_id = same if len(same) == 1 else False
                        break

    # === CRUD METHODS === #

    def write(self, vals):  # pylint: disable=method-required-super
        # EXTENDS base: there is no table; what is entered becomes a rule
        self.check_access("write")
        if vals.keys() - {"product_id"}:
            raise UserError(
                self.env._(
                    "Only the product of a plan can be changed here. What else "
                    "becomes of its lines is said by rules."
                )
            )
        for plan in self if vals else ():
            plan._set_product(vals["product_id"])
        self.invalidate_model()
        return True

    # === ACTION METHODS === #

    def action_accept(self):
        """Give these plans the products that are suggested for them.

        :return: a notification that names those without one, if any
        :raise UserError: when there is no suggestion for any of them
        """
        self.check_access("write")
        suggested = self.filtered("suggested_product_id")
        if not suggested:
            raise UserError(
                self.env._(
                    "No product is suggested for %(plans)s. Choose it yourself.",
                    plans=", ".join(self.mapped("display_name")),
                )
            )
        # The plans are read anew once one of them has its product.
        names = (self - suggested).mapped("display_name")
        for plan in suggested:
            plan.product_id = plan.suggested_product_id
        reasons = []
        if names:
            reasons.append(
                self.env._(
                    "Left out, no product is suggested: %(plans)s.",
                    plans=enumerate_names(self.env, names),
                )
            )
        return self.env["copaco.processor"]._add_left_out(False, reasons)

    def action_process_drafts(self):
        """See `copaco.rule.action_process_drafts`; of what has lines of these plans, or
        of all rules.

        :return: see `copaco.document.action_retry`
        """
        Rule = self.env["copaco.rule"]
        if self:
            self.check_access("read")
            effect = self.env["copaco.rule.effect"]
            return Rule._process_again(effect._get_documents_of_plans(self))
        companies = self.env.companies.parent_ids
        rules = Rule.search([("company_id", "in", [False, *companies.ids])])
        return rules.action_process_drafts()

    def action_view_rule(self):
        """:return: the form of the rule of this plan"""
        return self.rule_id._get_records_action()

    # === BUSINESS METHODS === #

    def _set_product(self, product_id):
        """Make or change the rule of this plan, in its own company alone.

        :param product_id: of `product.product`; False: the rule doesn't say, and ends
            if it says nothing else
        """
        self.ensure_one()
        Rule = self.env["copaco.rule"]
        # It may be a parent company's, which not everyone may see.
        current = self.rule_id.sudo()
        rule = Rule
        if current.company_id == self.company_id:
            rule = current.with_env(self.env)
        if not product_id:
            if current.product_id and not rule:
                raise UserError(
                    self.env._(
                        "The product of plan %(plan)s is said by rule %(rule)s, which "
                        "is not of %(company)s alone. Choose another product here, or "
                        "change that rule.",
                        plan=self.display_name,
                        rule=current.display_name,
                        company=self.company_id.name,
                    )
                )
            rule._take_off_product()
            return
        vals = {"product_id": product_id}
        if not rule or rule._is_overridden(self.company_id):
            vals["sequence"] = Rule._get_plan_sequence(self.company_id, current)
        if rule:
            rule.write(vals)
        else:
            owner = {"company_id": self.company_id.id, "plan_ref": self.plan_ref}
            Rule.create({**owner, **vals})
