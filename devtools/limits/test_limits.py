"""Large documents on a real server with two workers and the limits that Odoo has when
nobody sets any."""

import os
import time

from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import create_contacts
from ..processes.workers import DATABASE, environment
from .person import Person, Visitor

ADDRESS = os.environ["COPACO_ADDRESS"]
ANSWERED_WITHIN = 30  # seconds that a button may keep a person waiting
SHOWN_WITHIN = 1  # seconds that any other page may take
ENDED_WITHIN = 900  # seconds after which what still waits counts as forgotten


class TestLargeDocuments(MultiprocessCase):
    def test_forty_documents_of_900_lines(self):
        self._fetch(customers=40, lines=40 * 900)

    def test_one_document_of_20000_lines(self):
        self._fetch(customers=1, lines=20_000)

    def _fetch(self, **options):
        simulator = start_simulator(months=1, seed=self.id(), **options)
        reseller = self.make_reseller(simulator, "post", overlap_days=0)
        create_contacts(simulator.customers, reseller.company_id)
        # The workers keep in mind which companies a user has.
        with environment() as env:
            env.registry.clear_cache()
            env.registry.signal_changes()
        person, other = Person(ADDRESS, DATABASE), Person(ADDRESS, DATABASE)
        context = {"allowed_company_ids": [reseller.company_id]}
        with Visitor(other, reseller.company_id) as visitor:
            started = time.monotonic()
            person.call(
                "copaco.connection",
                "action_fetch",
                [reseller.connection_ids[0]],
                context=context,
            )
            answered = time.monotonic() - started
            print("answered", answered, reseller.states(), flush=True)
            self._wait_for_end(reseller)
            print("ended", time.monotonic() - started, reseller.states(), flush=True)
        print("pages", len(visitor.seconds), sorted(visitor.seconds)[-5:], flush=True)
        self.assertLess(answered, ANSWERED_WITHIN)
        self.assertLess(max(visitor.seconds), SHOWN_WITHIN)
        self.assertEqual(reseller.faults(besides=["a document waits"]), {})

    def _wait_for_end(self, reseller):
        deadline = time.monotonic() + ENDED_WITHIN
        while not reseller.states() or "new" in reseller.states():
            self.assertLess(time.monotonic(), deadline, reseller.states())
            time.sleep(1)
