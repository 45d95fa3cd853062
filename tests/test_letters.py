from contextlib import closing, contextmanager
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .test_sending import SendingCommon

IAP = "odoo.addons.snailmail.models.snailmail_letter.iap_tools.iap_jsonrpc"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLetters(SendingCommon):
    """Promises 1 and 8 of what Odoo sends by post: a letter that waits or was printed
    is known, and there is never a second one."""

    def setUp(self):
        super().setUp()
        if "snailmail.letter" not in self.env:
            self.skipTest("snailmail_account is not installed")
        self.partner.zip = "1000 AA"
        self.partner.invoice_sending_method = "snailmail"

    @property
    def letters(self):
        return (
            self.env["snailmail.letter"]
            .sudo()
            .search([("partner_id", "=", self.partner.id)], order="id")
        )

    @contextmanager
    def printer(self, error=None):
        """A printing service that prints, or answers with an error."""

        def answer(url, params, **options):
            documents = [
                {**each, "sent": not error, "send_id": 7, "error": error}
                for each in params["documents"]
            ]
            return {"request_code": 200, "request": {"documents": documents}}

        with (
            patch(IAP, answer),
            patch.object(
                self.registry["snailmail.letter"],
                "_fetch_attachment",
                lambda letter: letter.env["ir.attachment"].create(
                    {"name": "letter.pdf", "raw": b"letter"}
                ),
            ),
        ):
            yield

    def print_letters(self, error=None):
        """Have Odoo's scheduled action work."""
        letters = self.env["snailmail.letter"].sudo()
        with self.printer(error), self.committing(letters) as committing:
            committing._snailmail_cron()
        self.send()

    def test_a_letter_is_under_way_until_it_is_printed(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.assertEqual(self.letters.state, "pending")
        self.assertEqual(delivery.state, "sending")
        self.assertFalse(delivery.is_unsent)
        action = self.env.ref("snailmail.snailmail_print")
        triggers = self.env["ir.cron.trigger"].sudo()
        self.assertTrue(triggers.search([("cron_id", "=", action.id)]))
        self.print_letters()
        self.assertSent(delivery)
        self.assertTrue(delivery.move_id.is_move_sent)
        self.assertFalse(self.mail_server.mails)

    def test_a_letter_that_waits_is_told_after_an_hour_and_has_no_second(self):
        delivery = self.book("5")
        self.send()
        with freeze_time("2026-11-25 11:30:00"):
            delivery.invalidate_recordset()
            self.assertTrue(delivery.is_unsent)
            self.assertIn("The letter", delivery.message)
            self.assertIn(delivery.move_id.name, delivery.message)
            self.send_again(delivery)
            self.send()
            self.assertEqual(len(self.letters), 1)
            self.print_letters()
        self.assertSent(delivery)
        self.assertEqual(len(self.letters), 1)

    def test_a_letter_that_waits_is_not_printed_when_it_is_invoiced_to_another(self):
        delivery = self.book("5")
        self.send()
        other = self.create_partner(name="Slagerij", email="info@slagerij.example")
        reverser = self.env["copaco.reverser"].sudo()
        reverser._invoice_anew(self.documents.sudo(), partner=other)
        self.print_letters()
        self.assertEqual(self.letters.state, "canceled")
        self.assertFalse(delivery.is_unsent)

    def test_a_letter_that_failed_is_told_with_odoos_reason(self):
        delivery = self.book("5")
        self.send()
        self.print_letters("NO_PRICE_AVAILABLE")
        self.assertUnsent(delivery, "Bakkerij", "country of the partner is not covered")
        self.assertNotIn("<br>", delivery.message)
        self.assertNotIn("e-mail", delivery.message)

    def test_a_letter_that_failed_is_not_printed_besides_what_is_sent_again(self):
        delivery = self.book("5")
        self.send()
        self.print_letters("CREDIT_ERROR")
        self.assertUnsent(delivery, "credits")
        self.send_again(delivery)
        self.assertEqual(self.letters.mapped("state"), ["canceled", "pending"])
        self.print_letters()
        self.assertSent(delivery)
        self.assertEqual(self.letters.mapped("state"), ["canceled", "sent"])

    @contextmanager
    def printing(self):
        """Odoo's scheduled action for letters is at work, in a transaction of its
        own."""
        action = self.env.ref("snailmail.snailmail_print")
        with closing(db_connect(self.env.cr.dbname).cursor()) as cursor:
            action._acquire_one_job(cursor, action.id, include_not_ready=True)
            yield

    def test_a_letter_that_odoo_prints_again_right_now_is_not_made_anew(self):
        delivery = self.book("5")
        self.send()
        self.print_letters("CREDIT_ERROR")
        with self.printing():
            self.send_again(delivery)
            self.assertEqual(delivery.state, "sending")
            self.assertEqual(self.letters.mapped("state"), ["error"])
        self.print_letters()
        self.assertSent(delivery)
        self.assertEqual(self.letters.mapped("state"), ["sent"])

    def test_a_letter_that_is_printed_right_now_is_not_called_delivered(self):
        delivery = self.book("5")
        self.send()
        self.print_letters("CREDIT_ERROR")
        with (
            self.printing(),
            self.assertRaisesRegex(UserError, "right now"),
            self.cr.savepoint(),
        ):
            self.was_delivered(delivery)
        self.was_delivered(delivery)
        self.assertEqual(self.letters.mapped("state"), ["canceled"])

    def test_a_letter_that_is_printed_while_its_invoice_is_reset_is_told(self):
        delivery = self.book("5")
        self.send()
        with self.printing():
            delivery.move_id.button_draft()
            delivery.move_id.action_post()
        self.assertUnsent(delivery, "reset to draft")

    def test_what_odoo_prints_after_all_is_known(self):
        delivery = self.book("5")
        self.send()
        self.print_letters("CREDIT_ERROR")
        self.print_letters()
        self.assertSent(delivery)
        self.send_again(delivery)
        self.assertEqual(len(self.letters), 1)

    def test_a_letter_without_the_name_of_whom_is_told(self):
        delivery = self.book("5")
        self.send()
        self.letters.write(
            {
                "state": "error",
                "error_code": "MISSING_REQUIRED_FIELDS",
                "info_msg": "Invalid recipient name.",
            }
        )
        self.send()
        self.assertUnsent(delivery, "Invalid recipient name")

    def test_a_letter_that_a_person_cancelled_is_told(self):
        delivery = self.book("5")
        self.send()
        self.letters.cancel()
        self.send()
        self.assertUnsent(delivery, "cancelled")
        self.partner.invoice_sending_method = "email"
        self.send_again(delivery)
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_an_address_that_no_letter_reaches_is_told(self):
        self.partner.write({"zip": False, "email": False})
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "postal code")
        self.assertFalse(self.letters)
        self.partner.zip = "1000 AA"
        self.send_again(delivery)
        self.assertEqual(delivery.state, "sending")

    def test_a_letter_that_a_person_sent_meanwhile_is_not_sent_again(self):
        self.partner.write({"invoice_sending_method": "email", "email": False})
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "e-mail address")
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"snailmail"}
        )
        self.partner.email = "info@bakkerij.example"
        self.send_again(delivery)
        self.assertEqual(delivery.state, "sending")
        self.assertFalse(self.mail_server.mails)
        self.print_letters()
        self.assertSent(delivery)
        self.assertFalse(self.mail_server.mails)

    def test_a_letter_before_its_turn_is_not_sent_again(self):
        delivery = self.book("5")
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"snailmail"}
        )
        self.send()
        self.assertEqual(len(self.letters), 1)
        self.assertEqual(delivery.state, "sending")

    def test_another_document_by_post_is_no_invoice(self):
        self.partner.write({"invoice_sending_method": "email", "email": False})
        delivery = self.book("5")
        self.send()
        report = self.env["ir.actions.report"].search(
            [("model", "=", "account.move"), ("is_invoice_report", "=", False)], limit=1
        )
        self.env["snailmail.letter"].create(
            {
                "partner_id": self.partner.id,
                "model": "account.move",
                "res_id": delivery.move_id.id,
                "report_template": report.id,
            }
        ).state = "sent"
        self.send()
        self.assertUnsent(delivery, "e-mail address")

    def test_what_is_reset_to_draft_is_made_anew(self):
        delivery = self.book("5")
        self.send()
        delivery.move_id.button_draft()
        delivery.move_id.action_post()
        self.assertEqual(delivery.state, "waiting")
        self.send()
        self.assertEqual(self.letters.mapped("state"), ["canceled", "pending"])
        self.print_letters()
        self.assertSent(delivery)

    def test_what_is_a_draft_is_not_printed(self):
        delivery = self.book("5")
        self.send()
        delivery.move_id.button_draft()
        self.print_letters()
        self.assertEqual(self.letters.mapped("state"), ["canceled"])
        delivery.move_id.action_post()
        self.print_letters()
        self.print_letters()
        self.assertEqual(self.letters.mapped("state"), ["canceled", "sent"])
        self.assertSent(delivery)

    def test_a_printed_letter_of_an_invoice_that_changed_since_is_told(self):
        delivery = self.book("5")
        self.send()
        self.print_letters()
        delivery.move_id.button_draft()
        delivery.move_id.action_post()
        self.assertUnsent(delivery, "reset to draft")
        self.send_again(delivery)
        self.assertEqual(self.letters.mapped("state"), ["sent", "pending"])

    def test_what_was_delivered_by_hand_is_not_printed_any_more(self):
        delivery = self.book("5")
        self.send()
        with freeze_time("2026-11-25 11:30:00"):
            self.was_delivered(delivery)
        self.assertSent(delivery)
        self.assertEqual(self.letters.state, "canceled")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestOtherMethods(SendingCommon):
    """Promise 8 of sending methods of other addons, of which nothing is known."""

    def setUp(self):
        super().setUp()
        field = self.registry["res.partner"]._fields["invoice_sending_method"]
        selection = [*field.selection, ("courier", "by Courier")]
        self.patch(field, "selection", selection)
        self.patch(field, "_selection", dict(selection))
        self.patch(field, "_description_selection", lambda env: selection)
        self.partner.invoice_sending_method = "courier"
        self.handed_over = []

    @contextmanager
    def courier(self, error=None, is_applicable=True):
        send = self.registry["account.move.send"]
        applies, success = send._is_applicable_to_move, send._hook_if_success

        def _is_applicable_to_move(service, method, move, **data):
            if method == "courier":
                return is_applicable
            return applies(service, method, move, **data)

        def _hook_if_success(service, moves_data, from_cron=False):
            self.handed_over += [
                move.id
                for move, data in moves_data.items()
                if "courier" in data["sending_methods"]
            ]
            if error:
                raise error
            return success(service, moves_data, from_cron=from_cron)

        with (
            patch.object(send, "_is_applicable_to_move", _is_applicable_to_move),
            patch.object(send, "_hook_if_success", _hook_if_success),
        ):
            yield

    def test_what_was_handed_over_is_not_called_sent(self):
        self.partner.email = False
        delivery = self.book("5")
        with self.courier():
            self.send()
            self.send()
        self.assertEqual(self.handed_over, delivery.move_id.ids)
        self.assertUnsent(delivery, "by Courier", "Was delivered")

    def test_a_person_says_that_it_was_delivered(self):
        delivery = self.book("5")
        with self.courier():
            self.send()
            self.was_delivered(delivery)
            self.assertSent(delivery)
            self.assertTrue(delivery.move_id.is_move_sent)
            self.assertEqual(delivery.confirmed_by_id, self.billing_user)
            self.assertFalse(self.connection.activity_ids)
            self.send_again(delivery)
            self.send()
        self.assertEqual(self.handed_over, delivery.move_id.ids)

    def test_what_a_person_said_is_not_doubted_for_an_older_failure(self):
        self.partner.invoice_sending_method = "email"
        delivery = self.book("5")
        self.send_and_bounce(delivery)
        self.assertUnsent(delivery)
        self.was_delivered(delivery)
        self.send()
        self.assertSent(delivery)
        self.send_again(delivery)
        self.assertSent(delivery)

    def test_only_what_could_not_be_sent_is_confirmed(self):
        delivery = self.book("5")
        self.was_delivered(delivery)
        self.assertEqual(delivery.state, "waiting")
        with self.assertRaises(AccessError):
            delivery.with_user(new_test_user(self.env, "other")).action_was_delivered()

    def test_what_is_not_applicable_is_told(self):
        delivery = self.book("5")
        with self.courier(is_applicable=False):
            self.send()
        self.assertFalse(self.handed_over)
        self.assertUnsent(delivery, "sending method", "Bakkerij")

    def test_what_may_have_been_handed_over_is_not_sent_twice(self):
        delivery = self.book("5")
        with self.courier(SerializationFailure()), mute_logger("odoo.sql_db"):
            self.send()
            with freeze_time("2026-11-25 10:05:00"):
                self.send()
        self.assertEqual(self.handed_over, delivery.move_id.ids)
        self.assertUnsent(delivery, "nobody knows")
