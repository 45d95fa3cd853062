import hashlib
import json
from typing import NamedTuple

from odoo import api, models

from .copaco_draft_updater import HEADER_FIELDS

# What of a line was compared, by version of the addon's snapshots; that of a hash is in
# front of it. A line that was untouched yesterday must not look touched today.
_FIRST_FIELDS = (
    "name",
    "product_id",
    "product_uom_id",
    "account_id",
    "quantity",
    "price_unit",
    "discount",
    "tax_ids",
    "analytic_distribution",
)
LINE_FIELDS = {
    "1": _FIRST_FIELDS,
    "2": (*_FIRST_FIELDS, "copaco_vendor_details"),
}
VERSION = "2"
# What changes the amount of an invoice although its lines stay as they are.
AMOUNT_FIELDS = frozenset({"currency_id", "invoice_cash_rounding_id"})


class Touched(NamedTuple):
    """What a person changed on an invoice since the addon made it."""

    header: frozenset  # names of fields
    edited: models.BaseModel  # account.move.line
    added: models.BaseModel  # account.move.line
    removed: frozenset  # ids of copaco.document.line
    untouched: models.BaseModel  # account.move.line: as the addon made them
    # Sequences of lines by id of copaco.document.line; none if nobody moved a line. It
    # is no edit: the lines are made anew in that order.
    order: dict

    @property
    def has_touched_lines(self):
        return bool(self.edited or self.added or self.removed)

    @property
    def is_touched(self):
        return bool(self.header) or self.has_touched_lines


class CopacoDraftUpdater(models.AbstractModel):
    """What the addon made of an invoice or a correction, and what a person touched of
    it since. That is found by comparing the two, never asked: who takes back an edit
    has touched nothing, and SQL that writes what is compared, or deletes a line, passes
    for a person."""

    _inherit = "copaco.draft.updater"

    # === WHAT THE ADDON MADE === #

    @api.model
    def _take_snapshot(self, move, lines=None):
        """:param lines: those that the addon made; all of them by default
        :return: dict for `move_snapshot` of a document or a version
        """
        return {
            "header": {name: _hash(move, [name]) for name in HEADER_FIELDS},
            "lines": {
                str(line.id): _prepare_entry(
                    line.copaco_line_id, -line.amount_currency, _hash_line(line)
                )
                for line in (move.invoice_line_ids if lines is None else lines)
            },
        }

    @api.model
    def _get_made(self, move):
        """:param move: the invoice of a document, or a correction
        :return: dict as of `_take_snapshot`; without hashes and amounts when it isn't
            known what was made
        """
        source = move.copaco_document_id or move.copaco_version_id
        if source.move_snapshot:
            made = source.move_snapshot
            return {**made, "lines": _read_lines(made["lines"], move)}
        return {
            "header": {},
            "lines": {
                str(line.id): _prepare_entry(line.copaco_line_id)
                for line in move.invoice_line_ids
                if line.copaco_line_id
            },
        }

    @api.model
    def _take_snapshot_again(self, move, touched, made):
        """:param touched: what was `Touched` before the rebuild, and stays so
        :param made: see `_get_made`, from before
        :return: dict for `move_snapshot` of the document
        """
        new_lines = move.invoice_line_ids - touched.edited - touched.added
        snapshot = self._take_snapshot(move, new_lines)
        for name in touched.header:
            snapshot["header"][name] = made["header"].get(name)
        keys = {line_id: _get_removed_key(line_id) for line_id in touched.removed}
        keys |= {line.copaco_line_id.id: str(line.id) for line in touched.edited}
        entries = {entry["line"]: entry for entry in made["lines"].values()}
        for line in move.copaco_document_id.line_ids.filtered(
            lambda line: line.id in keys
        ):
            entry = entries.get(line.id, _prepare_entry(line))
            # Who takes the edit back has not what Copaco says now.
            is_current = entry["amount"] in (None, line.amount)
            snapshot["lines"][keys[line.id]] = _prepare_entry(
                line, line.amount, entry["hash"] if is_current else None
            )
        return snapshot

    # === WHAT A PERSON TOUCHED === #

    @api.model
    def _get_touched(self, document):
        """:param document: a `copaco.document` with an invoice
        :return: what is `Touched` on the invoice
        """
        return self._compare(document._get_live_invoice())

    @api.model
    def _compare(self, move):
        """:param move: the invoice of a document, or a correction
        :return: what is `Touched` on it; everything, when it isn't known what was made
        """
        made = self._get_made(move)
        entries = made["lines"]
        # Each from all of them: then Odoo reads the lines of all invoices at once.
        lines = move.invoice_line_ids
        own = lines.filtered(lambda line: str(line.id) in entries)
        untouched = lines.filtered(
            lambda line: _is_as_made(line, entries.get(str(line.id), {}).get("hash"))
        )
        order = {
            line.copaco_line_id: line.sequence for line in lines if line.copaco_line_id
        }
        is_moved = any(source.sequence != order[source] for source in order)
        return Touched(
            header=frozenset(
                name
                for name in made["header"] or HEADER_FIELDS
                if made["header"].get(name) != _hash(move, [name])
            ),
            edited=own - untouched,
            added=lines - own,
            removed=frozenset(
                entries[key]["line"]
                for key in entries.keys() - set(map(str, lines.ids))
            ),
            untouched=untouched,
            order={source.id: order[source] for source in order} if is_moved else {},
        )

    @api.model
    def _get_amount_by_hand(self, document):
        """:return: what a person took off the invoice of a document and off its
        corrections, without tax; below zero: what was added
        """
        invoice = document._get_live_invoice()
        corrections = document._get_live_corrections().sorted("id")
        # What the invoice was made for, before it was corrected.
        total = (corrections.copaco_version_id[:1] or document).amount_source
        amount = self._get_amount_off(invoice, total) if invoice else 0.0
        # Each correction that the addon makes has a snapshot.
        for correction in corrections.filtered("copaco_version_id.move_snapshot"):
            amount += self._get_amount_off(correction)
        return amount

    @api.model
    def _get_amount_off(self, move, total=0.0):
        """:param total: what was made, for when its lines don't tell
        :return: what a person took off an invoice or a correction
        """
        touched = self._compare(move)
        entries = self._get_made(move)["lines"]
        booked = move.amount_untaxed_in_currency_signed
        amounts = {key: entry["amount"] for key, entry in entries.items()}
        if not amounts or None in amounts.values():
            return total - booked if touched.has_touched_lines else 0.0
        if touched.header & AMOUNT_FIELDS:
            return sum(amounts.values()) - booked
        for line in touched.untouched:
            del amounts[str(line.id)]
        others = move.invoice_line_ids - touched.untouched
        return sum(amounts.values()) + sum(others.mapped("amount_currency"))

    # === WHAT BECAME OF THE LINES OF THE DOCUMENT === #

    @api.model
    def _get_positions(self, document):
        """:return: dict of the sequence of a document's line by key of the line of the
        invoice that was made of it, see `_take_snapshot`
        """
        positions = {line.id: line.sequence for line in document.line_ids}
        entries = self._get_made(document._get_live_invoice())["lines"]
        return {
            key: positions[entry["line"]]
            for key, entry in entries.items()
            if entry["line"] in positions
        }

    @api.model
    def _link_again(self, document, positions):
        """The lines that a correction had taken off a document are there again, as
        other records: link the lines of the invoice to them.

        :param positions: see `_get_positions`, from before the correction
        """
        move = document._get_live_invoice()
        made = self._get_made(move)
        by_position = {line.sequence: line for line in document.line_ids}
        lines = {
            key: by_position[position]
            for key, position in positions.items()
            if position in by_position
        }
        for key in lines.keys() & made["lines"]:
            made["lines"][key]["line"] = lines[key].id
        if document.move_snapshot:
            document.move_snapshot = made
        for line in move.invoice_line_ids:
            if str(line.id) in lines:
                line.copaco_line_id = lines[str(line.id)]


