import base64
import json
from datetime import date
from threading import Thread
from unittest.mock import patch

from psycopg2.errors import DiskFull, SerializationFailure

from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..client import CopacoClient, TimedOutError
from .common import TODAY, copaco_invoice, price_line
from .preview import PreviewCommon

PREVIEW = "odoo.addons.account_copaco.wizards.copaco_preview"
LOCK = 20261125


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPreview(PreviewCommon):
    """What the dry run shows, and that it leaves nothing behind."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij De Korenaar", ref="K-1")

    def add_one_of_each(self):
        """Have something known, changed and excluded; then give the simulator more of
        it, and what is new, held, unreadable and without a number."""
        self.add_known("INV-1", "A1")
        self.add_known("INV-2", "A1")
        self.add_invoice("INV-3", "A3", [price_line("3")])
        self.fetch()
        self.documents.move_id.action_post()
        self.env["copaco.customer"].search([("account_ref", "=", "A3")]).action_exclude(
            "Own use"
        )
        self.simulator.invoices.clear()
        self.add_known("INV-1", "A1")
        self.add_known("INV-2", "A1", lines=[price_line("99")])
        self.add_known("INV-4", "A1", lines=[price_line("-40")])
        self.add_invoice("INV-5", "A3", [price_line("5")])
        self.add_invoice("INV-6", "A6", [price_line("6")])
        self.add_invoice("INV-7", "A7", [price_line("7", ExtendedPrice="no money")])
        self.add_invoice(None, "A8", [price_line("8.88")])

    def test_a_preview_tells_what_would_become_of_everything(self):
        self.add_one_of_each()
        preview = self.preview()
        self.assertEqual(
            [
                (document.invoice_number, document.outcome, document.hold_reason)
                for document in preview.document_ids
            ],
            [
                # What a person has to look at comes first.
                (False, "unreadable", False),
                ("INV-2", "changed", "source_changed"),
                ("INV-6", "held", "customer_unknown"),
                ("INV-7", "held", "payload_invalid"),
                ("INV-4", "invoiced", False),
                ("INV-5", "excluded", False),
                ("INV-1", "known", False),
            ],
        )
        unreadable, changed, held, invalid, credit, excluded, known = (
            preview.document_ids
        )
        self.assertRecordValues(
            credit,
            [
                {
                    "customer_name": "Customer A1",
                    "partner_name": self.partner.display_name,
                    "invoice_date": date(2026, 11, 23),
                    "move_type": "out_refund",
                    "amount_untaxed": 40,
                    "amount_tax": 8.4,
                    "amount_total": 48.4,
                    "amount_total_signed": -48.4,
                    "document_id": False,
                }
            ],
        )
        self.assertRecordValues(
            credit.line_ids, [{"quantity": 1, "taxes": self.tax.name}]
        )
        self.assertEqual(known.amount_total, 15.13)
        self.assertEqual(known.document_id.invoice_number, "INV-1")
        self.assertEqual(changed.amount_untaxed, 99)
        self.assertIn("86.50", changed.difference)
        self.assertEqual(changed.line_ids.price_subtotal, 99, "Copaco's new lines")
        self.assertEqual(changed.month_amount - known.month_amount, 99 - 12.5)
        self.assertIn("Own use", excluded.message)
        self.assertIn("A6", held.message)
        self.assertEqual(held.line_ids.price_subtotal, 6)
        self.assertIn("the amount can't be read", invalid.message)
        self.assertIn("8.88", unreadable.payload)
        self.assertEqual(
            [
                (row.outcome, row.document_count, row.line_count, row.amount_total)
                for row in preview.outcome_ids
            ],
            [
                ("invoiced", 1, 1, -48.4),
                ("held", 2, 1, 0),
                ("changed", 1, 1, 0),
                ("excluded", 1, 1, 0),
                ("known", 1, 2, 15.13),
                ("unreadable", 1, 0, 0),
            ],
        )
        action = preview.outcome_ids[1].action_view_documents()
        listed = held.search(action["domain"])
        self.assertEqual(listed, held + invalid)

    def test_a_file_is_imported_from_its_preview(self):
        content = json.dumps(
            {"Invoices": [copaco_invoice("INV-9", "A1", [price_line("9")])]},
            default=str,
        )
        upload = self.env["copaco.upload"].with_user(self.billing_user)
        upload = upload.create(
            {
                "connection_id": self.connection.id,
                "kind": "specification",
                "content": base64.b64encode(content.encode()),
                "file_name": "november.json",
            }
        )
        with self.committing(upload) as committing:
            preview = upload.env["copaco.preview"].browse(
                committing.action_preview()["res_id"]
            )
        self.assertFalse(self.documents)
        with self.committing(preview) as committing:
            committing.action_import_file()
        self.assertEqual(self.documents.invoice_number, "INV-9")
        with self.assertRaisesRegex(UserError, "has no file to import"):
            self.preview().action_import_file()

    def test_nothing_is_left_behind(self):
        self.add_one_of_each()
        self.connection.invoice_policy = "send"
        self.partner.email = "administratie@korenaar.example"
        before = self.look_at_everything()
        preview = self.preview()
        examples = self.preview("action_try_examples")
        after = self.look_at_everything()
        self.assertIn("invoiced", preview.document_ids.mapped("outcome"))
        self.assertIn("invoiced", examples.document_ids.mapped("outcome"))
        self.assertEqual(
            {name for name in after if before.get(name) != after[name]}, set()
        )

    def test_nothing_is_confirmed_or_sent_whatever_the_connection_says(self):
        self.connection.invoice_policy = "send"
        self.add_known()
        post = self.startPatcher(
            patch.object(self.env.registry["account.move"], "_post")
        )
        preview = self.preview()
        post.assert_not_called()
        self.assertEqual(preview.document_ids.outcome, "invoiced")
        self.assertEqual(self.connection.invoice_policy, "send")

    def test_committing_by_mistake_is_an_error_and_never_an_invoice(self):
        self.add_known()
        process = self.env.registry["copaco.processor"]._process

        def commit_afterwards(processor, documents):
            process(processor, documents)
            documents.env.cr.commit()

        self.patch(self.env.registry["copaco.processor"], "_process", commit_afterwards)
        before = self.look_at_everything()
        with mute_logger("odoo.addons.account_copaco.services.copaco_invoice_writer"):
            preview = self.preview()
        self.assertEqual(self.look_at_everything(), before)
        self.assertRecordValues(
            preview.document_ids,
            [{"outcome": "held", "hold_reason": "unexpected_error"}],
        )

    def test_a_document_that_fails_is_held_and_stops_no_other(self):
        self.add_known("INV-1")
        self.add_known("INV-2")
        process = self.env.registry["copaco.processor"]._process

        def fail(processor, documents):
            if "INV-1" in documents.mapped("invoice_number"):
                raise UserError(self.env._("Not this one."))
            process(processor, documents)

        self.patch(self.env.registry["copaco.processor"], "_process", fail)
        preview = self.preview()
        self.assertEqual(preview.document_ids.mapped("outcome"), ["held", "invoiced"])
        self.assertIn("Not this one", preview.document_ids[0].message)

    def test_it_asks_for_the_same_windows_as_the_fetch_that_follows(self):
        self.connection.import_from = date(2026, 9, 1)
        self.preview()
        previewed = [request.query for request in self.simulator.requests]
        self.fetch()
        fetched = [request.query for request in self.simulator.requests]
        self.assertEqual(len(previewed), 3)
        self.assertEqual(fetched[3:], previewed)

    def test_the_page_fetches_the_period_that_it_shows(self):
        self.add_known()
        preview = self.preview(date_from=date(2026, 11, 20))
        with self.committing(preview) as committing:
            committing.action_fetch()
        self.assertEqual(self.documents.move_id.amount_untaxed, 12.5)
        self.assertEqual(self.connection.last_run_id.date_from, date(2026, 11, 20))

    def test_a_customer_is_compared_with_the_month_before(self):
        self.add_known("INV-1", "A1", [price_line("40")], Date="20261023")
        self.add_known("INV-2", "A1", [price_line("60")], Date="20261031")
        self.fetch()
        self.add_known("INV-3", "A1", [price_line("110")])
        self.add_known("INV-4", "A1", [price_line("15")])
        self.add_invoice("INV-5", "A5", [price_line("15")])
        preview = self.preview()
        figures = {
            document.invoice_number: (
                document.month_amount,
                document.last_month_amount,
                document.month_difference,
                document.month_difference_percent,
            )
            for document in preview.document_ids
        }
        self.assertEqual(figures["INV-3"], (125, 100, 25, 0.25))
        self.assertEqual(figures["INV-4"], figures["INV-3"], "it is the customer's")
        self.assertEqual(figures["INV-5"], (15, 0, 15, 0))

    def test_a_stored_document_opens_in_its_own_form(self):
        self.add_known()
        self.fetch()
        shown = self.preview().document_ids
        # What the list is shown with when its button is clicked.
        action = shown.with_context(
            form_view_ref="account_copaco.copaco_preview_document_view_form"
        ).action_view_document()
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("copaco.document", self.documents.id),
        )
        self.assertNotIn("form_view_ref", action["context"])

    def test_the_examples_are_shown_as_invoices_to_who_has_no_customers_yet(self):
        preview = self.preview("action_try_examples")
        self.assertEqual(set(preview.document_ids.mapped("outcome")), {"invoiced"})
        self.assertTrue(all(preview.document_ids.mapped("line_ids.taxes")))
        self.assertIn("example", preview.display_name)
        names = preview.document_ids.mapped("partner_name")
        self.assertFalse(self.env["res.partner"].search([("name", "in", names)]))
        self.assertEqual(
            {request.path for request in self.simulator.requests},
            {"/api/v1/example-invoices"},
        )

    def test_what_is_not_computed_in_time_is_listed_as_that(self):
        self.add_known()
        with patch(f"{PREVIEW}.PREVIEW_SECONDS", -1):
            preview = self.preview()
        self.assertEqual(preview.document_ids.outcome, "not_computed")
        self.assertEqual(preview.document_ids.amount_untaxed, 12.5)

    def test_a_month_that_copaco_is_late_with_is_named(self):
        self.connection.import_from = date(2026, 10, 1)
        self.add_known("INV-1", "A1", created=date(2026, 10, 23))
        fetch = CopacoClient.fetch

        def be_late(client, endpoint, date_from, date_to):
            if date_to == TODAY:
                raise TimedOutError("Copaco's server didn't respond in time.")
            return fetch(client, endpoint, date_from, date_to)

        self.patch(CopacoClient, "fetch", be_late)
        preview = self.preview()
        self.assertEqual(preview.document_ids.outcome, "invoiced")
        self.assertIn("10/26/2026 – 11/25/2026", preview.message)
        with self.assertRaisesRegex(UserError, "Test: .*in time"):
            self.preview(date_from=date(2026, 11, 1))

    def test_it_gives_way_to_a_fetch_that_waits_for_it(self):
        self.add_known("INV-1")
        self.add_known("INV-2")
        process = self.env.registry["copaco.processor"]._process
        threads = []

        def process_and_be_waited_for(processor, documents):
            process(processor, documents)
            cr = documents.env.cr
            cr.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            threads.append(Thread(target=wait_for_lock, args=[cr.dbname]))
            threads[0].start()
            for _attempt in range(1000):
                cr.execute(
                    "SELECT 1 FROM pg_locks WHERE objid = %s AND NOT granted", [LOCK]
                )
                if cr.fetchall():
                    break

        def wait_for_lock(dbname):
            with db_connect(dbname).cursor() as cr:
                cr.execute("SET LOCAL lock_timeout = '30s'")
                cr.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

        self.patch(
            self.env.registry["copaco.processor"], "_process", process_and_be_waited_for
        )
        with patch(f"{PREVIEW}_dry_run.BATCH_SIZE", 1):
            preview = self.preview()
        threads[0].join()
        self.assertEqual(
            preview.document_ids.mapped("outcome"), ["not_computed", "invoiced"]
        )

    def test_it_begins_again_when_others_store_the_same(self):
        self.add_known()
        store, errors = self.env.registry["copaco.importer"]._import, [1, 1]

        def collide(importer, run, response):
            if errors and errors.pop():
                raise SerializationFailure
            store(importer, run, response)

        self.patch(self.env.registry["copaco.importer"], "_import", collide)
        self.assertEqual(self.preview().document_ids.outcome, "invoiced")
        errors[:] = [1] * 10
        with self.assertRaisesRegex(UserError, "Test could not .* because others"):
            self.preview()

    def test_the_databases_own_errors_are_told_and_held_against_no_document(self):
        self.add_known()
        process = patch.object(
            self.env.registry["copaco.processor"],
            "_process",
            side_effect=DiskFull("no"),
        )
        with process, self.assertRaisesRegex(UserError, "Test .* an error: no"):
            self.preview()

    def test_a_draft_that_would_be_renewed_says_so(self):
        self.add_known("INV-1")
        self.fetch()
        self.simulator.invoices.clear()
        self.add_known("INV-1", lines=[price_line("99")])
        before = self.look_at_everything()
        preview = self.preview()
        self.assertEqual(self.look_at_everything(), before)
        self.assertRecordValues(
            preview.document_ids,
            [{"outcome": "rebuilt", "amount_untaxed": 99, "amount_total": 119.79}],
        )
        for amount in ("12.50", "99.00"):
            self.assertIn(amount, preview.document_ids.message)
        self.fetch()
        self.assertEqual(self.documents.move_id.amount_total, 119.79)

    def test_what_copaco_has_no_more_is_told(self):
        self.add_known("INV-1", created=date(2026, 11, 20))
        self.fetch()
        self.simulator.invoices.clear()
        preview = self.preview(date_from=date(2026, 11, 1))
        self.assertEqual(preview.document_ids.outcome, "missing")
        self.assertEqual(preview.document_ids.document_id, self.documents)
        self.assertFalse(self.documents.missing_state)
        with self.committing(preview) as committing:
            committing.action_fetch()
        self.assertEqual(self.documents.missing_state, "reported")
        self.assertFalse(self.preview(date_from=date(2026, 11, 1)).document_ids)
