import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import float_compare

from ..const import Hold
from ..exceptions import TotalsMismatchError

_logger = logging.getLogger(__name__)


class CopacoInvoiceWriter(models.AbstractModel):
    """Makes the invoices of documents that are matched: whole, checked to the cent,
    or not at all."""

    _name = "copaco.invoice.writer"
    _description = "Copaco Invoicer"

    @api.model
    def _create_invoices(self, matches):
        """Create the invoices of documents, in one batch when Odoo takes all of them;
        a document that it refuses is held, and stops no other.

        :param matches: dict of `DocumentMatch` by `copaco.document`
        """
        if not matches:
            return
        try:
            with self.env.cr.savepoint():
                self._create_checked_invoices(matches)
            return
        except OperationalError:
            # Collisions among them; it is nothing that a document did.
            raise
        except Exception as error:  # noqa: BLE001 # found below, one by one
            if len(matches) == 1:
                (document,) = matches
                document._hold(self._get_error_hold(document, error))
                return
        for document, match in matches.items():
            self._create_invoices({document: match})

    @api.model
    def _create_checked_invoices(self, matches):
        """Create the invoices of documents, all or none.

        :param matches: dict of `DocumentMatch` by document
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        :raise UserError: when Odoo refuses one
        """
        # In a batch, Odoo computes a due date from no payment term for those that come
        # after an invoice without one.
        matches = dict(
            sorted(
                matches.items(),
                key=lambda item: not item[1].partner.property_payment_term_id,
            )
        )
        created = self._create_moves(matches)
        for document, move in created.items():
            self._check_totals(document, move)
            document._set_invoiced(
                move, self.env["copaco.manual.edits"]._take_snapshot(move)
            )
        documents = self.env["copaco.document"].union(*created)
        policy = documents.connection_id.invoice_policy
        if policy != "draft":
            self.env["account.move"].union(*created.values())._post(soft=False)
            for document, move in created.items():
                self._check_totals(document, move)
        if policy == "send":
            self.env["copaco.sender"]._send_in_background(documents)

    @api.model
    def _create_moves(self, matches):
        """Create the invoices of documents by Odoo's own code, with its synchronising
        on.

        Lines that come with their invoice are made twice by Odoo: in memory for what is
        computed of them, and to be inserted. So all lines of the batch are created
        after their invoices, at once. An automation that acts on invoices has to see
        what it would see of one that is entered by hand: then the lines come with their
        invoice, and with plain values.

        :param matches: dict of `DocumentMatch` by `copaco.document`
        :return: dict of `account.move` by document
        :raise UserError: when Odoo refuses one
        """
        is_plain = self._has_automations()
        builder, Move = self.env["copaco.invoice.builder"], self.env["account.move"]
        vals_list = [
            builder._prepare_invoice(document, match, is_plain)
            for document, match in matches.items()
        ]
        if is_plain:
            return dict(zip(matches, Move.create(vals_list), strict=True))
        commands = [vals.pop("invoice_line_ids") for vals in vals_list]
        moves = Move.create(vals_list)
        self.env["account.move.line"].create(
            [
                {"move_id": move.id, **vals}
                for move, own in zip(moves, commands, strict=True)
                for _command, _id, vals in own
            ]
        )
        # As `account.move.create` does at its end: nobody has edited them.
        moves.is_manually_modified = False
        return dict(zip(matches, moves, strict=True))

    @api.model
    def _has_automations(self):
        """Whether an automation of Odoo's acts on invoices or their lines."""
        if "base.automation" not in self.env:
            return False
        return bool(
            self.env["base.automation"]
            .sudo()
            .search_count(
                [("model_name", "in", ("account.move", "account.move.line"))], limit=1
            )
        )

    @api.model
    def _check_totals(self, document, move, edits=None):
        """:param edits: the `ManualEdits` of the invoice, which count as right
        :raise TotalsMismatchError: see `_create_checked_invoices`"""
        sign = -1 if move.move_type == "out_refund" else 1
        booked = {
            line.copaco_line_id: sign * line.price_subtotal
            for line in move.invoice_line_ids
        }
        digits = (document.currency_id.decimal_places or 2) + 2
        lines = document._get_billed_lines()
        if edits and edits.has_line_edits:
            lines -= edits.edited.copaco_line_id
            lines = lines.filtered(lambda line: line.id not in edits.removed)
        for line in lines:
            if float_compare(booked.get(line, 0.0), line.amount, digits):
                raise TotalsMismatchError(
                    self.env._(
                        "%(document)s was not booked, because line %(line)s would be "
                        "%(booked)s instead of %(amount)s. Check the tax of the "
                        "product (prices must not include tax), automations and other "
                        "addons, then retry.",
                        document=document.name,
                        line=line.display_name,
                        booked=document._format_amount(booked.get(line, 0.0)),
                        amount=document._format_amount(line.amount),
                    )
                )
        if edits and edits.has_line_edits:
            return
        total = sign * move.amount_untaxed
        if float_compare(total, document.amount_to_invoice, digits):
            raise TotalsMismatchError(
                self.env._(
                    "%(document)s was not booked, because its total without tax would "
                    "be %(booked)s instead of %(amount)s. Check cash rounding, the tax "
                    "of the product (prices must not include tax), automations and "
                    "other addons, then retry.",
                    document=document.name,
                    booked=document._format_amount(total),
                    amount=document._format_amount(document.amount_to_invoice),
                )
            )

    @api.model
    def _get_error_hold(self, document, error):
        """:return: the `Hold` for what Odoo said when an invoice was to be made"""
        if isinstance(error, TotalsMismatchError):
            return Hold("totals_differ", str(error))
        if isinstance(error, UserError | RedirectWarning):
            return Hold(
                "unexpected_error",
                self.env._(
                    "Odoo refused the invoice of %(document)s: %(error)s Correct the "
                    "cause and retry.",
                    document=document.name,
                    error=error.args[0],
                ),
            )
        _logger.error(
            "Copaco document %s could not be invoiced", document.id, exc_info=error
        )
        return Hold(
            "unexpected_error",
            self.env._(
                "The invoice of %(document)s could not be made because of an "
                "unexpected error (%(error)s). Retry; if it stays, send the server's "
                "log to whoever maintains this addon.",
                document=document.name,
                error=type(error).__name__,
            ),
        )
