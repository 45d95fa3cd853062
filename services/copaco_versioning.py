from odoo import fields, models
from odoo.tools import LazyTranslate

from ..const import NOTHING_SETTLED
from ..hold_reasons import Hold

_lt = LazyTranslate(__name__)


class CopacoVersioning(models.AbstractModel):
    """What becomes of another content of a known document: it is taken over, declined,
    taken back by Copaco, or waits for a person."""

    _name = "copaco.versioning"
    _description = "Copaco Versioning"

    def _settle(self, version):
        """Take over this new content where nothing was decided about the document and
        its invoice was neither edited nor confirmed; let a person decide otherwise.
        Without a line in common it may be a second part of the document instead. That
        Copaco sends no lines any more, and what a file says, which may be older than
        what is known, is never believed unasked.

        :param version: a pending `copaco.document.version`, just received
        """
        document = version.document_id
        warnings = self.env["copaco.version.warnings"]
        if version.run_id.trigger == "file" or (
            document.line_count and not version.line_count
        ):
            version._request_decision()
            return
        if document._get_live_invoice():
            if (
                document.state in ("new", "invoiced")
                and version._is_continuation()
                and self.env["copaco.draft.updater"]._is_unedited_draft(document)
                and not warnings._get_warnings(version)
            ):
                # It is rebuilt where invoices are made.
                document.write({"state": "new", "hold_reason": "source_changed"})
            else:
                version._request_decision()
            return
        if document.is_margin_only:
            self.env["copaco.exclusion"]._undo_exclusion(document)
        # A person's decision, or one that waits for a person, is not overruled.
        is_undecided = document.state == "new" or (
            document.state == "held"
            and not document.move_id
            and document.hold_reason not in ("invoice_deleted", "source_changed")
        )
        if document.is_excluded_by_customer or (
            is_undecided
            and version._is_continuation()
            and not warnings._get_warnings(version)
        ):
            version._take_over()
        else:
            version._request_decision()

    def _keep_version(self, documents):
        """Leave documents as they were before Copaco changed them, unless that has to
        be asked about as possible duplicates.

        :param documents: `copaco.document` records with a pending version
        :return: those that are asked about
        """
        charges = self.env["copaco.restored.charges"]
        asked = documents.browse()
        for document in documents:
            pairs = document._get_live_invoice() and charges._find_undecided(document)
            if pairs:
                charges._ask(document, pairs)
                asked |= document
            else:
                self._decline(document._get_pending_version())
        return asked

    def _decline(self, version):
        """Leave a document as it was before Copaco changed it.

        :param version: its pending `copaco.document.version`
        """
        document = version.document_id
        # They were declined in favour of the same content.
        document.version_ids._get_declined()._end_declined()
        version.write({"state": "declined", "declined_by_id": self.env.uid})
        if version.payload_digest == document.payload_digest:
            # Copaco took back what was declined before: nothing is left of it.
            version._end_declined()
        else:
            self.env["copaco.declined.charge"]._keep_declined(
                version, self.env.user, fields.Date.context_today(self)
            )
        document._message_log(
            body=self.env._(
                "%(user)s kept the version from before Copaco changed it.",
                user=self.env.user.name,
            )
        )
        if document._get_live_invoice():
            document._set_invoiced()
        elif document.state == "held" and document.hold_reason == "source_changed":
            document._resume()
        self.env["copaco.version.warnings"]._warn_of_decision(document)

    def _withdraw_unless(self, pending, digest):
        """Known content was received. A pending version that is another one is not what
        Copaco says any more.

        :param pending: `copaco.document.version` records
        :param digest: of what was received
        """
        for version in pending:
            if version.payload_digest != digest:
                self._withdraw(version)

    def _withdraw(self, version):
        """Copaco took a change back that no one had decided about."""
        document = version.document_id
        version.state = "replaced"
        if document._get_live_invoice():
            document._set_invoiced()
        elif document.exclude_reason:
            document._resume()
        elif document.move_id:
            # A person cancelled it: no new invoice unasked.
            self.env["copaco.removed.invoice"]._handle(document, "invoice_cancelled")
        else:
            # Perhaps a person deleted its invoice: none is made unasked either.
            document._hold(
                Hold(
                    "source_changed",
                    _lt(
                        "Copaco took back what it had changed in %(document)s. Retry "
                        "to invoice it as it was first received, or exclude it.",
                        document=document.name,
                    ),
                )
            )
        document._message_log(body=self.env._("Copaco took back what it had changed."))

    def _review_left_out(self, documents):
        """What Copaco no longer has on these documents was stored as part of others
        meanwhile: who left it out need not credit it, and is asked there."""
        for document in documents:
            version = document._get_pending_version()
            declined = document.version_ids._get_declined()
            if version and declined and document.hold_reason == "source_changed":
                self._ask_anew(version, declined)

    def _ask_anew(self, version, declined):
        document = version.document_id
        is_own = version.payload_digest == document.payload_digest
        charges = self.env["copaco.restored.charges"]
        lost_charges = self.env["copaco.lost.charges"]
        if (
            is_own
            and document._get_live_invoice()
            and not lost_charges._get_warning(version)
            and not charges._find_undecided(document)
        ):
            self._withdraw(version)
            declined._end_declined()
            return
        version._request_decision()

    def _on_correction_removed(self, version):
        """The correction for a version was deleted or cancelled: what Copaco says now
        waits for a person, unless one has declined it. What Copaco still says as in
        this version was not declined.

        :param version: the `copaco.document.version` that was taken over
        """
        document = version.document_id
        versions = document.version_ids
        newest = document._get_pending_version() or versions._get_declined() or version
        excluded_charges = self.env["copaco.excluded.charges"]
        lost = excluded_charges._find_lost(version, newest)
        version._swap_content()
        # What was taken over after it is taken back, too.
        later = document.version_ids.filtered(lambda each: each.id > version.id)
        later.write(NOTHING_SETTLED)
        self.env["copaco.manual.edits"]._restore_links(
            document, (version.move_snapshot or {}).get("positions", {})
        )
        document._message_log(
            body=self.env._(
                "A correction was removed: what was invoiced before it counts again."
            )
        )
        charges = self.env["copaco.restored.charges"]
        is_known = newest.payload_digest == document.payload_digest
        is_declined = newest.state == "declined" and not newest._shares_change(version)
        warning = excluded_charges._review(lost, document)
        is_decided = is_known or is_declined and not warning
        if charges._on_restored(document, version._get_lost_lines()) or not is_decided:
            newest.write({"state": "pending", "declined_by_id": False})
            newest._request_decision(warning)
        elif newest.state == "pending":
            self._withdraw(newest)
        elif document._get_live_invoice():
            document._set_invoiced()
        if is_known and newest.state != "pending":
            versions._get_declined()._end_declined()
        document.run_id._refresh_state()
        self.env["copaco.activity.monitor"]._update_activity(document.connection_id)
