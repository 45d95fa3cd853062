from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDecide(CopacoCommon):
    """Promise 7, and what a person does with a document."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.add_invoice(
            "INV-1", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )

    def act(self, records, action, *args):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*args)

    def test_deleting_the_draft_holds_the_document_and_retry_makes_a_new_one(self):
        run = self.fetch()
        self.documents.move_id.unlink()
        self.assertRecordValues(
            self.documents,
            [{"state": "held", "hold_reason": "invoice_deleted", "move_id": False}],
        )
        self.assertEqual(run.state, "attention")
        self.assertTrue(run.is_balanced)
        self.act(self.documents, "action_retry")
        self.assertEqual(self.documents.move_id.amount_untaxed, 10)
        self.assertEqual(run.state, "done")

    def test_cancelling_holds_the_document_and_resetting_takes_it_back(self):
        self.fetch()
        move = self.documents.move_id
        move.button_cancel()
        self.assertEqual(self.documents.hold_reason, "invoice_cancelled")
        self.assertIn("INV-1", self.documents.hold_message)
        move.button_draft()
        self.assertEqual(self.documents.state, "invoiced")

    def test_a_cancelled_invoice_can_not_come_back_beside_its_successor(self):
        self.fetch()
        old = self.documents.move_id
        old.button_cancel()
        self.act(self.documents, "action_retry")
        self.assertNotEqual(self.documents.move_id, old)
        with self.assertRaisesRegex(
            UserError, "^A draft .* INV-1 .* Cancel that first"
        ):
            old.button_draft()

    def test_the_copy_and_the_reversal_of_an_invoice_are_not_the_document(self):
        self.fetch()
        move = self.documents.move_id
        self.assertFalse(move.copy().copaco_document_id)
        move.action_post()
        self.assertFalse(move._reverse_moves().copaco_document_id)
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_edited_draft_is_left_alone_by_later_runs(self):
        self.fetch()
        line = self.documents.move_id.invoice_line_ids
        line.write({"name": "My own words", "price_unit": 11})
        self.fetch()
        self.assertEqual(line.name, "My own words")
        self.assertEqual(line.price_unit, 11)

    def test_exclude_needs_a_reason_and_can_be_undone(self):
        self.partner.ref = False
        run = self.fetch()
        with self.assertRaises(UserError):
            self.act(self.documents, "action_exclude", " ")
        wizards = self.env["copaco.exclude"].with_user(self.billing_user).sudo(False)
        wizards.create(
            {"reason": "Our own use", "document_ids": self.documents.ids}
        ).action_exclude()
        self.assertRecordValues(
            self.documents,
            [
                {
                    "state": "excluded",
                    "exclude_reason": "Our own use",
                    "excluded_by_id": self.billing_user.id,
                }
            ],
        )
        self.assertEqual(run.state, "done")
        self.assertEqual(run.amount_excluded, 10)
        self.fetch()
        self.assertEqual(self.documents.state, "excluded", "stays, whatever comes")
        self.partner.ref = "K-1"
        self.act(self.documents, "action_include")
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_invoiced_document_can_not_be_excluded(self):
        self.fetch()
        with self.assertRaisesRegex(UserError, "INV-1"):
            self.act(self.documents, "action_exclude", "reason")

    def test_an_excluded_customer_is_never_invoiced_until_that_is_undone(self):
        self.partner.ref = False
        self.fetch()
        customer = self.documents.customer_id
        self.act(customer, "action_exclude", "Own use")
        self.add_invoice("INV-2", "A1", [price_line("5")])
        self.fetch()
        self.assertEqual(self.documents.mapped("state"), ["excluded"] * 2)
        self.assertIn("Own use", self.documents[1].exclude_reason)
        self.partner.ref = "K-1"
        self.act(customer, "action_include")
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)

    def test_one_activity_for_all_that_is_held_and_it_goes_when_solved(self):
        self.partner.ref = False
        for number in range(2, 5):
            self.add_invoice(f"INV-{number}", f"A{number}", [price_line("5")])
        self.fetch()
        activities = self.connection.activity_ids
        self.assertEqual(len(activities), 1)
        self.assertIn("4", activities.summary)
        self.assertEqual(activities.user_id, self.connection.responsible_id)
        self.act(self.documents, "action_exclude", "reason")
        self.assertFalse(self.connection.activity_ids)

    def test_someone_is_told_even_when_the_responsible_user_is_gone(self):
        gone = self.billing_user.copy({"login": "gone"})
        self.connection.responsible_id = gone
        gone.active = False
        self.partner.ref = False
        self.fetch()
        user = self.connection.activity_ids.user_id
        self.assertTrue(user.active and user.has_group("account.group_account_manager"))

    def test_choosing_a_contact_invoices_what_waited(self):
        self.partner.ref = False
        self.fetch()
        customer = self.documents.customer_id
        customer.with_user(self.billing_user).partner_id = self.partner
        self.act(customer, "action_process")
        self.assertEqual(self.documents.move_id.partner_id, self.partner)

    def change(self, amount="99.00"):
        """Let Copaco change the price of what it had sent, and fetch that."""
        self.simulator.invoices.clear()
        self.add_invoice(
            "INV-1", "A1", [price_line(amount)], customer={"CustomerNumber": "K-1"}
        )
        return self.fetch()

    def assertWaits(self):
        self.assertEqual(self.documents.hold_reason, "source_changed")
        self.assertIn(self.documents.state, ("held", "changed"))
        self.assertIn(
            "waiting for a decision: 1;", self.connection.activity_ids.summary
        )

    def test_retry_never_passes_over_what_copaco_changed(self):
        self.fetch()
        self.documents.move_id.ref = "By hand"
        self.change()
        self.documents.move_id.unlink()
        self.assertWaits()
        with self.assertRaisesRegex(UserError, "choose a version"):
            self.act(self.documents, "action_retry")
        self.assertWaits()

    def test_an_invoice_that_comes_back_does_not_hide_what_copaco_changed(self):
        self.fetch()
        self.documents.move_id.ref = "By hand"
        self.change()
        move = self.documents.move_id
        move.button_cancel()
        self.assertWaits()
        move.button_draft()
        self.assertWaits()
        self.assertEqual(self.documents.state, "changed")

    def test_an_excluded_document_stays_so_when_its_old_version_is_kept(self):
        self.partner.ref = False
        self.fetch()
        self.act(self.documents, "action_exclude", "Own use")
        self.partner.ref = "K-1"
        self.change()
        self.assertWaits()
        self.act(self.documents, "action_keep_version")
        self.assertRecordValues(
            self.documents,
            [{"state": "excluded", "exclude_reason": "Own use", "move_id": False}],
        )

    def test_deleting_a_cancelled_invoice_does_not_undo_an_exclusion(self):
        self.fetch()
        move = self.documents.move_id
        move.button_cancel()
        self.act(self.documents, "action_exclude", "Own use")
        move.unlink()
        self.assertEqual(self.documents.state, "excluded")

    def test_an_older_invoice_that_comes_back_is_the_invoice(self):
        self.fetch()
        first = self.documents.move_id
        first.button_cancel()
        self.act(self.documents, "action_retry")
        self.documents.move_id.button_cancel()
        first.button_draft()
        self.assertRecordValues(
            self.documents, [{"state": "invoiced", "move_id": first.id}]
        )
        with self.assertRaises(UserError):
            self.act(self.documents, "action_exclude", "reason")

    def test_one_document_that_can_not_be_done_stops_none_behind_it(self):
        self.partner.ref = False
        self.add_invoice("INV-2", "A2", [price_line("7")])
        self.fetch()
        self.partner.ref = "K-1"
        first, second = self.documents
        second.customer_id.partner_id = self.create_partner(name="Other")
        # Another module's rule that the database keeps.
        post = self.env.registry["copaco.document.matcher"]._match_document

        def refuse(matcher, document, *options):
            if document == first:
                matcher.env.cr.execute("SELECT 1/0")
            return post(matcher, document, *options)

        self.patch(
            self.env.registry["copaco.document.matcher"], "_match_document", refuse
        )
        with mute_logger(
            "odoo.sql_db", "odoo.addons.account_copaco.services.copaco_invoice_writer"
        ):
            self.act(self.documents, "action_retry")
        self.assertEqual(first.hold_reason, "unexpected_error")
        self.assertEqual(second.state, "invoiced")

    def test_what_a_person_decided_is_kept_when_workers_conflict(self):
        self.partner.ref = False
        self.fetch()
        customer = self.documents.customer_id
        invoicer = self.env.registry["copaco.invoice.writer"]
        create, failures = invoicer._create_checked_invoices, [SerializationFailure()]

        def collide(invoicer_, matches):
            if failures:
                raise failures.pop()
            return create(invoicer_, matches)

        self.patch(invoicer, "_create_checked_invoices", collide)
        with self.committing(customer) as committing:
            committing.action_create_contact()
        self.assertFalse(failures, "they did collide")
        self.assertEqual(customer.match_method, "created")
        self.assertEqual(self.documents.move_id.partner_id, customer.partner_id)

    def test_a_document_without_lines_never_becomes_an_empty_invoice(self):
        self.simulator.invoices.clear()
        self.add_invoice("INV-1", "A1", [], customer={"CustomerNumber": "K-1"})
        self.fetch()
        self.assertEqual(self.documents.state, "excluded")
        self.act(self.documents, "action_include")
        self.assertRecordValues(
            self.documents, [{"hold_reason": "payload_invalid", "move_id": False}]
        )

    def test_a_document_is_found_by_its_number_and_its_customer(self):
        self.fetch()
        found = self.env["copaco.document"].name_search("Customer A1")
        self.assertEqual([each[0] for each in found], self.documents.ids)

    def test_an_invoice_that_a_person_deleted_does_not_come_back_unasked(self):
        self.fetch()
        self.documents.move_id.unlink()
        self.change()
        self.assertWaits()
        self.assertFalse(self.documents.move_id)

    def test_an_invoice_that_a_person_cancelled_does_not_come_back_unasked(self):
        self.fetch()
        self.documents.move_id.button_cancel()
        self.change()
        self.assertWaits()
        self.change("10")
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertRecordValues(
            self.documents,
            [{"state": "held", "hold_reason": "invoice_cancelled"}],
        )
        self.assertFalse(self.documents._get_live_invoice())

    def test_a_failing_document_that_someone_dealt_with_meanwhile_is_left_alone(self):
        self.fetch()
        self.assertEqual(self.documents.state, "invoiced")
        with self.committing(self.documents) as document:
            document.env["copaco.processor"]._hold_for_error(
                document, UserError("too late")
            )
        self.assertEqual(self.documents.state, "invoiced")

    def test_a_second_change_does_not_decide_what_the_first_one_left_to_a_person(self):
        self.fetch()
        self.documents.move_id.unlink()
        self.change("99.00")
        self.change("98.00")
        self.assertWaits()
        self.assertEqual(self.documents.amount_source, 10)
        self.assertFalse(self.documents.move_id)

    def test_a_second_change_does_not_undo_an_exclusion(self):
        self.partner.ref = False
        self.fetch()
        self.act(self.documents, "action_exclude", "Own use")
        self.partner.ref = "K-1"
        self.change("99.00")
        self.change("98.00")
        self.assertWaits()
        self.assertFalse(self.documents.move_id)
