from odoo import api, fields, models

from ..tools import notify, soft_reload


class CopacoApiKey(models.TransientModel):
    _name = "copaco.api.key"
    _inherit = "copaco.api.key.mixin"
    _description = "Set Copaco API Key"

    api_key_expiry = fields.Date(
        string="Expires On", help="As shown in Copaco's portal under API keys."
    )

    duplicate_message = fields.Char(compute="_compute_duplicate_message")

    @api.depends("connection_id", "api_key")
    def _compute_duplicate_message(self):
        store = self.env["copaco.key.store"]
        for wizard in self:
            connection = wizard.connection_id
            wizard.duplicate_message = store._get_duplicate_message(
                connection, connection.origin, wizard.api_key
            )

    @api.model_create_multi
    def create(self, vals_list):
        self.env["copaco.connection"].check_access("write")
        return super().create(vals_list)

    def action_save(self):
        """Note the expiry date; the key itself was passed on when this was saved.

        :return: a client action, which warns whoever saved the key of another
            connection, perhaps before the dialog could
        """
        self.ensure_one()
        connection = self.connection_id
        connection.api_key_expiry = self.api_key_expiry
        self.env["copaco.activity.monitor"]._update_activity(connection)
        store = self.env["copaco.key.store"]
        message = store._get_duplicate_message(
            connection, connection.origin, store._read(connection)
        )
        if not message:
            return soft_reload()
        return notify("warning", message, sticky=True, next=soft_reload())
