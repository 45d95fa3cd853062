import os
import time
from datetime import timedelta
from unittest.mock import MagicMock, patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from ..tools import ask_for_whole_time, get_seconds_left, get_server
from .common import CopacoCommon, price_line

SERVICES = "odoo.addons.account_copaco.services"
MIXIN = "odoo.addons.account_copaco.models.copaco_attempt_mixin"
PLANNER = f"{SERVICES}.copaco_batch_planner"


class WorkerDied(BaseException):
    """What stops a worker is nothing that it can catch."""


@tagged("post_install", "-at_install")
class TestServerLimits(CopacoCommon):
    """A server stops workers that take too long: promises 2, 3 and 8."""

    def setUp(self):
        super().setUp()
        self.create_partner(ref="K-1")
        self.batches = []
        processor = self.registry["copaco.processor"]
        process = processor._process

        def note_and_process(service, documents):
            self.batches.append(documents.mapped("invoice_number"))
            if self.deadly and set(self.deadly) & set(self.batches[-1]):
                raise WorkerDied
            process(service, documents)

        self.deadly = ()
        self.patch(processor, "_process", note_and_process)

    def receive(self, **line_counts):
        """Fetch documents of so many lines, and make no invoices yet."""
        for number, count in line_counts.items():
            lines = [price_line("10", number=each) for each in range(count)]
            self.add_known(number, lines=lines)
        with patch(f"{SERVICES}.copaco_run_scheduler.BUTTON_SECONDS", 8):
            with patch.object(
                self.registry["copaco.processor"], "_process_waiting", lambda *_: None
            ):
                self.fetch()
        self.assertEqual(set(self.documents.mapped("state")), {"new"})

    def work(self, **limits):
        """Make the invoices as the scheduled action does, in a worker that may die.

        :param limits: `seconds` that are left, and whether that `is_fresh`
        """
        self.batches.clear()
        left = limits.get("seconds", 60), limits.get("is_fresh", True)
        with (
            patch(f"{PLANNER}.get_seconds_left", lambda **_options: left),
            self.committing(self.env["copaco.document"]) as documents,
        ):
            try:
                documents._cron_process()
            except WorkerDied:
                documents.env.cr.rollback()

    def let_pass(self, interval):
        self.env.cr.execute(
            "UPDATE copaco_document SET attempted_at = attempted_at - %s::interval",
            [interval],
        )
        self.env.invalidate_all()

    def get_states(self):
        return dict(
            zip(
                self.documents.mapped("invoice_number"),
                self.documents.mapped("state"),
                strict=True,
            )
        )

    # === BATCHES === #

    def test_a_batch_has_as_many_lines_as_take_a_few_seconds(self):
        self.receive(A=20, B=20, C=20, D=30, E=1)
        with patch("odoo.addons.account_copaco.tools.pace.WEIGHT", 0):
            with patch(f"{PLANNER}.BATCH_SECONDS", 100 / 250):
                self.work()
        # Each invoice counts as 20 lines more.
        self.assertEqual(self.batches, [["A", "B"], ["C", "D"], ["E"]])
        self.assertEqual(set(self.get_states().values()), {"invoiced"})

    def test_one_document_is_a_batch_however_large_it_is(self):
        self.receive(A=50, B=1)
        with patch(f"{PLANNER}.BATCH_SECONDS", 0.01):
            self.work()
        self.assertEqual(self.batches, [["A"], ["B"]])

    def test_what_does_not_fit_the_time_left_has_a_turn_of_its_own(self):
        self.receive(A=1, B=50)
        self.work(seconds=0.2, is_fresh=False)
        self.assertEqual(self.batches, [["A"]])
        self.assertEqual(self.get_states(), {"A": "invoiced", "B": "new"})
        self.work(seconds=0.2, is_fresh=False)
        self.assertEqual(self.batches, [])
        self.work(seconds=0.2, is_fresh=True)
        self.assertEqual(self.get_states(), {"A": "invoiced", "B": "invoiced"})

    def test_a_person_does_not_wait_for_what_takes_longer(self):
        self.receive(A=1, B=50)
        self.batches.clear()
        with (
            patch(f"{PLANNER}.BUTTON_GRACE_SECONDS", 0),
            patch(f"{SERVICES}.copaco_processor.BUTTON_SECONDS", 0.3),
            self.committing(self.documents) as documents,
        ):
            notification = documents.action_retry()
        self.assertEqual(self.batches, [["A"]])
        message = notification["params"]["message"]
        self.assertIn("Invoiced: 1", message)
        self.assertIn("background", message)

    def test_what_was_measured_counts_for_the_next_batch(self):
        self.receive(**{f"INV{number:02}": 1 for number in range(30)})
        create = self.registry["copaco.invoice.writer"]._create_invoices

        def create_slowly(writer, matches):
            create(writer, matches)
            time.sleep(0.05 * len(matches))

        with (
            patch.object(
                self.registry["copaco.invoice.writer"],
                "_create_invoices",
                create_slowly,
            ),
            patch("odoo.addons.account_copaco.tools.pace.LINES_A_SECOND", 10_000),
            patch(f"{PLANNER}.BATCH_SECONDS", 0.02),
        ):
            self.work()
        self.assertGreater(len(self.batches[0]), 5)
        self.assertEqual([len(batch) for batch in self.batches[-3:]], [1, 1, 1])

    def test_a_large_response_is_stored_in_the_background(self):
        self.add_known("A")
        with patch(f"{SERVICES}.copaco_fetcher.STORING_TO_KEEPING", 10**6):
            run = self.fetch()
        self.assertRecordValues(run, [{"state": "running", "stored_at": False}])
        self.assertTrue(run.payload_id)
        requests = len(self.simulator.requests)
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(len(self.simulator.requests), requests, "asked only once")
        self.assertEqual(self.get_states(), {"A": "invoiced"})

    def test_a_worker_that_may_have_slept_has_less_than_one_that_begins_at_once(self):
        limits = "odoo.addons.account_copaco.tools.limits"
        self.patch(config, "options", {**config.options, "limit_time_real_cron": 120})
        with (
            patch(f"{limits}._get_cpu_seconds_left", return_value=55),
            patch(f"{limits}._asked_at", float("-inf")),
        ):
            seconds, is_fresh = get_seconds_left(started=time.monotonic())
            self.assertAlmostEqual(seconds, 50, delta=1)
            self.assertFalse(is_fresh)
            ask_for_whole_time()
            seconds, is_fresh = get_seconds_left(started=time.monotonic())
            self.assertEqual((seconds, is_fresh), (55, True))
            started = time.monotonic() - 90
            with patch(f"{limits}._asked_at", started):
                seconds, is_fresh = get_seconds_left(started=started)
            self.assertAlmostEqual(seconds, 20, delta=1)
            self.assertFalse(is_fresh)

    # === A WORKER THAT DIED === #

    @mute_logger(PLANNER)
    def test_what_a_worker_died_of_is_tried_alone_then_held(self):
        self.receive(A=1, B=3, C=1)
        self.deadly = ["B"]
        self.work()
        self.assertEqual(self.batches, [["A", "B", "C"]])
        self.assertEqual(set(self.get_states().values()), {"new"})
        self.let_pass("1 min")
        self.work()
        self.assertEqual(self.batches, [["A"], ["B"]])
        self.let_pass("1 min")
        self.work()
        self.assertEqual(self.batches, [["C"]])
        self.assertEqual(
            self.get_states(), {"A": "invoiced", "B": "held", "C": "invoiced"}
        )
        held = self.documents[1]
        self.assertEqual(held.hold_reason, "too_large")
        self.assertIn("3 lines", held.hold_message)
        self.assertIn("limit_time_cpu", held.hold_message)
        activity = self.connection.activity_ids
        self.assertIn("waiting for a decision: 1", activity.summary)

        self.deadly = ()
        with self.committing(held) as committing:
            committing.action_retry()
        self.assertEqual(held.state, "invoiced")

    @mute_logger(PLANNER)
    def test_how_soon_a_worker_dies_of_it_does_not_matter(self):
        self.receive(A=1, B=3)
        self.deadly = ["B"]
        for batches in ([["A", "B"]], [["A"], ["B"]], []):
            self.work()
            self.assertEqual(self.batches, batches)
            self.let_pass("3 seconds")
        self.assertEqual(self.get_states(), {"A": "invoiced", "B": "held"})
        self.assertEqual(self.documents[1].hold_reason, "too_large")

    def test_a_restart_of_the_server_holds_nothing(self):
        self.receive(A=1)
        self.deadly = ["A"]
        for restart in range(4):
            with patch(f"{MIXIN}.get_server", return_value=f"server {restart}"):
                self.work()
            self.assertEqual(self.batches, [["A"]])
            self.let_pass("1 min")
        self.deadly = ()
        self.work()
        self.assertEqual(self.get_states(), {"A": "invoiced"})
        self.assertRecordValues(
            self.documents, [{"attempt_count": 0, "restart_count": 0}]
        )

    @mute_logger(PLANNER)
    def test_of_what_the_whole_server_dies_again_and_again_is_held(self):
        self.receive(A=1)
        self.deadly = ["A"]
        tried = 0
        while self.get_states() == {"A": "new"}:
            with patch(f"{MIXIN}.get_server", return_value=f"server {tried}"):
                self.work()
            tried += len(self.batches)
            self.assertLess(tried, 9)
        self.assertEqual(tried, 5)
        self.assertEqual(self.documents.hold_reason, "too_large")

    @mute_logger(PLANNER)
    def test_a_restart_is_no_death_and_no_pardon(self):
        self.receive(A=1)
        self.deadly = ["A"]
        for server, tries in (("1", 1), ("2", 1), ("2", 1), ("2", 0)):
            with patch(f"{MIXIN}.get_server", return_value=server):
                self.work()
            self.assertEqual(len(self.batches), tries)
            self.let_pass("1 min")
        self.assertEqual(self.documents.hold_reason, "too_large")

    def test_a_server_is_told_from_another_and_from_itself_after_a_restart(self):
        limits = "odoo.addons.account_copaco.tools.limits"
        own = get_server()
        self.assertEqual(get_server(), own)
        with patch(f"{limits}.server.server", MagicMock(pid=os.getppid())):
            parent = get_server()
        self.assertNotEqual(parent, own)
        with patch("psutil.Process.create_time", return_value=1.0):
            self.assertNotEqual(get_server(), own)

    @mute_logger(PLANNER)
    def test_what_another_worker_died_of_meanwhile_is_not_tried_a_third_time(self):
        self.receive(A=1, B=3)
        self.deadly = ["B"]
        self.work()
        self.let_pass("1 min")
        processor = self.registry["copaco.processor"]
        process, second = processor._process, self.documents[1].id

        def process_while_another_dies(service, documents):
            process(service, documents)
            service.env.cr.execute(
                "UPDATE copaco_document SET attempt_count = 2 WHERE id = %s", [second]
            )

        with patch.object(processor, "_process", process_while_another_dies):
            self.work()
        self.assertEqual(self.batches, [["A"]])
        self.assertEqual(self.get_states(), {"A": "invoiced", "B": "held"})

    @mute_logger(PLANNER)
    def test_a_conflict_is_neither_a_death_nor_a_pardon(self):
        self.receive(A=1)
        self.deadly = ["A"]
        self.work()
        self.let_pass("1 min")
        errors = [SerializationFailure("conflict")]
        process = self.registry["copaco.processor"]._process

        def conflict_then_die(service, documents):
            if errors:
                raise errors.pop()
            process(service, documents)

        with patch.object(
            self.registry["copaco.processor"], "_process", conflict_then_die
        ):
            self.work()
        self.assertEqual(self.documents.attempt_count, 2)
        self.let_pass("1 min")
        self.work()
        self.assertEqual(self.batches, [], "not a third time")
        self.assertEqual(self.documents.hold_reason, "too_large")

    def test_what_another_worker_begins_right_now_is_not_held(self):
        self.receive(A=1)
        self.documents.sudo().write(
            {
                "attempt_count": 2,
                "attempted_at": fields.Datetime.now(),
                "attempted_by": get_server(),
            }
        )
        self.work()
        self.assertEqual(self.get_states(), {"A": "invoiced"})

    def test_an_error_is_no_death(self):
        self.receive(A=1, B=1)
        with (
            patch.object(
                self.registry["account.move"], "_post", side_effect=ValueError("bad")
            ),
            mute_logger(f"{SERVICES}.copaco_invoice_writer"),
        ):
            self.connection.invoice_policy = "post"
            self.work()
        self.assertEqual(self.get_states(), {"A": "held", "B": "held"})
        self.assertEqual(set(self.documents.mapped("attempt_count")), {0})

    def test_what_may_not_be_confirmed_yet_stays_a_draft_with_the_reason(self):
        self.receive(A=1, B=2, C=1)
        post = self.registry["account.move"]._post

        def refuse(moves, *arguments, **options):
            if "B" in moves.mapped("invoice_origin"):
                raise ValidationError(self.env._("Request a validation first."))
            return post(moves, *arguments, **options)

        self.connection.invoice_policy = "post"
        with patch.object(self.registry["account.move"], "_post", refuse):
            self.work()
        self.assertEqual(set(self.get_states().values()), {"invoiced"})
        self.assertEqual(
            self.documents.move_id.mapped("state"), ["posted", "draft", "posted"]
        )
        draft = self.documents[1]
        self.assertEqual(draft.confirm_obstacle, "Request a validation first.")
        self.assertEqual(draft.move_id.amount_untaxed, 20)
        self.assertIn("Request a validation", draft.move_id.message_ids[0].body)
        self.assertIn("left as drafts: 1", self.connection.activity_ids.summary)
        draft.move_id.action_post()
        self.assertFalse(self.get_alerts())

    def test_too_little_memory_is_said_so(self):
        self.receive(A=1)
        with patch.object(
            self.registry["account.move"], "create", side_effect=MemoryError
        ):
            self.work()
        self.assertEqual(self.documents.hold_reason, "too_large")
        self.assertIn("limit_memory_hard", self.documents.hold_message)

    # === WHAT WAITS === #

    def test_someone_is_told_of_what_waits_for_over_an_hour(self):
        self.receive(A=1, B=1)
        self.assertFalse(self.get_alerts())
        self.env.cr.execute(
            "UPDATE copaco_document SET write_date = write_date - interval '61 min'"
        )
        self.env.invalidate_all()
        (alert,) = self.get_alerts()
        self.assertIn("more than an hour: 2.", alert)
        # Also when the action that makes the invoices does not run at all.
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertIn("more than an hour: 2.", self.connection.activity_ids.summary)

    def get_alerts(self):
        return self.env["copaco.activity.monitor"]._get_alerts(self.connection)

    def test_where_no_scheduled_action_runs_nothing_goes_on_in_the_background(self):
        self.receive(A=50)
        action = self.env.ref("account_copaco.ir_cron_process")
        for values in (
            {"active": False},
            {
                "active": True,
                "nextcall": fields.Datetime.now() - timedelta(hours=2),
            },
        ):
            action.write(values)
            with patch(f"{SERVICES}.copaco_processor.BUTTON_SECONDS", -1):
                with self.committing(self.documents) as documents:
                    message = documents.action_retry()["params"]["message"]
            with self.subTest(values=values):
                self.assertNotIn("background", message)
                self.assertIn(action.name, message)
                self.assertIn("max_cron_threads", message)
