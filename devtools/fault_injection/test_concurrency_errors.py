"""Somebody who writes to the same records, so that PostgreSQL refuses some of it."""

import random
import time

from fault_injection.figures import note, number, seed
from psycopg2 import OperationalError

from ..processes.workers import have_jobs_due
from .case import POLICIES, AttackCase

# What people and other workers may write to at any time, and how many of the newest.
TABLES = {
    "account_journal": 8,
    "account_move": 4,
    "copaco_connection": 2,
    "copaco_customer": 12,
    "copaco_document": 12,
    "copaco_run": 4,
}
TRANSACTIONS = 50
HELD_SECONDS = 0.01  # at most, for each record


def write_now_and_then(company_id, chance):
    """Return a task that writes to some records of a company and holds them a while, as
    another worker or person does."""

    def write_to(cr, table):
        cr.execute(
            f"""
            UPDATE {table} SET write_date = write_date
             WHERE id = (SELECT id FROM {table} WHERE company_id = %s
                       ORDER BY id DESC OFFSET %s LIMIT 1)""",
            [company_id, chance.randrange(TABLES[table])],
            log_exceptions=False,
        )
        time.sleep(chance.uniform(0, HELD_SECONDS))

    def task(env):
        for _ in range(TRANSACTIONS):
            try:
                for table in chance.sample(list(TABLES), 3):
                    write_to(env.cr, table)
                env.cr.commit()
            except OperationalError:
                env.cr.rollback()

    return task


class TestConcurrencyErrors(AttackCase):
    def test_what_conflicts_is_tried_again_as_drafts(self):
        self._collide_often("draft")

    def test_what_conflicts_is_tried_again_and_posted(self):
        self._collide_often("post")

    def _collide_often(self, policy):
        self.make_attacked(policy)
        wanted = number("CONCURRENCY_ERRORS") // len(POLICIES)
        self.attack_often("fetch that collided", wanted, self._collide)
        refused = self.workers.concurrency_errors()
        note(f"... queries refused by that, {policy}", times=refused)

    def _collide(self, attempt):
        """Fetch while somebody writes to the same records; tell whether PostgreSQL
        refused something for that."""
        way, task = self.choose_way()
        self.attack = f"concurrency error {attempt}: {way}"
        chance = random.Random(f"{seed()} {attempt}")
        before = self.workers.concurrency_errors()
        have_jobs_due()
        codes = self.workers.run_together(
            task, meanwhile=write_now_and_then(self.reseller.company_id, chance)
        )
        self.assertEqual(codes, [0, 0], self.workers.problems())
        return self.workers.concurrency_errors() > before
