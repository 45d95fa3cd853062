import logging
import time
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..const import BUTTON_SECONDS, MANAGER_GROUP
from ..exceptions import CONCURRENCY_ERRORS, describe_system_error

_lt = LazyTranslate(__name__)

_logger = logging.getLogger(__name__)

# A run that began longer ago and has stored nothing was interrupted: no response may
# take this long (`client.TIME_LIMIT`), so it is safe to begin again.
INTERRUPTED_AFTER = timedelta(minutes=30)


class CopacoRunScheduler(models.AbstractModel):
    """Plans runs and carries them out, while a person waits or in the background."""

    _name = "copaco.run.scheduler"
    _description = "Copaco Run Scheduler"

    # === WHILE A PERSON WAITS === #

    def _fetch_now(self, connections, date_from=None, date_to=None, kinds=None):
        """Fetch and process while a person waits.

        :param connections: `copaco.connection` records
        :param date_from: see `copaco.fetch.window._get_chunks`
        :param date_to: see `copaco.fetch.window._get_chunks`
        :param kinds: see `_create_runs`
        :return: see `copaco.fetch.notification._get_notification`
        :raise UserError: when a fetch of every connection failed; what they received
            is kept
        """
        deadline = time.monotonic() + BUTTON_SECONDS
        connections._check_billing_access()
        # From here on the addon acts, and not the person.
        self, connections = self.sudo(), connections.sudo()
        for connection in connections:
            self._check_ready(connection)
        runs = self._create_runs(connections, "manual", date_from, date_to, kinds)
        if not runs:
            raise self._get_future_error()
        # Promise 10 in doc/how_it_works.rst.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self._execute(runs, deadline)
        return self._finish_now(runs.exists(), deadline)

    def _fetch_all(self):
        """See `copaco.connection.action_fetch_all`.

        :return: see `_fetch_now`; the dialog that sets a connection up when none is
        :raise UserError: when none is, and the user may not do that
        """
        connections = self.env["copaco.connection"]
        connections._check_billing_access()
        connections = connections.search(
            # On a contact's invoices the client asks to see what is archived, too.
            [("company_id", "in", self.env.companies.ids), ("active", "=", True)]
        )
        # One that is not set up yet must not keep the others from being fetched.
        ready = connections.filtered("can_fetch")
        if not ready:
            if not self.env.user.has_group(MANAGER_GROUP):
                raise UserError(
                    self.env._(
                        "No Copaco connection of %(companies)s is set up yet. An "
                        "accounting administrator does that under Invoicing, "
                        "Configuration, Copaco, Set-up.",
                        companies=", ".join(self.env.companies.mapped("name")),
                    )
                )
            return self.env["ir.actions.server"]._for_xml_id(
                "account_copaco.action_copaco_setup"
            )
        return self._fetch_now(ready)

    def _fetch_again(self, document):
        """See `copaco.document.action_fetch_again`."""
        document.ensure_one()
        if not document.created_to:
            raise UserError(
                self.env._(
                    "%(document)s was uploaded as a file, so it isn't known when "
                    "Copaco created it. Use Fetch period… on connection "
                    "%(connection)s.",
                    document=document.name,
                    connection=document.connection_id.name,
                )
            )
        return self._fetch_now(
            self.env["copaco.replacement"]._get_active(document.connection_id),
            document.created_from,
            document.created_to,
            [document.kind],
        )

    def _receive_files(self, connection, kind, files):
        """Store responses that were uploaded, by the same door as fetched ones.

        :param connection: a `copaco.connection`
        :param kind: a value of `copaco.run.kind`
        :param files: dict of bytes by file name
        :return: see `_fetch_now`
        :raise UserError: when one can't be read; what the others held is kept
        """
        deadline = time.monotonic() + BUTTON_SECONDS
        connection._check_billing_access()
        self = self.sudo()
        runs = self.env["copaco.run"]
        for file_name, raw in files.items():
            run = runs.create(
                {
                    "connection_id": connection.id,
                    "kind": kind,
                    "trigger": "file",
                    "file_name": file_name,
                    "started_at": fields.Datetime.now(),
                }
            )
            self.env.cr.commit()  # pylint: disable=invalid-commit # it can fail now
            self._attempt(run, self.env["copaco.fetcher"]._receive, raw, deadline)
            self.env["copaco.activity.monitor"]._refresh_progress(run)
            runs += run
        return self._finish_now(runs, deadline)

    def _finish_now(self, runs, deadline):
        """Process what runs received while a person waits; see `_fetch_now`."""
        # Only what these runs received; the rest belongs to the scheduled action.
        documents = runs.document_ids | runs.version_ids.document_id
        self.env["copaco.processor"]._process_waiting(documents, deadline)
        if any(documents.connection_id.mapped("fetch_purchases")):
            # Margins are compared while nobody waits.
            self.env["copaco.background"]._continue_invoicing()
        return self.env["copaco.fetch.notification"]._get_notification(runs)

    def _get_future_error(self):
        return UserError(
            self.env._(
                "There is nothing to ask Copaco for: the period lies in the future. "
                "Choose another one."
            )
        )

    def _check_ready(self, connection):
        """:raise UserError: when there is no use in asking Copaco anything"""
        if not connection.active:
            raise UserError(
                self.env._(
                    "Connection %(connection)s is archived. Restore it first.",
                    connection=connection.name,
                )
            )
        if not connection.api_key_hint:
            raise UserError(
                self.env._(
                    "Connection %(connection)s has no API key yet. Press Set API "
                    "key… on the connection.",
                    connection=connection.name,
                )
            )

    # === RUNS === #

    def _create_runs(
        self, connections, trigger, date_from=None, date_to=None, kinds=None
    ):
        """Prepare the runs of a window, one for each of its chunks.

        :param trigger: `scheduled` or `manual`
        :param kinds: of what is asked for; by default, all that a connection fetches
        :return: the `copaco.run` records, waiting
        """
        window = self.env["copaco.fetch.window"]
        vals_list = []
        for connection in connections:
            if not date_from and not connection.import_from:
                # From now on it is known what has to be there.
                connection.import_from = window._get_import_from(connection)
            vals_list += [
                {
                    "connection_id": connection.id,
                    "kind": kind,
                    "trigger": trigger,
                    "origin": connection.origin,
                    "date_from": chunk_start,
                    "date_to": chunk_end,
                }
                for kind in kinds or connection._get_fetched_kinds()
                for chunk_start, chunk_end in window._get_chunks(
                    connection, date_from, date_to, kind
                )
            ]
        return self.env["copaco.run"].create(vals_list)

    def _get_waiting_domain(self):
        return [
            ("state", "=", "running"),
            ("stored_at", "=", False),
            "|",
            ("started_at", "=", False),
            ("started_at", "<", fields.Datetime.now() - INTERRUPTED_AFTER),
        ]

    def _plan_scheduled_runs(self):
        """Plan to fetch everything new of every active connection."""
        waiting = self.env["copaco.run"].search(self._get_waiting_domain())
        connections = self.env["copaco.connection"].search([("active", "=", True)])
        self._create_runs(connections - waiting.connection_id, "scheduled")
        # Odoo repeats a scheduled action that isn't done in time: what makes runs must
        # not also carry them out.
        self.env["copaco.background"]._continue_fetching()

    def _resume(self):
        """Carry out the runs that a person did not wait for, or that were
        interrupted."""
        runs = self.env["copaco.run"].search(
            self._get_waiting_domain(), order="date_from, id"
        )
        self.env["ir.cron"]._commit_progress(remaining=len(runs))
        self._execute(runs)
        self.env["copaco.background"]._continue_invoicing()
        self.env["copaco.activity.monitor"]._check_overdue()

    def _execute(self, runs, deadline=None):
        """Fetch and store runs, oldest first, and commit after each.

        When one fails, the later runs of its connection and kind are dropped: nothing
        was asked for yet, and the next fetch begins at the same place.

        :param deadline: `time.monotonic()` after which what is left goes on in the
            background
        """
        cron, fetcher = self.env["ir.cron"], self.env["copaco.fetcher"]
        failed = set()
        # Odoo calls a scheduled action some times more after its time.
        end = deadline or self.env.context.get("cron_end_time")
        for run in runs:
            if end and time.monotonic() > end:
                self.env["copaco.background"]._continue_fetching()
                break
            # Those that could not be dropped wait for the background.
            if not run.exists() or _get_source(run) in failed or not self._claim(run):
                cron._commit_progress(1)
                continue
            if run.trigger == "file" or run.payload_id:
                self._attempt(run, fetcher._store_kept)
            else:
                self._attempt(run, fetcher._fetch, deadline)
            try:
                # What became of it is kept, whatever the rest conflicts with.
                self.env.cr.commit()  # pylint: disable=invalid-commit
            except CONCURRENCY_ERRORS as error:
                # It counts as interrupted, and is taken up again.
                self.env.cr.rollback()
                _logger.info("Copaco run %s: concurrent update (%s)", run.id, error)
                self.env["copaco.background"]._continue_fetching()
            if run.state == "failed":
                failed.add(_get_source(run))
                self._drop_later(runs, run)
            self.env["copaco.activity.monitor"]._refresh_progress(run)
            if not cron._commit_progress(1):
                self.env["copaco.background"]._continue_fetching()
                break

    def _drop_later(self, runs, failed_run):
        """Drop those of these runs that were to follow a failed one; commits."""
        later = (
            (runs - failed_run)
            .exists()
            .filtered(
                lambda run: (
                    _get_source(run) == _get_source(failed_run) and not run.started_at
                )
            )
        )
        try:
            later.try_lock_for_update().unlink()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            # Another worker drops or carries them out.
            self.env.cr.rollback()

    def _claim(self, run):
        """Take a run, unless it was dropped or another worker has it; commits.

        :return: whether it was taken
        """
        try:
            claimed = run.try_lock_for_update().filtered_domain(
                self._get_waiting_domain()
            )
            claimed.started_at = fields.Datetime.now()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            self.env.cr.rollback()
            return False
        return bool(claimed)

    def _attempt(self, run, step, *arguments):
        """Take a step of a run; an error that nobody foresaw fails this run, and stops
        no other."""
        try:
            step(run, *arguments)
        except CONCURRENCY_ERRORS as error:
            # Someone else was writing here: the background takes it up again.
            self.env.cr.rollback()
            _logger.info("Copaco run %s: concurrent update (%s)", run.id, type(error))
            self.env["copaco.background"]._postpone(run)
        except (OSError, OperationalError) as error:
            self.env.cr.rollback()
            _logger.exception("Copaco run %s could not be stored", run.id)
            self.env["copaco.fetcher"]._fail(
                run,
                _lt(
                    "Run %(run)s of connection %(connection)s failed, because this "
                    "server could not store the response: %(error)s. Ask your "
                    "administrator to solve that, then fetch again.",
                    run=run,
                    connection=run.connection_id.name,
                    error=describe_system_error(error),
                ),
            )
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Copaco run %s: unexpected error", run.id)
            self.env["copaco.fetcher"]._fail(
                run,
                _lt(
                    "Run %(run)s of connection %(connection)s failed with an "
                    "unexpected error. Fetch again; if it stays, send the server's log "
                    "to whoever maintains this addon, with the response if the run has "
                    "one.",
                    run=run,
                    connection=run.connection_id.name,
                ),
            )


def _get_source(run):
    """:return: what a run asks whom for"""
    return run.connection_id, run.kind
