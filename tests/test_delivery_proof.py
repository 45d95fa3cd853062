from unittest.mock import patch

from odoo.tests import freeze_time, tagged

from .test_sending import SendingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDeliveryProof(SendingCommon):
    """Promise 10: only the invoice itself, at its customer, is a delivery."""

    def test_that_odoo_counts_it_as_sent_is_no_proof(self):
        delivery = self.book("5")

        def count(sender, moves, **settings):
            moves.is_move_sent = True

        sender = self.registry["account.move.send"]
        with patch.object(sender, "_generate_and_send_invoices", count):
            self.send()
        self.assertUnsent(delivery, "nobody")

    def test_a_mail_that_comes_back_later_is_told(self):
        delivery = self.book("5")
        self.send_and_bounce(delivery)
        self.assertUnsent(delivery, "info@bakkerij.example")
        self.send_again(delivery)
        self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 2)

    def test_what_a_person_sent_meanwhile_is_not_sent_again(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.partner.email = "info@bakkerij.example"
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"email"}
        )
        self.assertIn("Sent: 1", self.send_again(delivery))
        self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 1)

    def delete_pdf(self, move):
        send = self.env["account.move.send"]
        send._get_invoice_extra_attachments(move.sudo()).unlink()

    def test_a_mail_that_comes_back_is_told_although_the_pdf_was_deleted(self):
        delivery = self.book("5")
        self.send()
        self.delete_pdf(delivery.move_id)
        notification = self.get_mails(delivery).sudo().notification_ids
        notification.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self.send()
        self.assertUnsent(delivery, "info@bakkerij.example")

    def test_what_a_person_sent_is_not_sent_again_although_the_pdf_was_deleted(self):
        delivery = self.book("5")
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"email"}
        )
        self.delete_pdf(delivery.move_id)
        self.send()
        self.assertSent(delivery)
        self.assertEqual(len(self.get_mails(delivery)), 1)

    def test_a_message_to_the_customer_is_no_invoice(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.partner.email = "info@bakkerij.example"
        delivery.move_id.message_post(body="Soon", partner_ids=self.partner.ids)
        self.send()
        self.assertUnsent(delivery)

    def test_a_message_with_some_file_is_no_invoice(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        self.partner.email = "info@bakkerij.example"
        delivery.move_id.message_post(
            body="The contract",
            partner_ids=self.partner.ids,
            attachments=[("contract.pdf", b"contract")],
        )
        self.send()
        self.assertUnsent(delivery)

    def test_an_invoice_to_a_colleague_is_not_sent_to_the_customer(self):
        self.partner.email = False
        delivery = self.book("5")
        self.send()
        move = delivery.move_id
        self.env["account.move.send"]._generate_and_send_invoices(
            move, sending_methods={"manual"}
        )
        move.message_post(
            body="Look",
            partner_ids=self.billing_user.partner_id.ids,
            attachments=[("invoice.pdf", move.invoice_pdf_report_id.raw)],
        )
        self.send()
        self.assertUnsent(delivery)

    def test_who_is_customer_and_colleague_is_sent_invoices_like_others(self):
        self.billing_user.partner_id.write(
            {
                "ref": "K-1",
                "email": "billing@reseller.example",
                "street": "Straat 1",
                "city": "Plaats",
                "country_id": self.nl.id,
            }
        )
        self.partner.ref = False
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)

    def test_a_mail_that_comes_back_is_told_whatever_was_written_since(self):
        delivery = self.book("5")
        self.send()
        sending = self.get_mails(delivery).sudo()
        delivery.move_id.message_post(
            body="Soon",
            partner_ids=self.partner.ids,
            attachments=[("terms.pdf", b"terms")],
        )
        sending.notification_ids.notification_status = "bounce"
        self.send()
        self.assertUnsent(delivery, "info@bakkerij.example")

    def test_a_copy_that_comes_back_does_not_undo_what_was_delivered(self):
        delivery = self.book("5")
        self.send()
        sending = self.get_mails(delivery)
        self.env["account.move.send"]._generate_and_send_invoices(
            delivery.move_id, sending_methods={"email"}
        )
        copy = (self.get_mails(delivery) - sending).sudo()
        copy.notification_ids.notification_status = "bounce"
        self.send()
        self.assertSent(delivery)

    def test_what_is_written_on_a_replaced_invoice_proves_nothing_of_the_new(self):
        self.partner.email = False
        old = self.book("5")
        self.send()
        other = self.create_partner(name="Slagerij")
        document = self.documents.sudo()
        reverser = self.env["copaco.reverser"].sudo()
        reverser._invoice_anew(document, partner=other).action_post()
        self.send()
        new = document.move_id.copaco_delivery_ids
        self.assertUnsent(new, "Slagerij")
        other.email = "info@slagerij.example"
        for delivery in (old, new):
            delivery.move_id.message_post(
                body="Look",
                partner_ids=other.ids,
                attachments=[("terms.pdf", b"terms")],
            )
        self.send()
        self.assertEqual(old.state, "failed")
        self.assertFalse(old.is_unsent)
        self.assertUnsent(new, "Slagerij")
        self.send_again(new)
        self.assertSent(new)
