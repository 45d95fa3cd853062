from datetime import date, datetime

from odoo.tests import freeze_time, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestWatch(CopacoCommon):
    """Promise 8: what is about to go wrong is said in time, once, to a named person."""

    def watch(self, day="2026-11-25"):
        with freeze_time(f"{day} 10:00:00"), self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_watch").method_direct_trigger()
        return self.connection.activity_ids

    def test_a_key_that_expires_is_told_until_a_new_one_is_set(self):
        self.fetch()
        self.connection.api_key_expiry = date(2027, 1, 5)
        self.assertFalse(self.watch("2026-11-26"))
        self.fetch()
        with freeze_time("2026-12-10 10:00:00"):
            self.fetch()
        activity = self.watch("2026-12-10")
        self.assertEqual(activity.user_id, self.connection.responsible_id)
        self.assertIn("expires on 01/05/2027", activity.summary)
        with freeze_time("2027-01-06 10:00:00"):
            self.fetch()
        self.assertIn("expired on", self.watch("2027-01-06").summary)
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

    def test_a_scheduled_action_that_stopped_is_told(self):
        self.fetch()
        self.assertFalse(self.watch("2026-11-27"))
        self.assertIn("Nothing was fetched", self.watch("2026-11-30").summary)
        with freeze_time("2026-11-30 11:00:00"):
            self.fetch()
        self.assertFalse(self.connection.activity_ids)

    def test_old_answers_are_removed_unless_something_of_them_waits(self):
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
        self.assertEqual(self.env["copaco.run"].sudo()._gc_answers(), (0, False))
        self.connection.retention_months = 24
        self.assertEqual(self.env["copaco.run"].sudo()._gc_answers(), (1, False))
        self.assertFalse(done.payload_id)
        self.assertTrue(held.payload_id and recent.payload_id)

    def fetch_on(self, day):
        with freeze_time(f"{day} 10:00:00"):
            return self.fetch()

    def exclude_all(self):
        self.documents.with_user(self.billing_user).action_exclude("Own use")

    def send(self, number, created):
        self.add_invoice(
            number,
            "A1",
            [price_line("10")],
            created=created,
            Date=created.strftime("%Y%m%d"),
        )

    def test_a_month_that_should_have_come_is_told_until_it_comes(self):
        for month, day in ((9, 22), (10, 24), (11, 23)):
            self.send(f"INV-{month}", date(2026, month, day))
        self.connection.import_from = date(2026, 9, 1)
        self.fetch_on("2026-12-20")
        self.exclude_all()
        self.assertFalse(self.watch("2026-12-20"))
        self.fetch_on("2026-12-27")
        self.assertFalse(self.watch("2026-12-27"), "three days of grace")
        self.fetch_on("2026-12-28")
        summary = self.watch("2026-12-28").summary
        self.assertIn("December 2026", summary)
        self.assertIn("by day 24", summary)
        self.fetch_on("2027-01-02")
        self.assertIn("December 2026", self.watch("2027-01-02").summary)
        self.send("INV-12", date(2026, 12, 30))
        self.fetch_on("2027-01-03")
        self.exclude_all()
        self.assertFalse(self.watch("2027-01-03"))

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
        self.assertIn("1 documents are gone", self.connection.activity_ids.summary)
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

    def test_each_answer_that_has_a_document_narrows_when_it_was_created(self):
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

    def test_an_answer_older_than_a_document_never_reports_it_as_gone(self):
        with freeze_time("2026-11-25 09:00:00"):
            run = self.connection._create_runs("manual")
            run.started_at = datetime(2026, 11, 25, 9)
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        with self.committing(run) as committing:
            committing._store_answer(b'{"Invoices": []}')
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
