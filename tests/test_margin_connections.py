from datetime import date

from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_margin import OCTOBER, line

SUBSCRIPTION = "subscription-A1"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginConnections(CopacoBillCommon):
    """One connection may receive what customers pay, and another one what it costs."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.connection.fetch_purchases = False
        self.purchases_portal = self.add_portal()
        self.costs = self.add_connection(
            "Purchases", self.purchases_portal, fetch_purchases=True
        )

    def add_portal(self):
        portal = self.enterContext(self._make_simulator())
        portal.purchases.clear()
        return portal

    def add_connection(self, name, portal, **values):
        return self._create_connection(
            name=name,
            base_url=portal.url,
            api_key="simulator-key",
            vendor_id=self.vendor.id,
            **values,
        )

    def add_cost(self, number, lines, created=None, **values):
        portal, self.simulator = self.simulator, self.purchases_portal
        created = created or date(2026, 11, 23)
        self.add_purchase(number, {"A1": lines}, created=created, **values)
        self.simulator = portal

    def receive(self):
        """Fetch both, and do what the scheduled actions do."""
        self.fetch()
        self.fetch(self.costs)
        self.run_crons()

    def get_findings(self, connection):
        findings = self.env["copaco.finding"].search(
            [("connection_id", "=", connection.id), ("state", "=", "open")]
        )
        return sorted(findings.mapped(lambda each: (each.kind, each.amount)))

    def get_month_of(self, connection):
        return self.env["copaco.month"].search(
            [("connection_id", "=", connection.id), ("date", "=", date(2026, 11, 1))]
        )

    def test_faults_between_two_connections_are_found_once(self):
        self.add_known("S-1", lines=[line("10"), line("20", 2), line("30", 3)])
        self.add_cost("P-1", [line("12"), line("15", 2), line("7", 4)])
        self.receive()
        self.assertEqual(
            self.get_findings(self.connection),
            [("below_cost", 2), ("sale_without_cost", 30)],
        )
        self.assertEqual(self.get_findings(self.costs), [("cost_without_sale", 7)])
        self.assertIn("Findings", self.connection.activity_ids.summary)
        self.assertIn("Findings", self.costs.activity_ids.summary)
        for connection in self.connection + self.costs:
            month = self.get_month_of(connection)
            self.assertRecordValues(
                month,
                [
                    {
                        "amount_sale": 60,
                        "amount_cost": 34,
                        "amount_margin": 26,
                        "finding_count": 3,
                    }
                ],
            )
            domain = month.action_view_purchases()["domain"]
            found = self.env["copaco.margin"].search(domain)
            self.assertEqual(found.cost_line_id.document_id, self.purchases)

    def test_either_side_that_changes_is_checked_again(self):
        self.add_known("S-1", lines=[line("10"), line("20", 2)])
        self.add_cost("P-1", [line("8"), line("15", 2)])
        self.receive()
        self.assertEqual(self.get_findings(self.connection), [])
        self.purchases_portal.purchases.clear()
        self.add_cost("P-1", [line("11"), line("15", 2)])
        self.fetch(self.costs)
        self.run_crons()
        self.assertEqual(self.get_findings(self.connection), [("below_cost", 1)])
        self.simulator.invoices.clear()
        self.add_known("S-1", lines=[line("12"), line("14", 2)])
        self.fetch()
        self.run_crons()
        self.assertEqual(self.get_findings(self.connection), [("below_cost", 1)])

    def test_nothing_paired_is_found_as_well(self):
        self.add_known("S-1", lines=[line("10", InvoiceRowHash="a")])
        self.add_cost("P-1", [line("8", InvoiceRowHash="b")])
        self.receive()
        self.assertEqual(
            self.get_findings(self.connection), [("sale_without_cost", 10)]
        )
        self.assertEqual(self.get_findings(self.costs), [("cost_without_sale", 8)])

    def test_what_has_no_other_side_anywhere_is_not_invented(self):
        """A third connection is of another account at Copaco, whose purchase invoices
        are not fetched."""
        self.connection.fetch_purchases = True
        portal = self.add_portal()
        other = self.add_connection("Other", portal)
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("8")]})
        own, self.simulator = self.simulator, portal
        self.add_invoice("S-9", "A9", [line("10", 9)])
        self.simulator = own
        self.receive()
        self.fetch(other)
        self.env["copaco.finding"].action_check()
        for connection in self.connection + self.costs + other:
            self.assertEqual(self.get_findings(connection), [])
        self.assertEqual(self.get_month_of(self.connection).amount_sale, 10)
        self.assertEqual(self.get_month_of(other).amount_sale, 10)

    def test_a_connection_that_fetched_sales_too_has_costs_of_the_other(self):
        """Both keys may see what customers pay, and some of it came by either."""
        self.connection.base_url = self.purchases_portal.url
        self.connection.api_key = "simulator-key"
        self.simulator = self.purchases_portal
        self.add_known("S-1", lines=[line("10")])
        self.fetch()
        self.add_known("S-2", lines=[line("20", 2), line("5", 3)])
        self.add_cost("P-1", [line("12"), line("21", 2)])
        self.fetch(self.costs)
        self.run_crons()
        self.assertEqual(self.get_findings(self.connection), [("below_cost", 2)])
        self.assertEqual(
            self.get_findings(self.costs), [("below_cost", 1), ("sale_without_cost", 5)]
        )

    def test_the_connection_that_replaces_one_of_them_takes_its_part(self):
        self.add_known("S-1", lines=[line("10")])
        self.add_cost("P-1", [line("12")])
        self.fetch(self.costs)
        self.costs.active = False
        self.costs = self.add_connection(
            "New", self.purchases_portal, fetch_purchases=True
        )
        self.receive()
        self.assertEqual(self.get_findings(self.connection), [("below_cost", 2)])

    def test_what_was_accepted_stays_so_where_a_connection_is_replaced(self):
        self.connection.fetch_purchases = True
        self.add_known("S-1", lines=[line("10"), line("20", 2)])
        self.add_purchase("P-1", {"A1": [line("11"), line("22", 2)]})
        self.fetch()
        self.run_crons()
        Finding = self.env["copaco.finding"]
        accepted = Finding.search([("amount", "=", 1)])
        accepted.reason = "Agreed with the customer"
        accepted.action_accept()
        findings = Finding.search([])
        self.assertEqual(len(findings), 2)
        new = self.connection.copy({"name": "New"})
        self.connection.active = False
        for _again in range(2):
            Finding.action_check()
            self.assertEqual(Finding.search([]), findings)
            self.assertEqual(findings.connection_id, new)
            self.assertEqual(self.get_findings(new), [("below_cost", 2)])
            self.assertEqual(accepted.state, "accepted")
        self.connection.active = True
        new.active = False
        Finding.action_check()
        self.assertEqual(Finding.search([]), findings)
        self.assertEqual(findings.connection_id, self.connection)

    def test_months_are_compared_across_connections(self):
        """A subscription whose sale is lost is no new one."""
        own = {"InvoiceRowHash": "old", "SubscriptionID": SUBSCRIPTION}
        values = {"created": OCTOBER, "Date": "20261023"}
        self.add_known("S-0", lines=[line("10", **own)], **values)
        self.add_cost("P-0", [line("8", **own)], **values)
        self.add_known("S-1", lines=[line("10", 2)])
        self.add_cost("P-1", [line("8", 3), line("8", 2)])
        (self.connection + self.costs).import_from = OCTOBER
        self.receive()
        self.assertEqual(self.get_findings(self.connection), [])
        self.assertEqual(self.get_findings(self.costs), [("cost_without_sale", 8)])

    def test_a_month_is_complete_when_the_purchase_invoice_came_elsewhere(self):
        self.connection.write({"wait_for_month": True, "invoice_policy": "post"})
        self.partner.write({"street": "Markt 1", "city": "Lent", "vat": "/"})
        values = {"created": OCTOBER, "Date": "20261023"}
        self.add_known("S-0", lines=[line("10", 1)], **values)
        self.add_cost("P-0", [line("8", 1)], **values)
        (self.connection + self.costs).import_from = OCTOBER
        self.receive()
        self.add_known("S-1", lines=[line("10", 2)])
        self.receive()
        document = self.documents.filtered(lambda each: each.invoice_number == "S-1")
        self.assertEqual(
            self.get_month_of(self.connection).missing_names,
            "Purchase invoice of Copaco",
        )
        self.assertEqual(document.move_id.state, "draft")
        self.add_cost("P-1", [line("8", 2)])
        self.receive()
        self.assertFalse(self.get_month_of(self.connection).missing_names)
        self.assertEqual(document.move_id.state, "posted")
