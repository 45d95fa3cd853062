import gzip
import hashlib
import logging
import time
from datetime import timedelta
from random import getrandbits

from dateutil.relativedelta import relativedelta
from psycopg2 import OperationalError
from psycopg2.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..client import CopacoError, InvalidResponseError, TimedOutError
from ..client.answer import is_markup
from ..client.documents import parse_documents

_logger = logging.getLogger(__name__)

# What another worker's transaction causes: the same may work the next time.
COLLISIONS = (SerializationFailure, DeadlockDetected, LockNotAvailable)
# They also store what is to be stored here, or remove what it builds on.
IN_THE_WAY = (*COLLISIONS, UniqueViolation, ForeignKeyViolation)

# A run that began longer ago and has stored nothing was interrupted: no answer may
# take this long (client/api.py), so it is safe to begin again.
INTERRUPTED_AFTER = timedelta(minutes=30)
# Two workers that store the same documents collide at most once per worker.
STORE_ATTEMPTS = 5
# Answers removed in one step of Odoo's autovacuum.
VACUUM_SIZE = 100


def get_trouble(error):
    """:param error: an `OSError`, or an `OperationalError` of the database
    :return: what the server had, in its own words, without the name of a file
    """
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]


class CopacoRun(models.Model):
    _name = "copaco.run"
    _inherit = ["mail.thread"]
    _description = "Copaco Run"
    _mail_post_access = "read"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        related="connection_id.company_id", store=True, index=True
    )
    kind = fields.Selection(
        [
            ("specification", "Customer specifications"),
            ("purchase", "Purchase invoices"),
        ],
        required=True,
        default="specification",
    )
    trigger = fields.Selection(
        [
            ("scheduled", "Scheduled"),
            ("manual", "By hand"),
            ("file", "File"),
        ],
        required=True,
        default="manual",
    )
    file_name = fields.Char(string="File", readonly=True)
    origin = fields.Char(string="Portal", readonly=True)
    date_from = fields.Date(help="First creation date asked for.")
    date_to = fields.Date(help="Last creation date asked for, inclusive.")
    started_at = fields.Datetime(readonly=True)
    stored_at = fields.Datetime(
        readonly=True, help="When everything that came had been stored."
    )
    finished_at = fields.Datetime(readonly=True)
    state = fields.Selection(
        [
            ("running", "Running"),
            ("done", "Done"),
            ("attention", "Needs attention"),
            ("failed", "Failed"),
            ("empty", "Nothing came"),
        ],
        required=True,
        readonly=True,
        default="running",
        index=True,
    )
    message = fields.Text(readonly=True)
    payload_id = fields.Many2one(
        "ir.attachment",
        string="Answer",
        readonly=True,
        help="What Copaco sent, as it came, compressed.",
    )
    payload_size = fields.Integer(
        string="Size in Bytes", readonly=True, help="Before compression."
    )
    document_ids = fields.One2many("copaco.document", "run_id")
    version_ids = fields.One2many("copaco.document.version", "run_id")

    rejected_count = fields.Integer(
        string="Unreadable Invoices",
        readonly=True,
        help="Invoices of which not even the number could be read.",
    )
    rejected_payload = fields.Text(string="Unreadable Text", readonly=True)
    is_unread = fields.Boolean(
        string="Waits to Be Acknowledged",
        readonly=True,
        help="Someone has to look at the unreadable invoices.",
    )
    progress = fields.Float(compute="_compute_progress", help="In percent.")

    # === COMPUTE METHODS === #

    @api.depends("date_from", "date_to", "file_name")
    def _compute_name(self):
        for run in self:
            period = " – ".join(
                format_date(self.env, day)
                for day in (run.date_from, run.date_to)
                if day
            )
            run.name = run.file_name or period

    @api.depends("stored_at", "waiting_count", "new_count")
    def _compute_progress(self):
        for run in self:
            if not run.stored_at:
                run.progress = 0
            elif not run.new_count:
                run.progress = 100
            else:
                run.progress = 100 * (1 - run.waiting_count / run.new_count)

    # === ACTION METHODS === #

    def action_fetch(self):
        """The button above the list of runs, whatever is ticked; see
        `copaco.connection`."""
        return self.env["copaco.connection"].action_fetch_all()

    def action_acknowledge(self):
        """Note that a person has looked at the unreadable invoices of these runs."""
        self.check_access("read")
        self.env["copaco.connection"]._check_may_fetch()
        # The same text comes again with each fetch of the overlap.
        runs = self.sudo().search(
            [
                ("connection_id", "in", self.connection_id.ids),
                ("rejected_payload", "in", self.mapped("rejected_payload")),
                ("is_unread", "=", True),
            ]
        )
        runs.is_unread = False
        for run in runs:
            run._message_log(
                body=self.env._(
                    "%(user)s has looked at the unreadable invoices.",
                    user=self.env.user.name,
                )
            )
        runs._refresh_state()
        self.connection_id._update_activity()

    def action_view_documents(self):
        """:return: the window action with the documents that these runs brought"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_copaco.action_copaco_document"
        )
        action["context"] = {"search_default_run_id": self.ids}
        return action

    def action_view_held(self):
        """:return: the window action with what of these runs waits for a decision"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_copaco.action_copaco_document_to_do"
        )
        action["domain"] = [
            ("state", "in", ("held", "changed")),
            "|",
            ("run_id", "in", self.ids),
            ("version_ids.run_id", "in", self.ids),
        ]
        return action

    def action_view_invoices(self):
        """:return: the window action with the invoices of what these runs brought"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice"
        )
        action["domain"] = [("copaco_document_id.run_id", "in", self.ids)]
        action["context"] = {"create": False, "default_move_type": "out_invoice"}
        return action

    # === BUSINESS METHODS === #

    def _refresh_state(self):
        """Bring the state of these runs in line with what became of their documents;
        a failed one stays failed."""
        for run in self:
            if run.state == "failed" or not run.stored_at:
                continue
            if not run.received_count and not run.rejected_count:
                state = "empty"
            elif run.waiting_count:
                state = "running"
            elif run.held_count or run.is_unread or not run.is_proven:
                state = "attention"
            else:
                state = "done"
            # Nothing is written without need: others may be writing here too.
            if run.state != state:
                run.state = state
            if state != "running" and not run.finished_at:
                run.finished_at = fields.Datetime.now()

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
                run._attempt(run._receive_again)
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
        self.ensure_one()
        time_limit = deadline and max(deadline - time.monotonic(), 1)
        try:
            with self.connection_id._get_client(time_limit) as client:
                window = self.date_from, self.date_to
                # No transaction is open while the network is waited for (promise 10).
                self.env.cr.commit()  # pylint: disable=invalid-commit
                raw = client.fetch_specifications(*window)
        except CopacoError as error:
            if deadline and isinstance(error, TimedOutError):
                # Slow is not failed: the background has more time than a person.
                self.started_at = False
                self.env.ref("account_copaco.ir_cron_run")._trigger()
                return
            self._fail(error)
            return
        self._receive(raw)

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

    def _receive_again(self):
        """Store an uploaded answer whose worker was interrupted."""
        self.ensure_one()
        if self.payload_id:
            self._store_answer(gzip.decompress(self.payload_id.raw))
        else:
            self._fail(
                self.env._(
                    "File %(file)s was not kept. Upload it again.", file=self.name
                )
            )

    def _receive(self, raw):
        """Store an answer: first as it came, then as documents; commits.

        :param raw: the bytes that Copaco sent
        """
        self.ensure_one()
        digest = hashlib.sha256(raw).hexdigest()
        if not self._commit_at_last(self._store_same, digest):
            self._commit_at_last(self._keep, raw, digest)  # what came is kept
            self._store_answer(raw)

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

    def _store_answer(self, raw):
        try:
            self._commit_at_last(self._store, parse_documents(raw))
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

    def _finish_now(self, deadline):
        """Process what these runs brought while a person waits.

        :return: a notification with what was done
        :raise UserError: when one of them failed; what the others brought stays
        """
        # Only what these runs brought; the rest belongs to the scheduled action.
        documents = self.document_ids | self.version_ids.document_id
        documents._process_waiting(deadline)
        failed = self.filtered(lambda run: run.state == "failed")
        if failed:
            self.env.cr.commit()  # pylint: disable=invalid-commit # keep the reason
            raise UserError("\n".join(failed.mapped("message")))
        return self._get_result_notification()

    def _get_result_notification(self):
        """:return: a notification with the counts of these runs and a link to them"""
        fetching = self.filtered(lambda run: not run.stored_at)
        documents = sum(self.mapped("received_count"))
        rejected = sum(self.mapped("rejected_count"))
        parts = []
        if documents:
            parts.append(
                self.env._(
                    "Documents received: %(documents)s, of which invoiced: "
                    "%(invoiced)s, held for a decision: %(held)s, excluded: "
                    "%(excluded)s, known already: %(known)s.",
                    documents=documents,
                    known=sum(self.mapped("unchanged_count")),
                    invoiced=sum(self.mapped("invoiced_count")),
                    held=sum(self.mapped("held_count")),
                    excluded=sum(self.mapped("excluded_count")),
                )
            )
        if rejected:
            parts.append(
                self.env._(
                    "Invoices that could not be read: %(count)s.", count=rejected
                )
            )
        if not parts and not fetching:
            parts.append(
                self.env._("Nothing came: Copaco has no documents in this period.")
            )
        if fetching or any(self.mapped("waiting_count")):
            parts.append(self.env._("The rest goes on in the background."))
        action = self.env.ref("account_copaco.action_copaco_run")
        url = f"/odoo/{action.path}"
        if len(self) == 1:
            url += f"/{self.id}"
        attention = any(run.state == "attention" for run in self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if attention or not documents else "success",
                "message": " ".join(parts) + " %s",
                "links": [{"label": self.env._("Show what came"), "url": url}],
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === CRON METHODS === #

    @api.model
    def _cron_execute(self):
        """Go on with what a person did not wait for, or what was interrupted."""
        self = self.sudo()
        runs = self.search(self._get_waiting_domain(), order="date_from, id")
        self.env["ir.cron"]._commit_progress(remaining=len(runs))
        runs._execute()
        self.env.ref("account_copaco.ir_cron_process")._trigger()

    @api.autovacuum
    def _gc_answers(self):
        """Remove the raw answers that are older than their connection keeps them.

        :return: (answers removed, whether there are more): `ir.autovacuum` comes back
        """
        runs = self
        for connection in (
            self.env["copaco.connection"]
            .with_context(active_test=False)
            .search([("retention_months", ">", 0)])
        ):
            oldest = fields.Datetime.now() - relativedelta(
                months=connection.retention_months
            )
            runs += self.search(
                [
                    ("connection_id", "=", connection.id),
                    ("create_date", "<", oldest),
                    ("payload_id", "!=", False),
                    ("state", "in", ("done", "empty", "failed")),
                ],
                limit=VACUUM_SIZE + 1,
            )
        runs, more = runs[:VACUUM_SIZE], runs[VACUUM_SIZE:]
        answers = runs.payload_id
        runs.payload_id = False
        # A younger run may have brought the very same.
        answers -= self.search([("payload_id", "in", answers.ids)]).payload_id
        answers.unlink()
        return len(runs), bool(more)
