import json
from datetime import date, datetime, timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, copaco_invoice, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonitor(CopacoCommon):
    """Promise 8: what is about to go wrong is said in time, once, to a named person."""

    def check_alerts(self, day="2026-11-25"):
        with freeze_time(f"{day} 10:00:00"), self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_check_alerts").method_direct_trigger()
        return self.connection.activity_ids

    def test_a_key_that_expires_is_told_until_a_new_one_is_set(self):
        self.fetch()
        self.connection.api_key_expiry = date(2027, 1, 5)
        self.assertFalse(self.check_alerts("2026-11-26"))
        self.fetch()
        with freeze_time("2026-12-10 10:00:00"):
            self.fetch()
        activity = self.check_alerts("2026-12-10")
        self.assertEqual(activity.user_id, self.connection.responsible_id)
        self.assertIn("expires on 01/05/2027", activity.summary)
        with freeze_time("2027-01-06 10:00:00"):
            self.fetch()
        self.assertIn("expired on", self.check_alerts("2027-01-06").summary)
        wizard = self.env["copaco.api.key"].create(
            {
                "connection_id": self.connection.id,
                "api_key": "simulator-key",
                "api_key_expiry": date(2036, 1, 1),
            }
        )
        with freeze_time("2027-01-06 10:00:00"):
            wizard.action_save()
        self.assertFalse(self.connection.activity_ids)

    def test_a_failed_fetch_is_told_with_where_to_look(self):
        self.simulator.misbehave("status", status=403)
        self.fetch(expect_failure=True)
        summary = self.connection.activity_ids.summary
        self.assertIn("failed; it says why under Copaco, Runs", summary)

    def test_a_scheduled_action_that_stopped_is_told(self):
        self.fetch()
        self.assertFalse(self.check_alerts("2026-11-27"))
        self.assertIn("Nothing was fetched", self.check_alerts("2026-11-30").summary)
        with freeze_time("2026-11-30 11:00:00"):
            self.fetch()
        self.assertFalse(self.connection.activity_ids)

    def test_old_responses_are_removed_unless_something_of_them_waits(self):
        done = self.fetch()
        self.add_invoice("INV-1", "A1", [price_line("10")])
        held = self.fetch()
        (done + held).payload_id.flush_recordset()
        self.env.cr.execute(
            "UPDATE copaco_run SET create_date = '2024-11-20' WHERE id IN %s",
            [(done + held)._ids],
        )
        (done + held).invalidate_recordset()
        recent = self.fetch()
        self.connection.retention_months = 0
        self.assertEqual(
            self.env["copaco.response.retention"]._gc_responses(), (0, False)
        )
        self.connection.retention_months = 24
        self.assertEqual(
            self.env["copaco.response.retention"]._gc_responses(), (1, False)
        )
        self.assertFalse(done.payload_id)
        self.assertTrue(held.payload_id and recent.payload_id)

    def fetch_on(self, day):
        with freeze_time(f"{day} 10:00:00"):
            return self.fetch()

    def exclude_all(self):
        self.documents.with_user(self.billing_user).action_exclude("Own use")

    def send(self, number, created, dated=None):
        self.add_invoice(
            number,
            "A1",
            [price_line("10")],
            created=created,
            Date=(dated or created).strftime("%Y%m%d"),
        )

    def live_through(self, *days, dated=lambda day: day):
        """Let an invoice come on each of these days, and fetch it the same day."""
        self.connection.import_from = days[0].replace(day=1)
        for day in days:
            self.send(f"INV-{day}", day, dated(day))
            self.fetch_on(day)

    def get_summary(self, day):
        """Fetch on a day.

        :return: what the responsible user is told then
        """
        self.fetch_on(day)
        self.exclude_all()
        return self.check_alerts(day).summary or ""

    def test_a_month_that_should_have_come_is_told_until_it_comes(self):
        self.live_through(date(2026, 9, 22), date(2026, 10, 24), date(2026, 11, 23))
        self.assertFalse(self.get_summary("2026-12-20"))
        self.assertFalse(self.get_summary("2026-12-25"), "that day is not over")
        summary = self.get_summary("2026-12-26")
        self.assertIn("December 2026", summary)
        self.assertIn("by day 25", summary)
        self.assertIn("December 2026", self.get_summary("2027-01-02"))
        self.send("INV-12", date(2026, 12, 30))
        self.assertFalse(self.get_summary("2027-01-03"))

    def test_the_connection_says_by_which_day_invoices_are_expected(self):
        self.connection.expected_day = 28
        self.live_through(date(2026, 10, 24), date(2026, 11, 23))
        self.assertFalse(self.get_summary("2026-12-28"))
        summary = self.get_summary("2026-12-29")
        self.assertIn("December 2026", summary)
        self.assertIn("by day 28", summary)
        with freeze_time("2026-12-29 10:00:00"):
            month = self.env["copaco.month"].search([("date", "=", "2026-12-01")])
            self.assertTrue(month.is_late)
            self.connection.expected_day = 29
            self.assertFalse(month.is_late)

    def test_the_last_day_of_a_month_is_expected_in_a_shorter_one_as_well(self):
        self.connection.expected_day = 31
        self.live_through(date(2026, 12, 31), date(2027, 1, 31))
        self.assertFalse(self.get_summary("2027-02-28"))
        self.assertIn("February 2027", self.get_summary("2027-03-01"))

    def test_there_is_no_day_that_no_month_has(self):
        for day in (0, 32):
            with self.subTest(day=day), self.assertRaises(IntegrityError):
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    self.connection.expected_day = day
                    self.connection.flush_recordset()

    def test_it_is_when_invoices_come_that_counts_not_what_they_are_dated(self):
        def last_month(day):
            return day.replace(day=1) - timedelta(days=1)

        self.live_through(
            *(date(2026, 9, 22), date(2026, 10, 24), date(2026, 11, 23)),
            dated=last_month,
        )
        for day in ("2026-12-06", "2026-12-10", "2026-12-25"):
            self.assertFalse(self.get_summary(day), day)
        self.assertIn("December 2026", self.get_summary("2026-12-26"))
        self.send("INV-12", date(2026, 12, 29), date(2026, 11, 30))
        self.assertFalse(self.get_summary("2026-12-30"))

    def test_a_single_invoice_early_in_a_month_makes_and_hides_no_late_month(self):
        for month in (9, 10, 11):
            self.send(f"EARLY-{month}", date(2026, month, 5))
            self.send(f"ALSO-{month}", date(2026, month, 23))
        self.live_through(date(2026, 9, 23), date(2026, 10, 23), date(2026, 11, 23))
        self.send("EARLY-12", date(2026, 12, 5))
        for day in ("2026-12-05", "2026-12-20", "2026-12-25"):
            self.assertFalse(self.get_summary(day), day)
        self.assertIn("December 2026", self.get_summary("2026-12-26"))

    def test_what_comes_early_in_the_next_month_was_late_and_is_not_early(self):
        self.live_through(date(2026, 10, 24), date(2026, 11, 23))
        self.assertIn("December 2026", self.get_summary("2027-01-02"))
        self.send("INV-12", date(2027, 1, 4))
        for day in ("2027-01-05", "2027-01-25"):
            self.assertFalse(self.get_summary(day), day)
        summary = self.get_summary("2027-01-26")
        self.assertIn("January 2027", summary)
        self.assertNotIn("December", summary)

    def test_a_month_after_those_of_a_first_fetch_may_be_late(self):
        for month in (8, 9, 10):
            self.send(f"INV-{month}", date(2026, month, 20))
        self.connection.import_from = date(2026, 8, 1)
        for day in ("2026-11-05", "2026-11-24", "2026-11-25"):
            self.assertFalse(self.get_summary(day), day)
        self.assertIn("November 2026", self.get_summary("2026-11-26"))

    def test_nothing_is_late_before_the_first_month_that_had_invoices(self):
        self.connection.import_from = date(2026, 8, 1)
        self.assertFalse(self.get_summary("2026-11-26"))
        self.send("INV-11", date(2026, 11, 24))
        for day in ("2026-11-27", "2026-12-25"):
            self.assertFalse(self.get_summary(day), day)
        summary = self.get_summary("2026-12-26")
        self.assertIn("December 2026", summary)
        for month in ("August", "September", "October", "November"):
            self.assertNotIn(month, summary)

    def test_copaco_is_not_blamed_for_days_that_were_not_asked_for(self):
        self.live_through(date(2026, 9, 22), date(2026, 10, 24), date(2026, 11, 23))
        self.assertFalse(self.get_summary("2026-12-20"))
        summary = self.check_alerts("2026-12-30").summary
        self.assertIn("Nothing was fetched", summary)
        self.assertNotIn("December", summary)
        with freeze_time("2026-12-30 10:00:00"):
            self.fetch_period(date(2026, 12, 29), date(2026, 12, 30))
        self.assertNotIn("December", self.check_alerts("2026-12-30").summary or "")

    def leave_out_a_month(self):
        """Let Copaco send something for each month but September.

        :return: what the responsible user is told
        """
        for month in (7, 8, 10):
            self.send(f"INV-{month}", date(2026, month, 23))
        self.connection.import_from = date(2026, 6, 1)
        return self.get_summary("2026-11-05")

    def act_on_month(self, day, action, now="2026-11-05"):
        month = self.env["copaco.month"].search(
            [("connection_id", "=", self.connection.id), ("date", "=", day)]
        )
        with freeze_time(f"{now} 11:00:00"):
            self.act(month, action)
            self.exclude_all()
        return month

    def test_an_empty_month_amid_others_is_told_until_it_comes(self):
        summary = self.leave_out_a_month()
        self.assertIn("September 2026", summary)
        for other in ("June", "July", "August", "October", "November"):
            self.assertNotIn(other, summary)
        month = self.act_on_month(date(2026, 9, 1), "action_fetch")
        self.assertTrue(month.is_late)
        self.assertIn("September 2026", self.check_alerts("2026-11-05").summary)
        self.send("INV-9", date(2026, 9, 23))
        self.act_on_month(date(2026, 9, 1), "action_fetch")
        self.assertFalse(self.check_alerts("2026-11-05"))
        self.assertFalse(month.is_late)

    def test_a_person_may_say_that_a_month_had_nothing(self):
        self.leave_out_a_month()
        month = self.act_on_month(date(2026, 9, 1), "action_confirm_no_invoices")
        self.assertFalse(self.connection.activity_ids)
        self.assertFalse(self.check_alerts("2026-11-05"))
        self.assertFalse(month.is_late)
        note = self.connection.message_ids[0].body
        self.assertIn(self.billing_user.name, note)
        self.assertIn("September 2026", note)
        self.assertIn("November 2026", self.get_summary("2026-11-30"))

    def test_nobody_says_that_a_month_has_nothing_before_it_is_late(self):
        self.leave_out_a_month()
        with self.assertRaisesRegex(UserError, "October 2026"):
            self.act_on_month(date(2026, 10, 1), "action_confirm_no_invoices")

    def test_what_was_uploaded_has_come(self):
        self.leave_out_a_month()
        raw = json.dumps(
            {
                "Invoices": [
                    copaco_invoice("INV-9", "A1", [price_line("10")], Date="20260923")
                ]
            },
            default=str,
        ).encode()
        with self.committing(self.connection) as connection:
            connection.env["copaco.run.scheduler"]._receive_files(
                connection, "specification", {"september.json": raw}
            )
        self.exclude_all()
        self.assertFalse(self.check_alerts("2026-11-05"))

    def test_what_copaco_no_longer_has_is_told_and_nothing_is_deleted(self):
        self.send("INV-1", date(2026, 11, 23))
        self.send("INV-2", date(2026, 11, 23))
        self.fetch()
        gone, there = self.documents
        self.exclude_all()
        sent = list(self.simulator.invoices)
        del self.simulator.invoices[0]
        self.act(there, "action_fetch_again")
        self.assertEqual(self.documents.mapped("missing_state"), ["reported", False])
        self.assertEqual(self.documents.mapped("state"), ["excluded"] * 2)
        self.assertIn("no longer at Copaco: 1;", self.connection.activity_ids.summary)
        self.act(gone, "action_acknowledge_missing")
        self.assertFalse(self.connection.activity_ids)
        self.act(there, "action_fetch_again")
        self.assertEqual(gone.missing_state, "acknowledged", "is told once")
        self.simulator.invoices[:] = sent
        self.act(there, "action_fetch_again")
        self.assertFalse(gone.missing_state)

    def test_what_copaco_dates_back_before_fetched_days_is_never_falsely_gone(self):
        self.fetch()
        self.send("INV-1", date(2026, 11, 20))
        for day in ("2026-11-26", *(f"2026-12-{day:02}" for day in range(1, 16))):
            self.fetch_on(day)
            self.assertFalse(self.documents.missing_state, day)

    def assertCreated(self, first, last):
        self.assertEqual(
            (self.documents.created_from, self.documents.created_to), (first, last)
        )

    def test_each_response_that_has_a_document_narrows_when_it_was_created(self):
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        self.assertCreated(date(2026, 11, 1), date(2026, 11, 25))
        self.fetch_on("2026-12-01")
        self.assertCreated(date(2026, 11, 15), date(2026, 11, 25))
        before = self.documents.write_date
        self.fetch_period(date(2026, 11, 20), date(2026, 11, 24))
        self.assertCreated(date(2026, 11, 20), date(2026, 11, 24))
        self.assertEqual(self.documents.write_date, before, "nobody changed it")
        self.fetch_period(date(2026, 10, 20), date(2026, 11, 25))
        self.assertCreated(date(2026, 11, 20), date(2026, 11, 24))

    def test_what_is_gone_is_noticed_by_the_daily_fetch(self):
        self.fetch_on("2026-11-22")
        self.send("INV-1", date(2026, 11, 23))
        for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
            self.fetch_on(day)
        self.simulator.invoices.clear()
        self.fetch_on("2026-11-26")
        self.assertEqual(self.documents.missing_state, "reported")

    def test_what_copaco_dates_anew_is_not_gone(self):
        self.send("INV-1", date(2026, 11, 10))
        self.fetch_period(date(2026, 11, 5), date(2026, 11, 12))
        self.simulator.invoices.clear()
        self.send("INV-1", date(2026, 11, 20))
        self.fetch_period(date(2026, 11, 15), date(2026, 11, 25))
        self.fetch_period(date(2026, 11, 1), date(2026, 11, 14))
        self.assertFalse(self.documents.missing_state)
        self.assertCreated(date(2026, 11, 15), date(2026, 11, 25))

    def test_what_came_back_is_gone_again_only_when_it_was_asked_for_anew(self):
        self.send("INV-1", date(2026, 11, 10))
        self.fetch_period(date(2026, 11, 9), date(2026, 11, 11))
        self.simulator.invoices.clear()
        self.send("INV-1", date(2026, 11, 12))
        self.fetch_period(date(2026, 11, 8), date(2026, 11, 11))
        self.assertEqual(self.documents.missing_state, "reported")
        self.fetch_period(date(2026, 11, 11), date(2026, 11, 14))
        self.fetch_period(date(2026, 11, 9), date(2026, 11, 11))
        self.assertFalse(self.documents.missing_state)

    def test_a_response_older_than_a_document_never_reports_it_as_missing(self):
        with freeze_time("2026-11-25 09:00:00"):
            run = self.create_runs(self.connection)
            run.started_at = datetime(2026, 11, 25, 9)
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        with self.committing(run) as committing:
            committing.env["copaco.fetcher"]._receive(committing, b'{"Invoices": []}')
        self.assertTrue(run.stored_at)
        self.assertFalse(self.documents.missing_state)

    def test_another_portal_is_not_expected_to_have_it(self):
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        self.start_simulator()
        self.connection.api_key = "simulator-key"
        self.fetch()
        self.assertFalse(self.documents.missing_state)

    def test_a_portal_that_had_it_is_expected_to_have_it(self):
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        self.start_simulator()
        self.connection.api_key = "simulator-key"
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        self.simulator.invoices.clear()
        self.fetch_period(date(2026, 11, 1), date(2026, 11, 25))
        self.assertEqual(self.documents.missing_state, "reported")

    def test_a_window_that_need_not_have_it_reports_nothing_as_gone(self):
        self.send("INV-1", date(2026, 11, 10))
        self.fetch()
        with freeze_time("2026-12-10 10:00:00"):
            self.fetch()
        self.assertFalse(self.documents.missing_state)

    def test_a_customer_that_is_gone_from_a_shared_invoice_is_noticed(self):
        self.add_invoice("INV-1", "A1", [price_line("1")])
        self.add_invoice("INV-1", "A2", [price_line("2")])
        self.fetch()
        del self.simulator.invoices[1]
        self.act(self.documents[0], "action_fetch_again")
        self.assertEqual(self.documents.mapped("missing_state"), [False, "reported"])

    def act(self, records, action):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)()

    def test_the_weekly_mail_names_what_waits_and_only_who_wants_it_gets_it(self):
        self.add_invoice("INV-7", "A1", [price_line("10")])
        self.fetch()
        digest = self.env.ref("account_copaco.ir_cron_weekly_digest")
        partner = self.connection.responsible_id.partner_id
        messages = self.env["mail.message"].search_count([])
        with self.enter_registry_test_mode():
            digest.method_direct_trigger()
        self.assertEqual(self.env["mail.message"].search_count([]), messages)
        self.connection.weekly_digest = True
        with self.enter_registry_test_mode():
            digest.method_direct_trigger()
        message = self.env["mail.message"].search([], order="id desc", limit=1)
        self.assertEqual(message.notified_partner_ids, partner)
        for text in ("INV-7", "10.00", "Customer unknown"):
            self.assertIn(text, message.body)

    def test_the_checks_see_everything_whoever_is_their_user(self):
        self.connection.weekly_digest = True
        self.add_invoice("INV-7", "A1", [price_line("10")])
        self.fetch()
        other = self.setup_other_company()["company"]
        for login, company, group in (
            ("portal", self.company, "base.group_portal"),
            ("elsewhere", other, "account.group_account_manager"),
        ):
            user = new_test_user(self.env, login, group, company_id=company.id)
            for name in ("check_alerts", "weekly_digest"):
                with self.subTest(login=login, name=name):
                    cron = self.env.ref(f"account_copaco.ir_cron_{name}").sudo()
                    cron.user_id = user
                    last = self.env["mail.message"].search([], order="id desc", limit=1)
                    with self.enter_registry_test_mode():
                        cron.method_direct_trigger()
                    cron.invalidate_recordset()
                    self.assertEqual(cron.failure_count, 0)
            mail = self.env["mail.message"].search([("id", ">", last.id)])
            self.assertIn("INV-7", "".join(mail.mapped("body")))
