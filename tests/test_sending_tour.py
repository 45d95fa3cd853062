from datetime import date

from odoo.tests import HttpCase, tagged

from .common import price_line
from .test_sending import SendingCommon


@tagged("post_install", "-at_install")
class TestSendingTour(SendingCommon, HttpCase):
    def fail_to_send(self):
        """:return: the delivery of an invoice of today, to a customer without e-mail"""
        self.connection.import_from = False
        self.partner.email = False
        today = date.today()
        self.add_known(lines=[price_line("10")], created=today, Date=f"{today:%Y%m%d}")
        self.fetch()
        delivery = self.documents.move_id.copaco_delivery_ids
        self.trigger("ir_cron_send")
        self.assertUnsent(delivery, "e-mail address")
        return delivery

    def test_what_could_not_be_sent_is_mended_and_sent(self):
        """In a real browser: the reason, the contact, Send again, and it arrived."""
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        delivery = self.fail_to_send()
        self.start_tour(
            "/odoo/copaco-could-not-be-sent", "copaco_send_again", login="billing"
        )
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_a_person_says_what_was_delivered(self):
        """In a real browser: ticked, confirmed, and gone from the list."""
        delivery = self.fail_to_send()
        self.start_tour(
            "/odoo/copaco-could-not-be-sent", "copaco_was_delivered", login="billing"
        )
        self.env.invalidate_all()
        self.assertSent(delivery)
        self.assertEqual(delivery.confirmed_by_id, self.billing_user)
        self.assertFalse(self.mail_server.mails)
