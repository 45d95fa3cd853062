from odoo import api, fields, models
from odoo.fields import Command


class CopacoInvoiceDate(models.TransientModel):
    _name = "copaco.invoice.date"
    _description = "Invoice With Another Date"

    document_ids = fields.Many2many("copaco.document", required=True)
    invoice_date = fields.Date(required=True)

    @api.model
    def default_get(self, fields):
        # EXTENDS base: what was ticked, or is open, and the first day that is open
        defaults = super().default_get(fields)
        if self.env.context.get("active_model") == "copaco.document":
            documents = self.env["copaco.document"].browse(
                self.env.context.get("active_ids", [])
            )
            defaults["document_ids"] = [Command.set(documents.ids)]
            matcher = self.env["copaco.document.matcher"]
            days = [
                matcher._get_first_open_day(document)
                for document in documents.filtered("invoice_date")
            ]
            if days:
                defaults["invoice_date"] = max(days)
        return defaults

    def action_invoice(self):
        """Invoice the documents with this date instead of Copaco's.

        :return: see `copaco.document.action_retry`
        :raise UserError: when none of them waits for that
        """
        self.ensure_one()
        return self.env["copaco.decision"]._invoice_with_date(
            self.document_ids, self.invoice_date
        )
