from decimal import Decimal

from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRounding(CopacoChangeCommon):
    """The invoice says Copaco's exact sum, rounded, or the total that it states."""

    def book(self, prices, total=None, **totals):
        """Let Copaco send lines of these prices.

        :return: the document
        """
        self.simulator.invoices.clear()
        lines = [
            price_line(price, number=number)
            for number, price in enumerate(prices, start=1)
        ]
        self.add_invoice("INV-1", "A1", lines, customer={"CustomerNumber": "K-1"})
        if total is not None:
            content = self.simulator.invoices[0].content
            content["Totals"] = {"TotalExcludingVAT": Decimal(total)}
        self.fetch()
        return self.documents

    def assertBooked(self, amount, rounding=0.0):
        document = self.documents
        self.assertEqual(document.state, "invoiced", document.hold_message)
        self.assertEqual(document.move_amount_untaxed, amount)
        lines = document.move_id.invoice_line_ids
        extra = lines.filtered("copaco_is_rounding")
        sign = -1 if document.move_id.move_type == "out_refund" else 1
        self.assertAlmostEqual(sign * sum(extra.mapped("price_subtotal")), rounding, 6)
        self.assertEqual(
            lines.mapped("price_subtotal"), lines.mapped(lambda x: x.price_subtotal)
        )
        self.assertTrue(all(price >= 0 for price in lines.mapped("price_unit")))
        for run in self.env["copaco.run"].search([]):
            self.assertTrue(run.is_balanced)

    def test_usage_below_half_a_cent_is_billed(self):
        self.book(["0.004"] * 1000, total="4.00")
        self.assertBooked(4.0, 4.0)
        extra = self.documents.move_id.invoice_line_ids.filtered("copaco_is_rounding")
        self.assertEqual(extra.name, "Rounding of amounts below a cent")
        self.assertEqual(extra.tax_ids, self.tax)

    def test_usage_of_half_a_cent_is_billed_once(self):
        self.book(["0.005"] * 1000, total="5.00")
        self.assertBooked(5.0, -5.0)

    def test_without_a_total_the_exact_sum_counts(self):
        prices = ["323.16538"] * 80 + ["323.1662"]
        self.assertEqual(sum(map(Decimal, prices)), Decimal("26176.3966"))
        self.book(prices)
        self.assertBooked(26176.40, -0.01 * round((323.17 * 81 - 26176.40) * 100))

    def reduce_tax_of_books(self):
        """:return: the tax that lines with a book have"""
        reduced = self.tax.copy({"name": "Reduced", "amount": 9})
        self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "text_contains": "Book",
                "product_id": self._create_product(name="Book", taxes_id=reduced).id,
            }
        )
        return reduced

    def book_by_tax(self, services, books):
        """Let Copaco send lines of two taxes.

        :param services: dict of how many there are by price
        :param books: the same
        :return: the document
        """
        self.simulator.invoices.clear()
        lines = [
            price_line(price, number=first + number, Description=name)
            for first, name, counts in ((0, "Service", services), (1000, "Book", books))
            for number, price in enumerate(
                price for price, count in counts.items() for _ in range(count)
            )
        ]
        self.add_invoice("INV-1", "A1", lines, customer={"CustomerNumber": "K-1"})
        self.fetch()
        return self.documents

    def get_amounts_by_tax(self, moves, only_rounding=False):
        """:return: dict by taxes of what was invoiced by moves without tax"""
        lines = moves.invoice_line_ids
        if only_rounding:
            lines = lines.filtered("copaco_is_rounding")
        amounts = {
            tax: round(-sum(own.mapped("balance")), 2)
            for tax, own in lines.grouped("tax_ids").items()
        }
        return {tax: amount for tax, amount in amounts.items() if amount}

    def test_roundings_of_two_taxes_that_make_up_for_each_other_are_two_lines(self):
        reduced = self.reduce_tax_of_books()
        document = self.book_by_tax({"0.004": 250}, {"0.005": 200})
        self.assertBooked(2.0)
        self.assertEqual(
            self.get_amounts_by_tax(document.move_id), {self.tax: 1.0, reduced: 1.0}
        )

    def test_roundings_of_a_correction_have_the_taxes_of_what_they_are_of(self):
        reduced = self.reduce_tax_of_books()
        for before, after, roundings in (
            # Less of both, by other amounts.
            (
                ({"0.004": 25}, {"0.004": 25}),
                ({"0.004": 5}, {"0.004": 20}),
                {self.tax: -0.08, reduced: -0.02},
            ),
            # What one is more, the other is less; no line has another amount.
            (
                ({"0.004": 25}, {"0.002": 25}),
                ({"0.002": 25}, {"0.004": 25}),
                {self.tax: -0.05, reduced: 0.05},
            ),
            # Each in another direction, beside a line that is new.
            (
                ({"0.004": 10}, {"0.006": 10}),
                ({"0.004": 20}, {"0.006": 20, "3": 1}),
                {self.tax: 0.04, reduced: -0.04},
            ),
            # A tax that the invoice doesn't have; and all of another one is gone.
            (
                ({"0.004": 10}, {}),
                ({}, {"0.003": 10}),
                {self.tax: -0.04, reduced: 0.03},
            ),
        ):
            with self.subTest(before=before, after=after), self.undone():
                document = self.book_by_tax(*before)
                document.move_id.action_post()
                self.book_by_tax(*after)
                correction = self.get_correction(document)
                self.assertEqual(
                    self.get_amounts_by_tax(correction, only_rounding=True), roundings
                )
                booked = self.get_amounts_by_tax(document.move_id | correction)
                self.assertEqual(
                    booked,
                    {
                        tax: round(
                            sum(float(price) * count for price, count in own.items()), 2
                        )
                        for tax, own in zip((self.tax, reduced), after, strict=True)
                        if own
                    },
                )
                self.assertTrue(
                    all(line.price_unit >= 0 for line in correction.invoice_line_ids)
                )

    def test_a_credited_rounding_is_not_credited_again_with_another_tax(self):
        reduced = self.reduce_tax_of_books()
        document = self.book_by_tax({"0.004": 25}, {"0.004": 10})
        invoice = document.move_id
        invoice.action_post()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard = wizard.create({"journal_id": invoice.journal_id.id})
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        credit.invoice_line_ids.filtered(
            lambda line: line.tax_ids != reduced or not line.price_subtotal
        ).unlink()
        credit.action_post()
        self.assertEqual(self.get_amounts_by_tax(credit), {reduced: -0.04})
        self.book_by_tax({"0.004": 5}, {})
        correction = self.get_correction(document)
        self.assertEqual(self.get_amounts_by_tax(correction), {self.tax: -0.08})

    def test_a_stated_total_that_rounding_explains_is_booked(self):
        self.book(["10.004", "10.004", "10.004"], total="30.00")
        self.assertBooked(30.0)

    def test_a_stated_total_beyond_rounding_is_not_booked_but_shown(self):
        document = self.book(["10.00", "10.00"], total="20.04")
        self.assertBooked(20.0)
        self.assertAlmostEqual(document.totals_difference, 0.04)
        self.assertIn("0.04", document.run_id.reconciliation)

    def test_a_larger_difference_is_held(self):
        document = self.book(["10.00", "10.00"], total="20.07")
        self.assertEqual(document.hold_reason, "source_totals_differ")

    def test_what_is_allowed_exactly_is_not_held_and_a_little_more_says_why(self):
        for prices, stated, figures in (
            (["10"], "10.055", None),
            (["10"], "9.945", None),
            (["10"], "10.0551", ("0.0551", "0.055")),
            (["10"], "9.94", ("-0.06", "0.055")),
            (["10", "10"], "20.06", None),
            (["10", "10"], "20.0600001", ("0.0600001", "0.06")),
            (["0.1", "0.2", "0.4"], "0.765", None),
        ):
            with self.subTest(prices=prices, stated=stated), self.undone():
                document = self.book(prices, total=stated)
                if not figures:
                    self.assertEqual(document.state, "invoiced", document.hold_message)
                    continue
                self.assertEqual(document.hold_reason, "source_totals_differ")
                for figure in figures:
                    self.assertRegex(
                        document.hold_message, rf"(?<![\d.]){figure}(?!\d)"
                    )

    def test_without_a_tolerance_only_rounding_is_allowed(self):
        self.connection.totals_tolerance = 0
        with self.undone():
            self.book(["10", "10"], total="20.01")
            self.assertBooked(20.01, 0.01)
        document = self.book(["10", "10"], total="20.0101")
        self.assertEqual(document.hold_reason, "source_totals_differ")
        for figure in ("0.0101", "0.01"):
            self.assertRegex(document.hold_message, rf"(?<![\d.]){figure}(?!\d)")

    def test_elements_of_a_document_make_up_for_nothing_of_each_other(self):
        for number, total in ((1, "910"), (2, "-890")):
            line = price_line("10", number=number)
            self.add_invoice("INV-1", "A1", [line], customer={"CustomerNumber": "K-1"})
            content = self.simulator.invoices[-1].content
            content["Totals"] = {"TotalExcludingVAT": Decimal(total)}
        self.fetch()
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        self.assertIn("900.00", self.documents.hold_message)

    def test_a_credit_is_rounded_alike(self):
        self.book(["-0.004"] * 100)
        self.assertBooked(-0.4, -0.4)
        self.assertEqual(self.documents.move_id.move_type, "out_refund")

    def test_a_draft_that_is_rebuilt_has_one_rounding(self):
        self.book(["0.004"] * 100)
        self.book(["0.004"] * 50)
        self.assertBooked(0.2, 0.2)
        self.act(self.documents, "action_retry")
        self.assertBooked(0.2, 0.2)

    def test_a_correction_has_the_difference_of_the_roundings(self):
        document = self.book(["0.004"] * 100)
        document.move_id.action_post()
        self.book(["0.004"] * 50)
        correction = self.get_correction(document)
        self.assertEqual(correction.amount_untaxed, 0.2)
        self.assertEqual(correction.move_type, "out_refund")

    def test_a_rounding_that_a_person_removed_stays_away(self):
        document = self.book(["0.004"] * 100)
        move = document.move_id
        move.invoice_line_ids.filtered("copaco_is_rounding").unlink()
        for _time in range(2):
            self.act(document, "action_retry")
            self.assertFalse(
                move.invoice_line_ids.filtered("copaco_is_rounding"), document.state
            )

    def test_a_price_that_an_e_invoice_would_cut_is_told_in_the_text(self):
        line = price_line("123.00", Quantity=10_000_000, UnitPrice=Decimal("0.0000123"))
        self.add_invoice("INV-1", "A1", [line], customer={"CustomerNumber": "K-1"})
        self.fetch()
        (line,) = self.documents.move_id.invoice_line_ids
        self.assertEqual((line.quantity, line.price_unit), (1, 123))
        self.assertIn("10,000,000", line.name)
        self.assertIn("0.0000123", line.name)

    def test_an_integral_number_is_written_in_one_way(self):
        for number in (81001, Decimal("81001.0"), "81001"):
            self.simulator.invoices.clear()
            line = price_line("10", InvoiceRowHash="row")
            self.add_invoice(number, "A1", [line], customer={"CustomerNumber": "K-1"})
            self.fetch()
        self.assertEqual(self.documents.invoice_number, "81001")
        self.assertFalse(self.documents.version_ids)
