"""Of ``make faults``, what can't be imported is seen before somebody runs it."""

import unittest
from pathlib import Path

from .. import fault_injection
from ..paths import CHECKOUT


class TestFaultInjection(unittest.TestCase):
    def test_each_part_can_be_loaded(self):
        loader = unittest.TestLoader()
        parts = Path(fault_injection.__file__).parent
        loader.discover(str(parts), top_level_dir=str(CHECKOUT))
        self.assertEqual(loader.errors, [])
