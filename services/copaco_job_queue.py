from odoo import models

from ..const import BATCH_SIZE
from ..tools import Pace

CHANNEL = "copaco"
# From which attempt on a job waits how many seconds for the next one: by chance, or two
# that were in conflict would meet again.
RETRY_PATTERN = {1: [1, 10], 3: [30, 90]}
JOB_METHODS = {"copaco.document": "_job_process", "copaco.run": "_job_refresh"}
# A job in one of these states will look at its documents only when it begins.
DEAD = ("exc_name", "=", "JobFoundDead")
QUEUED_STATES = ("wait_dependencies", "pending", "enqueued")


class CopacoJobQueue(models.AbstractModel):
    """Where the community's `queue_job` is installed, documents that wait in the
    background become its jobs. Without it nothing here is used."""

    _name = "copaco.job.queue"
    _description = "Copaco Job Queue"

    def _is_installed(self):
        return "queue.job" in self.env

    def _enqueue_waiting(self, documents):
        """Make jobs of documents that wait and are in no job yet.

        :param documents: `copaco.document` records
        :return: whether there are jobs at all
        """
        if not self._is_installed():
            return False
        planner = self.env["copaco.batch.planner"]
        waiting = documents - self._get_queued_documents()
        suspects, stuck = self._get_dead_documents(waiting)
        for document in stuck:
            document._hold(planner._get_too_large_hold(document))
        self._enqueue(suspects, 1)
        self._enqueue(waiting - suspects - stuck, BATCH_SIZE)
        self.env["ir.cron"]._commit_progress(len(documents))
        return True

    def _get_dead_documents(self, documents):
        """:return: (those of these documents that were with others in a job whose
        worker died again and again, those that were alone in one)"""
        suspects = stuck = documents.browse()
        for job in self._search_jobs(("state", "=", "failed"), DEAD):
            # Whoever retries a document doesn't mean what was before.
            own = (job.records & documents).filtered(
                lambda each, job=job: each.write_date <= job.date_created
            )
            if len(job.records) == 1:
                stuck |= own
            else:
                suspects |= own
        return suspects - stuck, stuck

    def _get_queued_documents(self):
        """:return: the documents of jobs that have not begun"""
        jobs = self._search_jobs(("state", "in", QUEUED_STATES))
        return self.env["copaco.document"].union(*jobs.mapped("records"))

    def _search_jobs(self, *conditions):
        """:return: the jobs of documents that meet these conditions"""
        name = "copaco.document"
        own = [("model_name", "=", name), ("method_name", "=", JOB_METHODS[name])]
        return self.env["queue.job"].sudo().search([*own, *conditions])

    def _enqueue(self, documents, batch_size):
        """Make jobs of documents, and one for each run that follows its last.

        :param batch_size: how many documents a job has at most
        """
        from odoo.addons.queue_job.delay import group
        from odoo.addons.queue_job.job import identity_exact

        self._create_job_functions()
        planner = self.env["copaco.batch.planner"]
        for run, own in documents.grouped("run_id").items():
            options = {
                "description": self.env._("Copaco invoices of %(run)s", run=run.name),
                "identity_key": identity_exact,
            }
            # Who sees the job depends on its company.
            own = own.with_company(run.company_id)
            jobs = group(
                *(
                    part.delayable(**options)._job_process()
                    for part in planner._split(own, batch_size, Pace())
                )
            )
            jobs.on_done(run.with_company(run.company_id).delayable()._job_refresh())
            jobs.delay()

    def _create_job_functions(self):
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
