from collections import defaultdict
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL, formatLang

from ..const import ORIGIN_FIELDS, PURCHASE_KINDS
from ..tools import Stored, avoid_compiling, render_message

INVOICED = ("posted", "draft")
# Everything that was received is in exactly one of these (promise 2 in
# doc/how_it_works.rst). How each is shown, in this order.
COLORS = {
    "posted": "bg-success",
    "draft": "bg-info",
    "credited": "bg-dark bg-opacity-50",
    "added": "bg-info bg-opacity-50",
    "edited": "bg-dark bg-opacity-25",
    "unexplained": "bg-danger",
    "held": "bg-warning",
    "excluded": "bg-dark",
    "waiting": "bg-primary",
    "replaced": "bg-light",
}
BUCKETS = tuple(COLORS)

# A document whose invoices say something else than they should is a group of its own.
# An invoice may be of several documents, as a bill is of all of a Copaco invoice: each
# has its own part of it, and the first one also has what the invoice says more, or
# less, than it was made for.
# What waits is left out: it may have a draft that is about to be rebuilt. What a person
# made of an invoice is known by what it reverses or was created from; an invoice that
# was credited in full, to be created anew, is one thing with its credit notes. Amounts
# in another currency than the document's add up to nothing, and are named.
_DOCUMENTS = """
    WITH RECURSIVE received AS (
        SELECT %(scope)s AS scope, document.id, document.state, document.move_id,
               document.kind = ANY(%(purchases)s) AS is_purchase,
               document.amount_billed,
               document.hold_reason, document.excluded_by_id, document.exclude_reason,
               document.line_count, document.amount_source, document.currency_id,
               -- Each document of an invoice has the difference of all of it.
               CASE WHEN row_number() OVER (
                        PARTITION BY %(scope)s, document.root_company_id, document.kind,
                                     document.invoice_number, document.totals_difference
                        ORDER BY document.id
                    ) = 1 THEN document.totals_difference END AS totals_difference,
               document.state IN ('invoiced', 'changed') AS is_invoiced,
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
               move.id,
               CASE WHEN move.copaco_is_replaced IS NOT TRUE
                    THEN coalesce(received.amount_billed, 0)
                         + move.amount_untaxed_in_currency_signed
                         - coalesce(move.copaco_amount, 0) END AS amount,
               true AS is_first
          FROM received
          JOIN account_move move ON move.copaco_document_id = received.id
         WHERE NOT received.is_purchase OR move.copaco_is_replaced
     UNION ALL
        SELECT received.id, received.state != 'new', move.id, received.amount_billed,
               false
          FROM received
          JOIN account_move move ON move.id = received.move_id
         WHERE NOT received.is_purchase AND received.amount_billed != 0
           AND move.copaco_document_id != received.id
     UNION ALL
        SELECT received.id, received.state != 'new', move.id,
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
        SELECT received.id, received.state != 'new', move.id, NULL, true
          FROM received
          JOIN copaco_document_version version ON version.document_id = received.id
          JOIN account_move move ON move.copaco_version_id = version.id
         -- Where there are none, the planner would expect all invoices to be.
         WHERE move.copaco_version_id IS NOT NULL
    ),
    invoice AS (
        SELECT own.document_id, own.is_counted OR move.copaco_is_replaced AS is_counted,
               own.id,
               CASE WHEN move.copaco_is_replaced THEN 'credited' ELSE 'own' END AS role,
               own.amount, own.is_first
          FROM own
          JOIN account_move move ON move.id = own.id
         UNION
        SELECT invoice.document_id, true, move.id,
               CASE WHEN move.is_reversal AND invoice.role != 'added' THEN 'credited'
                    ELSE 'added' END,
               NULL, true
          FROM invoice
    CROSS JOIN LATERAL (%(made_of)s) move
         WHERE invoice.is_first
    ),
    amounts AS (
        SELECT invoice.document_id, invoice.role, move.state, move.currency_id,
               -- Odoo signs what is owed to others below zero.
               coalesce(invoice.amount,
                        move.amount_untaxed_in_currency_signed
                        * CASE WHEN received.is_purchase THEN -1 ELSE 1 END) AS amount,
               move.currency_id = received.currency_id AS is_same
          FROM invoice
          JOIN received ON received.id = invoice.document_id
          JOIN account_move move ON move.id = invoice.id
         WHERE invoice.is_counted AND move.state != 'cancel'
    ),
    booked AS (
        SELECT document_id,
               sum(amount) FILTER (WHERE is_same AND state = 'posted') AS posted,
               sum(amount) FILTER (WHERE is_same AND state = 'draft') AS draft,
               -sum(amount) FILTER (WHERE is_same AND role = 'credited') AS credited,
               -sum(amount) FILTER (WHERE is_same AND role = 'added') AS added
          FROM amounts
      GROUP BY document_id
    ),
    other AS (
        SELECT document_id, jsonb_object_agg(currency_id, amount) AS amounts
          FROM (SELECT document_id, currency_id, sum(amount) AS amount
                  FROM amounts
                 WHERE NOT is_same
              GROUP BY document_id, currency_id
                HAVING sum(amount) != 0) currency
      GROUP BY document_id
    ),
    settled AS (
        SELECT version.document_id, sum(version.amount_credited) AS amount
          FROM received
          JOIN copaco_document_version version ON version.document_id = received.id
         WHERE received.is_invoiced
      GROUP BY version.document_id
    ),
    totals AS (
        SELECT received.*, coalesce(booked.posted, 0) AS posted,
               coalesce(booked.draft, 0) AS draft,
               coalesce(booked.credited, 0) - coalesce(settled.amount, 0) AS credited,
               coalesce(booked.added, 0) AS added,
               other.amounts AS other_amounts
          FROM received
     LEFT JOIN booked ON booked.document_id = received.id
     LEFT JOIN other ON other.document_id = received.id
     LEFT JOIN settled ON settled.document_id = received.id
    ),
    compared AS (
        SELECT totals.*,
               round(amount_due - posted - draft - credited - added, 6) AS difference
          FROM totals
    )
    SELECT scope,
           CASE WHEN compared.state = 'new' THEN 'waiting'
                WHEN compared.state IN ('held', 'excluded') THEN compared.state
                WHEN main.state = 'posted' THEN 'posted' ELSE 'draft' END,
           CASE WHEN compared.state = 'held' THEN hold_reason END,
           CASE WHEN compared.state = 'excluded' THEN excluded_by_id END,
           CASE WHEN compared.state = 'excluded' THEN exclude_reason END,
           CASE WHEN difference != 0 OR other_amounts IS NOT NULL
                THEN compared.id END,
           count(*), sum(line_count), sum(amount_source), sum(amount_excluded),
           sum(totals_difference), sum(posted), sum(draft), sum(credited), sum(added),
           sum(difference), other_amounts, sum(amount_estimated)
      FROM compared
 LEFT JOIN account_move main ON main.id = compared.move_id
  GROUP BY 1, 2, 3, 4, 5, 6, other_amounts"""

