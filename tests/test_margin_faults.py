from collections import defaultdict
from copy import deepcopy
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from odoo.tests import freeze_time, tagged

from .common import TODAY
from .simulator import Simulator
from .test_bill import CopacoBillCommon

CENT = Decimal("0.01")
# How often each fault is planted in a month.
PLANTED = 2
FAULT_KINDS = [
    *("cost_without_sale", "sale_without_cost", "below_cost", "low_margin"),
    *("quantity_differs", "customer_excluded", "bill_differs"),
]
# The simulator changes none, so they are where a fault was planted.
PRICE_KINDS = ["price_changed"]


class MarginFaultsCommon(CopacoBillCommon):
    """Months of both sides as the simulator sends them: every fault that is planted is
    found, and none is invented; bills and invoices are the source to the cent."""

    customers, months, lines = 6, 3, 90

    def start_simulator(self, **options):
        self.simulator = self.enterContext(
            Simulator(
                customers=self.customers,
                months=self.months,
                today=TODAY,
                lines=self.lines,
            )
        )
        self.connection.base_url = self.simulator.url
        self.connection.import_from = min(
            stored.created for stored in self.simulator.invoices
        )

    def setUp(self):
        super().setUp()
        self.random = Random(1)
        self.expected = set()
        self.subscriptions = set()
        self.sales = self.index_lines(self.simulator.invoices)
        self.costs = self.index_lines(self.simulator.purchases)
        # What has a fault already gets no other one.
        self.free = defaultdict(list)
        for row_hash, (stored, line, _subscription) in self.sales.items():
            if Decimal(str(line["ExtendedPrice"])) > 5:
                self.free[stored.created].append(row_hash)
        for rows in self.free.values():
            self.random.shuffle(rows)

    def index_lines(self, invoices):
        """:return: dict by row hash of (element, price line, its subscription)"""
        return {
            line["InvoiceRowHash"]: (stored, line, subscription)
            for stored in invoices
            for customer in stored.content["Customers"]
            for subscription in customer["Subscriptions"]
            for line in subscription["PriceLines"]
        }

    def remove(self, side, row_hash):
        stored, line, subscription = side[row_hash]
        subscription["PriceLines"] = [
            each for each in subscription["PriceLines"] if each is not line
        ]
        # They would say that a line is missing.
        stored.content.pop("Totals", None)

    def expect(self, kind, row_hash):
        self.expected.add((kind, str(self.sales[row_hash][1]["LineId"])))

    def change(self, side, row_hash, **values):
        stored, line, _subscription = side[row_hash]
        line.update(values)
        stored.content.pop("Totals", None)

    # What is planted

    def plant_lost_sale(self, row_hash):
        self.remove(self.sales, row_hash)
        self.expect("cost_without_sale", row_hash)

    def plant_lost_cost(self, row_hash):
        self.remove(self.costs, row_hash)
        self.expect("sale_without_cost", row_hash)

    def plant_sale_below_cost(self, row_hash):
        self.change(self.sales, row_hash, ExtendedPrice=CENT)
        self.expect("below_cost", row_hash)

    def plant_other_quantity(self, row_hash):
        quantity = Decimal(str(self.sales[row_hash][1]["Quantity"]))
        self.change(self.sales, row_hash, Quantity=quantity + 1)
        self.expect("quantity_differs", row_hash)

    def plant_missing_hash(self, row_hash):
        side = self.random.choice([self.sales, self.costs])
        self.change(side, row_hash, InvoiceRowHash="")

    def plant_other_hash(self, row_hash):
        self.change(self.costs, row_hash, InvoiceRowHash=f"{row_hash[:30]}-other")
        self.expect("sale_without_cost", row_hash)
        self.expect("cost_without_sale", row_hash)

    def plant_merged_correction(self, row_hash):
        """One line of costs for two of sales."""
        line = self.sales[row_hash][1]
        half = deepcopy(line)
        half |= {"LineId": f"{line['LineId']}-2", "InvoiceRowHash": f"{row_hash}-2"}
        whole = Decimal(str(line["ExtendedPrice"]))
        other = (whole / 2).quantize(CENT, ROUND_HALF_UP)
        half["ExtendedPrice"] = other
        self.sales[row_hash][2]["PriceLines"].append(half)
        self.change(self.sales, row_hash, ExtendedPrice=whole - other)
        self.expected.add(("sale_without_cost", str(half["LineId"])))
        # At half of the price there is less than the cost.
        self.expect("below_cost", row_hash)

    def renumber_last_invoice(self):
        """Have Copaco send the lines of a purchase invoice under another number, too,
        when they have been billed."""
        last = self.simulator.purchases[-1]
        content = deepcopy(last.content)
        content["Header"]["InvoiceID"] = f"7{last.number[1:]}"
        self.simulator.add_invoice(content, TODAY, "invoices")

    def plant(self):
        kinds = [
            self.plant_lost_sale,
            self.plant_lost_cost,
            self.plant_sale_below_cost,
            self.plant_other_quantity,
            self.plant_missing_hash,
            self.plant_other_hash,
            self.plant_merged_correction,
        ]
        for rows in self.free.values():
            for kind in kinds * PLANTED:
                row_hash = rows.pop()
                subscription = self.sales[row_hash][2]
                self.subscriptions.add(str(subscription["SubscriptionID"]))
                kind(row_hash)

    # What is found

    def work(self):
        """Fetch all months, and do what the scheduled actions do."""
        self.fetch()
        waiting = [
            ("copaco.run", "_cron_execute", ("state", "=", "running")),
            ("copaco.document", "_cron_process", ("state", "=", "new")),
        ]
        for model, method, domain in waiting:
            while self.env[model].search_count([domain]):
                with self.committing(self.env[model]) as committing:
                    getattr(committing, method)()
        self.run_crons()

    def get_found(self, kinds, name="line_ref"):
        """:return: set of (kind, what the price line has in a field)"""
        findings = self.env["copaco.finding"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("state", "=", "open"),
                ("kind", "in", kinds),
            ]
        )
        return {
            (finding.kind, (finding.sale_line_id or finding.cost_line_id)[name])
            for finding in findings
        }

    def check_every_planted_fault(self):
        for customer in self.simulator.customers:
            self.create_partner(
                name=customer.name,
                ref=customer.customer_number,
                vat=customer.vat or "/",
                country_id=self.nl.id,
            )
        self.plant()
        self.work()
        self.renumber_last_invoice()
        self.work()
        found = self.get_found(FAULT_KINDS)
        self.assertEqual(found - self.expected, set(), "invented")
        self.assertEqual(self.expected - found, set(), "not found")
        self.assertEqual(len(self.expected), self.months * PLANTED * 8)
        changed = {
            ref for _kind, ref in self.get_found(PRICE_KINDS, "subscription_ref")
        }
        self.assertLess(set(), changed)
        self.assertEqual(changed - self.subscriptions, set(), "invented")
        self.assertBooks()

    def assertBooks(self):
        self.assertBalanced()
        bills = self.purchases.filtered(lambda each: each.state == "invoiced").move_id
        self.assertEqual(len(bills), self.months)
        costs, sales = (
            self.sum_up(invoices)
            for invoices in (self.simulator.purchases, self.simulator.invoices)
        )
        for bill in bills:
            self.assertEqual(
                Decimal(str(bill.amount_untaxed)).quantize(CENT),
                costs[bill.ref].quantize(CENT, ROUND_HALF_UP),
            )
        documents = self.documents.filtered(
            lambda each: each.kind == "specification" and each.move_id
        )
        self.assertGreater(len(documents), self.months * self.customers / 3)
        for document in documents:
            self.assertEqual(
                Decimal(str(document.move_amount_untaxed)).quantize(CENT),
                sales[document.invoice_number].quantize(CENT, ROUND_HALF_UP),
            )

    def sum_up(self, invoices):
        """:return: dict of the exact sum of the price lines by number"""
        sums = defaultdict(Decimal)
        for stored in invoices:
            for customer in stored.content["Customers"]:
                for subscription in customer["Subscriptions"]:
                    for line in subscription["PriceLines"]:
                        sums[stored.number] += Decimal(str(line["ExtendedPrice"]))
        return sums


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginFaults(MarginFaultsCommon):
    def test_every_planted_fault_is_found_and_none_is_invented(self):
        self.check_every_planted_fault()

    def test_bills_are_the_source_to_the_cent_vat_included(self):
        self.fetch()
        self.run_crons()
        bills = self.purchases.move_id
        self.assertEqual(len(bills), self.months)
        for stored in self.simulator.purchases:
            totals = stored.content["Totals"]
            bill = bills.filtered(lambda move, number=stored.number: move.ref == number)
            for name, stated in (
                ("amount_untaxed", totals["TotalExcludingVAT"]),
                ("amount_tax", totals["TotalVAT"]),
            ):
                self.assertEqual(
                    Decimal(str(bill[name])).quantize(CENT),
                    stated.quantize(CENT, ROUND_HALF_UP),
                )
        self.assertBalanced()
        self.assertEqual(
            set(self.env["copaco.margin"].search([]).mapped("match")), {"sure"}
        )
        self.assertEqual(self.get_found([*FAULT_KINDS, *PRICE_KINDS]), set())


@tagged("post_install", "-at_install", "-standard", "copaco_years")
@freeze_time("2026-11-25 10:00:00")
class TestMarginYears(MarginFaultsCommon):
    """Two years of 200 customers."""

    customers, months, lines = 200, 24, 600

    def test_every_planted_fault_of_two_years_is_found_and_none_is_invented(self):
        self.check_every_planted_fault()
