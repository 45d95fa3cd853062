from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


class CopacoMonthInvoicesCommon(CopacoChangeCommon):
    """A connection that makes one invoice per customer and month."""

    def setUp(self):
        super().setUp()
        self.connection.invoice_grouping = "month"

    def receive(self, account="A1", customer=None, **amounts):
        """Let Copaco have an invoice of a customer for each number, and fetch that.

        :param amounts: lists of amounts by number
        :return: the documents of these numbers
        """
        for number, own in amounts.items():
            lines = [
                price_line(amount, number=place, Description=f"{number} {place}")
                for place, amount in enumerate(own, start=1)
            ]
            self.simulator.invoices[:] = [
                stored
                for stored in self.simulator.invoices
                if stored.content["Header"]["InvoiceID"] != number
            ]
            self.add_invoice(
                number, account, lines, customer=customer or {"CustomerNumber": "K-1"}
            )
        self.fetch()
        return self.get(*amounts)

    def get(self, *numbers):
        """:return: the documents of these numbers, in this order"""
        documents = {each.invoice_number: each for each in self.documents}
        return self.documents.browse(documents[number].id for number in numbers)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoices(CopacoMonthInvoicesCommon):
    """Documents of a customer that are put on one invoice for a month: promises 1 to 4
    and 7."""

    def test_documents_of_a_customer_are_one_draft_to_the_cent(self):
        first, second = self.receive(P1=["10.004", "0.004"], P2=["5.004", "0.002"])
        move = first.move_id
        self.assertEqual(second.move_id, move)
        self.assertRecordValues(
            move,
            [
                {
                    "state": "draft",
                    "amount_untaxed": 15.02,
                    "invoice_origin": "P1, P2",
                    "copaco_document_id": first.id,
                    "copaco_amount": 15.02,
                }
            ],
        )
        self.assertEqual(first.amount_billed, first.amount_to_invoice)
        self.assertEqual(second.amount_billed, second.amount_to_invoice)
        self.assertBalanced()
        self.assertEqual(self.get_amounts(first), {"draft": 15.02})
