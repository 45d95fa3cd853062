from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line
from .simulator.encoding import dumps


@tagged("post_install", "-at_install")
class TestPartialResponses(CopacoChangeCommon):
    """A response can take lines away only if it asked for every day on which the
    document may have been created."""

    def setUp(self):
        super().setUp()
        self.connection.overlap_days = 10
        self.connection.import_from = date(2026, 10, 1)

    def create_part(self, line, created):
        self.add_invoice(
            "H3-1", "A1", [line], created, customer={"CustomerNumber": "K-1"}
        )

    def fetch_on(self, day):
        with freeze_time(f"{day} 10:00:00"):
            return self.fetch()

    def receive_two_parts(self):
        self.create_part(price_line("100.00"), date(2026, 10, 23))
        self.fetch_on("2026-10-23")
        self.create_part(price_line("50.00", number=2), date(2026, 10, 25))
        self.fetch_on("2026-10-25")
        self.assertEqual(self.documents.move_amount_untaxed, 150)

    def test_a_window_that_slides_over_a_part_takes_nothing_off_a_draft(self):
        self.receive_two_parts()
        for day in ("2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"):
            run = self.fetch_on(day)
            self.assertEqual(self.documents.move_amount_untaxed, 150, day)
            self.assertEqual(run.state, "done")
        self.fetch_period(date(2026, 10, 24), date(2026, 11, 4))
        self.assertEqual(self.documents.move_amount_untaxed, 150)
        self.assertEqual(self.documents.state, "invoiced")

    def test_it_asks_for_no_correction_either(self):
        self.receive_two_parts()
        self.documents.move_id.action_post()
        self.fetch_period(date(2026, 10, 24), date(2026, 11, 4))
        self.assertEqual(self.documents.state, "invoiced")
        self.assertFalse(self.documents.has_pending_version)

    def test_a_part_that_was_never_asked_for_is_added(self):
        self.connection.overlap_days = 0
        self.create_part(price_line("50.00", number=2), date(2026, 10, 25))
        with freeze_time("2026-11-05 10:00:00"):
            self.fetch_period(date(2026, 10, 24), date(2026, 10, 26))
            self.create_part(price_line("100.00"), date(2026, 10, 20))
            self.fetch_period(date(2026, 10, 18), date(2026, 10, 22))
            self.assertEqual(
                self.documents.move_amount_untaxed,
                150,
                (
                    self.documents.hold_message,
                    self.documents.state,
                    self.documents.version_ids.mapped("state"),
                ),
            )
            self.assertEqual(self.documents.created_from, date(2026, 10, 18))
            self.assertEqual(self.documents.created_to, date(2026, 10, 26))
            self.fetch_period(date(2026, 10, 24), date(2026, 10, 26))
        self.assertEqual(self.documents.move_amount_untaxed, 150)

    def test_a_part_that_is_gone_is_believed_when_all_its_days_were_asked_for(self):
        self.receive_two_parts()
        self.simulator.invoices.pop()
        with freeze_time("2026-11-05 10:00:00"):
            self.fetch_period(date(2026, 10, 24), date(2026, 11, 4))
            self.assertEqual(self.documents.move_amount_untaxed, 150)
            self.fetch_period(date(2026, 10, 1), date(2026, 10, 31))
        self.assertEqual(self.documents.move_amount_untaxed, 100)

    def test_a_line_that_changed_in_a_part_is_changed_alone(self):
        self.receive_two_parts()
        self.simulator.invoices.pop()
        self.create_part(price_line("60.00", number=2), date(2026, 10, 25))
        with freeze_time("2026-11-05 10:00:00"):
            self.fetch_period(date(2026, 10, 24), date(2026, 11, 4))
        self.assertEqual(self.documents.move_amount_untaxed, 160)

    def test_a_pending_change_stays_until_the_old_content_came_back_whole(self):
        self.receive_two_parts()
        document = self.documents
        document.move_id.action_post()
        self.create_part(price_line("7.00", number=3), date(2026, 10, 27))
        self.fetch_on("2026-10-28")
        self.assertEqual(document.state, "changed")
        for period in (
            (date(2026, 10, 23), date(2026, 10, 26)),
            (date(2026, 10, 24), date(2026, 10, 25)),
        ):
            with freeze_time("2026-11-05 10:00:00"):
                self.fetch_period(*period)
            self.assertEqual(document.state, "changed", period)
            self.assertEqual(document._get_pending_version().amount_source, 157)
        self.simulator.invoices.pop()
        with freeze_time("2026-11-05 10:00:00"):
            self.fetch_period(date(2026, 10, 1), date(2026, 10, 31))
        self.assertEqual(document.state, "invoiced")

    def test_fetching_it_again_covers_all_its_days(self):
        self.receive_two_parts()
        document = self.documents
        document.move_id.action_post()
        self.create_part(price_line("7.00", number=3), date(2026, 10, 27))
        self.fetch_on("2026-10-28")
        with freeze_time("2026-11-20 10:00:00"):
            self.act(document, "action_fetch_again")
        self.assertEqual(document.state, "changed")
        self.assertEqual(document._get_pending_version().amount_source, 157)

    def upload(self, *elements):
        with self.committing(self.connection.with_user(self.billing_user)) as there:
            there.env["copaco.run.scheduler"]._receive_files(
                there, "specification", {"file.json": dumps({"Invoices": elements})}
            )

    @freeze_time("2026-11-25 10:00:00")
    def test_an_older_file_changes_nothing_unasked(self):
        document = self.send(price_line("100.00"))
        (old,) = [stored.content for stored in self.simulator.invoices]
        self.send(price_line("120.00"))
        self.assertEqual(document.move_amount_untaxed, 120, document.hold_message)
        self.upload(old)
        self.assertEqual(document.move_amount_untaxed, 120)
        self.assertEqual(document.state, "invoiced", "it is known to be older")
        document.move_id.action_post()
        self.send(price_line("170.00"))
        self.assertEqual(document.state, "changed")
        self.upload(old)
        self.assertEqual(document.state, "changed")
        self.assertEqual(document._get_pending_version().amount_source, 170)

    @freeze_time("2026-11-25 10:00:00")
    def test_a_file_that_says_something_else_asks_a_person(self):
        document = self.send(price_line("100.00"))
        (content,) = [stored.content for stored in self.simulator.invoices]
        (customer,) = content["Customers"]
        customer["Subscriptions"][0]["PriceLines"][0]["ExtendedPrice"] = "90.00"
        self.upload(content)
        self.assertEqual(document.state, "changed")
        self.assertEqual(document.move_amount_untaxed, 100)

    @freeze_time("2026-11-25 10:00:00")
    def test_lists_that_are_empty_hide_no_amount(self):
        for number, lines in (("INV-1", None), ("INV-2", []), ("INV-3", "all")):
            self.add_invoice(number, "A1", [], customer={"CustomerNumber": "K-1"})
            content = self.simulator.invoices[-1].content
            content["Totals"] = {"TotalExcludingVAT": 500}
            (customer,) = content["Customers"]
            if lines == "all":
                customer["Subscriptions"] = None
            else:
                customer["Subscriptions"][0]["PriceLines"] = lines
        run = self.fetch()
        for document in self.documents:
            self.assertRecordValues(
                document,
                [{"state": "held", "hold_reason": "source_totals_differ"}],
            )
            self.assertEqual(document.amount_source, 500)
        self.assertEqual(run.amount_held, 1500)
        self.assertEqual(run.amount_received, 1500)
        self.assertTrue(run.is_balanced)

    @freeze_time("2026-11-25 10:00:00")
    def test_lists_that_are_empty_take_no_line_away(self):
        document = self.send(price_line("100.00"))
        (content,) = [stored.content for stored in self.simulator.invoices]
        (customer,) = content["Customers"]
        customer["Subscriptions"][0]["PriceLines"] = None
        self.fetch()
        self.assertEqual(document.move_amount_untaxed, 100)
        self.assertEqual(document.state, "changed")

    def empty_a_list(self, empty, total=None):
        """Fetch two subscriptions, then the same without the lines of the second.

        :return: the document
        """
        self.simulator.invoices.clear()
        for second in ([price_line("50.00", number=2)], empty):
            self.add_invoice("INV-1", "A1", [], customer={"CustomerNumber": "K-1"})
            content = self.simulator.invoices.pop().content
            (subscription,) = content["Customers"][0]["Subscriptions"]
            content["Customers"][0]["Subscriptions"] = [
                {**subscription, "PriceLines": [price_line("100.00")]},
                {**subscription, "PriceLines": second},
            ]
            if second == empty and total:
                content["Totals"] = {"TotalExcludingVAT": total}
            self.simulator.add_invoice(content, date(2026, 11, 23))
            self.fetch()
            self.simulator.invoices.clear()
        return self.documents

    @freeze_time("2026-11-25 10:00:00")
    def test_a_list_that_is_empty_beside_another_takes_no_line_away(self):
        for empty in (None, []):
            with self.subTest(empty=empty), self.undone():
                document = self.empty_a_list(empty)
                self.assertWaits(document)
                self.assertEqual(document.move_amount_untaxed, 150)
                self.assertIn("without price lines", document.hold_message)

    @freeze_time("2026-11-25 10:00:00")
    def test_a_list_that_is_empty_is_believed_when_the_total_says_so(self):
        document = self.empty_a_list([], total=100)
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_amount_untaxed, 100)

    @freeze_time("2026-11-25 10:00:00")
    def test_an_amount_that_is_stated_with_its_vat_is_not_hidden(self):
        self.add_invoice("INV-1", "A1", [], customer={"CustomerNumber": "K-1"})
        totals = {"TotalIncludingVAT": "605.00", "TotalVAT": "105.00"}
        self.simulator.invoices[0].content["Totals"] = totals
        run = self.fetch()
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        self.assertEqual(run.amount_held, 500)

    @freeze_time("2026-11-25 10:00:00")
    def test_a_connection_that_takes_the_place_of_another_reports_what_is_missing(self):
        document = self.send(price_line("100.00"))
        self.connection.active = False
        new = self._create_connection(
            name="New",
            base_url=self.connection.base_url,
            import_from=self.connection.import_from,
        )
        new.api_key = "simulator-key"
        self.simulator.invoices.clear()
        self.fetch(new)
        self.assertEqual(document.missing_state, "reported")
