import base64
import gzip
import io
import zipfile
from datetime import date
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..wizards import copaco_upload
from .common import MUTED, CopacoCommon, copaco_invoice, price_line
from .simulator.encoding import dumps
from .simulator.older_platform import write_xml


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

    def test_what_can_not_be_read_in_a_file_is_told_although_the_rest_is_known(self):
        self.upload(self.answer)
        self.upload(dumps({"Invoices": [self.invoice, {"Header": "rubbish"}]}))
        self.assertEqual(self.connection.last_run_id.state, "attention")
        self.assertIn("could not be read: 1", self.connection.activity_ids.summary)

    def test_a_file_that_conflicts_before_it_is_kept_is_stored_all_the_same(self):
        Attachment = self.registry["ir.attachment"]
        create = Attachment.create
        errors = [SerializationFailure("could not serialize access")]

        def collide_once(attachments, vals_list):
            if errors:
                raise errors.pop()
            return create(attachments, vals_list)

        with patch.object(Attachment, "create", collide_once):
            self.upload(self.answer)
        self.assertFalse(errors, "the error came")
        self.assertEqual(self.documents.state, "invoiced")

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
        files = {"bad.json": b"<html>", "good.json": self.answer, "cut.xml": b"<?xml "}
        content = pack(files)
        with self.committing(self.connection) as connection, mute_logger(*MUTED):
            try:
                connection.env["copaco.run.scheduler"]._receive_files(
                    connection,
                    "specification",
                    self.env["copaco.upload"].new({})._unpack(content),
                )
            except UserError as error:
                message = str(error)
        # One sentence for each, which says which one and what to do with a file; and
        # what the good one brought.
        *lines, brought = message.splitlines()
        self.assertEqual(
            [line.partition(":")[0] for line in lines],
            [f"File {name} for connection Test" for name in ("bad.json", "cut.xml")],
        )
        self.assertIn("invoiced: 1", brought)
        self.assertEqual(message.count("web page"), 2)
        self.assertEqual(message.count("upload it again"), 2)
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_uploaded_purchase_invoice_is_never_billed_to_the_customer(self):
        self.upload(self.answer, kind="purchase")
        self.assertRecordValues(
            self.documents,
            [{"kind": "purchase", "hold_reason": "vendor_unknown", "move_id": False}],
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

    def test_no_damage_to_a_zip_shows_a_person_a_traceback(self):
        wizard = self.env["copaco.upload"].new({"file_name": "all.zip"})
        content = pack({"november.json": self.answer, "décembre.json": self.answer})
        refused = 0
        for place in range(len(content)):
            broken = bytearray(content)
            broken[place] ^= 0xFF
            try:
                wizard._unpack(bytes(broken))
            except UserError:
                refused += 1
        self.assertGreater(refused, 100)

    def test_a_file_that_is_too_large_is_refused_before_it_is_read(self):
        wizard = self.env["copaco.upload"].new({"file_name": "big.xml"})
        with (
            patch.object(copaco_upload, "MAX_BODY_BYTES", 1_000),
            self.assertRaisesRegex(UserError, "big.xml holds more than"),
        ):
            wizard._unpack(b"<InvoiceResponse>" + b" " * 1_000)

    def test_what_macos_adds_to_a_zip_is_no_response(self):
        self.upload(
            pack(
                {
                    "answer.json": self.answer,
                    "__MACOSX/._answer.json": b"\x00\x05\x16\x07\x00\x02",
                    ".DS_Store": b"\x00\x00\x00\x01Bud1\x00",
                }
            ),
            file_name="all.zip",
        )
        self.assertEqual(self.documents.run_id.mapped("name"), ["answer.json"])

    def test_two_files_of_one_name_are_both_read(self):
        other = dumps({"Invoices": [copaco_invoice("INV-2", "A1", [price_line("5")])]})
        stream = io.BytesIO()
        with mute_logger("py.warnings"), zipfile.ZipFile(stream, "w") as archive:
            for content in (self.answer, other):
                archive.writestr("answer.json", content)
        self.upload(stream.getvalue(), file_name="all.zip")
        self.assertEqual(len(self.documents), 2)

    def test_an_interrupted_upload_goes_on_from_what_was_stored(self):
        xml = write_xml([{**self.invoice, "Header": self.header("INV-2")}], "utf-16")
        runs = self.env["copaco.run"]
        for name, raw in (("answer.json", self.answer), ("answer.xml", xml)):
            payload = {"name": "a", "raw": gzip.compress(raw)}
            runs += runs.sudo().create(
                {
                    "connection_id": self.connection.id,
                    "trigger": "file",
                    "file_name": name,
                    "payload_id": self.env["ir.attachment"].create(payload).id,
                }
            )
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_run").method_direct_trigger()
        self.assertEqual(runs.mapped("received_count"), [1, 1])
        self.assertEqual(len(self.documents), 2)
        self.assertFalse(self.simulator.requests)

    def header(self, number):
        return {**self.invoice["Header"], "InvoiceID": number}

    # === XML OF THE OLDER PLATFORM === #

    def test_what_was_uploaded_as_xml_is_known_when_it_is_fetched(self):
        self.upload(write_xml([self.invoice]), file_name="answer.txt")
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(self.documents.move_id.amount_untaxed, 10)
        self.simulator.add_invoice(self.invoice, created=date(2026, 11, 23))
        run = self.fetch()
        self.assertEqual(run.unchanged_count, 1)
        self.assertEqual(len(self.documents), 1)

    def test_what_was_fetched_is_known_when_it_is_uploaded_as_xml(self):
        self.simulator.add_invoice(self.invoice, created=date(2026, 11, 23))
        self.fetch()
        move = self.documents.move_id
        for encoding in ("utf-8", "utf-16"):
            notification = self.upload(write_xml([self.invoice], encoding))
            self.assertIn("known already: 1", notification["params"]["message"])
        self.assertEqual(len(self.documents), 1)
        self.assertEqual(self.documents.move_id, move)
        self.assertFalse(self.documents.version_ids)

    def test_a_zip_may_hold_both_and_what_is_in_both_counts_once(self):
        other = copaco_invoice(
            "INV-2", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )
        self.upload(
            pack(
                {
                    "../old/answer.json": write_xml([self.invoice, other]),
                    "/answer.xml": self.answer,
                }
            ),
            file_name="all.zip",
        )
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "invoiced"])
        self.assertEqual(len(self.documents.move_id), 2)

    def test_what_came_as_xml_is_kept_as_xml(self):
        raw = write_xml([self.invoice])
        self.upload(raw)
        payload = self.documents.run_id.payload_id
        self.assertRegex(payload.name, r"\.xml\.gz$")
        self.assertEqual(gzip.decompress(payload.raw), raw)
        self.upload(self.answer)
        newest = self.env["copaco.run"].search([], limit=1)
        self.assertRegex(newest.payload_id.name, r"\.json\.gz$")

    def test_a_credit_of_the_older_platform_is_not_billed(self):
        credit = {**self.invoice, "Header": {**self.header("INV-3"), "Type": "CREDIT"}}
        self.upload(write_xml([credit]))
        self.assertEqual(self.documents.state, "held")
        self.assertIn("Header.Type is a credit", self.documents.hold_message)
        self.assertFalse(self.documents.move_id)

    def test_xml_that_reaches_for_more_is_refused_in_words(self):
        for raw, words in (
            (
                b'<!DOCTYPE InvoiceResponse [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                b"<InvoiceResponse><Invoice>&x;</Invoice></InvoiceResponse>",
                "document type, which is not allowed",
            ),
            (b"<InvoiceResponse>" + b"<a>" * 100_000, "nested too deep"),
            (write_xml([self.invoice])[:-20], "damaged or cut off"),
            (b'<Invoice xmlns="urn:example:another-kind"/>', "XML of another kind"),
        ):
            # Not assertRaises: Odoo's takes back what was committed before.
            try:
                self.upload(raw)
            except UserError as error:
                self.assertIn(words, str(error))
            else:
                self.fail(f"{words}: not refused")
            run = self.env["copaco.run"].search([], limit=1)
            self.assertEqual(run.state, "failed")
            self.assertIn(words, run.message)
            self.assertEqual(gzip.decompress(run.payload_id.raw), raw)
            self.assertFalse(run.received_count)
        self.assertFalse(self.documents)
