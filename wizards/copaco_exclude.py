from odoo import api, fields, models
from odoo.fields import Command

from ..tools import soft_reload


class CopacoExclude(models.TransientModel):
    _name = "copaco.exclude"
    _description = "Exclude from Copaco Invoicing"

    reason = fields.Char(required=True)
    document_ids = fields.Many2many("copaco.document")
    customer_ids = fields.Many2many("copaco.customer")

    @api.model
    def default_get(self, fields):
        # EXTENDS base: what was ticked, or is open
        defaults = super().default_get(fields)
        field = {
            "copaco.document": "document_ids",
            "copaco.customer": "customer_ids",
        }.get(self.env.context.get("active_model"))
        if field in fields:
            defaults[field] = [Command.set(self.env.context.get("active_ids", []))]
        return defaults

    def action_exclude(self):
        """Exclude the documents or customers, for the reason given.

        :return: see `copaco.document.action_exclude`, `copaco.customer.action_exclude`
        """
        self.ensure_one()
        result = False
        if self.document_ids:
            result = self.document_ids.action_exclude(self.reason)
        if self.customer_ids:
            result = self.customer_ids.action_exclude(self.reason)
        return result or soft_reload()
