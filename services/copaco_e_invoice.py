import logging

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ..const import E_INVOICE_BUILDER as BUILDER
from ..tools import is_same_number

_logger = logging.getLogger(__name__)

EXTENDED = {
    "_get_invoice_node",
    "_get_invoice_line_node",
    "_export_invoice_constraints",
}
# Of UNTDID 1001: what a line is about, here a subscription.
INVOICED_OBJECT = "130"


class CopacoEInvoice(models.AbstractModel):
    """What Copaco sent, in the fields that Peppol BIS Billing 3 has for it (BT: a
    business term of EN 16931). All else in an e-invoice is Odoo's."""

    _name = "copaco.e.invoice"
    _description = "Copaco E-Invoice"

    # === EXTENSION OF ODOO'S === #

    def _register_hook(self):
        """Extend Odoo's e-invoices where they are installed: what is installed besides
        can't be inherited from."""
        super()._register_hook()
        if BUILDER not in self.env:
            return
        self._restore_builder()
        builder = self.env.registry[BUILDER]
        extension = self._name

        def _get_invoice_node(self, vals):
            node = origins["_get_invoice_node"](self, vals)
            move = vals["invoice"]
            lines = node[self._get_tags_for_document_type(vals)["document_line"]]
            return move.env[extension]._add_to_document(node, lines, move)

        def _get_invoice_line_node(self, vals):
            node = origins["_get_invoice_line_node"](self, vals)
            env = vals["invoice"].env
            return env[extension]._add_to_line(node, vals["base_line"])

        def _export_invoice_constraints(self, invoice, vals):
            constraints = origins["_export_invoice_constraints"](self, invoice, vals)
            return self.env["copaco.credit.note"]._amend_constraints(
                constraints, invoice
            )

        origins = {name: getattr(builder, name) for name in EXTENDED}
        builder._get_invoice_node = _get_invoice_node
        builder._get_invoice_line_node = _get_invoice_line_node
        builder._export_invoice_constraints = _export_invoice_constraints

    def _unregister_hook(self):
        if BUILDER in self.env:
            self._restore_builder()
        return super()._unregister_hook()

    def _restore_builder(self):
        builder = self.env.registry[BUILDER]
        for name in EXTENDED & vars(builder).keys():
            delattr(builder, name)

    def _get_errors(self, move):
        """Build the e-invoice of an invoice, if its customer gets one, and keep
        nothing of it.

        :return: list of what Odoo finds missing or wrong
        """
        partner = move.commercial_partner_id.with_company(move.company_id)
        if not partner._gets_copaco_e_invoices(move.company_id):
            return []
        try:
            with self.env.cr.savepoint():
                builder = partner._get_edi_builder(partner._get_peppol_edi_format())
                _content, errors = builder._export_invoice(move)
        except UserError as error:
            return [str(error)]
        except OperationalError:
            # Conflicts with other transactions are no e-invoice's fault.
            raise
        except Exception as error:
            # Another addon may build it, and one invoice stops no other.
            _logger.exception("E-invoice of %s could not be built", move.name)
            return [
                self.env._(
                    "The e-invoice of %(invoice)s could not be built because of an "
                    "unexpected error (%(error)s). Send the server's log to whoever "
                    "maintains the addon that builds it.",
                    invoice=move.name,
                    error=type(error).__name__,
                )
            ]
        return sorted(errors)

    # === THE DOCUMENT === #

    def _add_to_document(self, node, lines, move):
        """:param node: of Odoo's e-invoice, the whole document
        :param lines: those of it that are lines
        :param move: `account.move`
        :return: the node, with what Copaco sent
        """
        document = move.is_sale_document() and move.sudo()._get_copaco_document()
        if not document:
            return node
        customer = document.customer_id
        node["cac:InvoicePeriod"] = self._get_enclosing_period(lines)
        if not move.ref:
            # Odoo would give the invoice's own number.
            node["cac:OrderReference"] = {}
        node["cbc:BuyerReference"] = self._get_buyer_reference(node, move, customer)
        node["cbc:AccountingCost"] = _make_text(customer.cost_center)
        self.env["copaco.credit.note"]._add_reference(node, move)
        return node

    def _get_buyer_reference(self, node, move, customer):
        """BT-10. Odoo gives the reference of the contact. Where that is Copaco's
        customer number, it is there to link the contact, and tells the customer
        nothing.

        :return: a node
        """
        own = (node["cbc:BuyerReference"] or {}).get("_text")
        if own == customer.customer_number:
            own = ""
        text = customer.buyer_reference or own
        if not text and not move.ref:
            # One of the two has to be there: rule PEPPOL-EN16931-R003.
            text = move.commercial_partner_id.name
        return _make_text(text)

    def _get_enclosing_period(self, lines):
        """BT-73 and BT-74, which have to enclose the periods of all lines (rules
        PEPPOL-EN16931-R110 and R111).

        :return: a node
        """
        days = [
            day["_text"]
            for line in lines
            for day in (line.get("cac:InvoicePeriod") or {}).values()
            if day and day["_text"]
        ]
        return _make_period(min(days), max(days)) if days else {}

    # === A LINE === #

    def _add_to_line(self, node, base_line):
        """:param node: of Odoo's e-invoice, a line
        :param base_line: what Odoo made it of
        :return: the node, with what Copaco sent
        """
        move_line = base_line["record"]
        if not isinstance(move_line, models.BaseModel):
            # What Odoo adds, such as a fixed tax or a discount for early payment.
            return node
        line = move_line.sudo().copaco_line_id
        if not line or not move_line.move_id.is_sale_document():
            return node
        # Odoo Enterprise gives the period of a revenue that is deferred.
        if line._has_period() and not node.get("cac:InvoicePeriod"):
            node["cac:InvoicePeriod"] = _make_period(line.date_start, line.date_end)
        if note := self._get_note(move_line, line):
            node["cbc:Note"] = _make_text(note)
        if line.subscription_ref:
            node["cac:DocumentReference"] = {
                "cbc:ID": _make_text(line.subscription_ref),
                "cbc:DocumentTypeCode": _make_text(INVOICED_OBJECT),
            }
        self._add_to_item(node["cac:Item"], move_line, line)
        return node

    def _get_note(self, move_line, line):
        """BT-127.

        :return: what the vendor says, and Copaco's quantity and price where the line of
            the invoice has others
        """
        layout = line.document_id._get_layout()
        is_shown = layout.vendor_details != "none"
        rows = [is_shown and move_line.copaco_vendor_details]
        has_quantity = not float_compare(
            abs(move_line.quantity), abs(line.quantity), precision_digits=6
        )
        is_correction = move_line.move_id.sudo().copaco_version_id
        builder = self.env["copaco.invoice.builder"]
        if not has_quantity and not is_correction and builder._explains_amount(line):
            rows.append(self.env["copaco.line.text"]._get_figures_text(line))
        return "\n".join(filter(None, rows))

    def _add_to_item(self, item, move_line, line):
        """The name (BT-153), the seller's identifier (BT-155) and attributes (BT-160,
        BT-161) of an item; its description stays the text of the invoice line.

        :param item: a node
        """
        if name := (line.plan_name or line.subscription_name or "").strip():
            item["cbc:Name"] = _make_text(name)
        if line.plan_ref:
            item["cac:SellersItemIdentification"] = {
                "cbc:ID": _make_text(line.plan_ref)
            }
        attributes = {
            self.env._("Charge Type"): line.charge_type,
            self.env._("Consumer"): line._get_consumer(),
        }
        # The whole invoice has one order reference.
        if not is_same_number(number := line._get_po_number(), move_line.move_id.ref):
            attributes[self.env._("PO Number")] = number
        item["cac:AdditionalItemProperty"] = [
            *(item.get("cac:AdditionalItemProperty") or []),
            *(
                {"cbc:Name": _make_text(name), "cbc:Value": _make_text(value)}
                for name, value in attributes.items()
                if value
            ),
        ]


def _make_text(text):
    return {"_text": text or None}


def _make_period(start, end):
    return {"cbc:StartDate": {"_text": start}, "cbc:EndDate": {"_text": end}}
