from collections import defaultdict
from typing import NamedTuple

from odoo import models

from ..const import KINDS


class Billed(NamedTuple):
    """What is billed of a document."""

    amount: float  # without tax
    prices: list  # of its lines, see `copaco.invoice.builder`


class Rounding(NamedTuple):
    """What a correction gains or loses because each of its lines is an amount of its
    own."""

    taxes: models.BaseModel  # `account.tax`
    line: models.BaseModel  # a `copaco.document.line` with these, which may be gone
    amount: float  # without tax


class CopacoCorrectionRounding(models.AbstractModel):
    """The rounding of a correction, for each combination of taxes."""

    _name = "copaco.correction.rounding"
    _description = "Copaco Correction Rounding"

    def _take_billed(self, document):
        """:return: `Billed`: what is billed of a document now"""
        builder = self.env[KINDS[document.kind].builder]
        return Billed(
            document.amount_to_invoice,
            builder._get_prices(document._get_billed_lines()),
        )

    def _get_roundings(self, document, before, booked, get_match):
        """:param document: as it is now
        :param before: the `Billed` of it before Copaco changed it
        :param booked: dict of `account.move.line` by id of `copaco.document.line`, by
            whose taxes lines are told apart that were invoiced
        :param get_match: what returns the match of the document, for others
        :return: list of `Rounding`
        """
        now = self._take_billed(document)
        if now == before:
            return []
        builder = self.env[KINDS[document.kind].builder]
        currency = document.currency_id

        def get_taxes(line):
            if original := booked.get(line.id):
                return original.tax_ids
            match = get_match()
            return match.lines.get(line, match.default).taxes

        lines, amounts = {}, defaultdict(float)
        for billed, sign in ((now, 1), (before, -1)):
            for line, amount in builder._get_roundings(*billed, get_taxes, currency):
                taxes = get_taxes(line)
                lines.setdefault(taxes, line)
                amounts[taxes] += sign * amount
        return [
            Rounding(taxes, line, currency.round(amounts[taxes]))
            for taxes, line in lines.items()
            if not currency.is_zero(amounts[taxes])
        ]

    def _settle(self, document, version, roundings):
        """Note on a version what a person has credited of roundings already; what was
        with the same taxes first.

        :param roundings: list of `Rounding`
        :return: those that are left
        """
        finder = self.env["copaco.credit.finder"]
        currency = document.currency_id
        credited = dict(version.credited or {})
        left = list(roundings)
        for is_same_tax in (True, False):
            for position, (taxes, line, amount) in enumerate(left):
                settled = finder._settle_rounding(
                    document, amount, taxes if is_same_tax else None
                )
                for text, settled_amount in settled.items():
                    credited[text] = credited.get(text, 0.0) + settled_amount
                    amount = currency.round(amount + settled_amount)
                left[position] = Rounding(taxes, line, amount)
                # What settles this one settles no other.
                version.credited = dict(credited)
        version.amount_credited = currency.round(sum(credited.values()))
        return [rounding for rounding in left if rounding.amount]
