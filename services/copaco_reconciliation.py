from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

# Everything that came is in exactly one of these (DESIGN promise 2).
INVOICED = ("posted", "draft")
BUCKETS = (
    "posted",
    "draft",
    "credited",
    "edited",
    "unexplained",
    "held",
    "excluded",
    "waiting",
    "replaced",
)
# A document whose invoices say something else than they should is a group of its own.
# What waits is left out: it may have a draft that is about to be rebuilt. A credit note
# that a person made, or what reverses that, is known by what it reverses.
_DOCUMENTS = """
    WITH RECURSIVE came AS (
        SELECT %(scope)s AS scope, document.id, document.state, document.move_id,
               document.hold_reason, document.excluded_by_id, document.exclude_reason,
               document.line_count, document.amount_source, document.amount_exact,
               CASE WHEN document.state IN ('invoiced', 'changed')
                    THEN document.amount_source ELSE 0 END AS amount_due
          FROM copaco_document document
         WHERE %(condition)s
    ),
    own AS (
        SELECT came.id AS document_id, came.state != 'new' AS is_counted, move.id,
               move.state, move.amount_untaxed_in_currency_signed AS amount
          FROM came
          JOIN account_move move ON move.copaco_document_id = came.id
     UNION ALL
        SELECT came.id, came.state != 'new', move.id, move.state,
               move.amount_untaxed_in_currency_signed
          FROM came
          JOIN copaco_document_version version ON version.document_id = came.id
          JOIN account_move move ON move.copaco_version_id = version.id
         -- Where there are none, the planner would expect all invoices to be.
         WHERE move.copaco_version_id IS NOT NULL
    ),
    invoice AS (
        SELECT document_id, is_counted, id, state, amount, false AS is_by_hand
          FROM own
         UNION
        SELECT invoice.document_id, true, move.id, move.state,
               move.amount_untaxed_in_currency_signed, true
          FROM invoice
          JOIN account_move move ON move.reversed_entry_id = invoice.id
         WHERE move.copaco_document_id IS NULL AND move.copaco_version_id IS NULL
    ),
    booked AS (
        SELECT document_id,
               sum(amount) FILTER (WHERE state = 'posted') AS posted,
               sum(amount) FILTER (WHERE state = 'draft') AS draft,
               -sum(amount) FILTER (WHERE is_by_hand) AS credited
          FROM invoice
         WHERE is_counted AND state != 'cancel'
      GROUP BY document_id
    ),
    told AS (
        SELECT came.*, coalesce(booked.posted, 0) AS posted,
               coalesce(booked.draft, 0) AS draft,
               coalesce(booked.credited, 0) AS credited
          FROM came
     LEFT JOIN booked ON booked.document_id = came.id
    ),
    compared AS (
        SELECT told.*, round(amount_due - posted - draft - credited, 6) AS off
          FROM told
    )
    SELECT scope,
           CASE WHEN compared.state = 'new' THEN 'waiting'
                WHEN compared.state IN ('held', 'excluded') THEN compared.state
                WHEN main.state = 'posted' THEN 'posted' ELSE 'draft' END,
           CASE WHEN compared.state = 'held' THEN hold_reason END,
           CASE WHEN compared.state = 'excluded' THEN excluded_by_id END,
           CASE WHEN compared.state = 'excluded' THEN exclude_reason END,
           CASE WHEN off != 0 THEN compared.id END,
           count(*), sum(line_count), sum(amount_source), sum(amount_exact),
           sum(posted), sum(draft), sum(credited), sum(off)
      FROM compared
 LEFT JOIN account_move main ON main.id = compared.move_id
  GROUP BY 1, 2, 3, 4, 5, 6"""

_VERSIONS = """
    SELECT version.run_id,
           CASE WHEN version.state = 'pending' THEN 'held' ELSE 'replaced' END,
           CASE WHEN version.state = 'pending' THEN 'source_changed' END,
           NULL, NULL, NULL,
           count(*), sum(version.line_count), sum(version.amount_source), NULL,
           0, 0, 0, 0
      FROM copaco_document_version version
     WHERE version.run_id IN %(runs)s
  GROUP BY 1, 2, 3"""


class Row(NamedTuple):
    """What the database says of documents that are in the same place."""

    scope: int
    place: str
    hold_reason: str
    excluded_by_id: int
    exclude_reason: str
    differing_id: int  # of the one document whose invoices say something else
    documents: int
    lines: int
    amount: float
    exact: float
    posted: float
    draft: float
    credited: float  # by hand
    off: float  # how much less that is than it should be


