from odoo import api, fields, models


class CopacoConnectionMixin(models.AbstractModel):
    _name = "copaco.connection.mixin"
    _description = "Wizard of a Copaco Connection"

    connection_id = fields.Many2one(
        "copaco.connection",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_connection_id(),
    )

    # === DEFAULT METHODS === #

    def _default_connection_id(self):
        connections = self.env["copaco.connection"].search(
            [("company_id", "in", self.env.companies.ids)], limit=2
        )
        return connections if len(connections) == 1 else False

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        wizards.connection_id.check_access("read")
        return wizards
