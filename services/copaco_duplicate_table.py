from odoo import models
from odoo.tools import format_date

from .copaco_duplicate_finder import DECLINED, LIKELY, SAME, SUSPECT


class CopacoDuplicateTable(models.AbstractModel):
    """What a person sees of possible duplicates: the lines side by side."""

    _name = "copaco.duplicate.table"
    _description = "Copaco Duplicate Table"

    def _render(self, document, pairs):
        """:param pairs: `_get_pairs` of `copaco.duplicate.finder`
        :return: `Markup` of the lines of a document beside those that they may be the
            same charge as, with where these stand; of documents of companies that are
            not the user's, only which company it is
        """
        others = document.browse(pair.other.document_id.id for pair in pairs)
        finder = self.env["copaco.duplicate.finder"]
        invoices = self.env["copaco.invoice.finder"]._find_others(document)
        doubted = document.line_ids.browse(pair.line.id for pair in pairs)
        new_lines = finder._get_new_lines(document, pairs)
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_duplicates",
            {
                "document": document,
                "pairs": pairs,
                "readable": others._filtered_access("read"),
                "new_lines": pairs and new_lines,
                "invoices": invoices._filtered_access("read"),
                "doubted": self.env._(
                    "Possible duplicates: %(amount)s (lines: %(count)s)",
                    amount=document._format_amount(sum(doubted.mapped("amount"))),
                    count=len(doubted),
                ),
                "new": self.env._(
                    "New lines: %(amount)s (lines: %(count)s)",
                    amount=document._format_amount(sum(new_lines.mapped("amount"))),
                    count=len(new_lines),
                ),
                "show": document._format_amount,
                "show_company": self._show_company,
                "show_evidence": self._show_evidence,
            },
        )

    def _show_company(self, document):
        """:param document: a `copaco.document` that the user may not see
        :return: text: of which company it is
        """
        return self.env._(
            "A document of %(company)s, which is not one of your companies",
            company=document.company_id.name,
        )

    def _show_evidence(self, pair):
        """:param pair: a `Duplicate`
        :return: text: what the comparison of its lines says
        """
        if pair.evidence == DECLINED:
            return self._show_decision(pair.other)
        labels = {
            SAME: self.env._("Same charge"),
            LIKELY: self.env._("Probably the same charge"),
            SUSPECT: self.env._("Same row hash, other figures"),
        }
        return labels[pair.evidence]

    def _show_decision(self, charge):
        """:param charge: a `copaco.declined.charge`
        :return: text: who decided what
        """
        if charge.decision == "removed":
            return self.env._("Removed from its invoice")
        user = charge.user_id.name or self.env._("Somebody")
        if charge.decision == "excluded":
            return self.env._("Excluded by %(user)s", user=user)
        return self.env._(
            "Declined by %(user)s on %(date)s",
            user=user,
            date=format_date(self.env, charge.declined_on),
        )
