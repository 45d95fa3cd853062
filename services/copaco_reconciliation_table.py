from odoo import api, models
from odoo.tools import formatLang

from .copaco_reconciliation import BUCKETS

COLORS = {
    "posted": "bg-success",
    "draft": "bg-info",
    "credited": "bg-dark bg-opacity-50",
    "edited": "bg-dark bg-opacity-25",
    "unexplained": "bg-danger",
    "held": "bg-warning",
    "excluded": "bg-dark",
    "waiting": "bg-primary",
    "replaced": "bg-light",
}


class CopacoReconciliation(models.AbstractModel):
    """How a proof is shown."""

    _inherit = "copaco.reconciliation"

    @api.model
    def _render(self, proof, currency, known=None):
        """:param proof: a `Proof`
        :param currency: that of its amounts
        :param known: (documents, lines, amount) that came, and were known already
        :return: `Markup` of the table and the bar
        """
        labels = {
            "posted": self.env._("Invoiced: posted"),
            "draft": self.env._("Invoiced: draft"),
            "credited": self.env._("Credited by hand"),
            "edited": self.env._("Taken off, or added to, invoices by hand"),
            "unexplained": self.env._("Unexplained: billed otherwise, not by hand"),
            "held": self.env._("Held, waiting for a decision"),
            "excluded": self.env._("Excluded"),
            "waiting": self.env._("Still to be processed"),
            "replaced": self.env._("Replaced by a newer version"),
        }
        received = proof.get_total()
        if known:
            received = tuple(map(sum, zip(received, known, strict=True)))
        rows = []
        for bucket in BUCKETS:
            parts = [part for part in proof.parts if part.bucket == bucket]
            if bucket in ("posted", "held", "excluded") or parts:
                rows.append((labels[bucket], COLORS[bucket], proof.get_total(bucket)))
            rows += [
                (part.reason, "", (part.documents, part.lines, part.amount))
                for part in sorted(parts, key=lambda part: part.reason)
                if part.reason
            ]
        if known and known[0]:
            rows.append((self.env._("Already known from an earlier run"), "", known))
        sizes = {
            bucket: sum(
                abs(each.amount) for each in proof.parts if each.bucket == bucket
            )
            for bucket in BUCKETS
        }
        total = sum(sizes.values()) or 1
        new = proof.get_total()
        return self.env["ir.qweb"]._render(
            "account_copaco.proof",
            {
                "received": received,
                "rows": rows,
                "exact": proof.exact,
                "rounding": round(new[2] - proof.exact, 6),
                "bar": [
                    (labels[bucket], COLORS[bucket], 100 * size / total)
                    for bucket, size in sizes.items()
                    if size
                ],
                "show": lambda amount: formatLang(
                    self.env, amount, currency_obj=currency
                ),
                "show_exact": lambda amount: formatLang(self.env, amount, digits=6),
                "show_count": lambda number: formatLang(self.env, number, digits=0),
            },
        )
