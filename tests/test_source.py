from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CopacoCommon, price_line
from .simulator.server import CUSTOMER_INVOICES, SPECIFICATIONS

EVERYTHING_BUT = [SPECIFICATIONS, "invoices", "example-invoices"]


class SourceCommon(CopacoCommon):
    def setUp(self):
        super().setUp()
        self.connection.source = "customer_invoices"
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def add(self, number, *lines, endpoint=CUSTOMER_INVOICES, **values):
        self.add_known(number, lines=list(lines) or None, endpoint=endpoint, **values)

    @property
    def asked(self):
        """:return: list of the endpoints that were asked"""
        return [request.path.rpartition("/")[2] for request in self.simulator.requests]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSource(SourceCommon):
    """What customers have to pay is fetched from where the connection says."""

    def test_customer_invoices_become_invoices(self):
        self.add("CI-1")
        run = self.fetch()
        self.assertEqual(set(self.asked), {CUSTOMER_INVOICES})
        self.assertEqual(run.endpoint, "customer_invoice")
        self.assertRecordValues(
            self.documents,
            [{"kind": "specification", "state": "invoiced", "amount_source": 12.5}],
        )
        self.assertEqual(self.documents.move_id.partner_id, self.partner)

    def test_without_the_permission_a_fetch_says_what_to_ask_for(self):
        self.simulator.permissions = EVERYTHING_BUT
        self.add("CI-1")
        run = self.fetch(expect_failure=True)
        self.assertEqual(run.state, "failed")
        self.assertIn("Get Customer Invoices", run.message)

    def test_the_preview_asks_the_same_source(self):
        self.add("CI-1")
        preview = self.env["copaco.preview"].create(
            {"connection_id": self.connection.id, "date_from": date(2026, 11, 1)}
        )
        with self.committing(preview) as committing:
            committing.action_preview()
        self.assertEqual(set(self.asked), {CUSTOMER_INVOICES})
        self.assertEqual(preview.document_ids.outcome, "invoiced")


@tagged("post_install", "-at_install")
class TestConnectionTest(CopacoCommon):
    """Test connection asks for what will really be fetched."""

    def press(self):
        with self.committing(self.connection) as committing:
            return committing.action_test_connection()["params"]

    def test_both_sources_are_tried_and_the_result_stays(self):
        result = self.press()
        self.assertEqual(result["type"], "success")
        self.assertTrue(self.connection.tested_at)
        self.assertEqual(set(self.connection.access.values()), {"granted"})
        self.assertIn("Customer-Invoices: the key may fetch", result["message"])
        windows = [
            request.query
            for request in self.simulator.requests
            if request.path.endswith((SPECIFICATIONS, CUSTOMER_INVOICES))
        ]
        self.assertEqual(len(windows), 2)
        for window in windows:
            self.assertEqual(window["startDate"], window["endDate"])

    def test_customer_invoices_are_proposed_when_they_are_released(self):
        self.press()
        self.assertTrue(self.connection.is_source_proposed)
        self.connection.action_use_customer_invoices()
        self.assertEqual(self.connection.source, "customer_invoices")
        self.assertFalse(self.connection.is_source_proposed)

    def test_what_is_not_released_is_said_with_the_name_of_the_permission(self):
        self.simulator.permissions = EVERYTHING_BUT
        result = self.press()
        self.assertEqual(result["type"], "success")
        self.assertIn("not released for your key", result["message"])
        self.assertIn("Get Customer Invoices", self.connection.access_message)
        self.assertFalse(self.connection.is_source_proposed)

    def test_that_only_the_examples_work_is_no_success(self):
        self.simulator.permissions = ["example-invoices"]
        result = self.press()
        self.assertEqual(result["type"], "danger")
        self.assertIn("Get Customer Specifications", result["message"])
