from odoo import models
from odoo.exceptions import UserError

from ..const import PURCHASE_KINDS


class CopacoDoubleBill(models.AbstractModel):
    """The bill of a Copaco invoice that is there a second time: entered by a person, or
    received by Peppol or mail, before or after it was made or linked."""

    _name = "copaco.double.bill"
    _description = "Copaco Bill That Is There Twice"

    def _find(self, moves):
        """Odoo compares references as they are written.

        :param moves: `account.move`, which may not be saved yet
        :return: dict by `account.move`: other bills of the same vendor with the same
            number, letters and leading zeros aside, where one of the two is that of a
            Copaco invoice; corrections and credit notes of bills are none
        """
        moves = moves.sudo().filtered(
            lambda move: (
                move.is_purchase_document(include_receipts=True)
                and move.state != "cancel"
                and not move.reversed_entry_id
                and not move.copaco_version_id
                and (move.ref or move.copaco_document_id)
            )
        )
        found = {}
        if not moves:
            return found
        finder = self.env["copaco.bill.finder"].sudo()
        vendors = self._get_vendors(moves)
        own = moves.filtered(lambda move: move.commercial_partner_id in vendors)
        for key, group in own.grouped(
            lambda move: (
                move.commercial_partner_id,
                move.company_id.root_id,
                bool(move.copaco_document_id),
            )
        ).items():
            vendor, root, is_linked = key
            companies = root.search([("id", "child_of", root.id)])
            numbers = {move: self._get_number(move) for move in group}
            others = finder._search_all(
                vendor, set(numbers.values()), companies, is_linked=not is_linked
            )
            found |= {
                move: finder._select_same_way(
                    others[number], -move.amount_untaxed_in_currency_signed
                )
                - move._origin
                for move, number in numbers.items()
            }
        return found

    def _check(self, moves):
        """:param moves: `account.move` that are to be confirmed
        :raise UserError: when one is the same bill as another one, by its total too,
            that is confirmed, or would be with it
        """
        for move, others in self._find(moves).items():
            same = others.filtered(
                lambda other, move=move: (
                    (other.state == "posted" or other in moves)
                    # What was credited in full is replaced by this one.
                    and other.payment_state != "reversed"
                    and not other.copaco_is_replaced
                    and self._is_same_total(move, other)
                )
            )
            if same:
                raise UserError(self._describe(move, same[0]))

    def _get_vendors(self, moves):
        """:return: those of the vendors of these bills who have one of a Copaco
        invoice"""
        rows = moves._read_group(
            [
                ("copaco_document_id.kind", "in", PURCHASE_KINDS),
                ("commercial_partner_id", "in", moves.commercial_partner_id.ids),
                ("state", "!=", "cancel"),
            ],
            ["commercial_partner_id"],
        )
        return self.env["res.partner"].union(*(vendor for (vendor,) in rows))

    def _get_number(self, move):
        return move.copaco_document_id.invoice_number or move.ref

    def _is_same_total(self, move, other):
        return move.currency_id == other.currency_id and move.currency_id.is_zero(
            move.amount_untaxed_in_currency_signed
            - other.amount_untaxed_in_currency_signed
        )

    def _describe(self, move, other):
        names = {
            "bill": move.display_name,
            "other": other.display_name,
            "vendor": move.partner_id.display_name,
            "number": self._get_number(move),
        }
        if move.copaco_document_id:
            return self.env._(
                "%(bill)s can't be confirmed, because %(other)s of %(vendor)s has the "
                "same number %(number)s and the same total. Press Use the received one "
                "on %(bill)s; or, if %(other)s is another bill, correct its reference.",
                **names,
            )
        return self.env._(
            "%(bill)s can't be confirmed, because %(other)s of %(vendor)s, which is "
            "linked to Copaco's lines, has the same number %(number)s and the same "
            "total. Delete %(bill)s; or reset %(other)s to draft and press Use the "
            "received one there; or, if %(bill)s is another bill, correct its "
            "reference.",
            **names,
        )
