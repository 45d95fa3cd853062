from contextlib import contextmanager

from odoo.tools import mute_logger

from ..common import MUTED, CopacoCommon, price_line
from .figures import note

CRONS = ("fetch", "run", "process", "check_alerts", "weekly_digest")
GOOD = ("GOOD-1", "GOOD-2", "GOOD-3")
MODELS = "odoo.addons.account_copaco.models"


class RefusalCase(CopacoCommon):
    """What Odoo refuses is held with words that help, stops nothing else, never
    switches a scheduled action off, and is invoiced when the cause is solved."""

    def setUp(self):
        super().setUp()
        self.good_partner = self.create_partner(name="Good", ref="K-GOOD")
        self.bad_partner = self.create_partner(name="Bad", ref="K-BAD")
        for number in GOOD:
            self.add(number, "GOOD")

    def add(self, number="BAD-1", who="BAD", **values):
        self.add_invoice(
            number,
            f"A-{who}",
            [price_line("10.00"), price_line("2.50", number=2)],
            customer={"CustomerNumber": f"K-{who}"},
            **values,
        )

    @property
    def bad(self):
        return self.documents.filtered(lambda each: each.invoice_number == "BAD-1")

    @property
    def good(self):
        return self.documents - self.bad

    def run_schedule(self):
        """Let the scheduled actions do what they do, twice."""
        crons = self.env["ir.cron"]
        with (
            self.enter_registry_test_mode(),
            mute_logger(*MUTED, MODELS, "odoo.sql_db"),
        ):
            for name in CRONS * 2:
                cron = self.env.ref(f"account_copaco.ir_cron_{name}")
                cron.method_direct_trigger()
                crons |= cron
        self.env.invalidate_all()
        self.assertEqual(crons.mapped("active"), [True] * len(CRONS))
        self.assertEqual(crons.mapped("failure_count"), [0] * len(CRONS))

    def assert_good_invoiced(self):
        self.assertEqual(tuple(sorted(self.good.mapped("invoice_number"))), GOOD)
        self.assertEqual(set(self.good.mapped("state")), {"invoiced"})
        self.assertEqual(self.good.move_id.mapped("amount_untaxed"), [12.5] * len(GOOD))

    def assert_held(self, documents, reason, *words):
        """Check that documents are held, with a message that has these words."""
        self.assertTrue(documents)
        for document in documents:
            self.assertEqual(document.state, "held")
            self.assertEqual(document.hold_reason, reason, document.hold_message)
            self.assertFalse(document.move_id)
            for word in (document.invoice_number, *words):
                self.assertIn(word, document.hold_message)
            self.assertNotIn("Traceback", document.hold_message)
        self.assertTrue(all(self.documents.run_id.mapped("is_balanced")))
        self.assertEqual(set(self.documents.run_id.mapped("state")), {"attention"})
        self.assertTrue(self.connection.activity_ids, "a person is told")

    def retry(self):
        held = self.documents.filtered(lambda each: each.state == "held")
        with self.committing(held.with_user(self.billing_user)) as committing:
            committing.action_retry()
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
        self.assertEqual(
            self.env["account.move"].search_count(
                [("copaco_document_id", "in", self.documents.ids)]
            ),
            len(self.documents),
        )
        self.assertTrue(all(self.documents.run_id.mapped("is_balanced")))

    @contextmanager
    def refused(self, reason, *words, all_of_them=False):
        """The block spoils what Odoo needs; then the schedule runs and the result is
        checked. After it, correct what was spoilt and call `retry`."""
        if not self.simulator.invoices[len(GOOD) :] and not all_of_them:
            self.add()
        yield
        self.run_schedule()
        if all_of_them:
            self.assert_held(self.documents, reason, *words)
        else:
            self.assert_held(self.bad, reason, *words)
            self.assert_good_invoiced()
        # Time is frozen here, so none is noted.
        note("refusal of Odoo", times=1, documents=len(self.documents))
