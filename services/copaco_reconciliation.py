from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, formatLang

from ..const import PURCHASE_KINDS

INVOICED = ("posted", "draft")
# Everything that was received is in exactly one of these (promise 2 in
# doc/how_it_works.rst). How each is shown, in this order.
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
BUCKETS = tuple(COLORS)
# A person needs to see where it is, not every document.
NAMED_DOCUMENTS = 5

# A document whose invoices say something else than they should is a group of its own.
# A bill is of all documents of a Copaco invoice: each has its own part of it, and the
# first one also has what the bill says more, or less, than it was made for.
# What waits is left out: it may have a draft that is about to be rebuilt. A credit note
# that a person made, or what reverses that, is known by what it reverses.
_DOCUMENTS = """
    WITH RECURSIVE received AS (
        SELECT %(scope)s AS scope, document.id, document.state, document.move_id,
               document.kind = ANY(%(purchases)s) AS is_purchase,
               document.amount_billed,
               document.hold_reason, document.excluded_by_id, document.exclude_reason,
               document.line_count, document.amount_source,
               document.totals_difference,
               CASE WHEN document.state = 'held'
                    THEN coalesce(document.amount_estimated, 0) ELSE 0 END
                    AS amount_estimated,
               CASE WHEN document.state IN ('invoiced', 'changed')
                    THEN coalesce(document.amount_excluded, 0) ELSE 0 END
                    AS amount_excluded,
               CASE WHEN document.state IN ('invoiced', 'changed')
                    THEN document.amount_source
                         - coalesce(document.amount_excluded, 0)
                    ELSE 0 END AS amount_due
          FROM copaco_document document
         WHERE %(condition)s
    ),
    own AS (
        SELECT received.id AS document_id, received.state != 'new' AS is_counted,
               move.id, move.state, move.amount_untaxed_in_currency_signed AS amount,
               true AS is_first
          FROM received
          JOIN account_move move ON move.copaco_document_id = received.id
         WHERE NOT received.is_purchase
     UNION ALL
        SELECT received.id, received.state != 'new', move.id, move.state,
               coalesce(received.amount_billed, 0)
               - CASE WHEN move.copaco_document_id = received.id
                      THEN move.amount_untaxed_in_currency_signed
                           + coalesce(move.copaco_amount, 0)
                      ELSE 0 END,
               move.copaco_document_id = received.id
          FROM received
          JOIN account_move move ON move.id = received.move_id
         WHERE received.is_purchase
     UNION ALL
        SELECT received.id, received.state != 'new', move.id, move.state,
               move.amount_untaxed_in_currency_signed
               * CASE WHEN received.is_purchase THEN -1 ELSE 1 END,
               true
          FROM received
          JOIN copaco_document_version version ON version.document_id = received.id
          JOIN account_move move ON move.copaco_version_id = version.id
         -- Where there are none, the planner would expect all invoices to be.
         WHERE move.copaco_version_id IS NOT NULL
    ),
    invoice AS (
        SELECT document_id, is_counted, id, state, amount, is_first,
               false AS is_manual
          FROM own
         UNION
        SELECT invoice.document_id, true, move.id, move.state,
               move.amount_untaxed_in_currency_signed
               * CASE WHEN move.move_type IN ('in_invoice', 'in_refund')
                      THEN -1 ELSE 1 END,
               true, true
          FROM invoice
          JOIN account_move move ON move.reversed_entry_id = invoice.id
         WHERE invoice.is_first
           AND move.copaco_document_id IS NULL AND move.copaco_version_id IS NULL
    ),
    booked AS (
        SELECT document_id,
               sum(amount) FILTER (WHERE state = 'posted') AS posted,
               sum(amount) FILTER (WHERE state = 'draft') AS draft,
               -sum(amount) FILTER (WHERE is_manual) AS credited
          FROM invoice
         WHERE is_counted AND state != 'cancel'
      GROUP BY document_id
    ),
    totals AS (
        SELECT received.*, coalesce(booked.posted, 0) AS posted,
               coalesce(booked.draft, 0) AS draft,
               coalesce(booked.credited, 0) AS credited
          FROM received
     LEFT JOIN booked ON booked.document_id = received.id
    ),
    compared AS (
        SELECT totals.*,
               round(amount_due - posted - draft - credited, 6) AS difference
          FROM totals
    )
    SELECT scope,
           CASE WHEN compared.state = 'new' THEN 'waiting'
                WHEN compared.state IN ('held', 'excluded') THEN compared.state
                WHEN main.state = 'posted' THEN 'posted' ELSE 'draft' END,
           CASE WHEN compared.state = 'held' THEN hold_reason END,
           CASE WHEN compared.state = 'excluded' THEN excluded_by_id END,
           CASE WHEN compared.state = 'excluded' THEN exclude_reason END,
           CASE WHEN difference != 0 THEN compared.id END,
           count(*), sum(line_count), sum(amount_source), sum(amount_excluded),
           sum(totals_difference), sum(posted), sum(draft), sum(credited),
           sum(difference), sum(amount_estimated)
      FROM compared
 LEFT JOIN account_move main ON main.id = compared.move_id
  GROUP BY 1, 2, 3, 4, 5, 6"""

