from odoo import fields, models


class CopacoDocumentVersion(models.Model):
    """What a known document said before, or says now in Copaco and not yet here.

    A document's own payload is the one that counts; every other one that ever came
    is kept here, so that nothing that arrived is lost.
    """

    _name = "copaco.document.version"
    _description = "Copaco Document Version"
    _order = "id desc"

    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="document_id.company_id", store=True, index=True
    )
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    state = fields.Selection(
        [
            ("pending", "Waits for a decision"),
            ("replaced", "Replaced by a newer one"),
            ("declined", "Not taken over"),
        ],
        required=True,
    )
    currency_id = fields.Many2one(related="document_id.currency_id")
    amount_source = fields.Monetary(string="Amount", help="Without tax.")
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True)
    payload_digest = fields.Char(required=True)
