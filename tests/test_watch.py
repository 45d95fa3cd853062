from datetime import date

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
