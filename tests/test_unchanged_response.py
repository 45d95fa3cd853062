from datetime import date, timedelta
from unittest.mock import patch

from psycopg2.errors import ForeignKeyViolation

from odoo.fields import Datetime
from odoo.tests import freeze_time, tagged

from ..client import parse_documents
from .common import CREATED, CopacoChangeCommon, price_line

PARSE = "odoo.addons.account_copaco.services.copaco_fetcher.parse_documents"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestUnchangedResponse(CopacoChangeCommon):
    """A response of the very same bytes is not read again, and tells the same as if it
    had been."""

    def fetch_unread(self):
        """Fetch what must not be read."""
        with patch(PARSE, side_effect=AssertionError):
            return self.fetch()

    def test_the_run_counts_what_came_as_known(self):
        self.send(price_line("10.00"), price_line("2.505", number=2))
        first, again = self.documents.run_id, self.fetch_unread()
        self.assertNotEqual(again, first)
        self.assertRecordValues(
            again,
            [
                {
                    "state": "done",
                    "received_count": 1,
                    "unchanged_count": 1,
                    "new_count": 0,
                    "received_line_count": 2,
                    "unchanged_line_count": 2,
                    "amount_received": first.amount_received,
                    "amount_unchanged": first.amount_received,
                    "is_balanced": True,
                    "payload_id": first.payload_id.id,
                    "currency_id": first.currency_id.id,
                }
            ],
        )
        self.assertEqual(len(self.documents.move_id), 1)
        self.assertEqual(self.connection.fetched_until, date(2026, 11, 25))

    def test_what_copaco_took_back_is_read(self):
        first_line, other_line = price_line("10.00"), price_line("11.00")
        document = self.send(first_line)
        document.move_id.action_post()
        self.send(other_line)
        self.assertTrue(document.has_pending_version)
        self.send(first_line)
        self.assertFalse(document.has_pending_version)
        self.assertEqual(document.state, "invoiced")

    def test_what_a_person_decided_since_is_respected(self):
        document = self.send(price_line("10.00"))
        document.move_id.action_post()
        self.send(price_line("11.00"))
        self.act(document, "action_keep_version")
        self.fetch()
        self.fetch_unread()
        self.assertEqual(document.version_ids.state, "declined")
        self.assertEqual(document.state, "invoiced")

    def test_what_copaco_says_of_a_customer_comes_back(self):
        line = price_line("10.00")
        for name in ("One", "Two", "One"):
            self.simulator.invoices.clear()
            customer = {"CustomerNumber": "K-1", "CompanyName": name}
            self.add_invoice("INV-1", "A1", [line], customer=customer)
            self.fetch()
            self.assertEqual(self.documents.customer_id.name, name)

    def test_what_copaco_says_of_a_customer_is_told_field_by_field(self):
        line = price_line("10.00")
        for street, zip_code in (("Kade", "1 A"), ("Kade 1", "A"), ("Kade", "1 A")):
            self.simulator.invoices.clear()
            customer = {"Address": street, "Zip": zip_code}
            self.add_invoice("INV-1", "A1", [line], customer=customer)
            self.fetch()
            self.assertEqual(self.documents.customer_id.street, street)

    def test_totals_that_copaco_corrected_free_what_is_held_since(self):
        self.connection.totals_tolerance = 5
        self.add_invoice(
            "INV-1", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )
        for total in (12, 10):
            totals = {"TotalExcludingVAT": total}
            self.simulator.invoices[0].content["Totals"] = totals
            self.fetch()
        document = self.documents
        self.connection.totals_tolerance = 0
        document.move_id.unlink()
        self.act(document, "action_retry")
        self.assertEqual(document.hold_reason, "source_totals_differ")
        self.fetch()
        self.assertEqual(document.state, "new")

    def test_a_run_is_in_the_currency_that_odoo_has_learnt_to_know_since(self):
        self.add_invoice("INV-1", "A1", [price_line("10.00")], Currency="XQZ")
        self.fetch()
        currency = self.env["res.currency"].create({"name": "XQZ", "symbol": "X"})
        self.act(self.documents, "action_retry")
        self.assertEqual(self.fetch().currency_id, currency)

    def test_a_response_that_is_removed_at_that_moment_is_read(self):
        self.send(price_line("10.00"))
        importer = type(self.env["copaco.importer"])
        gone = ForeignKeyViolation("insert or update on table copaco_run")
        with patch.object(importer, "_import_unchanged", side_effect=[gone, False]):
            again = self.fetch()
        self.assertEqual(again.state, "done")

    def test_a_response_that_could_not_be_read_is_read_again(self):
        self.add_invoice("INV-1", "A1", [{**price_line("1"), "ExtendedPrice": None}])
        for _ in range(2):
            with patch(PARSE, wraps=parse_documents) as parse:
                self.fetch()
            parse.assert_called_once()

    def test_what_is_gone_is_noticed_though_the_rest_is_the_same(self):
        self.send(price_line("10.00"))
        kept = list(self.simulator.invoices)
        self.fetch_period(date(2026, 11, 20), date(2026, 11, 25))
        self.simulator.invoices.clear()
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice(
            "INV-2", "A1", [price_line("5")], created=CREATED, customer=customer
        )
        self.fetch_period(CREATED, CREATED)
        self.simulator.invoices[:] = kept
        with patch(PARSE, side_effect=AssertionError):
            self.fetch_period(date(2026, 11, 20), date(2026, 11, 25))
        states = {each.invoice_number: each.missing_state for each in self.documents}
        self.assertEqual(states, {"INV-1": False, "INV-2": "reported"})

    def test_its_queries_dont_grow_with_the_documents(self):
        counts = []
        for number in range(1, 13):
            self.add_invoice(f"INV-{number}", f"A{number}", [price_line("1")])
            if number in (2, 12):
                self.fetch()
                self.fetch_unread()  # what is read once only
                before = self.cr.sql_log_count
                self.fetch_unread()
                counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)

    def test_a_response_is_removed_when_no_run_needs_it(self):
        self.send(price_line("10.00"))
        first, again = self.documents.run_id, self.fetch_unread()
        attachment = first.payload_id
        for run, is_there in ((first, True), (again, False)):
            run.flush_recordset()
            self.cr.execute(
                "UPDATE copaco_run SET create_date = %s WHERE id = %s",
                [Datetime.now() - timedelta(days=1000), run.id],
            )
            self.env.invalidate_all()
            self.env["copaco.response.retention"]._gc_responses()
            self.assertFalse(run.payload_id)
            self.assertEqual(bool(attachment.exists()), is_there)
