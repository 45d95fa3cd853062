from ast import literal_eval
from datetime import date

from lxml import etree

from odoo.tests import freeze_time, tagged

from .common import CREATED, CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCoverage(CopacoCommon):
    """Which days were asked for: promises 2 and 8."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij", ref="K-1")
        self.connection.import_from = date(2026, 8, 1)

    def send(self, number, created, **values):
        self.add_invoice(
            number,
            "A1",
            [price_line("10")],
            created=created,
            customer={"CustomerNumber": "K-1"},
            Date=created.strftime("%Y%m%d"),
            **values,
        )

    @property
    def months(self):
        return self.env["copaco.month"].search(
            [("connection_id", "=", self.connection.id)], order="date"
        )

    def states(self):
        self.env.invalidate_all()
        return [(month.date.month, month.state) for month in self.months]

    def test_a_calendar_tells_for_each_month_what_was_asked_and_what_came(self):
        self.send("INV-9", date(2026, 9, 23))
        self.send("INV-11", date(2026, 11, 23))
        self.assertEqual(
            self.states(),
            [(8, "missing"), (9, "missing"), (10, "missing"), (11, "missing")],
        )
        self.fetch_period(date(2026, 9, 1), date(2026, 10, 10))
        self.assertEqual(
            self.states(),
            [(8, "missing"), (9, "complete"), (10, "incomplete"), (11, "missing")],
        )
        self.assertEqual(self.months[2].missing_days, 21)
        self.fetch()
        self.assertEqual(
            self.states(),
            [(8, "empty"), (9, "complete"), (10, "empty"), (11, "complete")],
        )

    def test_a_month_is_complete_when_its_own_days_were_asked_for(self):
        self.connection.import_from = date(2026, 10, 15)
        self.send("INV-10", date(2026, 10, 23))
        for number, dated in (("INV-9", "20260930"), ("INV-12", "20261210")):
            self.add_invoice(
                number,
                "A1",
                [price_line("10")],
                customer={"CustomerNumber": "K-1"},
                Date=dated,
            )
        self.fetch()
        self.assertEqual(
            self.states(),
            [(9, "missing"), (10, "incomplete"), (11, "empty"), (12, "missing")],
        )
        self.assertEqual(self.months[1].missing_days, 14)
        self.fetch_period(date(2026, 10, 1), date(2026, 10, 14))
        self.assertEqual(self.states()[1], (10, "complete"))

    def test_where_something_unreadable_came_not_nothing_came(self):
        self.simulator.add_invoice(
            {"Header": {"Date": "20261123"}, "Customers": []}, created=CREATED
        )
        run = self.fetch()
        self.assertEqual(run.rejected_count, 1)
        self.assertEqual(self.states()[-1], (11, "complete"))
        self.assertEqual(run.state, "attention")

    def test_the_same_server_written_differently_changes_nothing(self):
        for spellings, others in (
            (
                (
                    *("https://api.copaco.example", "https://api.copaco.example:443"),
                    *(
                        "https://API.Copaco.example/api/v1/",
                        "HTTPS://api.copaco.example",
                    ),
                    *("https://api.copaco.example.", "https://api.copaco.example./v2"),
                ),
                (
                    *("https://api.copaco.example:8443", "https://copaco.example"),
                    "http://127.0.0.1:443",
                ),
            ),
            (
                (
                    *("https://[2001:db8::1]", "https://[2001:DB8:0::1]:443/api"),
                    "https://[2001:0db8:0:0:0:0:0:1]/",
                ),
                ("https://[2001:db8::2]", "https://[2001:db8::1]:444"),
            ),
        ):
            for url in others:
                self.pretend_fetched(spellings[0])
                for spelling in spellings:
                    with self.subTest(spelling=spelling):
                        self.connection.base_url = spelling
                        self.assert_fetched(True)
                with self.subTest(url=url):
                    self.connection.base_url = url
                    self.assert_fetched(False)

    def pretend_fetched(self, base_url):
        """Point the connection at a portal, of which all has been fetched."""
        self.connection.base_url = base_url
        self.connection.api_key = "key-of-the-portal"
        runs = self.create_runs(self.connection, date_from=date(2026, 8, 1))
        runs.write(
            {
                "state": "empty",
                "started_at": "2026-11-25 10:00:00",
                "stored_at": "2026-11-25 10:00:00",
            }
        )
        self.env["copaco.fetch.window"]._update_fetched_until(self.connection)

    def assert_fetched(self, is_fetched):
        connection = self.connection
        key = self.env["copaco.key.store"]._read(connection)
        self.assertEqual(key != "", is_fetched)
        self.assertEqual(connection.fetched_until == date(2026, 11, 25), is_fetched)
        found = {state for _month, state in self.states()}
        self.assertEqual(found, {"empty"} if is_fetched else {"missing"})

    def test_the_next_fetch_begins_at_the_oldest_hole(self):
        self.fetch_period(date(2026, 8, 1), date(2026, 8, 31))
        self.fetch_period(date(2026, 9, 11), date(2026, 11, 25))
        self.assertEqual(self.connection.fetched_until, date(2026, 8, 31))
        self.simulator.requests.clear()
        self.connection.overlap_days = 0
        self.fetch()
        asked = [request.query["startDate"] for request in self.simulator.requests]
        self.assertEqual(min(asked), "20260831")
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))
        self.assertEqual({state for _month, state in self.states()}, {"empty"})

    def test_a_filled_hole_moves_the_watermark_over_what_was_asked_before(self):
        self.fetch_period(date(2026, 9, 1), date(2026, 11, 25))
        self.assertFalse(self.connection.fetched_until)
        self.fetch_period(date(2026, 8, 1), date(2026, 8, 31))
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))

    def test_a_day_that_was_not_over_is_asked_for_again_whatever_came_since(self):
        self.connection.overlap_days = 0
        with freeze_time("2026-11-20 10:00:00"):
            self.fetch()
        self.send("INV-11", date(2026, 11, 20))
        self.fetch_period(date(2026, 11, 21), date(2026, 11, 25))
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))
        self.assertFalse(self.documents)
        self.fetch()
        self.assertEqual(self.documents.state, "invoiced")

    def test_days_before_copaco_had_anything_are_no_hole(self):
        self.connection.import_from = date(2014, 12, 1)
        self.fetch_period(date(2015, 1, 1), date(2026, 11, 25))
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))

    def test_a_failed_month_is_shown_and_asked_for_again(self):
        self.send("INV-9", date(2026, 9, 23))
        self.simulator.misbehave("status", status=400, after=1, times=1)
        self.fetch(expect_failure=True)
        failed = [month for month, state in self.states() if state == "failed"]
        self.assertTrue(failed)
        self.fetch()
        self.assertNotIn("failed", dict(self.states()).values())
        self.assertEqual(self.documents.state, "invoiced")

    def test_a_month_with_something_that_waits_says_so(self):
        self.add_invoice("INV-1", "A9", [price_line("10")])
        self.fetch()
        self.assertEqual(self.states()[-1], (11, "waiting"))
        self.assertEqual(self.months[-1].waiting_count, 1)
        search = etree.fromstring(self.months.get_view(view_type="search")["arch"])
        (filter_,) = search.xpath("//filter[@name='incomplete']")
        self.assertIn(
            self.months[-1],
            self.months.filtered_domain(literal_eval(filter_.get("domain"))),
            "it is not complete",
        )

    def test_what_was_asked_of_another_portal_does_not_count(self):
        self.fetch()
        self.start_simulator()
        self.connection.api_key = "simulator-key"
        self.assertEqual({state for _month, state in self.states()}, {"missing"})
        self.send("INV-8", date(2026, 8, 23))
        self.fetch()
        self.assertEqual(self.documents.state, "invoiced")

    def test_the_first_window_is_remembered(self):
        self.connection.import_from = False
        self.fetch()
        self.assertEqual(self.connection.import_from, date(2026, 8, 25))

    def test_a_month_is_reconciled_by_its_documents(self):
        self.send("INV-11", date(2026, 11, 23))
        self.add_invoice("INV-1", "A9", [price_line("5.50")])
        self.send("INV-9", date(2026, 9, 23))
        self.fetch()
        reconciliation = self.months[-1].reconciliation
        for text in ("15.50", "10.00", "5.50", "Customer unknown"):
            self.assertIn(text, reconciliation)
        self.assertEqual(self.months[-1].amount, 15.5)

    def test_amounts_in_several_currencies_are_not_shown_as_one(self):
        self.env.ref("base.USD").active = True
        self.send("INV-1", date(2026, 11, 23))
        self.send("INV-9", date(2026, 9, 23))
        self.send("INV-2", date(2026, 11, 23), Currency="USD")
        self.fetch()
        self.assertEqual(
            [month.has_several_currencies for month in self.months],
            [False, False, False, True],
        )
        for model in ("copaco.month", "copaco.run"):
            for view in ("list", "kanban"):
                arch = etree.fromstring(
                    self.env[model].get_view(view_type=view)["arch"]
                )
                for name in self.env[model]._fields:
                    if not name.startswith("amount"):
                        continue
                    for field in arch.xpath(f"//field[@name='{name}']"):
                        hidden = field.get("invisible")
                        self.assertEqual(hidden, "has_several_currencies", name)

    def test_a_month_is_fetched_again_with_a_click(self):
        self.fetch()
        self.send("INV-9", date(2026, 9, 23))
        with self.committing(self.months[1].with_user(self.billing_user)) as month:
            month.action_fetch()
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(self.months[1].state, "complete")

    def replace_connection(self, **values):
        """Archive the connection, and make a new one to the same portal.

        :return: the new one
        """
        self.connection.active = False
        successor = self._create_connection(
            name="New", base_url=self.connection.base_url, **values
        )
        successor.api_key = "simulator-key"
        return successor

    def describe_months(self, connection):
        """:return: list of (month, state, number of documents, amount)"""
        self.env.invalidate_all()
        months = self.env["copaco.month"].search(
            [("connection_id", "=", connection.id)], order="date"
        )
        return [
            (month.date.month, month.state, month.document_count, month.amount)
            for month in months
        ]

    def test_a_connection_that_replaces_another_has_its_documents(self):
        self.send("INV-9", date(2026, 9, 23))
        self.add_invoice("INV-1", "A9", [price_line("5.50")])
        self.fetch()
        successor = self.replace_connection(import_from=date(2026, 9, 1))
        self.fetch(successor)
        self.assertEqual(
            self.describe_months(successor),
            [
                (9, "complete", 1, 10),
                (10, "empty", 0, 0),
                (11, "waiting", 1, 5.5),
            ],
        )
        self.assertFalse(self.describe_months(self.connection))
        month = self.env["copaco.month"].search(
            [("connection_id", "=", successor.id), ("date", "=", "2026-11-01")]
        )
        self.assertIn("5.50", month.reconciliation)
        action = month.action_view_documents()
        found = self.env["copaco.document"].search(action["domain"])
        self.assertEqual(found.invoice_number, "INV-1")
        action = month.action_view_waiting()
        self.assertEqual(found.search(action["domain"]), found)
        found.action_exclude("A gift")
        self.env.invalidate_all()
        self.assertRecordValues(month, [{"waiting_count": 0, "excluded_count": 1}])
        action = month.action_view_excluded()
        self.assertEqual(found.search(action["domain"]), found)

    def test_a_document_is_fetched_again_by_the_connection_that_took_the_place(self):
        self.send("INV-1", date(2026, 11, 23))
        self.fetch()
        successor = self.replace_connection()
        self.assertEqual(self.documents.connection_id, self.connection)
        self.simulator.invoices.clear()
        document = self.documents.with_user(self.billing_user)
        self.assertFalse(self.get_refusal(document, "action_fetch_again"))
        self.assertEqual(successor.last_run_state, "empty")
        self.assertEqual(document.missing_state, "reported")
        successor.active = False
        self.assertIn("archived", self.get_refusal(document, "action_fetch_again"))

    def test_months_from_before_it_was_replaced_are_still_shown(self):
        self.send("INV-8", date(2026, 8, 23))
        self.fetch()
        successor = self.replace_connection(import_from=date(2026, 11, 1))
        self.assertEqual(
            self.describe_months(successor),
            [(8, "complete", 1, 10), (11, "missing", 0, 0)],
        )

    def test_the_oldest_active_connection_takes_the_place(self):
        self.send("INV-11", date(2026, 11, 23))
        self.fetch()
        first = self.replace_connection()
        second = self.replace_connection()
        self.assertEqual(self.describe_months(first)[-1][2:], (1, 10))
        self.assertEqual(self.describe_months(second)[-1][2:], (0, 0))
        first.active = False
        self.assertEqual(self.describe_months(second)[-1][2:], (1, 10))
        self.connection.active = True
        self.assertEqual(self.describe_months(self.connection)[-1][2:], (1, 10))
        self.assertEqual(self.describe_months(second)[-1][2:], (0, 0))

    def test_only_one_to_the_same_portal_takes_the_place(self):
        self.send("INV-11", date(2026, 11, 23))
        self.fetch()
        elsewhere = self.replace_connection()
        elsewhere.base_url = "https://elsewhere.example/"
        self.assertEqual(self.describe_months(elsewhere)[-1][2:], (0, 0))
        other = self.setup_other_company()
        abroad = self.replace_connection(
            company_id=other["company"].id,
            journal_id=other["default_journal_sale"].id,
        )
        self.assertEqual(self.describe_months(abroad)[-1][2:], (0, 0))

    def test_a_month_is_not_late_when_the_replaced_connection_received_it(self):
        for month in (8, 9, 10):
            self.send(f"INV-{month}", date(2026, month, 20))
        self.fetch()
        successor = self.replace_connection(import_from=date(2026, 8, 1))
        self.fetch(successor)
        monitor = self.env["copaco.activity.monitor"]
        with freeze_time("2026-11-26 10:00:00"):
            self.fetch(successor)
            self.assertEqual(monitor._get_late_months(successor), [date(2026, 11, 1)])
            self.connection.sudo().months_without_invoices = ["2026-11-01"]
            self.assertEqual(monitor._get_late_months(successor), [])

    def test_a_month_that_nobody_received_is_late_after_a_replacement_too(self):
        for month in (8, 10):
            self.send(f"INV-{month}", date(2026, month, 20))
        self.fetch()
        successor = self.replace_connection(import_from=date(2026, 9, 1))
        self.fetch(successor)
        self.assertEqual(
            self.env["copaco.activity.monitor"]._get_late_months(successor),
            [date(2026, 9, 1)],
        )