_VERSIONS = """
    SELECT version.run_id,
           CASE WHEN version.state = 'pending' THEN 'held' ELSE 'replaced' END,
           CASE WHEN version.state = 'pending' THEN 'source_changed' END,
           NULL, NULL, NULL,
           count(*), sum(version.line_count), sum(version.amount_source), 0, 0,
           0, 0, 0, 0, 0
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
    excluded: float  # of it, because lines are the same charges as others
    totals_difference: float
    posted: float
    draft: float
    credited: float  # manually
    difference: float  # how much less that is than it should be
    estimated: float  # of what can't be read


class Part(NamedTuple):
    """A part of what was received that is in the same place for the same reason."""

    bucket: str
    reason: str
    documents: int
    lines: int
    amount: float  # without tax


class Reconciliation:
    """Where everything is that was received.

    :ivar totals_difference: by how much Copaco's totals are higher than what its lines
        add up to, without what rounding explains
    :ivar estimated: what the documents that can't be read may cost; no part of what
        was received
    """

    def __init__(self):
        self._parts = {}
        self.totals_difference = 0.0
        self.estimated = 0.0

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
    """Counts where everything is that was received, whenever it is looked at, from
    documents, versions and invoices: it can't be remembered wrongly, and workers don't
    wait for each other.

    Where the invoices of a document say something else than they should, manual edits
    are told apart from what nobody did (`copaco.manual.edits`). What can't be seen:
    that something else than a person wrote to a field that is compared; and two errors
    in one document that make up for each other.
    """

    _name = "copaco.reconciliation"
    _description = "Copaco Reconciliation"

    # === COUNTING === #

    @api.model
    def _reconcile_runs(self, runs):
        """:return: dict of `Reconciliation` by `copaco.run`"""
        if not runs.ids:
            return {run: Reconciliation() for run in runs}
        found = self._reconcile_documents(
            SQL("document.run_id"),
            SQL("document.run_id IN %s", tuple(runs.ids)),
            SQL(_VERSIONS, runs=tuple(runs.ids)),
        )
        return {run: found[run.id] for run in runs}

    @api.model
    def _reconcile_documents(self, scope, condition, others=None):
        """:param scope: `SQL` expression of ``document`` by whose values it is counted
        :param condition: `SQL` condition on ``document``
        :param others: `SQL` query of more rows like these
        :return: dict of `Reconciliation` by scope
        """
        for name in ("copaco.document", "copaco.document.version", "account.move"):
            self.env[name].flush_model()
        documents = SQL(
            _DOCUMENTS,
            scope=scope,
            condition=condition,
            purchases=list(PURCHASE_KINDS),
        )
        queries = [documents, others]
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
        found = defaultdict(Reconciliation)
        for row in rows:
            self._add(found[row.scope], row, documents.get(row.differing_id))
        return found

    def _add(self, reconciliation, row, differing):
        """:param reconciliation: the `Reconciliation` to which a `Row` is added
        :param differing: the `copaco.document` whose invoices say something else than
            they should, or None
        """
        amount = float(row.amount or 0)
        reconciliation.totals_difference += float(row.totals_difference or 0)
        reconciliation.estimated += float(row.estimated or 0)
        counts = row.documents, int(row.lines or 0)
        if row.place in INVOICED:
            reconciliation.add(row.place, "", *counts)
        else:
            reconciliation.add(row.place, self._get_reason(row), *counts, amount)
        for bucket in ("posted", "draft", "credited"):
            if booked := float(getattr(row, bucket)):
                reconciliation.add(bucket, amount=booked)
        if excluded := float(row.excluded or 0):
            reconciliation.add(
                "excluded",
                self.env._("Lines that are the same charges as others"),
                amount=excluded,
            )
        if not differing:
            return
        edited = 0.0
        if row.place in INVOICED:
            edited = self.env["copaco.manual.edits"]._get_amount(differing)
        if edited:
            reconciliation.add("edited", amount=edited)
        if unexplained := round(float(row.difference) - edited, 6):
            reconciliation.add("unexplained", differing.name, amount=unexplained)

    def _get_reason(self, row):
        if row.hold_reason:
            labels = self.env["copaco.document"]._fields["hold_reason"]
            return dict(labels._description_selection(self.env))[row.hold_reason]
        if row.excluded_by_id:
            user = self.env["res.users"].sudo().browse(row.excluded_by_id)
            return f"{user.name}: {row.exclude_reason}"
        return row.exclude_reason or ""

    # === WHAT A PERSON SEES === #

    @api.model
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

    @api.model
    def _render(self, reconciliation, currency, known=None):
        """:param reconciliation: a `Reconciliation`
        :param currency: that of its amounts
        :param known: (documents, lines, amount) that were received again, unchanged
        :return: `Markup` of the table and the bar
        """
        labels = {
            "posted": self.env._("Invoiced: posted"),
            "draft": self.env._("Invoiced: draft"),
            "credited": self.env._("Credited manually"),
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
                rows.append((labels[bucket], color, reconciliation.get_total(bucket)))
            rows += [
                (part.reason, "", (part.documents, part.lines, part.amount))
                for part in sorted(parts, key=lambda part: part.reason)
                if part.reason
            ]
        if known and known[0]:
            rows.append((self.env._("Received before, unchanged"), "", known))
        sizes = dict.fromkeys(BUCKETS, 0.0)
        for part in reconciliation.parts:
            sizes[part.bucket] += abs(part.amount)
        total = sum(sizes.values()) or 1
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_reconciliation",
            {
                "received": received,
                "rows": rows,
                "totals_difference": round(reconciliation.totals_difference, 6),
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
