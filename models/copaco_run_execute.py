import gzip
import hashlib
import logging
import time
from datetime import timedelta
from random import getrandbits

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models

from ..client import (
    CopacoError,
    InvalidResponseError,
    TimedOutError,
    is_markup,
    parse_documents,
)
from .trouble import COLLISIONS, IN_THE_WAY, get_trouble

_logger = logging.getLogger(__name__)

# A run that began longer ago and has stored nothing was interrupted: no answer may
# take this long (client/client.py), so it is safe to begin again.
INTERRUPTED_AFTER = timedelta(minutes=30)
# Two workers that store the same documents collide at most once per worker.
STORE_ATTEMPTS = 5


class CopacoRun(models.Model):
    """How runs are carried out: Copaco is asked, and what it sends is kept and stored,
    each in a transaction of its own."""

    _inherit = "copaco.run"

    # === BUSINESS METHODS === #

    @api.model
    def _get_waiting_domain(self):
        return [
            ("state", "=", "running"),
            ("stored_at", "=", False),
            "|",
            ("started_at", "=", False),
            ("started_at", "<", fields.Datetime.now() - INTERRUPTED_AFTER),
        ]

    def _execute(self, deadline=None):
        """Fetch and store these runs, oldest first, and commit after each.

        When one fails, the later runs of its connection are dropped: nothing was
        asked for yet, and the next fetch begins at the same place.

        :param deadline: `time.monotonic()` after which what is left goes on in the
            background
        """
        cron = self.env["ir.cron"]
        failed_connections = self.env["copaco.connection"]
        for run in self:
            if deadline and time.monotonic() > deadline:
                self.env.ref("account_copaco.ir_cron_run")._trigger()
                break
            # Those that could not be dropped wait for the background.
            if run.exists().connection_id in failed_connections or not run._claim():
                cron._commit_progress(1)
                continue
            if run.trigger == "file":
                run._attempt(run._store_kept)
            else:
                run._attempt(run._fetch, deadline)
            # What became of it is kept, whatever the rest collides with.
            self.env.cr.commit()  # pylint: disable=invalid-commit
            if run.state == "failed":
                failed_connections |= run.connection_id
                self._drop_later(run)
            self.env["copaco.document"]._refresh_progress(run, run.connection_id)
            if not cron._commit_progress(1):
                self.env.ref("account_copaco.ir_cron_run")._trigger()
                break

    def _drop_later(self, run):
        """Drop those of these runs that were to follow a failed one; commits."""
        later = (
            (self - run)
            .exists()
            .filtered(
                lambda other: (
                    other.connection_id == run.connection_id and not other.started_at
                )
            )
        )
        try:
            later.try_lock_for_update().unlink()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except COLLISIONS:
            # Another worker drops or carries them out.
            self.env.cr.rollback()

    def _claim(self):
        """Take this run, unless it is gone or another worker has it; commits.

        :return: whether it was taken
        """
        self.ensure_one()
        try:
            run = self.try_lock_for_update().filtered_domain(self._get_waiting_domain())
            run.started_at = fields.Datetime.now()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except COLLISIONS:
            self.env.cr.rollback()
            return False
        return bool(run)

    def _attempt(self, step, *arguments):
        """Take a step of this run; an error that nobody foresaw fails this run, and
        stops no other."""
        self.ensure_one()
        try:
            step(*arguments)
        except COLLISIONS as error:
            # Someone else was writing here: the background takes it up again.
            self.env.cr.rollback()
            _logger.info("Copaco run %s collided: %s", self.id, type(error))
            self.started_at = False
            self.env.ref("account_copaco.ir_cron_run")._trigger()
        except (OSError, OperationalError) as error:
            self.env.cr.rollback()
            _logger.exception("Copaco run %s could not be stored", self.id)
            self._fail(
                self.env._(
                    "Run %(run)s of connection %(connection)s failed, because this "
                    "server could not store what came: %(error)s. Ask your "
                    "administrator to mend that, then fetch again.",
                    run=self.name,
                    connection=self.connection_id.name,
                    error=get_trouble(error),
                )
            )
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Copaco run %s came to an unexpected error", self.id)
            self._fail(
                self.env._(
                    "Run %(run)s of connection %(connection)s came to an unexpected "
                    "error. Fetch again; if it stays, send the server's log to whoever "
                    "maintains this addon, with the answer if the run has one.",
                    run=self.name,
                    connection=self.connection_id.name,
                )
            )

    def _fetch(self, deadline=None):
        """Ask Copaco for this run's window and store what comes; commits."""
        if self._download(deadline):
            self._store_kept()

    def _download(self, deadline):
        """Ask Copaco for this run's window; commits.

        :return: see `_keep_news`
        """
        self.ensure_one()
        time_limit = deadline and max(deadline - time.monotonic(), 1)
        try:
            with self.connection_id._get_client(time_limit) as client:
                request = self.kind, self.date_from, self.date_to
                # No transaction is open while the network is waited for (promise 10).
                self.env.cr.commit()  # pylint: disable=invalid-commit
                raw = client.fetch(*request)
        except CopacoError as error:
            if deadline and isinstance(error, TimedOutError):
                # Slow is not failed: the background has more time than a person.
                self.started_at = False
                self.env.ref("account_copaco.ir_cron_run")._trigger()
            else:
                self._fail(error)
            return False
        return self._keep_news(raw)

    def _fail(self, error):
        """:param error: a `CopacoError`, or a text for a person"""
        if isinstance(error, CopacoError):
            _logger.warning("Copaco run %s failed: %s", self.id, error)
            error = self._get_error_message(error)
        self.write(
            {
                "state": "failed",
                "message": error,
                "finished_at": fields.Datetime.now(),
            }
        )
        self._message_log(body=error)

    def _get_error_message(self, error):
        """:param error: a `CopacoError`
        :return: what happened to this run and what to do, for a person
        """
        if self.trigger != "file":
            return self.connection_id._get_error_message(error)
        return self.env._(
            "File %(file)s for connection %(connection)s: %(error)s Save it again, as "
            "it came from Copaco, and upload it again.",
            file=self.name,
            connection=self.connection_id.name,
            error=error,
        )

    def _receive(self, raw):
        """Store an answer: first as it came, then as documents; commits.

        :param raw: the bytes that Copaco sent
        """
        if self._keep_news(raw):
            self._store_kept()

    def _keep_news(self, raw):
        """Keep an answer as it came; one that is known is stored at once. Commits.

        :return: whether it has to be stored as documents
        """
        self.ensure_one()
        digest = hashlib.sha256(raw).hexdigest()
        if self._commit_at_last(self._store_same, digest):
            return False
        self._commit_at_last(self._keep, raw, digest)
        return True

    def _keep(self, raw, digest):
        suffix = "xml" if is_markup(raw) else "json"
        self.payload_id = self.env["ir.attachment"].create(
            {
                "name": f"copaco-{self.kind}-{self.id}.{suffix}.gz",
                # Never the same bytes twice: Odoo names a file by its content, and
                # refuses one that another worker is writing or a kill left unfinished.
                "raw": gzip.compress(raw, compresslevel=6, mtime=getrandbits(32)),
                "mimetype": "application/gzip",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        self.payload_size = len(raw)
        self.payload_digest = digest

    def _store_kept(self):
        """Store the answer that was kept as documents; commits. It is read from where
        it is kept, so that it is not in memory twice."""
        self.ensure_one()
        if not self.payload_id:
            self._fail(
                self.env._(
                    "What came for run %(run)s of connection %(connection)s is not "
                    "kept any more. Fetch it, or upload the file, again.",
                    run=self.name,
                    connection=self.connection_id.name,
                )
            )
            return
        try:
            response = parse_documents(gzip.decompress(self.payload_id.raw))
            self._commit_at_last(self._store, response)
        except InvalidResponseError as error:
            self.env.cr.rollback()
            self._fail(error)
        except UniqueViolation:
            self._fail(
                self.env._(
                    "Run %(run)s of connection %(connection)s could not store its "
                    "answer because others were storing at the same time. Fetch again.",
                    run=self.name,
                    connection=self.connection_id.name,
                )
            )

    def _commit_at_last(self, step, *arguments):
        """Take a step of this run and commit; as long as other workers get in the way,
        such as by storing the same documents or removing an old answer, take it again
        with what they left.

        :return: what the step returns
        :raise: one of the errors of `IN_THE_WAY`, when they always do
        """
        for attempt in range(1, STORE_ATTEMPTS + 1):
            try:
                result = step(*arguments)
                self.env.cr.commit()  # pylint: disable=invalid-commit
                return result
            except IN_THE_WAY as error:
                self.env.cr.rollback()
                _logger.info("Copaco run %s collided: %s", self.id, type(error))
                if attempt == STORE_ATTEMPTS:
                    raise

    # === CRON METHODS === #

    @api.model
    def _cron_execute(self):
        """Go on with what a person did not wait for, or what was interrupted."""
        self = self.sudo()
        runs = self.search(self._get_waiting_domain(), order="date_from, id")
        self.env["ir.cron"]._commit_progress(remaining=len(runs))
        runs._execute()
        self.env.ref("account_copaco.ir_cron_process")._trigger()
