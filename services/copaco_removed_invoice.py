from odoo import models
from odoo.tools import LazyTranslate

from ..const import NOTHING_SETTLED
from ..hold_reasons import Hold
from ..tools import join_messages, name_invoice, render_message

_lt = LazyTranslate(__name__)


class CopacoRemovedInvoice(models.AbstractModel):
    """What becomes of documents whose invoice a person deleted or cancelled: none is
    created again unasked (promise 7 in doc/how_it_works.rst)."""

    _name = "copaco.removed.invoice"
    _description = "Removed Copaco Invoice"

    def _handle(self, documents, reason):
        """The invoice of documents was deleted or cancelled by a person.

        :param documents: `copaco.document` records
        :param reason: `invoice_deleted` or `invoice_cancelled`
        """
        # Runs and people are told once, at the end.
        for document in documents.with_context(copaco_refresh_later=True):
            if document.state == "excluded" or document._get_live_invoice():
                continue
            # The charges may be billed elsewhere by the time that it is invoiced again.
            document.is_no_double = False
            document.version_ids.write(NOTHING_SETTLED)
            hold = self._get_hold(document, reason)
            document._hold(hold)
            document._message_log(body=render_message(self.env, hold.message))
            self.env["copaco.version.warnings"]._warn_of_decision(document)
        documents.run_id._refresh_state()
        self.env["copaco.activity.monitor"]._update_activity(documents.connection_id)

    def _get_hold(self, document, reason):
        if version := document._get_pending_version():
            message = _lt(
                "%(document)s has no invoice any more, and Copaco has changed it "
                "since. Choose which version counts.",
                document=document.name,
            )
            warnings = self.env["copaco.version.warnings"]._get_group(version)
            return Hold("source_changed", join_messages(message, warnings))
        if reason == "invoice_deleted":
            return Hold(
                reason,
                _lt(
                    "The invoice of %(document)s was deleted. Retry creates a new one; "
                    "exclude it when there must be none.",
                    document=document.name,
                ),
            )
        return Hold(
            reason,
            _lt(
                "The invoice of %(document)s was cancelled (%(invoice)s). Reset it to "
                "draft to use it after all, retry to create a new one, or exclude the "
                "document when there must be none.",
                invoice=name_invoice(document.move_id),
                document=document.name,
            ),
        )
