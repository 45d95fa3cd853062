from collections import defaultdict

from odoo import models
from odoo.fields import Domain


class CopacoCreditFinder(models.AbstractModel):
    """Searches, and never writes: what a person credited of what was invoiced of a
    document."""

    _name = "copaco.credit.finder"
    _description = "Copaco Credit Finder"

    def _find_credits(self, moves):
        """:param moves: `account.move` records
        :return: `account.move` records by which a person credited these, and what was
            created anew then; none that is cancelled
        """
        Move = self.env["account.move"].sudo()
        manual = Domain("copaco_document_id", "=", False) & Domain(
            "copaco_version_id", "=", False
        )
        found = newest = moves.sudo()
        while newest:
            made_of = Domain("reversed_entry_id", "in", newest.ids) | Domain(
                "copaco_origin_id", "in", newest.ids
            )
            newest = Move.search(manual & made_of) - found
            found |= newest
        return (found - moves).filtered(lambda move: move.state != "cancel")

    def _get_documents(self, credits):
        """:param credits: `account.move` records
        :return: the `copaco.document` records of which they credit the invoices, or the
            corrections
        """
        own = credits.sudo().filtered(lambda move: not move.copaco_version_id)
        credited = own.reversed_entry_id
        return credited._get_copaco_documents() | credited.copaco_version_id.document_id

    def _settle(self, document, differences):
        """Find out which of Copaco's changes a person has credited already; or
        invoiced, by reversing a credit note. What a credit note says of a line counts
        for that line; what is no line of the invoice counts for whatever Copaco took
        off.

        :param document: a `copaco.document` with an invoice
        :param differences: list of `LineDifference`
        :return: (list of `LineDifference`, in which ``was`` is less by what was
            credited; dict of the amounts that were, by the text of the line, "" for
            no line; the `account.move` records that a person made)
        """
        billed = self._get_billed(document)
        moves = self._find_credits(billed)
        texts = defaultdict(list)
        for line in self._get_lines(billed):
            texts[line.copaco_line_id.id].append(line.name)
        available = self._get_amounts(document, billed, moves)
        settled = defaultdict(float)
        # What was created anew, with other texts, is of no line.
        total = sum(available.values())
        left = list(differences)
        for is_line in (True, False):
            for position, difference in enumerate(left):
                names = texts[difference.line_id] if is_line else [""]
                for name in names:
                    amount = document.currency_id.round(
                        get_common(
                            difference.was - difference.now, available[name], total
                        )
                    )
                    if amount:
                        total -= amount
                        available[name] -= amount
                        settled[name] += amount
                        difference = difference._replace(was=difference.was - amount)
                left[position] = difference
        return left, dict(settled), moves

    def _settle_edits(self, document, differences):
        """Find out what Copaco takes off lines that was not billed, because a person
        had taken it off before: a correction credits no more of a line than was billed
        of it.

        :param document: a `copaco.document` with an invoice
        :param differences: list of `LineDifference`
        :return: (list of `LineDifference`, in which ``was`` is less by that; its sum)
        """
        made, billed, total = self._get_line_amounts(document)
        settled, left = 0.0, []
        for difference in differences:
            line_id, change = difference.line_id, difference.was - difference.now
            amount = 0.0
            excess = document.currency_id.round(change - billed[line_id])
            if excess * difference.was > 0:
                taken_off = made[line_id] - billed[line_id]
                amount = get_common(excess, taken_off, total - settled)
            settled += amount
            left.append(difference._replace(was=difference.was - amount))
        return left, document.currency_id.round(settled)

    def _get_line_amounts(self, document):
        """:return: (dict by id of the `copaco.document.line` of what was made for it,
        dict of what is left of that, what a person took off in all)"""
        made, billed, total = defaultdict(float), defaultdict(float), 0.0
        manual_edits = self.env["copaco.manual.edits"]
        sign = document._get_sign()
        for move in self._get_billed(document):
            entries = manual_edits._read_snapshot(move)["lines"]
            if move.currency_id != document.currency_id or any(
                entry["amount"] is None for entry in entries.values()
            ):
                continue
            total += manual_edits._get_amount_of_move(move)
            lines = {str(line.id): line for line in move.invoice_line_ids}
            for key, entry in entries.items():
                made[entry["line"]] += entry["amount"]
                if key in lines:
                    billed[entry["line"]] -= sign * lines[key].amount_currency
        return made, billed, total

    def _settle_rounding(self, document, rounding, taxes=None):
        """Find out what a person has credited of the rounding already, once what was
        credited of the lines is known to the version that was taken over.

        :param document: see `_settle`
        :param rounding: what it becomes more by, without tax
        :param taxes: `account.tax`: only what was credited with these
        :return: dict of the amounts that were credited, by text
        """
        billed = self._get_billed(document)
        moves = self._find_credits(billed)
        available = self._get_amounts(document, billed, moves)
        lines = self._get_lines(billed).filtered("copaco_is_rounding")
        settled = {}
        for name in dict.fromkeys([*lines.mapped("name"), ""]):
            limits = [available[name], sum(available.values()) - sum(settled.values())]
            if taxes is not None:
                limits.append(self._get_amount_of(document, moves, name, taxes))
            amount = document.currency_id.round(get_common(-rounding, *limits))
            if amount:
                settled[name] = amount
                rounding += amount
        return settled

    def _get_billed(self, document):
        """:return: the `account.move` records of which a person may have credited what
        Copaco changed. An invoice is credited for all of its documents together, and so
        is what was settled with credit notes of their corrections."""
        documents = document._get_joint_documents()
        return document._get_live_invoice() | documents._get_live_corrections()

    def _get_available(self, document):
        """:return: see `_get_amounts`"""
        billed = self._get_billed(document)
        return self._get_amounts(document, billed, self._find_credits(billed))

    def _lacks_credit(self, document):
        """:return: whether more was settled of a line of a document than is credited of
        it"""
        available = self._get_available(document)
        return any(
            document.currency_id.round(available[text]) * amount < 0
            for version in document.version_ids
            for text, amount in (version.credited or {}).items()
        )

    def _get_amount_of(self, document, moves, name, taxes):
        """:return: what was credited without tax by lines of this name and taxes"""
        lines = moves.invoice_line_ids.filtered(
            lambda line: (
                (line.name, line.tax_ids, line.currency_id)
                == (name, taxes, document.currency_id)
            )
        )
        return document._get_sign() * sum(lines.mapped("amount_currency"))

    def _get_amounts(self, document, billed, moves):
        """:param billed: the invoice of a document, and its corrections
        :param moves: what a person made of them
        :return: dict of what was credited without tax, and did not settle an earlier
            change, by the text of the line of the invoice; "" for what is no line of it
        """
        # Of what was linked, nobody knows which line is which of Copaco's.
        own = billed.filtered(lambda move: move.invoice_line_ids.copaco_line_id)
        texts = set(self._get_lines(own).mapped("name"))
        sign = document._get_sign()
        amounts = defaultdict(float)
        for line in moves.invoice_line_ids:
            if line.currency_id == document.currency_id:
                name = line.name if line.name in texts else ""
                amounts[name] += sign * line.amount_currency
        for version in document._get_joint_documents().version_ids:
            for text, amount in (version.credited or {}).items():
                amounts[text] -= amount
        return amounts

    def _get_lines(self, moves):
        """:return: the lines of invoices that may cost something, unlike headings"""
        return moves.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )


def get_common(*amounts):
    """:return: what amounts have in common: the one next to zero, if all of them are on
    the same side of it, or else 0"""
    if min(amounts) > 0:
        return min(amounts)
    return min(max(amounts), 0.0)
