from dateutil.relativedelta import relativedelta

from odoo import models

from ..const import SALES_KINDS

# So far back counts as billed lately: what is billed by quarter is among it.
MONTHS = 3


class CopacoReadiness(models.AbstractModel):
    """Whether the contacts that are billed month by month have what their next invoice
    and its delivery need, while there is time to ask them."""

    _name = "copaco.readiness"
    _description = "Readiness of Copaco Customers"

    def _find_billed(self):
        """:return: `res.partner` records in the company of the environment: the address
        of the next invoice of each customer who was billed lately, and the company
        behind it, which has the VAT number and how invoices are sent
        """
        today = self.env["copaco.fetch.window"]._get_today()
        customers = self.env["copaco.customer"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("state", "!=", "excluded"),
                ("partner_id.active", "=", True),
                (
                    "document_ids",
                    "any",
                    [
                        ("kind", "in", SALES_KINDS),
                        ("state", "!=", "excluded"),
                        ("invoice_date", ">=", today - relativedelta(months=MONTHS)),
                    ],
                ),
            ]
        )
        addresses = self.env["res.partner"].union(
            *map(self._get_address, customers.partner_id)
        )
        return addresses | addresses.commercial_partner_id

    def _get_address(self, partner):
        """:return: `res.partner` that the invoices of a contact are addressed to"""
        address = partner.browse(partner.address_get(["invoice"])["invoice"])
        return address.with_prefetch(partner._prefetch_ids)

    def _get_missing(self, partner):
        """:param partner: `res.partner`, in the company that bills it
        :return: the labels of the fields of this very contact that must be filled in,
            or be other than they are, before the next invoice
        """
        checker = self.env["copaco.contact.checker"]
        address = self._get_address(partner)
        lacking = checker._find_lacking(address) + self._find_lacking(address)
        lacking = [(record, name) for record, name in lacking if record == partner]
        customers = self._find_without_po_number(partner)
        lacking += [(customer, "po_number") for customer in customers[:1]]
        return checker._get_labels(lacking)

    def _find_without_po_number(self, partner):
        """:return: the `copaco.customer` records of a contact that refuse invoices
        without a PO number, and have none for lines for which Copaco sent none last
        """
        return partner._get_copaco_customers().filtered(
            lambda customer: (
                customer.is_po_number_required
                and not customer.po_number
                and customer.state != "excluded"
                and self._lacks_po_number(customer)
            )
        )

    def _lacks_po_number(self, customer):
        newest = self.env["copaco.document"].search(
            [("customer_id", "=", customer.id), ("kind", "in", SALES_KINDS)],
            order="invoice_date desc, id desc",
            limit=1,
        )
        return any(not line._get_po_number() for line in newest._get_billed_lines())

    def _find_lacking(self, address):
        """:return: the same as `copaco.contact.checker._find_lacking`, of what an
        invoice needs to reach the customer in its language"""
        entity = address.commercial_partner_id
        lacking = [] if address.lang else [(address, "lang")]
        method = entity.invoice_sending_method or "email"
        if method == "email" and not address.email:
            lacking.append((address, "email"))
        if method == "peppol":
            names = self.env["copaco.peppol"]._find_lacking(entity)
            lacking += [(entity, name) for name in names]
        return lacking
