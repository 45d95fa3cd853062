import logging
import time
from datetime import datetime, timedelta
from datetime import time as day_time
from smtplib import SMTPServerDisconnected
from zoneinfo import ZoneInfo

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..const import BUTTON_SECONDS
from ..exceptions import (
    CONCURRENCY_ERRORS,
    PostponedError,
    UndeliverableError,
    get_message,
)
from ..tools import enumerate_names, notify, soft_reload
from .copaco_fetch_window import COPACO_TIME_ZONE
from .copaco_letter import METHOD as LETTER
from .copaco_peppol import Directory

_lt = LazyTranslate(__name__)

_logger = logging.getLogger(__name__)

# Of the errors of Odoo's proxies: nobody responded, or not in time.
NO_RESPONSE = "connection_error"
# After these nobody knows either what Peppol's access point had accepted by then.
LOST = (SMTPServerDisconnected, TimeoutError, *CONCURRENCY_ERRORS)
# How long Peppol's directory is left alone that did not respond.
DIRECTORY_PAUSE = timedelta(minutes=10)


class CopacoSender(models.AbstractModel):
    """Sends invoices after they are committed, each in transactions of its own. Whether
    they were delivered, `copaco.delivery.proof` finds out."""

    _name = "copaco.sender"
    _description = "Copaco Sender"

    # === WHAT IS TO BE SENT === #

    def _queue(self, documents):
        """Have the invoices of documents sent once they are committed and confirmed,
        not before their date. Nobody is asked anything yet."""
        vals_list = [
            {
                "move_id": document.move_id.id,
                "connection_id": document.connection_id.id,
                # How much a draft is about is known when it is confirmed.
                "active": document.move_id.state != "posted"
                or self._has_to_be_sent(document.move_id, document.connection_id),
                "send_at": self._get_send_time(document.move_id),
                **self._get_past(document.move_id),
            }
            for document in documents
        ]
        if vals_list:
            self.env["copaco.delivery"].sudo().create(vals_list)
            self._continue_in_background()

    def _start(self, moves):
        """These invoices are confirmed now. They may have been drafts for days: what
        was written about them until then didn't send them; it is known only now whether
        there is an amount to pay. What was sent before was another."""
        deliveries = moves.with_context(active_test=False).copaco_delivery_ids
        self._stop(moves)
        for delivery in deliveries:
            delivery.write(self._get_past(delivery.move_id))
        outdated = deliveries.filtered(lambda each: each.state in ("sending", "sent"))
        for delivery in outdated:
            proof = self.env["copaco.delivery.proof"].with_context(
                lang=delivery.connection_id.responsible_id.lang
            )
            proof._note(delivery, "failed", proof._get_outdated(delivery))
        self.env["copaco.activity.monitor"]._update_activity(outdated.connection_id)
        # What never reached anybody is no more wanted than what was never sent.
        unsent = deliveries.filtered(
            lambda each: (
                each.state == "waiting" or each.state == "failed" and not each.sent_at
            )
        )
        without_amount = unsent.filtered(
            lambda each: not self._has_to_be_sent(each.move_id, each.connection_id)
        )
        without_amount.write({"active": False, "state": "waiting", "reason": False})
        waiting = (unsent - without_amount).filtered(
            lambda each: each.state == "waiting"
        )
        for delivery in waiting:
            send_at = self._get_send_time(delivery.move_id)
            delivery.write({"active": True, "send_at": send_at})
        if waiting:
            self._continue_in_background()

    def _stop(self, moves):
        """These invoices are not to be sent as they are now: what Odoo queued of them
        would still arrive."""
        for delivery in moves.with_context(active_test=False).copaco_delivery_ids:
            is_queued = self._cancel_queued(delivery, "pending", "error")
            if is_queued and delivery.state == "sending":
                delivery.state = "waiting"

    def _has_to_be_sent(self, move, connection):
        """Whether an invoice has an amount, or its connection sends those without."""
        return connection.send_zero_totals or not move.currency_id.is_zero(
            move.amount_total
        )

    def _get_send_time(self, move):
        today = self.env["copaco.fetch.window"]._get_today()
        if not move.invoice_date or move.invoice_date <= today:
            return fields.Datetime.now()
        start = datetime.combine(
            move.invoice_date, day_time.min, ZoneInfo(COPACO_TIME_ZONE)
        )
        return start.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

    def _get_past(self, move):
        """:return: values of a delivery: what was sent of an invoice until now proves
        nothing of what is sent from now on"""
        return {
            "last_message_id": max(move.message_ids.ids, default=0),
            "last_peppol_uuid": self.env["copaco.peppol"]._get_uuid(move),
            "confirmed_by_id": False,
            "requested_by_id": False,
        }

    def _get_due_domain(self):
        return (
            Domain("state", "=", "waiting")
            & Domain("send_at", "<=", fields.Datetime.now())
            # What waits for Peppol's directory keeps no other from being sent.
            & (Domain("reason", "=", False) | ~self._get_silent_domain())
            & self.env["copaco.delivery"]._get_sendable_domain()
        )

    def _get_silent_domain(self):
        return Domain("connection_id.peppol_silent_until", ">", fields.Datetime.now())

    def _continue_in_background(self, at=None):
        self.env.ref("account_copaco.ir_cron_send")._trigger(at)

    # === SENDING === #

    def _send_all(self):
        """Look at what became of what was sent, and send what is due; commits."""
        changed = self._look_at_unproved()
        deliveries = self.env["copaco.delivery"].search(
            self._get_due_domain(), order="send_at, id"
        )
        self.env["ir.cron"]._commit_progress(remaining=len(deliveries))
        self._send(deliveries)
        self._tell(changed.connection_id)

    def _look_at_unproved(self):
        proof = self.env["copaco.delivery.proof"]
        try:
            changed = proof._check(proof._find_unproved())
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS as error:
            # Someone sends one of them again; the next time will do.
            self.env.cr.rollback()
            _logger.info("Copaco deliveries: concurrent update (%s)", type(error))
            return self.env["copaco.delivery"]
        return changed

    def _send_again(self, deliveries):
        """Send once more what was not delivered meanwhile, while a person waits; what
        takes longer goes on in the background.

        :return: a notification with what became of them
        :raise UserError: when none of them is to be sent any more
        """
        wanted = deliveries.filtered_domain(deliveries._get_sendable_domain())
        if not wanted:
            raise UserError(
                self.env._(
                    "%(invoices)s: nothing is to be sent, because it is no confirmed "
                    "invoice, or was invoiced anew.",
                    invoices=enumerate_names(
                        self.env, deliveries.move_id.mapped("display_name")
                    ),
                )
            )
        deliveries = wanted
        proof = self.env["copaco.delivery.proof"]
        proof._check(deliveries)
        letters = self.env["copaco.letter"]
        again = deliveries.filtered(
            lambda each: each.is_unsent and not letters._is_under_way(each)
        )
        being_printed = again.filtered(letters._is_being_printed)
        for delivery in being_printed:
            proof._note(delivery, "sending", "")
        again -= being_printed
        for delivery in again:
            self._cancel_queued(delivery, "error")
            delivery.write(
                {
                    "state": "waiting",
                    "reason": False,
                    "send_at": self._get_send_time(delivery.move_id),
                    **self._get_past(delivery.move_id),
                    "requested_by_id": self.env.user.id,
                }
            )
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self._send(again, time.monotonic() + BUTTON_SECONDS)
        counts = {
            "sent": len(deliveries.filtered(lambda each: each.state == "sent")),
            "unsent": len(deliveries.filtered("is_unsent")),
        }
        counts["waiting"] = len(deliveries) - sum(counts.values())
        if counts["waiting"]:
            message = self.env._(
                "Sent: %(sent)s, could not be sent: %(unsent)s. The other %(waiting)s "
                "are sent in the background.",
                **counts,
            )
        else:
            message = self.env._(
                "Sent: %(sent)s, could not be sent: %(unsent)s.", **counts
            )
        kind = "warning" if counts["unsent"] else "success"
        return notify(kind, message, next=soft_reload())

    def _note_delivered(self, deliveries, user):
        """Of what nobody else knows whether it was delivered, a person does.

        :param user: `res.users` who says that these invoices were
        :raise UserError: while Odoo prints a letter that may be one of them
        """
        for delivery in deliveries.filtered("is_unsent"):
            if self.env["copaco.letter"]._is_being_printed(delivery):
                raise UserError(
                    self.env._(
                        "Odoo prints letters right now, and perhaps the one with "
                        "%(invoice)s. Press Was delivered again in a few minutes.",
                        invoice=delivery.move_id.name,
                    )
                )
            self._cancel_queued(delivery, "pending", "error")
            self.env["copaco.delivery.proof"]._note(delivery, "sent", "")
            delivery.confirmed_by_id = user
            move = delivery.move_id
            move.is_move_sent = True
            move._message_log(
                body=self.env._(
                    "%(invoice)s was delivered, says %(user)s.",
                    invoice=move.name,
                    user=user.name,
                )
            )
        self.env["copaco.activity.monitor"]._update_activity(deliveries.connection_id)

    def _cancel_queued(self, delivery, *states):
        """A mail that still waits would arrive besides what is sent now, and so would a
        letter in these states: Odoo tries some again by itself.

        :return: whether there was any
        """
        is_cancelled = self.env["copaco.letter"]._cancel(delivery, *states)
        messages = self.env["copaco.delivery.proof"]._get_messages(delivery)
        mails = messages.sudo().mail_ids.filtered(lambda mail: mail.state == "outgoing")
        mails.cancel()
        return is_cancelled or bool(mails)

    def _send(self, deliveries, deadline=None):
        """Send these invoices one by one; none stops the others. Any number of workers
        may do this at once. Commits.

        :param deadline: `time.monotonic()` after which the scheduled action goes on
        """
        # Who presses a button may know that it responds again.
        is_silent = not deadline and deliveries.filtered_domain(
            self._get_silent_domain()
        )
        directory = Directory(is_silent=bool(is_silent))
        connections = deliveries.connection_id
        for delivery in deliveries:
            if not delivery.exists():
                continue
            if deadline and time.monotonic() > deadline:
                self._continue_in_background()
                break
            sender = self.sudo().with_context(
                lang=delivery.connection_id.responsible_id.lang,
                # Scheduled actions would leave mails to another one.
                mail_notify_force_send=True,
            )
            sender = sender.with_company(delivery.company_id)
            sender._send_one(delivery.with_env(sender.env), directory)
            if directory.is_silent and not is_silent:
                is_silent = True
                sender._leave_directory_alone(connections)
            if not self.env["ir.cron"]._commit_progress(1):
                break
        left = deliveries.exists()
        if left.filtered(lambda each: each.state == "waiting" and each.reason):
            self._ask_directory_again()
        self._tell(connections)

    def _tell(self, connections):
        no_runs = self.env["copaco.run"]
        self.env["copaco.activity.monitor"]._refresh_progress(no_runs, connections)

    def _leave_directory_alone(self, connections):
        """Peppol's directory did not respond: no pass asks it for a while; commits."""
        try:
            until = fields.Datetime.now() + DIRECTORY_PAUSE
            connections.sudo().peppol_silent_until = until
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS as error:
            # The next pass asks it once more.
            self.env.cr.rollback()
            _logger.info("Copaco connections: concurrent update (%s)", type(error))

    def _ask_directory_again(self):
        """Peppol's directory did not respond, or slowly: later once more."""
        self.env["copaco.peppol"]._verify_soon()
        self._continue_in_background(fields.Datetime.now() + DIRECTORY_PAUSE)

    def _send_one(self, delivery, directory):
        """:param directory: the `Directory` of this pass"""
        if not self._claim(delivery):
            return
        proof = self.env["copaco.delivery.proof"]
        methods, problem = set(), ""
        try:
            if proof._is_to_be_sent(delivery):
                sending_method = self.env["copaco.sending.method"]
                sending_method._check_wanted(delivery)
                methods = sending_method._choose(delivery.move_id, directory)
            # What others did meanwhile is seen.
            self.env.cr.commit()  # pylint: disable=invalid-commit
            sendable = delivery.filtered_domain(delivery._get_sendable_domain())
            if not sendable.move_id.try_lock_for_update():
                self._wait(delivery)
                return
            if methods and proof._is_to_be_sent(delivery):
                self._deliver(delivery.move_id, methods, directory)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except PostponedError as error:
            delivery.write({"state": "waiting", "reason": error.message})
            self.env.cr.commit()  # pylint: disable=invalid-commit
            return
        except Exception as error:  # it must not stop the others
            self.env.cr.rollback()
            if isinstance(error, CONCURRENCY_ERRORS) and methods <= {"email", LETTER}:
                # These are sent after the transaction is committed, so nothing was.
                self._wait(delivery)
                return
            problem = self._describe(delivery.move_id, error)
        try:
            if problem:
                # Odoo would try such a mail again by itself, and it may have arrived.
                self._cancel_queued(delivery)
            proof._conclude(delivery, methods, problem)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS as error:
            # The next look at what became of it finds the same.
            self.env.cr.rollback()
            _logger.info("Copaco deliveries: concurrent update (%s)", type(error))

    def _claim(self, delivery):
        """Note that an invoice is being sent before it is: if the server stops now,
        nobody knows whether it was, and it is not sent twice.

        :return: whether it is to be sent, and no other worker does
        """
        try:
            locked = delivery.try_lock_for_update()
            if not locked.filtered_domain(self._get_due_domain()):
                return False
            send_at = self._get_send_time(delivery.move_id)
            is_due = send_at <= fields.Datetime.now()
            if is_due:
                now = fields.Datetime.now()
                delivery.write({"state": "sending", "reason": False, "tried_at": now})
            else:
                delivery.send_at = send_at
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            self.env.cr.rollback()
            return False
        return is_due

    def _wait(self, delivery):
        """Someone works on the invoice right now: once more, soon."""
        delivery.state = "waiting"
        self._continue_in_background(fields.Datetime.now() + timedelta(minutes=1))
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _deliver(self, move, methods, directory):
        user = move.invoice_user_id
        with self.env["copaco.peppol"]._sending(directory, move):
            self.env["account.move.send"]._generate_and_send_invoices(
                move.with_env(self.env),
                sending_methods=methods,
                author_user_id=user.id,
                author_partner_id=user.partner_id.id,
            )
        if LETTER in methods:
            self.env["copaco.letter"]._print_soon()

    # === WHY NOT === #

    def _describe(self, move, error):
        """:return: message: what happened, and what to do, of an error while sending"""
        if isinstance(error, UndeliverableError):
            return error.message
        names = {"invoice": move.name, "partner": move.partner_id.display_name}
        if self._has_no_response(error):
            return _lt(
                "%(invoice)s: there was no response, so nobody knows whether it was "
                "delivered. Ask %(partner)s before you send it again.",
                **names,
            )
        if isinstance(error, UserError):
            return _lt(
                "Odoo did not send %(invoice)s: %(error)s Correct the cause, then send "
                "it again.",
                **names,
                error=get_message(error),
            )
        _logger.error("Invoice %s could not be sent", move.id, exc_info=error)
        return _lt(
            "%(invoice)s could not be sent because of an unexpected error (%(error)s). "
            "Send it again; if it stays, send the server's log to whoever maintains "
            "this addon.",
            **names,
            error=type(error).__name__,
        )

    def _has_no_response(self, error):
        while error:
            is_lost = isinstance(error, LOST)
            if is_lost or getattr(error, "code", None) == NO_RESPONSE:
                return True
            error = error.__context__
        return False
