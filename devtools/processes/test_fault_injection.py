"""Of ``make faults``, what is out of date is seen before somebody runs it."""

import unittest
from pathlib import Path

from .. import fault_injection
from ..fault_injection import test_simultaneous
from ..paths import CHECKOUT


class TestFaultInjection(test_simultaneous.TestSimultaneous):
    """One round of the part that breaks nothing that others use. Its reseller, and what
    is compared, are those of most other parts."""

    def test_each_part_can_be_loaded(self):
        loader = unittest.TestLoader()
        parts = Path(fault_injection.__file__).parent
        loader.discover(str(parts), top_level_dir=str(CHECKOUT))
        self.assertEqual(loader.errors, [])
