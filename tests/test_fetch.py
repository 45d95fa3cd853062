import gzip
import json
from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..client import CopacoClient
from .common import CopacoCommon, copaco_invoice, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestFetch(CopacoCommon):
    """Promises 1, 2, 8 and 10: from bytes to documents."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij De Korenaar", ref="K-1")

    def test_a_fetch_makes_the_invoice_and_says_so(self):
        self.add_known()
        with self.committing(self.connection) as connection:
            notification = connection.action_fetch()
        self.assertIn("invoiced: 1", notification["params"]["message"])
        self.assertRecordValues(
            self.documents,
            [
                {
                    "invoice_number": "INV-1",
                    "state": "invoiced",
                    "amount_source": 12.5,
                    "line_count": 2,
                    "invoice_date": date(2026, 11, 23),
                }
            ],
        )
        self.assertEqual(self.documents.move_id.amount_untaxed, 12.5)

    def test_the_raw_response_is_kept_as_it_was_received(self):
        self.add_known()
        run = self.fetch()
        kept = json.loads(gzip.decompress(run.payload_id.raw))
        self.assertEqual(kept["Invoices"][0]["Header"]["InvoiceID"], "INV-1")

    def test_a_second_fetch_changes_nothing(self):
        self.add_known()
        self.fetch()
        before = self.documents.move_id
        run = self.fetch()
        self.assertEqual(self.documents.move_id, before)
        self.assertEqual(
            self.env["account.move"].search_count(
                [("copaco_document_id", "!=", False)]
            ),
            1,
        )
        self.assertRecordValues(
            run,
            [
                {
                    "received_count": 1,
                    "unchanged_count": 1,
                    "amount_unchanged": 12.5,
                    "is_balanced": True,
                    "state": "done",
                }
            ],
        )

    def test_a_second_connection_to_the_same_portal_doubles_nothing(self):
        self.add_known()
        self.fetch()
        other = self._create_connection(name="Replacement")
        other.write({"base_url": self.simulator.url, "api_key": "simulator-key"})
        run = self.fetch(other)
        self.assertEqual(run.unchanged_count, 1)
        self.assertEqual(len(self.documents), 1)

    def test_a_renamed_or_replaced_connection_doubles_nothing(self):
        self.add_known()
        self.fetch()
        self.connection.name = "Another name"
        self.assertEqual(self.fetch().unchanged_count, 1)
        self.connection.active = False
        successor = self._create_connection(base_url=self.simulator.url)
        successor.api_key = "simulator-key"
        self.assertEqual(self.fetch(successor).unchanged_count, 1)
        self.assertEqual(len(self.documents.move_id), 1)
        self.assertEqual(successor.fetched_until, date(2026, 11, 25))

    def test_a_restored_older_database_fetches_what_it_lacks_and_doubles_nothing(self):
        self.add_known()
        self.fetch()
        with self.env.cr.savepoint(flush=True) as savepoint:
            self.create_partner(name="Slagerij", ref="K-2")
            self.add_invoice(
                "INV-2", "A2", [price_line("5")], customer={"CustomerNumber": "K-2"}
            )
            self.fetch()
            self.assertEqual(len(self.documents.move_id), 2)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(len(self.documents.move_id), 1, "it is older now")
        self.create_partner(name="Slagerij", ref="K-2")
        run = self.fetch()
        self.assertEqual((run.unchanged_count, run.new_count), (1, 1))
        self.assertEqual(
            sorted(self.documents.move_id.mapped("amount_untaxed")), [5, 12.5]
        )

    def test_field_order_new_fields_and_a_renamed_customer_are_no_change(self):
        self.add_known()
        self.fetch()
        self.simulator.invoices.clear()
        invoice = copaco_invoice(
            "INV-1",
            "A1",
            [price_line("2.5", number=2), price_line("10", NewField="news")],
            customer={"CustomerNumber": "K-1", "CompanyName": "Renamed"},
        )
        self.simulator.add_invoice(invoice, created=date(2026, 11, 23))
        self.assertEqual(self.fetch().unchanged_count, 1)
        self.assertEqual(self.documents.state, "invoiced")

    def test_several_elements_with_one_number_are_one_invoice(self):
        self.add_known(lines=[price_line("10.00")])
        self.add_known(lines=[price_line("5.00", number=7)])
        self.fetch()
        self.assertEqual(self.documents.amount_source, 15)
        self.assertEqual(self.documents.move_id.amount_untaxed, 15)

    def test_an_unreadable_line_holds_its_document_and_no_other(self):
        self.add_known()
        self.add_invoice(
            "INV-2",
            "A2",
            [price_line("1"), price_line("2", number=2, ExtendedPrice="no money")],
        )
        run = self.fetch()
        good, bad = self.documents
        self.assertEqual(good.state, "invoiced")
        self.assertRecordValues(
            bad,
            [{"state": "held", "hold_reason": "payload_invalid", "move_id": False}],
        )
        self.assertIn("Line 2", bad.hold_message)
        self.assertIn("no money", bad.payload)
        self.assertEqual(run.state, "attention")
        self.assertTrue(run.is_balanced)

    def test_an_invoice_without_a_number_is_kept_on_the_run(self):
        self.add_known()
        self.add_invoice(None, "A2", [price_line("77.13")])
        run = self.fetch()
        self.assertEqual(run.rejected_count, 1)
        self.assertIn("77.13", run.rejected_payload)
        self.assertEqual(run.state, "attention")
        self.assertEqual(self.documents.state, "invoiced")
        run.with_user(self.billing_user).action_acknowledge()
        self.assertEqual(run.state, "done")
        self.assertFalse(self.fetch().is_unread, "the same text was looked at already")

    def test_what_can_not_be_read_is_no_empty_response_and_is_looked_at_once(self):
        self.add_invoice(None, "A2", [price_line("77.13")])
        with self.committing(self.connection) as connection:
            message = connection.action_fetch()["params"]["message"]
        self.assertIn("could not be read: 1", message)
        self.assertNotIn("Nothing was received", message)
        runs = self.connection.last_run_id + self.fetch()
        self.assertEqual(runs.mapped("state"), ["attention", "attention"])
        runs[0].action_acknowledge()
        self.assertEqual(runs.mapped("state"), ["done", "done"])
        self.assertFalse(self.connection.activity_ids)

    def test_nothing_came_is_a_state_of_its_own(self):
        with self.committing(self.connection) as connection:
            notification = connection.action_fetch()
        run = self.connection.last_run_id
        self.assertEqual(run.state, "empty")
        self.assertIn("Nothing was received", notification["params"]["message"])
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))

    def test_a_changed_document_without_invoice_is_replaced_and_the_old_one_kept(self):
        self.env["res.partner"].search([("ref", "=", "K-1")]).ref = False
        self.add_known()
        first = self.fetch()
        self.assertEqual(self.documents.hold_reason, "customer_unknown")
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("99.00")])
        second = self.fetch()
        self.assertEqual(self.documents.amount_source, 99)
        self.assertEqual(self.documents.version_ids.state, "replaced")
        self.assertEqual(first.amount_replaced, 12.5)
        self.assertTrue(first.is_balanced)
        self.assertTrue(second.is_balanced)

    def test_a_second_part_never_takes_the_place_of_the_first(self):
        self.env["res.partner"].search([("ref", "=", "K-1")]).ref = False
        self.add_known(lines=[price_line("10")])
        self.fetch()
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("20", number=8)])
        self.fetch()
        self.assertEqual(self.documents.amount_source, 10)
        self.assertEqual(self.documents.hold_reason, "source_changed")
        self.assertTrue(self.documents.has_pending_version)

    def test_a_document_that_changed_after_it_was_invoiced_waits_for_a_person(self):
        self.add_known()
        self.fetch()
        move = self.documents.move_id
        move.action_post()
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("99.00")])
        run = self.fetch()
        self.assertEqual(self.documents.state, "changed")
        self.assertEqual(move.amount_untaxed, 12.5)
        self.assertEqual(move.state, "posted")
        self.assertRecordValues(
            run, [{"state": "attention", "amount_held": 99, "is_balanced": True}]
        )
        table = self.documents.pending_difference
        self.assertIn("Service 1", table)
        for amount in ("10.00", "99.00", "89.00", "-2.50", "86.50"):
            self.assertIn(amount, table)
        self.assertEqual(self.fetch().unchanged_count, 1, "is not asked twice")
        with self.committing(self.documents) as document:
            document.action_keep_version()
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(run.state, "done")

    def test_a_changed_draft_is_redone_when_its_invoice_was_deleted(self):
        self.add_known()
        self.fetch()
        self.documents.move_id.ref = "By hand"
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("99.00")])
        self.fetch()
        self.documents.move_id.unlink()
        with self.committing(self.documents) as document:
            document.action_use_new_version()
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(self.documents.move_id.amount_untaxed, 99)

    def test_the_first_window_begins_three_months_back_in_chunks_of_a_month(self):
        self.connection.import_from = False
        self.fetch()
        runs = self.env["copaco.run"].search(
            [("connection_id", "=", self.connection.id)], order="date_from"
        )
        self.assertEqual(
            runs.mapped(lambda run: (run.date_from, run.date_to)),
            [
                (date(2026, 8, 25), date(2026, 8, 25)),
                (date(2026, 8, 26), date(2026, 9, 25)),
                (date(2026, 9, 26), date(2026, 10, 25)),
                (date(2026, 10, 26), date(2026, 11, 25)),
            ],
        )
        asked = [request.query["startDate"] for request in self.simulator.requests]
        self.assertEqual(asked, ["20260825", "20260826", "20260926", "20261026"])

    def test_the_next_window_looks_back_over_the_overlap(self):
        self.fetch()
        with freeze_time("2026-12-10 10:00:00"):
            run = self.fetch()
        self.assertEqual(run.date_from, date(2026, 11, 15))
        self.assertEqual(self.connection.fetched_until, date(2026, 12, 10))

    def test_a_window_that_leaves_a_hole_behind_does_not_move_the_watermark(self):
        wizard = self.env["copaco.fetch"].create(
            {
                "connection_id": self.connection.id,
                "date_from": date(2026, 11, 20),
                "date_to": date(2026, 11, 24),
            }
        )
        self.add_known()
        with self.committing(wizard) as committing:
            committing.action_fetch()
        self.assertEqual(self.documents.state, "invoiced")
        self.assertFalse(self.connection.fetched_until)

    def test_the_scheduled_action_gives_the_same_books_as_the_button(self):
        self.add_known()
        self.create_partner(name="Slagerij", ref="K-2")
        self.add_invoice(
            "INV-2", "A2", [price_line("-3.00")], customer={"CustomerNumber": "K-2"}
        )
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_fetch").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)
        self.assertEqual(
            [
                (move.move_type, move.amount_untaxed)
                for move in self.documents.move_id.sorted("id")
            ],
            [("out_invoice", 12.5), ("out_refund", 3)],
        )
        self.assertEqual(self.fetch().unchanged_count, 2)

    def test_a_connection_without_a_key_keeps_no_other_from_being_fetched(self):
        self.add_known()
        self._create_connection(name="Not set up yet")
        moves = self.env["account.move"].with_user(self.billing_user)
        with self.committing(moves) as committing:
            committing.action_copaco_fetch()
        self.assertEqual(self.documents.state, "invoiced")

    def test_the_failure_of_one_connection_stops_no_other(self):
        self.add_known()
        broken = self._create_connection(name="A broken one")
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_fetch").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertEqual(broken.last_run_state, "failed")
        self.assertEqual(len(self.documents), 1)

    def test_what_a_person_does_not_wait_for_goes_on_in_the_background(self):
        self.add_known()
        with patch(
            "odoo.addons.account_copaco.services.copaco_run_scheduler.BUTTON_SECONDS",
            -1,
        ):
            with self.committing(self.connection) as connection:
                notification = connection.action_fetch()
        self.assertIn("background", notification["params"]["message"])
        run = self.connection.last_run_id
        self.assertEqual(run.state, "running")
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertEqual(run.received_count, 1)
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(run.state, "done")

    def test_an_interrupted_run_is_taken_up_again(self):
        self.add_known()
        run = self.create_runs(self.connection, "scheduled")
        run.started_at = "2026-11-25 09:00:00"
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertTrue(run.stored_at)
        self.assertEqual(len(self.documents), 1)

    def test_a_period_in_the_future_never_moves_the_watermark_past_today(self):
        for date_to in (date(2030, 1, 1), date(2026, 11, 26)):
            wizard = self.env["copaco.fetch"].create(
                {
                    "connection_id": self.connection.id,
                    "date_from": date(2026, 10, 20),
                    "date_to": date_to,
                }
            )
            with self.committing(wizard) as committing:
                committing.action_fetch()
            self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))
        self.add_known()
        self.assertEqual(self.fetch().received_count, 1)

    def test_a_period_that_lies_in_the_future_is_no_empty_response(self):
        with self.assertRaisesRegex(UserError, "future"):
            self.env["copaco.run.scheduler"]._fetch_now(
                self.connection, date(2027, 1, 1), date(2027, 2, 1)
            )

    def test_a_run_is_carried_out_by_one_worker_only(self):
        self.add_known()
        run = self.create_runs(self.connection)
        with self.committing(run) as committing:
            scheduler = committing.env["copaco.run.scheduler"]
            scheduler._execute(committing)
            scheduler._execute(committing)
        self.assertEqual(len(self.simulator.requests), 1)
        self.assertTrue(run.is_balanced)

    def test_no_transaction_is_open_while_the_network_is_waited_for(self):
        states, commits = [], []
        fetch = CopacoClient.fetch
        with self.committing(self.connection) as connection:
            commit = connection.env.cr.commit
            self.patch(
                connection.env.cr, "commit", lambda: (commits.append(1), commit())
            )
            self.patch(
                CopacoClient,
                "fetch",
                lambda client, *request: (
                    states.append((len(commits), connection.env.cr._savepoint)),
                    fetch(client, *request),
                )[1],
            )
            connection.action_fetch()
        # A test's transaction is a savepoint; there is none after a commit until the
        # next statement.
        self.assertTrue(states[0][0])
        self.assertIsNone(states[0][1])

    def test_a_change_that_copaco_takes_back_waits_for_nobody(self):
        self.add_known()
        self.fetch()
        self.documents.move_id.action_post()
        original = list(self.simulator.invoices)
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("99.00")])
        self.fetch()
        self.assertEqual(self.documents.state, "changed")
        self.simulator.invoices[:] = original
        self.fetch()
        self.assertRecordValues(
            self.documents, [{"state": "invoiced", "has_pending_version": False}]
        )

    def test_text_that_the_database_refuses_holds_its_document_and_no_other(self):
        self.add_known()
        self.add_invoice("INV-2", "A2", [price_line("5")])
        create = self.env.registry["copaco.document.line"].create

        def refuse(lines, vals_list):
            if any(vals["extended_price"] == 5 for vals in vals_list):
                lines.env.cr.execute("SELECT 1/0")
            return create(lines, vals_list)

        self.patch(self.env.registry["copaco.document.line"], "create", refuse)
        with mute_logger(
            "odoo.sql_db", "odoo.addons.account_copaco.services.copaco_importer"
        ):
            run = self.fetch()
        good, bad = self.documents.sorted("invoice_number")
        self.assertEqual(good.state, "invoiced")
        self.assertEqual(bad.hold_reason, "payload_invalid")
        self.assertIn("ExtendedPrice", bad.payload)
        self.assertEqual(run.state, "attention")

    def test_a_file_that_a_kill_left_unfinished_stops_no_later_response(self):
        self.add_known()
        first = self.fetch()
        path = first.payload_id._full_path(first.payload_id.store_fname)
        with open(path, "r+b") as file:
            file.truncate(10)
        self.assertEqual(self.fetch().state, "done")
