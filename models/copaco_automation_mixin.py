from odoo import api, fields, models

from ..tools import open_window

# What changes how far invoices of customers go.
SETTINGS = {"auto_policy_months", "invoice_policy", "active"}


class CopacoAutomationMixin(models.AbstractModel):
    """Whether a connection confirms and sends the invoices of all customers from the
    first on, or only of those that have earned it, see `copaco.automation`."""

    _name = "copaco.automation.mixin"
    _description = "Automation of a Copaco Connection"

    currency_id = fields.Many2one("res.currency")
    auto_policy_months = fields.Integer(
        string="Automate per Customer",
        tracking=True,
        help="Months in which all invoices of a customer were confirmed without a "
        "manual change, after which they are confirmed; after as many again they are "
        "sent, too. Until then they are left as drafts. Invoice Status on Import is "
        "how far this goes. 0: it is done for all customers from the first invoice on.",
    )
    jump_limit = fields.Float(
        string="Highest Difference (%)",
        default=20,
        help="An invoice is left as a draft when its total, or a line, differs by more "
        "percent from the month before.",
    )
    jump_amount = fields.Monetary(
        string="Differences to Ignore",
        default=1,
        help="Total and lines that differ by no more than this amount are not looked "
        "at, whatever that is in percent.",
    )
    automation_summary = fields.Char(
        string="Customers", compute="_compute_automation_summary"
    )

    _auto_policy_months_positive = models.Constraint(
        "CHECK(auto_policy_months BETWEEN 0 AND 60)",
        "A customer is automated after between 0 and 60 months.",
    )
    _jump_limits_positive = models.Constraint(
        "CHECK(jump_limit >= 0 AND jump_amount >= 0)",
        "The differences from the month before can't be negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends("auto_policy_months", "invoice_policy")
    def _compute_automation_summary(self):
        automation = self.env["copaco.automation"]
        for connection in self:
            connection.automation_summary = automation._describe_customers(connection)

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if not SETTINGS.isdisjoint(vals):
            self.env["copaco.automation"]._count_in_background(self)
        return res

    # === ACTION METHODS === #

    def action_view_automation(self):
        """:return: the window action with the customers of these connections"""
        customers = self.env["copaco.automation"]._find_customers(self)
        return open_window(
            self.env,
            "action_copaco_customer_automation",
            domain=[("id", "in", customers.ids)],
        )
