import base64
import gzip
import io
import zipfile
from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..wizards import copaco_upload
from .common import MUTED, CopacoCommon, copaco_invoice, price_line
from .simulator.encoding import dumps


def pack(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestUpload(CopacoCommon):
    """A file enters at the same door as the network, under the same promises."""

    def setUp(self):
        super().setUp()
        self.create_partner(ref="K-1")
        self.invoice = copaco_invoice(
            "INV-1", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )
        self.answer = dumps({"Invoices": [self.invoice]})

    def upload(self, content, kind="specification", file_name="answer.json"):
        wizard = self.env["copaco.upload"].with_user(self.billing_user)
        wizard = wizard.create(
            {
                "connection_id": self.connection.id,
                "kind": kind,
                "content": base64.b64encode(content),
                "file_name": file_name,
            }
        )
        with self.committing(wizard) as committing, mute_logger(*MUTED):
            return committing.action_upload()

    def test_an_uploaded_document_is_invoiced_and_known_when_it_is_fetched(self):
        self.upload(self.answer)
        self.assertEqual(self.documents.state, "invoiced")
        self.assertFalse(self.connection.fetched_until, "a file is no window")
        self.simulator.add_invoice(self.invoice, created=date(2026, 11, 23))
        run = self.fetch()
        self.assertEqual(run.unchanged_count, 1)
        self.assertEqual(len(self.documents), 1)

    def test_a_fetched_document_is_known_when_it_is_uploaded(self):
        self.simulator.add_invoice(self.invoice, created=date(2026, 11, 23))
        self.fetch()
        notification = self.upload(self.answer)
        self.assertIn("known already: 1", notification["params"]["message"])
        self.assertEqual(len(self.documents), 1)

    def test_each_file_of_a_zip_is_a_run(self):
        other = copaco_invoice("INV-2", "A1", [price_line("5")])
        self.upload(
            pack(
                {
                    "../../october.json": self.answer,
                    "november.json": dumps({"Invoices": [other]}),
                }
            ),
            file_name="all.zip",
        )
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "invoiced"])
        self.assertEqual(
            set(self.documents.run_id.mapped("name")),
            {"november.json", "../../october.json"},
        )

    def test_an_unreadable_file_of_a_zip_stops_no_other(self):
        content = pack({"bad.json": b"<html>", "good.json": self.answer})
        with self.committing(self.connection) as connection, mute_logger(*MUTED):
            try:
                connection._receive_files(
                    "specification",
                    self.env["copaco.upload"].new({})._unpack(content),
                )
            except UserError as error:
                message = str(error)
        self.assertIn("web page", message)
        self.assertEqual(self.documents.state, "invoiced")

    def test_purchase_invoices_are_stored_and_never_invoiced(self):
        self.upload(self.answer, kind="purchase")
        self.assertRecordValues(
            self.documents, [{"kind": "purchase", "move_id": False}]
        )
        self.assertFalse(
            self.env["account.move"].search([("copaco_document_id", "!=", False)])
        )

    def test_a_zip_that_is_too_large_or_broken_is_refused_in_words(self):
        wizard = self.env["copaco.upload"].new({"file_name": "all.zip"})
        bomb = pack({"zeros.json": b"0" * 2_000_000})
        with (
            patch.object(copaco_upload, "MAX_BODY_BYTES", 1_000_000),
            self.assertRaisesRegex(UserError, "all.zip holds more than"),
        ):
            wizard._unpack(bomb)
        broken = bytearray(bomb)
        broken[40:60] = b"x" * 20
        with self.assertRaisesRegex(UserError, "all.zip can't be unpacked"):
            wizard._unpack(bytes(broken))
        with self.assertRaisesRegex(UserError, "no file in the zip"):
            wizard._unpack(pack({}))

    def test_two_files_of_one_name_are_both_read(self):
        other = dumps({"Invoices": [copaco_invoice("INV-2", "A1", [price_line("5")])]})
        stream = io.BytesIO()
        with mute_logger("py.warnings"), zipfile.ZipFile(stream, "w") as archive:
            for content in (self.answer, other):
                archive.writestr("answer.json", content)
        self.upload(stream.getvalue(), file_name="all.zip")
        self.assertEqual(len(self.documents), 2)

    def test_an_interrupted_upload_goes_on_from_what_was_stored(self):
        run = (
            self.env["copaco.run"]
            .sudo()
            .create(
                {
                    "connection_id": self.connection.id,
                    "trigger": "file",
                    "file_name": "answer.json",
                    "payload_id": self.env["ir.attachment"]
                    .create({"name": "a", "raw": gzip.compress(self.answer)})
                    .id,
                }
            )
        )
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertEqual(run.received_count, 1)
        self.assertFalse(self.simulator.requests)
