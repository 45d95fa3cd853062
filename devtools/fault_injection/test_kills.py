"""Working processes that are killed, at any moment."""

from collections import Counter

from fault_injection.figures import note, number

from ..processes.workers import have_jobs_due
from .case import POLICIES, AttackCase


class TestKilled(AttackCase):
    def test_what_a_killed_worker_leaves_is_completed_as_drafts(self):
        self._kill_often("draft")

    def test_what_a_killed_worker_leaves_is_completed_and_posted(self):
        self._kill_often("post")

    def _kill_often(self, policy):
        self.make_attacked(policy)
        gaps = self.measure_gaps()
        moments = Counter()

        def kill(attempt):
            moment = self._kill(attempt, gaps)
            moments[moment] += 1
            return bool(moment)

        wanted = number("KILLS") // len(POLICIES)
        # Of an upload that was not stored yet nothing is left, and that is said.
        self.attack_often("worker killed", wanted, kill, besides=["a run failed"])
        for moment in filter(None, moments):
            note(f"... {moment}, {policy}", times=moments[moment])

    def _kill(self, attempt, gaps):
        """Kill somebody who fetches; return at what, none when nobody was left."""
        way, task, commits, seconds = self.choose_moment(gaps)
        self.attack = f"kill {attempt}: {way}, {commits} commits and {seconds:.3f} s"
        have_jobs_due()
        before = self.reseller.states()
        killed = self.workers.kill(task, commits, seconds)
        after = self.reseller.states()
        if not killed:
            return None
        if after == before:
            return "before anything was stored"
        return "among its invoices" if after.get("new") else "after the last invoice"
