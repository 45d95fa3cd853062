from odoo import api, fields, models
from odoo.exceptions import UserError


class CopacoAnalyticMixin(models.AbstractModel):
    """The analytic distribution of a customer, for lines of which no rule says it."""

    _name = "copaco.analytic.mixin"
    _inherit = ["analytic.mixin"]
    _description = "Analytic Distribution of a Copaco Customer"

    suggested_analytic_account_id = fields.Many2one(
        "account.analytic.account",
        compute="_compute_suggested_analytic_account_id",
        help="The only analytic account whose reference is the cost centre or a PO "
        "number of this customer.",
    )

    # === COMPUTE METHODS === #

    @api.depends("cost_center", "analytic_distribution")
    def _compute_suggested_analytic_account_id(self):
        self.suggested_analytic_account_id = False
        Account = self.env["account.analytic.account"]
        if not Account.has_access("read"):
            return
        for customer in self.filtered(lambda each: not each.analytic_distribution):
            accounts = Account.search(
                [
                    *Account._check_company_domain(customer.company_id),
                    ("code", "in", [*customer._get_analytic_codes()]),
                ],
                limit=2,
            )
            if len(accounts) == 1:
                customer.suggested_analytic_account_id = accounts

    # === ACTION METHODS === #

    def action_accept_analytic_account(self):
        """Distribute to the suggested analytic accounts from now on.

        :raise UserError: when there is no suggestion
        """
        suggested = self.filtered("suggested_analytic_account_id")
        if not suggested:
            raise UserError(
                self.env._(
                    "No analytic account is suggested for %(customers)s. Choose it "
                    "yourself.",
                    customers=", ".join(self.mapped("display_name")),
                )
            )
        for customer in suggested:
            account = customer.suggested_analytic_account_id
            customer.analytic_distribution = {str(account.id): 100}

    # === BUSINESS METHODS === #

    def _get_analytic_codes(self):
        """:return: set of texts that may be the reference of an analytic account"""
        groups = (
            self.env["copaco.document.line"]
            .sudo()
            ._read_group(
                [("document_id.customer_id", "in", self.ids)],
                ["line_po", "subscription_po"],
            )
        )
        codes = {code for group in groups for code in group}
        return {self.cost_center, *codes} - {False, None, ""}
