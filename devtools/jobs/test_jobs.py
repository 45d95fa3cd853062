"""Documents as jobs of the community's queue_job: in a real server with two workers."""

import re
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import api
from odoo.modules.registry import Registry

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job

from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import Reseller, create_contacts, sent_by
from ..processes.workers import (
    DATABASE,
    PATIENCE,
    environment,
    fetch_as_scheduled,
    press_fetch,
    with_constant,
)
from .job_queue import JOBS

CUSTOMERS = 10
UNKNOWN_CUSTOMERS = 1  # their documents are held
MONTHS = 2
LINES_A_MONTH = 80
BATCH_SIZE = 3  # so that there are many jobs
NUMBER = re.compile(r"INV/\d+/\d+")


def setUpModule():
    global simulator
    simulator = start_simulator(customers=CUSTOMERS, months=MONTHS, lines=LINES_A_MONTH)
    create_contacts(simulator.customers[:-UNKNOWN_CUSTOMERS])


def fetch(env):
    """The task of the scheduled actions that fetch."""
    fetch_as_scheduled(env)
    env["copaco.run"]._cron_execute()


def make_jobs(env):
    """What the scheduled action that makes invoices does with what waits."""
    domain = env["copaco.document"]._get_waiting_domain()
    env["copaco.job.queue"]._enqueue_waiting(env["copaco.document"].search(domain))


class JobCase(MultiprocessCase):
    def setUp(self):
        super().setUp()
        self.enterContext(with_constant("BATCH_SIZE", BATCH_SIZE))
        # However busy the machine is, a button has the time to finish.
        self.enterContext(with_constant("BUTTON_SECONDS", PATIENCE))


class TestCarriedOut(JobCase):
    def test_two_processes_make_the_same_books_as_one_without_jobs(self):
        alone = self.make_reseller(simulator, "post", overlap_days=0)
        self._run(press_fetch(alone.connection_ids[0]))
        self.assertGoodBooks(alone, sent_by(simulator))
        self.assertEqual(alone.query(JOBS), [], "a person waits for no job")
        alone.retire()

        reseller = self.make_reseller(simulator, "post", overlap_days=0)
        self._run(fetch)
        self._run(make_jobs)
        # Before the scheduled action looks after what jobs may have left.
        self.assertEqual(reseller.faults(), {})
        self.assertGoodBooks(reseller, sent_by(simulator))
        self.assertEqual(_without_numbers(reseller), _without_numbers(alone))

        states, pids, *_rest = zip(*reseller.query(JOBS), strict=True)
        self.assertEqual(set(states), {"done"})
        self.assertGreater(len(set(pids)), 1, "one worker did it all")
        self.assertGreater(len(states), sum(reseller.states().values()) / BATCH_SIZE)

    def _run(self, task):
        self.assertEqual(self.workers.run_together(task), [0], self.workers.problems())


def _without_numbers(reseller):
    # Which invoice gets which number depends on who is first.
    books = reseller.books()
    return sorted(NUMBER.sub("", repr(row)) for row in books)


