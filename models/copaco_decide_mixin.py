from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import formatLang

from ..const import SALES_KINDS
from ..hold_reasons import CUSTOMER_HOLD_REASONS


class CopacoDecideMixin(models.AbstractModel):
    """What a person who decides about a customer sees beforehand, and can undo."""

    _name = "copaco.decide.mixin"
    _description = "Decisions on a Copaco Customer"

    waiting_count = fields.Integer(
        string="Documents Waiting",
        compute="_compute_waiting",
        help="Documents that wait for a decision on this customer.",
    )
    waiting_amount = fields.Char(
        string="Waiting",
        compute="_compute_waiting",
        help="Without tax, of the documents that wait.",
    )
    consequence = fields.Char(
        string="When Accepted",
        compute="_compute_waiting",
        help="What becomes of the documents that wait once the customer has a contact.",
    )
    comparison = fields.Html(
        string="Copaco's Data, and the Contact's",
        compute="_compute_comparison",
        sanitize=False,
    )
    decided_at = fields.Datetime(
        readonly=True, help="When a person last chose a contact, or excluded it."
    )
    decision_snapshot = fields.Json(
        readonly=True, help="What was known before, to undo the decision."
    )
    undo_obstacle = fields.Char(
        compute="_compute_undo_obstacle", help="Why the decision can't be undone."
    )
    is_undoable = fields.Boolean(compute="_compute_undo_obstacle")

    # === COMPUTE METHODS === #

    @api.depends("document_ids.state", "document_ids.hold_reason")
    def _compute_waiting(self):
        automation = self.env["copaco.automation"]
        amounts, policies = defaultdict(list), defaultdict(lambda: defaultdict(int))
        for customer, connection, currency, count, amount in self.env[
            "copaco.document"
        ]._read_group(
            [
                ("customer_id", "in", self.ids),
                ("kind", "in", SALES_KINDS),
                ("state", "=", "held"),
                ("hold_reason", "in", CUSTOMER_HOLD_REASONS),
            ],
            ["customer_id", "connection_id", "currency_id"],
            ["__count", "amount_source:sum"],
        ):
            policy = automation._get_first_policy(customer, connection)
            policies[customer][policy] += count
            amounts[customer].append(
                formatLang(self.env, amount, currency_obj=currency)
            )
        for customer in self:
            counts = policies[customer]
            customer.waiting_count = sum(counts.values())
            customer.waiting_amount = " + ".join(amounts[customer])
            customer.consequence = self.env["copaco.customer.decision"]._describe(
                counts
            )

    @api.depends("partner_id", "suggested_partner_id")
    def _compute_comparison(self):
        decision = self.env["copaco.customer.decision"]
        for customer in self:
            customer.comparison = decision._render_comparison(customer)

    @api.depends("decision_snapshot", "document_ids.move_id.state")
    def _compute_undo_obstacle(self):
        decision = self.env["copaco.customer.decision"]
        for customer in self:
            obstacle = decision._get_undo_obstacle(customer)
            customer.undo_obstacle = obstacle
            customer.is_undoable = bool(customer.decision_snapshot) and not obstacle

    # === ACTION METHODS === #

    def action_undo(self):
        """Take back what was last decided about these customers, with the draft
        invoices that were created of it: the documents wait again.

        :return: see `copaco.document.action_retry`
        :raise UserError: when none of the decisions can be undone
        """
        return self.env["copaco.customer.decision"]._undo(self)
