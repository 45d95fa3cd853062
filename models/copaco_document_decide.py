from odoo import api, models
from odoo.exceptions import UserError

from ..const import Hold


class CopacoDocument(models.Model):
    """What a person decides about documents, and the states that they go through."""

    _inherit = "copaco.document"

    # === ACTION METHODS === #

    def action_retry(self):
        """Process these documents again from what is stored, without the network: held
        ones, and those whose invoice is a draft. What a person touched is kept.

        :return: a notification with what became of them
        :raise UserError: when none of them can be retried
        """
        self._check_may_decide()
        documents = self.filtered(
            lambda document: (
                document.kind == "specification"
                and not document.has_pending_version
                and (
                    document.state in ("held", "new")
                    or (document.state == "invoiced" and document._can_be_rebuilt())
                )
            )
        )
        if not documents:
            raise UserError(
                self.env._(
                    "There is nothing to retry for %(documents)s: invoiced or excluded "
                    "by now, changed by Copaco and waiting for you to choose a "
                    "version, or corrected since.",
                    documents=", ".join(self.mapped("name")),
                )
            )
        documents.sudo().filtered(
            lambda document: document.state != "new"
        ).state = "new"
        return documents._process_now()

    def action_accept_lines(self):
        """Invoice these documents as their lines say, whatever Copaco's totals are.

        :return: see `action_retry`
        """
        self._check_may_decide()
        documents = self.filtered(
            lambda document: (
                document.state == "held"
                and document.hold_reason == "source_totals_differ"
            )
        ).sudo()
        for document in documents:
            document._message_log(
                body=self.env._(
                    "%(user)s accepted the lines: Copaco's totals differ from them by "
                    "%(amount)s.",
                    user=self.env.user.name,
                    amount=document.totals_difference,
                )
            )
        documents.write({"totals_difference": 0, "state": "new"})
        return documents.with_env(self.env)._process_now()

    def action_exclude(self, reason=None):
        """Never invoice these documents.

        :param reason: why, for those who look later
        :raise UserError: when one of them has an invoice, or there is no reason
        """
        self._check_may_decide()
        if not (reason or "").strip():
            raise UserError(
                self.env._(
                    "Say why %(documents)s must not be invoiced.",
                    documents=", ".join(self.mapped("name")),
                )
            )
        invoiced = self.filtered(lambda document: document._has_live_invoice())
        if invoiced:
            raise UserError(
                self.env._(
                    "%(documents)s can't be excluded, because there is an invoice. "
                    "Cancel or delete the invoice first.",
                    documents=", ".join(invoiced.mapped("name")),
                )
            )
        self.sudo()._exclude(reason.strip(), self.env.user)

    def action_include(self):
        """Undo `action_exclude`, and process these documents.

        :return: see `action_retry`
        """
        self._check_may_decide()
        excluded = self.filtered(
            lambda document: (
                document.state == "excluded" and document.kind == "specification"
            )
        )
        excluded.sudo()._include()
        return excluded._process_now()

    def action_view_invoice(self):
        """:return: the form of the invoice"""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }

    def action_view_customer(self):
        """:return: the form of the Copaco customer"""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "copaco.customer",
            "res_id": self.customer_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS: STATES === #

    def _check_may_decide(self):
        self.env["copaco.connection"]._check_may_fetch()
        self.check_access("read")

    @api.model
    def _get_unsent_domain(self):
        return [
            ("is_unsent", "=", True),
            ("move_id.state", "=", "posted"),
            ("move_id.is_move_sent", "=", False),
        ]

    def _has_live_invoice(self):
        """Whether there is an invoice of this document that was not cancelled."""
        self.ensure_one()
        return bool(self._get_live_invoice())

    def _get_live_invoice(self):
        self.ensure_one()
        if self.move_id and self.move_id.state != "cancel":
            return self.move_id
        return self.env["account.move"].search(
            [("copaco_document_id", "=", self.id), ("state", "!=", "cancel")], limit=1
        )

    @api.model
    def _prepare_hold_values(self, hold):
        return {
            "state": "held",
            "hold_reason": hold.reason,
            "hold_message": hold.message,
        }

    def _hold(self, hold):
        """:param hold: a `Hold`"""
        self.ensure_one()
        self.write(self._prepare_hold_values(hold))

    def _set_invoiced(self, move=None, snapshot=None):
        """:param move: the invoice, unless the document has it already
        :param snapshot: what `copaco.draft.updater` knows of a new invoice
        """
        self.ensure_one()
        vals = {
            "state": "invoiced",
            "hold_reason": False,
            "hold_message": False,
            "exclude_reason": False,
            "excluded_by_id": False,
        }
        if self.has_pending_version:
            # What Copaco changed still waits, whatever happened to the invoice.
            vals = {"state": "changed", "hold_reason": "source_changed"}
        if move and (snapshot or move != self.move_id):
            vals["move_id"] = move.id
            vals["move_snapshot"] = snapshot or False
        self.write(vals)

    def _resume(self):
        """Go back to what was decided before Copaco's change, which is settled."""
        self.ensure_one()
        self.write(
            {
                "state": "excluded" if self.exclude_reason else "new",
                "hold_reason": False,
                "hold_message": False,
            }
        )

    def _exclude(self, reason, user):
        for document in self.filtered("has_pending_version"):
            # Nothing is left to decide; undone, what Copaco says now counts.
            document._take_over(document._get_pending_version())
        self.write(
            {
                "state": "excluded",
                "exclude_reason": reason,
                "excluded_by_id": user.id,
                "hold_reason": False,
                "hold_message": False,
            }
        )
        for document in self:
            document._message_log(
                body=self.env._(
                    "Excluded by %(user)s: %(reason)s", user=user.name, reason=reason
                )
            )

    def _exclude_with_customer(self):
        self.ensure_one()
        customer = self.customer_id
        self._exclude(
            self.env._(
                "All documents of customer %(customer)s are excluded: %(reason)s",
                customer=customer.name,
                reason=customer.exclude_reason,
            ),
            customer.excluded_by_id,
        )
        self.is_excluded_by_customer = True

    def _include(self):
        self.write(
            {
                "state": "new",
                "exclude_reason": False,
                "excluded_by_id": False,
                "is_excluded_by_customer": False,
            }
        )

    def _on_invoice_gone(self, reason):
        """The invoice of these documents was deleted or cancelled by a person.

        :param reason: `invoice_deleted` or `invoice_cancelled`
        """
        # Runs and people are told once, at the end.
        for document in self.with_context(copaco_refresh_later=True):
            if document.state == "excluded" or document._has_live_invoice():
                continue
            if document.has_pending_version:
                reason = "source_changed"
                message = self.env._(
                    "%(document)s has no invoice any more, and Copaco has changed it "
                    "since. Choose which version counts.",
                    document=document.name,
                )
            elif reason == "invoice_deleted":
                message = self.env._(
                    "The invoice of %(document)s was deleted. Retry makes a new one; "
                    "exclude it when there must be none.",
                    document=document.name,
                )
            else:
                message = self.env._(
                    "The invoice of %(document)s was cancelled (%(invoice)s). Reset it "
                    "to draft to use it after all, retry to make a new one, or exclude "
                    "the document when there must be none.",
                    invoice=document.move_id.name or self.env._("a draft"),
                    document=document.name,
                )
            document._hold(Hold(reason, message))
            document._message_log(body=message)
        self.run_id._refresh_state()
        self.connection_id._update_activity()
