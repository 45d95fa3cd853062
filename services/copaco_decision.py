from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ..tools import (
    Amount,
    enumerate_names,
    render_message,
    to_decimal,
)

_lt = LazyTranslate(__name__)


class CopacoDecision(models.AbstractModel):
    """What a person decides about documents, by a button or by what is done with their
    invoices."""

    _name = "copaco.decision"
    _description = "Copaco Decision"

    # === HELD DOCUMENTS === #

    def _retry(self, documents):
        """See `copaco.document.action_retry`."""
        documents._check_billing_access()
        # A bill is decided about as a whole.
        documents = documents._get_bill_documents()
        updater = self.env["copaco.draft.updater"]
        possible = documents.filtered(
            lambda document: (
                not document.has_pending_version
                and (
                    document.state in ("held", "new")
                    or (
                        document.state == "invoiced"
                        and updater._can_be_rebuilt(document)
                    )
                )
            )
        )
        if not possible:
            raise UserError(
                self.env._(
                    "There is nothing to retry for %(documents)s: invoiced or excluded "
                    "by now, changed by Copaco and waiting for you to choose a "
                    "version, or corrected since.",
                    documents=", ".join(documents.mapped("name")),
                )
            )
        possible.sudo().filtered(lambda document: document.state != "new").state = "new"
        return self._process(possible, documents)

    def _accept_lines(self, documents):
        """See `copaco.document.action_accept_lines`."""
        held = self._get_held(documents._get_bill_documents(), "source_totals_differ")
        for document in held:
            document._message_log(
                body=self.env._(
                    "%(user)s accepted the lines: Copaco's total “%(text)s” can't be "
                    "read.",
                    user=self.env.user.name,
                    text=document.unread_total,
                )
                if document.unread_total
                else self.env._(
                    "%(user)s accepted the lines: Copaco's totals differ from them by "
                    "%(amount)s.",
                    user=self.env.user.name,
                    amount=render_message(
                        self.env,
                        Amount(
                            to_decimal(document.totals_difference),
                            document.currency_id,
                        ),
                    ),
                )
            )
        held.write({"totals_difference": 0, "unread_total": False, "state": "new"})
        return self._process(held, documents)

    def _link_bill(self, documents):
        """See `copaco.bill.mixin.action_link_bill`."""
        held = self._get_held(documents._get_bill_documents(), "bill_differs")
        for own in held.grouped("connection_id").values():
            own = self.env["copaco.background"]._with_own_context(own)
            own.env["copaco.bill.processor"]._link_anyway(own)
            for bill in own.move_id:
                bill._message_log(
                    body=self.env._(
                        "%(user)s linked this bill, although it differs from Copaco's "
                        "lines.",
                        user=self.env.user.name,
                    )
                )
        return self._process(held, documents)

    def _invoice_with_date(self, documents, invoice_date):
        """Invoice documents with a date that a person chose instead of Copaco's.

        :return: see `_process`
        :raise UserError: when none of them waits for that
        """
        documents._check_billing_access()
        waiting = documents.filtered(
            lambda document: (
                document.hold_reason in ("period_locked", "date_unlikely")
                if document.state == "held"
                else document.is_invoiced_anew
            )
        ).sudo()
        if not waiting:
            raise UserError(
                self.env._(
                    "%(documents)s: the invoice date is not what they wait for.",
                    documents=enumerate_names(self.env, documents.mapped("name")),
                )
            )
        for document in waiting:
            document._choose_date(invoice_date, document._get_pending_version())
            document._message_log(
                body=self.env._(
                    "%(user)s chose the invoice date %(date)s. Copaco's is %(other)s.",
                    user=self.env.user.name,
                    date=format_date(self.env, invoice_date),
                    other=format_date(self.env, document.invoice_date),
                )
            )
        held = waiting.filtered(lambda document: document.state == "held")
        held.state = "new"
        return self._process(held, documents - (waiting - held))

    def _accept_vat(self, documents):
        """See `copaco.document.action_accept_vat`."""
        held = self._get_held(documents._get_bill_documents(), "vat_differs")
        for document in held:
            document._message_log(
                body=self.env._(
                    "%(user)s accepted Odoo's tax: Copaco's VAT “%(text)s” can't be "
                    "read.",
                    user=self.env.user.name,
                    text=document.unread_vat,
                )
                if document.unread_vat
                else self.env._(
                    "%(user)s accepted Odoo's tax: Copaco's VAT is %(amount)s.",
                    user=self.env.user.name,
                    amount=render_message(
                        self.env,
                        Amount(to_decimal(document.amount_vat), document.currency_id),
                    ),
                )
            )
        held.write({"is_vat_accepted": True, "state": "new"})
        return self._process(held, documents)

    def _invoice_anyway(self, documents):
        """See `copaco.document.action_invoice_anyway`."""
        documents._check_billing_access()
        held = documents.filtered(
            lambda document: (
                document.state == "held"
                and document.hold_reason == "possible_double"
                or self.env["copaco.exclusion"]._is_excluded_by_rule(document)
            )
        ).sudo()
        charges = self.env["copaco.restored.charges"].sudo()
        kept = charges._get_asked(self._lock_pending(documents))
        for document in held | kept:
            document._message_log(
                body=self.env._(
                    "%(user)s said that this is not a duplicate of another document.",
                    user=self.env.user.name,
                )
            )
        self.env["copaco.exclusion"]._undo_exclusion(held)
        (held | kept).is_no_double = True
        self.env["copaco.declined.charge"].sudo()._end(
            {each: list(each._get_billed_lines()) for each in held | kept}
        )
        # What a person said of others that wait was said when these did, too.
        finder = self.env["copaco.duplicate.finder"].sudo()
        finder._find_waiting(held | kept).is_no_double = False
        self.env["copaco.versioning"].sudo()._keep_version(kept)
        return self._process(held | kept, documents)

    def _exclude_duplicates(self, documents):
        """See `copaco.document.action_exclude_duplicates`."""
        finder = self.env["copaco.duplicate.finder"].sudo()
        declined_finder = self.env["copaco.declined.finder"].sudo()
        held = self._get_held(documents, "possible_double")
        for document in held:
            reason = _lt("It was invoiced otherwise.")
            if others := finder._get_other_documents(document):
                reason = _lt("The same charges are on %(documents)s.", documents=others)
            elif declined := declined_finder._get_names(document):
                reason = _lt(
                    "Its charges were not to be invoiced: %(documents)s.",
                    documents=declined,
                )
            elif document.missing_state:
                reason = _lt("Copaco no longer has it.")
            self.env["copaco.exclusion"]._apply_exclusion(
                document, reason, self.env.user
            )
        self._continue_bills(held)
        return self.env["copaco.processor"]._add_left_out(
            False, self._get_reasons(documents - held)
        )

    def _invoice_new_lines(self, documents):
        """See `copaco.document.action_invoice_new_lines`."""
        doubtful = self._get_held(documents, "possible_double")
        held = doubtful.filtered("has_new_lines")
        if doubtful and not held:
            raise UserError(
                self.env._(
                    "%(documents)s: there is no line that is not a possible duplicate. "
                    "Exclude the duplicates, or press Invoice anyway.",
                    documents=enumerate_names(self.env, doubtful.mapped("name")),
                )
            )
        finder = self.env["copaco.duplicate.finder"].sudo()
        for document in held:
            new_lines = finder._get_new_lines(document, finder._get_pairs(document))
            self._exclude_lines(document, document._get_billed_lines() - new_lines)
        held.write({"is_no_double": True, "state": "new"})
        return self._process(held, documents)

    def _exclude_lines(self, document, lines):
        lines.is_excluded = True
        document._update_amount_excluded()
        self.env["copaco.exclusion"]._on_excluded(document, lines)
        document._message_log(
            body=self.env._(
                "%(user)s excluded lines that are the same charges as others: "
                "%(lines)s.",
                user=self.env.user.name,
                lines=", ".join(lines.mapped("display_name")),
            )
        )

    def _get_held(self, documents, reason):
        documents._check_billing_access()
        return documents.filtered(
            lambda document: document.state == "held" and document.hold_reason == reason
        ).sudo()

    def _process(self, documents, asked=None):
        """Process documents while a person waits.

        :param asked: all that the person asked for; those left out are named
        :return: see `copaco.processor._process_now`
        """
        documents = documents.with_env(self.env)
        return self.env["copaco.processor"]._add_left_out(
            self.env["copaco.processor"]._process_now(documents),
            self._get_reasons((asked or documents) - documents),
        )

    def _get_reasons(self, left_out):
        """:param left_out: `copaco.document` or `account.move` records
        :return: list of sentences: why nothing was done with them
        """
        if not left_out:
            return []
        return [
            self.env._(
                "Left out, because they do not wait for this: %(documents)s.",
                documents=enumerate_names(self.env, left_out.mapped("name")),
            )
        ]

    # === CHANGED DOCUMENTS === #

    def _use_new_version(self, documents):
        """See `copaco.document.action_use_new_version`."""
        pending = self._lock_pending(documents)
        self.env["copaco.declined.charge"].sudo()._end_pending(pending)
        for document in pending:
            document = self.env["copaco.background"]._with_own_context(document)
            updater = document.env["copaco.draft.updater"]
            version = document._get_pending_version()
            invoice = document._get_live_invoice()
            if not invoice:
                version._take_over()
            elif updater._can_be_rebuilt(document):
                # Who looked at what changed has accepted its lines.
                version.write({"totals_difference": 0, "unread_total": False})
                updater._update_draft(document, version)
            else:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s of %(document)s is final, was not created "
                        "from it, or has a correction. Prepare a correction, or keep "
                        "the old version.",
                        document=document.name,
                        invoice=invoice.display_name,
                    )
                )
        return self._process(pending)

    def _keep_version(self, documents):
        """See `copaco.document.action_keep_version`."""
        pending = self._lock_pending(documents)
        asked = self.env["copaco.versioning"].sudo()._keep_version(pending)
        pending.version_ids.run_id._refresh_state()
        return self.env["copaco.processor"]._add_left_out(
            self._process(pending - asked), asked.mapped("hold_message")
        )

    def _correct(self, documents):
        """See `copaco.document.action_correct`."""
        pending = self._lock_pending(documents).filtered(
            lambda document: document._get_live_invoice()
        )
        self.env["copaco.declined.charge"].sudo()._end_pending(pending)
        if not pending:
            raise UserError(
                self.env._(
                    "There is nothing to correct on %(documents)s: Copaco changed "
                    "nothing, or there is no invoice.",
                    documents=", ".join(documents.mapped("name")),
                )
            )
        corrections = self.env["account.move"].sudo()
        for document in pending:
            if not document.has_pending_version:
                # A bill was created anew, of all of its documents.
                continue
            document = self.env["copaco.background"]._with_own_context(document)
            corrections += document.env["copaco.corrector"]._correct(document)
        if not corrections:
            result = self._process(pending)
            result["params"]["message"] = self.env._(
                "Nothing is left to correct on %(documents)s. Its messages say why.",
                documents=enumerate_names(self.env, pending.mapped("name")),
            )
            return result
        return corrections.with_env(self.env)._get_copaco_action()

    def _lock_pending(self, documents):
        documents._check_billing_access()
        pending = documents.filtered("has_pending_version").sudo()
        pending.lock_for_update()
        return pending

    # === EXCLUDED DOCUMENTS === #

    def _exclude(self, documents, reason):
        """See `copaco.document.action_exclude`."""
        documents._check_billing_access()
        if not (reason or "").strip():
            raise UserError(
                self.env._(
                    "Say why %(documents)s must not be invoiced.",
                    documents=", ".join(documents.mapped("name")),
                )
            )
        invoiced = documents.filtered(lambda document: document._get_live_invoice())
        reasons = self._get_invoiced_reasons(invoiced)
        if invoiced and invoiced == documents:
            raise UserError("\n".join(reasons))
        excluded = (documents - invoiced).sudo()
        self.env["copaco.exclusion"]._apply_exclusion(
            excluded, reason.strip(), self.env.user
        )
        self._continue_bills(excluded)
        return self.env["copaco.processor"]._add_left_out(False, reasons)

    def _get_invoiced_reasons(self, invoiced):
        """:param invoiced: `copaco.document` records with an invoice
        :return: list of sentences: why they are not excluded
        """
        if not invoiced:
            return []
        return [
            self.env._(
                "%(documents)s can't be excluded, because there is an invoice. Cancel "
                "or delete the invoice first.",
                documents=enumerate_names(self.env, invoiced.mapped("name")),
            )
        ]

    def _continue_bills(self, excluded):
        """Process the other documents of the same bills in the background, which waited
        for what was decided about these."""
        waiting = (excluded._get_bill_documents() - excluded).filtered(
            lambda document: (
                document.state == "held" and document.hold_reason == "bill_incomplete"
            )
        )
        if waiting:
            waiting.state = "new"
            self.env["copaco.background"]._continue_invoicing()

    def _include(self, documents):
        """See `copaco.document.action_include`."""
        documents._check_billing_access()
        # Those of a customer that is excluded would be excluded again.
        excluded = documents.filtered(
            lambda document: (
                document.state == "excluded" and document.customer_state != "excluded"
            )
        ).sudo()
        self.env["copaco.exclusion"]._undo_exclusion(excluded)
        return self._process(excluded, documents)