def _prepare_entry(line, amount=None, fingerprint=None):
    """:param line: `copaco.document.line` of which a line of an invoice was made
    :param amount: of it, without tax; None when it isn't known
    :param fingerprint: of what was made; None when it isn't known, or no longer right
    :return: dict for ``lines`` of a snapshot
    """
    return {"line": line.id, "amount": amount, "hash": fingerprint}


def _get_removed_key(line_id):
    """:param line_id: of a `copaco.document.line` whose line a person removed
    :return: its key in ``lines`` of a snapshot
    """
    return f"removed {line_id}"


def _read_lines(entries, move):
    """Read ``lines`` of a snapshot, whichever version of the addon took it: earlier
    ones had nothing but hashes, by id of `copaco.document.line`."""
    keys = {str(line.copaco_line_id.id): str(line.id) for line in move.invoice_line_ids}
    result = {}
    for key, entry in entries.items():
        if isinstance(entry, dict):
            result[key] = dict(entry)
        else:
            key_now = keys.get(key) or _get_removed_key(key)
            made_hash = f"1:{entry}"
            result[key_now] = {"line": int(key), "amount": None, "hash": made_hash}
    return result


def _hash_line(line, version=VERSION):
    return f"{version}:{_hash(line, LINE_FIELDS[version])}"


def _is_as_made(line, made_hash):
    """:param made_hash: of what was made of a line; None when it isn't known"""
    version = (made_hash or "").partition(":")[0]
    return version in LINE_FIELDS and _hash_line(line, version) == made_hash


def _hash(record, names):
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