# What a person made of an invoice, by a field of Odoo's.
_MADE_OF = """
    SELECT id, %(is_reversal)s AS is_reversal
      FROM account_move
     WHERE %(field)s = invoice.id
       AND copaco_document_id IS NULL AND copaco_version_id IS NULL"""

_VERSIONS = """
    SELECT version.run_id,
           CASE WHEN version.state = 'pending' THEN 'held' ELSE 'replaced' END,
           CASE WHEN version.state = 'pending' THEN 'source_changed' END,
           version.declined_by_id, NULL, NULL,
           count(*), sum(version.line_count), sum(version.amount_source), 0, 0,
           0, 0, 0, 0, 0, NULL, 0
      FROM copaco_document_version version
     WHERE version.run_id IN %(runs)s
  GROUP BY 1, 2, 3, 4"""

# What Copaco says now, and a person has declined.
_DECLINED = """
    SELECT %(scope)s, version.id
      FROM copaco_document document
      JOIN copaco_document_version version ON version.document_id = document.id
     WHERE version.state = 'declined' AND %(condition)s
  ORDER BY version.id"""


class Row(NamedTuple):
    """What the database says of documents that are in the same place."""

    scope: int
    place: str
    hold_reason: str
    excluded_by_id: int
    exclude_reason: object  # as stored, see `tools.Message`
    differing_id: int  # of the one document whose invoices say something else
    documents: int
    lines: int
    amount: float
    excluded: float  # of it, because lines are the same charges as others
    totals_difference: float
    posted: float
    draft: float
    credited: float  # manually
    added: float  # below zero: invoiced manually besides
    difference: float  # how much less that is than it should be
    other_amounts: dict  # that are in others, by the id of the currency
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
    :ivar notes: list of (text, amount) of what is no part of what was received
    :ivar estimated: what the documents that can't be read may cost; no part of what
        was received
    """

    def __init__(self):
        self._parts = {}
        self.totals_difference = 0.0
        self.notes = []
        self.estimated = 0.0

    @property
    def parts(self):
        """List of `Part`, in the order in which they were found."""
        return list(self._parts.values())

    def add(self, bucket, reason="", documents=0, lines=0, amount=0.0):
        """Count what was found to what there is of the same bucket and reason."""
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

    def _reconcile_documents(self, scope, condition, others=None):
        """:param scope: `SQL` expression of ``document`` by whose values it is counted
        :param condition: `SQL` condition on ``document``
        :param others: `SQL` query of more rows like these
        :return: dict of `Reconciliation` by scope
        """
        for name in ("copaco.document", "copaco.document.version", "account.move"):
            self.env[name].flush_model()
        query = SQL(
            _DOCUMENTS,
            scope=scope,
            condition=condition,
            purchases=list(PURCHASE_KINDS),
            made_of=self._get_made_of(),
        )
        avoid_compiling(self.env.cr)
        rows = [
            Row(*row)
            for query in filter(None, (query, others))
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
        for key, version_id in self.env.execute_query(
            SQL(_DECLINED, scope=scope, condition=condition)
        ):
            version = self.env["copaco.document.version"].sudo().browse(version_id)
            found[key].notes.append(self._get_declined_note(version))
        return found

    def _get_made_of(self):
        """:return: `SQL` query of what a person made of ``invoice``"""
        fields = self.env["account.move"]._fields
        return SQL(" UNION ALL ").join(
            SQL(
                _MADE_OF,
                field=SQL.identifier(name),
                is_reversal=name == "reversed_entry_id",
            )
            for name in ORIGIN_FIELDS
            if name in fields
        )

    def _get_declined_note(self, version):
        """:return: (text, amount) of what Copaco says now, and a person declined"""
        document = version.document_id
        amount = version.amount_source - document.amount_source
        if version.currency_id != document.currency_id:
            amount = 0.0
        text = self.env._(
            "%(user)s kept the old version of %(document)s: %(old)s instead of %(new)s",
            user=version.declined_by_id.name or self.env._("Somebody"),
            document=document.name,
            old=document._format_amount(document.amount_source),
            new=formatLang(
                self.env, version.amount_source, currency_obj=version.currency_id
            ),
        )
        return text, amount

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
        for bucket in ("posted", "draft", "credited", "added"):
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
        for currency_id, other_amount in (row.other_amounts or {}).items():
            currency = self.env["res.currency"].browse(int(currency_id))
            text = self.env._(
                "%(document)s is invoiced in another currency than Copaco's: "
                "%(amount)s",
                document=differing.name,
                amount=formatLang(self.env, other_amount, currency_obj=currency),
            )
            reconciliation.notes.append((text, 0.0))

    def _get_reason(self, row):
        if row.hold_reason:
            labels = self.env["copaco.document"]._fields["hold_reason"]
            return dict(labels._description_selection(self.env))[row.hold_reason]
        user = self.env["res.users"].sudo().browse(row.excluded_by_id)
        if user and row.place == "replaced":
            return self.env._("%(user)s kept the old version", user=user.name)
        reason = render_message(self.env, Stored(row.exclude_reason or ""))
        return f"{user.name}: {reason}" if user else reason
