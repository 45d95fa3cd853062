from lxml import etree

from odoo.tests import freeze_time, tagged

from .common import price_line
from .test_peppol import ADDRESS, NLCIUS, PeppolCommon


@tagged("post_install", "-at_install", "-standard", "copaco_peppol")
@freeze_time("2026-11-25 10:00:00")
class TestCreditNoteByPeppol(PeppolCommon):
    """Dutch rule NL-R-001: a credit note names the invoice that it belongs to."""

    def setUp(self):
        super().setUp()
        self.register()
        self.access_point.participants[ADDRESS] = [NLCIUS]
        self.prefer("peppol")

    def get_reference(self):
        """:return: the invoice that the last document that arrived names, and its
        order"""
        _receiver, content = self.access_point.documents[-1]
        tree = etree.fromstring(content)
        self.assertEqual(etree.QName(tree).localname, "CreditNote")
        return (
            tree.findtext(".//{*}BillingReference/{*}InvoiceDocumentReference/{*}ID"),
            tree.findtext("./{*}OrderReference/{*}ID"),
        )

    def test_a_credit_note_names_the_last_confirmed_invoice(self):
        invoice = self.book("100").move_id
        credit = self.book("-9.99", number="INV-2")
        self.assertEqual(credit.move_id.move_type, "out_refund")
        self.send()
        self.assertSent(credit)
        self.assertEqual(self.get_reference()[0], invoice.name)

    def test_a_po_number_is_the_order_never_the_invoice(self):
        invoice = self.book("100").move_id
        line = price_line("-9.99", PONumber="PO-77")
        self.add_known("INV-2", lines=[line])
        self.fetch()
        credit = self.documents[1].move_id
        credit.ref = "PO-77"
        self.send()
        self.assertSent(credit.copaco_delivery_ids)
        self.assertEqual(self.get_reference(), (invoice.name, "PO-77"))

    def test_a_correction_names_what_it_corrects(self):
        invoice = self.book("100").move_id
        later = self.book("50", number="INV-3")
        self.send()
        self.assertSent(later)
        self.simulator.invoices.clear()
        self.add_known("INV-1", lines=[price_line("90")])
        self.fetch()
        document = invoice.copaco_document_id
        with self.committing(document) as committing:
            committing.action_correct()
        correction = document.correction_ids
        correction.action_post()
        self.env["account.move.send"]._generate_and_send_invoices(
            correction, sending_methods={"peppol"}
        )
        self.assertEqual(self.get_reference()[0], invoice.name)

    def test_without_an_earlier_invoice_it_is_held(self):
        self.add_known("INV-1", lines=[price_line("-9.99")])
        self.fetch()
        document = self.documents
        self.assertRecordValues(
            document, [{"state": "held", "hold_reason": "credit_without_invoice"}]
        )
        self.assertIn("Bakkerij", document.hold_message)
        self.book("100", number="INV-2", Date="20261122")
        with self.committing(document) as committing:
            committing.action_retry()
        self.send()
        self.assertSent(document.move_id.copaco_delivery_ids)

    def test_an_invoice_in_the_same_batch_will_do(self):
        self.add_known("INV-1", lines=[price_line("-9.99")])
        self.add_known("INV-2", lines=[price_line("100")])
        self.fetch()
        self.send()
        self.assertEqual(len(self.documents), 2)
        for document in self.documents:
            self.assertSent(document.move_id.copaco_delivery_ids)

    def test_an_invoice_that_was_credited_in_full_is_not_named(self):
        first = self.book("100").move_id
        replaced = self.book("50", number="INV-2").move_id
        drafts = (
            self.env["copaco.reverser"]
            .sudo()
            ._invoice_anew(
                replaced.copaco_document_id.sudo(), partner=self.create_partner()
            )
        )
        self.assertIn("draft", drafts.mapped("state"))
        self.documents.customer_id.partner_id = self.partner
        reversed_by_hand = self.book("40", number="INV-3").move_id
        reversed_by_hand._reverse_moves(cancel=True)
        self.assertEqual(reversed_by_hand.payment_state, "reversed")
        credit = self.book("-9.99", number="INV-4")
        self.send()
        self.assertSent(credit)
        self.assertEqual(self.get_reference()[0], first.name)

    def test_a_customer_who_gets_no_e_invoice_needs_none(self):
        self.prefer("email", invoice_edi_format=False)
        self.access_point.participants.clear()
        self.partner.with_company(self.company).peppol_verification_state = "not_valid"
        self.assertTrue(self.book("-9.99"))

    def test_what_a_person_credits_by_hand_is_as_odoo_does_it(self):
        credit = self.init_invoice(
            "out_refund", partner=self.partner, products=self.product, post=True
        )
        builder = self.env["account.edi.xml.ubl_nl"]
        _content, errors = builder._export_invoice(credit)
        self.assertTrue(errors)
