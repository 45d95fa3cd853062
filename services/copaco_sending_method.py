from odoo import models
from odoo.tools import LazyTranslate

from ..exceptions import PostponedError, UndeliverableError
from ..tools import list_names
from .copaco_letter import METHOD as LETTER
from .copaco_peppol import UNVERIFIED

_lt = LazyTranslate(__name__)


class CopacoSendingMethod(models.AbstractModel):
    """By which of Odoo's sending methods an invoice is sent, and whether it still is to
    be."""

    _name = "copaco.sending.method"
    _description = "Copaco Sending Method"

    def _check_wanted(self, delivery):
        """:raise UndeliverableError: when a person turned sending off while an invoice
        waited, or credited it in full, and nobody asked for it since"""
        if delivery.requested_by_id:
            return
        self._check_credited(delivery.move_id)
        connection = delivery.connection_id
        documents = delivery.move_id._get_copaco_documents()
        stopping = documents.customer_id.filtered(
            lambda each: each.invoice_policy in ("draft", "post")
        )[:1]
        if connection.invoice_policy != "send":
            stopping = connection
        if connection.active and not stopping:
            return
        if not connection.active:
            message = _lt(
                "%(invoice)s was not sent: connection %(connection)s was archived "
                "while it waited. Press Send again to send it all the same.",
                invoice=delivery.move_id.name,
                connection=connection.name,
            )
        else:
            message = _lt(
                "%(invoice)s was not sent: Invoice Status on Import of %(record)s was "
                "changed while it waited, and is not Confirm and send any more. Press "
                "Send again to send it all the same.",
                invoice=delivery.move_id.name,
                record=stopping.display_name,
            )
        raise UndeliverableError(self.env, message)

    def _check_credited(self, move):
        """:raise UndeliverableError: when a customer would get an invoice that was
        credited in full, without its credit note"""
        credits = move.reversal_move_ids.filtered(lambda each: each.state == "posted")
        if move.payment_state != "reversed" or credits.copaco_delivery_ids:
            return
        raise UndeliverableError(
            self.env,
            _lt(
                "%(invoice)s was not sent: it was credited in full while it waited "
                "(%(credits)s). Press Send again to send it all the same.",
                invoice=move.name,
                credits=list_names(credits.mapped("name")),
            ),
        )

    def _choose(self, move, directory):
        """:param directory: the `Directory` of this pass
        :return: set of Odoo's sending methods for an invoice: what its customer
            prefers, and Peppol, where Odoo would send by it, too
        :raise UndeliverableError: when it would reach nobody
        :raise PostponedError: when nobody knows yet whether it would
        """
        peppol = self.env["copaco.peppol"]
        company = move.company_id
        partner = move.commercial_partner_id.with_company(company)
        preferred = partner.invoice_sending_method or "email"
        if preferred == "manual":
            raise UndeliverableError(
                self.env,
                _lt(
                    "%(invoice)s was not sent: %(partner)s prefers to be sent nothing. "
                    "Choose another sending method on the contact, then send it again.",
                    invoice=move.name,
                    partner=partner.display_name,
                ),
            )
        methods, is_found = {preferred}, False
        if peppol._can_send(company):
            # It may be in the directory by now.
            if peppol._can_be_verified(partner):
                is_known = peppol._look_up(directory, partner, company)
                # An e-mail waits for no directory that does not respond at all.
                if not is_known and (
                    preferred == "peppol"
                    or not directory.is_silent
                    and partner.peppol_verification_state in UNVERIFIED
                ):
                    raise PostponedError(self.env, peppol._get_wait(move))
            is_found = partner.peppol_verification_state == "valid"
        if is_found:
            methods = self.env["account.move.send"]._get_default_sending_methods(move)
        if preferred == "peppol" and not (
            is_found
            and self.env["account.move.send"]._is_applicable_to_move("peppol", move)
        ):
            raise UndeliverableError(self.env, peppol._get_problem(move))
        self._check_applicable(move, methods)
        return methods

    def _check_applicable(self, move, methods):
        """:raise UndeliverableError: when Odoo would silently send an invoice by none
        of these methods"""
        send = self.env["account.move.send"]
        if any(send._is_applicable_to_move(method, move) for method in methods):
            return
        if LETTER in methods:
            raise UndeliverableError(
                self.env, self.env["copaco.letter"]._get_incomplete(move)
            )
        raise UndeliverableError(
            self.env,
            _lt(
                "%(invoice)s was not sent: Odoo can't send it to %(partner)s by the "
                "sending method of that contact. Open the invoice and press Send to "
                "see why, or choose another method on the contact, then send it again.",
                invoice=move.name,
                partner=move.partner_id.display_name,
            ),
        )
