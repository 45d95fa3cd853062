from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestReconciliationUnbalanced(CopacoChangeCommon):
    """Promises 2 and 8: a run is balanced only when what an invoice says otherwise than
    Copaco was done by a person."""

    def setUp(self):
        super().setUp()
        self.document = self.send(price_line("10"), price_line("5", number=2))
        self.run = self.document.run_id
        self.move = self.document.move_id

    def change_amount(self, line, amount):
        """Let a line be worth more although nobody changed it."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE account_move_line
               SET price_subtotal = price_subtotal + %(amount)s,
                   amount_currency = amount_currency - %(amount)s
             WHERE id = %(line)s;
            UPDATE account_move
               SET amount_untaxed = amount_untaxed + %(amount)s,
                   amount_untaxed_in_currency_signed =
                       amount_untaxed_in_currency_signed + %(amount)s
             WHERE id = %(move)s
            """,
            {"amount": amount, "line": line.id, "move": line.move_id.id},
        )
        self.env.invalidate_all()

    def bill_twice(self):
        """:return: an invoice that nobody asked for, beside that of the document"""
        self.send(price_line("12"), price_line("5", number=2))
        self.run = self.document.run_id
        return self.move.sudo().copy(
            {"copaco_version_id": self.document.version_ids.id}
        )

    def assertUnexplained(self, amount, edited=0):
        self.env.invalidate_all()
        self.assertFalse(self.run.is_balanced)
        self.assertRecordValues(
            self.run, [{"amount_unexplained": amount, "amount_edited": edited}]
        )
        self.assertIn("Unexplained", self.run.reconciliation)
        self.assertIn(self.document.name, self.run.reconciliation)

    def assertEdited(self, amount):
        self.env.invalidate_all()
        self.assertRecordValues(
            self.run,
            [{"amount_unexplained": 0, "amount_edited": amount, "is_balanced": True}],
        )
        self.assertNotIn("Unexplained", self.run.reconciliation)

    def check_alerts(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_check_alerts").method_direct_trigger()
        self.env.invalidate_all()

    def test_a_second_invoice_that_nobody_made_is_unexplained_and_told(self):
        second = self.bill_twice()
        self.assertUnexplained(-17)
        month = self.env["copaco.month"].search([("document_count", ">", 0)])
        self.assertIn("Unexplained", month.reconciliation)
        self.check_alerts()
        self.assertEqual(self.run.state, "attention")
        self.assertIn(self.document.name, self.run.balance_problem)
        activity = self.connection.activity_ids
        self.assertEqual(activity.user_id, self.connection.responsible_id)
        self.assertIn(self.document.name, activity.summary)
        second.button_cancel()
        self.act(self.document, "action_use_new_version")
        self.check_alerts()
        self.assertEdited(0)
        self.assertEqual(self.run.state, "done")
        self.assertFalse(self.connection.activity_ids)

    def make_old(self):
        """Let the run have begun half a year ago, and nothing have changed since."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE copaco_run SET create_date = '2026-05-25' WHERE id = %(run)s;
            UPDATE account_move SET write_date = '2026-05-25' WHERE id = %(move)s
            """,
            {"run": self.run.id, "move": self.move.id},
        )
        self.env.invalidate_all()

    def test_an_old_run_is_checked_when_an_invoice_of_it_changes(self):
        monitor = self.env["copaco.activity.monitor"]
        self.assertIn(self.run, monitor._get_runs_to_check(self.connection))
        self.make_old()
        self.assertNotIn(self.run, monitor._get_runs_to_check(self.connection))
        self.move.ref = "Theirs"
        self.change_amount(self.move.invoice_line_ids[0], 3)
        self.check_alerts()
        self.assertEqual(self.run.state, "attention")
        self.assertIn("out of balance", self.connection.activity_ids.summary)
        self.make_old()
        self.change_amount(self.move.invoice_line_ids[0], -3)
        self.check_alerts()
        self.assertEqual(self.run.state, "done")
        self.assertNotIn("balance", self.connection.activity_ids.summary)

    def test_an_old_run_is_checked_when_a_correction_appears(self):
        self.bill_twice()
        self.make_old()
        self.check_alerts()
        self.assertEqual(self.run.state, "attention")

    def test_an_amount_that_changed_although_nobody_changed_it_is_unexplained(self):
        self.change_amount(self.move.invoice_line_ids[0], 3)
        self.assertUnexplained(-3)

    def test_what_a_person_edited_explains_no_more_than_it_does(self):
        self.move.invoice_line_ids[0].price_unit = 9
        self.assertEdited(1)
        self.change_amount(self.move.invoice_line_ids[1], -2)
        self.assertUnexplained(2, edited=1)

    def test_what_a_person_entered_above_the_lines_explains_no_amount(self):
        self.move.ref = "Theirs"
        self.change_amount(self.move.invoice_line_ids[0], 3)
        self.assertUnexplained(-3)

    def test_a_lost_invoice_is_unexplained(self):
        self.document.sudo().move_id = False
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM account_move WHERE id = %s", [self.move.id])
        self.assertUnexplained(15)

    def test_an_invoice_of_what_was_excluded_is_unexplained(self):
        self.document.sudo().state = "excluded"
        self.assertUnexplained(-15)

    def test_what_was_edited_before_it_was_posted_is_a_manual_edit(self):
        self.move.write(
            {
                "invoice_line_ids": [
                    Command.update(self.move.invoice_line_ids[0].id, {"quantity": 2}),
                    Command.delete(self.move.invoice_line_ids[1].id),
                    Command.create({"name": "Theirs", "price_unit": 3}),
                ]
            }
        )
        self.assertEdited(-8)
        self.move.action_post()
        self.assertEdited(-8)

    def test_what_a_person_rounded_is_a_manual_edit(self):
        self.move.invoice_cash_rounding_id = self.env["account.cash.rounding"].create(
            {
                "name": "Whole tens",
                "rounding": 10,
                "strategy": "add_invoice_line",
                "profit_account_id": self.company_data["default_account_revenue"].id,
                "loss_account_id": self.company_data["default_account_expense"].id,
                "rounding_method": "UP",
            }
        )
        self.assertEdited(15 - self.move.amount_untaxed)
        self.assertGreater(self.move.amount_untaxed, 15)

    def test_what_was_edited_on_an_updated_draft_stays_a_manual_edit(self):
        self.move.invoice_line_ids[0].price_unit = 9
        self.move.invoice_line_ids[1].unlink()
        self.send(
            price_line("12"), price_line("6", number=2), price_line("1", number=3)
        )
        self.act(self.document, "action_use_new_version")
        self.run = self.document.run_id
        self.assertEqual(self.move.amount_untaxed, 10)
        self.assertEdited(9)
        # Back to what Copaco said before: that is still not what it says now.
        self.move.invoice_line_ids[0].price_unit = 10
        self.assertEdited(8)
        self.change_amount(self.move.invoice_line_ids[1], 1)
        self.assertUnexplained(-1, edited=8)

    def test_what_was_edited_on_an_invoice_and_its_correction_is_a_manual_edit(self):
        self.move.invoice_line_ids[0].price_unit = 9
        self.move.action_post()
        self.send(price_line("12"), price_line("9", number=2))
        self.run = self.document._get_pending_version().run_id
        correction = self.get_correction(self.document)
        self.assertEdited(1)
        correction.invoice_line_ids[0].price_unit += 4
        self.env.invalidate_all()
        self.assertTrue(self.run.is_balanced)
        correction.action_post()
        self.assertEdited(1 - 4)
        self.change_amount(self.move.invoice_line_ids[1], 1)
        self.env.invalidate_all()
        self.assertEqual(self.run.amount_unexplained, -1)

    def test_without_a_snapshot_a_person_may_have_edited_it(self):
        self.move.invoice_line_ids[0].price_unit = 9
        self.document.sudo().move_snapshot = False
        self.assertEdited(1)

    def test_many_edited_documents_take_no_more_queries(self):
        counts = []
        # Some of them stay as they are.
        for number in range(2, 10):
            self.add_invoice(
                f"INV-{number}",
                "A1",
                [price_line("10"), price_line("5", number=2)],
                customer={"CustomerNumber": "K-1"},
            )
        run = self.fetch()
        for count in (2, 6):
            for move in run.document_ids.move_id[:count]:
                move.invoice_line_ids[0].price_unit = 9
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(run.amount_edited, count)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)
        self.assertLess(counts[0], 30)
