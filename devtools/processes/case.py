"""What the tests with several processes have in common."""

import itertools
import tempfile
import unittest
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator import Simulator

from .reseller import Reseller
from .workers import Workers, go_on

NUMBERS = itertools.count(1)


def start_simulator(**options):
    """Return a running simulator for the tests of a module, from ``setUpModule``."""
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    simulator = Simulator(today=today, **options).start()
    unittest.addModuleCleanup(simulator.stop)
    return simulator


class MultiprocessCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.workers = Workers(Path(folder) / "workers.log")

    def make_reseller(self, simulator, policy, overlap_days, **options):
        """Return a new ``Reseller``, who stops fetching when the test ends."""
        name = f"Reseller {next(NUMBERS)}"
        reseller = Reseller(name, simulator, policy, overlap_days, **options)
        self.addCleanup(reseller.retire)
        return reseller

    def assertGoodBooks(self, reseller, expected):
        """Do what is left to do, and compare what was received with ``sent_by``'s
        result."""
        self.assertEqual(self.workers.run_together(go_on), [0])
        self.assertEqual(reseller.faults(), {})
        self.assertEqual(reseller.received(), expected)
        self.assertEqual(self.workers.problems(), "")
