from odoo import models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..hold_reasons import Hold

_lt = LazyTranslate(__name__)


class CopacoCreditNote(models.AbstractModel):
    """Which invoice a credit note of Copaco's belongs to, and that its e-invoice says
    so: Dutch rule NL-R-001, BT-25 of EN 16931. Odoo would take the reference of the
    credit note, which is the customer's PO number, and refuses one without."""

    _name = "copaco.credit.note"
    _description = "Copaco Credit Note"

    def _is_ours(self, move):
        return move.move_type == "out_refund" and move.sudo()._get_copaco_document()

    def _get_credited_invoice(self, move):
        """:return: the invoice that a credit note corrects; of a Dutch company also,
        if it corrects none, the customer's last confirmed one before it that was not
        credited in full
        """
        if move.reversed_entry_id or move.company_id.country_code != "NL":
            return move.reversed_entry_id
        return self._get_last_invoice(
            move.company_id, move.commercial_partner_id, move.invoice_date
        )

    def _get_last_invoice(self, company, partner, date):
        return (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company.id),
                    ("commercial_partner_id", "=", partner.commercial_partner_id.id),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                    ("payment_state", "!=", "reversed"),
                    ("copaco_is_replaced", "=", False),
                    ("invoice_date", "<=", date),
                ],
                order="invoice_date desc, id desc",
                limit=1,
            )
        )

    # === BEFORE IT IS CREATED === #

    def _check(self, document, partner):
        """:return: a `Hold` when the credit note of a document would have to be sent as
        an e-invoice that names an invoice, and there is none"""
        company = document.company_id
        if (
            document.amount_to_invoice >= 0
            or document.connection_id.invoice_policy != "send"
            or company.country_code != "NL"
            or not partner._gets_copaco_e_invoices(company)
            or self._get_last_invoice(company, partner, document._get_invoice_date())
            or self._has_waiting_invoice(document, partner)
        ):
            return None
        return Hold(
            "credit_without_invoice",
            _lt(
                "%(document)s would be a credit note, and %(partner)s has no confirmed "
                "invoice that it could belong to, which a Dutch e-invoice has to name. "
                "Confirm that invoice first, or choose to be sent invoices without an "
                "e-invoice format on the contact, then retry.",
                document=document.name,
                partner=partner.display_name,
            ),
        )

    def _has_waiting_invoice(self, document, partner):
        """Whether an invoice of the same customer is created besides, which the credit
        note can name by the time that it is sent."""
        contacts = Domain(
            "customer_id.partner_id", "child_of", partner.commercial_partner_id.id
        )
        return bool(
            self.env["copaco.document"].search_count(
                contacts
                & Domain("company_id", "=", document.company_id.id)
                & Domain("state", "=", "new")
                & Domain("amount_source", ">", 0)
                & Domain("invoice_date", "<=", document._get_invoice_date()),
                limit=1,
            )
        )

    # === IN THE E-INVOICE === #

    def _add_reference(self, node, move):
        """:param node: of Odoo's e-invoice, the whole document
        :return: it, naming the invoice that is credited"""
        if self._is_ours(move):
            credited = self._get_credited_invoice(move)
            reference = {"cbc:ID": {"_text": credited.name}}
            node["cac:BillingReference"] = (
                {"cac:InvoiceDocumentReference": reference} if credited else {}
            )
        return node

    def _amend_constraints(self, constraints, move):
        """:return: Odoo's sentences about what an e-invoice lacks, by rule"""
        if self._is_ours(move) and "nl_r_001" in constraints:
            constraints["nl_r_001"] = not self._get_credited_invoice(
                move
            ) and self.env._(
                "%(partner)s has no confirmed invoice that %(credit)s could belong "
                "to, which a Dutch e-invoice has to name.",
                partner=move.partner_id.display_name,
                credit=move.name,
            )
            # It asks for an account when the customer pays, not when it gets money.
            constraints["nl_r_007"] = ""
        return constraints
