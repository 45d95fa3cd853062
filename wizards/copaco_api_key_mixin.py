from odoo import fields, models


class CopacoApiKeyMixin(models.AbstractModel):
    """A dialog in which the API key of a connection can be entered."""

    _name = "copaco.api.key.mixin"
    _description = "Dialog with a Copaco API Key"

    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="cascade"
    )
    # Goes straight to the connection: not even a wizard's row ever holds it.
    api_key = fields.Char(
        string="API Key", compute="_compute_api_key", inverse="_inverse_api_key"
    )

    # === COMPUTE METHODS === #

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for wizard in self:
            if wizard.api_key:
                wizard.connection_id.api_key = wizard.api_key
        self.invalidate_recordset(["api_key"])
