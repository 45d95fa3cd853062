from datetime import timedelta

from odoo import api, fields, models

# Odoo's directory is asked for so many contacts a minute: each may take seconds, and
# nobody is to be flooded.
LOOKUPS_PER_MINUTE = 20
UNVERIFIED = (False, "not_verified")
PEPPOL_ADDRESS = ("peppol_eas", "peppol_endpoint")


class CopacoPeppol(models.AbstractModel):
    """What Odoo's Peppol, where it is installed, knows of companies and contacts."""

    _name = "copaco.peppol"
    _description = "Copaco Peppol"

    @api.model
    def _is_installed(self):
        return "peppol_can_send" in self.env["res.company"]._fields

    @api.model
    def _can_send(self, company):
        """Whether a company is registered to send by Peppol."""
        return self._is_installed() and company.sudo().peppol_can_send

    @api.model
    def _is_sent(self, move):
        """Whether an invoice was accepted by Peppol's access point, and not refused
        since."""
        return self._is_installed() and move.peppol_move_state in ("processing", "done")

    @api.model
    def _is_refused(self, move):
        return self._is_installed() and move.peppol_move_state == "error"

    # === CONTACTS === #

    @api.model
    def _verify(self, partner, company):
        """Ask Peppol's directory for a contact, and commit what it said."""
        partner.button_account_peppol_check_partner_endpoint(company=company)
        self.env.cr.commit()  # pylint: disable=invalid-commit

    @api.model
    def _verify_contacts(self):
        """Ask the directory for contacts that it was not asked for yet and that get
        invoices sent, long before an invoice of theirs waits for the answer."""
        waiting = [
            (partner, company)
            for company in self._get_sending_companies()
            for partner in self._get_contacts(company)
            if self._is_to_be_verified(partner)
        ]
        for partner, company in waiting[:LOOKUPS_PER_MINUTE]:
            self._verify(partner, company)
        if len(waiting) > LOOKUPS_PER_MINUTE:
            self.env.ref("account_copaco.ir_cron_verify_contacts")._trigger(
                fields.Datetime.now() + timedelta(minutes=1)
            )

    @api.model
    def _get_sending_companies(self):
        connections = self.env["copaco.connection"].search(
            [("invoice_policy", "=", "send")]
        )
        return connections.company_id.filtered(self._can_send)

    @api.model
    def _get_contacts(self, company):
        root = company.root_id
        customers = self.env["copaco.customer"].search(
            [("company_id", "child_of", root.id), ("partner_id", "!=", False)]
        )
        return customers.partner_id.commercial_partner_id.with_company(company)

    @api.model
    def _is_to_be_verified(self, partner):
        """Whether the directory was not asked for a contact yet, and could be."""
        return (
            partner.peppol_verification_state in UNVERIFIED
            and partner.peppol_eas
            and partner.peppol_endpoint
            and partner._get_peppol_edi_format() in partner._get_peppol_formats()
        )

    # === WHAT A CONTACT LACKS === #

    @api.model
    def _get_contact_fields(self):
        """:return: the names of the fields of contacts that Peppol needs, as far as
        they are installed"""
        if not self._is_installed():
            return []
        return [*PEPPOL_ADDRESS, "peppol_verification_state"]

    @api.model
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

    @api.model
    def _get_problem(self, move):
        """:param move: an invoice that Odoo would not send by Peppol
        :return: the sentence that says why not, and what to do
        """
        company = move.company_id
        partner = move.commercial_partner_id.with_company(company)
        names = {
            "invoice": move.name,
            "partner": partner.display_name,
            "company": company.name,
        }
        if not self._can_send(company):
            return self.env._(
                "%(invoice)s was not sent: %(partner)s wants invoices by Peppol, and "
                "%(company)s is not registered for it. Register it under Settings, "
                "Invoicing, or choose e-mail on the contact, then send it again.",
                **names,
            )
        lacking = self._find_lacking(partner)
        if lacking and lacking[0] in PEPPOL_ADDRESS:
            return self.env._(
                "%(invoice)s was not sent: %(partner)s wants invoices by Peppol, and "
                "has no Peppol address. Enter it on the contact, or choose e-mail "
                "there, then send it again.",
                **names,
            )
        names["address"] = f"{partner.peppol_eas}:{partner.peppol_endpoint}"
        if "invoice_edi_format" in lacking:
            return self.env._(
                "%(invoice)s was not sent: the e-invoice format of %(partner)s can't "
                "be sent by Peppol. Choose another format, or e-mail, on the contact, "
                "then send it again.",
                **names,
            )
        if partner.peppol_verification_state == "not_valid_format":
            return self.env._(
                "%(invoice)s was not sent: %(partner)s is on Peppol as %(address)s, "
                "but takes no invoices in its e-invoice format. Choose another format, "
                "or e-mail, on the contact, then send it again.",
                **names,
            )
        if lacking:
            return self.env._(
                "%(invoice)s was not sent: Peppol's directory does not know "
                "%(partner)s as %(address)s, or did not answer. Check the Peppol "
                "address, or choose e-mail, on the contact, then send it again.",
                **names,
            )
        return self.env._(
            "%(invoice)s was not sent: Odoo does not send it to %(partner)s by Peppol. "
            "Open it and press Send to see why, or choose e-mail on the contact, then "
            "send it again.",
            **names,
        )

    @api.model
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
