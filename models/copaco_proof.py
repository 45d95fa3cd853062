from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, formatLang

# Everything that came is in exactly one of these (DESIGN promise 2).
BUCKETS = ("posted", "draft", "edited", "held", "excluded", "waiting", "replaced")
INVOICED = ("posted", "draft", "edited")
COLORS = {
    "posted": "bg-success",
    "draft": "bg-info",
    "edited": "bg-secondary",
    "held": "bg-warning",
    "excluded": "bg-dark",
    "waiting": "bg-primary",
    "replaced": "bg-light",
}

_INVOICES = SQL(
    """
    SELECT copaco_document_id AS document_id, state,
           amount_untaxed_in_currency_signed AS amount
      FROM account_move
     WHERE copaco_document_id IS NOT NULL
 UNION ALL
    SELECT version.document_id, move.state, move.amount_untaxed_in_currency_signed
      FROM account_move move
      JOIN copaco_document_version version ON version.id = move.copaco_version_id
    """
)

# What a person changed on an invoice is the rest of what it should be.
_DOCUMENTS = """
    SELECT %(scope)s,
           CASE WHEN document.state = 'new' THEN 'waiting'
                WHEN document.state IN ('held', 'excluded') THEN document.state
                WHEN main.state = 'posted' THEN 'posted' ELSE 'draft' END,
           CASE WHEN document.state = 'held' THEN document.hold_reason END,
           CASE WHEN document.state = 'excluded' THEN document.excluded_by_id END,
           CASE WHEN document.state = 'excluded' THEN document.exclude_reason END,
           count(*), sum(document.line_count), sum(document.amount_source),
           sum(booked.posted), sum(booked.draft), sum(document.amount_exact)
      FROM copaco_document document
 LEFT JOIN account_move main ON main.id = document.move_id
 LEFT JOIN LATERAL (
               SELECT coalesce(sum(amount) FILTER (WHERE state = 'posted'), 0)
                          AS posted,
                      coalesce(sum(amount) FILTER (WHERE state = 'draft'), 0) AS draft
                 FROM (%(invoices)s) invoice
                WHERE invoice.document_id = document.id
           ) booked ON document.state IN ('invoiced', 'changed')
     WHERE %(condition)s
  GROUP BY 1, 2, 3, 4, 5"""

_VERSIONS = """
    SELECT version.run_id,
           CASE WHEN version.state = 'pending' THEN 'held' ELSE 'replaced' END,
           CASE WHEN version.state = 'pending' THEN 'source_changed' END, NULL, NULL,
           count(*), sum(version.line_count), sum(version.amount_source), 0, 0, NULL
      FROM copaco_document_version version
     WHERE version.run_id IN %(runs)s
  GROUP BY 1, 2, 3"""


class Part(NamedTuple):
    """A part of what came that is in the same place for the same reason."""

    bucket: str
    reason: str
    documents: int
    lines: int
    amount: float  # without tax


class Proof:
    """Where everything is that came.

    :ivar parts: list of `Part`
    :ivar exact: Copaco's own sum of the documents, before lines were rounded
    """

    def __init__(self):
        self.parts = []
        self.exact = 0.0

    def get_total(self, *buckets):
        """:return: (documents, lines, amount) of these buckets, of all by default"""
        parts = [part for part in self.parts if part.bucket in (buckets or BUCKETS)]
        return (
            sum(part.documents for part in parts),
            sum(part.lines for part in parts),
            sum(part.amount for part in parts),
        )


class CopacoProof(models.AbstractModel):
    """Counts where everything is that came, whenever it is looked at, from documents,
    versions and invoices: it can't be remembered wrongly, and workers don't wait for
    each other."""

    _name = "copaco.proof"
    _description = "Copaco Proof"

    @api.model
    def _get_proofs_of_runs(self, runs):
        """:return: dict of `Proof` by `copaco.run`"""
        if not runs.ids:
            return {run: Proof() for run in runs}
        proofs = self._get_proofs(
            SQL("document.run_id"), SQL("document.run_id IN %s", tuple(runs.ids))
        )
        for run_id, *row in self.env.execute_query(
            SQL(_VERSIONS, runs=tuple(runs.ids))
        ):
            self._add(proofs[run_id], *row)
        return {run: proofs[run.id] for run in runs}

    @api.model
    def _get_proofs(self, scope, condition):
        """:param scope: `SQL` expression of ``document`` by whose values it is counted
        :param condition: `SQL` condition on ``document``
        :return: dict of `Proof` by scope
        """
        for name in ("copaco.document", "copaco.document.version", "account.move"):
            self.env[name].flush_model()
        proofs = defaultdict(Proof)
        query = SQL(_DOCUMENTS, scope=scope, condition=condition, invoices=_INVOICES)
        for value, *row in self.env.execute_query(query):
            self._add(proofs[value], *row)
        return proofs

    def _add(
        self,
        proof,
        bucket,
        hold_reason,
        excluded_by_id,
        exclude_reason,
        documents,
        lines,
        amount,
        posted,
        draft,
        exact,
    ):
        proof.exact += float(exact if exact is not None else amount)
        reason = exclude_reason or ""
        if hold_reason:
            labels = self.env["copaco.document"]._fields["hold_reason"]
            reason = dict(labels._description_selection(self.env))[hold_reason]
        elif excluded_by_id:
            user = self.env["res.users"].sudo().browse(excluded_by_id)
            reason = f"{user.name}: {exclude_reason}"
        lines, amount = int(lines or 0), float(amount or 0)
        if bucket not in INVOICED:
            proof.parts.append(Part(bucket, reason, documents, lines, amount))
            return
        booked = {"posted": float(posted or 0), "draft": float(draft or 0)}
        for name in booked:
            count = (documents, lines) if name == bucket else (0, 0)
            if any(count) or booked[name]:
                proof.parts.append(Part(name, "", *count, booked[name]))
        edited = round(amount - sum(booked.values()), 6)
        if edited:
            proof.parts.append(Part("edited", "", 0, 0, edited))

    # === HOW IT IS SHOWN === #

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
            "edited": self.env._("Taken off, or added to, invoices by hand"),
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
