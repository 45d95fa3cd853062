"""What the attacks have in common: a portal with ever new invoices, and a reseller."""

import itertools
import json
import random
import time
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from fault_injection.figures import note, seed
from simulator.server import PURCHASES, SPECIFICATIONS

from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import create_contacts, price_lines, sent_by
from ..processes.workers import (
    have_jobs_due,
    jobs_are_due,
    press_fetch,
    upload,
    with_constant,
    work_as_scheduler,
)

CUSTOMERS = 12
UNKNOWN_CUSTOMERS = 2  # their documents are held
LINES_A_DELIVERY = 50
# Some of it was created so many days ago: a fetch makes two runs, of a month
# and of the rest.
OLDER_DAYS = 40
OVERLAP_DAYS = 5
# So that the invoices of a delivery are made in three batches.
BATCH_SIZE = 4
# The scheduler gives a job 10 seconds, then the others have their turn.
MAX_TURNS = 50
ATTEMPTS_PER_RESELLER = 20
# An attack may be made when the work is already done; then there is another.
ATTEMPTS_PER_HIT = 6
# Both of what Odoo has ready and what it has numbered.
POLICIES = ("draft", "post")


class Portal:
    """A simulator that has new invoices whenever it is asked to."""

    def __init__(self):
        self.simulator = start_simulator(
            customers=CUSTOMERS, months=1, lines=LINES_A_DELIVERY
        )
        create_contacts(self.simulator.customers[:-UNKNOWN_CUSTOMERS])
        self._patterns = {
            endpoint: [invoice.encode() for invoice in invoices]
            for endpoint, invoices in (
                (SPECIFICATIONS, self.simulator.invoices),
                (PURCHASES, self.simulator.purchases),
            )
        }
        self._deliveries = itertools.count(1)

    def clear(self):
        """Forget all that was delivered."""
        self.simulator.invoices.clear()
        self.simulator.purchases.clear()

    def deliver(self):
        """Have new invoices besides those that there are, and one that Copaco bills for
        all of them."""
        delivery = next(self._deliveries)
        for endpoint, patterns in self._patterns.items():
            for pattern in patterns:
                content = json.loads(pattern, parse_float=Decimal)
                header = content["Header"]
                # Digits, which are what tells one bill of a vendor from another.
                header["InvoiceID"] = f"{header['InvoiceID']}{delivery:04}"
                is_older = int(header["InvoiceID"]) % 3 == 0
                for customer in content["Customers"]:
                    for line in price_lines(customer):
                        line["InvoiceRowHash"] += f"-{delivery}"
                day = self.simulator.today - timedelta(days=OLDER_DAYS * is_older)
                self.simulator.add_invoice(content, day, endpoint)

    def answer(self):
        """Return the bytes of the response that has all that there is."""
        elements = b",".join(each.encode() for each in self.simulator.invoices)
        return b'{"Invoices": [%s]}' % elements


@cache
def _get_portal():
    # Its customers can be contacts only once.
    return Portal()


