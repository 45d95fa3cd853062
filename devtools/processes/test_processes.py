"""Real processes on a real database: several at once, and some that are killed."""

import json
import random
import time
from decimal import Decimal

from .case import MultiprocessCase, start_simulator
from .reseller import create_contacts, price_lines, sent_by
from .workers import (
    fetch_as_scheduled,
    go_on,
    may_be_told,
    press_fetch,
    press_retry,
    process,
)

CUSTOMERS = 14
UNKNOWN_CUSTOMERS = 2  # their documents are held
MONTHS = 3
LINES_A_MONTH = 110
# What a killed process leaves depends on how many commits it made: so many in turn.
COMMITS_OF_A_FETCH = range(1, 11)
COMMITS_OF_A_PROCESS = range(1, 6)
RANDOM_KILLS = 3
RUNS = "SELECT state, message FROM copaco_run WHERE company_id = %(company)s"
# Drafts of a contact and month of the same connection that are not one.
SHARES = """
    SELECT document.connection_id, move.partner_id,
           date_trunc('month', move.invoice_date), array_agg(DISTINCT move.id)
      FROM account_move move
      JOIN copaco_document document ON document.id = move.copaco_document_id
     WHERE move.company_id = %(company)s AND move.move_type = 'out_invoice'
  GROUP BY 1, 2, 3 HAVING count(DISTINCT move.id) > 1"""
INVOICES = "SELECT count(*) FROM account_move WHERE company_id = %(company)s"
FAILED = ("failed", True)
ALL_DAYS = 31 * (MONTHS + 1)


def setUpModule():
    global simulator
    simulator = start_simulator(customers=CUSTOMERS, months=MONTHS, lines=LINES_A_MONTH)
    create_contacts(simulator.customers[:-UNKNOWN_CUSTOMERS])


