"""PostgreSQL crashes, or is restarted, while somebody works."""

import os
import time
from pathlib import Path

from fault_injection.figures import number

import odoo.sql_db

from ..postgres import Cluster
from ..processes.workers import (
    DATABASE,
    FORK,
    PATIENCE,
    Workers,
    environment,
    have_jobs_due,
)
from .case import POLICIES, AttackCase

# How PostgreSQL's pg_ctl stops a server: as a crash would, and orderly.
MODES = ("immediate", "fast")


class TestCrashed(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = Cluster(Path(os.environ["COPACO_CLUSTER"]))
        # What was committed has to outlive a crash, as on a server that is not a toy.
        with environment() as env:
            env.cr.execute(f'ALTER DATABASE "{DATABASE}" SET synchronous_commit = on')

    def setUp(self):
        super().setUp()
        self.victims = Workers(self.workers.log.with_name("victims.log"))

    def test_what_a_crash_interrupts_is_completed_as_drafts(self):
        self._crash_often("draft")

    def test_what_a_crash_interrupts_is_completed_and_posted(self):
        self._crash_often("post")

    def _crash_often(self, policy):
        self.make_attacked(policy)
        gaps = self.measure_gaps()
        self.attack_often(
            "PostgreSQL crashed or restarted",
            number("CRASHES") // len(POLICIES),
            lambda attempt: self._crash(attempt, gaps),
            # When the server was back soon enough, it is said what went wrong.
            besides=["a run failed"],
        )

    def _crash(self, attempt, gaps):
        """Stop PostgreSQL while somebody fetches, and start it; tell whether that came
        before the end of the work."""
        way, task, commits, seconds = self.choose_moment(gaps)
        mode = MODES[attempt % len(MODES)]
        self.attack = f"{mode} {attempt}: {way}, {commits} commits, {seconds:.3f} s"
        reached = FORK.Event()
        have_jobs_due()
        worker = self.victims.start(
            task, on_commit=lambda count: count == commits and reached.set()
        )
        reached.wait(PATIENCE)
        time.sleep(seconds)
        was_working = worker.is_alive()
        self.cluster.stop(mode)
        self.cluster.start()
        worker.join(PATIENCE)
        self.assertFalse(worker.is_alive(), "it never noticed")
        odoo.sql_db.close_all()
        return was_working
