from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL, config

# A worker that dies sooner was stopped by something else than a limit of the server,
# such as a restart: so many seconds, or a sixth of a limit that is tighter than Odoo's.
SHORTEST_SECONDS = 10
SHORTEST_SHARE = 6
# How often a worker may die of a document: the second time, it did nothing else.
MAX_ATTEMPTS = 2


class CopacoAttemptMixin(models.AbstractModel):
    """What came between a document and its invoice: workers that died."""

    _name = "copaco.attempt.mixin"
    _description = "Attempts to Invoice"

    attempt_count = fields.Integer(
        readonly=True,
        help="How often somebody began to create the invoice and has not ended.",
    )
    attempted_at = fields.Datetime(readonly=True)

    # === BUSINESS METHODS === #

    def _begin_attempt(self):
        """Note that the invoices of these documents are about to be created. It counts
        when the caller commits, and dies before `_end_attempt`."""
        # Not by `write`: since when a document waits is told by `write_date`.
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s
                   SET attempted_at = now() AT TIME ZONE 'UTC',
                       attempt_count = coalesce(attempt_count, 0) + (
                           attempted_at IS NULL OR attempted_at
                           < now() AT TIME ZONE 'UTC' - %(shortest)s
                       )::int
                 WHERE id = ANY(%(ids)s)""",
                table=SQL.identifier(self._table),
                shortest=_get_shortest_attempt(),
                ids=self.ids,
            )
        )
        self._invalidate_attempts()

    def _end_attempt(self):
        """Note that whoever called `_begin_attempt` has not died."""
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s SET attempted_at = NULL, attempt_count = 0"
                " WHERE id = ANY(%(ids)s) AND attempt_count != 0",
                table=SQL.identifier(self._table),
                ids=self.ids,
            )
        )
        self._invalidate_attempts()

    def _withdraw_attempt(self):
        """Note that `_begin_attempt` ended in an error, which tells nothing: neither
        that a worker died of these documents, nor that none would."""
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s SET attempted_at = NULL,"
                " attempt_count = attempt_count - 1"
                " WHERE id = ANY(%(ids)s) AND attempt_count > 0",
                table=SQL.identifier(self._table),
                ids=self.ids,
            )
        )
        self._invalidate_attempts()

    def _get_deadly(self):
        """:return: those of these documents, which nobody works on, that workers died
        of together with others, and alone"""
        just_now = fields.Datetime.now() - _get_shortest_attempt()
        return self.filtered(
            lambda document: (
                document.attempt_count >= MAX_ATTEMPTS
                # Who has begun right now has no lock for a moment.
                and not (document.attempted_at and document.attempted_at > just_now)
            )
        )

    def _invalidate_attempts(self):
        self.invalidate_recordset(["attempt_count", "attempted_at"], flush=False)


def _get_shortest_attempt():
    """:return: `timedelta` after which a worker may have died of a limit"""
    limit = config["limit_time_cpu"] / SHORTEST_SHARE or SHORTEST_SECONDS
    return timedelta(seconds=min(limit, SHORTEST_SECONDS))
