import time
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import BUTTON_SECONDS

# Copaco's own default window (kb: billing-api-s) is three months back.
FIRST_WINDOW_MONTHS = 3
# Copaco creates its invoices in Dutch time, wherever this server stands.
COPACO_TIME_ZONE = "Europe/Amsterdam"
# Copaco's platform is younger (kb: versioning).
FIRST_DAY = date(2015, 1, 1)


class CopacoConnection(models.Model):
    """What is asked of Copaco, when, and for how long a person waits for it."""

    _inherit = "copaco.connection"

    # === ACTION METHODS === #

    def action_fetch(self):
        """Fetch everything since the last fetch and make its invoices.

        It works for as long as a person can be kept waiting; the rest goes on in the
        background.

        :return: a notification that says what was done, with a link to the runs
        :raise UserError: when a fetch failed; what other connections brought stays
        """
        return self._fetch_now()

    @api.model
    def action_fetch_all(self):
        """`action_fetch` on every active connection of the user's companies."""
        self._check_may_fetch()
        connections = self.search(
            # On a contact's invoices the client asks to see what is archived, too.
            [("company_id", "in", self.env.companies.ids), ("active", "=", True)]
        )
        if not connections:
            raise UserError(
                self.env._(
                    "There is no Copaco connection for %(companies)s yet. An "
                    "accounting administrator makes one under Invoicing, "
                    "Configuration, Copaco, Connections.",
                    companies=", ".join(self.env.companies.mapped("name")),
                )
            )
        # One that is not set up yet must not keep the others from being fetched.
        return (connections.filtered("api_key_hint") or connections)._fetch_now()

    # === BUSINESS METHODS === #

    @api.model
    def _check_may_fetch(self):
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(
                self.env._(
                    "Only users with invoicing rights fetch Copaco invoices. Ask your "
                    "administrator for the Invoicing right."
                )
            )

    @api.model
    def _get_first_window_start(self):
        """:return: where the first fetch begins when nobody said"""
        return self._get_today() - relativedelta(months=FIRST_WINDOW_MONTHS)

    def _get_import_from(self):
        return max(self.import_from or self._get_first_window_start(), FIRST_DAY)

    def _get_today(self):
        return fields.Date.context_today(self.with_context(tz=COPACO_TIME_ZONE))

    def _get_chunks(self, date_from=None, date_to=None):
        """Cut a window into parts that Copaco is asked for one by one.

        :param date_from: first creation date, inclusive; none: the oldest that
            was never stored, less the overlap
        :param date_to: last creation date, inclusive; none: today
        :return: list of (first date, last date), each of at most a month, oldest
            first; empty when the window lies in the future
        """
        self.ensure_one()
        start = max(date_from or self._get_window_start(), FIRST_DAY)
        end = min(date_to or date.max, self._get_today())
        if not date_from and self.fetched_until:
            start -= timedelta(days=1 + self.overlap_days)
            # Someone may have fetched what follows a day that was not over yet.
            start = min(start, self._get_window_start(whole=True))
            start = self._reach_back(start, end)
        chunks = []
        # Counted from the end, so that the newest chunk is a whole month.
        while start <= end:
            chunk_start = max(get_chunk_start(end), start)
            chunks.insert(0, (chunk_start, end))
            end = chunk_start - timedelta(days=1)
        return chunks

    def _create_runs(self, trigger, date_from=None, date_to=None):
        """Prepare the runs of a window, one for each of its chunks.

        :param trigger: `scheduled` or `manual`
        :param date_from: see `_get_chunks`
        :param date_to: see `_get_chunks`
        :return: the `copaco.run` records, waiting
        """
        vals_list = []
        for connection in self:
            chunks = connection._get_chunks(date_from, date_to)
            if not date_from and not connection.import_from:
                # From now on it is known what has to be there.
                connection.sudo().import_from = connection._get_import_from()
            vals_list += [
                {
                    "connection_id": connection.id,
                    "trigger": trigger,
                    "origin": connection.origin,
                    "date_from": chunk_start,
                    "date_to": chunk_end,
                }
                for chunk_start, chunk_end in chunks
            ]
        return self.env["copaco.run"].sudo().create(vals_list)

    def _check_ready(self):
        """:raise UserError: when there is no use in asking Copaco anything"""
        self.ensure_one()
        if not self.active:
            raise UserError(
                self.env._(
                    "Connection %(connection)s is archived. Restore it first.",
                    connection=self.name,
                )
            )
        if not self.api_key_hint:
            raise UserError(
                self.env._(
                    "Connection %(connection)s has no API key yet. Press Set API "
                    "key… on the connection.",
                    connection=self.name,
                )
            )

    def _fetch_now(self, date_from=None, date_to=None):
        """Fetch and process while a person waits; see `action_fetch`."""
        self._check_may_fetch()
        self.check_access("read")
        deadline = time.monotonic() + BUTTON_SECONDS
        for connection in self:
            connection._check_ready()
        runs = self._create_runs("manual", date_from, date_to)
        if not runs:
            raise self._get_future_error()
        runs.env.cr.commit()  # pylint: disable=invalid-commit # DESIGN promise 10
        runs._execute(deadline)
        return runs.exists()._finish_now(deadline)

    def _get_future_error(self):
        return UserError(
            self.env._(
                "There is nothing to ask Copaco for: the period lies in the future. "
                "Choose another one."
            )
        )

    def _receive_files(self, kind, raws):
        """Store answers that came as files, by the same door as fetched ones.

        :param kind: a value of `copaco.run.kind`
        :param raws: dict of bytes by file name
        :return: see `action_fetch`
        :raise UserError: when one can't be read; what the others held stays
        """
        self.ensure_one()
        self._check_may_fetch()
        self.check_access("read")
        deadline = time.monotonic() + BUTTON_SECONDS
        runs = self.env["copaco.run"].sudo()
        for file_name, raw in raws.items():
            run = runs.create(
                {
                    "connection_id": self.id,
                    "kind": kind,
                    "trigger": "file",
                    "file_name": file_name,
                    "started_at": fields.Datetime.now(),
                }
            )
            run.env.cr.commit()  # pylint: disable=invalid-commit # it can fail now
            run._attempt(run._receive, raw)
            runs += run
        return runs._finish_now(deadline)

    # === CRON METHODS === #

    @api.model
    def _cron_fetch(self):
        """Plan to fetch everything new of every active connection."""
        # Whoever is the user of the scheduled action, it works: Odoo would switch one
        # off that fails for a week.
        self = self.sudo()
        waiting = self.env["copaco.run"].search(
            self.env["copaco.run"]._get_waiting_domain()
        )
        connections = self.search([("active", "=", True)]) - waiting.connection_id
        connections._create_runs("scheduled")
        # Odoo repeats a scheduled action that isn't done in time: what makes runs must
        # not also carry them out.
        self.env.ref("account_copaco.ir_cron_run")._trigger()


def get_chunk_start(end):
    """:return: the first day of the longest window that ends on a day"""
    return end - relativedelta(months=1, days=-1)
