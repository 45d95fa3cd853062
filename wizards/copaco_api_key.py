from odoo import api, fields, models


class CopacoApiKey(models.TransientModel):
    _name = "copaco.api.key"
    _description = "Set Copaco API Key"

    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="cascade"
    )
    # Goes straight to the connection: not even this wizard's row ever holds it.
    api_key = fields.Char(
        string="API Key", compute="_compute_api_key", inverse="_inverse_api_key"
    )
    api_key_expiry = fields.Date(
        string="Expires On", help="As shown in Copaco's portal under API keys."
    )

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for wizard in self:
            if wizard.api_key:
                wizard.connection_id.api_key = wizard.api_key
        self.invalidate_recordset(["api_key"])

    @api.model_create_multi
    def create(self, vals_list):
        self.env["copaco.connection"].check_access("write")
        return super().create(vals_list)

    def action_save(self):
        """Note the expiry date; the key itself was passed on when this was saved."""
        self.ensure_one()
        self.connection_id.api_key_expiry = self.api_key_expiry
        self.connection_id._update_activity()
        return {"type": "ir.actions.client", "tag": "soft_reload"}
