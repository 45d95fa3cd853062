from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..const import INVOICE_POLICY_SELECTION, MANAGER_GROUP


class CopacoEarnedMixin(models.AbstractModel):
    """How far the invoices of a customer go without a person, see
    `copaco.automation`."""

    _name = "copaco.earned.mixin"
    _description = "Automation of a Copaco Customer"

    invoice_policy = fields.Selection(
        [
            ("earned", "As earned"),
            ("connection", "As the connection says"),
            *INVOICE_POLICY_SELECTION,
        ],
        string="Invoice Status on Import",
        required=True,
        default="earned",
        tracking=True,
        help="As earned: where the connection automates per customer, invoices are "
        "confirmed, and later sent, once they were confirmed unchanged for so many "
        "months. As the connection says: the same, from the first invoice on, and "
        "whatever differs from the month before. It never goes further than the "
        "connection says.",
    )
    unchanged_months = fields.Integer(
        readonly=True,
        default=0,
        help="Months of which all invoices were confirmed without a manual change, "
        "since the last one that was edited, credited or reset.",
    )
    last_change = fields.Selection(
        [
            ("edited", "Edited manually"),
            ("credited", "Credited manually"),
            ("reset", "Reset to draft"),
        ],
        string="Last Manual Change",
        readonly=True,
    )
    last_change_on = fields.Date(readonly=True)
    last_change_document_id = fields.Many2one(
        "copaco.document", readonly=True, ondelete="set null"
    )
    policy_in_force = fields.Selection(
        selection=lambda self: (
            self.env["copaco.connection"]
            ._fields["invoice_policy"]
            ._description_selection(self.env)
        ),
        string="Status in Force",
        compute="_compute_policy_in_force",
        search="_search_policy_in_force",
        help="What is done with the next invoice, unless something about it stands "
        "out.",
    )
    policy_reason = fields.Char(
        string="Explanation",
        compute="_compute_policy_in_force",
        help="Why the invoices of this customer go as far.",
    )

    # === COMPUTE METHODS === #

    @api.depends("invoice_policy", "unchanged_months", "last_change")
    def _compute_policy_in_force(self):
        automation = self.env["copaco.automation"]
        connections = automation._find_connections(self)
        for customer in self:
            connection = connections[customer]
            customer.policy_in_force = automation._get_policy(customer, connection)
            customer.policy_reason = automation._describe_policy(customer, connection)

    def _search_policy_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        customers = self.search([("company_id", "in", self.env.companies.ids)])
        found = customers.filtered(lambda each: each.policy_in_force in value)
        return [("id", "in", found.ids)]

    # === CRUD METHODS === #

    def write(self, vals):
        if (
            "invoice_policy" in vals
            and not self.env.su
            and not self.env.user.has_group(MANAGER_GROUP)
        ):
            raise AccessError(
                self.env._(
                    "Only accounting administrators choose whether invoices of "
                    "%(customers)s are confirmed and sent without a person. Ask one.",
                    customers=", ".join(self.mapped("display_name")),
                )
            )
        res = super().write(vals)
        if "invoice_policy" in vals:
            # See `copaco.sending.mixin`.
            self.env["copaco.sender"]._continue_in_background()
        return res
