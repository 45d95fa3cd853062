import hashlib
import json
from typing import NamedTuple

from odoo import models

# What of an invoice, and of its lines, a person may edit.
HEADER_FIELDS = (
    "move_type",
    "partner_id",
    "journal_id",
    "fiscal_position_id",
    "currency_id",
    "invoice_date",
    "invoice_date_due",
    "invoice_payment_term_id",
    "invoice_user_id",
    "ref",
    "narration",
    "invoice_cash_rounding_id",
)
LINE_FIELDS = (
    "name",
    "product_id",
    "product_uom_id",
    "account_id",
    "quantity",
    "price_unit",
    "discount",
    "tax_ids",
    "analytic_distribution",
    "copaco_vendor_details",
)
# And of what the layout puts between the lines.
TEXT_FIELDS = ("display_type", "name", "collapse_composition", "collapse_prices")
# Which LINE_FIELDS the digest of a line is of: a stored one outlives an upgrade.
LINE_DIGEST_PREFIX = "2:"
# What changes the amount of an invoice although its lines stay as they are.
AMOUNT_FIELDS = frozenset({"move_type", "invoice_cash_rounding_id"})


class ManualEdits(NamedTuple):
    """What a person changed on an invoice since the addon made it."""

    header: frozenset  # names of fields
    edited: models.BaseModel  # account.move.line
    added: models.BaseModel  # account.move.line
    removed: frozenset  # ids of copaco.document.line
    unedited: models.BaseModel  # account.move.line
    # Headings and notes of the layout, which cost nothing.
    edited_texts: models.BaseModel  # account.move.line
    removed_texts: frozenset  # their keys
    unedited_texts: models.BaseModel  # account.move.line
    # That is no edit: lines are made anew in the order that they have.
    is_reordered: bool

    @property
    def has_line_edits(self):
        """Whether something was changed of what is booked by line."""
        return bool(self.edited or self.added or self.removed)

    @property
    def has_rounding_edits(self):
        """Whether a line of what the roundings add up to was changed or removed."""
        # The rounding is of no line of the document.
        return False in self.removed or any(self.edited.mapped("copaco_is_rounding"))

    @property
    def has_edits(self):
        """Whether anything was changed, except the order of the lines."""
        return bool(
            self.header
            or self.has_line_edits
            or self.edited_texts
            or self.removed_texts
        )


