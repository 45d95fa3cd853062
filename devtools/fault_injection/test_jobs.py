"""Workers that are killed while they carry out jobs of the community's queue_job."""

import itertools
import random
import time
from collections import Counter

from fault_injection.figures import noted, number, seed

from ..jobs.job_queue import JOBS, kill_worker
from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import create_contacts, sent_by
from ..processes.workers import fetch_as_scheduled, go_on, with_constant

CUSTOMERS = 12
UNKNOWN_CUSTOMERS = 2  # their documents are held
BATCH_SIZE = 2
KILLS_OF_A_RESELLER = 4
LONGEST_PAUSE = 0.2  # seconds; most jobs take longer


def setUpModule():
    global simulator
    simulator = start_simulator(customers=CUSTOMERS, months=2, lines=60)
    create_contacts(simulator.customers[:-UNKNOWN_CUSTOMERS])


class TestJobsKilled(MultiprocessCase):
    def setUp(self):
        super().setUp()
        self.enterContext(with_constant("BATCH_SIZE", BATCH_SIZE))
        self.random = random.Random(f"{seed()} {self.id()}")

    def test_killed_job_workers_lose_and_double_nothing(self):
        policies = itertools.cycle(("post", "draft"))
        expected = sent_by(simulator)
        totals = Counter()
        with noted("worker of a job killed") as figures:
            while totals["times"] < number("JOB_KILLS"):
                reseller = self.make_reseller(simulator, next(policies), overlap_days=0)
                totals["times"] += self._kill_often(reseller)
                self.assertGoodBooks(reseller, expected)
                totals.update(reseller.figures(expected))
                reseller.retire()
            figures.update(totals)

    def _kill_often(self, reseller):
        """Fetch, and kill workers that make the invoices; return how many."""
        fetched = self.workers.run_together(fetch_as_scheduled)
        self.assertEqual(fetched, [0], self.workers.problems())
        killed = set()
        working = self.workers.start(go_on)
        while len(killed) < KILLS_OF_A_RESELLER and working.is_alive():
            pause = self.random.uniform(0, LONGEST_PAUSE)
            if not kill_worker(reseller, killed, after=pause):
                time.sleep(0.02)
        working.join()
        self.assertEqual(working.exitcode, 0, self.workers.problems())
        attempts = [retry for _state, _pid, retry, _uuid in reseller.query(JOBS)]
        self.assertGreater(max(attempts), 1, "no worker was killed within a job")
        return len(killed)
