from contextlib import contextmanager

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models

from ..const import BATCH_SIZE

CHANNEL = "copaco"
# From which attempt on a job waits how many seconds for the next one: by chance, or two
# that were in each other's way would meet again.
RETRY_PATTERN = {1: [1, 10], 3: [30, 90]}
JOB_METHODS = {"copaco.document": "_job_process", "copaco.run": "_job_refresh"}
# A job in one of these states will look at its documents only when it begins.
QUEUED_STATES = ("wait_dependencies", "pending", "enqueued")


class CopacoDocument(models.Model):
    """Where the community's `queue_job` is installed, documents that wait in the
    background become its jobs. Without it nothing here is used.

    A job never commits: queue_job knows that it is alive by a lock that its transaction
    holds.
    """

    _inherit = "copaco.document"

    def _process_in_background(self):
        if "queue.job" not in self.env:
            return super()._process_in_background()
        (self - self._get_queued())._enqueue(BATCH_SIZE)
        self.env["ir.cron"]._commit_progress(len(self))
        return None

    @api.model
    def _get_queued(self):
        """:return: the documents of jobs that have not begun"""
        jobs = (
            self.env["queue.job"]
            .sudo()
            .search(
                [
                    ("model_name", "=", self._name),
                    ("method_name", "=", JOB_METHODS[self._name]),
                    ("state", "in", QUEUED_STATES),
                ]
            )
        )
        return self.browse().union(*jobs.mapped("records"))

    def _enqueue(self, batch_size):
        """Make jobs of these documents, and one for each run that follows its last.

        :param batch_size: how many documents a job has at most
        """
        from odoo.addons.queue_job.job import identity_exact

        self._make_job_functions()
        for run, documents in self.grouped("run_id").items():
            jobs = (
                # Who sees the job depends on its company.
                documents.with_company(run.company_id)
                .delayable(
                    description=self.env._("Copaco invoices of %(run)s", run=run.name),
                    identity_key=identity_exact,
                )
                ._job_process()
                .split(batch_size)
            )
            jobs.on_done(run.with_company(run.company_id).delayable()._job_refresh())
            jobs.delay()

    @api.model
    def _make_job_functions(self):
        """Make what queue_job keeps of our jobs, unless it is there: an administrator
        may have changed it."""
        functions = self.env["queue.job.function"].sudo()
        channels = self.env["queue.job.channel"].sudo()
        for model, method in JOB_METHODS.items():
            name = functions.job_function_name(model, method)
            if functions.search_count([("name", "=", name)], limit=1):
                continue
            root = self.env.ref("queue_job.channel_root")
            values = {"name": CHANNEL, "parent_id": root.id}
            channel = channels.search([(key, "=", values[key]) for key in values])
            functions.create(
                {
                    "model_id": self.env["ir.model"]._get_id(model),
                    "method": method,
                    "channel_id": (channel or channels.create(values)).id,
                    "retry_pattern": RETRY_PATTERN,
                }
            )

    def _job_process(self):
        """Make the invoices of those of these documents that wait for it.

        :raise RetryableJobError: when another worker was in the way
        """
        with _tried_again_after(OperationalError):
            documents = (
                self.sudo()
                .with_context(copaco_refresh_later=True)
                .try_lock_for_update()
                .filtered_domain(self._get_waiting_domain())
            )
            try:
                with self.env.cr.savepoint():
                    documents._process()
            except OperationalError:
                raise
            except Exception as error:
                if len(documents) > 1:
                    # Which one is it? It must not stop the others.
                    documents._enqueue(1)
                else:
                    invoicer = self.env["copaco.invoice.writer"]
                    documents._hold(invoicer._get_error_hold(documents, error))


class CopacoRun(models.Model):
    _inherit = "copaco.run"

    def _job_refresh(self):
        """Tell these runs and responsible users what became of the documents.

        :raise RetryableJobError: when another worker was in the way
        """
        with (
            _tried_again_after(OperationalError, UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.sudo()._refresh_state()
            self.sudo().connection_id._update_activity()


@contextmanager
def _tried_again_after(*errors):
    """Let queue_job try the job again by its retry pattern after one of ``errors``."""
    from odoo.addons.queue_job.exception import RetryableJobError

    try:
        yield
    except errors as error:
        raise RetryableJobError(str(error)) from error
