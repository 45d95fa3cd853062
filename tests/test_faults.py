from odoo.tests import freeze_time, tagged

from ..client import api
from .common import CopacoCommon, price_line

# What the server does, and a word that a bookkeeper must find in the message.
FAULTS = [
    ("status", {"status": 401}, "key"),
    ("status", {"status": 403}, "permission"),
    ("status", {"status": 404}, "address"),
    ("status", {"status": 429}, "wait"),
    ("status", {"status": 429, "retry_after": 7200}, "wait"),
    ("status", {"status": 500}, "later"),
    ("drop", {}, "again"),
    ("truncated_json", {}, "answer"),
    ("html", {}, "answer"),
    ("wrong_encoding", {}, "answer"),
    ("redirect", {"location": "http://localhost:9/elsewhere"}, "address"),
    ("bomb", {"bytes": 300_000_000}, "larger"),
    ("empty_body", {}, "empty"),
    ("not_object", {}, "answer"),
    ("null_invoices", {}, "Invoices"),
    ("nan", {}, "answer"),
    ("duplicate_keys", {}, "answer"),
]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestFaults(CopacoCommon):
    """Promise 8: failure looks like failure, and the next good run catches up."""

    def setUp(self):
        super().setUp()
        # The waits themselves are tested with the client.
        self.patch(api, "FIRST_WAIT", 0)

    def test_each_misbehaviour_fails_clearly_and_the_next_run_catches_up(self):
        self.create_partner(ref="K-1")
        self.add_invoice(
            "INV-1", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )
        for fault, options, word in FAULTS:
            with self.subTest(fault=fault, **options):
                self.simulator.behave()
                self.simulator.misbehave(fault, times=None, **options)
                run = self.fetch(expect_failure=True)
                self.assertEqual(run.state, "failed")
                self.assertIn(word.lower(), self.failure.lower())
                self.assertIn("Test", self.failure, "names the connection")
                self.assertNotIn("Traceback", self.failure)
                self.assertEqual(run.message, self.failure)
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

    def test_a_passing_fault_is_got_over_without_a_person(self):
        self.add_invoice("INV-1", "A1", [price_line("10")])
        self.simulator.misbehave("status", status=503, times=2)
        self.assertEqual(self.fetch().received_count, 1)

    def test_a_connection_without_a_key_says_so(self):
        self.connection.api_key = False
        self.fetch(expect_failure=True)
        self.assertIn("key", self.failure)
        self.assertFalse(self.simulator.requests)
