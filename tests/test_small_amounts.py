from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSmallAmounts(CopacoChangeCommon):
    """Charges below half a cent are billed as part of the exact sum of their document,
    once, and what comes to nothing is confirmed."""

    def setUp(self):
        super().setUp()
        self.connection.invoice_policy = "post"

    def receive(self, number, *prices, keep=False, **values):
        """Fetch a document with lines of these prices.

        :param keep: whether Copaco still has what it had
        :return: the document
        """
        if not keep:
            self.simulator.invoices.clear()
        lines = [
            price_line(price, number=position, **values)
            for position, price in enumerate(prices, start=1)
        ]
        self.add_known(number, lines=lines)
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def assertBilled(self, document, amount):
        self.env.invalidate_all()
        self.assertEqual(document.state, "invoiced", document.hold_message)
        moves = document.move_id | document.correction_ids
        billed = sum(moves.mapped("amount_untaxed_in_currency_signed"))
        self.assertAlmostEqual(billed, amount, 6)
        self.assertEqual(document.move_id.state, "posted")
        self.assertAlmostEqual(document.amount_source, amount, 6)
        self.assertBalanced()

    def test_a_document_is_billed_as_the_exact_sum_of_its_charges(self):
        for number, (prices, amount, move_type) in enumerate(
            (
                (["0.004"], 0.00, "out_invoice"),
                (["0.0001"], 0.00, "out_invoice"),
                (["-0.004"], 0.00, "out_invoice"),
                (["0.00499999999"], 0.00, "out_invoice"),
                (["0.005"], 0.01, "out_invoice"),
                (["-0.005"], -0.01, "out_refund"),
                (["0.004", "0.004"], 0.01, "out_invoice"),
                (["-0.004", "-0.003"], -0.01, "out_refund"),
                (["0.004", "-0.004"], 0.00, "out_invoice"),
                (["0.006", "-0.002"], 0.00, "out_invoice"),
                (["-0.006", "0.002"], 0.00, "out_invoice"),
                (["0.0024", "0.0026"], 0.01, "out_invoice"),
                (["12.344", "0.0006"], 12.34, "out_invoice"),
                (["12.344", "0.001"], 12.35, "out_invoice"),
                (["3.004", "-3.00"], 0.00, "out_invoice"),
                (["-3.004", "3.00"], 0.00, "out_invoice"),
                (["0.004", "0.00"], 0.00, "out_invoice"),
            )
        ):
            with self.subTest(prices=prices):
                document = self.receive(f"S-{number}", *prices)
                self.assertBilled(document, amount)
                move = document.move_id
                self.assertEqual(move.move_type, move_type)
                self.assertGreaterEqual(
                    min(move.invoice_line_ids.mapped("price_unit")), 0
                )
                self.assertNotIn("-0.00", document.run_id.reconciliation or "")
                self.fetch()
                self.assertBilled(document, amount)
                self.assertEqual(document.move_id, move)
                self.assertFalse(document.version_ids)

    def test_documents_are_rounded_each_for_itself(self):
        first = self.receive("S-1", "0.004")
        second = self.receive("S-2", "0.004", keep=True, InvoiceRowHash="other")
        self.assertBilled(first, 0)
        self.assertBilled(second, 0)

    def test_the_same_small_charge_under_another_number_is_excluded(self):
        first = self.receive("S-1", "0.004", InvoiceRowHash="row")
        second = self.receive("S-2", "0.004", InvoiceRowHash="row")
        self.assertBilled(first, 0)
        self.assertEqual(second.state, "excluded", second.hold_message)
        self.assertBalanced()

    def test_parts_of_a_document_add_up_before_they_are_rounded(self):
        for number in (1, 2):
            self.add_known("S-1", lines=[price_line("0.004", number=number)])
        self.fetch()
        self.assertBilled(self.documents, 0.01)

    def test_a_small_charge_that_is_added_later_is_billed_once_it_is_a_cent(self):
        document = self.receive("S-1", "7.002")
        self.assertBilled(document, 7)
        document = self.receive("S-1", "7.002", "0.002")
        self.assertEqual(document.state, "changed")
        self.act(document, "action_correct")
        self.assertBilled(document, 7)
        self.assertFalse(document.correction_ids)
        document = self.receive("S-1", "7.002", "0.002", "0.002")
        self.act(document, "action_correct")
        self.assertBilled(document, 7.01)
        self.assertEqual(document.correction_ids.amount_untaxed, 0.01)

    def test_nothing_becomes_a_cent_and_nothing_again(self):
        document = self.receive("S-1", "0.003")
        self.assertBilled(document, 0)
        for prices, amount in (
            (("0.003", "0.003"), 0.01),
            (("0.003",), 0.00),
            (("0.003", "0.001", "-0.02"), -0.02),
        ):
            with self.subTest(prices=prices):
                self.receive("S-1", *prices)
                self.act(document, "action_correct")
                document.correction_ids.filtered(
                    lambda move: move.state == "draft"
                ).action_post()
                self.assertBilled(document, amount)

    def test_a_draft_follows_what_small_charges_come_to(self):
        self.connection.invoice_policy = "draft"
        random = Random(7)
        amounts = ("0.004", "-0.004", "0.0005", "0.0049", "1.005", "-0.333", "0.00")
        for _time in range(12):
            prices = [random.choice(amounts) for _line in range(random.randint(1, 4))]
            document = self.receive("S-1", *prices)
            exact = sum(map(Decimal, prices))
            amount = float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
            with self.subTest(prices=prices):
                if document.state == "changed":
                    # It became a credit note, or no longer is one.
                    document.move_id.unlink()
                    self.act(document, "action_use_new_version")
                self.assertEqual(document.state, "invoiced", document.hold_message)
                move = document.move_id
                self.assertEqual(move.amount_untaxed_in_currency_signed, amount)
                self.assertBalanced()

    def test_small_charges_of_several_taxes_are_billed_together(self):
        reduced = self.tax.copy({"name": "Reduced", "amount": 9})
        product = self._create_product(name="Domain", taxes_id=reduced)
        self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "text_contains": "Service 2",
                "product_id": product.id,
            }
        )
        document = self.receive("S-1", "0.003", "0.003")
        self.assertBilled(document, 0.01)
        self.assertEqual(document.move_id.amount_tax, 0)

    def test_a_total_of_nothing_is_no_evidence_of_an_invoice_by_hand(self):
        move = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=date(2026, 11, 20),
            amounts=[0.0],
        )
        self.assertEqual(move.amount_untaxed, 0)
        self.assertBilled(self.receive("S-1", "0.004"), 0)

    def test_a_stated_total_counts_where_rounding_explains_it(self):
        for number, (total, amount) in enumerate(
            (("0.00", 0), ("0.01", 0.01), ("-0.01", 0.01), ("0.02", 0.01))
        ):
            with self.subTest(total=total):
                self.simulator.invoices.clear()
                lines = [price_line("0.004"), price_line("0.001", number=2)]
                self.add_known(f"S-{number}", lines=lines)
                content = self.simulator.invoices[0].content
                content["Totals"] = {"TotalExcludingVAT": Decimal(total)}
                self.fetch()
                self.assertBilled(self.documents[-1], amount)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSmallCosts(CopacoBillCommon):
    """A bill is of the exact sum of all documents of its Copaco invoice."""

    def test_small_costs_of_several_customers_are_one_bill(self):
        for number, (prices, amount) in enumerate(
            (
                ((["0.004"],), 0.0),
                ((["0.004"], ["0.004"]), 0.01),
                ((["0.004"], ["-0.004"]), 0.0),
                ((["0.003"], ["0.003"], ["0.003", "0.004"]), 0.01),
                ((["-0.004"], ["-0.004"]), -0.01),
            )
        ):
            with self.subTest(prices=prices):
                self.simulator.purchases.clear()
                self.add_purchase(
                    f"P-{number}",
                    {
                        f"A{number}-{customer}": [
                            price_line(price, number=position)
                            for position, price in enumerate(own)
                        ]
                        for customer, own in enumerate(prices)
                    },
                )
                self.fetch()
                documents = self.documents.filtered(
                    lambda each, number=number: each.invoice_number == f"P-{number}"
                )
                self.assertEqual(set(documents.mapped("state")), {"invoiced"})
                bill = documents.move_id
                self.assertEqual(-bill.amount_untaxed_in_currency_signed, amount)
                self.assertTrue(documents.run_id.is_balanced)
