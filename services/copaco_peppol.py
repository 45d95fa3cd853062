import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from odoo import fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# Odoo's directory is asked for so many contacts a minute: each may take seconds, and
# nobody is to be flooded.
LOOKUPS_PER_MINUTE = 20
# So many seconds of a pass may be spent on waiting for its responses.
LOOKUP_SECONDS = 60
# When it finds nobody and took so long, it did not respond: Odoo waits for ten seconds,
# and says the same as when nobody is there.
SILENT_SECONDS = 5
UNVERIFIED = (False, "not_verified")
PEPPOL_ADDRESS = ("peppol_eas", "peppol_endpoint")


# The `Directory` of what is done right now.
_directory = ContextVar("copaco_directory", default=None)


class Directory:
    """Peppol's directory, while invoices are sent or contacts looked up one after the
    other: nobody waits for it again and again.

    :ivar is_silent: whether it did not respond; it is asked for nobody else then, nor
        for another address of the same contact
    :ivar seconds: what was spent on waiting for it
    """

    def __init__(self, is_silent=False):
        self.is_silent = is_silent
        self.seconds = 0

    @property
    def is_closed(self):
        """Whether it is to be asked for nobody else, for now."""
        return self.is_silent or self.seconds > LOOKUP_SECONDS

    @contextmanager
    def in_use(self):
        """Whatever Odoo asks meanwhile is asked of this directory."""
        token = _directory.set(self)
        try:
            yield
        finally:
            _directory.reset(token)

    def ask(self, look_up):
        """:param look_up: function that asks for an address
        :return: what it said, None when nobody is there, or nobody responded
        """
        if self.is_silent:
            return None
        started = time.monotonic()
        found = look_up()
        waited = time.monotonic() - started
        self.seconds += waited
        self.is_silent = found is None and waited >= SILENT_SECONDS
        return found


