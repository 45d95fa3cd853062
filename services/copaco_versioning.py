from odoo import fields, models
from odoo.fields import Command
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..const import TOTALS_FIELDS
from ..hold_reasons import Hold
from ..tools import pair_lines

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
        warnings = self.env["copaco.version.warnings"]._get_warnings(version)
        if version.run_id.trigger == "file" or (
            document.line_count and not version.line_count
        ):
            version._request_decision(*warnings)
            return
        if document._get_live_invoice():
            if (
                not warnings
                and document.state in ("new", "invoiced")
                and version._is_continuation()
                and self.env["copaco.draft.updater"]._is_unedited_draft(document)
            ):
                # It is rebuilt where invoices are made.
                document.write({"state": "new", "hold_reason": "source_changed"})
            else:
                version._request_decision(*warnings)
            return
        if document.is_margin_only:
            self.env["copaco.exclusion"]._undo_exclusion(document)
        # A person's decision, or one that waits for a person, is not overruled.
        is_undecided = document.state == "new" or (
            document.state == "held"
            and not document.move_id
            and document.hold_reason not in ("invoice_deleted", "source_changed")
        )
        if (
            is_undecided and not warnings and version._is_continuation()
        ) or document.is_excluded_by_customer:
            self._take_over(version)
        else:
            version._request_decision(*warnings)

    def _take_over(self, version):
        """What Copaco changed counts from now on.

        :param version: a pending `copaco.document.version`
        """
        document, charges = version.document_id, self.env["copaco.declined.charge"]
        excluded_by = document.excluded_by_id
        if excluded_by and not document.is_excluded_by_customer:
            lost = version._get_lost_lines()
            charges._keep_lost(document, lost, "excluded", excluded_by)
        self._swap_content(version)
        charges._end_own(document, document.line_ids)
        # It was declined in favour of what is replaced now.
        document.version_ids._get_declined()._end_declined()
        document._message_log(body=self.env._("Took over what Copaco changed."))

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
            self.env["copaco.decision"]._handle_invoice_removed(
                document, "invoice_cancelled"
            )
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
        self._swap_content(version)
        # What was taken over after it is taken back, too.
        later = document.version_ids.filtered(lambda each: each.id > version.id)
        later.write({"credited": False, "amount_credited": 0})
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
            newest._request_decision(charges._get_warning(document), warning)
        elif newest.state == "pending":
            self._withdraw(newest)
        elif document._get_live_invoice():
            document._set_invoiced()
        if is_known and newest.state != "pending":
            versions._get_declined()._end_declined()
        document.run_id._refresh_state()
        self.env["copaco.monitor"]._update_activity(document.connection_id)

    def _swap_content(self, version):
        """Swap a document's own content and that of a version of it."""
        document, new_run = version.document_id, version.run_id
        source = parse_payload(version.payload)
        builder = self.env["copaco.document.builder"]
        vals = builder._prepare_document_values(
            source,
            new_run,
            {document.customer_id.account_ref: document.customer_id},
            builder._get_currency(source.currency),
            document,
        )
        vals |= {name: version[name] for name in TOTALS_FIELDS}
        finder = self.env["copaco.duplicate.finder"]
        if document.is_no_double and finder._get_version_warning(version):
            # A person said that of the lines that it had.
            vals["is_no_double"] = False
        if document.state == "excluded":
            vals["state"] = "excluded"
            vals.pop("exclude_reason", None)
        else:
            vals = {"exclude_reason": False, "excluded_by_id": False, **vals}
        # Who the document is for was decided when it was first received.
        for name in (
            "company_id",
            "root_company_id",
            "connection_id",
            "customer_id",
            "account_key",
            "invoice_number",
        ):
            vals.pop(name)
        lost_lines = version._get_lost_lines()
        lost = document._get_charge_names(lost_lines)
        self.env["copaco.exclusion"]._review_exclusions(document, lost_lines)
        vals["line_ids"] = self._keep_lines(document, source.lines, vals["line_ids"])
        old_run = document.run_id
        was_excluded = version.excluded_lines or []
        excluded = document.line_ids.filtered("is_excluded")
        version.write(
            {
                "run_id": old_run.id,
                "state": "replaced",
                "currency_id": document.currency_id.id,
                "amount_source": document.amount_source,
                **{name: document[name] for name in TOTALS_FIELDS},
                "line_count": document.line_count,
                "payload": document.payload,
                "payload_digest": document.payload_digest,
                "excluded_lines": excluded.mapped("sequence"),
                "credited": False,
                "amount_credited": 0,
            }
        )
        document.write(vals)
        document.line_ids.filtered(
            lambda line: line.sequence in was_excluded
        ).is_excluded = True
        document._update_amount_excluded()
        (old_run | new_run)._refresh_state()
        document._retry_parts(lost)

    def _keep_lines(self, document, lines, commands):
        """Let a line that is still there keep its record, and so its invoice line.

        :param lines: list of the new `DocumentLine`
        :param commands: list of the `Command.create` of each
        :return: list of commands that replace the lines of the document by them
        """
        creations = iter(commands)
        result = []
        for old, new in pair_lines(document.line_ids, lines):
            if not new:
                result.append(Command.delete(old.id))
                continue
            creation = next(creations)
            result.append(Command.update(old.id, creation[2]) if old else creation)
        return result
