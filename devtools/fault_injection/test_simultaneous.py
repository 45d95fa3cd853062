"""Two scheduled workers, the button and an upload, all at once, again and again."""

from fault_injection.figures import note, number

from ..processes.workers import have_jobs_due, press_fetch, upload, work_as_scheduler
from .case import AttackCase

FAILED_JOBS = """
    SELECT cron_name, failure_count, active FROM ir_cron
     WHERE failure_count > 0
        OR cron_name LIKE 'Copaco%%' AND NOT active"""


class TestSimultaneous(AttackCase):
    def test_whoever_comes_first_nothing_is_doubled_or_lost(self):
        self.make_attacked("post")
        self.attack_often("four workers at once", number("ROUNDS"), self._work_together)
        refused = self.workers.concurrency_errors()
        note("... queries refused by that, post", times=refused)

    def _work_together(self, attempt):
        self.attack = f"round {attempt}"
        connections = self.reseller.connection_ids
        have_jobs_due()
        codes = self.workers.run_together(
            work_as_scheduler,
            work_as_scheduler,
            press_fetch(self.random.choice(connections)),
            upload(self.random.choice(connections), self.portal.answer()),
        )
        self.assertEqual(codes, [0] * len(codes), self.workers.problems())
        # What they left to the background.
        self.work()
        self.assertBooks()
        self.assertEqual(self.reseller.query(FAILED_JOBS), [])
        return True
