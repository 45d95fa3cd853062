from odoo import models
from odoo.tools import LazyTranslate, html2plaintext

_lt = LazyTranslate(__name__)

# Odoo's sending method.
METHOD = "snailmail"


class CopacoLetter(models.AbstractModel):
    """What Odoo's letters, where `snailmail` is installed, tell of invoices. Odoo
    queues a letter with the invoice, and has it printed by a scheduled action."""

    _name = "copaco.letter"
    _description = "Copaco Letter"

    def _find(self, delivery):
        """:param delivery: a `copaco.delivery`
        :return: the letters with the invoice to its customer since it is to be sent,
            by whomever, newest first
        """
        if "snailmail.letter" not in self.env:
            return ()
        move = delivery.move_id
        letters = self.env["snailmail.letter"].sudo()
        return letters.search(
            [
                ("model", "=", move._name),
                ("res_id", "=", move.id),
                ("report_template.is_invoice_report", "=", True),
                (
                    "partner_id.commercial_partner_id",
                    "=",
                    move.partner_id.commercial_partner_id.id,
                ),
            ],
            order="id desc",
        ).filtered(lambda letter: letter.message_id.id > delivery.last_message_id)

    def _is_under_way(self, delivery):
        """Whether a letter waits to be printed, or is being printed: another one would
        arrive besides."""
        return any(letter.state == "pending" for letter in self._find(delivery))

    def _is_being_printed(self, delivery):
        """Whether Odoo prints letters right now, and may print one with this invoice:
        also one that failed, of which it says so only afterwards. If not, it does not
        begin before this transaction ends."""
        states = {letter.state for letter in self._find(delivery)}
        if states.isdisjoint(("pending", "error")):
            return False
        action = self.env.ref("snailmail.snailmail_print").sudo()
        return not action.try_lock_for_update(allow_referencing=True)

    def _print_soon(self):
        """Odoo's scheduled action has its turn once a day, and who waits is told after
        an hour."""
        self.env.ref("snailmail.snailmail_print").sudo()._trigger()

    def _cancel(self, delivery, *states):
        """Have Odoo not print the letters in these states, unless it does right now.

        :return: whether there were any, and they are not printed any more
        """
        found = [letter for letter in self._find(delivery) if letter.state in states]
        if not found or self._is_being_printed(delivery):
            return False
        for letter in found:
            letter.cancel()
        return True

    def _describe_failure(self, letter, move):
        """:return: message: why a letter was not printed, and what to do"""
        names = {"invoice": move.name, "partner": letter.partner_id.display_name}
        if letter.state == "canceled":
            return _lt(
                "The letter with %(invoice)s to %(partner)s was cancelled. Send it "
                "again if %(partner)s is to have it.",
                **names,
            )
        return _lt(
            "The letter with %(invoice)s to %(partner)s was not sent: %(error)s "
            "Correct the cause, then send it again.",
            **names,
            error=html2plaintext(letter.info_msg or "", include_references=False),
        )

    def _get_incomplete(self, move):
        """:return: message: why Odoo makes no letter of an invoice"""
        return _lt(
            "%(invoice)s was not sent: a letter needs street, postal code, city and "
            "country of %(partner)s. Complete the contact, then send it again.",
            invoice=move.name,
            partner=move.partner_id.display_name,
        )
