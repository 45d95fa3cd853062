from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..client import get_origin
from .copaco_connection_fetch import get_chunk_start

# Which days of which connection were asked for at the portal that it uses now. A day
# that was not over yet counts as stored, not as whole: it is asked for once more.
ASKED_DAYS = SQL(
    """
    SELECT run.connection_id, day::date AS day,
           bool_or(run.stored_at IS NOT NULL) AS is_stored,
           bool_or(run.stored_at IS NOT NULL AND day < %(started)s) AS is_whole
      FROM copaco_run run
      JOIN copaco_connection connection
        ON connection.id = run.connection_id AND connection.origin = run.origin
CROSS JOIN LATERAL generate_series(
               run.date_from,
               LEAST(run.date_to, %(started)s),
               interval '1 day'
           ) day
     WHERE run.kind = 'specification' AND run.started_at IS NOT NULL
  GROUP BY 1, 2
    """,
    started=SQL(
        "(run.started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Amsterdam')::date"
    ),
)


class CopacoConnection(models.Model):
    """Which days were asked for, told from the runs: a hole is asked for again."""

    _inherit = "copaco.connection"

    origin = fields.Char(
        compute="_compute_origin",
        store=True,
        help="The portal: what was asked of another one doesn't count.",
    )

    @api.depends("base_url")
    def _compute_origin(self):
        for connection in self:
            connection.origin = get_origin(connection.base_url)

    def _get_window_start(self, whole=False):
        """:param whole: see `_get_first_hole`
        :return: the first creation date that was never stored, at the latest tomorrow
        """
        today = self._get_today()
        hole = self._get_first_hole(self._get_import_from(), today, whole)
        return hole or today + timedelta(days=1)

    def _get_first_hole(self, date_from, date_to, whole=False):
        """:param whole: a day that was not over yet when it was asked for doesn't count
        :return: the first creation date of a period that was never stored, or None
        """
        self.ensure_one()
        self.env["copaco.run"].flush_model()
        self.flush_recordset()
        query = SQL(
            """
            WITH asked AS (%(asked)s)
            SELECT min(needed)::date
              FROM generate_series(%(date_from)s::date, %(date_to)s::date, '1 day')
                   needed
             WHERE NOT EXISTS (SELECT FROM asked
                                WHERE asked.connection_id = %(connection)s
                                  AND %(is_there)s AND asked.day = needed::date)
            """,
            is_there=SQL("asked.is_whole" if whole else "asked.is_stored"),
            asked=ASKED_DAYS,
            date_from=date_from,
            date_to=date_to,
            connection=self.id,
        )
        ((hole,),) = self.env.execute_query(query)
        return hole

    def _reach_back(self, start, end):
        """A window that has only some of the days on which a document may have been
        created can't tell whether it is gone.

        :return: `start`, or an earlier day from which on one answer tells it
        """
        self.ensure_one()
        ((created_from,),) = self.env["copaco.document"]._read_group(
            [
                ("connection_id", "=", self.id),
                ("created_origin", "=", self.origin),
                ("created_from", "<", start),
                ("created_to", ">=", start),
                ("created_from", ">=", get_chunk_start(end)),
            ],
            aggregates=["created_from:min"],
        )
        return created_from or start

    def _advance(self):
        """Note until when all is stored, without a hole."""
        self.ensure_one()
        start = self._get_window_start()
        until = start - timedelta(days=1)
        if start > self._get_import_from() and (
            not self.fetched_until or until > self.fetched_until
        ):
            self.sudo().fetched_until = until

    def action_view_months(self):
        """:return: the window action with the months of this connection"""
        return self._get_list_action("account_copaco.action_copaco_month")
