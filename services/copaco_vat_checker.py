from odoo import models
from odoo.tools import LazyTranslate

from ..client import ENDPOINTS
from ..exceptions import VatMismatchError
from ..tools import (
    Amount,
    list_names,
    name_invoice,
    pair_lines,
    render_message,
    round_amount,
    to_decimal,
)

_lt = LazyTranslate(__name__)


class CopacoVatChecker(models.AbstractModel):
    """Compares the VAT that Copaco states with the tax that Odoo computed. It is never
    booked (promise 5 in doc/how_it_works.rst)."""

    _name = "copaco.vat.checker"
    _description = "Copaco VAT Checker"

    def _prepare_vat(self, source, run):
        """Customer specifications carry no VAT (Copaco's knowledge base, page
        https://kb.copaco.cloud/kb/copaco-cloud-new-billing-process), whichever rate or
        zone they name: there, a VAT of zero says nothing.

        :param source: a `SourceDocument`
        :param run: the `copaco.run` that received it
        :return: values for `copaco.document.write`
        """
        vat = source.vat
        if not ENDPOINTS[run.endpoint].has_vat:
            vat = vat or source.stated_vat or None
        stated = vat if source.stated_vat is None else source.stated_vat
        return {
            "has_vat": vat is not None,
            "amount_vat": float(vat or 0),
            "totals_vat": float(stated or 0) if vat is not None else 0.0,
            "unread_vat": source.unread_vat or False,
        }

    def _receive(self, document, source, run):
        """Copaco's VAT was received again, and is no part of what makes a document
        known: a document without an invoice gets what is new, and is processed again if
        it was held for that.

        :param document: a `copaco.document`
        :param source: the `SourceDocument` that was received
        :param run: the `copaco.run` that received it
        """
        vals = self._prepare_vat(source, run)
        # Another endpoint may say nothing of it, which takes nothing back.
        is_unsaid = not vals["has_vat"] and run.endpoint != document.run_id.endpoint
        if (
            is_unsaid
            or document.state not in ("new", "held")
            or document.move_id
            or document.has_pending_version
            or source.error
            or all(document[name] == value for name, value in vals.items())
        ):
            return
        for line, source_line in pair_lines(document.line_ids, source.lines):
            if line and source_line:
                line.write(line._prepare_vat_values(source_line))
        document.write(vals)
        if document.hold_reason == "vat_differs":
            document.write(
                {"state": "new", "hold_reason": False, "hold_message": False}
            )
            self.env["copaco.background"]._continue_invoicing()

    def _check(self, document, move, may_hold=True, is_joint=False):
        """Compare the VAT of a document with the tax of its new invoice.

        :param is_joint: whether other documents are on the invoice, too
        :param may_hold: otherwise, a difference is only told
        :raise VatMismatchError: when they differ, and the connection holds for that
        """
        connection = document.connection_id
        if connection.vat_check == "off" or document.is_vat_accepted:
            return
        is_held = may_hold and connection.vat_check == "hold"
        if document.unread_vat:
            self._report_unread(document, move, is_held)
            return
        values = self._find_difference(
            document, move, is_joint
        ) or self._find_difference_of_all(document, move)
        if not values:
            return
        if is_held:
            raise VatMismatchError(
                self.env,
                _lt(
                    "%(document)s was not booked, because Odoo's tax would be "
                    "%(booked)s, and Copaco's VAT is %(stated)s. Lines that differ: "
                    "%(lines)s. Check their taxes and the fiscal position of "
                    "%(partner)s, then retry; or accept Odoo's tax. Rounding and "
                    "connection %(connection)s allow %(tolerance)s.",
                    **values,
                ),
            )
        message = _lt(
            "Invoice %(invoice)s of %(document)s has %(booked)s of tax, and Copaco's "
            "VAT is %(stated)s. Lines that differ: %(lines)s. Check their taxes and "
            "the fiscal position of %(partner)s.",
            invoice=name_invoice(move),
            **values,
        )
        self._tell(document, move, message)

    def _report_unread(self, document, move, is_held):
        """:raise VatMismatchError: when the document is held for VAT that can't be
        read; otherwise, it is told"""
        if is_held:
            raise VatMismatchError(self.env, self._get_unread_message(document))
        message = _lt(
            "Copaco's VAT of %(document)s can't be read: it is “%(text)s”. Compare the "
            "tax of invoice %(invoice)s with Copaco's own invoice.",
            document=document.name,
            text=document.unread_vat,
            invoice=name_invoice(move),
        )
        self._tell(document, move, message)

    def _get_unread_message(self, document):
        return _lt(
            "%(document)s was not booked, because the VAT that Copaco states can't be "
            "read: it is “%(text)s”. Look at Copaco's own invoice, then accept Odoo's "
            "tax; or ask Copaco to correct it, and fetch again.",
            document=document.name,
            text=document.unread_vat,
        )

    def _tell(self, document, move, message):
        body = render_message(self.env, message)
        document._message_log(body=body)
        move._message_log(body=body)

    def _find_difference(self, document, move, is_joint):
        """:return: dict of what a message says of a difference, {} for none"""
        if not document.has_vat:
            return {}
        currency, connection = document.currency_id, document.connection_id
        lines = document._get_billed_lines()

        def differs(booked, stated, line_count):
            allowed = connection._get_allowed_difference(currency, line_count)
            booked = round_amount(to_decimal(booked), currency.rounding)
            return abs(booked - stated) > allowed

        sign = -1 if move.move_type == "out_refund" else 1
        taxes = {
            line.copaco_line_id: sign * (line.price_total - line.price_subtotal)
            for line in move.invoice_line_ids
        }
        booked = sign * move.amount_tax
        if is_joint:
            booked = sum(taxes.get(line, 0.0) for line in lines)
        stated, doubted = [], lines.browse()
        # Where no line has any and there is some, Copaco's totals alone say it.
        if any(document.line_ids.mapped("vat")) or not document.amount_vat:
            stated.append(sum(map(to_decimal, lines.mapped("vat"))))
            doubted = lines.filtered(
                lambda line: differs(taxes.get(line, 0.0), to_decimal(line.vat), 1)
            )
        if lines == document.line_ids:
            stated.append(to_decimal(document.totals_vat))
        wrong = [vat for vat in stated if differs(booked, vat, len(lines))]
        if not wrong and not doubted:
            return {}
        return {
            **self._describe(document, move, booked, (wrong or stated)[0], len(lines)),
            "lines": list_names(doubted.mapped("display_name")) or "–",
        }

    def _find_difference_of_all(self, document, move):
        """What Copaco's totals say of an invoice that becomes several by PO number is
        compared with all of them, when the last one is made.

        :return: as `_find_difference`
        """
        if not document.whole_vat:
            return {}
        parts = document._get_parts()
        others = parts - document
        if not others or any(
            part.amount_excluded or (part in others and not part._get_live_invoice())
            for part in parts
        ):
            return {}
        sign = -1 if move.move_type == "out_refund" else 1
        booked = sign * move.amount_tax + sum(others.mapped("move_amount_tax"))
        currency, stated = document.currency_id, to_decimal(document.whole_vat)
        line_count = sum(parts.mapped("line_count"))
        difference = round_amount(to_decimal(booked), currency.rounding) - stated
        connection = document.connection_id
        if abs(difference) <= connection._get_allowed_difference(currency, line_count):
            return {}
        return {
            **self._describe(document, move, booked, stated, line_count),
            "lines": list_names(parts.mapped("name")),
        }

    def _describe(self, document, move, booked, stated, line_count):
        """:return: dict of what a message says of a difference, without its lines"""
        currency, connection = document.currency_id, document.connection_id
        allowed = connection._get_allowed_difference(currency, line_count)
        return {
            "document": document.name,
            "booked": Amount(booked, currency),
            "stated": Amount(stated, currency),
            "partner": move.partner_id.display_name,
            "connection": connection.name,
            "tolerance": Amount(allowed, currency),
        }
