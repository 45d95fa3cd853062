from odoo import fields, models

from ..const import PURCHASE_KINDS


class CopacoBillMixin(models.AbstractModel):
    """What a document of a purchase invoice has besides: one vendor bill is of all
    documents of a Copaco invoice."""

    _name = "copaco.bill.mixin"
    _description = "Copaco Document on a Bill"

    is_margin_only = fields.Boolean(
        readonly=True,
        help="Excluded, because the connection keeps purchase invoices for the margin "
        "only.",
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
