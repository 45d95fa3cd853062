from contextlib import suppress
from datetime import date

from odoo.exceptions import UserError, ValidationError
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

    def test_a_result_is_not_kept_of_another_key_server_or_path(self):
        for values in (
            {"api_key": "another-key"},
            {"base_url": "http://127.0.0.1:9/"},
            {"customer_invoice_path": "other"},
        ):
            self.connection.write(
                {
                    "base_url": self.simulator.url,
                    "customer_invoice_path": "customer-invoices",
                    "api_key": "simulator-key",
                }
            )
            self.press()
            self.assertTrue(self.connection.access, values)
            self.connection.write(values)
            self.assertFalse(self.connection.access, values)
            self.assertFalse(self.connection.tested_at, values)

    def test_the_result_of_a_refused_key_stays_too(self):
        self.simulator.api_key = "another"
        with self.committing(self.connection) as committing:
            # Not assertRaises: Odoo's takes back what was committed before.
            with suppress(UserError):
                committing.action_test_connection()
                self.fail("A key that is refused is no success")
        self.assertEqual(self.connection.access, {"specification": "denied"})
        self.assertTrue(self.connection.tested_at)

    def set_wrong_paths(self, *endpoints):
        for endpoint in endpoints:
            self.connection[f"{endpoint}_path"] = f"no-{endpoint}"

    def test_each_wrong_path_is_named_with_its_source(self):
        self.connection.source = "customer_invoices"
        self.set_wrong_paths("customer_invoice", "purchase")
        result = self.press()
        self.assertEqual(result["type"], "danger")
        for name, path in (
            ("Customer-Invoices", "no-customer_invoice"),
            ("Purchase Invoices", "no-purchase"),
        ):
            self.assertRegex(result["message"], f"{name}: .*{path}")

    def test_when_nothing_can_be_fetched_every_path_is_named(self):
        self.set_wrong_paths("customer_invoice", "specification", "purchase", "example")
        self.simulator.permissions = []
        message = self.get_refusal(self.connection, "action_test_connection")
        self.assertIn(self.simulator.url, message)
        for path in ("customer_invoice", "specification", "purchase", "example"):
            self.assertIn(f"no-{path}", message)
        self.assertEqual(self.connection.access["specification"], "absent")
        self.assertEqual(self.connection.auth_method, "bearer")

    def test_a_page_at_a_wrong_path_is_named_too(self):
        self.simulator.misbehave("html", times=None, path="invoices")
        result = self.press()
        self.assertRegex(result["message"], "Purchase Invoices: .*path invoices")

    def test_a_fetch_names_source_and_path(self):
        self.connection.write(
            {
                "source": "customer_invoices",
                "fetch_purchases": True,
                "vendor_id": self.create_partner().id,
            }
        )
        self.set_wrong_paths("customer_invoice", "purchase")
        self.fetch(expect_failure=True)
        runs = self.env["copaco.run"].search([("state", "=", "failed")])
        messages = " / ".join(runs.mapped("message"))
        self.assertIn("Customer-Invoices at path no-customer_invoice", messages)
        self.assertIn("Purchase Invoices at path no-purchase", messages)

    def test_a_wrong_path_is_named_in_the_language_of_who_reads_it(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        path = self.env["ir.model.fields"]._get(
            "copaco.connection", "specification_path"
        )
        path.with_context(lang="nl_NL").field_description = "Klantspecificaties"
        self.set_wrong_paths("specification")
        run = self.fetch(expect_failure=True)
        self.assertIn("Customer Specifications", run.message)
        dutch = run.with_context(lang="nl_NL").message
        self.assertIn("Klantspecificaties", dutch)
        self.assertNotIn("Customer Specifications", dutch)

    def test_a_preview_names_source_and_path(self):
        self.set_wrong_paths("specification", "example")
        preview = self.env["copaco.preview"].create(
            {"connection_id": self.connection.id, "date_from": date(2026, 11, 1)}
        )
        for action, text in (
            ("action_preview", "Customer Specifications at path no-specification"),
            ("action_try_examples", "Example Invoices at path no-example"),
        ):
            self.assertIn(text, self.get_refusal(preview, action))

    def test_a_path_that_can_not_be_used_is_named_when_it_is_saved(self):
        for name, label in (
            ("customer_invoice_path", "Customer-Invoices"),
            ("example_path", "Example Invoices"),
        ):
            with (
                self.undone(),
                self.assertRaisesRegex(ValidationError, f'{label} of .*"a.b c"'),
            ):
                self.connection[name] = "a?b c"

    def test_that_only_the_examples_work_is_no_success(self):
        self.simulator.permissions = ["example-invoices"]
        result = self.press()
        self.assertEqual(result["type"], "danger")
        self.assertIn("Get Customer Specifications", result["message"])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeOfSource(SourceCommon):
    """A connection that changes its source in the middle of a month bills nothing
    twice, loses nothing, and does not ask for everything anew."""

    SOURCES = {
        "customer_invoices": CUSTOMER_INVOICES,
        "customer_specifications": SPECIFICATIONS,
    }

    def setUp(self):
        super().setUp()
        self.connection.import_from = date(2026, 6, 1)

    def each_way(self):
        """Yield the two sources, in both orders, as if nothing had happened."""
        first, second = self.SOURCES
        for old, new in ((first, second), (second, first)):
            with self.subTest(old=old), self.undone():
                self.simulator.requests.clear()
                for store in self.SOURCES.values():
                    self.simulator._get_store(store).clear()
                self.connection.source = old
                yield self.SOURCES[old], new, self.SOURCES[new]

    def add_month(self, month, endpoint, prefix, **values):
        """The same charge of a month, under the number of an endpoint."""
        line = price_line(
            "10",
            InvoiceRowHash=f"charge-{month}",
            StartDate=f"2026{month - 1:02}01",
            EndDate=f"2026{month - 1:02}28",
            **values,
        )
        self.add(
            f"{prefix}-{month}",
            line,
            created=date(2026, month, 23),
            endpoint=endpoint,
            Date=f"2026{month:02}23",
        )

    def change(self, source):
        with self.env.cr.savepoint():
            self.connection.source = source
        self.simulator.requests.clear()

    def test_the_same_charges_are_excluded_and_new_ones_invoiced(self):
        for old, new, endpoint in self.each_way():
            for month in (9, 10, 11):
                self.add_month(month, old, "OLD")
                self.add_month(month, endpoint, "NEW")
            self.fetch()
            self.change(new)
            self.add("NEW-X", price_line("7"), endpoint=endpoint)
            self.fetch()
            self.assertEqual(set(self.asked), {endpoint})
            self.assertEqual(
                {each.invoice_number: each.state for each in self.documents},
                {
                    **{f"OLD-{month}": "invoiced" for month in (9, 10, 11)},
                    # Of September the old source had asked for long enough.
                    **{f"NEW-{month}": "excluded" for month in (10, 11)},
                    "NEW-X": "invoiced",
                },
            )
            self.assertFalse(self.documents.filtered("missing_state"))
            self.simulator.requests.clear()
            self.fetch()
            self.assertEqual(len(self.asked), 1)

    def test_a_change_back_on_the_same_day_asks_again(self):
        for old, new, _endpoint in self.each_way():
            self.fetch()
            self.change(new)
            self.fetch()
            self.change(({*self.SOURCES} - {new}).pop())
            self.fetch()
            self.assertEqual(set(self.asked), {old})

    def test_another_row_hash_at_the_other_endpoint_is_asked_about(self):
        for old, new, endpoint in self.each_way():
            self.add_month(11, old, "OLD")
            self.fetch()
            self.change(new)
            self.add_month(11, endpoint, "NEW")
            self.simulator._get_store(endpoint)[0].content["Customers"][0][
                "Subscriptions"
            ][0]["PriceLines"][0]["InvoiceRowHash"] = "another"
            self.fetch()
            self.assertEqual(
                self.documents.mapped("hold_reason"), [False, "possible_double"]
            )

    def test_what_the_new_source_created_later_is_not_lost(self):
        """The old source had nothing of the month yet; the new one had it before the
        change."""
        for _old, new, endpoint in self.each_way():
            self.connection.overlap_days = 0
            self.fetch()
            self.add_month(11, endpoint, "NEW")
            self.change(new)
            self.fetch()
            self.assertEqual(self.documents.state, "invoiced")

    def test_the_same_number_at_both_is_one_document(self):
        for old, new, endpoint in self.each_way():
            self.add_month(11, old, "INV")
            self.fetch()
            self.change(new)
            self.add_month(11, endpoint, "INV")
            self.fetch()
            self.assertEqual(len(self.documents), 1)
            self.assertEqual(self.documents.state, "invoiced")

    def test_another_row_hash_of_the_same_number_is_the_same_charge(self):
        for old, new, endpoint in self.each_way():
            for posted in (False, True):
                with self.subTest(posted=posted), self.undone():
                    self.add_month(11, old, "INV")
                    self.fetch()
                    if posted:
                        self.documents.move_id.action_post()
                    self.change(new)
                    self.add_month(11, endpoint, "INV", LineId="77")
                    (stored,) = self.simulator._get_store(endpoint)
                    (customer,) = stored.content["Customers"]
                    (line,) = customer["Subscriptions"][0]["PriceLines"]
                    line["InvoiceRowHash"] = "another"
                    for _time in range(2):
                        self.fetch()
                        self.assertEqual(self.documents.state, "invoiced")
                        self.assertEqual(self.documents.move_amount_untaxed, 10)
                    line["ExtendedPrice"] = 12
                    self.fetch()
                    self.assertEqual(self.documents.state, "changed")
                    self.assertEqual(self.documents.move_amount_untaxed, 10)
                    self.assertEqual(
                        self.documents._get_pending_version().amount_source, 12
                    )
                    self.simulator._get_store(old).clear()
                    self.simulator._get_store(endpoint).clear()

    def test_what_a_source_no_longer_has_is_told_of_its_own_documents_only(self):
        for old, new, endpoint in self.each_way():
            self.add_month(11, old, "OLD")
            self.fetch()
            self.change(new)
            self.add_month(11, endpoint, "NEW")
            self.fetch()
            self.simulator._get_store(endpoint).clear()
            self.fetch()
            self.assertEqual(
                self.documents.filtered("missing_state").invoice_number, "NEW-11"
            )
