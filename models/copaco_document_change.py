from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import formatLang

from ..client import parse_payload
from .copaco_matcher import Hold
from .line_pairs import pair_lines


class CopacoDocument(models.Model):
    """What happens when Copaco changes a document after it came.

    Nothing was done with it yet, or its invoice is a draft that nobody touched: the new
    content takes the place of the old. Everything else is for a person to decide.
    """

    _inherit = "copaco.document"

    move_snapshot = fields.Json(
        help="What the addon put on the invoice, to find what a person changed since."
    )
    has_pending_version = fields.Boolean(compute="_compute_pending_version")
    pending_difference = fields.Html(
        string="What Changed", compute="_compute_pending_version", sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("version_ids.state")
    def _compute_pending_version(self):
        for document in self:
            pending = document._get_pending_version()
            document.has_pending_version = bool(pending)
            document.pending_difference = pending.difference

    # === ACTION METHODS === #

    def action_use_new_version(self):
        """Take over what Copaco changed. A draft invoice is rebuilt, and what a person
        touched on it is kept; what has no invoice is processed.

        :return: see `action_retry`
        :raise UserError: when the invoice of the old content is no draft any more, or
            has a correction
        """
        self._check_may_decide()
        documents = self.filtered("has_pending_version").sudo()
        documents.lock_for_update()
        for document in documents:
            document = document._for_processing(document.connection_id)
            invoice = document._get_live_invoice()
            if not invoice:
                document._take_over(document._get_pending_version())
            elif document._can_be_rebuilt():
                # Who looked at what changed has accepted its lines.
                document._get_pending_version().totals_difference = 0
                document._rebuild(document._get_pending_version())
            else:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s of %(document)s is final, or has a "
                        "correction. Prepare a correction, or keep the old version.",
                        document=document.name,
                        invoice=invoice.display_name,
                    )
                )
        return documents.with_env(self.env)._process_now()

    def action_keep_version(self):
        """Leave these documents as they were before Copaco changed them."""
        self._check_may_decide()
        documents = self.filtered("has_pending_version").sudo()
        for document in documents:
            document._get_pending_version().state = "declined"
            document._message_log(
                body=self.env._(
                    "%(user)s kept the version from before Copaco changed it.",
                    user=self.env.user.name,
                )
            )
            if document._has_live_invoice():
                document._set_invoiced()
            elif document.state == "held" and document.hold_reason == "source_changed":
                document._resume()
        documents.version_ids.run_id._refresh_state()
        return documents.with_env(self.env)._process_now()

    # === BUSINESS METHODS: WHAT CAME === #

    def _get_pending_version(self):
        return self.version_ids.filtered(lambda version: version.state == "pending")

    def _is_known_content(self, digest):
        """Whether this content is the document's own, or already waits for, or had, a
        person's decision."""
        self.ensure_one()
        return digest == self.payload_digest or any(
            version.payload_digest == digest
            for version in self.version_ids
            if version.state != "replaced"
        )

    def _receive_new_content(self, source, vals):
        """A known document came with other content. When that shares no line with the
        old, it may be a second part instead, and a person decides.

        :param source: the `SourceDocument` that came
        :param vals: its values, see `_prepare_source_values`
        """
        self.ensure_one()
        self._get_pending_version().state = "replaced"
        version = self.env["copaco.document.version"].create(
            {
                "document_id": self.id,
                "run_id": vals["run_id"],
                "state": "pending",
                "currency_id": vals["currency_id"],
                "amount_source": vals["amount_source"],
                "totals_difference": vals["totals_difference"],
                "line_count": vals["line_count"],
                "payload": source.payload,
                "payload_digest": source.digest,
            }
        )
        invoice = self._get_live_invoice()
        if invoice:
            if (
                self.state in ("new", "invoiced")
                and self._is_same(version)
                and self._is_untouched_draft()
            ):
                # It is rebuilt where invoices are made.
                self.write({"state": "new", "hold_reason": "source_changed"})
            else:
                self._ask_which_version()
            return
        # A person's decision, or one that waits for a person, is not touched.
        untouched = self.state == "new" or (
            self.state == "held"
            and not self.move_id
            and self.hold_reason not in ("invoice_deleted", "source_changed")
        )
        if untouched and self._is_same(version) or self.is_excluded_by_customer:
            self._take_over(version)
        else:
            self._ask_which_version()

    def _is_same(self, version):
        """Whether a version has a line in common with the document."""
        pairs = pair_lines(self.line_ids, parse_payload(version.payload).lines)
        return not self.line_ids or any(old and new for old, new in pairs)

    def _ask_which_version(self, obstacle=""):
        """Let a person decide about the pending version.

        :param obstacle: why what would have been done by itself can't be
        """
        self.ensure_one()
        version = self._get_pending_version()
        invoice = self._get_live_invoice()
        doubt = ""
        if version.line_count and not self._is_same(version):
            doubt = self.env._(
                "They have no line in common, so this may be a second part: then keep "
                "the old version and invoice the new one by hand."
            )
        if invoice and self._can_be_rebuilt():
            advice = self.env._(
                "Draft invoice %(invoice)s was changed by hand, or can't be rebuilt by "
                "itself: use the new version (what was changed by hand is kept), "
                "prepare a correction, or keep the old version.",
                invoice=invoice.display_name,
            )
        elif invoice:
            advice = self.env._(
                "Prepare a correction of invoice %(invoice)s, or keep the old version.",
                invoice=invoice.display_name,
            )
        else:
            advice = self.env._("Choose which version counts.")
        message = self.env._(
            "Copaco changed %(document)s after it had come: %(old)s became %(new)s "
            "without tax. See What Changed on the document. %(advice)s",
            document=self.name,
            old=formatLang(self.env, self.amount_source, currency_obj=self.currency_id),
            new=formatLang(
                self.env, version.amount_source, currency_obj=version.currency_id
            ),
            advice=" ".join(filter(None, (doubt, advice, obstacle))),
        )
        self.write(
            {
                "state": "changed" if invoice else "held",
                "hold_reason": "source_changed",
                "hold_message": message,
            }
        )
        self._message_log(body=message)

    def _take_over(self, version, old_state="replaced"):
        """Swap the document's own content and that of a version.

        :param version: `copaco.document.version`
        :param old_state: what becomes of the content that was the document's own
        """
        self.ensure_one()
        source = parse_payload(version.payload)
        old_vals = {
            "run_id": self.run_id.id,
            "state": old_state,
            "currency_id": self.currency_id.id,
            "amount_source": self.amount_source,
            "totals_difference": self.totals_difference,
            "line_count": self.line_count,
            "payload": self.payload,
            "payload_digest": self.payload_digest,
        }
        state, runs, new_run = self.state, self.run_id | version.run_id, version.run_id
        totals_difference = version.totals_difference
        version.write(old_vals)
        # They were declined in favour of what is replaced now.
        self.version_ids.filtered(
            lambda other: other.state == "declined"
        ).state = "replaced"
        customers = {self.customer_id.account_ref: self.customer_id}
        vals = self._prepare_source_values(
            source, new_run, customers, self._get_currency(source.currency)
        )
        # What is kept of a document doesn't tell the totals of the whole invoice.
        vals["totals_difference"] = totals_difference
        if state == "excluded":
            vals["state"] = state
            vals.pop("exclude_reason", None)
        else:
            vals = {"exclude_reason": False, "excluded_by_id": False, **vals}
        # Who the document is for was decided when it came first.
        for name in (
            "company_id",
            "connection_id",
            "customer_id",
            "account_key",
            "invoice_number",
        ):
            vals.pop(name)
        vals["line_ids"] = self._keep_lines(source.lines, vals["line_ids"])
        self.write(vals)
        runs._refresh_state()
        self._message_log(body=self.env._("Took over what Copaco changed."))

    def _keep_lines(self, lines, commands):
        """Let a line that is still there keep its place, and so its invoice line.

        :param lines: list of the new `DocumentLine`
        :param commands: list of the `Command.create` of each
        :return: list of commands that replace the lines by them
        """
        creations = iter(commands)
        result = []
        for old, new in pair_lines(self.line_ids, lines):
            if not new:
                result.append(Command.delete(old.id))
                continue
            creation = next(creations)
            result.append(Command.update(old.id, creation[2]) if old else creation)
        return result

    def _drop_pending_unless(self, digest):
        """What came was known. Whatever else waits for a decision is not what Copaco
        says any more.

        :param digest: of what came
        """
        self.ensure_one()
        pending = self._get_pending_version()
        if pending and pending.payload_digest != digest:
            self._drop_pending()

    def _drop_pending(self):
        """Copaco took a change back that no one had decided about."""
        self.ensure_one()
        self._get_pending_version().state = "replaced"
        if self._has_live_invoice():
            self._set_invoiced()
        elif self.exclude_reason:
            self._resume()
        elif self.move_id:
            # A person cancelled it: no new invoice unasked.
            self._on_invoice_gone("invoice_cancelled")
        else:
            # Perhaps a person deleted its invoice: none is made unasked either.
            self._hold(
                Hold(
                    "source_changed",
                    self.env._(
                        "Copaco took back what it had changed in %(document)s. Retry "
                        "to invoice it as it came first, or exclude it.",
                        document=self.name,
                    ),
                )
            )
        self._message_log(body=self.env._("Copaco took back what it had changed."))
