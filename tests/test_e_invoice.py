from unittest.mock import patch

from lxml import etree

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import DUTCH_COMPANY, CopacoCommon, price_line
from .preview import PreviewCommon

E_INVOICE_LOGGER = "odoo.addons.account_copaco.services.copaco_e_invoice"
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
        self.company.write(DUTCH_COMPANY)
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

    # The order and the customer

    def test_the_buyer_reference_is_the_customers_own_field(self):
        move = self.book(price_line("5", SubPONumber="PO-7"))
        self.assertFalse(
            self.find(self.export(move), "cbc:BuyerReference"),
            "the number that links the contact is none",
        )
        self.partner.ref = "Afdeling 3"
        self.assertEqual(
            self.find(self.export(move), "cbc:BuyerReference"), ["Afdeling 3"]
        )
        self.customer.buyer_reference = "Afdeling 4"
        self.assertEqual(
            self.find(self.export(move), "cbc:BuyerReference"), ["Afdeling 4"]
        )

    def test_what_a_person_enters_as_customer_reference_is_the_order(self):
        move = self.book(price_line("5", SubPONumber="PO-7"))
        move.button_draft()
        move.ref = "PO-8"
        move.action_post()
        root = self.export(move)
        self.assertEqual(self.find(root, "cac:OrderReference/cbc:ID"), ["PO-8"])

    def test_several_po_numbers_are_told_by_line(self):
        root = self.export(
            self.book(
                price_line("5", SubPONumber="PO-7"),
                price_line("6", number=2, SubPONumber="PO-8"),
            )
        )
        self.assertFalse(self.find(root, "cac:OrderReference/cbc:ID"))
        self.assertEqual(
            [attributes["PO Number"] for attributes in self.get_attributes(root)],
            ["PO-7", "PO-8"],
        )

    def test_the_customers_po_number_is_that_of_lines_without(self):
        self.customer_to_come(po_number="PO-1")
        root = self.export(self.book(price_line("5")))
        self.assertEqual(self.find(root, "cac:OrderReference/cbc:ID"), ["PO-1"])

    def test_the_accounting_reference_is_the_cost_centre(self):
        root = self.export(self.book(price_line("5"), CostCenter="KPL-9"))
        self.assertEqual(self.find(root, "cbc:AccountingCost"), ["KPL-9"])

    # Lines

    def test_an_item_is_the_plan(self):
        line = self.export_line(price_line("5", Description="Cycle of a month"))
        self.assertEqual(self.find(line, "cac:Item/cbc:Name"), ["Plan"])
        self.assertIn(
            "Cycle of a month", self.find(line, "cac:Item/cbc:Description")[0]
        )
        self.assertEqual(
            self.find(line, "cac:Item/cac:SellersItemIdentification/cbc:ID"), ["plan"]
        )

    def test_the_invoiced_object_is_the_subscription(self):
        line = self.export_line(price_line("5"))
        reference = "cac:DocumentReference/cbc:"
        self.assertEqual(self.find(line, f"{reference}ID"), ["subscription-A1"])
        self.assertEqual(self.find(line, f"{reference}DocumentTypeCode"), ["130"])

    def test_the_note_is_what_the_vendor_says(self):
        line = self.export_line(price_line("5", VendorDetails="example.nl, renewal"))
        self.assertEqual(self.find(line, "cbc:Note"), ["example.nl, renewal"])

    def test_headings_and_notes_of_a_layout_are_no_lines(self):
        self.connection.layout_id = self.env["copaco.layout"].create(
            {
                "name": "Test",
                "section_by": "charge",
                "usage": "total",
                "vendor_details": "note",
            }
        )
        usage = {"ChargeType": "Usage Fee", "VendorDetails": "example.nl"}
        move = self.book(price_line("5"), price_line("7", number=2, **usage))
        self.assertEqual(len(move.invoice_line_ids), 5)
        root = self.export(move)
        amounts = self.find(root, "cac:InvoiceLine/cbc:LineExtensionAmount")
        self.assertEqual(amounts, ["5.00", "7.00"])
        notes = self.find(root, "cac:InvoiceLine/cbc:Note")
        self.assertEqual(notes, ["example.nl"])

    def test_what_the_vendor_says_is_left_out_where_the_layout_says_so(self):
        self.connection.layout_id = self.env["copaco.layout"].create(
            {"name": "Test", "vendor_details": "none"}
        )
        line = self.export_line(price_line("5", VendorDetails="example.nl"))
        self.assertNotIn("example.nl", etree.tostring(line).decode())

    def test_the_note_has_the_true_quantity_where_the_line_has_another(self):
        line = self.export_line(
            price_line("1.23", Quantity=100000, UnitPrice="0.0000123")
        )
        self.assertEqual(self.find(line, "cbc:InvoicedQuantity"), ["1.0"])
        (note,) = self.find(line, "cbc:Note")
        self.assertIn("100,000", note)
        self.assertIn("0.0000123", note)

    def test_a_line_with_copacos_own_quantity_has_no_note(self):
        line = self.export_line(price_line("10", Quantity=2, UnitPrice="5"))
        self.assertFalse(self.find(line, "cbc:Note"))

    def test_attributes_are_charge_type_and_consumer(self):
        root = self.export(
            self.book(
                price_line("5", ConsumerCompanyName="Filiaal"),
                price_line("6", number=2, ConsumerCompanyName="Customer A1"),
            )
        )
        self.assertEqual(
            self.get_attributes(root),
            [
                {"Charge Type": "Cycle Fee", "Consumer": "Filiaal"},
                {"Charge Type": "Cycle Fee"},
            ],
        )

    def test_what_a_person_adds_stays_as_odoo_has_it(self):
        move = self.book(price_line("5"))
        move.button_draft()
        move.invoice_line_ids = [
            Command.create({"product_id": self.product.id, "price_unit": 3})
        ]
        move.action_post()
        line = self.export(move).findall("cac:InvoiceLine", NAMESPACES)[1]
        self.assertEqual(self.find(line, "cac:Item/cbc:Name"), ["Cloud"])
        self.assertFalse(self.find(line, "cac:InvoicePeriod/cbc:StartDate"))

    def test_an_invoice_that_is_not_copacos_stays_as_odoo_has_it(self):
        move = self.init_invoice(
            "out_invoice", partner=self.partner, products=self.product, post=True
        )
        root = self.export(move)
        self.assertEqual(self.find(root, "cac:OrderReference/cbc:ID"), [move.name])
        self.assertFalse(self.find(root, "cac:InvoicePeriod/cbc:StartDate"))

    # Credit notes and corrections

    def test_a_credit_note_names_an_invoice_and_never_the_po_number(self):
        reference = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
        move = self.book(price_line("5"))
        credit = self.book(price_line("-3", SubPONumber="PO-7"), number="INV-2")
        root = self.export(credit)
        self.assertEqual(self.find(root, reference), [move.name])
        self.assertEqual(self.find(root, "cac:OrderReference/cbc:ID"), ["PO-7"])

    def test_a_belgian_credit_note_without_an_invoice_names_none(self):
        self.company.partner_id.country_id = self.env.ref("base.be")
        self.company.vat = "BE0477472701"
        content = etree.tostring(self.export(self.book(price_line("-3"))))
        self.assertNotIn(b"BillingReference", content)

    def test_a_dutch_e_invoice_has_the_same(self):
        move = self.book(price_line("5", VendorDetails="example.nl"))
        root = self.export(move, "account.edi.xml.ubl_nl")
        self.assertIn("nlcius", self.find(root, "cbc:CustomizationID")[0])
        self.assertEqual(self.find(root, "cac:InvoiceLine/cbc:Note"), ["example.nl"])
        self.assertTrue(self.find(root, "cac:InvoicePeriod/cbc:EndDate"))

    # A PO number that is required

    def test_a_document_without_a_required_po_number_is_held(self):
        self.customer_to_come(is_po_number_required=True)
        self.add_known(lines=[price_line("5"), price_line("6", number=2)])
        self.fetch()
        (document,) = self.documents.filtered("line_ids")
        self.assertRecordValues(
            document,
            [{"state": "held", "hold_reason": "po_number_missing", "move_id": False}],
        )
        self.assertIn("Plan – Service 1", document.hold_message)
        with self.committing(document.customer_id.with_user(self.billing_user)) as own:
            own.po_number = "PO-1"
        self.assertEqual(document.state, "new", "nobody has to retry")
        self.process(document)
        self.assertEqual(document.move_id.ref, "PO-1")

    def test_one_number_for_each_line_is_enough(self):
        self.customer_to_come(is_po_number_required=True)
        self.book(
            price_line("5", SubPONumber="PO-7"),
            price_line("6", number=2, SubPONumber="PO-8"),
        )

    # Helpers

    @property
    def customer(self):
        return self.env["copaco.customer"].search([("account_ref", "=", "A1")])

    def customer_to_come(self, **values):
        """Have the customer known before the first document that a test is about."""
        self.env["copaco.customer"].sudo().create(
            {"company_id": self.company.id, "account_ref": "A1", **values}
        )

    def export_line(self, line):
        """:return: the only line of the e-invoice"""
        root = self.export(self.book(line))
        (node,) = root.findall("cac:InvoiceLine", NAMESPACES)
        return node

    def get_attributes(self, root):
        """:return: list of a dict for each line"""
        attribute = "cac:Item/cac:AdditionalItemProperty"
        return [
            dict(
                zip(
                    self.find(line, f"{attribute}/cbc:Name"),
                    self.find(line, f"{attribute}/cbc:Value"),
                    strict=True,
                )
            )
            for line in root.findall("cac:InvoiceLine", NAMESPACES)
        ]

    def test_a_fixed_tax_is_a_line_of_its_own(self):
        fixed = self.tax.copy(
            {"name": "Recycling", "amount_type": "fixed", "amount": 2, "sequence": 0}
        )
        self.product.taxes_id += fixed
        ours = self.book(price_line("5"))
        by_hand = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [
                    Command.create({"product_id": self.product.id, "price_unit": 5})
                ],
            }
        )
        by_hand.action_post()
        for move in ours + by_hand:
            root = self.export(move)
            self.assertEqual(
                self.find(root, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"),
                ["7.00"],
            )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEInvoicePreview(PreviewCommon, EInvoiceCommon):
    """A preview shows what would keep an invoice from being sent."""

    def setUp(self):
        super().setUp()
        self.add_invoice(
            "INV-1", "A1", [price_line("5")], customer={"CustomerNumber": "K-1"}
        )

    def preview_warnings(self):
        preview = self.preview()
        self.assertEqual(preview.document_ids.outcome, "invoiced")
        self.assertEqual(
            preview.document_ids.search(preview.action_view_warnings()["domain"]),
            preview.document_ids.filtered("warnings"),
        )
        return preview.document_ids.warnings or ""

    def test_what_the_e_invoice_lacks_is_said(self):
        self.partner.invoice_edi_format = "nlcius"
        self.partner.zip = False
        self.assertIn("Zip", self.preview_warnings())
        self.partner.zip = "1001 AA"
        self.assertEqual(self.preview_warnings(), "")

    def test_who_gets_no_e_invoice_has_no_such_warning(self):
        self.partner.write({"invoice_sending_method": "email", "peppol_endpoint": ""})
        self.partner.invoice_edi_format = False
        self.assertEqual(self.preview_warnings(), "")

    def test_what_keeps_an_invoice_a_draft_is_said(self):
        self.partner.street = False
        self.assertIn("Street", self.preview_warnings())

    def test_an_e_invoice_that_odoo_refuses_to_build_is_said(self):
        self.partner.invoice_edi_format = "nlcius"
        # Odoo lets nobody save such a tax, and looks again.
        self.env.cr.execute(
            "UPDATE account_tax_repartition_line SET factor_percent = 50"
            " WHERE tax_id = %s AND document_type = 'refund'",
            [self.tax.id],
        )
        self.env.invalidate_all()
        self.assertIn(self.tax.name, self.preview_warnings())

    def test_a_builder_that_crashes_is_told_of_its_invoice_and_stops_no_other(self):
        self.partner.invoice_edi_format = "nlcius"
        self.add_invoice(
            "INV-2", "A1", [price_line("6")], customer={"CustomerNumber": "K-1"}
        )
        builder = self.partner._get_edi_builder("nlcius")
        export = self.registry[builder._name]._export_invoice
        crashes = {
            "ZeroDivisionError": lambda _cr: 1 / 0,
            # What the database refuses ends the transaction, too.
            "UndefinedTable": lambda cr: cr.execute("SELECT FROM no_such_table"),
        }
        for name, crash in crashes.items():

            def build(self, move, crash=crash):
                if move.amount_untaxed == 5:
                    crash(move.env.cr)
                return export(self, move)

            with (
                self.subTest(name=name),
                patch.object(self.registry[builder._name], "_export_invoice", build),
                self.assertLogs(E_INVOICE_LOGGER, "ERROR"),
                mute_logger("odoo.sql_db"),
            ):
                documents = self.preview().document_ids.sorted("invoice_number")
                self.assertEqual(documents.mapped("outcome"), ["invoiced"] * 2)
                self.assertIn(name, documents[0].warnings)
                self.assertFalse(documents[1].warnings)
