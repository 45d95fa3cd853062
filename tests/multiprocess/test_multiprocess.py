"""Real processes on a real database: two at once, and killed ones."""

import random
import tempfile
import time
import unittest
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from reseller import Reseller, create_contacts, price_lines, sent_by
from simulator import Simulator
from workers import Workers, fetch_as_scheduled, go_on, press_button, process

CUSTOMERS = 14
LINES = 110  # of each month
MONTHS = 3
# Whoever wants to see the same kills again; the moments are still the machine's.
SEED = random.randrange(10**6)


def setUpModule():
    global simulator
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    simulator = Simulator(
        customers=CUSTOMERS, months=MONTHS, lines=LINES, today=today
    ).start()
    unittest.addModuleCleanup(simulator.stop)
    # The last ones are unknown, so that documents are held.
    create_contacts(simulator.customers[:-2])


class MultiprocessCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.workers = Workers(Path(folder) / "workers.log")
        self.all_invoices = list(simulator.invoices)
        self.addCleanup(simulator.invoices.__setitem__, slice(None), self.all_invoices)

    def make_reseller(self, policy):
        reseller = Reseller(f"{self.id()} {policy}", simulator, policy)
        self.addCleanup(reseller.retire)
        return reseller

    def assertGoodBooks(self, reseller, expected):
        self.assertEqual(self.workers.run_together(go_on), [0])
        self.assertEqual(reseller.faults(), {})
        self.assertEqual(reseller.received(), expected)
        self.assertEqual(self.workers.problems(), "")


class TestSimultaneous(MultiprocessCase):
    def test_drafts_of_simultaneous_runs_are_made_once(self):
        self._fetch_month_by_month(self.make_reseller("draft"))

    def test_posted_invoices_of_simultaneous_runs_are_made_once(self):
        self._fetch_month_by_month(self.make_reseller("post"))

    def _fetch_month_by_month(self, reseller):
        simulator.invoices.clear()
        for created in sorted({invoice.created for invoice in self.all_invoices}):
            simulator.invoices += [
                invoice for invoice in self.all_invoices if invoice.created == created
            ]
            self._fetch_together(reseller)
            self.assertGoodBooks(reseller, sent_by(simulator))


    def _fetch_together(self, reseller):
        codes = self.workers.run_together(
            fetch_as_scheduled,
            *map(press_button, reseller.connection_ids),
            meanwhile=go_on,
        )
        self.assertEqual(codes, [0, 0, 0, 0], self.workers.problems())
