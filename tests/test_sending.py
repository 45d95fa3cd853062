from contextlib import nullcontext, suppress
from datetime import date, datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line
from .receivers import DROP, REFUSE, MailServer

SENDER = "odoo.addons.account_copaco.services.copaco_sender"
MAIL_LOGGERS = (
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.base.models.ir_mail_server",
)


class SendingCommon(CopacoCommon):
    """A connection that confirms and sends, and one customer with an e-mail address."""

    def setUp(self):
        super().setUp()
        self.mail_server = self.enterContext(MailServer())
        self.env["ir.mail_server"].sudo().search([]).unlink()
        self.env["ir.mail_server"].sudo().create(
            {
                "name": "Test",
                "smtp_host": "127.0.0.1",
                "smtp_port": self.mail_server.port,
            }
        )
        server = self.registry["ir.mail_server"]
        self.patch(server, "_disable_send", lambda *_: False)
        self.connection.invoice_policy = "send"
        self.partner = self.create_partner(
            name="Bakkerij", ref="K-1", email="info@bakkerij.example"
        )

    def book(self, *amounts, number="INV-1", **values):
        """:return: the delivery of the invoice of a new document"""
        lines = [
            price_line(amount, number=position)
            for position, amount in enumerate(amounts, start=1)
        ]
        self.add_known(number, lines=lines, **values)
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        self.assertEqual(document.move_id.state, "posted")
        return document.move_id.copaco_delivery_ids

    def send(self):
        """Have the scheduled action work."""
        self.trigger("ir_cron_send")

    def trigger(self, cron):
        # A browser test is in that mode from the beginning.
        is_browser_test = isinstance(self, HttpCase)
        mode = nullcontext() if is_browser_test else self.enter_registry_test_mode()
        with mode:
            self.env.ref(f"account_copaco.{cron}").method_direct_trigger()
        self.env.invalidate_all()

    def send_again(self, delivery):
        with self.committing(delivery.with_user(self.billing_user)) as committing:
            return committing.action_send_again()["params"]["message"]

    def was_delivered(self, delivery):
        with self.committing(delivery.with_user(self.billing_user)) as committing:
            committing.action_was_delivered()

    def assertUnsent(self, delivery, *words):
        self.assertEqual(delivery.state, "failed")
        self.assertFalse(delivery.move_id.is_move_sent)
        self.assertIn(delivery, delivery.search([("is_unsent", "=", True)]))
        self.assertTrue(delivery.move_id.copaco_document_id.is_unsent)
        self.assertIn("could not be sent: 1", self.connection.activity_ids.summary)
        for word in (delivery.move_id.name, *words):
            self.assertIn(word, delivery.message)

    def assertSent(self, delivery):
        self.assertEqual(delivery.state, "sent", delivery.message)
        self.assertFalse(delivery.is_unsent)
        self.assertFalse(delivery.message)

    def send_and_bounce(self, delivery):
        """Send what waits; the mail of this delivery comes back later."""
        self.send()
        notification = self.get_mails(delivery).sudo().notification_ids
        notification.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self.send()

    def get_mails(self, delivery):
        """:return: the messages with the invoice to somebody"""
        return delivery.move_id.message_ids.filtered("partner_ids")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSending(SendingCommon):
    """Promises 8 and 10: sending is a step after the books are committed, and counts as
    done when it is proved."""

    def test_posting_asks_nobody_anything_and_sends_nothing(self):
        sender = self.registry["account.move.send"]
        with (
            patch.object(sender, "_get_default_sending_methods") as methods,
            patch.object(sender, "_generate_and_send_invoices") as sending,
        ):
            delivery = self.book("5")
        self.assertFalse(methods.called or sending.called)
        self.assertEqual(delivery.state, "waiting")
        self.assertFalse(delivery.is_unsent, "it is on its way")
        self.assertFalse(delivery.move_id.is_being_sent, "Odoo's own queue is not used")

    def test_an_invoice_is_sent_and_its_delivery_proved(self):
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        self.assertTrue(delivery.move_id.is_move_sent)
        self.assertEqual(self.mail_server.mails[0][0], {"info@bakkerij.example"})
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_a_second_run_sends_nothing_twice(self):
        delivery = self.book("5")
        self.send()
        self.send()
        self.assertEqual(len(self.get_mails(delivery)), 1)

    def test_a_customer_without_an_address_is_told(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "Bakkerij", "e-mail address")

    def test_a_contact_that_was_archived_meanwhile_is_told(self):
        delivery = self.book("5")
        self.partner.active = False
        self.send()
        self.assertUnsent(delivery, "Bakkerij", "archived")
        self.partner.active = True
        self.send_again(delivery)
        self.assertSent(delivery)

    def test_what_is_no_address_is_told(self):
        self.partner.email = "not an address"
        delivery = self.book("5")
        with mute_logger(*MAIL_LOGGERS):
            self.send()
        self.assertUnsent(delivery, "not an address")

    def test_a_mail_server_that_refuses_is_told(self):
        delivery = self.book("5")
        self.mail_server.behave(REFUSE)
        with mute_logger(*MAIL_LOGGERS):
            self.send()
        self.assertUnsent(delivery, "info@bakkerij.example")

    def test_a_mail_server_that_drops_the_connection_is_told(self):
        delivery = self.book("5")
        self.mail_server.behave(DROP)
        with mute_logger(*MAIL_LOGGERS):
            self.send()
        self.assertUnsent(delivery, "nobody knows")
        mails = self.get_mails(delivery).sudo().mail_ids
        self.assertNotIn("outgoing", mails.mapped("state"), "not sent again unasked")

    def test_a_customer_who_prefers_to_be_sent_nothing_is_told(self):
        self.partner.invoice_sending_method = "manual"
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "sending method")

    def test_mended_and_sent_again(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.assertIn("could not be sent: 1", self.send_again(delivery))
        self.partner.email = "info@bakkerij.example"
        self.assertIn("Sent: 1, could not be sent: 0", self.send_again(delivery))
        self.assertSent(delivery)
        self.assertFalse(self.connection.activity_ids)

    def test_one_that_fails_stops_no_other(self):
        first = self.book("5")
        second = self.book("6", number="INV-2")
        sending = self.registry["account.move.send"]._generate_and_send_invoices

        def fail(sender, moves, **settings):
            self.assertEqual(len(moves), 1, "one invoice, one transaction")
            if moves == first.move_id:
                raise UserError(moves.env._("Street required"))
            return sending(sender, moves, **settings)

        sender = self.registry["account.move.send"]
        with patch.object(sender, "_generate_and_send_invoices", fail):
            self.send()
        self.assertUnsent(first, "Street required")
        self.assertSent(second)

    def test_an_unexpected_error_is_told_and_logged(self):
        delivery = self.book("5")
        sender = self.registry["account.move.send"]
        error = ValueError("Expected singleton")
        with (
            patch.object(sender, "_generate_and_send_invoices", side_effect=error),
            self.assertLogs(SENDER, "ERROR"),
        ):
            self.send()
        self.assertUnsent(delivery, "ValueError")

    def test_what_waits_for_more_than_an_hour_is_told(self):
        delivery = self.book("5")
        with freeze_time("2026-11-25 11:01:00"):
            self.assertTrue(delivery.is_unsent)
            self.assertIn("scheduled action", delivery.message)
            self.env["copaco.activity.monitor"]._update_activity(self.connection)
            self.assertIn("could not be sent: 1", self.connection.activity_ids.summary)
            self.send()
            self.assertSent(delivery)

    def test_a_mail_that_waits_for_more_than_an_hour_is_told_and_replaced(self):
        delivery = self.book("5")
        mail_mail = self.registry["mail.mail"]
        with patch.object(mail_mail, "send_after_commit", lambda mails: None):
            self.send()
        self.assertRecordValues(delivery, [{"state": "sending", "is_unsent": False}])
        self.env.invalidate_all()
        queued = self.get_mails(delivery).sudo().mail_ids
        with freeze_time("2026-11-25 11:01:00"):
            self.assertTrue(delivery.is_unsent)
            self.assertIn("e-mail", delivery.message)
            self.send_again(delivery)
        self.assertEqual(queued.state, "cancel")
        self.assertSent(delivery)

    def test_a_server_that_stopped_meanwhile_sends_nothing_twice(self):
        delivery = self.book("5")
        method = self.registry["copaco.sending.method"]
        with patch.object(method, "_choose", side_effect=SystemExit):
            # Not assertRaises: Odoo's takes back what was committed before.
            with suppress(SystemExit):
                self.send()
        self.assertEqual(delivery.state, "sending")
        self.send()
        self.assertFalse(self.get_mails(delivery))
        with freeze_time("2026-11-25 11:01:00"):
            self.assertIn("nobody knows", delivery.message)
            self.send_again(delivery)
        self.assertSent(delivery)

    def test_an_invoice_of_the_future_is_sent_on_its_date(self):
        delivery = self.book("5", Date="20261201")
        self.assertEqual(delivery.send_at, datetime(2026, 11, 30, 23), "in Amsterdam")
        self.send()
        self.assertEqual(delivery.state, "waiting")
        with freeze_time("2026-11-30 22:59:00"):
            self.send()
            self.assertFalse(delivery.is_unsent)
        self.assertFalse(self.get_mails(delivery))
        with freeze_time("2026-11-30 23:01:00"):
            self.send()
        self.assertSent(delivery)

    def test_an_invoice_whose_date_was_moved_waits_for_it(self):
        delivery = self.book("5")
        delivery.move_id.button_draft()
        delivery.move_id.invoice_date = date(2026, 12, 1)
        self.send()
        self.assertEqual(delivery.state, "waiting", "a draft is not sent")
        delivery.move_id.action_post()
        self.send()
        self.assertFalse(self.get_mails(delivery))
        self.assertEqual(delivery.send_at, datetime(2026, 11, 30, 23))

    def test_what_is_confirmed_again_after_it_was_sent_is_told(self):
        delivery = self.book("5")
        self.send()
        delivery.move_id.button_draft()
        delivery.move_id.invoice_line_ids.name = "A person's words"
        delivery.move_id.action_post()
        self.assertUnsent(delivery, "confirmed again", "Bakkerij")
        self.send()
        self.assertUnsent(delivery, "confirmed again")
        self.assertEqual(len(self.get_mails(delivery)), 1, "not sent unasked")
        self.send_again(delivery)
        self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 2)

    def test_totals_of_zero_are_confirmed_and_not_sent(self):
        for number, amounts in {"INV-1": ["0.00"], "INV-2": ["5", "-5"]}.items():
            with self.subTest(amounts=amounts):
                self.assertFalse(self.book(*amounts, number=number))
        self.send()
        self.assertFalse(self.connection.activity_ids)

    def test_totals_of_zero_are_sent_if_the_connection_says_so(self):
        self.connection.send_zero_totals = True
        delivery = self.book("0.00")
        self.send()
        self.assertSent(delivery)

    def test_whether_a_draft_is_sent_is_told_by_its_total_when_it_is_confirmed(self):
        for number, (before, after, is_sent) in enumerate(
            (
                (["0.004"], ["0.004", "0.003"], True),
                (["0.004", "0.003"], ["0.004"], False),
                (["0.00"], ["8"], True),
                (["8"], ["8", "-8"], False),
                (["0.004"], ["0.002"], False),
            )
        ):
            for sends_zero in (False, True):
                with self.subTest(before=before, after=after, sends_zero=sends_zero):
                    self.connection.send_zero_totals = sends_zero
                    self.check_sent_once_confirmed(
                        f"{number}-{sends_zero}", before, after, is_sent or sends_zero
                    )

    def test_whether_it_is_sent_is_told_anew_each_time_it_is_confirmed(self):
        self.assertFalse(self.book("0.00"))
        move = self.documents.move_id
        self.confirm_with_price(move, 12)
        self.confirm_with_price(move, 0)
        self.send()
        self.assertFalse(move.copaco_delivery_ids)
        self.assertFalse(self.mail_server.mails)
        self.confirm_with_price(move, 9.5)
        self.assertEqual(move.copaco_delivery_ids.state, "waiting")
        self.send()
        self.assertSent(move.copaco_delivery_ids)
        self.assertEqual(self.mail_server.count(move.name), 1)
        # The customer has one of 9.50.
        self.confirm_with_price(move, 0)
        self.assertUnsent(move.copaco_delivery_ids, "confirmed again")

    def test_what_could_not_be_sent_and_has_no_amount_any_more_need_not_be(self):
        self.partner.email = False
        delivery = self.book("7")
        self.send()
        self.assertUnsent(delivery, "e-mail address")
        self.confirm_with_price(delivery.move_id, 0)
        self.assertFalse(delivery.move_id.copaco_delivery_ids)
        self.env["copaco.activity.monitor"]._update_activity(self.connection)
        self.assertFalse(self.connection.activity_ids)
        self.partner.email = "info@bakkerij.example"
        self.confirm_with_price(delivery.move_id, 4)
        self.send()
        self.assertSent(delivery)

    def confirm_with_price(self, move, price):
        move.button_draft()
        (line,) = move.invoice_line_ids
        line.price_unit = price
        move.action_post()
        self.assertEqual(move.amount_untaxed, price)

    def check_sent_once_confirmed(self, number, before, after, is_sent):
        """Let the invoice stay a draft, because its contact is incomplete, until Copaco
        has changed it."""
        self.partner.street = False
        for prices in (before, after):
            self.simulator.invoices.clear()
            lines = [
                price_line(price, number=position)
                for position, price in enumerate(prices, start=1)
            ]
            self.add_known(number, lines=lines)
            self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        move = document.move_id
        self.assertEqual((document.state, move.state), ("invoiced", "draft"))
        self.partner.street = "Straat 1"
        move.action_post()
        self.send()
        self.assertEqual(move.copaco_delivery_ids.mapped("state"), ["sent"] * is_sent)
        self.assertEqual(self.mail_server.count(move.name), is_sent)

    def test_a_delivery_is_of_the_invoices_company(self):
        delivery = self.book("5")
        self.assertEqual(delivery.company_id, self.company)
        other = self.setup_other_company()["company"]
        self.billing_user.write(
            {"company_ids": [(6, 0, other.ids)], "company_id": other.id}
        )
        found = delivery.with_user(self.billing_user).search([])
        self.assertFalse(found)

    def test_what_is_invoiced_to_another_contact_is_not_sent_to_the_first(self):
        delivery = self.book("5")
        other = self.create_partner(name="Slagerij", email="info@slagerij.example")
        self.env["copaco.reverser"].sudo()._invoice_anew(
            self.documents.sudo(), partner=other
        )
        self.send()
        self.assertFalse(self.mail_server.mails)
        with freeze_time("2026-11-25 12:00:00"):
            self.env.invalidate_all()
            self.assertFalse(delivery.is_unsent)
        self.documents.move_id.action_post()
        self.send()
        self.assertSent(self.documents.move_id.copaco_delivery_ids)
        self.assertEqual(len(self.mail_server.mails), 1)
        self.assertEqual(self.mail_server.mails[0][0], {"info@slagerij.example"})

    def test_a_deadline_leaves_the_rest_to_the_scheduled_action(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        with patch(f"{SENDER}.BUTTON_SECONDS", -1):
            self.assertIn("other 1 are sent", self.send_again(delivery))
        self.assertEqual(delivery.state, "waiting")
