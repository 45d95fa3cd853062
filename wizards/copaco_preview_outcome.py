from odoo import fields, models

OUTCOMES = [
    ("invoiced", "To invoice"),
    ("rebuilt", "Draft to update"),
    ("held", "Held"),
    ("changed", "Changed"),
    ("missing", "No longer at Copaco"),
    ("excluded", "Excluded"),
    ("known", "Known"),
    ("not_computed", "Not computed"),
    ("unreadable", "Unreadable"),
]
# What a person should see first.
IMPORTANCE = (
    *("unreadable", "changed", "held", "missing", "not_computed"),
    *("rebuilt", "invoiced", "excluded", "known"),
)


class CopacoPreviewOutcome(models.TransientModel):
    _name = "copaco.preview.outcome"
    _description = "Copaco Preview: Outcome"
    _order = "id"
    _rec_name = "outcome"

    preview_id = fields.Many2one(
        "copaco.preview", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="preview_id.company_id", store=True)
    outcome = fields.Selection(OUTCOMES, required=True)
    currency_id = fields.Many2one("res.currency")
    document_count = fields.Integer(string="Documents")
    line_count = fields.Integer(string="Lines")
    amount_untaxed = fields.Monetary(string="Without Tax")
    amount_tax = fields.Monetary(string="Tax")
    amount_total = fields.Monetary(string="Total")

    def action_view_documents(self):
        """:return: the window action with the documents of this row"""
        self.ensure_one()
        return self.preview_id._get_documents_action(
            [
                ("preview_id", "=", self.preview_id.id),
                ("outcome", "=", self.outcome),
                ("currency_id", "=", self.currency_id.id),
            ]
        )
