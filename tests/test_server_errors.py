import errno
from datetime import date
from unittest.mock import patch

from psycopg2.errors import DiskFull, SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MUTED, CopacoCommon, price_line

NO_SPACE = DiskFull("could not extend file: No space left on device\nHINT: Check it.")


@tagged("post_install", "-at_install")
class TestServerErrors(CopacoCommon):
    """A server that can't store anything is nothing that a document did wrong."""

    def setUp(self):
        super().setUp()
        today = date.today()
        self.connection.import_from = today
        self.create_partner(ref="K-1")
        for number in (1, 2):
            self.add_invoice(
                f"INV-{number}",
                "A1",
                [price_line("10")],
                customer={"CustomerNumber": "K-1"},
                created=today,
            )

    def fetch_without_room(self, model, method, error):
        with (
            patch.object(self.registry[model], method, side_effect=error),
            mute_logger(*MUTED, "odoo.addons.account_copaco.models.copaco_document"),
        ):
            run = self.fetch(expect_failure=True)
        self.assertIn("No space left on device", self.failure)
        self.assertIn("administrator", self.failure)
        return run

    def test_invoices_that_find_no_room_are_made_later(self):
        run = self.fetch_without_room("account.move", "create", NO_SPACE)
        self.assertEqual(run.state, "running")
        self.assertIn("INV-1", self.failure)
        self.assertEqual(self.documents.mapped("state"), ["new", "new"])
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "invoiced"])
        self.assertEqual(run.state, "done")

    def test_documents_that_find_no_room_fail_the_run_and_are_not_called_unreadable(
        self,
    ):
        run = self.fetch_without_room("copaco.document.line", "create", NO_SPACE)
        self.assertEqual(run.message, self.failure)
        self.assert_nothing_came(run)

    def test_a_response_that_finds_no_room_fails_the_run(self):
        error = OSError(errno.ENOSPC, "No space left on device", "/some/file")
        run = self.fetch_without_room("ir.attachment", "_file_write", error)
        self.assertNotIn("/some/file", self.failure)
        self.assert_nothing_came(run)

    def test_a_response_that_always_conflicts_is_stored_in_the_background(self):
        error = SerializationFailure("could not serialize access")
        importer = self.registry["copaco.importer"]
        with patch.object(importer, "_import", side_effect=error) as store:
            run = self.fetch()
        self.assertGreater(store.call_count, 1, "it was tried again at once")
        self.assertRecordValues(run, [{"state": "running", "started_at": False}])
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(run.state, "done")
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "invoiced"])

    def assert_nothing_came(self, run):
        self.assertEqual(run.state, "failed")
        self.assertFalse(self.documents)
        self.assertFalse(self.connection.fetched_until)
        self.assertEqual(self.fetch().state, "done")
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "invoiced"])
