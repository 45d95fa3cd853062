from unittest.mock import patch

from odoo.tests import freeze_time, tagged

from .test_sending_meanwhile import SendingMeanwhileCommon

SENDER = "odoo.addons.account_copaco.services.copaco_sender"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSendingStopped(SendingMeanwhileCommon):
    """Promise 8: when a person turns sending off, what has not gone out yet stays, and
    says so."""

    def test_nothing_that_waits_is_sent_when_the_connection_no_longer_sends(self):
        for policy in ("post", "draft"):
            with self.subTest(policy=policy):
                self.connection.invoice_policy = "send"
                delivery = self.book("5", number=policy)
                self.connection.invoice_policy = policy
                self.send()
                self.assertFalse(self.mail_server.mails)
                self.assertUnsent(delivery, self.connection.name, "Send again")
                self.was_delivered(delivery)

    def test_nothing_that_waits_is_sent_by_an_archived_connection(self):
        delivery = self.book("5")
        self.connection.action_archive()
        self.send()
        self.assertFalse(self.mail_server.mails)
        self.assertUnsent(delivery, self.connection.name, "archived")

    def test_nothing_that_waits_is_sent_to_a_customer_who_is_no_longer_sent_any(self):
        for policy in ("post", "draft"):
            with self.subTest(policy=policy):
                self.documents.customer_id.invoice_policy = "earned"
                delivery = self.book("5", number=policy)
                customer = self.documents.customer_id
                customer.invoice_policy = policy
                self.send()
                self.assertFalse(self.mail_server.mails)
                self.assertUnsent(delivery, customer.display_name, "Send again")
                self.was_delivered(delivery)

    def test_a_person_may_send_it_all_the_same(self):
        delivery = self.book("5")
        self.connection.invoice_policy = "post"
        self.send()
        self.assertIn("Sent: 1, could not be sent: 0", self.send_again(delivery))
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_what_a_person_did_not_wait_for_is_sent_all_the_same(self):
        delivery = self.book("5")
        self.connection.invoice_policy = "post"
        self.send()
        with patch(f"{SENDER}.BUTTON_SECONDS", -1):
            self.assertIn("other 1 are sent", self.send_again(delivery))
        self.send()
        self.assertSent(delivery)

    def test_it_is_not_sent_unasked_when_sending_is_turned_on_again(self):
        delivery = self.book("5")
        self.connection.invoice_policy = "post"
        self.send()
        self.connection.invoice_policy = "send"
        self.send()
        self.assertUnsent(delivery)
        self.assertFalse(self.mail_server.mails)

    def test_what_a_person_sent_otherwise_is_not_asked_about(self):
        delivery = self.book("5")
        self.connection.invoice_policy = "post"
        self.send_by_hand(delivery)
        self.send()
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_it_stops_while_others_are_being_sent(self):
        first = self.book("5")
        second = self.book("6", number="INV-2")

        def stop(env):
            self.connection.with_env(env).invoice_policy = "post"

        with self.meanwhile(stop, "copaco.sender", "_send_one"):
            self.send()
        self.assertSent(first)
        self.assertUnsent(second, self.connection.name)

    def test_a_draft_that_is_confirmed_afterwards_is_not_sent(self):
        self.partner.street = False
        self.add_known("INV-1")
        self.fetch()
        move = self.documents.move_id
        self.connection.invoice_policy = "post"
        self.partner.street = "Straat 1"
        move.action_post()
        self.send()
        self.assertFalse(self.mail_server.mails)
        self.assertUnsent(move.copaco_delivery_ids, self.connection.name)

    def test_an_invoice_of_the_future_is_stopped_on_its_date(self):
        delivery = self.book("5", Date="20261201")
        self.connection.invoice_policy = "post"
        self.send()
        self.assertEqual(delivery.state, "waiting")
        with freeze_time("2026-12-01 10:00:00"):
            self.send()
            self.assertUnsent(delivery, self.connection.name)

    def test_who_turns_it_off_need_not_wait_to_see_what_is_stopped(self):
        self.book("5")
        cron = self.env.ref("account_copaco.ir_cron_send")
        triggers = self.env["ir.cron.trigger"].sudo()
        triggers.search([("cron_id", "=", cron.id)]).unlink()
        self.connection.invoice_policy = "post"
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))

    def test_a_mail_that_still_waits_is_not_sent_when_its_invoice_is_reset(self):
        delivery = self.book("5")
        mail_mail = self.registry["mail.mail"]
        with patch.object(mail_mail, "send_after_commit", lambda mails: None):
            self.send()
        self.assertEqual(delivery.state, "sending")
        self.env.invalidate_all()
        queued = self.get_mails(delivery).sudo().mail_ids
        delivery.move_id.button_draft()
        self.assertEqual(queued.state, "cancel")
        self.assertEqual(delivery.state, "waiting")
        delivery.move_id.action_post()
        self.send()
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_what_was_credited_in_full_is_not_sent_unasked(self):
        delivery = self.book("5")
        move = delivery.move_id
        credit = move._reverse_moves([{"invoice_date": move.invoice_date}], cancel=True)
        self.assertEqual(move.payment_state, "reversed")
        self.send()
        self.assertFalse(self.mail_server.mails)
        self.assertUnsent(delivery, credit.name, "credited in full", "Send again")
        self.send_again(delivery)
        self.assertSent(delivery)

    def test_what_was_credited_in_part_is_sent(self):
        delivery = self.book("5")
        move = delivery.move_id
        credit = move._reverse_moves([{"invoice_date": move.invoice_date}])
        credit.invoice_line_ids[:1].price_unit = 1
        credit.action_post()
        self.send()
        self.assertSent(delivery)

    # === WHAT IS NOT TO BE SENT ANY MORE === #

    def test_of_what_is_invoiced_anew_nothing_is_said_any_more(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        other = self.create_partner(name="Slagerij", email="info@slagerij.example")
        reverser = self.env["copaco.reverser"].sudo()
        reverser._invoice_anew(self.documents.sudo(), partner=other)
        self.assertFalse(delivery.move_id.copaco_unsent_message)
        self.assertIn(delivery.move_id.name, self.refuse_send_again(delivery))

    def test_of_what_is_no_confirmed_invoice_nobody_says_that_it_is_sent(self):
        delivery = self.book("5")
        delivery.move_id.button_draft()
        self.assertIn(delivery.move_id.name, self.refuse_send_again(delivery))
        delivery.move_id.button_cancel()
        self.assertIn(delivery.move_id.name, self.refuse_send_again(delivery))
        other = self.book("6", number="INV-2")
        message = self.send_again(delivery | other)
        self.assertIn("other 1 are sent", message, "the confirmed one")
        self.assertEqual(delivery.state, "waiting")

    def refuse_send_again(self, delivery):
        return self.get_refusal(
            delivery.with_user(self.billing_user), "action_send_again"
        )
