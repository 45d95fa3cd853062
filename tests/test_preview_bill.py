import base64

from odoo.tests import freeze_time, tagged

from .common import CREATED, copaco_invoice, price_line
from .simulator.encoding import dumps
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPreviewBill(CopacoBillCommon):
    """An uploaded file of purchase invoices shows beforehand which bills it makes."""

    def make_purchase(self, number, amounts):
        invoices = [
            copaco_invoice(number, account, lines) for account, lines in amounts.items()
        ]
        invoice = invoices[0]
        invoice["Customers"] = [each["Customers"][0] for each in invoices]
        return invoice

    def preview(self, *invoices):
        content = base64.b64encode(dumps({"Invoices": list(invoices)}))
        upload = (
            self.env["copaco.upload"]
            .with_user(self.billing_user)
            .create(
                {
                    "connection_id": self.connection.id,
                    "kind": "purchase",
                    "content": content,
                    "file_name": "purchases.json",
                }
            )
        )
        with self.committing(upload) as committing:
            action = committing.action_preview()
        # What is in a window is for who opened it.
        return self.env["copaco.preview"].sudo().browse(action["res_id"])

    def test_one_row_is_one_bill_of_all_its_customers(self):
        preview = self.preview(
            self.make_purchase(
                "P-1",
                {
                    "A1": [price_line("15"), price_line("2", number=2)],
                    "A2": [price_line("1")],
                },
            ),
            self.make_purchase("P-2", {"A1": [price_line("-30")]}),
        )
        self.assertRecordValues(
            preview.document_ids,
            [
                {
                    "outcome": "invoiced",
                    "invoice_number": "P-1",
                    "move_type": "in_invoice",
                    "line_count": 3,
                    "amount_untaxed_signed": 18,
                    "amount_total_signed": 21.78,
                },
                {
                    "outcome": "invoiced",
                    "invoice_number": "P-2",
                    "move_type": "in_refund",
                    "line_count": 1,
                    "amount_untaxed_signed": -30,
                    "amount_total_signed": -36.3,
                },
            ],
        )
        bill = preview.document_ids[0]
        self.assertEqual(bill.partner_name, self.vendor.display_name)
        for account in ("A1", "A2"):
            self.assertIn(account, bill.customer_name)
        self.assertEqual(bill.line_ids.mapped("price_subtotal"), [15, 2, 1])
        self.assertRecordValues(
            preview.outcome_ids,
            [{"outcome": "invoiced", "document_count": 2, "amount_untaxed": -12}],
        )
        self.assertFalse(self.purchases)

    def test_what_is_not_booked_is_a_row_for_each_customer(self):
        bad = price_line("1")
        del bad["ExtendedPrice"]
        preview = self.preview(
            self.make_purchase("P-1", {"A1": [price_line("15")], "A2": [bad]})
        )
        self.assertEqual(preview.document_ids.mapped("outcome"), ["held", "held"])
        self.assertEqual(
            set(preview.document_ids.mapped("hold_reason")),
            {"bill_incomplete", "payload_invalid"},
        )

    def test_a_preview_shows_what_the_upload_does(self):
        invoice = self.make_purchase(
            "P-1", {"A1": [price_line("15.005")], "A2": [price_line("1.005")]}
        )
        preview = self.preview(invoice)
        self.simulator.add_invoice(invoice, CREATED, "invoices")
        self.fetch()
        bill = self.purchases.move_id
        self.assertRecordValues(
            preview.document_ids,
            [
                {
                    "amount_untaxed": bill.amount_untaxed,
                    "amount_tax": bill.amount_tax,
                    "amount_total": bill.amount_total,
                }
            ],
        )
        again = self.preview(invoice)
        self.assertEqual(again.document_ids.mapped("outcome"), ["known", "known"])
