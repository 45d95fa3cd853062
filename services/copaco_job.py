from contextlib import contextmanager

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import models


class CopacoJob(models.AbstractModel):
    """What a job of the community's `queue_job` does.

    It never commits: queue_job knows that it is alive by a lock that its transaction
    holds.
    """

    _name = "copaco.job"
    _description = "Copaco Job"

    def _process(self, documents):
        """Make the invoices of those of these documents that wait for it.

        :raise RetryableJobError: when another worker was in conflict
        """
        processor = self.env["copaco.processor"]
        with _retried_after(OperationalError):
            documents = (
                documents.with_context(copaco_refresh_later=True)
                .try_lock_for_update()
                .filtered_domain(documents._get_waiting_domain())
            )
            try:
                with self.env.cr.savepoint():
                    processor._process(documents)
            except OperationalError:
                raise
            except Exception as error:
                if len(documents) > 1:
                    # Which one is it? It must not stop the others.
                    self.env["copaco.job.queue"]._enqueue(documents, 1)
                else:
                    writer = self.env["copaco.invoice.writer"]
                    documents._hold(writer._get_error_hold(documents, error))

    def _refresh(self, runs):
        """Tell runs and responsible users what became of the documents.

        :raise RetryableJobError: when another worker was in conflict
        """
        with (
            _retried_after(OperationalError, UniqueViolation),
            self.env.cr.savepoint(),
        ):
            runs._refresh_state()
            self.env["copaco.activity.monitor"]._update_activity(
                runs.connection_id | runs.document_ids.connection_id
            )


@contextmanager
def _retried_after(*errors):
    """Let queue_job try the job again by its retry pattern after one of ``errors``."""
    try:
        yield
    except errors as error:
        from odoo.addons.queue_job.exception import RetryableJobError

        raise RetryableJobError(str(error)) from error
