from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL

from ..const import DEFAULT_KIND, KINDS, SOURCES

# Copaco's own default window is three months back (Copaco's knowledge base, page
# https://kb.copaco.cloud/kb/billing-api-s).
FIRST_WINDOW_MONTHS = 3
# Copaco creates its invoices in Dutch time, wherever this server stands.
COPACO_TIME_ZONE = "Europe/Amsterdam"
# Copaco's platform is younger (Copaco's knowledge base, page
# https://kb.copaco.cloud/kb/versioning-new).
FIRST_DAY = date(2015, 1, 1)


class CopacoFetchWindow(models.AbstractModel):
    """Which days to ask Copaco for, told from the runs: a gap is asked for again."""

    _name = "copaco.fetch.window"
    _description = "Copaco Fetch Window"

    def _get_today(self):
        return fields.Date.context_today(self.with_context(tz=COPACO_TIME_ZONE))

    def _get_first_window_start(self):
        """:return: where the first fetch begins when nobody said"""
        return self._get_today() - relativedelta(months=FIRST_WINDOW_MONTHS)

    def _get_import_from(self, connection):
        return max(connection.import_from or self._get_first_window_start(), FIRST_DAY)

    def _get_chunks(self, connection, date_from=None, date_to=None, kind=DEFAULT_KIND):
        """Cut a window into parts that Copaco is asked for one by one.

        :param connection: a `copaco.connection`
        :param date_from: first creation date, inclusive; none: the oldest that
            was never stored, less the overlap
        :param date_to: last creation date, inclusive; none: today
        :param kind: of what is asked for
        :return: list of (first date, last date), each of at most a month, oldest
            first; empty when the window lies in the future
        """
        start = date_from or self._get_window_start(connection, kind=kind)
        start = max(start, FIRST_DAY)
        end = min(date_to or date.max, self._get_today())
        if not date_from and connection[KINDS[kind].fetched_until]:
            start -= timedelta(days=1 + connection.overlap_days)
            # Someone may have fetched what follows a day that was not over yet.
            start = min(start, self._get_window_start(connection, True, kind))
            start = self._extend_to_creation_days(connection, start, end, kind)
        chunks = []
        # Counted from the end, so that the newest chunk is a whole month.
        while start <= end:
            chunk_start = max(get_chunk_start(end), start)
            chunks.insert(0, (chunk_start, end))
            end = chunk_start - timedelta(days=1)
        return chunks

    def _get_window_start(self, connection, whole=False, kind=DEFAULT_KIND):
        """:param whole: see `_get_first_gap`
        :param kind: of what is asked for
        :return: the first creation date that was never stored, at the latest tomorrow
        """
        today = self._get_today()
        start = self._get_import_from(connection)
        gap = self._get_first_gap(connection, start, today, whole, kind)
        return gap or today + timedelta(days=1)

    def _get_first_gap(
        self, connection, date_from, date_to, whole=False, kind=DEFAULT_KIND
    ):
        """:param whole: a day that was not over yet when it was asked for doesn't count
        :return: the first creation date of a period that was never stored, or None
        """
        connection.flush_recordset()
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
            asked=self._get_asked_days_query(kind),
            date_from=date_from,
            date_to=date_to,
            connection=connection.id,
        )
        ((gap,),) = self.env.execute_query(query)
        return gap

    def _get_asked_days_query(self, kind=DEFAULT_KIND):
        """Which days were asked for at the portal and the source that a connection uses
        now. What another source had is the same, but Copaco may have created it on
        other days: of that, the last month before the source changed doesn't count.

        :param kind: of what was asked for
        :return: `SQL` of rows with the connection, a day, whether it was stored, and
            whether it was over when it was asked for
        """
        self.env["copaco.run"].flush_model()
        self.env["copaco.connection"].flush_model(["source", "origin"])
        return SQL(
            """
            WITH source_run AS (
                SELECT run.*, %(started)s AS started_on,
                       run.endpoint = %(endpoint)s AS is_own,
                       max(LEAST(run.date_to, %(started)s))
                           FILTER (WHERE run.stored_at IS NOT NULL)
                           OVER (PARTITION BY run.connection_id, run.endpoint)
                           AS asked_until
                  FROM copaco_run run
                  JOIN copaco_connection connection
                    ON connection.id = run.connection_id
                   AND connection.origin = run.origin
                 WHERE run.kind = %(kind)s AND run.started_at IS NOT NULL
            )
            SELECT run.connection_id, day::date AS day,
                   bool_or(run.stored_at IS NOT NULL) AS is_stored,
                   bool_or(run.stored_at IS NOT NULL AND day < run.started_on)
                       AS is_whole
              FROM source_run run
        CROSS JOIN LATERAL generate_series(
                       run.date_from,
                       LEAST(run.date_to, run.started_on,
                             CASE WHEN NOT run.is_own
                                  THEN run.asked_until - interval '1 month' END),
                       interval '1 day'
                   ) day
          GROUP BY 1, 2
            """,
            kind=kind,
            endpoint=SQL("%s", KINDS[kind].endpoint)
            if KINDS[kind].endpoint
            else SQL(
                "CASE connection.source %s END",
                SQL(" ").join(
                    SQL("WHEN %s THEN %s", *item) for item in SOURCES.items()
                ),
            ),
            started=SQL(
                "(run.started_at AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
                COPACO_TIME_ZONE,
            ),
        )

    def _extend_to_creation_days(self, connection, start, end, kind):
        """A window that has only some of the days on which a document may have been
        created can't tell whether it is still at Copaco.

        :return: `start`, or an earlier day from which on one response tells it
        """
        ((created_from,),) = self.env["copaco.document"]._read_group(
            [
                ("connection_id", "=", connection.id),
                ("kind", "=", kind),
                ("created_origin", "=", connection.origin),
                (
                    "created_endpoint",
                    "=",
                    KINDS[kind].get_endpoint(connection.source),
                ),
                ("created_from", "<", start),
                ("created_to", ">=", start),
                ("created_from", ">=", get_chunk_start(end)),
            ],
            aggregates=["created_from:min"],
        )
        return created_from or start

    def _update_fetched_until(self, connection, kind=DEFAULT_KIND):
        """Note on a connection until when all of a kind is stored, without a gap."""
        name = KINDS[kind].fetched_until
        start = self._get_window_start(connection, kind=kind)
        until = start - timedelta(days=1)
        if start > self._get_import_from(connection) and (
            not connection[name] or until > connection[name]
        ):
            connection.sudo()[name] = until


def get_chunk_start(end):
    """:return: the first day of the longest window that ends on a day"""
    return end - relativedelta(months=1, days=-1)
