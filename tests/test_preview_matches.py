from datetime import date

from odoo.tests import freeze_time, tagged

from .common import TODAY, copaco_invoice, price_line
from .preview import PreviewCommon
from .simulator import Simulator


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPreviewMatches(PreviewCommon):
    """A preview shows what the import that follows does, line by line."""

    def start_simulator(self, **options):
        # As many kinds of lines as the simulator knows.
        self.simulator = self.enterContext(
            Simulator(customers=10, months=2, today=TODAY, **options)
        )
        self.connection.base_url = self.simulator.url

    def setUp(self):
        super().setUp()
        self.connection.import_from = date(2026, 10, 1)
        for customer in self.simulator.customers[:-2]:
            self.create_partner(name=customer.name, ref=customer.customer_number)
        self.simulator.add_invoice(
            copaco_invoice("INV-X", "AX", [price_line("1", ExtendedPrice="?")]),
            created=date(2026, 11, 20),
        )

    def assertSameBooks(self):
        preview = self.preview()
        self.fetch()
        self.assertEqual(len(preview.document_ids), len(self.documents))
        self.assertGreater(len(self.documents.move_id.invoice_line_ids), 100)
        self.assertIn("held", self.documents.mapped("state"))
        shown = {
            (document.invoice_number, document.customer_name): document
            for document in preview.document_ids
        }
        for document in self.documents:
            previewed = shown[document.invoice_number, document.customer_id.name]
            with self.subTest(document=document.name):
                self.assertSameDocument(previewed, document)

    def assertSameDocument(self, previewed, document):
        move = document.move_id
        self.assertRecordValues(
            previewed,
            [
                {
                    "outcome": document.state,
                    "hold_reason": document.hold_reason,
                    "message": document.hold_message,
                    "invoice_date": document.invoice_date,
                    "partner_name": move.partner_id.display_name,
                    "move_type": move.move_type,
                    "currency_id": document.currency_id.id,
                    "amount_untaxed": move.amount_untaxed or document.amount_source,
                    "amount_tax": move.amount_tax,
                    "amount_total": move.amount_total,
                    "line_count": len(document.line_ids),
                }
            ],
        )
        if not move:
            return
        self.assertEqual(
            [
                (
                    line.name,
                    line.vendor_details,
                    line.quantity,
                    line.price_unit,
                    line.discount,
                    line.taxes,
                    line.account,
                    line.price_subtotal,
                    line.price_total,
                )
                for line in previewed.line_ids
            ],
            [
                (
                    line.name,
                    line.copaco_vendor_details,
                    line.quantity,
                    line.price_unit,
                    line.discount,
                    ", ".join(line.tax_ids.mapped("name")),
                    line.account_id.display_name,
                    line.price_subtotal,
                    line.price_total,
                )
                for line in move.with_user(self.billing_user).invoice_line_ids
            ],
        )

    def test_drafts_are_as_they_were_previewed(self):
        self.assertSameBooks()

    def test_confirmed_invoices_are_as_they_were_previewed(self):
        self.connection.invoice_policy = "post"
        self.assertSameBooks()
        self.assertEqual(set(self.documents.move_id.mapped("state")), {"posted"})

    def test_a_preview_of_what_was_fetched_shows_that_nothing_would_change(self):
        self.fetch()
        preview = self.preview(date_from=self.connection.import_from)
        self.assertEqual(set(preview.document_ids.mapped("outcome")), {"known"})
        self.assertAlmostEqual(
            sum(preview.document_ids.mapped("amount_total_signed")),
            sum(self.documents.move_id.mapped("amount_total_in_currency_signed")),
        )
