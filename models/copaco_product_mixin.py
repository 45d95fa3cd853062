from odoo import fields, models


class CopacoProductMixin(models.AbstractModel):
    """What the lines of a connection become that no rule catches."""

    _name = "copaco.product.mixin"
    _description = "Product of a Copaco Connection"

    unmatched_policy = fields.Selection(
        [("default", "Use this product"), ("hold", "Hold the document")],
        string="Lines Without a Rule",
        required=True,
        default="default",
    )
