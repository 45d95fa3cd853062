import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import float_compare, formatLang

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
        created = self.env["copaco.move.creator"]._create_moves(matches)
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
            self._send_in_background(documents)

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

        def show(amount):
            return formatLang(self.env, amount, currency_obj=document.currency_id)

        lines = document.line_ids
        if edits and edits.has_line_edits:
            lines -= edits.edited.copaco_line_id
            lines = lines.filtered(lambda line: line.id not in edits.removed)
        for line in lines:
            if float_compare(booked.get(line, 0.0), line.amount, digits):
                raise TotalsMismatchError(
                    self.env._(
                        "line %(line)s would be %(booked)s instead of %(amount)s",
                        line=line.description or line.line_ref,
                        booked=show(booked.get(line, 0.0)),
                        amount=show(line.amount),
                    )
                )
        if edits and edits.has_line_edits:
            return
        if float_compare(sign * move.amount_untaxed, document.amount_source, digits):
            raise TotalsMismatchError(
                self.env._(
                    "the total without tax would be %(booked)s instead of %(amount)s",
                    booked=show(sign * move.amount_untaxed),
                    amount=show(document.amount_source),
                )
            )

    @api.model
    def _send_in_background(self, documents):
        """Let Odoo send the invoices of documents, each by the method that its
        customer prefers. Odoo would count one that reaches nobody as sent."""
        sender = self.env["account.move.send"]
        for document in documents:
            move = document.move_id
            methods = sender._get_default_sending_methods(move) - {"manual"}
            if methods and ("email" not in methods or move.partner_id.email):
                user = move.invoice_user_id
                move.sending_data = {
                    "author_user_id": user.id,
                    "author_partner_id": user.partner_id.id,
                }
                continue
            document.is_unsent = True
            move._message_log(
                body=self.env._(
                    "This invoice was not sent: %(partner)s has no e-mail address, or "
                    "prefers to be sent nothing. Mend that on the contact, then send "
                    "the invoice.",
                    partner=move.partner_id.display_name,
                )
            )
        self.env.ref("account.ir_cron_account_move_send")._trigger()

    @api.model
    def _get_error_hold(self, document, error):
        """:return: the `Hold` for what Odoo said when an invoice was to be made"""
        if isinstance(error, TotalsMismatchError):
            return Hold(
                "totals_differ",
                self.env._(
                    "%(document)s was not booked, because Odoo would book something "
                    "else than Copaco asks: %(error)s. Check the tax of the product "
                    "(prices must not include tax) and cash rounding, then retry.",
                    document=document.name,
                    error=error,
                ),
            )
        if isinstance(error, UserError | RedirectWarning):
            return Hold(
                "unexpected_error",
                self.env._(
                    "Odoo refused the invoice of %(document)s: %(error)s Mend the "
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
