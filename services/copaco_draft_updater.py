from psycopg2 import OperationalError

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
    "invoice_cash_rounding_id",
)


class CopacoDraftUpdater(models.AbstractModel):
    """Brings a draft invoice in line with its document, and keeps what a person
    touched. That is found by comparing with what the addon had made, never asked."""

    _name = "copaco.draft.updater"
    _description = "Copaco Draft Updater"

    @api.model
    def _can_be_rebuilt(self, document):
        # Beside a correction, an invoice of what is corrected would bill it twice.
        return (
            document._get_live_invoice().state == "draft"
            and not document._get_live_corrections()
        )

    @api.model
    def _is_unedited_draft(self, document):
        return (
            self._can_be_rebuilt(document)
            and not document._get_live_invoice().posted_before
            and not self._get_touched(document).is_touched
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
                try:
                    with self.env.cr.savepoint():
                        self._update_draft(document, version)
                except OperationalError:
                    raise
                except Exception as error:  # noqa: BLE001 # told to a person below
                    writer = self.env["copaco.invoice.writer"]
                    obstacle = writer._get_error_hold(document, error).message
                    if version:
                        version._request_decision(obstacle)
                    else:
                        document._set_invoiced()
                        document.hold_message = obstacle

    @api.model
    def _update_draft(self, document, version=None):
        """Make the draft invoice of a document anew; manual edits are kept.

        :param document: a `copaco.document`
        :param version: take over this `copaco.document.version` first
        :raise UserError: when it can't be invoiced now
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        # Before the lines that are gone from the document forget what they were.
        touched = self._get_touched(document)
        if version:
            version._take_over()
        document.customer_id._match()
        match = self.env["copaco.document.matcher"]._get_match(document)
        self._rebuild(document, match, touched)
        document._set_invoiced()

    @api.model
    def _rebuild(self, document, match, touched):
        """Make the untouched part of a draft invoice anew.

        :param document: a `copaco.document`
        :param match: its `DocumentMatch`
        :param touched: its `Touched`, from before its content was taken over
        :raise UserError: when Odoo refuses
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        move = document._get_live_invoice()
        values = self.env["copaco.invoice.builder"]._prepare_invoice(document, match)
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
        made = self._get_made(move)
        kept = set(touched.edited.copaco_line_id.ids) | touched.removed
        commands = [
            *(Command.delete(line.id) for line in touched.untouched),
            *self._place_lines(move, touched, values.pop("invoice_line_ids"), kept),
        ]
        move.write(
            {
                **self._get_header_values(move, values, touched),
                "copaco_digest": values["copaco_digest"],
                "invoice_line_ids": commands,
            }
        )
        self.env["copaco.invoice.writer"]._check_totals(document, move, touched)
        document.move_snapshot = self._take_snapshot_again(move, touched, made)
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
    def _place_lines(self, move, touched, creations, kept):
        """:param creations: list of `Command.create` for all lines of the document
        :param kept: ids of the lines of the document that are left as they are
        :return: list of commands for an invoice: with the others of these lines, in the
            order that a person gave them, new ones at the end; if nobody did, in that
            of the document
        """
        new_creations = [
            vals for _, _, vals in creations if vals["copaco_line_id"] not in kept
        ]
        if not touched.order:
            return [
                *map(Command.create, new_creations),
                *(
                    Command.update(line.id, {"sequence": line.copaco_line_id.sequence})
                    for line in touched.edited
                    if line.copaco_line_id
                ),
            ]
        last = max(move.invoice_line_ids.mapped("sequence"))
        return [
            Command.create(
                {
                    **vals,
                    "sequence": touched.order.get(
                        vals["copaco_line_id"], last + position
                    ),
                }
            )
            for position, vals in enumerate(new_creations, start=1)
        ]

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
