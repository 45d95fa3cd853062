from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..tools import get_server

# How often a worker may die of a document: the second time, it did nothing else.
MAX_DEATHS = 2
# The same, where the whole server was stopped each time: a person may have restarted
# it, or a container with too little memory ended as a whole.
MAX_ATTEMPTS = 5
# Who has begun right now has no lock for a moment.
MOMENT = timedelta(seconds=2)


class CopacoAttemptMixin(models.AbstractModel):
    """What came between a document and its invoice: workers that died."""

    _name = "copaco.attempt.mixin"
    _description = "Attempts to Invoice"

    attempt_count = fields.Integer(
        readonly=True,
        help="How often somebody began to create the invoice and has not ended.",
    )
    restart_count = fields.Integer(
        readonly=True,
        help="How many of these attempts ended because the whole server was stopped.",
    )
    attempted_at = fields.Datetime(readonly=True)
    attempted_by = fields.Char(readonly=True, help="The server that began last.")

    # === BUSINESS METHODS === #

    def _begin_attempt(self):
        """Note that the invoices of these documents are about to be created. It counts
        when the caller commits, and dies before `_end_attempt`."""
        # Not by `write`: since when a document waits is told by `write_date`.
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s
                   SET restart_count = coalesce(restart_count, 0) + (
                           attempted_at IS NOT NULL
                           AND attempted_by IS DISTINCT FROM %(server)s
                       )::int,
                       attempt_count = coalesce(attempt_count, 0) + 1,
                       attempted_at = now() AT TIME ZONE 'UTC',
                       attempted_by = %(server)s
                 WHERE id = ANY(%(ids)s)""",
                table=SQL.identifier(self._table),
                server=get_server(),
                ids=self.ids,
            )
        )
        self._invalidate_attempts()

    def _end_attempt(self):
        """Note that whoever called `_begin_attempt` has not died."""
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s"
                " SET attempted_at = NULL, attempt_count = 0, restart_count = 0"
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
        server, just_now = get_server(), fields.Datetime.now() - MOMENT

        def is_deadly(document):
            if document.attempt_count >= MAX_ATTEMPTS:
                return True
            begun_at = document.attempted_at
            is_restarted = begun_at and document.attempted_by != server
            deaths = document.attempt_count - document.restart_count
            return deaths - bool(is_restarted) >= MAX_DEATHS and not (
                begun_at and begun_at > just_now
            )

        return self.filtered(is_deadly)

    def _invalidate_attempts(self):
        self.invalidate_recordset(
            ["attempt_count", "restart_count", "attempted_at", "attempted_by"],
            flush=False,
        )
