from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line

DECIMALS = {"EUR": (1, 0.01), "JPY": (160, 1), "KWD": (0.33, 0.001)}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCurrencies(CopacoChangeCommon):
    """Promise 4 in currencies that have no decimals, or three."""

    def setUp(self):
        super().setUp()
        for code, (rate, rounding) in DECIMALS.items():
            currency = self.env["res.currency"].with_context(active_test=False)
            currency = currency.search([("name", "=", code)])
            currency.active = True
            if code != "EUR":
                currency.rounding = rounding
                self.env["res.currency.rate"].create(
                    {
                        "currency_id": currency.id,
                        "company_id": self.company.id,
                        "name": "2026-01-01",
                        "rate": rate,
                    }
                )

    def receive(self, code, *amounts, total=None):
        lines = [price_line(each, number=n) for n, each in enumerate(amounts)]
        number = f"{code}-{len(self.simulator.invoices)}"
        self.add_known(number, lines=lines, Currency=code)
        if total:
            totals = {"TotalExcludingVAT": total}
            self.simulator.invoices[-1].content["Totals"] = totals

    def test_each_is_the_exact_sum_rounded_to_its_currency(self):
        self.receive("JPY", *["0.4"] * 100)
        self.receive("JPY", *["0.5"] * 100, total="50")
        self.receive("JPY", *["100.5"] * 3, total="303")
        self.receive("KWD", *["0.0004"] * 100, total="0.04")
        self.receive("KWD", *["1.2345"] * 3)
        self.receive("KWD", *["-1.2345"] * 3)
        self.receive("EUR", *["0.004"] * 100)
        run = self.fetch()
        signed = self.documents.move_id.mapped("amount_untaxed_in_currency_signed")
        self.assertEqual(
            [round(each, 3) for each in signed], [40, 50, 303, 0.04, 3.704, -3.704, 0.4]
        )
        self.assertTrue(run.is_balanced)
        self.assertEqual(run.state, "done")

    def test_it_is_balanced_when_some_of_them_are_known(self):
        self.receive("KWD", "1.2345")
        self.receive("EUR", "10.00")
        self.fetch()
        self.receive("KWD", "0.0011")
        self.receive("KWD", "2.3336")
        run = self.fetch()
        self.assertEqual((run.received_count, run.unchanged_count), (4, 2))
        self.assertBalanced()
        self.assertEqual(run.state, "done")

    def test_a_total_that_is_off_by_a_unit_of_its_currency_is_held(self):
        self.receive("JPY", *["100"] * 3, total="303")
        self.receive("KWD", "1.234", total="1.3")
        self.fetch()
        self.assertEqual(
            self.documents.mapped("hold_reason"), ["source_totals_differ"] * 2
        )
