from odoo.tests import freeze_time, tagged

from .common import price_line
from .test_e_invoice import NAMESPACES, EInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesSent(EInvoiceCommon):
    """What the e-invoice of several documents, and of a correction of one, says."""

    def receive(self, **amounts):
        """:return: the documents of these numbers, each of a month of its own"""
        self.simulator.invoices.clear()
        for position, (number, amount) in enumerate(amounts.items()):
            line = price_line(
                amount,
                StartDate=f"20260{8 + position}01",
                EndDate=f"20260{8 + position}28",
                Description=number,
            )
            customer = {"CustomerNumber": "K-1"}
            self.add_invoice(number, "A1", [line], customer=customer)
        self.fetch()
        return self.documents.sorted("invoice_number")

    def test_its_period_encloses_all_and_a_credit_note_names_it(self):
        self.connection.invoice_grouping = "month"
        documents = self.receive(P1="10", P2="5")
        move = documents.move_id
        root = self.export(move)
        self.assertEqual(
            self.find(root, "cac:InvoicePeriod/*"), ["2026-08-01", "2026-09-28"]
        )
        self.assertEqual(len(root.findall("cac:InvoiceLine", NAMESPACES)), 2)
        self.receive(P1="10", P2="3")
        with self.committing(documents[1].with_user(self.billing_user)) as own:
            credit = move.browse(own.action_correct()["res_id"])
        credit.action_post()
        path = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
        self.assertEqual(self.find(self.export(credit), path), [move.name])
