from odoo import api, fields, models

from ..tools import indent_json


class CopacoPayloadMixin(models.AbstractModel):
    """What Copaco sent, for a person to read."""

    _name = "copaco.payload.mixin"
    _description = "Raw Data of Copaco"

    # As long as all else together: not read unless it is asked for.
    payload = fields.Text(
        string="Raw Data", prefetch=False, help="What Copaco sent of this document."
    )
    payload_text = fields.Text(
        string="Indented Raw Data", compute="_compute_payload_text"
    )

    # === COMPUTE METHODS === #

    @api.depends("payload")
    def _compute_payload_text(self):
        for record in self:
            record.payload_text = indent_json(record.payload)
