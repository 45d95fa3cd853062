from odoo import fields, models


class CopacoCompanyMixin(models.AbstractModel):
    """A setting, in an order among others, of one company or of all."""

    _name = "copaco.company.mixin"
    _description = "Copaco Setting of a Company"

    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="Empty: all companies.",
    )
