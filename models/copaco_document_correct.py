from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import Hold


class CopacoDocument(models.Model):
    """How an invoice follows what Copaco changed: a draft is rebuilt, and for one that
    is final the difference is prepared."""

    _inherit = "copaco.document"

    correction_ids = fields.Many2many(
        "account.move", string="Corrections", compute="_compute_correction_ids"
    )
    correction_count = fields.Integer(compute="_compute_correction_ids")

    # === COMPUTE METHODS === #

    @api.depends("version_ids.move_ids.state")
    def _compute_correction_ids(self):
        for document in self:
            document.correction_ids = document._get_live_corrections()
            document.correction_count = len(document.correction_ids)

    # === ACTION METHODS === #

    def action_correct(self):
        """Prepare a draft for exactly what Copaco changed in these documents since they
        were invoiced: a credit note, or an additional invoice.

        :return: the window action with the drafts; a notification when no amount
            changed
        :raise UserError: when there is nothing to correct, or Odoo refuses
        """
        self._check_may_decide()
        documents = self.filtered(
            lambda document: (
                document.has_pending_version and document._has_live_invoice()
            )
        ).sudo()
        if not documents:
            raise UserError(
                self.env._(
                    "There is nothing to correct on %(documents)s: Copaco changed "
                    "nothing, or there is no invoice.",
                    documents=", ".join(self.mapped("name")),
                )
            )
        documents.lock_for_update()
        corrections = self.env["account.move"].sudo()
        for document in documents:
            corrections += document._for_processing(document.connection_id)._correct()
        if not corrections:
            return documents.with_env(self.env)._process_now()
        return corrections.with_env(self.env)._get_copaco_action()

    def action_view_corrections(self):
        """:return: the window action with the corrections of these documents"""
        return self.correction_ids._get_copaco_action()

    # === BUSINESS METHODS: DRAFTS === #

    def _can_be_rebuilt(self):
        # Beside a correction, an invoice of what is corrected would bill it twice.
        return (
            self._get_live_invoice().state == "draft"
            and not self._get_live_corrections()
        )

    def _is_untouched_draft(self):
        return (
            self._can_be_rebuilt()
            and not self._get_live_invoice().posted_before
            and not self.env["copaco.manual.edits"]._get_edits(self).has_edits
        )

    def _bring_in_line(self):
        """Rebuild the draft invoices of these documents from what came; each ends
        `invoiced`, or `changed` when a person has to decide. Without a live invoice,
        nothing happens."""
        invoicer = self.env["copaco.invoice.writer"]
        for document in self.filtered(lambda each: each.move_id.state != "cancel"):
            version = document._get_pending_version()
            if version and not document._is_untouched_draft():
                document._ask_which_version()
            elif not document._can_be_rebuilt():
                document._set_invoiced()
            else:
                try:
                    with self.env.cr.savepoint():
                        document._rebuild(version)
                except OperationalError:
                    raise
                except Exception as error:  # noqa: BLE001 # told to a person below
                    obstacle = invoicer._get_error_hold(document, error).message
                    if version:
                        document._ask_which_version(obstacle)
                    else:
                        document._set_invoiced()
                        document.hold_message = obstacle

    def _rebuild(self, version=None):
        """Make the draft invoice anew; what a person touched on it is kept.

        :param version: take over this `copaco.document.version` first
        :raise UserError: when it can't be invoiced now
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        self.ensure_one()
        # Before the lines that are gone from the document forget what they were.
        edits = self.env["copaco.manual.edits"]._get_edits(self)
        if version:
            self._take_over(version)
        self.customer_id._match()
        self.env["copaco.draft.updater"]._update_draft(self, self._get_match(), edits)
        self._set_invoiced()

    def _get_match(self, **options):
        """:return: the `DocumentMatch` of this document
        :raise UserError: when it can't be invoiced now
        """
        self.ensure_one()
        match = self.env["copaco.document.matcher"]._match_documents(self, **options)[
            self
        ]
        if isinstance(match, Hold):
            raise UserError(match.message)
        if match is None:
            raise UserError(
                self.env._(
                    "All documents of customer %(customer)s are excluded. Cancel or "
                    "delete the invoice of %(document)s, or undo the exclusion.",
                    customer=self.customer_id.name,
                    document=self.name,
                )
            )
        return match

    # === BUSINESS METHODS: CORRECTIONS === #

    def _get_live_corrections(self):
        return self.version_ids.move_ids.filtered(lambda move: move.state != "cancel")

    def _correct(self):
        """:return: the draft that corrects the invoice, empty if no amount changed"""
        self.ensure_one()
        version = self._get_pending_version()
        correction = self.env["copaco.corrector"]._create_correction(self, version)
        self._set_invoiced()
        if correction:
            body = self.env._("Correction prepared: %s", correction._get_html_link())
        else:
            body = self.env._("No amount changed, so there is nothing to correct.")
        self._message_log(body=body)
        return correction

    def _on_correction_gone(self, version):
        """A correction was deleted or cancelled: a person decides anew.

        :param version: what the correction took over
        """
        self.ensure_one()
        newer = self._get_pending_version()
        self._take_over(version, old_state="replaced" if newer else "pending")
        self.env["copaco.manual.edits"]._restore_links(
            self, (version.move_snapshot or {}).get("positions", {})
        )
        if newer.payload_digest == self.payload_digest:
            self._drop_pending()
        else:
            self._ask_which_version()
        self.run_id._refresh_state()
        self.connection_id._update_activity()
