from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang

from ..hold_reasons import CUSTOMER_HOLD_REASONS, DECIDED_HOLD_REASONS, HOLD_REASONS
from .copaco_draft_mixin import DRAFT_REASONS, TO_DO_REASONS


class CopacoToDoMixin(models.AbstractModel):
    """What of a document waits for a person, since when, and what helps."""

    _name = "copaco.to.do.mixin"
    _description = "What a Copaco Document Waits For"

    waiting_since = fields.Date(
        compute="_compute_waiting_since",
        store=True,
        help="The day on which a person was first needed.",
    )
    to_do_reason = fields.Selection(
        [*HOLD_REASONS, *DRAFT_REASONS, ("missing", "No longer at Copaco")],
        compute="_compute_to_do_reason",
        store=True,
        help="Why it waits for a person.",
    )
    is_customer_hold = fields.Boolean(compute="_compute_is_hold")
    is_retryable = fields.Boolean(
        compute="_compute_is_hold",
        help="Processing it again helps, once the cause is gone.",
    )
    next_step = fields.Text(compute="_compute_next_step")

    # === COMPUTE METHODS === #

    @api.depends("state", "missing_state", "draft_reason", "move_id.state")
    def _compute_waiting_since(self):
        to_do = self.filtered_domain(self._get_to_do_domain())
        for document in self:
            if document in to_do:
                document.waiting_since = (
                    document.waiting_since or fields.Date.context_today(document)
                )
            elif document.state != "new":
                # One that is tried again and held again has waited all the time.
                document.waiting_since = False

    @api.depends("hold_reason", "draft_reason", "missing_state", "move_id.state")
    def _compute_to_do_reason(self):
        for document in self:
            is_draft = document.move_id.state == "draft"
            is_left = is_draft and document.draft_reason in TO_DO_REASONS
            document.to_do_reason = (
                document.hold_reason
                or (is_left and document.draft_reason)
                or (document.missing_state == "reported" and "missing")
            )

    @api.depends("state", "hold_reason", "has_pending_version")
    def _compute_is_hold(self):
        for document in self:
            reason = document.hold_reason
            document.is_customer_hold = reason in CUSTOMER_HOLD_REASONS
            document.is_retryable = document.state == "new" or (
                document.state == "held"
                and reason not in DECIDED_HOLD_REASONS
                and not document.has_pending_version
            )

    @api.depends(
        *("hold_message", "draft_message", "missing_state"),
        "customer_id.suggestion_reason",
    )
    @api.depends_context("lang")
    def _compute_next_step(self):
        for document in self:
            document.next_step = document._get_next_step()

    # === ACTION METHODS === #

    def action_accept_customer(self):
        """Accept the contacts that are suggested for the customers of these documents.

        :return: see `copaco.customer.action_accept`
        """
        return self.customer_id.action_accept()

    # === BUSINESS METHODS === #

    @api.model
    def _get_to_do_domain(self):
        """:return: domain of the documents that wait for a person"""
        return (
            Domain("state", "in", ("held", "changed"))
            | Domain("missing_state", "=", "reported")
            | self._get_draft_domain()
        )

    @api.model
    def _describe_amounts(self, domain):
        """:return: text: what the documents of a domain come to, without VAT, in each
        of their currencies"""
        amounts = self._read_group(domain, ["currency_id"], ["amount_source:sum"])
        return " + ".join(
            formatLang(self.env, amount, currency_obj=currency)
            for currency, amount in amounts
        )

    def _get_next_step(self):
        """:return: text for a list that has the number and the customer already"""
        customer = self.customer_id
        if self.hold_reason in ("customer_unknown", "customer_ambiguous"):
            if customer.suggested_partner_id:
                return self.env._(
                    "It may be %(partner)s. %(reason)s",
                    partner=customer.suggested_partner_id.display_name,
                    reason=customer.suggestion_reason or "",
                )
            if customer.suggestion_reason:
                return customer.suggestion_reason
            return self.env._("No contact is like it: choose one, or create it.")
        if self.to_do_reason == "contact_incomplete":
            checker = self.env["copaco.contact.checker"].with_company(self.company_id)
            if missing := checker._get_missing(self.move_id.partner_id):
                return self.env._(
                    "Complete the contact, which lacks %(missing)s (VAT number / if a "
                    "business of your own country has none), then confirm the invoice.",
                    missing=", ".join(missing),
                )
            return self.env._("The contact is complete now: confirm the invoice.")
        message = self.hold_message or self.draft_message or ""
        if self.missing_state == "reported" and not message:
            return self.env._(
                "It was not in the latest response that covers its days. Ask Copaco, "
                "and press Fetch again, or Acknowledge when it is right."
            )
        return message.removeprefix(self.name).lstrip(": ")
