from itertools import product
from math import copysign

from odoo.tests import freeze_time, tagged

from .properties import examples, given, settings, st
from .test_bill import CopacoBillCommon
from .test_margin import OCTOBER, line

AMOUNTS = (-5, -4, 0, 4, 5)
SIGNS = (-1, 1)
THRESHOLD = 10
AMOUNT = st.integers(-300, 300).map(lambda cents: cents / 100)
QUANTITY = st.sampled_from([-3, -1, 0, 1, 2, 3])


def expect(sale, cost, sale_quantity, cost_quantity):
    """What a bookkeeper would say of a sale and its cost."""
    found = set()
    if (sale or cost) and sale > 0 > cost:
        found.add("sale_without_cost")
    if sale < cost and not (sale < 0 and cost < 0):
        found.add("below_cost")
    if 0 <= cost <= sale and sale and (sale - cost) / sale * 100 < THRESHOLD - 1e-9:
        found.add("low_margin")
    if sale_quantity != cost_quantity:
        found.add("quantity_differs")
    return found


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginSigns(CopacoBillCommon):
    """Copaco does not say whether the sign of a credit is on its quantity or on its
    price: what is found is the same, and signs that differ are found."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.connection.margin_threshold = THRESHOLD

    def send(self, pairs):
        """Let Copaco send both sides of pairs of (sale, cost, quantity of the sale,
        quantity of the cost), and one that makes neither a credit.

        :return: list of the lines of the sales side
        """

        def make(side):
            own = [
                line(
                    pair[side],
                    number,
                    Quantity=pair[side + 2],
                    UnitPrice=abs(pair[side]) if pair[side + 2] > 0 else pair[side],
                )
                for number, pair in enumerate(pairs)
            ]
            return [*own, line("1000", len(pairs))]

        self.add_known("S-1", lines=make(0))
        self.add_purchase("P-1", {"A1": make(1)})
        self.fetch()
        self.run_crons()
        document = self.documents.filtered(lambda each: each.kind == "specification")
        return document.line_ids.sorted("sequence")

    def get_kinds(self, sale_line):
        findings = self.env["copaco.finding"].search(
            [("sale_line_id", "=", sale_line.id), ("state", "=", "open")]
        )
        return set(findings.mapped("kind"))

    def test_all_signs_of_amounts_and_quantities(self):
        pairs = list(product(AMOUNTS, AMOUNTS, SIGNS, SIGNS))
        lines = self.send(pairs)
        for pair, sale_line in zip(pairs, lines[:-1], strict=True):
            with self.subTest(pair=pair):
                self.assertEqual(self.get_kinds(sale_line), expect(*pair))

    @given(st.tuples(AMOUNT, AMOUNT, QUANTITY, QUANTITY))
    @settings(max_examples=examples(40), deadline=None)
    def test_any_figures(self, pair):
        sale_line, cost_line = self.paired
        for each, amount, quantity in zip(self.paired, pair[:2], pair[2:], strict=True):
            each.write({"amount": amount, "quantity": quantity})
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        self.assertEqual(self.get_kinds(sale_line), expect(*pair))

    @property
    def paired(self):
        """:return: the line of a sale, and that of its cost"""
        if not self.documents:
            self.send([(5, 4, 1, 1)])
        lines = self.documents.line_ids.filtered(lambda each: each.row_hash == "row-0")
        return lines.sudo().sorted(lambda each: each.document_id.kind == "purchase")

    def test_the_price_of_a_credit_is_that_of_the_charge(self):
        """Wherever Copaco puts the sign, the price for one has not changed."""
        for quantity in SIGNS:
            with self.subTest(quantity=quantity), self.undone():
                self.simulator.invoices.clear()
                self.simulator.purchases.clear()
                values = {"created": OCTOBER, "Date": "20261023"}
                before = line("5", 1, InvoiceRowHash="old")
                rest = line("1000", 2, InvoiceRowHash="rest", SubscriptionID="rest")
                self.add_known("S-0", lines=[before], **values)
                self.add_purchase("P-0", {"A1": [before]}, **values)
                self.connection.import_from = OCTOBER
                now = line("-5", 1, Quantity=quantity, UnitPrice=copysign(5, -quantity))
                self.add_known("S-1", lines=[now, rest])
                self.add_purchase("P-1", {"A1": [now, rest]})
                self.fetch()
                self.run_crons()
                (row,) = self.env["copaco.margin"].search([("sale", "=", -5)])
                self.assertEqual(row.cost, -5)
                self.assertEqual(
                    self.env["copaco.finding"].search_count(
                        [("kind", "=", "price_changed")]
                    ),
                    0,
                )
