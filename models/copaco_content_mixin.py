from odoo import api, fields, models

from ..client import parse_payload
from ..tools import render_message


class CopacoContentMixin(models.AbstractModel):
    """What Copaco sent with a document that is shown or compared, and never booked; and
    what can be read of one that can't be read as a whole."""

    _name = "copaco.content.mixin"
    _description = "Content of a Copaco Document"

    currency_id = fields.Many2one("res.currency")
    has_vat = fields.Boolean(
        string="States VAT", readonly=True, help="Copaco said which VAT is due."
    )
    # Not monetary: that would be rounded.
    amount_vat = fields.Float(
        string="Copaco's VAT",
        readonly=True,
        min_display_digits=2,
        help="The sum of what Copaco says of the lines. It is compared with Odoo's "
        "tax, and never booked.",
    )
    totals_vat = fields.Float(
        string="VAT in Copaco's Totals",
        readonly=True,
        min_display_digits=2,
        help="The same of Copaco's totals; that of the lines, where they don't say.",
    )
    unread_total = fields.Char(
        string="Unreadable Total",
        readonly=True,
        help="What Copaco sent instead of its total without tax.",
    )
    unread_vat = fields.Char(
        string="Unreadable VAT",
        readonly=True,
        help="What Copaco sent instead of its VAT, or of that of a line.",
    )
    is_vat_accepted = fields.Boolean(
        string="Odoo's Tax Accepted",
        readonly=True,
        help="A person said that Odoo's tax is right, whatever VAT Copaco states.",
    )
    move_amount_tax = fields.Monetary(
        string="Invoice Tax", compute="_compute_move_amount_tax"
    )
    payment_days = fields.Integer(
        string="Copaco's Payment Days",
        readonly=True,
        help="What Copaco prints. The invoice has the payment terms of the contact.",
    )
    amount_estimated = fields.Monetary(
        string="Estimate",
        readonly=True,
        help="What a document that can't be read may cost without tax: what Copaco's "
        "totals say, or the readable lines, and the others by quantity and price.",
    )
    # Looked through instead of the lines, which are twenty times as many.
    search_text = fields.Text(
        string="Texts of the Lines", readonly=True, prefetch=False, index="trigram"
    )
    unreadable_table = fields.Html(
        string="Readable Lines", compute="_compute_unreadable_table", sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("move_id.amount_tax", "move_id.move_type")
    def _compute_move_amount_tax(self):
        for document in self:
            is_refund = document.move_id.move_type in ("out_refund", "in_refund")
            sign = -1 if is_refund else 1
            document.move_amount_tax = sign * document.move_id.amount_tax

    @api.depends("hold_reason", "payload")
    @api.depends_context("lang")
    def _compute_unreadable_table(self):
        builder = self.env["copaco.document.builder"]
        formats = self.env["copaco.line.text"]._get_formats()
        self.unreadable_table = False
        for document in self.filtered(
            lambda each: each.hold_reason == "payload_invalid" and not each.line_ids
        ):
            document.unreadable_table = self.env["ir.qweb"]._render(
                "account_copaco.copaco_unreadable",
                {
                    "source": parse_payload(document.payload),
                    "estimate": document.amount_estimated,
                    "describe": lambda line: render_message(
                        self.env, builder._describe_unread(line)
                    ),
                    "show": document._format_amount,
                    "show_number": formats.number,
                },
            )

    # === ACTION METHODS === #

    def action_accept_vat(self):
        """Invoice these documents with Odoo's tax, whatever VAT Copaco states.

        :return: see `copaco.document.action_retry`
        """
        return self.env["copaco.decision"]._accept_vat(self)

    def action_view_contact(self):
        """:return: the form of the contact that is invoiced"""
        return self.move_id.partner_id._get_records_action()
