from lxml import etree

from odoo import api, fields, models
from odoo.fields import Domain

from ..const import BILLING_GROUP, E_INVOICE_BUILDER


class ResPartner(models.Model):
    _inherit = "res.partner"

    copaco_customer_ids = fields.One2many(
        "copaco.customer",
        "partner_id",
        string="Copaco Customers",
        groups=BILLING_GROUP,
    )
    copaco_document_count = fields.Integer(
        compute="_compute_copaco_document_count", groups=BILLING_GROUP
    )
    copaco_missing = fields.Char(
        string="Missing",
        compute="_compute_copaco_missing",
        groups=BILLING_GROUP,
        help="What this contact lacks for the next invoice and its delivery.",
    )
    copaco_po_number = fields.Char(
        string="PO Number",
        compute="_compute_copaco_po_number",
        inverse="_inverse_copaco_po_number",
        groups=BILLING_GROUP,
        help="Of its Copaco customers, for lines for which Copaco sends none.",
    )
    is_copaco_billed = fields.Boolean(
        string="Billed Lately",
        compute="_compute_is_copaco_billed",
        search="_search_is_copaco_billed",
        groups=BILLING_GROUP,
        help="Copaco had something to bill to it in the last three months.",
    )
    is_copaco_incomplete = fields.Boolean(
        string="Incomplete",
        compute="_compute_copaco_missing",
        search="_search_is_copaco_incomplete",
        groups=BILLING_GROUP,
        help="Billed lately, and something is missing for the next invoice.",
    )

    # === COMPUTE METHODS === #

    @api.depends("copaco_customer_ids.document_ids")
    def _compute_copaco_document_count(self):
        for partner in self:
            partner.copaco_document_count = sum(
                partner.copaco_customer_ids.mapped("document_count")
            )

    @api.depends_context("company")
    @api.depends("copaco_customer_ids.po_number")
    def _compute_copaco_po_number(self):
        for partner in self:
            numbers = set(partner._get_copaco_customers().mapped("po_number"))
            partner.copaco_po_number = numbers.pop() if len(numbers) == 1 else False

    def _inverse_copaco_po_number(self):
        for partner in self:
            customers = partner._get_copaco_customers()
            # Several customers may have numbers of their own.
            if len(set(customers.mapped("po_number"))) > 1:
                customers = customers.filtered(lambda each: not each.po_number)
            customers.po_number = partner.copaco_po_number
        self.invalidate_recordset(["copaco_po_number"])

    @api.depends_context("company")
    @api.depends(
        *("street", "city", "country_id", "email", "lang", "vat", "is_company"),
        *("parent_id", "child_ids", "invoice_sending_method", "invoice_edi_format"),
        "copaco_customer_ids.po_number",
        "copaco_customer_ids.is_po_number_required",
    )
    def _compute_copaco_missing(self):
        readiness = self.env["copaco.readiness"]
        for partner in self:
            missing = readiness._get_missing(partner) if partner.id else []
            partner.copaco_missing = ", ".join(missing)
            partner.is_copaco_incomplete = bool(missing)

    @api.depends_context("company")
    def _compute_is_copaco_billed(self):
        billed = self.env["copaco.readiness"]._find_billed()
        for partner in self:
            partner.is_copaco_billed = partner in billed

    def _search_is_copaco_billed(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("id", "in", self.env["copaco.readiness"]._find_billed().ids)

    def _search_is_copaco_incomplete(self, operator, value):
        if operator != "in":
            return NotImplemented
        billed = self.env["copaco.readiness"]._find_billed()
        return Domain("id", "in", billed.filtered("copaco_missing").ids)

    def _get_copaco_customers(self):
        """:return: the `copaco.customer` records of this contact in the company of the
        environment"""
        return self.copaco_customer_ids.filtered(
            lambda customer: customer.company_id == self.env.company
        )

    def _gets_copaco_e_invoices(self, company):
        """:return: whether invoices of a company to this contact are e-invoices, as far
        as it can be told without asking Peppol's directory"""
        if E_INVOICE_BUILDER not in self.env:
            return False
        partner = self.commercial_partner_id.with_company(company)
        return partner.invoice_sending_method == "peppol" or (
            partner.invoice_edi_format in partner._get_peppol_formats()
        )

    # === ACTION METHODS === #

    def action_view_copaco_documents(self):
        """:return: the window action with what Copaco has billed to these contacts"""
        return self.copaco_customer_ids.action_view_documents()

    # === VIEWS === #

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        # EXTENDS base: the columns of Peppol, where it is installed
        arch, view = super()._get_view(view_id, view_type, **options)
        own = "account_copaco.res_partner_view_list_readiness"
        if view and view == self.env.ref(own, raise_if_not_found=False):
            for name in self.env["copaco.peppol"]._get_contact_fields():
                column = etree.SubElement(arch, "field", name=name)
                # That of its country is nearly always right.
                is_known = name == "peppol_eas"
                column.set("optional", "hide" if is_known else "show")
                column.set("invisible", "commercial_partner_id != id")
                if name == "peppol_verification_state":
                    column.set("readonly", "1")
        return arch, view