class CopacoManualEdits(models.AbstractModel):
    """Finds what a person changed on an invoice or a correction, by comparing it with a
    snapshot of what the addon made: who takes an edit back has edited nothing, and SQL
    that writes a compared field, or deletes a line, passes for a person.

    A snapshot has the digests of the fields under ``header``, and, under ``lines``, by
    the id of the invoice line, which `copaco.document.line` it was made of, its amount
    without tax, its digest and its sequence. A removed line has a key of its own. Under
    ``texts`` there are, by the same ids, what the layout put between the lines.
    """

    _name = "copaco.manual.edits"
    _description = "Copaco Manual Edits"

    # === SNAPSHOTS === #

    def _take_snapshot(self, move, lines=None, sequences=None):
        """:param lines: those that the addon made; all of them by default
        :param sequences: dict of what the addon would have numbered them, by
            `_get_key`; by default it numbered them as they are
        :return: dict for `move_snapshot` of a document or a version
        """
        sign = move._get_copaco_document()._get_sign()
        if lines is None:
            lines = move.invoice_line_ids
        if sequences is None:
            sequences = {self._get_key(line): line.sequence for line in lines}
        texts = lines.filtered("copaco_layout_key")
        return {
            "header": {name: _get_digest(move, [name]) for name in HEADER_FIELDS},
            "lines": {
                str(line.id): {
                    **_prepare_entry(
                        line.copaco_line_id,
                        -sign * line.amount_currency,
                        _get_line_digest(line),
                    ),
                    "sequence": sequences.get(self._get_key(line)),
                }
                for line in lines - texts
            },
            "texts": {
                str(text.id): {
                    "key": text.copaco_layout_key,
                    "hash": _get_digest(text, TEXT_FIELDS),
                    "sequence": sequences.get(text.copaco_layout_key),
                }
                for text in texts
            },
        }

    def _get_key(self, line):
        """:return: by what a line of an invoice is found again in the values of a new
        one: the id of a price line or the key of a text; False for what is neither"""
        return line.copaco_line_id.id or line.copaco_layout_key or False

    def _read_snapshot(self, move):
        """:param move: the invoice of a document, or a correction
        :return: dict as of `_take_snapshot`; without digests and amounts when there is
            none, as for an invoice that was cancelled while another took its place
        """
        source = move.copaco_document_id or move.copaco_version_id
        return source.move_snapshot or {
            "header": {},
            "lines": {
                str(line.id): _prepare_entry(line.copaco_line_id)
                for line in move.invoice_line_ids
                if line.copaco_line_id
            },
            "texts": {},
        }

    def _update_snapshot(self, move, edits, snapshot, sequences, values):
        """:param edits: the `ManualEdits` that an update of the invoice has kept
        :param snapshot: from before the update
        :param sequences: see `_take_snapshot`
        :param values: dict of what the addon would have put above the lines
        :return: dict for `move_snapshot` by which they still are manual edits
        """
        kept = edits.edited | edits.added | edits.edited_texts
        updated = self._take_snapshot(move, move.invoice_line_ids - kept, sequences)
        for key, entry in snapshot.get("texts", {}).items():
            is_edited = int(key) in edits.edited_texts.ids
            if is_edited or entry["key"] in edits.removed_texts:
                sequence = sequences.get(entry["key"], entry["sequence"])
                updated["texts"][key] = {**entry, "sequence": sequence}
        for name in edits.header:
            digest = snapshot["header"].get(name)
            # Who takes the edit back has not what Copaco says now.
            is_current = name not in values or digest == _get_digest(
                {name: _get_value(move, name, values[name])}, [name]
            )
            updated["header"][name] = digest if is_current else None
        keys = {line_id: f"removed {line_id}" for line_id in edits.removed}
        keys |= {line.copaco_line_id.id: str(line.id) for line in edits.edited}
        entries = {entry["line"]: entry for entry in snapshot["lines"].values()}
        for line in move._get_copaco_documents().line_ids.filtered(
            lambda line: line.id in keys
        ):
            entry = entries.get(line.id, _prepare_entry(line))
            is_current = entry["amount"] in (None, line.amount)
            updated["lines"][keys[line.id]] = {
                **_prepare_entry(
                    line, line.amount, entry["hash"] if is_current else None
                ),
                "sequence": sequences.get(line.id),
            }
        # What is kept of the rounding stands for all that the others lack: Copaco's
        # total may need another one now.
        made = set(map(str, edits.unedited.ids))
        for key, entry in snapshot["lines"].items():
            if not entry["line"] and key not in made:
                updated["lines"][key] = entry
                lacking = self._get_lacking(move, updated)
                if lacking:
                    entry.update(amount=entry["amount"] + lacking, hash=None)
        return updated

    def _get_lacking(self, move, snapshot):
        """:return: what a snapshot has less than is to be invoiced, without tax"""
        amounts = [entry["amount"] for entry in snapshot["lines"].values()]
        documents = move._get_copaco_documents()
        total = move.copaco_amount or sum(documents.mapped("amount_to_invoice"))
        return documents.currency_id.round(total - sum(amounts))

    # === MANUAL EDITS === #

    def _get_edits(self, document):
        """:param document: a `copaco.document` with an invoice
        :return: the `ManualEdits` of the invoice
        """
        return self._compare(document._get_live_invoice())

    def _compare(self, move):
        """:param move: the invoice of a document, or a correction
        :return: its `ManualEdits`; everything is one when there is no snapshot
        """
        snapshot = self._read_snapshot(move)
        entries = snapshot["lines"]
        # Older snapshots have none.
        text_entries = snapshot.get("texts", {})
        # Each from all of them: then Odoo reads the lines of all invoices at once.
        lines = move.invoice_line_ids
        texts = lines.filtered(lambda line: str(line.id) in text_entries)
        edited_texts = texts.filtered(
            lambda text: (
                text_entries[str(text.id)]["hash"] != _get_digest(text, TEXT_FIELDS)
            )
        )
        own = lines.filtered(lambda line: str(line.id) in entries)
        unedited = lines.filtered(
            lambda line: (
                str(line.id) in entries
                and entries[str(line.id)]["hash"] == _get_line_digest(line)
            )
        )
        lines -= texts
        return ManualEdits(
            header=frozenset(
                name
                for name in snapshot["header"] or HEADER_FIELDS
                if snapshot["header"].get(name) != _get_digest(move, [name])
                and not (name == "partner_id" and _is_customers_address(move))
            ),
            edited=own - unedited,
            added=lines - own,
            removed=frozenset(
                entries[key]["line"]
                for key in entries.keys() - set(map(str, lines.ids))
            ),
            unedited=unedited,
            edited_texts=edited_texts,
            removed_texts=frozenset(
                text_entries[key]["key"]
                for key in text_entries.keys() - set(map(str, texts.ids))
            ),
            unedited_texts=texts - edited_texts,
            is_reordered=self._is_reordered(
                own.filtered("copaco_line_id") | texts, entries | text_entries
            ),
        )

    def _is_reordered(self, lines, entries):
        """:param entries: those of the lines in a snapshot, by id as text"""

        def get_sequence(line):
            # Older snapshots have none.
            made = entries[str(line.id)].get("sequence")
            return line.copaco_line_id.sequence if made is None else made

        return lines.sorted(get_sequence).ids != lines.sorted(get_position).ids

    def _get_amount(self, document):
        """:return: what a person took off the invoice of a document and off its
        corrections, without tax; below zero: what was added
        """
        invoice = document._get_live_invoice()
        corrections = document._get_live_corrections().sorted("id")
        # What the invoice was made for, before it was corrected.
        total = (
            invoice.copaco_amount
            or corrections.copaco_version_id[:1].amount_source
            or document.amount_to_invoice
        )
        others = invoice._get_copaco_documents() - document
        # In another currency than theirs, an invoice bills nothing of any of several.
        is_nothing_left = others and invoice.currency_id != document.currency_id
        amount = 0.0
        if invoice.copaco_document_id == document:
            # The first one has what a person changed on an invoice of several.
            amount = self._get_amount_of_move(invoice, total)
            if is_nothing_left:
                amount -= sum(others.mapped("amount_billed"))
        elif is_nothing_left:
            amount = document.amount_billed
        # Each correction that the addon makes has a snapshot.
        for correction in corrections.filtered("copaco_version_id.move_snapshot"):
            amount += self._get_amount_of_move(correction)
        return amount - sum(document.version_ids.mapped("amount_taken_off"))

    def _get_amount_of_move(self, move, total=0.0):
        """:param total: what was made, for when the snapshot doesn't tell
        :return: what a person took off an invoice or a correction
        """
        edits = self._compare(move)
        document = move._get_copaco_document()
        # Snapshots are in Copaco's currency: when that changes, the invoice is updated
        # or created anew. An amount in another one is none of it.
        is_same = move.currency_id == document.currency_id
        sign = document._get_sign() if is_same else 0
        booked = sign * move.amount_untaxed_in_currency_signed
        amounts = {
            key: entry["amount"]
            for key, entry in self._read_snapshot(move)["lines"].items()
        }
        if not amounts or None in amounts.values():
            return total - booked if edits.has_line_edits or not is_same else 0.0
        if not is_same or edits.header & AMOUNT_FIELDS:
            return sum(amounts.values()) - booked
        for line in edits.unedited:
            del amounts[str(line.id)]
        others = move.invoice_line_ids - edits.unedited
        return sum(amounts.values()) + sign * sum(others.mapped("amount_currency"))

    # === LINES THAT A CORRECTION TOOK OFF THE DOCUMENT === #

    def _get_positions(self, document):
        """:return: dict of the sequence of a document's line by the key in the snapshot
        of what was made of it
        """
        positions = {line.id: line.sequence for line in document.line_ids}
        entries = self._read_snapshot(document._get_live_invoice())["lines"]
        return {
            key: positions[entry["line"]]
            for key, entry in entries.items()
            if entry["line"] in positions
        }

    def _restore_links(self, document, positions):
        """Link the lines of the invoice to those of the document, which are there
        again, as other records, since the correction was removed.

        :param positions: see `_get_positions`, from before the correction
        """
        move = document._get_live_invoice()
        snapshot = self._read_snapshot(move)
        by_position = {line.sequence: line for line in document.line_ids}
        lines = {
            key: by_position[position]
            for key, position in positions.items()
            if position in by_position
        }
        for key in lines.keys() & snapshot["lines"]:
            snapshot["lines"][key]["line"] = lines[key].id
        # Of a bill, another document may have it.
        source = move.copaco_document_id
        if source.move_snapshot:
            source.move_snapshot = snapshot
        for line in move.invoice_line_ids:
            if str(line.id) in lines:
                line.copaco_line_id = lines[str(line.id)]


