from odoo import models
from odoo.tools import LazyTranslate, float_compare

from ..exceptions import TotalsMismatchError, VatMismatchError
from ..tools import Amount, round_amount, to_decimal

_lt = LazyTranslate(__name__)


class CopacoBillWriter(models.AbstractModel):
    """Creates the bill of a Copaco invoice: whole, checked to the cent, tax included,
    or not at all."""

    _name = "copaco.bill.writer"
    _inherit = "copaco.invoice.writer"
    _description = "Copaco Bill Writer"

    def _create_bill(self, match):
        """:param match: a `BillMatch`
        :return: `account.move`, a draft
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        :raise UserError: when Odoo refuses
        """
        document = match.documents[0]
        (move,) = self._create_moves({document: match}).values()
        self._check_groups(match, move)
        self._settle_tax(match, move)
        return move

    def _check_totals(self, documents, move, edits=None):
        """See `copaco.invoice.writer`; the tax is that which Copaco states."""
        if edits and edits.has_line_edits:
            return
        match = self.env["copaco.bill.matcher"]._get_match(documents)
        self._check_groups(match, move)
        self._settle_tax(match, move)

    def _check_groups(self, match, move):
        """:raise TotalsMismatchError: when a line, or the total without tax, is not
        what it was made for"""
        document = match.documents[0]
        digits = (document.currency_id.decimal_places or 2) + 2
        sign = -1 if match.is_refund else 1
        booked = {line.copaco_line_id: line for line in move.invoice_line_ids}
        for lines in self.env["copaco.bill.builder"]._get_groups(match):
            amount = sum(lines.mapped("amount"))
            subtotal = sign * booked[lines[0]].price_subtotal
            if float_compare(subtotal, amount, digits):
                raise self._get_mismatch(match, lines[0].display_name, subtotal, amount)
        total = sign * move.amount_untaxed
        if float_compare(total, match.amount, digits):
            raise self._get_mismatch(match, _lt("Untaxed Amount"), total, match.amount)

    def _get_mismatch(self, match, place, booked, amount):
        return TotalsMismatchError(
            self.env,
            _lt(
                "The bill of Copaco invoice %(number)s was not booked, because "
                "%(place)s would be %(booked)s instead of %(amount)s. Check the "
                "purchase tax of the product (prices must not include tax), "
                "automations and other addons, then retry.",
                number=match.documents[0].invoice_number,
                place=place,
                booked=self._get_amount(match, booked),
                amount=self._get_amount(match, amount),
            ),
        )

    def _settle_tax(self, match, move):
        """Book the tax that Copaco states, where rounding or the tolerance explains
        that Odoo's is another one.

        :raise VatMismatchError: when neither does, unless a person accepted that
        """
        if match.vat is None:
            return
        sign = -1 if match.is_refund else 1
        currency = move.currency_id
        booked = sign * move.amount_tax
        difference = round_amount(
            to_decimal(match.vat) - to_decimal(booked), currency.rounding
        )
        if not difference:
            return
        document = match.documents[0]
        connection = document.connection_id
        allowed = connection._get_allowed_difference(
            currency, len(match.documents._get_billed_lines())
        )
        # What is reverse charged has two lines that make up for each other.
        tax_lines = move.line_ids.filtered(
            lambda line: line.tax_line_id and not line.tax_line_id.has_negative_factor
        )
        if any(match.documents.mapped("is_vat_accepted")):
            return
        if not tax_lines or abs(difference) > allowed:
            raise VatMismatchError(
                self.env,
                _lt(
                    "The bill of Copaco invoice %(number)s was not booked, because its "
                    "tax would be %(booked)s, and Copaco states %(amount)s. Correct "
                    "the taxes of the lines by rules or on the product, then retry; or "
                    "accept Odoo's tax. Rounding and connection %(connection)s allow "
                    "%(tolerance)s.",
                    number=document.invoice_number,
                    booked=self._get_amount(match, booked),
                    amount=self._get_amount(match, match.vat),
                    connection=connection.name,
                    tolerance=Amount(allowed, currency),
                ),
            )
        largest = max(tax_lines, key=lambda line: abs(line.amount_currency))
        largest.amount_currency += float(difference)

    def _get_amount(self, match, amount):
        return Amount(amount, match.documents[0].currency_id)
