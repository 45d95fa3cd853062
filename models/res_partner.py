from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    copaco_customer_ids = fields.One2many(
        "copaco.customer",
        "partner_id",
        string="Copaco Customers",
        groups="account.group_account_invoice",
    )
