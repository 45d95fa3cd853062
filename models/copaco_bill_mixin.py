import hashlib

from odoo import fields, models

from ..const import KINDS


class CopacoBillMixin(models.AbstractModel):
    """What a document has besides, because one vendor bill is of all documents of a
    Copaco invoice. The first one stands for them: `account.move.copaco_document_id`."""

    _name = "copaco.bill.mixin"
    _description = "Copaco Document on a Bill"

    currency_id = fields.Many2one("res.currency")
    has_vat = fields.Boolean(
        string="VAT Stated",
        readonly=True,
        help="Copaco states the tax amount of each line.",
    )
    amount_billed = fields.Monetary(
        readonly=True,
        help="What the vendor bill was made, or linked, for of this document, without "
        "tax.",
    )

    def _get_digest(self):
        """:return: by which the content of these documents is recognised"""
        digests = self.sorted("id").mapped("payload_digest")
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("\n".join(map(str, digests)).encode()).hexdigest()

    def _get_sign(self):
        """:return: what Odoo signs as a sale times this is what these documents say"""
        return KINDS[self[:1].kind or "specification"].sign
