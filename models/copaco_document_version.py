from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..const import TOTALS_FIELDS
from ..hold_reasons import Hold
from ..tools import pair_lines, render_message

_lt = LazyTranslate(__name__)


class CopacoDocumentVersion(models.Model):
    """What a known document said before, or says now in Copaco and not yet here.

    A document's own payload is the one that counts; every other one that was ever
    received is kept here, so that nothing is lost.
    """

    _name = "copaco.document.version"
    _inherit = ["copaco.difference.mixin", "copaco.payload.mixin"]
    _description = "Copaco Document Version"
    _order = "id desc"

    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="document_id.company_id", store=True, index=True
    )
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    state = fields.Selection(
        [
            ("pending", "Waiting for a decision"),
            ("replaced", "Replaced"),
            ("declined", "Declined"),
        ],
        required=True,
    )
    declined_by_id = fields.Many2one("res.users")
    currency_id = fields.Many2one("res.currency")
    amount_source = fields.Monetary(string="Amount", help="Without tax.")
    totals_difference = fields.Float(help="See the field of the document.")
    totals_line_count = fields.Integer(help="See the field of the document.")
    unread_total = fields.Char(
        string="Unreadable Total", help="See the field of the document."
    )
    whole_vat = fields.Float(
        string="VAT of All Parts", help="See the field of the document."
    )
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True)
    payload_digest = fields.Char(required=True)
    excluded_lines = fields.Json(
        help="The positions of its lines that a person had excluded when it was the "
        "document's own content."
    )
    move_ids = fields.One2many(
        "account.move",
        "copaco_version_id",
        string="Corrections",
        help="What corrects the invoice of the older content, when this one was taken "
        "over.",
    )
    move_snapshot = fields.Json(
        help="What the addon put on the correction, to find manual edits, and which "
        "lines of the document were on the invoice before."
    )
    credited = fields.Json(
        help="What of this change a person had credited before it was corrected: "
        "amounts without tax by the text of the invoice line."
    )
    amount_credited = fields.Monetary(help="The sum of them.")

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
        return res

    # === BUSINESS METHODS: WHAT BECOMES OF A VERSION === #

    def _get_declined(self):
        """:return: what Copaco said last, where a person kept what it said before"""
        return self.filtered(lambda version: version.state == "declined")

    def _end_declined(self):
        """Copaco no longer says what was declined, or something newer was decided."""
        self.write({"state": "replaced", "declined_by_id": False})

    def _get_emptied_warning(self):
        """:return: a message when lines are gone of which Copaco may have left out the
        list, and its total doesn't confirm that; "" otherwise"""
        self.ensure_one()
        source = parse_payload(self.payload)
        pairs = pair_lines(self.document_id.line_ids, source.lines)
        # The other parts of the Copaco invoice are there.
        is_gone = self.document_id.is_po_part and not source.lines
        if (
            not source.has_empty_list
            or is_gone
            or source.stated_amount == source.amount
            or all(new for _old, new in pairs)
        ):
            return ""
        return _lt(
            "Copaco sent a customer or subscription without price lines: keep the old "
            "version if the lines that are gone still have to be paid, and ask Copaco."
        )

    def _settle(self):
        """Take over this new content where nothing was decided about the document and
        its invoice was neither edited nor confirmed; let a person decide otherwise.
        Without a line in common it may be a second part of the document instead. That
        Copaco sends no lines any more, and what a file says, which may be older than
        what is known, is never believed unasked."""
        self.ensure_one()
        document = self.document_id
        warnings = self._get_warnings()
        if self.run_id.trigger == "file" or (
            document.line_count and not self.line_count
        ):
            self._request_decision(*warnings)
            return
        if document._get_live_invoice():
            if (
                not warnings
                and document.state in ("new", "invoiced")
                and self._is_continuation()
                and self.env["copaco.draft.updater"]._is_unedited_draft(document)
            ):
                # It is rebuilt where invoices are made.
                document.write({"state": "new", "hold_reason": "source_changed"})
            else:
                self._request_decision(*warnings)
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
            is_undecided and not warnings and self._is_continuation()
        ) or document.is_excluded_by_customer:
            self._take_over()
        else:
            self._request_decision(*warnings)

    def _get_warnings(self):
        """:return: list of messages: why a person has to decide about this version"""
        self.ensure_one()
        document = self.document_id
        warnings = self.env["copaco.exclusion.finder"]._get_warnings(self)
        warnings.append(self.env["copaco.lost.charges"]._get_warning(self))
        warnings.append(self._get_emptied_warning())
        if self.run_id.endpoint != document.run_id.endpoint and (
            self._get_new_lines() or self._get_lost_lines()
        ):
            warnings.append(
                _lt(
                    "It was received from another endpoint of Copaco than before, "
                    "where a charge may have another row hash: compare the lines."
                )
            )
        if (
            document.version_ids._get_declined()
            or document.missing_state == "acknowledged"
        ):
            warnings.append(
                _lt(
                    "The old version was kept before, or it was acknowledged that "
                    "Copaco no longer has it."
                )
            )
        if document._get_live_invoice():
            finder = self.env["copaco.duplicate.finder"]
            warnings.append(finder._get_version_warning(self, is_settling=True))
            charges = self.env["copaco.restored.charges"]
            warnings.append(charges._get_warning(document))
        return list(filter(None, warnings))

    @api.model
    def _warn_of(self, documents):
        """Documents were invoiced: a change of another one that waits for a person may
        add the same charges, and then its message says so.

        :param documents: `copaco.document` records of one kind
        """
        waiting = self.search(
            [
                ("state", "=", "pending"),
                ("document_id.state", "=", "changed"),
                ("document_id.kind", "in", documents.mapped("kind")),
                ("document_id.root_company_id", "in", documents.root_company_id.ids),
                ("document_id", "not in", documents.ids),
            ]
        ).grouped("document_id")
        found = self.env["copaco.duplicate.finder"]._find_lines(
            {document: own[0]._get_new_lines() for document, own in waiting.items()}
        )
        for document, pairs in found.items():
            if any(pair.other.document_id in documents for pair in pairs):
                version = waiting[document]
                version._request_decision(*version._get_warnings())

    def _warn_of_exclusions(self):
        """Lines were excluded: where this pending version lacks them, its message says
        so."""
        self.ensure_one()
        if self.env["copaco.exclusion.finder"]._get_warnings(self):
            self._request_decision(*self._get_warnings())

    def _request_decision(self, *obstacles):
        """Let a person decide about this pending version.

        :param obstacles: messages: why what would have been done by itself can't be
        """
        self.ensure_one()
        document = self.document_id
        invoice = document._get_live_invoice()
        message = self._get_decision_message(*obstacles)
        document.write(
            {
                "state": "changed" if invoice else "held",
                "hold_reason": "source_changed",
                "hold_message": message,
            }
        )
        document._message_log(body=render_message(self.env, message))

    def _take_over(self):
        """What Copaco changed counts from now on."""
        self.ensure_one()
        document, charges = self.document_id, self.env["copaco.declined.charge"]
        excluded_by = document.excluded_by_id
        if excluded_by and not document.is_excluded_by_customer:
            lost = self._get_lost_lines()
            charges._keep_lost(document, lost, "excluded", excluded_by)
        self._swap_content()
        charges._end_own(document, document.line_ids)
        # It was declined in favour of what is replaced now.
        document.version_ids._get_declined()._end_declined()
        self.document_id._message_log(body=self.env._("Took over what Copaco changed."))

    def _swap_content(self):
        """Swap the document's own content and that of this version."""
        document, new_run = self.document_id, self.run_id
        source = parse_payload(self.payload)
        builder = self.env["copaco.document.builder"]
        vals = builder._prepare_document_values(
            source,
            new_run,
            {document.customer_id.account_ref: document.customer_id},
            builder._get_currency(source.currency),
            document,
        )
        vals |= {name: self[name] for name in TOTALS_FIELDS}
        finder = self.env["copaco.duplicate.finder"]
        if document.is_no_double and finder._get_version_warning(self):
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
        lost_lines = self._get_lost_lines()
        lost = document._get_charge_names(lost_lines)
        self.env["copaco.exclusion"]._review_exclusions(document, lost_lines)
        vals["line_ids"] = self._keep_lines(source.lines, vals["line_ids"])
        old_run = document.run_id
        was_excluded = self.excluded_lines or []
        excluded = document.line_ids.filtered("is_excluded")
        self.write(
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

    def _keep_lines(self, lines, commands):
        """Let a line that is still there keep its record, and so its invoice line.

        :param lines: list of the new `DocumentLine`
        :param commands: list of the `Command.create` of each
        :return: list of commands that replace the lines of the document by them
        """
        creations = iter(commands)
        result = []
        for old, new in pair_lines(self.document_id.line_ids, lines):
            if not new:
                result.append(Command.delete(old.id))
                continue
            creation = next(creations)
            result.append(Command.update(old.id, creation[2]) if old else creation)
        return result

    def _decline(self):
        """Leave the document as it was before Copaco changed it."""
        self.ensure_one()
        document = self.document_id
        # They were declined in favour of the same content.
        document.version_ids._get_declined()._end_declined()
        self.write({"state": "declined", "declined_by_id": self.env.uid})
        if self.payload_digest == document.payload_digest:
            # Copaco took back what was declined before: nothing is left of it.
            self._end_declined()
        else:
            self.env["copaco.declined.charge"]._keep_declined(
                self, self.env.user, fields.Date.context_today(self)
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

    @api.model
    def _withdraw_unless(self, digest):
        """Known content was received. A pending version that is another one is not what
        Copaco says any more.

        :param digest: of what was received
        """
        for version in self:
            if version.payload_digest != digest:
                version._withdraw()

    def _withdraw(self):
        """Copaco took a change back that no one had decided about."""
        self.ensure_one()
        document = self.document_id
        self.state = "replaced"
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

    def _on_correction_removed(self):
        """The correction for this version was deleted or cancelled: what Copaco says
        now waits for a person, unless one has declined it. What Copaco still says as in
        this version was not declined."""
        self.ensure_one()
        document = self.document_id
        versions = document.version_ids
        newest = document._get_pending_version() or versions._get_declined() or self
        self._swap_content()
        # What was taken over after it is taken back, too.
        later = document.version_ids.filtered(lambda version: version.id > self.id)
        later.write({"credited": False, "amount_credited": 0})
        self.env["copaco.manual.edits"]._restore_links(
            document, (self.move_snapshot or {}).get("positions", {})
        )
        document._message_log(
            body=self.env._(
                "A correction was removed: what was invoiced before it counts again."
            )
        )
        charges = self.env["copaco.restored.charges"]
        is_known = newest.payload_digest == document.payload_digest
        is_declined = newest.state == "declined" and not newest._shares_change(self)
        if charges._on_restored(document, self._get_lost_lines()) or not (
            is_known or is_declined
        ):
            newest.write({"state": "pending", "declined_by_id": False})
            newest._request_decision(charges._get_warning(document))
        elif newest.state == "pending":
            newest._withdraw()
        elif document._get_live_invoice():
            document._set_invoiced()
        if is_known and newest.state != "pending":
            versions._get_declined()._end_declined()
        document.run_id._refresh_state()
        self.env["copaco.monitor"]._update_activity(document.connection_id)
