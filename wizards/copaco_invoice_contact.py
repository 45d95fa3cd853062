from odoo import api, fields, models


class CopacoInvoiceContact(models.TransientModel):
    _name = "copaco.invoice.contact"
    _description = "Invoice to Another Contact"

    document_id = fields.Many2one("copaco.document", required=True)
    move_id = fields.Many2one(related="document_id.move_id")
    move_partner_id = fields.Many2one(related="document_id.move_partner_id")
    partner_id = fields.Many2one("res.partner", string="Contact", required=True)
    invoice_date = fields.Date(
        required=True, help="Of the new invoice; the first day that is not locked."
    )

    @api.model
    def default_get(self, fields):
        # EXTENDS base: the document that is open, and whom its customer is linked to;
        # the period of the invoice may be locked by now
        defaults = super().default_get(fields)
        if self.env.context.get("active_model") == "copaco.document":
            document = self.env["copaco.document"].browse(
                self.env.context.get("active_id")
            )
            defaults["document_id"] = document.id
            if document.invoice_date:
                matcher = self.env["copaco.document.matcher"]
                defaults["invoice_date"] = matcher._get_first_open_day(document)
            if document.partner_id != document.move_partner_id:
                defaults["partner_id"] = document.partner_id.id
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        # What the dialog shows of a document, Odoo reads whoever asks.
        ids = [vals["document_id"] for vals in vals_list if vals.get("document_id")]
        self.env["copaco.document"].browse(ids).check_access("read")
        return super().create(vals_list)

    def write(self, vals):
        self.env["copaco.document"].browse(vals.get("document_id") or []).check_access(
            "read"
        )
        return super().write(vals)

    def action_invoice(self):
        """Credit the invoice in full, and invoice the document to the contact.

        :return: the window action with the drafts
        :raise UserError: see `copaco.reverser`
        """
        self.ensure_one()
        return self.env["copaco.reverser"]._invoice_to_contact(
            self.document_id, self.partner_id, self.invoice_date
        )