class CopacoPeppol(models.AbstractModel):
    """What Odoo's Peppol, where it is installed, knows of companies and contacts."""

    _name = "copaco.peppol"
    _description = "Copaco Peppol"

    # === EXTENSION OF ODOO'S === #

    def _register_hook(self):
        """For one contact Odoo may ask for several addresses, and each is waited for.
        What may not be installed can't be inherited from."""
        super()._register_hook()
        if not self._is_installed():
            return
        self._restore_look_up()
        partners = self.env.registry["res.partner"]
        look_up = partners._peppol_lookup_participant

        def _peppol_lookup_participant(self, edi_identification):
            directory = _directory.get() or Directory()
            return directory.ask(lambda: look_up(self, edi_identification))

        partners._peppol_lookup_participant = _peppol_lookup_participant

    def _unregister_hook(self):
        self._restore_look_up()
        return super()._unregister_hook()

    def _restore_look_up(self):
        partners = self.env.registry["res.partner"]
        if "_peppol_lookup_participant" in vars(partners):
            del partners._peppol_lookup_participant

    # === COMPANIES === #

    def _is_installed(self):
        return "peppol_can_send" in self.env["res.company"]._fields

    def _can_send(self, company):
        """Whether a company is registered to send by Peppol."""
        return self._is_installed() and company.sudo().peppol_can_send

    def _get_uuid(self, move):
        """:return: the id of what Peppol's access point accepted of an invoice last"""
        return self._is_installed() and move.peppol_message_uuid

    def _is_sent(self, delivery):
        """Whether an invoice was accepted by Peppol's access point since it is to be
        sent, and not refused since."""
        move = delivery.move_id
        return (
            self._is_installed()
            and move.peppol_move_state in ("processing", "done")
            and self._get_uuid(move) != delivery.last_peppol_uuid
        )

    def _is_refused(self, move):
        return self._is_installed() and move.peppol_move_state == "error"

    # === CONTACTS === #

    def _verify(self, directory, partner, company):
        """Ask a `Directory` for a contact, and commit what it said; if it does not
        respond, the contact stays as it was."""
        partner = partner.with_company(company)
        with self.env.cr.savepoint() as savepoint, directory.in_use():
            partner.button_account_peppol_check_partner_endpoint(company=company)
            self._doubt(directory, partner, company)
            if directory.is_silent:
                savepoint.rollback()
                self.env.invalidate_all(flush=False)
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _look_up(self, directory, partner, company):
        """Ask a `Directory` for a contact, unless it is closed; commits.

        :return: whether it responded
        """
        if directory.is_closed:
            return False
        self._verify(directory, partner, company)
        return not directory.is_silent

    @contextmanager
    def _sending(self, directory, move):
        """While Odoo sends an invoice, it asks the directory for a contact that it was
        not asked for yet, whichever way it is sent. Where that does not respond, the
        contact stays as it was.

        :param directory: a `Directory`; when it is closed, Odoo does not ask
        """
        partner = move.commercial_partner_id.with_company(move.company_id)
        state = self._is_installed() and partner.peppol_verification_state
        if not self._is_installed() or state not in UNVERIFIED:
            yield
        elif directory.is_closed:
            # Odoo asks for those who are said not to be verified.
            partner.peppol_verification_state = False
            yield
            partner.peppol_verification_state = state
        else:
            with directory.in_use():
                yield
                self._doubt(directory, partner, move.company_id)
            if directory.is_silent:
                partner.peppol_verification_state = state

    def _doubt(self, directory, partner, company):
        """Where a `Directory` did not find a contact, see whether it finds one of those
        who are known to be in it: a company that receives by Peppol, and a contact.
        Where nobody is, Odoo is believed."""
        if directory.is_silent or partner.peppol_verification_state != "not_valid":
            return
        partners = self.env["res.partner"].with_company(company)
        contact = partners.search(
            [("peppol_verification_state", "=", "valid")], limit=1
        )
        known = [contact] if contact else []
        if company.sudo().account_peppol_proxy_state == "receiver":
            known.insert(0, company.sudo())
        addresses = [f"{each.peppol_eas}:{each.peppol_endpoint}" for each in known]
        if addresses:
            # Who was registered just now, or has left since, may not be in it.
            directory.is_silent = not any(
                map(partners._peppol_lookup_participant, addresses)
            )

    def _verify_contacts(self):
        """Ask the directory for contacts that it was not asked for yet and that get
        invoices sent, long before an invoice of theirs waits for the response."""
        waiting = [
            (partner, company)
            for company in self._get_sending_companies()
            for partner in self._get_contacts(company)
            if partner.peppol_verification_state in UNVERIFIED
            and self._can_be_verified(partner)
        ]
        directory = Directory()
        asked = 0
        for partner, company in waiting[:LOOKUPS_PER_MINUTE]:
            if directory.is_closed:
                break
            self._look_up(directory, partner, company)
            asked += 1
        # When it does not respond, it is asked again in an hour.
        if len(waiting) > asked and not directory.is_silent:
            self._verify_soon(minutes=1)

    def _verify_soon(self, minutes=0):
        self.env.ref("account_copaco.ir_cron_verify_contacts")._trigger(
            fields.Datetime.now() + timedelta(minutes=minutes)
        )

    def _get_sending_companies(self):
        connections = self.env["copaco.connection"].search(
            [("invoice_policy", "=", "send")]
        )
        return connections.company_id.filtered(self._can_send)

    def _get_contacts(self, company):
        root = company.root_id
        customers = self.env["copaco.customer"].search(
            [("company_id", "child_of", root.id), ("partner_id", "!=", False)]
        )
        return customers.partner_id.commercial_partner_id.with_company(company)

    def _can_be_verified(self, partner):
        """Whether a contact may be in the directory, as far as is known."""
        return (
            partner.peppol_verification_state != "valid"
            and partner.peppol_eas
            and partner.peppol_endpoint
            and partner._get_peppol_edi_format() in partner._get_peppol_formats()
        )

    # === WHAT A CONTACT LACKS === #

    def _get_contact_fields(self):
        """:return: the names of the fields of contacts that Peppol needs, as far as
        they are installed"""
        if not self._is_installed():
            return []
        return [*PEPPOL_ADDRESS, "peppol_verification_state"]

    def _find_lacking(self, partner):
        """:param partner: a contact, in a company, who wants invoices by Peppol
        :return: the names of the fields because of which it would get none
        """
        if not self._is_installed():
            return ["invoice_sending_method"]
        if lacking := [name for name in PEPPOL_ADDRESS if not partner[name]]:
            return lacking
        if partner._get_peppol_edi_format() not in partner._get_peppol_formats():
            return ["invoice_edi_format"]
        if partner.peppol_verification_state != "valid":
            return ["peppol_verification_state"]
        return []

    # === WHY NOT === #

    def _get_problem(self, move):
        """:param move: an invoice that Odoo would not send by Peppol
        :return: the message that says why not, and what to do
        """
        company = move.company_id
        partner = move.commercial_partner_id.with_company(company)
        names = {
            "invoice": move.name,
            "partner": partner.display_name,
            "company": company.name,
        }
        if not self._can_send(company):
            return _lt(
                "%(invoice)s was not sent: %(partner)s wants invoices by Peppol, and "
                "%(company)s is not registered for it. Register it under Settings, "
                "Invoicing, or choose e-mail on the contact, then send it again.",
                **names,
            )
        lacking = self._find_lacking(partner)
        if lacking and lacking[0] in PEPPOL_ADDRESS:
            return _lt(
                "%(invoice)s was not sent: %(partner)s wants invoices by Peppol, and "
                "has no Peppol address. Enter it on the contact, or choose e-mail "
                "there, then send it again.",
                **names,
            )
        names["address"] = f"{partner.peppol_eas}:{partner.peppol_endpoint}"
        if "invoice_edi_format" in lacking:
            return _lt(
                "%(invoice)s was not sent: the e-invoice format of %(partner)s can't "
                "be sent by Peppol. Choose another format, or e-mail, on the contact, "
                "then send it again.",
                **names,
            )
        if partner.peppol_verification_state == "not_valid_format":
            return _lt(
                "%(invoice)s was not sent: %(partner)s is on Peppol as %(address)s, "
                "but takes no invoices in its e-invoice format. Choose another format, "
                "or e-mail, on the contact, then send it again.",
                **names,
            )
        if lacking:
            return _lt(
                "%(invoice)s was not sent: Peppol's directory does not know "
                "%(partner)s as %(address)s, or did not respond. Check the Peppol "
                "address, or choose e-mail, on the contact, then send it again.",
                **names,
            )
        return _lt(
            "%(invoice)s was not sent: Odoo does not send it to %(partner)s by Peppol. "
            "Open it and press Send to see why, or choose e-mail on the contact, then "
            "send it again.",
            **names,
        )

    def _get_wait(self, move):
        """:return: message: why an invoice is not sent yet"""
        return _lt(
            "%(invoice)s waits, because Peppol's directory did not respond yet, so it "
            "is not known whether %(partner)s is in it. It is asked again every ten "
            "minutes. If it takes too long, choose e-mail on the contact.",
            invoice=move.name,
            partner=move.commercial_partner_id.display_name,
        )

    def _get_warning(self, company):
        """:return: what a company lacks to send by Peppol, empty when nothing"""
        if not self._is_installed() or self._can_send(company):
            return ""
        return self.env._(
            "%(company)s is not registered for Peppol in Odoo, so invoices to contacts "
            "who want them by Peppol can't be sent. Register it under Settings, "
            "Invoicing, or choose e-mail on these contacts.",
            company=company.name,
        )