class AttackCase(MultiprocessCase):
    """Attacks a reseller again and again; a failure tells which attack it was."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = _get_portal()
        cls.enterClassContext(with_constant("BATCH_SIZE", BATCH_SIZE))

    def setUp(self):
        super().setUp()
        self.random = random.Random(f"{seed()} {self.id()}")
        self.attack = "before the first attack"

    def make_attacked(self, policy):
        """Make the reseller that the attacks are on, and do what a fetch does once."""
        self.portal.clear()
        self.portal.deliver()
        self.policy = policy
        self.reseller = self._make_reseller()
        # The workers inherit what Odoo has in its memory now: each is sooner at work.
        have_jobs_due()
        work_as_scheduler(None)
        self.work()
        self.assertBooks()

    def deliver(self):
        """Let the portal have something new for the reseller, who has to ask for all
        days again."""
        self.portal.deliver()
        self.reseller.forget_what_was_asked()

    def attack_often(self, what, wanted, attack, besides=()):
        """Attack somebody who fetches something new until that was hit often enough.

        After each attack it is fetched again, and the books must be good. Now and then
        there is another reseller; in the end the books of each must be those of one who
        was never attacked.

        :param what: the words for the table
        :param attack: function that takes the number of the attempt, fetches and
            attacks, and returns whether that hit
        :param besides: faults that may be there in the books
        """
        figures, started = Counter(), time.monotonic()
        for attempt in range(1, wanted * ATTEMPTS_PER_HIT + 1):
            self.deliver()
            figures["times"] += attack(attempt)
            self.assertNothingHalf()
            self._recover()
            self.assertBooks(besides)
            is_last = figures["times"] == wanted
            if is_last or attempt % ATTEMPTS_PER_RESELLER == 0:
                self.assertAsUndisturbed()
                figures.update(self.reseller.figures(self.expected()))
            if is_last:
                break
            if attempt % ATTEMPTS_PER_RESELLER == 0:
                self.reseller.retire()
                self.make_attacked(self.policy)
        self.assertEqual(figures["times"], wanted, "attacks that hit")
        seconds = time.monotonic() - started
        note(f"{what}, {self.policy}", seconds=seconds, **figures)

    def expected(self):
        """Return what the reseller must have, see ``sent_by``."""
        return sent_by(self.portal.simulator, purchases_until=date.max)

    def ways_to_fetch(self):
        """Return the tasks of those who may fetch, by their names."""
        first, second = self.reseller.connection_ids
        return {
            "the scheduler": work_as_scheduler,
            "the button": press_fetch(first),
            "the button of the other connection": press_fetch(second),
            "an upload": upload(first, self.portal.answer()),
        }

    def choose_way(self):
        """Return one of the ``ways_to_fetch``: its name and its task."""
        return self.random.choice(list(self.ways_to_fetch().items()))

    def measure_gaps(self):
        """Fetch in each of the ways; return dict of lists of the seconds between the
        commits, as ``choose_moment`` takes it."""
        gaps = {}
        for way in self.ways_to_fetch():
            self.deliver()
            have_jobs_due()
            gaps[way] = self.workers.measure(self.ways_to_fetch()[way])
            self.work()
        return gaps

    def choose_moment(self, gaps):
        """Return a way to fetch, its task, a number of commits, and seconds that pass
        between the last of them and the next one."""
        way, task = self.choose_way()
        commits = self.random.randrange(len(gaps[way]))
        return way, task, commits, self.random.uniform(0, gaps[way][commits])

    def work(self):
        """Let the scheduler do everything that is to be done."""
        have_jobs_due()
        for _turn in range(MAX_TURNS):
            self.assertEqual(self.workers.run_together(work_as_scheduler), [0])
            if not jobs_are_due():
                return
        self.fail("the scheduler comes to no end")

    def assertNothingHalf(self):
        """Whatever was interrupted, there is nothing wrong in what was committed."""
        self.assertEqual(self.reseller.faults(at_rest=False), {})
        said_to_be_stored = sent_by(
            self.portal.simulator,
            self.reseller.fetched_until(),
            self.reseller.purchases_fetched_until(),
        ).keys()
        self.assertEqual(said_to_be_stored - self.reseller.received().keys(), set())

    def assertBooks(self, besides=()):
        """Nothing is wrong, and everything that the portal has is there."""
        self.assertEqual(self.reseller.faults(besides=besides), {})
        self.assertEqual(self.reseller.received(), self.expected())
        self.assertEqual(self.workers.problems(), "")

    def assertAsUndisturbed(self):
        """The books are those of a reseller who got all in one undisturbed fetch."""
        undisturbed = self._make_reseller()
        self.work()
        self.assertEqual(undisturbed.faults(), {})
        books, expected = map(Counter, (self.reseller.books(), undisturbed.books()))
        self.assertEqual(list(books - expected), [], "of the attacked one only")
        self.assertEqual(list(expected - books), [], "of the undisturbed one only")
        undisturbed.retire()

    def _recover(self):
        """Fetch again, as a person or the scheduler does sooner or later, until also
        what was interrupted has been taken up again."""
        if self.random.random() < 0.5:
            self.reseller.let_half_an_hour_pass()
        way, task = self.choose_way()
        self.attack += f", then {way}"
        have_jobs_due()
        codes = self.workers.run_together(task)
        self.assertEqual(codes, [0], self.workers.problems())
        self.reseller.let_half_an_hour_pass()
        self.work()

    def _make_reseller(self):
        return self.make_reseller(
            self.portal.simulator, self.policy, OVERLAP_DAYS, fetch_purchases=True
        )

    def _formatMessage(self, msg, standardMsg):
        message = super()._formatMessage(msg, standardMsg)
        return f"{message}\nSEED={seed()}, {self.attack}"
