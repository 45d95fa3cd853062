from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import Message, enumerate_names, soft_reload

# What about an invoice keeps it from being confirmed without a person.
CHECK_REASONS = [
    ("first_invoice", "First invoice"),
    ("negative_total", "Negative total"),
    ("currency_changed", "Currency changed"),
    ("total_differs", "Total differs"),
    ("line_differs", "Line differs"),
    ("price_changed", "Price changed"),
    ("subscription_new", "New subscription"),
    ("subscription_gone", "Subscription ended"),
    ("likely_match", "Likely match"),
]
DRAFT_REASONS = [
    ("contact_incomplete", "Contact incomplete"),
    ("not_confirmed", "Could not be confirmed"),
    ("month_incomplete", "Waits for the month"),
    ("not_automated", "Customer not automated"),
    *CHECK_REASONS,
]
# Why an invoice is left a draft until a person has done something.
TO_DO_REASONS = ("contact_incomplete", "not_confirmed", *dict(CHECK_REASONS))


class CopacoDraftMixin(models.AbstractModel):
    """Why the invoice of a document was left a draft, where the connection confirms
    invoices."""

    _name = "copaco.draft.mixin"
    _description = "Draft Invoice of a Copaco Document"

    draft_reason = fields.Selection(
        DRAFT_REASONS,
        string="Left as Draft",
        readonly=True,
        index="btree_not_null",
        help="Why the invoice was not confirmed by the connection.",
    )
    confirm_obstacle = Message(
        readonly=True, help="What Odoo said when the invoice was to be confirmed."
    )
    check_message = Message(
        readonly=True, help="What about the invoice kept it from being confirmed."
    )
    draft_message = fields.Text(compute="_compute_draft_message")

    # === COMPUTE METHODS === #

    @api.depends("draft_reason", "check_message", "confirm_obstacle", "move_id.state")
    @api.depends_context("lang")
    def _compute_draft_message(self):
        for document in self:
            is_draft = document.move_id.state == "draft"
            document.draft_message = is_draft and document._describe_draft()

    # === ACTION METHODS === #

    def action_confirm_invoice(self):
        """Confirm the invoices of these documents that were left as drafts, as Odoo's
        own button does.

        :return: what Odoo's button returns, or the action that shows the page anew; a
            notification that names those left out, if any
        :raise UserError: when none of them was, or Odoo refuses one
        """
        self._check_billing_access()
        drafts = self.filtered(
            lambda each: each.state == "invoiced" and each.draft_message
        )
        if not drafts:
            raise UserError(
                self.env._(
                    "%(documents)s: there is no draft to confirm. Decide about what "
                    "Copaco changed first.",
                    documents=enumerate_names(self.env, self.mapped("name")),
                )
            )
        moves = drafts.move_id.with_context(validate_analytic=True)
        left_out = self.env["copaco.decision"]._get_reasons(self - drafts)
        return moves.action_post() or self.env["copaco.processor"]._add_left_out(
            soft_reload(), left_out
        )

    # === BUSINESS METHODS === #

    @api.model
    def _get_draft_domain(self):
        """:return: domain of the documents whose invoice a person has to confirm"""
        return Domain("draft_reason", "in", TO_DO_REASONS) & Domain(
            "move_id.state", "=", "draft"
        )

    @api.model
    def _get_no_draft(self):
        """:return: the values of a document whose invoice was not left a draft"""
        return {
            "draft_reason": False,
            "check_message": False,
            "confirm_obstacle": False,
        }

    def _set_unconfirmed(self, obstacle):
        """:param obstacle: message: what Odoo said"""
        self.ensure_one()
        self.write({"draft_reason": "not_confirmed", "confirm_obstacle": obstacle})
        self.move_id._message_log(body=self._describe_draft())

    def _describe_draft(self):
        """:return: a sentence: why the invoice is a draft, and what to do"""
        self.ensure_one()
        if self.draft_reason == "contact_incomplete":
            checker = self.env["copaco.contact.checker"]
            return checker._describe_missing(self.move_id) or self.env._(
                "The contact of %(document)s is complete now. Confirm its invoice.",
                document=self.name,
            )
        if self.draft_reason == "not_confirmed":
            return self.env._(
                "This invoice was left as a draft, because it could not be confirmed: "
                "%(reason)s Do what that asks for, then confirm it.",
                reason=self.confirm_obstacle,
            )
        if self.draft_reason == "month_incomplete":
            return self.env._(
                "This invoice is confirmed as soon as its month is complete; Copaco, "
                "Months says what is missing."
            )
        if self.draft_reason == "not_automated":
            return self.env._(
                "This invoice was left as a draft, because those of %(customer)s are "
                "not confirmed without a person. Check it, then confirm it.",
                customer=self.customer_id.display_name,
            )
        if self.draft_reason in dict(CHECK_REASONS):
            return self.check_message or self.env._(
                "Copaco changed %(document)s since, and nothing about it stands out "
                "any more. Confirm its invoice.",
                document=self.name,
            )
        return ""
