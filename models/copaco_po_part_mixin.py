from odoo import fields, models

from ..client import parse_payload
from ..tools import get_row_hash, get_text_key, pair_lines


class CopacoPoPartMixin(models.AbstractModel):
    """A document of a customer that gets one invoice per PO number: the lines of one PO
    number in a Copaco invoice, see `copaco.po.splitter`."""

    _name = "copaco.po.part.mixin"
    _description = "Part of a Copaco Invoice by PO Number"

    is_po_part = fields.Boolean(
        string="One of Several by PO Number",
        readonly=True,
        help="It has the lines of one PO number alone: its customer gets one invoice "
        "per PO number.",
    )
    po_part = fields.Char(
        string="PO Number",
        readonly=True,
        help="The PO number of its lines, where the customer gets one invoice per PO "
        "number; empty: those without one.",
    )
    # Not monetary: that would be rounded.
    whole_vat = fields.Float(
        string="VAT of All Parts",
        readonly=True,
        min_display_digits=2,
        help="What Copaco's totals say is the VAT of the whole invoice that this is a "
        "part of by PO number.",
    )

    def _get_number(self):
        """:return: Copaco's number, with the PO number of a part"""
        self.ensure_one()
        if not self.po_part:
            return self.invoice_number
        return self.env._(
            "%(number)s · PO %(po_number)s",
            number=self.invoice_number,
            po_number=self.po_part,
        )

    def _get_reference(self):
        """:return: the PO number on the invoice of a part, "" for none"""
        return self.po_part or self.customer_id.po_number or ""

    def _get_parts(self):
        """:return: all parts of the Copaco invoice that this document is a part of, as
        far as they are stored; none, if it isn't"""
        self.ensure_one()
        if not self.is_po_part:
            return self.browse()
        return self.search(
            [
                ("root_company_id", "=", self.root_company_id.id),
                ("kind", "=", self.kind),
                ("invoice_number", "=", self.invoice_number),
                ("account_key", "=", self.account_key),
                ("is_po_part", "=", True),
            ],
            order="id",
        )

    def _leave_out_beside(self, pairs):
        """Two lines stand beside each other on the same Copaco invoice, on two parts of
        it. Then only Copaco's own names of them tell that they are the same charge, as
        within one document.

        :param pairs: list of `Duplicate` of lines of this document or of a version
        :return: list of those that may be the same charge
        """
        others = self.line_ids.browse().union(*(pair.other for pair in pairs))
        beside = self._get_lines_beside(others)
        return [
            pair
            for pair in pairs
            if pair.other not in beside or _has_same_name(pair.line, pair.other)
        ]

    def _get_lines_beside(self, lines):
        """:param lines: `copaco.document.line` records of other documents
        :return: those that stand on another part of the same Copaco invoice now
        """
        parts = (self._get_parts() - self) & lines.document_id
        lost = lines.browse().union(*(part._get_lost_lines() for part in parts))
        return lines.filtered(lambda line: line.document_id in parts) - lost

    def _get_leaving_lines(self):
        """:return: the lines of these documents that Copaco has on other parts of its
        invoices now, and without which their drafts are rebuilt, unasked"""
        leaving = self.filtered(
            lambda part: (
                part.is_po_part and part.state == "new" and part.has_pending_version
            )
        )
        return self.line_ids.browse().union(
            *(part._get_lost_lines() for part in leaving)
        )

    def _get_lost_lines(self):
        """:return: the lines of this document that Copaco said last are not on it any
        more"""
        newest = self._get_newest()
        lines = self.line_ids
        if newest == self:
            return lines.browse()
        pairs = pair_lines(lines, parse_payload(newest.payload).lines)
        return lines.browse(old.id for old, new in pairs if not new)

    def _find_moved(self, lines):
        """Find what other parts of the same Copaco invoice have lost, and may have come
        to this one under another row hash.

        :param lines: of this document or a version of it
        :return: list of (line, `copaco.document.line` that it may be)
        """
        lost = self.line_ids.browse().union(
            *(part._get_lost_lines() for part in self._get_parts() - self)
        )
        by_charge = lost.grouped(_get_charge)
        return [
            (line, other)
            for line in lines
            for other in by_charge.get(_get_charge(line), ())[:1]
            if get_row_hash(line) != get_row_hash(other)
        ]

    def _retry_parts(self, lost):
        """The content of this document changed: process those parts of its Copaco
        invoice again that were held because the same charges were on others, and ask
        again where these were not taken over because they were on this one.

        :param lost: set of `_get_charge_names` of the lines that it does not have now
        """
        self._ask_parts_again(lost)
        held = (self._get_parts() - self).filtered(
            lambda part: part.hold_reason == "possible_double" and part.state == "held"
        )
        if held:
            held.write({"state": "new"})
            self.env["copaco.background"]._continue_invoicing()

    def _ask_parts_again(self, lost):
        for part in self._get_parts() - self:
            declined = part.version_ids._get_declined()
            if declined and lost & self._get_charge_names(declined._get_new_lines()):
                declined.write({"state": "pending", "declined_by_id": False})
                warnings = self.env["copaco.version.warnings"]
                declined._request_decision(warnings._get_left_warning(self))

    def _get_charge_names(self, lines):
        """:param lines: `copaco.document.line` records or list of `DocumentLine`
        :return: set of what the same charges on another part have in common with them
        """
        hashes = filter(None, map(get_row_hash, lines))
        return {*hashes, *map(_get_charge, lines)}


def _get_charge(line):
    return (
        get_text_key(line.subscription_ref),
        get_text_key(line.description),
        get_text_key(line.charge_type),
        line.date_start or None,
        line.date_end or None,
        float(line.extended_price),
    )


def _has_same_name(line, other):
    hashes = get_row_hash(line), get_row_hash(other)
    names = hashes if any(hashes) else (line.line_ref, other.line_ref)
    return get_text_key(names[0]) == get_text_key(names[1])
