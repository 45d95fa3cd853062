import re

from odoo import models
from odoo.fields import Command

from odoo.addons.base.models.res_partner import EU_EXTRA_VAT_CODES

# Greece has VAT numbers with EL.
COUNTRY_BY_PREFIX = {prefix: code for code, prefix in EU_EXTRA_VAT_CODES.items()}


class CopacoContactBuilder(models.AbstractModel):
    """The contact that is created for a customer, from what Copaco sent of it."""

    _name = "copaco.contact.builder"
    _description = "Copaco Contact Builder"

    def _prepare_contact(self, customer):
        """:param customer: a `copaco.customer`
        :return: values for `res.partner.create`, in the customer's company
        """
        # The XML of the older platform has no CountryCode.
        code = (customer.country_code or (customer.vat or "").strip()[:2]).upper()
        code = COUNTRY_BY_PREFIX.get(code, code)
        country = self.env["res.country"].search([("code", "=", code)], limit=1)
        documents = customer.document_ids.sudo().sorted("id")
        vals = {
            "name": customer.name or customer.account_ref,
            "is_company": True,
            "ref": customer.customer_number,
            "vat": customer.vat,
            "email": customer.email,
            "phone": customer.phone,
            "street": customer.street,
            "zip": customer.zip,
            "city": customer.city,
            "country_id": country.id,
            "company_id": customer.company_id.id
            if self.env["res.company"].search_count([("id", "!=", False)]) > 1
            else False,
            "customer_rank": 1,
        }
        if terms := documents[-1:].connection_id.payment_term_id:
            vals["property_payment_term_id"] = terms.id
        if language := self._get_language(customer):
            vals["lang"] = language
        if customer.contact_name:
            vals["child_ids"] = [
                Command.create({"name": customer.contact_name, "type": "contact"})
            ]
        return vals

    def _get_language(self, customer):
        """:return: the code of the active language that is the customer's, rather that
        of its country than another; "" for none"""
        code, _separator, region = re.sub(
            r"[^a-z]+", "_", (customer.language_code or "").strip().lower()
        ).partition("_")
        if not code:
            return ""
        codes = [each for each, _name in self.env["res.lang"].get_installed()]
        wanted = (
            f"{code}_{(region or customer.country_code or '').upper()}",
            f"{code}_{code.upper()}",
            code,
        )
        alike = [each for each in codes if each.partition("_")[0] == code]
        return next((each for each in (*wanted, *alike) if each in codes), "")