class TestEnqueued(JobCase):
    """What happens to jobs, in a transaction that is never committed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reseller = Reseller("Enqueued", simulator, "draft", overlap_days=0)
        cls.addClassCleanup(cls.reseller.retire)
        with environment() as env:
            fetch(env)

    def setUp(self):
        super().setUp()
        cr = self.enterContext(Registry(DATABASE).cursor())
        self.env = api.Environment(cr, api.SUPERUSER_ID, {})
        self.enterContext(patch.object(cr, "commit", self.env.flush_all))
        self.addCleanup(cr.rollback)
        self.documents = self.env["copaco.document"].search(
            [("company_id", "=", self.reseller.company_id)], order="id"
        )

    def test_what_has_a_job_gets_no_second_one(self):
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents)
        jobs = self._get_jobs()
        records = [record for job in jobs for record in job.records]
        self.assertCountEqual(records, self.documents)
        self.env["copaco.document"]._cron_process()
        self.assertEqual(self._get_jobs(), jobs)

        # One less would otherwise move the borders of all that follow.
        self.documents[0].state = "held"
        self.env["copaco.document"]._cron_process()
        self.assertEqual(self._get_jobs(), jobs)

    def test_the_identity_key_refuses_the_same_job(self):
        self.env["copaco.job.queue"]._enqueue(self.documents, BATCH_SIZE)
        jobs = self._get_jobs()
        self.env["copaco.job.queue"]._enqueue(self.documents, BATCH_SIZE)
        self.assertEqual(self._get_jobs(), jobs)

    def test_what_a_failed_job_left_gets_a_new_one(self):
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents)
        jobs = self._get_jobs()
        jobs[0].state = "failed"
        self.env["copaco.document"]._cron_process()
        (again,) = self._get_jobs() - jobs
        self.assertEqual(again.records, jobs[0].records)

    def test_a_job_has_as_many_lines_as_take_a_few_seconds(self):
        self.documents[1].line_count = 100_000
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents[:4])
        self.assertEqual(
            sorted(job.records.ids for job in self._get_jobs()),
            [self.documents[:1].ids, self.documents[1:2].ids, self.documents[2:4].ids],
        )

    def test_what_workers_died_of_has_a_job_alone_and_is_then_held(self):
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents[:3])
        for document_count in (3, 1):
            job = self._get_jobs().filtered(
                lambda job: self.documents[1] in job.records and job.state != "failed"
            )
            self.assertEqual(len(job.records), document_count)
            job.write({"state": "failed", "exc_name": "JobFoundDead"})
            self.env["copaco.job.queue"]._enqueue_waiting(self.documents[:3])
        self.assertEqual(
            self.documents[:3].mapped("hold_reason"), [False, "too_large", False]
        )
        self.documents[1].write({"state": "new", "hold_reason": False})
        self.env.cr.execute(
            "UPDATE copaco_document SET write_date = write_date + interval '1 s'"
            " WHERE id = %s",
            [self.documents[1].id],
        )
        self.documents.invalidate_recordset(["write_date"])
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents[:3])
        self.assertEqual(self.documents[1].state, "new", "it was retried")

    def test_a_job_leads_to_its_documents(self):
        self.env["copaco.job.queue"]._enqueue(self.documents[:4], 3)
        jobs = self._get_jobs()
        self.assertEqual(sorted(len(job.records) for job in jobs), [1, 3])
        for job in jobs:
            action = job.open_related_action()
            self.assertEqual(action["res_model"], "copaco.document")
            if len(job.records) == 1:
                self.assertEqual(action["res_id"], job.records.id)
                self.assertEqual(action["view_mode"], "form")
            else:
                shown = self.documents.search(action["domain"])
                self.assertEqual(set(shown), set(job.records))
                self.assertEqual(action["view_mode"], "list,form")

    def test_an_administrator_may_change_how_jobs_are_carried_out(self):
        self.env["copaco.job.queue"]._enqueue(self.documents[:1], 1)
        job = self._get_jobs()
        self.assertEqual(job.channel, "root.copaco")
        pattern = self._get_config(job).retry_pattern
        self.assertEqual(pattern, {1: (1, 10), 3: (30, 90)})
        job.job_function_id.write(
            {
                "channel_id": self.env.ref("queue_job.channel_root").id,
                "edit_retry_pattern": "{1: 5}",
            }
        )
        self.env["copaco.job.queue"]._enqueue(self.documents[1:2], 1)
        later = self._get_jobs() - job
        self.assertEqual(later.channel, "root")
        self.assertEqual(later.job_function_id, job.job_function_id)
        self.assertEqual(self._get_config(later).retry_pattern, {1: 5})

    def test_a_bad_document_stops_no_other(self):
        bad, *good = self.documents[:3]
        process = self.env.registry["copaco.processor"]._process

        def process_all_but_one(processor, documents):
            if bad in documents:
                raise ValueError("bad")
            process(processor, documents)

        with self._processing_by(process_all_but_one):
            self.documents[:3]._job_process()
            self.assertEqual(set(self.documents.mapped("state")), {"new"})
            for job in self._get_jobs():
                Job.load(self.env, job.uuid).perform()
        self.assertEqual(bad.state, "held")
        self.assertEqual(bad.hold_reason, "unexpected_error")
        self.assertIn("ValueError", bad.hold_message)
        self.assertNotIn("new", [document.state for document in good])
        self.assertNotIn(
            "unexpected_error", [document.hold_reason for document in good]
        )

    def test_a_concurrency_error_is_tried_again(self):
        def collide(*_arguments):
            raise SerializationFailure("concurrency error")

        with self._processing_by(collide), self.assertRaises(RetryableJobError):
            self.documents[:2]._job_process()
        run_class = self.env.registry["copaco.run"]
        with patch.object(run_class, "_refresh_state", collide):
            with self.assertRaises(RetryableJobError):
                self.documents.run_id._job_refresh()
        self.assertEqual(set(self.documents.mapped("state")), {"new"})
        self.assertFalse(self._get_jobs())

    def test_someone_is_told_when_no_job_is_carried_out(self):
        self.env["copaco.job.queue"]._enqueue_waiting(self.documents)
        self.assertNotIn("job runner", " ".join(self._get_alerts()))
        self.env.cr.execute(
            "UPDATE copaco_document SET write_date = write_date - interval '2 hours'"
            " WHERE id IN %s",
            [tuple(self.documents.ids)],
        )
        (alert,) = self._get_alerts()
        self.assertIn(f"more than an hour: {len(self.documents)}.", alert)
        self.assertIn("job runner", alert)

    def _get_alerts(self):
        connection = self.documents.connection_id
        return self.env["copaco.activity.monitor"]._get_alerts(connection)

    def _get_jobs(self):
        return self.env["queue.job"].search(
            [
                ("company_id", "=", self.reseller.company_id),
                ("method_name", "=", "_job_process"),
            ]
        )

    def _get_config(self, job):
        functions = self.env["queue.job.function"]
        return functions.job_config(job.job_function_id.name)

    def _processing_by(self, function):
        return patch.object(self.env.registry["copaco.processor"], "_process", function)
