"""A document that is larger than the limits of a server, which are tight."""

from .case import ANSWERED_WITHIN, HELD, LimitsCase


class TestTightLimits(LimitsCase):
    def test_what_workers_die_of_is_held_in_words(self):
        reseller, answered, _seconds = self.fetch(customers=1, lines=15_000)
        self.assertLess(answered, ANSWERED_WITHIN)
        self.assertEqual(len(reseller.query(HELD)), 1)
        self.assertHeldInWords(reseller)
