from datetime import date
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import copaco_run_scheduler
from .common import MUTED, CopacoCommon, price_line

# What the server does, and a word that a bookkeeper must find in the message.
FAULTS = [
    ("status", {"status": 401}, "key"),
    ("status", {"status": 403}, "permission"),
    ("status", {"status": 404}, "address"),
    ("status", {"status": 429}, "wait"),
    ("status", {"status": 429, "retry_after": 7200}, "wait"),
    ("status", {"status": 400}, "copaco"),
    ("status", {"status": 500}, "later"),
    ("status", {"status": 502}, "later"),
    ("drip", {"interval": 0.1}, "time"),
    ("drop", {}, "again"),
    ("truncated_json", {}, "response"),
    ("html", {}, "web page"),
    ("wrong_encoding", {}, "response"),
    ("redirect", {"location": "http://localhost:9/elsewhere"}, "address"),
    ("huge", {"bytes": 3_000_000}, "larger"),
    ("bomb", {"bytes": 300_000_000}, "larger"),
    ("empty_body", {}, "empty"),
    ("not_object", {}, "response"),
    ("null_invoices", {}, "Invoices"),
    ("no_invoices_key", {}, "Invoices"),
    ("nan", {}, "response"),
    ("duplicate_keys", {}, "response"),
]


@tagged("post_install", "-at_install")
class TestFaults(CopacoCommon):
    """Promise 8: failure looks like failure, and the next good run catches up."""

    # Time limits need a clock that runs: nothing is frozen here.
    created = date.today()

    def setUp(self):
        super().setUp()
        self.connection.import_from = self.created
        # The limits themselves are tested with the client.
        self.limit_client(time_limit=2, max_body_bytes=1_000_000, first_wait=0)

    def test_each_misbehaviour_fails_clearly_and_the_next_run_catches_up(self):
        self.create_partner(ref="K-1")
        self.add_invoice(
            "INV-1",
            "A1",
            [price_line("10")],
            customer={"CustomerNumber": "K-1"},
            created=self.created,
        )
        for fault, options, word in FAULTS:
            with self.subTest(fault=fault, **options):
                self.simulator.behave()
                self.simulator.misbehave(fault, times=None, **options)
                run = self.fetch_as_scheduled()
                self.failure = run.message
                self.assertEqual(run.state, "failed")
                self.assertIn(word.lower(), self.failure.lower())
                self.assertIn("Test", self.failure, "names the connection")
                self.assertNotIn("Traceback", self.failure)
                self.assertFalse(self.documents)
                self.assertFalse(self.connection.fetched_until)
                self.assertEqual(
                    self.connection.activity_ids.mapped("user_id"),
                    self.connection.responsible_id,
                )
        self.assertEqual(len(self.connection.activity_ids), 1)
        self.simulator.behave()
        self.assertEqual(self.fetch().state, "done")
        self.assertEqual(self.documents.state, "invoiced")
        self.assertFalse(self.connection.activity_ids, "solved, so gone")

    def fetch_as_scheduled(self):
        with self.enter_registry_test_mode(), mute_logger(*MUTED):
            self.env.ref("account_copaco.ir_cron_fetch").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        return self.connection.last_run_id

    def test_the_button_says_what_the_scheduled_action_notes(self):
        self.simulator.misbehave("status", status=403, times=None)
        run = self.fetch(expect_failure=True)
        self.assertEqual(self.failure, run.message)
        self.assertIn("permission", self.failure)

    def test_a_slow_response_goes_on_in_the_background(self):
        self.add_invoice("INV-1", "A1", [price_line("10")], created=self.created)
        self.simulator.misbehave("drip", interval=0.1, times=1)
        with patch.object(copaco_run_scheduler, "BUTTON_SECONDS", 1):
            run = self.fetch()
        self.assertEqual(run.state, "running")
        self.assertFalse(self.connection.fetched_until)
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertEqual(run.received_count, 1)

    def test_a_passing_fault_is_got_over_without_a_person(self):
        self.add_invoice("INV-1", "A1", [price_line("10")], created=self.created)
        self.simulator.misbehave("status", status=503, times=2)
        self.assertEqual(self.fetch().received_count, 1)

    def test_a_connection_without_a_key_says_so(self):
        self.connection.api_key = False
        self.fetch(expect_failure=True)
        self.assertIn("Test has no API key yet. Press Set API key", self.failure)
        self.assertFalse(self.simulator.requests)
