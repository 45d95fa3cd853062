"""What the tests of a server's limits have in common."""

import os
import time

from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import create_contacts
from ..processes.workers import DATABASE, environment
from .person import Person, Visitor

ADDRESS = os.environ["COPACO_ADDRESS"]
ANSWERED_WITHIN = 30  # seconds that a button may keep a person waiting
SHOWN_WITHIN = 1  # seconds that any other page may take
ENDED_WITHIN = 1200  # seconds after which what still waits counts as forgotten
# An interrupted fetch begins again after half an hour.
RUNNING = """
    SELECT id FROM copaco_run
     WHERE company_id = %(company)s AND state = 'running' AND stored_at IS NOT NULL"""
NOT_YET = (
    "a document waits or is held without a good reason",
    "a run goes on for ever",
)
# Some customers of the simulator have neither a number nor a VAT number.
HELD = """
    SELECT hold_reason, hold_message::text FROM copaco_document
     WHERE company_id = %(company)s AND state = 'held' AND kind = 'specification'
       AND hold_reason != 'customer_unknown'"""


class LimitsCase(MultiprocessCase):
    """A person fetches large documents by the button while another one looks at
    invoices; the server's own scheduled actions do the rest."""

    def fetch(self, **options):
        """Let both do that until no document waits any more.

        :param options: of the simulator, whose documents they are
        :return: (the reseller, seconds until the button responded, list of the seconds
            until the other one saw invoices)
        """
        simulator = start_simulator(months=1, seed=self.id(), **options)
        reseller = self.make_reseller(simulator, "post", overlap_days=0)
        create_contacts(simulator.customers, reseller.company_id)
        with environment() as env:
            # The server keeps in mind which companies a user has.
            env.registry.clear_cache()
            env.registry.signal_changes()
        person, other = Person(ADDRESS, DATABASE), Person(ADDRESS, DATABASE)
        context = {"allowed_company_ids": [reseller.company_id]}
        with Visitor(other, reseller.company_id) as visitor:
            started = time.monotonic()
            person.call(
                "copaco.connection",
                "action_fetch",
                reseller.connection_ids[:1],
                context=context,
            )
            answered = time.monotonic() - started
            self._wait_for_end(reseller)
        ended = time.monotonic() - started
        seconds = sorted(visitor.seconds)
        print(
            f"{self.id()}: the button responded after {answered:.1f} s, all ended after"
            f" {ended:.0f} s, {reseller.states()}; of {len(seconds)} pages half"
            f" took up to {seconds[len(seconds) // 2]:.2f} s, the slowest"
            f" {seconds[-1]:.2f} s",
            flush=True,
        )
        return reseller, answered, seconds

    def assertHeldInWords(self, reseller):
        """What is not invoiced is too large, and says so."""
        self.assertEqual(reseller.faults(besides=NOT_YET), {})
        for reason, message in reseller.query(HELD):
            self.assertEqual(reason, "too_large", message)
            self.assertIn("limit_time_cpu", message)

    def _wait_for_end(self, reseller):
        deadline = time.monotonic() + ENDED_WITHIN
        while (
            not reseller.states()
            or "new" in reseller.states()
            or reseller.query(RUNNING)
        ):
            self.assertLess(time.monotonic(), deadline, reseller.states())
            time.sleep(1)
