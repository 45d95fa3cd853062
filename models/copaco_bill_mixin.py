import hashlib

from odoo import fields, models

from ..const import KINDS, PURCHASE_KINDS


class CopacoBillMixin(models.AbstractModel):
    """What a document has besides, because one vendor bill is of all documents of a
    Copaco invoice. The first one stands for them: `account.move.copaco_document_id`."""

    _name = "copaco.bill.mixin"
    _description = "Copaco Document on a Bill"

    currency_id = fields.Many2one("res.currency")
    is_margin_only = fields.Boolean(
        readonly=True,
        help="Excluded, because the connection keeps purchase invoices for the margin "
        "only.",
    )
    amount_billed = fields.Monetary(
        readonly=True,
        help="What the vendor bill was made, or linked, for of this document, without "
        "tax.",
    )

    # === ACTION METHODS === #

    def action_link_bill(self):
        """Link the bill that has the number of these documents, although its totals
        differ from theirs.

        :return: see `copaco.document.action_retry`
        """
        return self.env["copaco.decision"]._link_bill(self)

    # === BUSINESS METHODS === #

    def _get_bill_documents(self):
        """:return: these documents, and all others of the same Copaco purchase
        invoices"""
        purchases = self.filtered(lambda document: document.kind in PURCHASE_KINDS)
        if not purchases:
            return self
        found = self.search(
            [
                ("root_company_id", "in", purchases.root_company_id.ids),
                ("kind", "in", PURCHASE_KINDS),
                ("invoice_number", "in", purchases.mapped("invoice_number")),
            ],
            order="id",
        )
        return (self - purchases) | found

    def _set_billed(self, move, snapshot=None):
        """:param move: the `account.move` that is the bill of these documents
        :param snapshot: of a bill that was created, see `copaco.manual.edits`
        """
        for document in self:
            document._set_invoiced(move, snapshot)
            document.amount_billed = document.amount_to_invoice
            # The first one has it for all.
            snapshot = None

    def _get_digest(self):
        """:return: by which the content of these documents is recognised"""
        digests = self.sorted("id").mapped("payload_digest")
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("\n".join(map(str, digests)).encode()).hexdigest()

    def _get_sign(self):
        """:return: what Odoo signs as a sale times this is what these documents say"""
        return KINDS[self[:1].kind or "specification"].sign
