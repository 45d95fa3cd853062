from odoo import models
from odoo.fields import Command
from odoo.tools import LazyTranslate

from ..const import KINDS, PURCHASE_KINDS
from ..exceptions import HeldError
from ..tools import merge_order, name_invoice
from .copaco_manual_edits import HEADER_FIELDS, get_position

_lt = LazyTranslate(__name__)


class CopacoDraftUpdater(models.AbstractModel):
    """Updates a draft invoice from its document, and keeps what a person edited, added,
    removed or reordered (promise 7 in doc/how_it_works.rst)."""

    _name = "copaco.draft.updater"
    _description = "Copaco Draft Updater"

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

    def _is_unedited_draft(self, document):
        return (
            self._can_be_rebuilt(document)
            and not document._get_live_invoice().posted_before
            and not self.env["copaco.manual.edits"]._get_edits(document).has_edits
        )

    def _sync_drafts(self, documents):
        """Rebuild the draft invoices of documents from their content; each ends
        `invoiced`, or `changed` when a person has to decide. Without a live invoice,
        nothing happens.

        :param documents: `copaco.document` records
        """
        live = documents.filtered(lambda each: each.move_id.state != "cancel")
        for document in live.sorted(_gains_lines):
            version = document._get_pending_version()
            warning = version and self._get_part_warning(version)
            if warning or (version and not self._is_unedited_draft(document)):
                version._request_decision(warning)
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

    def _get_part_warning(self, version):
        """:return: a message when a line of this version is still invoiced on another
        part of the Copaco invoice, which was to be rebuilt before; "" otherwise"""
        if not version.document_id.is_po_part:
            return ""
        return self.env["copaco.duplicate.finder"]._get_version_warning(version)

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
            self.env["copaco.restored.charges"]._check_use(document)
            self.env["copaco.declined.charge"]._keep_removed(version, edits)
            version._take_over()
        self._check_lines(document)
        self.env["copaco.customer.linker"]._match(document.customer_id)
        move = document._get_live_invoice()
        documents = move._get_copaco_documents()
        match = self.env[KINDS[document.kind].matcher]._get_match(documents)
        self._rebuild(document, match, edits)
        match.documents._set_billed(move)
        # A document of a bill that has no lines any more is excluded.
        (documents - match.documents).amount_billed = 0.0
        document._message_log(
            body=self.env._(
                "Draft invoice updated. Manual edits that were kept: lines edited: "
                "%(edited)s, added: %(added)s, removed: %(removed)s.",
                edited=len(edits.edited),
                added=len(edits.added),
                removed=len(edits.removed),
            )
        )
        if document.kind in PURCHASE_KINDS:
            return
        self.env["copaco.draft.checker"]._review(document)
        if not edits.has_edits:
            # It is there already: a person confirms it. The tax of a bill was settled.
            self.env["copaco.vat.checker"]._check(
                document, move, may_hold=False, is_joint=len(documents) > 1
            )

    def _check_lines(self, document):
        """:raise HeldError: when a draft of a document would have no lines"""
        if not document.line_ids and document.kind not in PURCHASE_KINDS:
            raise HeldError(
                self.env,
                _lt(
                    "Draft %(invoice)s can't be updated, because Copaco has no lines "
                    "of %(document)s any more. Delete the draft, then use the new "
                    "version.",
                    document=document.name,
                    invoice=name_invoice(document._get_live_invoice()),
                ),
            )

    def _rebuild(self, document, match, edits):
        """Make anew what nobody edited of a draft invoice.

        :param document: a `copaco.document` that it is of
        :param match: the `DocumentMatch` of the invoice
        :param edits: the `ManualEdits`, from before a new version was taken over
        :raise UserError: when Odoo refuses
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        move = document._get_live_invoice()
        kind = KINDS[document.kind]
        values = self.env[kind.builder]._prepare_invoice(document, match)
        if values["move_type"] != move.move_type:
            raise HeldError(
                self.env,
                _lt(
                    "Draft %(invoice)s can't be updated, because %(document)s became a "
                    "credit note, or no longer is one. Delete the draft, then use the "
                    "new version.",
                    document=document.name,
                    invoice=name_invoice(move),
                ),
            )
        manual_edits = self.env["copaco.manual.edits"]
        snapshot = manual_edits._read_snapshot(move)
        vals_list = [vals for _, _, vals in values.pop("invoice_line_ids")]
        sequences = {_get_key(vals): vals["sequence"] for vals in vals_list}
        removed = edits.unedited | edits.unedited_texts
        if edits.has_rounding_edits:
            removed -= removed.filtered("copaco_is_rounding")
        commands = [
            *(Command.delete(line.id) for line in removed),
            *self._prepare_lines(move, edits, vals_list, removed),
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
        self.env[kind.writer]._check_totals(match.documents, move, edits)
        move.copaco_document_id.move_snapshot = manual_edits._update_snapshot(
            move, edits, snapshot, sequences, values
        )
        self.env["copaco.document.line"]._set_matches(match.lines)

    def _prepare_lines(self, move, edits, vals_list, removed):
        """:param vals_list: list of the values of all lines of a new invoice
        :param removed: lines of the invoice that are made anew
        :return: list of commands for the invoice that add those which aren't manual
            edits, and number them and what is kept, see `_get_order`
        """
        not_made = {
            *edits.edited.copaco_line_id.ids,
            *edits.removed,
            *edits.edited_texts.mapped("copaco_layout_key"),
            *edits.removed_texts,
        }
        if edits.has_rounding_edits:
            not_made.add(False)
        made = {
            _get_key(vals) or (position,): vals
            for position, vals in enumerate(vals_list)
            if _get_key(vals) not in not_made
        }
        get_line_key = self.env["copaco.manual.edits"]._get_key
        lines = {get_line_key(line) or line: line for line in move.invoice_line_ids}
        kept = {key: line for key, line in lines.items() if line not in removed}
        updates = []
        if kept or edits.is_reordered:
            order = self._get_order(vals_list, made, lines, edits.is_reordered)
            order = [key for key in order if key in made or key in kept]
            for sequence, key in enumerate(order, start=1):
                if key in made:
                    made[key]["sequence"] = sequence
                else:
                    updates.append(Command.update(kept[key].id, {"sequence": sequence}))
        return [*map(Command.create, made.values()), *updates]

    def _get_order(self, vals_list, made, lines, is_reordered):
        """What a person added stays after what it was after. Of lines that a person
        reordered, new ones are at the end, or below the heading that they belong to.

        :param vals_list: list of the values of all lines of a new invoice
        :param made: dict of those of lines that are made anew, by key
        :param lines: dict of the lines of the invoice, by key
        :return: list of keys
        """
        keys = {id(vals): key for key, vals in made.items()}
        new_order = [
            keys.get(id(vals)) or _get_key(vals)
            for vals in sorted(vals_list, key=lambda vals: vals["sequence"])
        ]
        old_order = sorted(lines, key=lambda key: get_position(lines[key]))
        if not is_reordered:
            return merge_order(new_order, old_order)
        if any(vals.get("copaco_layout_key") for vals in vals_list):
            return merge_order(old_order, new_order)
        return list(dict.fromkeys([*old_order, *new_order]))

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


def _gains_lines(document):
    """:return: whether a part of a Copaco invoice may get lines that another one has to
    lose before"""
    version = document.is_po_part and document._get_pending_version()
    return bool(version and version._get_new_lines())


def _read(record, name):
    return record._fields[name].convert_to_write(record[name], record)


def _get_key(vals):
    """:return: of the values of a line, see `copaco.manual.edits`"""
    return vals.get("copaco_line_id") or vals.get("copaco_layout_key") or False
