from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from operator import itemgetter
from zoneinfo import ZoneInfo

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import MUTED, CopacoCommon, price_line
from ..simulator.faults import FAULTS
from .books import compare, read_sent
from .figures import choose, noted

# More than a good response ever takes on a busy machine.
TIME_LIMIT = 2
# What each misbehaviour is asked for; every one that there is has to be here.
OPTIONS = {
    "status": [
        *({"status": status} for status in (400, 401, 403, 404, 409, 410, 418)),
        *({"status": status} for status in (429, 500, 501, 502, 503, 504, 204, 206)),
        {"status": 429, "retry_after": 7200},
        {"status": 503, "retry_after": "later"},
    ],
    "redirect": [
        {"location": "http://localhost:9/elsewhere"},
        {"location": "/api/v1/customer-specifications"},
        {"location": "//127.0.0.1:9"},
    ],
    "slow": [{"seconds": TIME_LIMIT + 0.5}],
    "drip": [{"interval": 0.1}],
    "drop": [
        *({"share": share} for share in (None, 0, 0.5, 0.99)),
        {"chunked": True},
        {"reset": True},
    ],
    "huge": [{"bytes": 3_000_000}, {"bytes": 3_000_000, "chunked": True}],
    "bomb": [{"bytes": 300_000_000}],
    "html": [{}, {"status": 503}],
    "empty_body": [{}],
    "truncated_json": [{"share": share} for share in (0.1, 0.5, 0.9, 0.99)],
    "wrong_encoding": [{}, {"encoding": "cp1252"}, {"encoding": "cp037"}],
    "bom": [{}],
    "not_object": [*({"value": value} for value in ((), None, 1, "text", True))],
    "null_invoices": [{}],
    "no_invoices_key": [{}],
    "empty": [{}],
    "nan": [
        *({"value": value} for value in ("NaN", "Infinity", "-Infinity")),
        {"key": "InvoiceID"},
    ],
    # A cent may be what rounding explains.
    "wrong_totals": [{"amount": amount} for amount in ("0.05", "-1000", "1e11")],
    "duplicate_keys": [{"key": key} for key in ("ExtendedPrice", "Invoices", "Header")],
}
# Whoever presses the button is not kept waiting: it goes on in the background.
SLOW = {"slow", "drip"}
# These have tests of their own: no fault for who reads it, one that looks like a month
# without invoices, and one that a person has to be told.
READABLE = {"bom"}
LIKE_NOTHING = {"empty"}
WRONG = {"wrong_totals"}
POSITIONS = {"first": 0, "middle": 2, "last": 3}
DAYS_AGO = (95, 65, 35, 5)