def get_position(line):
    """:return: by which Odoo sorts the lines of an invoice"""
    return line.sequence, line.id


def _is_customers_address(move):
    """Whether an invoice is to whom its Copaco customer is linked now: contacts that
    are merged in Odoo are others, and nobody has edited the invoice."""
    partner = move._get_copaco_document().partner_id
    return bool(partner) and (
        partner.address_get(["invoice"])["invoice"] == move.partner_id.id
    )


def _prepare_entry(line, amount=None, digest=None):
    """:param line: `copaco.document.line` of which a line of an invoice was made
    :param amount: of it, without tax; None when it isn't known
    :param digest: of what was made; None when it isn't known, or no longer right
    :return: dict for ``lines`` of a snapshot
    """
    return {"line": line.id, "amount": amount, "hash": digest}


def _get_line_digest(line):
    return LINE_DIGEST_PREFIX + _get_digest(line, LINE_FIELDS)


def _get_value(record, name, value):
    """:return: what a field would be, were this written to it"""
    field = record._fields[name]
    return field.convert_to_record(field.convert_to_cache(value, record), record)


def _get_digest(record, names):
    values = []
    for name in names:
        value = record[name]
        if isinstance(value, models.BaseModel):
            value = sorted(value.ids)
        elif isinstance(value, float):
            # As many digits as survive the database.
            value = f"{value:.10g}"
        values.append(value or None)
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
