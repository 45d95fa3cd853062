import base64
import io
import lzma
import zipfile
import zlib

from odoo import fields, models
from odoo.exceptions import UserError

from ..client import MAX_BODY_BYTES

# Ten years of months in a file each are far less.
MAX_FILES = 500
# What Python raises for zips that are damaged, have a password, or are packed in a way
# it doesn't know.
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    IndexError,
)
# How the files begin that macOS adds to a zip: what the Finder knows of the others.
MACOS_METADATA = (b"\x00\x05\x16\x07", b"\x00\x00\x00\x01Bud1")


class CopacoUpload(models.TransientModel):
    _name = "copaco.upload"
    _inherit = "copaco.connection.mixin"
    _description = "Upload Copaco Responses"

    kind = fields.Selection(
        selection=lambda self: (
            self.env["copaco.run"]._fields["kind"]._description_selection(self.env)
        ),
        string="Content",
        required=True,
        help="The two have the same form. Purchase invoices have your cost prices: "
        "they are stored, and never invoiced to customers.",
    )
    content = fields.Binary(string="File", required=True, attachment=False)
    file_name = fields.Char()

    # === ACTION METHODS === #

    def action_upload(self):
        """Store what is in the file and create its invoices, as if it had been fetched:
        what is known already is not doubled.

        :return: see `copaco.connection.action_fetch`
        :raise UserError: when the file, or one of those in a zip, can't be read
        """
        self.ensure_one()
        return self.env["copaco.run.scheduler"]._receive_files(
            self.connection_id, self.kind, self._get_files()
        )

    def action_preview(self):
        """Show what uploading the file would do, and do nothing.

        :return: see `copaco.preview.action_preview`
        :raise UserError: see `action_upload`
        """
        self.ensure_one()
        files = self._get_files()
        preview = self.env["copaco.preview"].create(
            {
                "connection_id": self.connection_id.id,
                "file_name": self.file_name,
                "upload_id": self.id,
            }
        )
        return preview._preview_files(self.kind, files)

    # === BUSINESS METHODS === #

    def _get_files(self):
        raw = base64.b64decode(self.with_context(bin_size=False).content)
        return self._unpack(raw)

    def _unpack(self, raw):
        """Names in a zip are only shown; nothing is written where they point to.

        :param raw: bytes of a JSON or XML file, or of a zip of them
        :return: dict of bytes by file name
        :raise UserError: when a zip can't be unpacked, or anything is too large
        """
        if not zipfile.is_zipfile(io.BytesIO(raw)):
            if len(raw) > MAX_BODY_BYTES:
                raise self._get_too_large_error()
            return {self.file_name or "upload": raw}
        files = {}
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                for name, content in self._read_members(archive):
                    while name in files:
                        name = f"{name} ({len(files)})"
                    files[name] = content
        except BROKEN_ZIP:
            raise UserError(
                self.env._(
                    "The zip %(file)s can't be unpacked. Make it again without a "
                    "password, or upload the files one by one.",
                    file=self.file_name,
                )
            ) from None
        if not files:
            raise UserError(
                self.env._(
                    "There is no file in the zip %(file)s. Choose another one.",
                    file=self.file_name,
                )
            )
        return files

    def _read_members(self, archive):
        """Yield the name and the bytes of each file in a zip.

        :param archive: a `ZipFile`
        :raise UserError: when there are too many, or too much in them
        """
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > MAX_FILES:
            raise self._get_too_large_error()
        room = MAX_BODY_BYTES
        for member in members:
            # The size that a member claims may be a lie: read one byte more than there
            # is room for, and no further.
            with archive.open(member) as stream:
                content = stream.read(room + 1)
            room -= len(content)
            if room < 0:
                raise self._get_too_large_error()
            if not content.startswith(MACOS_METADATA):
                yield member.filename, content

    def _get_too_large_error(self):
        return UserError(
            self.env._(
                "The file %(file)s holds more than %(files)s files or %(size)s MB. "
                "Upload it in parts.",
                file=self.file_name,
                files=MAX_FILES,
                size=MAX_BODY_BYTES // 1_000_000,
            )
        )
