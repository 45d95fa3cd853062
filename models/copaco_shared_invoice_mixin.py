import hashlib

from odoo import fields, models

from ..const import DEFAULT_KIND, KINDS, PURCHASE_KINDS


class CopacoSharedInvoiceMixin(models.AbstractModel):
    """What a document has besides, because an invoice may be of several: a vendor bill
    of all documents of a Copaco invoice, a customer invoice of those of a month. The
    first one stands for them: `account.move.copaco_document_id`."""

    _name = "copaco.shared.invoice.mixin"
    _description = "Copaco Document on an Invoice with Others"

    currency_id = fields.Many2one("res.currency")
    amount_billed = fields.Monetary(
        readonly=True,
        help="What an invoice of several documents was made, or linked, for of this "
        "one, without tax.",
    )

    # === BUSINESS METHODS === #

    def _get_invoice_grouping(self):
        """:return: a value of `copaco.layout.mixin.invoice_grouping`: that of the
        customer, or else of the connection. An invoice that is of one PO number stays
        one of its own."""
        if self.kind in PURCHASE_KINDS or self.is_po_part:
            return "document"
        customer = self.customer_id
        return customer.invoice_grouping or self.connection_id.invoice_grouping

    def _get_joint_documents(self):
        """:return: these documents, and all others that are on the same invoices; of a
        Copaco purchase invoice, also those that are not on its bill"""
        found = self._get_bill_documents()
        for document in self:
            found |= document._get_live_invoice()._get_copaco_documents()
        return found

    def _set_billed(self, move, snapshot=None):
        """:param move: the `account.move` that is the invoice of these documents
        :param snapshot: of a new one, see `copaco.manual.edits`
        """
        is_joint = len(self) > 1 or self.kind in PURCHASE_KINDS
        # A run is balanced when all of them have their part of the invoice.
        is_later = self.env.context.get("copaco_refresh_later")
        for document in self.with_context(copaco_refresh_later=True):
            document._set_invoiced(move, snapshot)
            amount = document.amount_to_invoice if is_joint else 0.0
            if document.amount_billed != amount:
                document.amount_billed = amount
            # The first one has it for all.
            snapshot = None
        if not is_later:
            self.run_id._refresh_state()
            self.env["copaco.activity.monitor"]._update_activity(self.connection_id)

    def _get_numbers(self):
        """:return: Copaco's numbers of these documents, as the source of an invoice"""
        return ", ".join(dict.fromkeys(self.mapped("invoice_number")))

    def _get_digest(self):
        """:return: by which the content of these documents is recognised"""
        digests = self.sorted("id").mapped("payload_digest")
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("\n".join(map(str, digests)).encode()).hexdigest()

    def _get_sign(self):
        """:return: what Odoo signs as a sale times this is what these documents say"""
        return KINDS[self[:1].kind or DEFAULT_KIND].sign
