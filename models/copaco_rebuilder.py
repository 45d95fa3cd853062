import hashlib
import json
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

# What of an invoice, and of its lines, a person may change that counts as touched.
HEADER_FIELDS = (
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
)


class Touched(NamedTuple):
    """What a person changed on an invoice since the addon made it."""

    header: frozenset  # names of fields
    edited: models.BaseModel  # account.move.line
    added: models.BaseModel  # account.move.line
    removed: frozenset  # ids of copaco.document.line
    untouched: models.BaseModel  # account.move.line: as the addon made them

    @property
    def has_touched_lines(self):
        return bool(self.edited or self.added or self.removed)

    @property
    def is_touched(self):
        return bool(self.header) or self.has_touched_lines


class CopacoRebuilder(models.AbstractModel):
    """Brings a draft invoice in line with its document, and keeps what a person
    touched. That is found by comparing with what the addon had made, never asked."""

    _name = "copaco.rebuilder"
    _description = "Copaco Rebuilder"

    @api.model
    def _take_snapshot(self, move):
        """:return: dict for `copaco.document.move_snapshot`"""
        return {
            "header": {name: _hash(move, [name]) for name in HEADER_FIELDS},
            "lines": {
                str(line.copaco_line_id.id): _hash(line, LINE_FIELDS)
                for line in move.invoice_line_ids
                if line.copaco_line_id
            },
        }

    @api.model
    def _get_touched(self, document):
        """:param document: a `copaco.document` with an invoice
        :return: what is `Touched`; everything, when it isn't known what was made
        """
        move = document._get_live_invoice()
        made = document.move_snapshot or {"header": {}, "lines": {}}
        now = self._take_snapshot(move)
        own = move.invoice_line_ids.filtered("copaco_line_id")
        untouched = own.filtered(
            lambda line: (
                made["lines"].get(key := str(line.copaco_line_id.id))
                == now["lines"][key]
            )
        )
        return Touched(
            header=frozenset(
                name
                for name in HEADER_FIELDS
                if made["header"].get(name) != now["header"][name]
            ),
            edited=own - untouched,
            added=move.invoice_line_ids - own,
            removed=frozenset(int(key) for key in made["lines"].keys() - now["lines"]),
            untouched=untouched,
        )

    @api.model
    def _rebuild(self, document, match, touched):
        """Make the untouched part of a draft invoice anew.

        :param document: a `copaco.document`
        :param match: its `DocumentMatch`
        :param touched: its `Touched`, from before its content was taken over
        :raise UserError: when Odoo refuses
        :raise TotalsDiffer: when Odoo would book another amount than Copaco's
        """
        move = document._get_live_invoice()
        values = self.env["copaco.mapper"]._prepare_invoice(document, match)
        if values["move_type"] != move.move_type:
            raise UserError(
                self.env._(
                    "%(document)s became a credit, or no longer is one, so draft "
                    "%(invoice)s can't be rebuilt. Delete the draft, then use the new "
                    "version.",
                    document=document.name,
                    invoice=move.display_name,
                )
            )
        kept = set(touched.edited.copaco_line_id.ids) | touched.removed
        commands = [Command.delete(line.id) for line in touched.untouched]
        commands += [
            command
            for command in values.pop("invoice_line_ids")
            if command[2]["copaco_line_id"] not in kept
        ]
        move.write(
            {
                **self._get_header_values(move, values, touched),
                "copaco_digest": values["copaco_digest"],
                "invoice_line_ids": commands,
            }
        )
        self.env["copaco.invoicer"]._check_totals(document, move, touched)
        made = document.move_snapshot or {"header": {}, "lines": {}}
        snapshot = self._take_snapshot(move)
        # What was touched stays so.
        for name in touched.header:
            snapshot["header"][name] = made["header"].get(name)
        for line_id in kept & set(document.line_ids.ids):
            snapshot["lines"][str(line_id)] = made["lines"].get(str(line_id))
        document.move_snapshot = snapshot
        document._message_log(
            body=self.env._(
                "Draft invoice rebuilt. Lines kept because they were changed by hand: "
                "%(edited)s, added by hand: %(added)s, removed by hand: %(removed)s.",
                edited=len(touched.edited),
                added=len(touched.added),
                removed=len(touched.removed),
            )
        )

    @api.model
    def _get_header_values(self, move, values, touched):
        """:return: the values of an invoice that differ from what it has, and those
        that a person chose, which Odoo may compute anew from the others"""
        fixed = {"journal_id", "invoice_date"} if move.posted_before else set()
        vals = {
            name: values[name]
            for name in HEADER_FIELDS
            if name in values
            and name not in touched.header
            and name not in fixed
            and values[name] != _read(move, name)
        }
        if vals:
            vals.update({name: _read(move, name) for name in touched.header})
        return vals


def _read(record, name):
    return record._fields[name].convert_to_write(record[name], record)


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
