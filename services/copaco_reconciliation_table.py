from odoo import models
from odoo.tools import formatLang

from ..tools import format_exact, to_decimal
from .copaco_reconciliation import BUCKETS, COLORS

# A person needs to see where it is, not every document.
NAMED_DOCUMENTS = 5
# Of these a window action has the documents of a run.
LINKED = ("posted", "draft", "held", "excluded", "waiting")


class CopacoReconciliationTable(models.AbstractModel):
    """What a person sees of a reconciliation."""

    _name = "copaco.reconciliation.table"
    _description = "Copaco Reconciliation Table"

    def _get_problem(self, reconciliation, is_complete):
        """:param is_complete: whether it has as much as was received
        :return: what a person must know and do, "" when it is balanced
        """
        if names := reconciliation.get_reasons("unexplained"):
            shown = names[:NAMED_DOCUMENTS] + ["…"] * (len(names) > NAMED_DOCUMENTS)
            return self.env._(
                "The invoiced amount differs from what Copaco sent, although nobody "
                "edited the invoices. Documents: %(count)s (%(documents)s), see "
                "Unexplained in the reconciliation. Compare the invoices with the "
                "documents, cancel what is wrong, and retry a document that has no "
                "invoice left.",
                count=len(names),
                documents=", ".join(shown),
            )
        if not is_complete:
            return self.env._(
                "What was received and what became of it differ. Fetch this period "
                "again. If they still differ, ask your administrator to look into it."
            )
        return ""

    def _render(self, reconciliation, currency, known=None, page=None):
        """:param reconciliation: a `Reconciliation`
        :param currency: that of its amounts
        :param known: (documents, lines, amount) that were received again, unchanged
        :param page: of the run of which it is, to whose documents rows lead
        :return: `Markup` of the table and the bar
        """
        labels = {
            "posted": self.env._("Invoiced: posted"),
            "draft": self.env._("Invoiced: draft"),
            "credited": self.env._("Credited manually"),
            "added": self.env._("Invoiced manually: debit notes, created anew"),
            "edited": self.env._("Edited manually"),
            "unexplained": self.env._("Unexplained: differs without a manual edit"),
            "held": self.env._("Held for a decision"),
            "excluded": self.env._("Excluded"),
            "waiting": self.env._("Still to be processed"),
            "replaced": self.env._("Replaced by a newer version"),
        }
        received = reconciliation.get_total()
        if known:
            received = tuple(map(sum, zip(received, known, strict=True)))
        rows = []
        for bucket, color in COLORS.items():
            parts = [part for part in reconciliation.parts if part.bucket == bucket]
            if bucket in ("posted", "held", "excluded") or parts:
                total = reconciliation.get_total(bucket)
                is_link = page and total[0] and bucket in LINKED
                url = f"{page}/copaco-run-{bucket}" if is_link else ""
                rows.append((labels[bucket], color, total, url))
            rows += [
                (part.reason, "", (part.documents, part.lines, part.amount), "")
                for part in sorted(parts, key=lambda part: part.reason)
                if part.reason
            ]
        if known and known[0]:
            rows.append((self.env._("Received before, unchanged"), "", known, ""))
        sizes = dict.fromkeys(BUCKETS, 0.0)
        for part in reconciliation.parts:
            sizes[part.bucket] += abs(part.amount)
        total = sum(sizes.values()) or 1
        difference = to_decimal(round(reconciliation.totals_difference, 6))
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_reconciliation",
            {
                "received": received,
                "rows": rows,
                "totals_difference": difference
                and format_exact(self.env, difference, currency),
                "notes": reconciliation.notes,
                "estimated": round(reconciliation.estimated, 6),
                "bar": [
                    (labels[bucket], COLORS[bucket], 100 * size / total)
                    for bucket, size in sizes.items()
                    if size
                ],
                "show": lambda amount: formatLang(
                    self.env, amount, currency_obj=currency
                ),
                "show_count": lambda number: formatLang(self.env, number, digits=0),
            },
        )