@tagged("post_install", "-at_install", "copaco_faults")
class TestWire(CopacoCommon):
    """Each misbehaviour of the server, at each position of a fetch of four months:
    the run says so, nothing counts as fetched that wasn't, and the next fetch brings
    the rest."""

    def setUp(self):
        super().setUp()
        # Time limits need a clock that runs, so nothing is frozen here.
        self.today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
        self.connection.import_from = self.today - timedelta(days=100)
        self.create_partner(ref="K-1")
        for number, days in enumerate(DAYS_AGO):
            day = self.today - timedelta(days=days)
            self.add_invoice(
                f"INV-{number}",
                "A1",
                [price_line("10.005"), price_line(f"{number}.5", number=2)],
                customer={"CustomerNumber": "K-1"},
                created=day,
                Date=f"{day:%Y%m%d}",
            )
            content = self.simulator.invoices[-1].content
            content["Totals"] = {"TotalExcludingVAT": Decimal(f"{number + 10}.505")}
        self.sent = read_sent(stored.content for stored in self.simulator.invoices)
        self.limit_client(time_limit=TIME_LIMIT, max_body_bytes=1_000_000, first_wait=0)

    def run_scheduled(self, *names):
        with self.enter_registry_test_mode(), mute_logger(*MUTED):
            for name in names:
                self.env.ref(f"account_copaco.ir_cron_{name}").method_direct_trigger()
        self.env.invalidate_all()

    def fetch_by_hand(self, expect_failure=False):
        self.fetch(expect_failure=expect_failure)

    def get_runs(self):
        return self.connection.run_ids.sorted("id")

    def assert_good_books(self):
        """Check that everything that was sent is invoiced once."""
        books = compare(self.env, self.company, self.sent)
        self.assertEqual(books | {"lost": 0, "doubled": 0, "half": 0}, books)
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
        self.assertTrue(
            all(run.is_balanced for run in self.get_runs() if run.stored_at)
        )
        self.assertEqual(self.connection.fetched_until, self.today)
        return books

    def test_the_table_has_every_misbehaviour(self):
        self.assertEqual(set(OPTIONS), set(FAULTS))

    def test_each_misbehaviour_fails_clearly_and_the_next_fetch_brings_the_rest(self):
        cases = [
            (fault, options, place)
            for fault in OPTIONS.keys() - READABLE - LIKE_NOTHING - WRONG
            for options in OPTIONS[fault]
            for place in POSITIONS
        ]
        cases = choose(sorted(cases, key=str), kind=itemgetter(0))
        with noted("misbehaviour of the server") as figures:
            for number, (fault, options, place) in enumerate(cases):
                with self.subTest(fault=fault, place=place, **options), self.undone():
                    self.simulator.behave()
                    self.simulator.misbehave(
                        fault, times=None, after=POSITIONS[place], **options
                    )
                    # Scheduled and by hand it is the same code.
                    if number % 2 or fault in SLOW:
                        self.run_scheduled("fetch", "run", "process")
                    else:
                        self.fetch_by_hand(expect_failure=True)
                    self.assert_failed_at(POSITIONS[place])
                    self.simulator.behave()
                    self.fetch_by_hand()
                    books = self.assert_good_books()
                figures["times"] = figures.get("times", 0) + 1
                for name, count in books.items():
                    figures[name] = figures.get(name, 0) + count

    def assert_failed_at(self, position):
        """Check that the runs before a position are done, that the one there says what
        happened, and that nothing pretends to have come after it."""
        runs = self.get_runs()
        self.assertEqual(runs.mapped("state"), ["done"] * position + ["failed"])
        failed = runs[-1]
        self.assertIn("Test", failed.message, "names the connection")
        self.assertNotIn("Traceback", failed.message)
        self.assertEqual(
            self.documents.mapped("invoice_number"),
            [f"INV-{number}" for number in range(position)],
        )
        until = failed.date_from - timedelta(days=1) if position else False
        self.assertEqual(self.connection.fetched_until, until)
        self.assertTrue(self.connection.activity_ids, "a person is told")

    def test_what_only_looks_bad_is_read(self):
        for fault in READABLE:
            for place, position in choose(POSITIONS.items()):
                with self.subTest(fault=fault, place=place), self.undone():
                    self.simulator.behave()
                    self.simulator.misbehave(fault, times=1, after=position)
                    self.fetch_by_hand()
                    self.assert_good_books()

    def test_a_fault_that_passes_is_got_over(self):
        passing = [
            *(("status", {"status": status}) for status in (429, 500, 502, 503, 504)),
            *(("drop", options) for options in OPTIONS["drop"]),
        ]
        cases = [
            (*misbehaviour, place) for misbehaviour in passing for place in POSITIONS
        ]
        with noted("misbehaviour that passes") as figures:
            for fault, options, place in choose(cases, kind=itemgetter(0)):
                with self.subTest(fault=fault, place=place, **options), self.undone():
                    self.simulator.behave()
                    self.simulator.misbehave(
                        fault, times=2, after=POSITIONS[place], **options
                    )
                    self.fetch_by_hand()
                    books = self.assert_good_books()
                figures["times"] = figures.get("times", 0) + 1
                for name, count in books.items():
                    figures[name] = figures.get(name, 0) + count

    def test_a_response_without_invoices_says_so_and_the_period_can_be_asked_again(
        self,
    ):
        """Nobody can tell it from a month in which there was nothing."""
        for place, position in choose(POSITIONS.items()):
            with self.subTest(place=place), self.undone():
                self.simulator.behave()
                self.simulator.misbehave("empty", times=1, after=position)
                self.fetch_by_hand()
                run = self.get_runs()[position]
                self.assertEqual(run.state, "empty")
                self.fetch_again(run)
                self.assert_good_books()

    def test_totals_that_differ_from_the_lines_are_told_and_can_be_corrected(self):
        self.connection.totals_tolerance = 0
        for options, place in choose(product(OPTIONS["wrong_totals"], POSITIONS)):
            with self.subTest(place=place, **options), self.undone():
                position = POSITIONS[place]
                self.simulator.behave()
                self.simulator.misbehave(
                    "wrong_totals", times=1, after=position, **options
                )
                self.fetch_by_hand()
                held = self.documents.filtered(lambda each: each.state == "held")
                self.assertEqual(held.invoice_number, f"INV-{position}")
                self.assertEqual(held.hold_reason, "source_totals_differ")
                self.assertEqual(self.get_runs()[position].state, "attention")
                self.fetch_again(held.run_id)
                self.run_scheduled("process")
                self.assert_good_books()

    def fetch_again(self, run):
        """Press "Fetch period..." for the period of a run."""
        wizard = self.env["copaco.fetch"].create(
            {
                "connection_id": self.connection.id,
                "date_from": run.date_from,
                "date_to": run.date_to,
            }
        )
        with self.committing(wizard) as committing:
            committing.action_fetch()
