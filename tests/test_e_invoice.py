from lxml import etree

from odoo.tests import freeze_time, tagged

from .common import CopacoCommon, price_line

NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


class EInvoiceCommon(CopacoCommon):
    """A Dutch company that can send e-invoices, and one customer."""

    builder_name = "account.edi.xml.ubl_bis3"

    def setUp(self):
        super().setUp()
        self.connection.invoice_policy = "post"
        self.company.write(
            {
                "street": "Kade 1",
                "zip": "1000 AA",
                "city": "Amsterdam",
                "vat": "NL123456782B90",
                "company_registry": "87654321",
                "bank_ids": [(0, 0, {"acc_number": "NL91ABNA0417164300"})],
            }
        )
        self.company.partner_id.write(
            {"peppol_eas": "0106", "peppol_endpoint": "87654321"}
        )
        self.partner = self.create_partner(
            name="Bakkerij",
            ref="K-1",
            zip="1001 AA",
            vat="NL000099998B57",
            peppol_eas="0106",
            peppol_endpoint="12345678",
        )

    def book(self, *lines, number="INV-1", **customer):
        """:param customer: what Copaco sends of it
        :return: the invoice of a new document"""
        self.add_invoice(
            number,
            "A1",
            [*lines],
            customer={"CustomerNumber": "K-1", **customer},
        )
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        self.assertEqual(document.move_id.state, "posted", document.hold_message)
        return document.move_id

    def export(self, move, builder=None):
        """:return: the root of the e-invoice that Odoo makes"""
        content, errors = self.env[builder or self.builder_name]._export_invoice(move)
        self.assertFalse(errors)
        return etree.fromstring(content)

    def find(self, node, path):
        """:return: list of texts"""
        return [each.text for each in node.findall(path, NAMESPACES)]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEInvoice(EInvoiceCommon):
    """An e-invoice has what Copaco sent, in the fields of Peppol BIS Billing 3."""

    def test_each_line_has_its_period_and_the_invoice_encloses_them(self):
        move = self.book(
            price_line("5", StartDate="20261001", EndDate="20261031"),
            price_line("6", number=2, StartDate="20260915", EndDate="20261014"),
            price_line("7", number=3, StartDate="20261101", EndDate=None),
        )
        root = self.export(move)
        period = "cac:InvoicePeriod/cbc:StartDate", "cac:InvoicePeriod/cbc:EndDate"
        lines = root.findall("cac:InvoiceLine", NAMESPACES)
        self.assertEqual(
            [[self.find(line, path) for path in period] for line in lines],
            [
                [["2026-10-01"], ["2026-10-31"]],
                [["2026-09-15"], ["2026-10-14"]],
                [[], []],
            ],
        )
        self.assertEqual(
            [self.find(root, path) for path in period],
            [["2026-09-15"], ["2026-10-31"]],
        )

    def test_the_order_reference_is_the_customers_po_number(self):
        root = self.export(self.book(price_line("5", SubPONumber="PO-7")))
        self.assertEqual(self.find(root, "cac:OrderReference/cbc:ID"), ["PO-7"])

    def test_the_order_reference_is_never_the_invoices_own_number(self):
        root = self.export(self.book(price_line("5")))
        self.assertFalse(self.find(root, "cac:OrderReference/cbc:ID"))
        self.assertEqual(self.find(root, "cbc:BuyerReference"), ["Bakkerij"])
