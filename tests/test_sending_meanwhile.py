from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import freeze_time, tagged

from .test_sending import SendingCommon

# What a mail server sends that could not deliver a mail after all.
BOUNCE = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@relay.example>
To: bounce@reseller.example
Subject: Undelivered Mail Returned to Sender
Message-Id: <bounce-{number}@relay.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

No such mailbox.

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; {email}
Action: failed
Status: 5.1.1

--part
Content-Type: message/rfc822

From: billing@reseller.example
To: {email}
Subject: Invoice
Message-Id: {message_id}

Text

--part--
"""


class SendingMeanwhileCommon(SendingCommon):
    """What others do while an invoice is being sent."""

    def meanwhile(self, action, service="copaco.sending.method", method="_choose"):
        """Let something happen while an invoice is being sent, right after a step.

        :param action: function of the environment in which it is sent
        """
        service = self.registry[service]
        original, happened = getattr(service, method), []

        def step(records, *arguments):
            result = original(records, *arguments)
            if not happened:
                happened.append(True)
                action(records.env)
            return result

        return patch.object(service, method, step)

    def send_by_hand(self, delivery):
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"email"}
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSendingMeanwhile(SendingMeanwhileCommon):
    """Promise 8, whatever others do at the same time: nothing is called sent that
    wasn't, and nothing is sent twice."""

    def test_what_a_person_sends_at_the_same_moment_is_not_sent_again(self):
        delivery = self.book("5")
        with self.meanwhile(lambda _env: self.send_by_hand(delivery)):
            self.send()
        self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 1)

    def test_what_is_being_sent_is_not_sent_again_however_long_it_waited(self):
        delivery, user = self.book("5"), self.billing_user
        with freeze_time("2026-11-25 12:00:00"):
            self.assertTrue(delivery.is_unsent)
            with self.meanwhile(
                lambda env: delivery.with_env(env(user=user)).action_send_again(),
            ):
                self.send()
            self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 1)
        self.assertEqual(self.mail_server.count(delivery.move_id.name), 1)

    def test_what_is_reset_to_draft_at_that_moment_waits_until_it_is_confirmed(self):
        delivery = self.book("5")
        with self.meanwhile(
            lambda env: delivery.with_env(env).move_id.button_draft(),
        ):
            self.send()
        self.assertEqual(delivery.state, "waiting")
        self.assertFalse(self.mail_server.mails)
        delivery.move_id.action_post()
        self.send()
        self.assertSent(delivery)

    def test_an_invoice_that_is_deleted_meanwhile_stops_no_other(self):
        first, second, third = (
            self.book("5", number=f"INV-{number}") for number in range(3)
        )

        def delete(_env):
            second.move_id.button_draft()
            second.move_id.with_context(force_delete=True).unlink()

        with self.meanwhile(delete, "copaco.sender", "_send_one"):
            self.send()
        self.assertFalse(second.exists())
        self.assertSent(first)
        self.assertSent(third)

    def test_an_invoice_that_is_cancelled_meanwhile_is_not_sent(self):
        delivery = self.book("5")
        delivery.move_id.button_draft()
        delivery.move_id.button_cancel()
        self.send()
        self.assertEqual(delivery.state, "waiting")
        with freeze_time("2026-11-25 12:00:00"):
            self.assertFalse(delivery.is_unsent)
        self.assertFalse(self.mail_server.mails)

    def test_a_mail_that_somebody_cancels_or_deletes_is_told(self):
        for number, action in enumerate(("cancel", "unlink")):
            delivery = self.book("5", number=f"INV-{number}")
            mail_mail = self.registry["mail.mail"]
            with patch.object(mail_mail, "send_after_commit", lambda mails: None):
                self.send()
            self.env.invalidate_all()
            getattr(self.get_mails(delivery).sudo().mail_ids, action)()
            with freeze_time("2026-11-25 11:01:00"):
                self.send()
                self.assertTrue(delivery.is_unsent, action)
            self.assertFalse(self.mail_server.mails)

    # === WHO GOT IT === #

    def test_who_is_sent_it_besides_is_not_the_customer(self):
        delivery = self.book("5", Date="20261201")
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"manual"}
        )
        auditor = self.create_partner(name="Auditor", email="audit@auditor.example")
        delivery.move_id.message_post(
            body="For your files",
            partner_ids=auditor.ids,
            attachments=[("invoice.pdf", delivery.move_id.invoice_pdf_report_id.raw)],
        )
        self.send()
        with freeze_time("2026-12-01 10:00:00"):
            self.send()
        self.assertSent(delivery)
        self.assertEqual(self.mail_server.mails[-1][0], {"info@bakkerij.example"})

    def test_a_copy_is_no_delivery_to_a_customer_without_an_address(self):
        self.partner.email = False
        template = self.env.ref("account.email_template_edi_invoice").sudo()
        template.write({"use_default_to": False, "email_cc": "archive@example.com"})
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "Bakkerij", "e-mail address")

    def test_whom_the_template_names_instead_gets_it_for_the_customer(self):
        template = self.env.ref("account.email_template_edi_invoice").sudo()
        template.write(
            {
                "use_default_to": False,
                "partner_to": False,
                "email_to": "invoices@bookkeeping.example",
            }
        )
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        self.assertEqual(
            self.mail_server.mails[-1][0], {"invoices@bookkeeping.example"}
        )

    def test_a_template_that_names_nobody_is_told(self):
        template = self.env.ref("account.email_template_edi_invoice").sudo()
        template.write({"use_default_to": False, "partner_to": False})
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "nobody")

    def test_one_of_two_contacts_that_does_not_get_it_is_told(self):
        self.create_partner(
            name="Accounts", email="not an address", parent_id=self.partner.id
        )
        template = self.env.ref("account.email_template_edi_invoice").sudo()
        template.write(
            {
                "use_default_to": False,
                "partner_to": "{{ object.partner_id.id }},"
                "{{ object.partner_id.child_ids.id }}",
            }
        )
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "Accounts")

    # === WHAT COMES BACK === #

    def bounce(self, delivery, email, number=1):
        message = self.get_mails(delivery)
        self.env["mail.thread"].sudo().message_process(
            False,
            BOUNCE.format(email=email, message_id=message.message_id, number=number),
        )
        self.env.invalidate_all()

    def send_to_several(self):
        """Have an invoice sent to its customer, and a follower told."""
        delivery = self.book("5")
        delivery.move_id.message_subscribe(
            self.create_partner(name="Chief", email="chief@example.com").ids
        )
        self.send()
        self.assertSent(delivery)
        return delivery

    def test_a_mail_that_comes_back_an_hour_later_is_told(self):
        delivery = self.send_to_several()
        with freeze_time("2026-11-25 11:00:00"):
            self.bounce(delivery, "info@bakkerij.example")
            self.send()
        self.assertUnsent(delivery, "Bakkerij")

    def test_it_is_told_when_the_contact_has_another_address_by_then(self):
        delivery = self.send_to_several()
        self.partner.email = "new@bakkerij.example"
        self.bounce(delivery, "info@bakkerij.example")
        self.send()
        self.assertUnsent(delivery, "Bakkerij")

    def test_it_is_told_when_one_of_two_addresses_comes_back(self):
        self.partner.email = "info@bakkerij.example, admin@bakkerij.example"
        delivery = self.send_to_several()
        self.bounce(delivery, "admin@bakkerij.example")
        self.send()
        self.assertUnsent(delivery, "Bakkerij")

    def test_what_comes_back_from_a_follower_undoes_no_delivery(self):
        delivery = self.send_to_several()
        self.bounce(delivery, "chief@example.com")
        self.send()
        self.assertSent(delivery)

    def test_a_late_refusal_is_found_for_thirty_days(self):
        delivery = self.book("5")
        self.send()
        later = fields.Datetime.now() + timedelta(days=29)
        with freeze_time(later):
            self.bounce(delivery, "info@bakkerij.example")
            self.send()
        self.assertUnsent(delivery)
