from odoo import fields, models

from ..tools import render_message


class CopacoDocumentVersion(models.Model):
    """What a known document said before, or says now in Copaco and not yet here.

    A document's own payload is the one that counts; every other one that was ever
    received is kept here, so that nothing is lost.
    """

    _name = "copaco.document.version"
    _inherit = ["copaco.difference.mixin", "copaco.payload.mixin"]
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
            ("pending", "Waiting for a decision"),
            ("replaced", "Replaced"),
            ("declined", "Declined"),
        ],
        required=True,
    )
    declined_by_id = fields.Many2one("res.users")
    currency_id = fields.Many2one("res.currency")
    amount_source = fields.Monetary(string="Amount", help="Without tax.")
    totals_difference = fields.Float(help="See the field of the document.")
    totals_line_count = fields.Integer(help="See the field of the document.")
    unread_total = fields.Char(
        string="Unreadable Total", help="See the field of the document."
    )
    whole_vat = fields.Float(
        string="VAT of All Parts", help="See the field of the document."
    )
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True)
    payload_digest = fields.Char(required=True)
    excluded_lines = fields.Json(
        help="The positions of its lines that a person had excluded when it was the "
        "document's own content."
    )
    move_ids = fields.One2many(
        "account.move",
        "copaco_version_id",
        string="Corrections",
        help="What corrects the invoice of the older content, when this one was taken "
        "over.",
    )
    move_snapshot = fields.Json(
        help="What the addon put on the correction, to find manual edits, and which "
        "lines of the document were on the invoice before."
    )
    credited = fields.Json(
        help="What of this change a person had credited before it was corrected: "
        "amounts without tax by the text of the invoice line."
    )
    amount_credited = fields.Monetary(help="The sum of them.")

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
        return res

    # === BUSINESS METHODS: WHAT BECOMES OF A VERSION === #

    def _get_declined(self):
        """:return: what Copaco said last, where a person kept what it said before"""
        return self.filtered(lambda version: version.state == "declined")

    def _end_declined(self):
        """Copaco no longer says what was declined, or something newer was decided."""
        self.write({"state": "replaced", "declined_by_id": False})

    def _request_decision(self, *obstacles):
        """Let a person decide about this pending version.

        :param obstacles: messages: why what would have been done by itself can't be
        """
        self.ensure_one()
        document = self.document_id
        invoice = document._get_live_invoice()
        message = self._get_decision_message(*obstacles)
        document.write(
            {
                "state": "changed" if invoice else "held",
                "hold_reason": "source_changed",
                "hold_message": message,
            }
        )
        document._message_log(body=render_message(self.env, message))
