import base64
import io
import zipfile

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..wizards import copaco_upload
from .common import MUTED, CopacoCommon, copaco_invoice, price_line
from .simulator.encoding import dumps


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSecurityUpload(CopacoCommon):
    """A file that someone uploads is read, and does nothing else."""

    def upload(self, files, file_name="all.zip"):
        """Upload a zip of files.

        :param files: dict of bytes by name, or by `zipfile.ZipInfo`
        :return: what the user is told if it is no success
        """
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        wizard = self.env["copaco.upload"].create(
            {
                "connection_id": self.connection.id,
                "kind": "specification",
                "content": base64.b64encode(stream.getvalue()),
                "file_name": file_name,
            }
        )
        with self.committing(wizard) as committing, mute_logger(*MUTED):
            # Not assertRaises: Odoo's takes back what was committed before.
            try:
                committing.action_upload()
            except UserError as error:
                return str(error)
        return ""

    def test_no_name_in_a_zip_is_a_path(self):
        names = (
            *("/etc/passwd", "../../x.json", "..\\..\\x.json", "C:\\x.json"),
            *("<script>x</script>", "x" * 300, "a/b/c.json", "con", ".", "~/x"),
        )
        files = {
            name: dumps({"Invoices": [copaco_invoice(f"I{i}", "A", [price_line("1")])]})
            for i, name in enumerate(names)
        }
        self.assertFalse(self.upload(files, file_name="../../all.zip"))
        self.assertEqual(len(self.documents), len(names))
        runs = self.documents.run_id
        self.assertEqual(set(runs.mapped("name")), set(names), "it is only shown")
        for answer in runs.payload_id:
            self.assertRegex(answer.name, r"^copaco-specification-\d+\.json\.gz$")
            # Odoo names a file by its content.
            self.assertRegex(answer.store_fname, rf"^\w\w/{answer.checksum}$")

    def test_a_link_in_a_zip_leads_nowhere(self):
        link = zipfile.ZipInfo("link.json")
        link.external_attr = 0o120777 << 16
        message = self.upload({link: "/etc/hostname"})
        self.assertIn("response can't be read", message)
        self.assertFalse(self.documents)

    def test_a_zip_in_a_zip_stays_closed(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros.json", b"0" * 10_000_000)
        message = self.upload({"inner.zip": stream.getvalue()})
        self.assertIn("response can't be read", message)
        self.assertLess(self.env["copaco.run"].search([], limit=1).payload_size, 20_000)

    def test_many_small_files_are_too_many(self):
        self.patch(copaco_upload, "MAX_FILES", 5)
        message = self.upload({f"{number}.json": b"{}" for number in range(6)})
        self.assertIn("more than 5 files", message)
        self.assertFalse(self.env["copaco.run"].search([]))

    def test_many_files_have_one_limit_together(self):
        self.patch(copaco_upload, "MAX_BODY_BYTES", 1_000_000)
        files = {f"{number}.json": b"0" * 300_000 for number in range(4)}
        self.assertIn("holds more than", self.upload(files))
        self.assertFalse(self.env["copaco.run"].search([]))
