from odoo import api, fields, models


class CopacoInvoiceContact(models.TransientModel):
    _name = "copaco.invoice.contact"
    _description = "Invoice to Another Contact"

    document_id = fields.Many2one("copaco.document", required=True)
    move_id = fields.Many2one(related="document_id.move_id")
    move_partner_id = fields.Many2one(related="document_id.move_partner_id")
    partner_id = fields.Many2one("res.partner", string="Contact", required=True)

    @api.constrains("document_id")
    def _check_document_id(self):
        # What is shown of it is read whoever asks.
        self.document_id.check_access("read")

    @api.model
    def default_get(self, fields):
        # EXTENDS base: the document that is open, and whom its customer is linked to
        defaults = super().default_get(fields)
        if self.env.context.get("active_model") == "copaco.document":
            document = self.env["copaco.document"].browse(
                self.env.context.get("active_id")
            )
            defaults["document_id"] = document.id
            if document.partner_id != document.move_partner_id:
                defaults["partner_id"] = document.partner_id.id
        return defaults

    def action_invoice(self):
        """Credit the invoice in full, and invoice the document to the contact.

        :return: the window action with the drafts
        :raise UserError: see `copaco.reverser`
        """
        self.ensure_one()
        return self.env["copaco.reverser"]._invoice_to_contact(
            self.document_id, self.partner_id
        )
