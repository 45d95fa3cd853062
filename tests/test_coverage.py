from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CopacoCommon, price_line


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

    def test_a_month_is_fetched_again_with_a_click(self):
        self.fetch()
        self.send("INV-9", date(2026, 9, 23))
        with self.committing(self.months[1].with_user(self.billing_user)) as month:
            month.action_fetch()
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(self.months[1].state, "complete")
