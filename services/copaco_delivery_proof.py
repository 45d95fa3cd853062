from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate
from odoo.tools.mail import email_normalize_all

from ..tools import render_message
from .copaco_letter import METHOD as LETTER

_lt = LazyTranslate(__name__)

# An invoice that nobody refused by then has arrived.
REFUSAL_DAYS = 30
FAILED = ("bounce", "exception", "canceled")
# Of these methods Odoo stores what became of an invoice.
PROVABLE = {"email", "peppol", LETTER}


class CopacoDeliveryProof(models.AbstractModel):
    """Finds out whether invoices were delivered: that Odoo was told to send one, or
    that it counts one as sent, is no proof."""

    _name = "copaco.delivery.proof"
    _description = "Copaco Delivery Proof"

    def _find_unproved(self):
        """:return: deliveries of which something may have become"""
        refused = Domain(
            "move_id.message_ids.notification_ids.notification_status", "in", FAILED
        )
        if self.env["copaco.peppol"]._is_installed():
            refused |= Domain("move_id.peppol_move_state", "=", "error")
        recent = fields.Datetime.now() - timedelta(days=REFUSAL_DAYS)
        return self.env["copaco.delivery"].search(
            Domain("state", "in", ("sending", "failed"))
            | Domain("state", "=", "sent")
            & Domain("confirmed_by_id", "=", False)
            & Domain("sent_at", ">", recent)
            & refused
        )

    def _check(self, deliveries):
        """Note what became of these deliveries since.

        :return: those of which something did
        """
        changed = deliveries.browse()
        for delivery in deliveries.filtered(lambda each: not each.confirmed_by_id):
            proof = self.with_context(lang=delivery.connection_id.responsible_id.lang)
            state, reason = proof._find_outcome(delivery)
            if state and state != delivery.state:
                proof._note(delivery, state, reason)
                changed |= delivery
        return changed

    def _conclude(self, delivery, methods, problem):
        """Note what became of an invoice right after it was sent.

        :param methods: set of the sending methods by which it was
        :param problem: message: why it was not, if that is known
        """
        state, reason = self._find_outcome(delivery)
        if state != "sent" and problem:
            state, reason = "failed", problem
        if not state and not self._get_messages(delivery):
            state, reason = "failed", self._get_unproved(delivery, methods)
        if state and state != delivery.state:
            self._note(delivery, state, reason)

    def _note(self, delivery, state, reason):
        if state == "sent":
            sent_at = fields.Datetime.now()
            delivery.write({"state": "sent", "reason": False, "sent_at": sent_at})
            return
        if state == "sending":
            now = fields.Datetime.now()
            delivery.write({"state": "sending", "reason": False, "tried_at": now})
            self.env["copaco.letter"]._print_soon()
            return
        move = delivery.move_id
        text = render_message(self.env, reason)
        if text != delivery.reason:
            move._message_log(body=text)
        if move.is_move_sent:
            # Odoo counts an invoice as sent once there is a PDF of it.
            move.is_move_sent = False
        delivery.write({"state": "failed", "reason": reason})

    def _note_bounce(self, deliveries, email, partner):
        """Note that the last mail with an invoice came back from an address that the
        customer has no more, or has among others: Odoo does not know whose it is.

        :param partner: contacts whose address it is, as far as Odoo knows
        """
        for delivery in deliveries:
            notified = self._get_messages(delivery)[:1].notification_ids
            if notified.res_partner_id & partner:
                continue
            own = notified.filtered(
                lambda each: email in email_normalize_all(each.res_partner_id.email)
            )
            own = own or self._get_notifications(notified.mail_message_id)
            own.write({"notification_status": "bounce", "failure_type": "mail_bounce"})

    # === WHAT BECAME OF IT === #

    def _find_outcome(self, delivery):
        """:return: (`sent`, `failed`, or `sending`: it is under way and must not be
        sent besides; message: why it failed), or (None, "") when nothing is known
        yet"""
        peppol = self.env["copaco.peppol"]
        messages = self._get_messages(delivery)
        letters = self.env["copaco.letter"]._find(delivery)
        states = [letter.state for letter in letters]
        if (
            peppol._is_sent(delivery)
            or any(map(self._has_arrived, messages))
            or "sent" in states
        ):
            return "sent", ""
        if "pending" in states:
            return "sending", ""
        if letters and letters[0].message_id.id > messages[:1].id:
            describe = self.env["copaco.letter"]._describe_failure
            return "failed", describe(letters[0], delivery.move_id)
        failed = self._get_notifications(messages[:1]).filtered(
            lambda each: each.notification_status in FAILED
        )
        if failed:
            return "failed", self._describe_failure(delivery, failed[0])
        if peppol._is_refused(delivery.move_id):
            return "failed", _lt(
                "Peppol could not deliver %(invoice)s; the invoice's log says why. "
                "Correct the cause, then send it again.",
                invoice=delivery.move_id.name,
            )
        return None, ""

    def _is_to_be_sent(self, delivery):
        """Whether an invoice was not delivered, and is not on its way either."""
        return self._find_outcome(delivery)[0] not in ("sent", "sending")

    def _get_messages(self, delivery):
        """:return: the messages with which the invoice itself was sent to the customer
        since it is to be sent, by whomever, newest first"""
        move = delivery.move_id.sudo()
        # Odoo attaches copies, which are there when the original is deleted.
        documents = self.env["account.move.send"]._get_invoice_extra_attachments(move)
        messages = self.env["mail.message"].sudo()
        return messages.search(
            [
                ("model", "=", "account.move"),
                ("res_id", "=", move.id),
                ("id", ">", delivery.last_message_id),
                ("partner_ids", "!=", False),
                "|",
                ("attachment_ids.checksum", "in", documents.mapped("checksum")),
                ("attachment_ids.name", "=", move._get_invoice_report_filename()),
            ],
            order="id desc",
        ).filtered(self._is_to_customer)

    def _is_to_customer(self, message):
        """Whether a message went to the customer, or to whom the template of Odoo's
        Send names instead; but the copy of a customer without an address is none."""
        customer = self.env["account.move"].browse(message.res_id).partner_id
        partners = self._get_notifications(message).res_partner_id
        if customer.commercial_partner_id in partners.commercial_partner_id:
            return True
        layout = self.env["account.move.send"]._get_mail_layout()
        is_by_template = message.email_layout_xmlid == layout
        return bool(partners and customer.email and is_by_template)

    def _get_notifications(self, message):
        """:return: what is known of those whom a message was sent to, without those who
        follow the invoice, and colleagues"""
        customer = self.env["account.move"].browse(message.res_id).partner_id
        return message.notification_ids.filtered(
            lambda each: (
                each.res_partner_id in message.partner_ids
                and (
                    each.res_partner_id.partner_share
                    or each.res_partner_id.commercial_partner_id
                    == customer.commercial_partner_id
                )
            )
        )

    def _has_arrived(self, message):
        """Whether nobody whom a message was sent to is known not to have it."""
        statuses = set(self._get_notifications(message).mapped("notification_status"))
        return statuses <= {"sent", "pending"}

    # === WHY NOT === #

    def _describe_failure(self, delivery, notification):
        partner = notification.res_partner_id
        return _lt(
            "%(invoice)s did not reach %(partner)s (%(email)s): %(error)s. Correct the "
            "e-mail address, or the outgoing mail server, then send it again.",
            invoice=delivery.move_id.name,
            partner=partner.display_name,
            email=partner.email or "",
            error=notification.format_failure_reason(),
        )

    def _describe_wait(self, delivery):
        """:return: why an invoice that should have been sent by now is not, empty when
        it need not be"""
        if not delivery.is_unsent:
            return ""
        invoice = delivery.move_id.name
        if delivery.state == "waiting":
            return self.env._(
                "%(invoice)s waits for more than an hour. Ask your administrator to "
                "check that the scheduled action Copaco: send invoices runs, or send "
                "it again.",
                invoice=invoice,
            )
        if self.env["copaco.letter"]._is_under_way(delivery):
            return self.env._(
                "The letter with %(invoice)s waits in Odoo for more than an hour. Ask "
                "your administrator to check the scheduled action Snailmail: process "
                "letters queue. It is not sent again while the letter waits; cancel "
                "that first under Settings, Technical, Email, Snailmail Letters.",
                invoice=invoice,
            )
        if self._get_messages(delivery):
            return self.env._(
                "The e-mail with %(invoice)s waits in Odoo for more than an hour. Ask "
                "your administrator to check the outgoing mail server and the "
                "scheduled action for e-mails, or send it again.",
                invoice=invoice,
            )
        return self.env._(
            "The server stopped while %(invoice)s was sent, so nobody knows whether it "
            "was delivered. Ask %(partner)s before you send it again.",
            invoice=invoice,
            partner=delivery.partner_id.display_name,
        )

    def _get_outdated(self, delivery):
        """:return: message: why an invoice that was sent is not, since it was confirmed
        again"""
        return _lt(
            "%(invoice)s was reset to draft after it was sent, and confirmed again. "
            "%(partner)s has it as it was before: send it again.",
            invoice=delivery.move_id.name,
            partner=delivery.partner_id.display_name,
        )

    def _get_unproved(self, delivery, methods):
        """:param methods: set of the sending methods by which an invoice was sent
        :return: message: why nothing proves that it was, although nothing failed
        """
        partner = delivery.partner_id
        labels = dict(
            partner._fields["invoice_sending_method"]._description_selection(self.env)
        )
        if unknown := methods - PROVABLE:
            return _lt(
                "%(invoice)s was handed over to the sending method “%(method)s”, which "
                "does not tell whether it was delivered. Look there, then press Was "
                "delivered, or send it again.",
                invoice=delivery.move_id.name,
                method=", ".join(sorted(labels[method] for method in unknown)),
            )
        if not partner.active:
            return _lt(
                "%(invoice)s was not sent: %(partner)s is archived. Restore the "
                "contact, then send it again.",
                invoice=delivery.move_id.name,
                partner=partner.display_name,
            )
        if "email" in methods and not partner.email:
            return _lt(
                "%(invoice)s was not sent: %(partner)s has no e-mail address. Enter it "
                "on the contact, then send it again.",
                invoice=delivery.move_id.name,
                partner=partner.display_name,
            )
        return _lt(
            "%(invoice)s was not sent: Odoo sent it to nobody. Open it and press Send "
            "to see why, then send it again.",
            invoice=delivery.move_id.name,
        )
