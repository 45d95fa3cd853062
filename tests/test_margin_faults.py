from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from odoo.tests import freeze_time, tagged

from .common import TODAY
from .simulator import Simulator
from .test_bill import CopacoBillCommon

CENT = Decimal("0.01")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginFaults(CopacoBillCommon):
    """Months of both sides as the simulator sends them: every fault that is planted is
    found, and none is invented."""

    def start_simulator(self, **options):
        self.simulator = self.enterContext(
            Simulator(customers=6, months=3, today=TODAY, lines=90)
        )
        self.connection.base_url = self.simulator.url
        self.connection.import_from = date(2026, 8, 1)

    def get_lines(self, stored):
        """:return: list of the price lines of an element that the simulator sends"""
        return [
            line
            for customer in stored.content["Customers"]
            for subscription in customer["Subscriptions"]
            for line in subscription["PriceLines"]
        ]

    def get_findings(self, *kinds):
        findings = self.env["copaco.finding"].search(
            [("connection_id", "=", self.connection.id), ("state", "=", "open")]
        )
        if kinds:
            findings = findings.filtered(lambda each: each.kind in kinds)
        return findings

    def take(self, line, values):
        """Change a line that the simulator sends."""
        for name, value in values.items():
            line[name] = value

    def test_bills_are_the_source_to_the_cent_vat_included(self):
        self.fetch()
        self.run_crons()
        bills = self.purchases.move_id
        self.assertEqual(len(bills), 3)
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
        self.assertFalse(
            self.get_findings()
            .filtered(
                lambda each: (
                    each.kind
                    not in ("price_changed", "subscription_new", "subscription_gone")
                )
            )
            .mapped("message")
        )

    def test_every_planted_fault_is_found_and_none_is_invented(self):
        sales = {
            line["InvoiceRowHash"]: line
            for stored in self.simulator.invoices
            for line in self.get_lines(stored)
        }
        costs = {
            line["InvoiceRowHash"]: line
            for stored in self.simulator.purchases
            for line in self.get_lines(stored)
        }
        both = [
            row_hash
            for row_hash in sales
            if Decimal(str(sales[row_hash]["ExtendedPrice"])) > 5
            and Decimal(str(sales[row_hash]["Quantity"])) == 1
        ]
        lost, alone, cheap, counted, unnamed = both[:5]
        expected = set()
        for stored in self.simulator.invoices:
            for customer in stored.content["Customers"]:
                for subscription in customer["Subscriptions"]:
                    lines = subscription["PriceLines"]
                    lines[:] = [
                        line for line in lines if line["InvoiceRowHash"] != lost
                    ]
            stored.content.pop("Totals")
        expected.add(("cost_without_sale", costs[lost]["LineId"]))
        self.take(costs[alone], {"InvoiceRowHash": "another"})
        expected.add(("sale_without_cost", sales[alone]["LineId"]))
        expected.add(("cost_without_sale", costs[alone]["LineId"]))
        self.take(sales[cheap], {"ExtendedPrice": Decimal("0.01")})
        expected.add(("below_cost", sales[cheap]["LineId"]))
        self.take(sales[counted], {"Quantity": 3})
        expected.add(("quantity_differs", sales[counted]["LineId"]))
        self.take(sales[unnamed], {"InvoiceRowHash": ""})
        self.fetch()
        self.run_crons()
        found = {
            (
                finding.kind,
                (finding.sale_line_id or finding.cost_line_id).line_ref,
            )
            for finding in self.get_findings()
            if finding.kind
            not in ("price_changed", "subscription_new", "subscription_gone")
        }
        self.assertEqual(found, {(kind, str(line_ref)) for kind, line_ref in expected})
        self.assertEqual(
            self.env["copaco.margin"].search_count([("match", "=", "likely")]), 1
        )
