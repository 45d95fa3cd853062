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
        self.assert_confirmed(self.good)

    def assert_confirmed(self, documents):
        """Check that invoices are confirmed if the connection says so."""
        state = "draft" if self.connection.invoice_policy == "draft" else "posted"
        self.assertEqual(set(documents.move_id.mapped("state")), {state})

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

    def assert_left_as_draft(self, documents, *words):
        """Check that documents have their whole invoices, which wait for a person, with
        a reason that has these words."""
        for document in documents:
            self.assertEqual(document.state, "invoiced", document.hold_message)
            self.assertEqual(document.move_id.state, "draft")
            self.assertEqual(document.move_id.amount_untaxed, 12.5)
            self.assertEqual(document.draft_reason, "not_confirmed")
            for word in words:
                self.assertIn(word, document.draft_message)
            self.assertNotIn("Traceback", document.draft_message)
        self.assertTrue(all(self.documents.run_id.mapped("is_balanced")))
        told = self.connection.activity_ids.summary
        self.assertIn(f"left as drafts: {len(documents)}", told, "a person is told")

    def confirm(self):
        """Confirm what was left as a draft, when its cause is solved."""
        drafts = self.documents.filtered("draft_message")
        with self.committing(drafts.with_user(self.billing_user)) as committing:
            committing.action_confirm_invoice()
        self.assert_all_invoiced()

    def retry(self):
        held = self.documents.filtered(lambda each: each.state == "held")
        with self.committing(held.with_user(self.billing_user)) as committing:
            committing.action_retry()
        self.assert_all_invoiced()

    def assert_all_invoiced(self):
        """Check that each document is invoiced, once."""
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
        self.assert_confirmed(self.documents)
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
        with self.scheduled(adds=not all_of_them):
            yield
        if all_of_them:
            self.assert_held(self.documents, reason, *words)
        else:
            self.assert_held(self.bad, reason, *words)
            self.assert_good_invoiced()
        self.note()

    @contextmanager
    def left_as_draft(self, *words, all_of_them=False):
        """As `refused`, of what only keeps the invoice from being confirmed. After it,
        correct what was spoilt and call `confirm`."""
        with self.scheduled(adds=not all_of_them):
            yield
        if all_of_them:
            self.assert_left_as_draft(self.documents, *words)
        else:
            self.assert_left_as_draft(self.bad, *words)
            self.assert_good_invoiced()
        self.note()

    @contextmanager
    def scheduled(self, adds=True):
        """Have a document among the good ones that the block spoils; after the block,
        the schedule runs."""
        if not self.simulator.invoices[len(GOOD) :] and adds:
            self.add()
        yield
        self.run_schedule()

    def note(self):
        # Time is frozen here, so none is noted.
        note("refusal of Odoo", times=1, documents=len(self.documents))
