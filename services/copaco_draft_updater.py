from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..const import KINDS, PURCHASE_KINDS
from .copaco_manual_edits import HEADER_FIELDS


class CopacoDraftUpdater(models.AbstractModel):
    """Updates a draft invoice from its document, and keeps what a person edited, added,
    removed or reordered (promise 7 in doc/how_it_works.rst)."""

    _name = "copaco.draft.updater"
    _description = "Copaco Draft Updater"

    @api.model
    def _can_be_rebuilt(self, document):
        invoice = document._get_live_invoice()
        documents = invoice._get_copaco_documents()
        return (
            invoice.state == "draft"
            # Of an invoice that was linked, no line could be replaced: Copaco's would
            # be added to those that bill the same.
            and bool(self.env["copaco.manual.edits"]._read_snapshot(invoice)["lines"])
            # Beside a correction, an invoice of what is corrected would bill it twice.
            and not documents._get_live_corrections()
        )

    @api.model
    def _is_unedited_draft(self, document):
        return (
            self._can_be_rebuilt(document)
            and not document._get_live_invoice().posted_before
            and not self.env["copaco.manual.edits"]._get_edits(document).has_edits
        )

    @api.model
    def _sync_drafts(self, documents):
        """Rebuild the draft invoices of documents from their content; each ends
        `invoiced`, or `changed` when a person has to decide. Without a live invoice,
        nothing happens.

        :param documents: `copaco.document` records
        """
        for document in documents.filtered(lambda each: each.move_id.state != "cancel"):
            version = document._get_pending_version()
            if version and not self._is_unedited_draft(document):
                version._request_decision()
            elif not self._can_be_rebuilt(document):
                document._set_invoiced()
            else:
                writer = self.env["copaco.invoice.writer"]
                hold = writer._try(document, self._update_draft, document, version)
                if hold and version:
                    version._request_decision(hold.message)
                elif hold:
                    document._set_invoiced()
                    document.hold_message = hold.message

    @api.model
    def _update_draft(self, document, version=None):
        """Make the draft invoice of a document anew; manual edits are kept.

        :param document: a `copaco.document`
        :param version: take over this `copaco.document.version` first
        :raise UserError: when it can't be invoiced now
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        # Before the lines that the document no longer has forget what they were.
        edits = self.env["copaco.manual.edits"]._get_edits(document)
        if version:
            version._take_over()
        document.customer_id._match()
        match = self.env[KINDS[document.kind].matcher]._get_match(document)
        self._rebuild(document, match, edits)
        if document.kind in PURCHASE_KINDS:
            match.documents._set_billed(document._get_live_invoice())
        else:
            document._set_invoiced()

    @api.model
    def _rebuild(self, document, match, edits):
        """Make anew what nobody edited of a draft invoice.

        :param document: a `copaco.document`
        :param match: its `DocumentMatch`
        :param edits: the `ManualEdits`, from before a new version was taken over
        :raise UserError: when Odoo refuses
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        move = document._get_live_invoice()
        kind = KINDS[document.kind]
        values = self.env[kind.builder]._prepare_invoice(document, match)
        if values["move_type"] != move.move_type:
            raise UserError(
                self.env._(
                    "Draft %(invoice)s can't be updated, because %(document)s became a "
                    "credit note, or no longer is one. Delete the draft, then use the "
                    "new version.",
                    document=document.name,
                    invoice=move.display_name,
                )
            )
        manual_edits = self.env["copaco.manual.edits"]
        snapshot = manual_edits._read_snapshot(move)
        commands = [
            *(
                Command.delete(line.id)
                for line in edits.unedited
                if not (line.copaco_is_rounding and edits.has_rounding_edits)
            ),
            *self._prepare_lines(move, edits, values.pop("invoice_line_ids")),
        ]
        move.write(
            {
                **self._prepare_header(move, values, edits),
                "copaco_digest": values["copaco_digest"],
                "copaco_amount": values.get("copaco_amount", 0),
                "invoice_line_ids": commands,
            }
        )
        if "narration" not in edits.header:
            # It says which date Copaco gave, where a person chose another one. Odoo
            # leaves it alone where there are no terms of its own.
            move.narration = False
            self.env.add_to_compute(move._fields["narration"], move)
        self.env[kind.writer]._check_totals(document, move, edits)
        if not edits.has_edits and document.kind not in PURCHASE_KINDS:
            # It is there already: a person confirms it. The tax of a bill was settled.
            self.env["copaco.vat.checker"]._check(document, move, may_hold=False)
        move.copaco_document_id.move_snapshot = manual_edits._update_snapshot(
            move, edits, snapshot
        )
        self.env["copaco.document.line"]._set_matches(match.lines)
        document._message_log(
            body=self.env._(
                "Draft invoice updated. Manual edits that were kept: lines edited: "
                "%(edited)s, added: %(added)s, removed: %(removed)s.",
                edited=len(edits.edited),
                added=len(edits.added),
                removed=len(edits.removed),
            )
        )

    @api.model
    def _prepare_lines(self, move, edits, commands):
        """:param commands: list of `Command.create` for all lines of the document
        :return: list of commands for the invoice that add those which aren't manual
            edits, in the order that a person gave them, new ones at the end; if nobody
            did, in that of the document
        """
        kept = {*edits.edited.copaco_line_id.ids, *edits.removed}
        if edits.has_rounding_edits:
            kept.add(False)
        new_vals = [
            vals
            for _, _, vals in commands
            if vals.get("copaco_line_id", False) not in kept
        ]
        if edits.order:
            last = max(move.invoice_line_ids.mapped("sequence"))
            for position, vals in enumerate(new_vals, start=1):
                vals["sequence"] = edits.order.get(
                    vals.get("copaco_line_id"), last + position
                )
            return [Command.create(vals) for vals in new_vals]
        return [
            *map(Command.create, new_vals),
            *(
                Command.update(line.id, {"sequence": line.copaco_line_id.sequence})
                for line in edits.edited
                if line.copaco_line_id
            ),
        ]

    @api.model
    def _prepare_header(self, move, values, edits):
        """:return: the values of an invoice that differ from what it has, and those
        that a person chose, which Odoo may compute anew from the others"""
        fixed = {"journal_id", "invoice_date"} if move.posted_before else set()
        vals = {
            name: values[name]
            for name in HEADER_FIELDS
            if name in values
            and name not in edits.header
            and name not in fixed
            and values[name] != _read(move, name)
        }
        if vals:
            vals.update({name: _read(move, name) for name in edits.header})
        return vals


def _read(record, name):
    return record._fields[name].convert_to_write(record[name], record)
