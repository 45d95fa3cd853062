"""Large documents on a server with two workers and the limits that Odoo has when nobody
sets any."""

from .case import ANSWERED_WITHIN, SHOWN_WITHIN, LimitsCase


class TestDefaultLimits(LimitsCase):
    def test_forty_documents_of_900_lines(self):
        self._fetch(customers=40, lines=40 * 900)

    def test_one_document_of_20000_lines(self):
        self._fetch(customers=1, lines=20_000)

    def _fetch(self, **options):
        reseller, answered, seconds = self.fetch(**options)
        self.assertHeldInWords(reseller)
        self.assertLess(answered, ANSWERED_WITHIN)
        self.assertLess(seconds[-1], SHOWN_WITHIN)
