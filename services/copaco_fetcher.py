import gzip
import hashlib
import logging
import time
from contextlib import contextmanager
from random import getrandbits

from psycopg2.errors import UniqueViolation

from odoo import fields, models
from odoo.sql_db import db_connect
from odoo.tools import LazyTranslate

from ..client import (
    ENDPOINTS,
    CopacoClient,
    CopacoError,
    InvalidResponseError,
    TimedOutError,
    is_markup,
    parse_documents,
)
from ..const import BUTTON_GRACE_SECONDS, CONCURRENCY_ATTEMPTS
from ..exceptions import RETRYABLE_ERRORS
from ..tools import render_message

_lt = LazyTranslate(__name__)

# How much longer than to keep a response it takes to store its documents, at most: on
# machines with much else to do both are slow. 28 to 36 times were measured.
STORING_TO_KEEPING = 60

_logger = logging.getLogger(__name__)


class CopacoFetcher(models.AbstractModel):
    """Copaco is asked, and what it sends is kept and stored, each in a transaction of
    its own."""

    _name = "copaco.fetcher"
    _description = "Copaco Fetcher"

    def _fetch(self, run, deadline=None):
        """Ask Copaco for a run's window and store the response; commits."""
        time_limit = deadline and max(deadline - time.monotonic(), 1)
        try:
            with self._get_client(run.connection_id, time_limit) as client:
                request = run.endpoint, run.date_from, run.date_to
                # No transaction is open while the network is waited for: promise 10 in
                # doc/how_it_works.rst.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                raw = client.fetch(*request)
        except CopacoError as error:
            if deadline and isinstance(error, TimedOutError):
                # Slow is not failed: the background has more time than a person.
                self.env["copaco.background"]._postpone(run)
            else:
                self._fail(run, error)
            return
        self._receive(run, raw, deadline)

    def _get_client(self, connection, time_limit=None):
        """:param connection: `copaco.connection`
        :param time_limit: seconds that one response may take in all
        :return: a `CopacoClient` with the key of a connection, to be used in `with`
        :raise RejectedError: when the key or the address can't be used
        """
        options = {"time_limit": time_limit} if time_limit else {}
        return CopacoClient(
            connection.base_url,
            self.env["copaco.key.store"]._read(connection),
            auth_method=connection.auth_method,
            auth_name=connection.auth_name or "",
            paths={name: connection[f"{name}_path"] for name in ENDPOINTS},
            **options,
        )

    def _receive(self, run, raw, deadline=None):
        """Store a response: first as it was received, then as documents; commits.

        :param raw: the bytes that Copaco sent
        :param deadline: `time.monotonic()` by which the documents have to be stored, or
            are in the background
        """
        digest = hashlib.sha256(raw).hexdigest()
        importer = self.env["copaco.importer"]
        if not self._commit_with_retry(run, importer._import_unchanged, digest):
            started = time.monotonic()
            self._commit_with_retry(run, self._keep, raw, digest)
            now = time.monotonic()
            end = now + (now - started) * STORING_TO_KEEPING
            if deadline and end > deadline + BUTTON_GRACE_SECONDS:
                self.env["copaco.background"]._postpone(run)
            else:
                self._store_kept(run)

    def _keep(self, run, raw, digest):
        suffix = "xml" if is_markup(raw) else "json"
        run.payload_id = self.env["ir.attachment"].create(
            {
                "name": f"copaco-{run.kind}-{run.id}.{suffix}.gz",
                # Never the same bytes twice: Odoo names a file by its content, and
                # refuses one that another worker is writing or a kill left unfinished.
                "raw": gzip.compress(raw, compresslevel=6, mtime=getrandbits(32)),
                "mimetype": "application/gzip",
                "res_model": run._name,
                "res_id": run.id,
            }
        )
        run.payload_size = len(raw)
        run.payload_digest = digest

    def _store_kept(self, run):
        """Store the response that was kept as documents; commits. It is read from where
        it is kept, so that it is not in memory twice."""
        if not run.payload_id:
            self._fail(
                run,
                _lt(
                    "The response of run %(run)s of connection %(connection)s is not "
                    "kept any more. Fetch it, or upload the file, again.",
                    run=run,
                    connection=run.connection_id.name,
                ),
            )
            return
        try:
            response = parse_documents(gzip.decompress(run.payload_id.raw))
            with self._storing_alone(run):
                self._commit_with_retry(
                    run, self.env["copaco.importer"]._import, response
                )
        except InvalidResponseError as error:
            self.env.cr.rollback()
            self._fail(run, error)
        except UniqueViolation:
            self._fail(
                run,
                _lt(
                    "Run %(run)s of connection %(connection)s could not store its "
                    "response because others were storing at the same time. Fetch "
                    "again.",
                    run=run,
                    connection=run.connection_id.name,
                ),
            )

    @contextmanager
    def _storing_alone(self, run):
        """Let nobody else store documents of the same companies in this block: two who
        fetch the same at the same moment would both insert it, and the database's
        refusal of the second would be logged with all that it was to insert.
        """
        # Held by a transaction of its own, whatever becomes of the one that stores.
        with db_connect(self.env.cr.dbname).cursor() as lock:
            lock.execute(
                "SELECT pg_advisory_xact_lock(hashtext('copaco_document'), %s)",
                [run.company_id.root_id.id],
            )
            # What the others have stored is to be seen.
            self.env.cr.commit()  # pylint: disable=invalid-commit
            yield

    def _commit_with_retry(self, run, step, *arguments):
        """Take a step of a run and commit; as long as other transactions conflict, such
        as by storing the same documents or removing an old response, take it again with
        what they left.

        :return: what the step returns
        :raise: one of `RETRYABLE_ERRORS`, when they always do
        """
        for attempt in range(1, CONCURRENCY_ATTEMPTS + 1):
            try:
                result = step(run, *arguments)
                self.env.cr.commit()  # pylint: disable=invalid-commit
                return result
            except RETRYABLE_ERRORS as error:
                self.env.cr.rollback()
                _logger.info(
                    "Copaco run %s: concurrent update (%s)", run.id, type(error)
                )
                if attempt == CONCURRENCY_ATTEMPTS:
                    raise

    def _fail(self, run, error):
        """:param error: a `CopacoError`, or a message"""
        if isinstance(error, CopacoError):
            _logger.warning("Copaco run %s failed: %s", run.id, error)
            error = run._get_error_message(error)
        run.write(
            {
                "state": "failed",
                "message": error,
                "finished_at": fields.Datetime.now(),
            }
        )
        run._message_log(body=render_message(self.env, error))
