from collections import defaultdict

from odoo import models

from .copaco_credit_finder import get_common


class CopacoInvoiceMargin(models.AbstractModel):
    """Searches, and never writes: what became of the lines of an invoice since, by
    corrections and by what a person credited, so that their margin is known."""

    _name = "copaco.invoice.margin"
    _description = "Copaco Invoice Margin"

    def _get_changes(self, documents):
        """:param documents: `copaco.document` records of the sales side
        :return: dict by `account.move.line` that a line of the documents is billed on
            first, of what was billed of it since, without tax, in the company's
            currency; less than zero where it was credited. What a person credited in
            other words than those of a line is of no line.
        """
        changes = {}
        while documents:
            # An invoice is credited for all of its documents together.
            joint = documents[0]._get_joint_documents()
            changes |= self._get_joint_changes(joint)
            documents -= joint
        return changes

    def _get_joint_changes(self, documents):
        billed = documents._get_live_corrections()
        booked = {}
        for document in documents:
            billed |= document._get_live_invoice()
            booked |= self.env["copaco.corrector"]._get_booked(document)
        first = {
            line.copaco_line_id: line
            for line in booked.values()
            if line.move_id in billed
        }
        changes = dict.fromkeys(first.values(), 0.0)
        finder = self.env["copaco.credit.finder"]
        by_text = defaultdict(dict)
        for line in finder._get_lines(billed):
            if own := first.get(line.copaco_line_id):
                by_text[line.name][own] = True
                if line != own:
                    changes[own] -= line.balance
        credited = defaultdict(float)
        for line in finder._get_lines(finder._find_credits(billed)):
            credited[line.name] -= line.balance
        for text, amount in credited.items():
            *others, last = by_text[text] or [None]
            # Of lines with the same text, each is credited in full before the next.
            for line in others:
                part = -get_common(changes[line] - line.balance, -amount)
                changes[line] += part
                amount -= part
            if last:
                changes[last] += amount
        return changes