class Part(NamedTuple):
    """A part of what came that is in the same place for the same reason."""

    bucket: str
    reason: str
    documents: int
    lines: int
    amount: float  # without tax


class Proof:
    """Where everything is that came.

    :ivar exact: Copaco's own sum of the documents, before lines were rounded
    """

    def __init__(self):
        self._parts = {}
        self.exact = 0.0

    @property
    def parts(self):
        return list(self._parts.values())

    def add(self, bucket, reason="", documents=0, lines=0, amount=0.0):
        part = self._parts.get((bucket, reason), Part(bucket, reason, 0, 0, 0.0))
        self._parts[bucket, reason] = Part(
            bucket,
            reason,
            part.documents + documents,
            part.lines + lines,
            part.amount + amount,
        )

    def get_total(self, *buckets):
        """:return: (documents, lines, amount) of these buckets, of all by default"""
        parts = [part for part in self.parts if part.bucket in (buckets or BUCKETS)]
        return (
            sum(part.documents for part in parts),
            sum(part.lines for part in parts),
            sum(part.amount for part in parts),
        )

    def get_reasons(self, bucket):
        """:return: list of the reasons in a bucket; that of what is unexplained is the
        name of the document"""
        return sorted(part.reason for part in self.parts if part.bucket == bucket)


class CopacoReconciliation(models.AbstractModel):
    """Counts where everything is that came, whenever it is looked at, from documents,
    versions and invoices: it can't be remembered wrongly, and workers don't wait for
    each other.

    Where the invoices of a document say something else than they should, what a person
    touched on them is told apart from what nobody did (`copaco.draft.updater`). What
    can't be seen: that something else than a person wrote to a field that is compared;
    and two errors in one document that make up for each other.
    """

    _name = "copaco.reconciliation"
    _description = "Copaco Proof"

    @api.model
    def _get_proofs_of_runs(self, runs):
        """:return: dict of `Proof` by `copaco.run`"""
        if not runs.ids:
            return {run: Proof() for run in runs}
        proofs = self._get_proofs(
            SQL("document.run_id"),
            SQL("document.run_id IN %s", tuple(runs.ids)),
            SQL(_VERSIONS, runs=tuple(runs.ids)),
        )
        return {run: proofs[run.id] for run in runs}

    @api.model
    def _get_proofs(self, scope, condition, others=None):
        """:param scope: `SQL` expression of ``document`` by whose values it is counted
        :param condition: `SQL` condition on ``document``
        :param others: `SQL` query of more rows like these
        :return: dict of `Proof` by scope
        """
        for name in ("copaco.document", "copaco.document.version", "account.move"):
            self.env[name].flush_model()
        queries = [SQL(_DOCUMENTS, scope=scope, condition=condition), others]
        rows = [
            Row(*row)
            for query in filter(None, queries)
            for row in self.env.execute_query(query)
        ]
        # All at once, or each would be read by itself.
        differing = self.env["copaco.document"].sudo()
        differing = differing.browse(
            row.differing_id for row in rows if row.differing_id
        )
        documents = {document.id: document for document in differing}
        proofs = defaultdict(Proof)
        for row in rows:
            self._add(proofs[row.scope], row, documents.get(row.differing_id))
        return proofs

    def _add(self, proof, row, differing):
        """:param proof: the `Proof` to which a `Row` is added
        :param differing: the `copaco.document` whose invoices say something else than
            they should, or None
        """
        amount = float(row.amount or 0)
        proof.exact += amount if row.exact is None else float(row.exact)
        counts = row.documents, int(row.lines or 0)
        if row.place in INVOICED:
            proof.add(row.place, "", *counts)
        else:
            proof.add(row.place, self._get_reason(row), *counts, amount)
        for bucket in ("posted", "draft", "credited"):
            if booked := float(getattr(row, bucket)):
                proof.add(bucket, amount=booked)
        if not differing:
            return
        by_hand = 0.0
        if row.place in INVOICED:
            by_hand = self.env["copaco.draft.updater"]._get_amount_by_hand(differing)
        if by_hand:
            proof.add("edited", amount=by_hand)
        if unexplained := round(float(row.off) - by_hand, 6):
            proof.add("unexplained", differing.name, amount=unexplained)

    def _get_reason(self, row):
        if row.hold_reason:
            labels = self.env["copaco.document"]._fields["hold_reason"]
            return dict(labels._description_selection(self.env))[row.hold_reason]
        if row.excluded_by_id:
            user = self.env["res.users"].sudo().browse(row.excluded_by_id)
            return f"{user.name}: {row.exclude_reason}"
        return row.exclude_reason or ""