class TestSimultaneous(MultiprocessCase):
    def setUp(self):
        super().setUp()
        self.all_invoices = list(simulator.invoices)
        self.addCleanup(simulator.invoices.__setitem__, slice(None), self.all_invoices)

    def test_drafts_of_simultaneous_runs_are_made_once(self):
        self._fetch_month_by_month(
            self.make_reseller(simulator, "draft", overlap_days=ALL_DAYS)
        )

    def test_posted_invoices_of_simultaneous_runs_are_made_once(self):
        reseller = self.make_reseller(simulator, "post", overlap_days=ALL_DAYS)
        self._fetch_month_by_month(reseller)
        self._change_what_came(reseller)
        self._retry_what_is_held(reseller)

    def test_documents_of_a_month_are_put_on_one_invoice_by_simultaneous_runs(self):
        self._split_invoices()
        reseller = self.make_reseller(
            simulator, "draft", overlap_days=ALL_DAYS, invoice_grouping="month"
        )
        self._fetch(reseller)
        self.assertGoodBooks(reseller, sent_by(simulator))
        self.assertEqual(reseller.query(SHARES), [])
        documents = sum(reseller.states().values())
        ((invoices,),) = reseller.query(INVOICES)
        self.assertLess(invoices, documents * 0.7)

    def test_simultaneous_runs_that_fail_all_say_so(self):
        reseller = self.make_reseller(simulator, "draft", overlap_days=0)
        simulator.misbehave("status", status=401, times=None)
        self.addCleanup(simulator.behave)
        presses = map(press_fetch, reseller.connection_ids * 2)
        tasks = [fetch_as_scheduled, *map(may_be_told, presses)]
        codes = self.workers.run_together(*tasks, meanwhile=go_on)
        self.assertEqual(set(codes), {0}, self.workers.problems())
        # A button whose time is up leaves its run to the background.
        self.assertEqual(self.workers.run_together(go_on), [0])
        self.assertEqual(self.workers.problems(), "")
        runs = reseller.query(RUNS)
        self.assertGreaterEqual(len(runs), len(tasks))
        self.assertEqual({(state, bool(told)) for state, told in runs}, {FAILED})

    def _fetch_month_by_month(self, reseller):
        simulator.invoices.clear()
        for created in sorted({invoice.created for invoice in self.all_invoices}):
            simulator.invoices += [
                invoice for invoice in self.all_invoices if invoice.created == created
            ]
            self._fetch(reseller)
            self.assertGoodBooks(reseller, sent_by(simulator))
            reseller.finish_activities()

    def _split_invoices(self):
        """Let each customer have its lines on two invoices."""
        for stored in self.all_invoices:
            content = json.loads(stored.encode(), parse_float=Decimal)
            other = json.loads(stored.encode(), parse_float=Decimal)
            other["Header"]["InvoiceID"] = f"{content['Header']['InvoiceID']}-2"
            simulator.invoices.remove(stored)
            for part, invoice in enumerate((content, other)):
                invoice.pop("Totals", None)
                for customer in invoice["Customers"]:
                    kept = set(map(id, price_lines(customer)[part::2]))
                    for subscription in customer["Subscriptions"]:
                        subscription["PriceLines"] = [
                            line
                            for line in subscription["PriceLines"]
                            if id(line) in kept
                        ]
                if any(map(price_lines, invoice["Customers"])):
                    simulator.add_invoice(invoice, stored.created)

    def _change_what_came(self, reseller):
        # What is invoiced stays until a person decides; what is held follows Copaco.
        before = sent_by(simulator)
        invoiced, held = simulator.invoices[0], simulator.invoices[-1]
        for changed in (invoiced, held):
            simulator.invoices.remove(changed)
            content = json.loads(changed.encode(), parse_float=Decimal)
            price_lines(content["Customers"][0])[0]["ExtendedPrice"] += 1
            content["Totals"]["TotalExcludingVAT"] += 1
            simulator.add_invoice(content, changed.created)
        self._fetch(reseller)
        kept = {key: before[key] for key in before if key[0] == invoiced.number}
        self.assertGoodBooks(reseller, sent_by(simulator) | kept)
        self.assertEqual(reseller.states(), {"changed": 1, "held": 6, "invoiced": 35})

    def _retry_what_is_held(self, reseller):
        received = reseller.received()
        unknown = simulator.customers[-UNKNOWN_CUSTOMERS:]
        create_contacts(unknown, company_id=reseller.company_id)
        # Whoever comes last finds that nothing is held.
        task = may_be_told(press_retry(reseller.company_id))
        codes = self.workers.run_together(task, task, meanwhile=go_on)
        self.assertEqual(codes, [0, 0, 0], self.workers.problems())
        self.assertGoodBooks(reseller, received)
        self.assertEqual(reseller.states(), {"changed": 1, "invoiced": 41})

    def _fetch(self, reseller):
        codes = self.workers.run_together(
            fetch_as_scheduled,
            *map(press_fetch, reseller.connection_ids),
            meanwhile=go_on,
        )
        self.assertEqual(codes, [0, 0, 0, 0], self.workers.problems())


class TestKilled(MultiprocessCase):
    def test_killed_workers_leave_nothing_behind_in_the_books(self):
        undisturbed = self.make_reseller(simulator, "post", overlap_days=0)
        started = time.monotonic()
        self._fetch(undisturbed)
        seconds = time.monotonic() - started
        self.assertGoodBooks(undisturbed, sent_by(simulator))

        disturbed = self.make_reseller(simulator, "post", overlap_days=0)
        self._kill_often(disturbed, seconds)
        disturbed.let_half_an_hour_pass()
        self._fetch(disturbed)
        self.assertGoodBooks(disturbed, sent_by(simulator))
        self.assertEqual(disturbed.books(), undisturbed.books())

    def _fetch(self, reseller):
        task = press_fetch(reseller.connection_ids[0])
        self.assertEqual(self.workers.run_together(task), [0], self.workers.problems())

    def _kill_often(self, reseller, seconds):
        first, second = map(press_fetch, reseller.connection_ids)
        for commits in COMMITS_OF_A_FETCH:
            killed = self.workers.kill(first, commits)
            self.assertTrue(killed, f"a fetch has less than {commits} commits")
            fetched = sent_by(simulator, until=reseller.fetched_until())
            self.assertLessEqual(fetched.keys(), reseller.received().keys())
        # Making the invoices takes most of the time of a fetch.
        for task in (first, second, process):
            for _ in range(RANDOM_KILLS):
                self.workers.kill(task, seconds=random.uniform(0, seconds / 3))
        for commits in COMMITS_OF_A_PROCESS:
            self.workers.kill(process, commits)
