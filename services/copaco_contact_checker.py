from odoo import models


class CopacoContactChecker(models.AbstractModel):
    """Whether a contact has what an invoice to it must have: country, address, and of a
    business its VAT number (Council Directive 2006/112/EC, article 226)."""

    _name = "copaco.contact.checker"
    _description = "Copaco Contact Checker"

    def _get_missing(self, partner):
        """:param partner: `res.partner` that an invoice is addressed to
        :return: list of the labels of the fields that it lacks. A business that has no
            VAT number has "/", as everywhere in Odoo, but not in another country of the
            European Union: to Odoo's fiscal positions "/" is a number, and the invoice
            would be without tax.
        """
        return self._get_labels(self._find_lacking(partner))

    def _find_lacking(self, partner):
        """:return: list of (`res.partner`, name of a field to be filled in on it),
        of an address and of the company behind it
        """
        entity = partner.commercial_partner_id
        lacking = [
            (partner, name)
            for name in ("street", "city", "country_id")
            if not partner[name]
        ]
        if entity.is_company and (not entity.vat or self._needs_number(entity)):
            lacking.append((entity, "vat"))
        return lacking

    def _needs_number(self, entity):
        """Whether "/" would make an invoice of this company free of tax: an
        intra-community supply needs a real VAT number."""
        country = self.env.company.account_fiscal_country_id
        countries = self.env.ref("base.europe").country_ids
        return (
            entity.vat == "/"
            and entity.country_id in countries - country
            and country in countries
        )

    def _get_labels(self, lacking):
        """:param lacking: see `_find_lacking`
        :return: list of the labels of the fields, as Odoo's forms have them: that of
            the VAT number is the one of the company's country
        """
        return [
            record.with_env(self.env).vat_label
            if name == "vat"
            else record._fields[name]._description_string(self.env)
            for record, name in lacking
        ]

    def _describe_missing(self, move):
        """:return: a sentence: why an invoice stays a draft; "" if it needn't"""
        missing = self.with_company(move.company_id)._get_missing(move.partner_id)
        if not missing:
            return ""
        return self.env._(
            "This invoice stays a draft, because contact %(partner)s lacks "
            "%(missing)s: complete it (VAT number / if a business of your own country "
            "has none), then confirm the invoice.",
            partner=move.partner_id._get_html_link()
            if self.env.context.get("copaco_with_link")
            else move.partner_id.display_name,
            missing=", ".join(missing),
        )

    def _split_off_incomplete(self, documents):
        """Leave the invoices of incomplete contacts drafts, and say so on them.

        :param documents: `copaco.document` records whose invoices are to be posted
        :return: those of which they may be
        """
        complete = documents.browse()
        for move, own in documents.grouped("move_id").items():
            problem = self.with_context(copaco_with_link=True)._describe_missing(move)
            if problem:
                own.draft_reason = "contact_incomplete"
                move._message_log(body=problem)
            else:
                complete += own
        return complete
