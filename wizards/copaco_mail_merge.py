import base64
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..const import BUTTON_SECONDS
from ..tools import enumerate_names, notify


class CopacoMailMerge(models.TransientModel):
    _name = "copaco.mail.merge"
    _description = "Mail-Merge Sheet of Invoices"

    selected_move_ids = fields.Many2many("account.move")
    move_ids = fields.Many2many("account.move", compute="_compute_move_ids")
    move_count = fields.Integer(string="Invoices", compute="_compute_move_ids")
    left_out_count = fields.Integer(string="Left Out", compute="_compute_move_ids")
    no_email_count = fields.Integer(
        string="Without an Email Address", compute="_compute_move_ids"
    )
    column_names = fields.Selection(
        [("translated", "In your language"), ("fixed", "Fixed")],
        required=True,
        default="translated",
        help="Fixed names are the same for every user. Choose them for a letter that "
        "is used each month.",
    )
    content = fields.Binary(string="File", readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    # === DEFAULT METHODS === #

    @api.model
    def default_get(self, fields):
        # EXTENDS base: what was ticked, or is open
        defaults = super().default_get(fields)
        if "selected_move_ids" in fields:
            ids = self.env.context.get("active_ids", [])
            model = self.env.context.get("active_model")
            if model == "copaco.month":
                ids = self.env[model].browse(ids)._get_invoices().ids
            if model in ("account.move", "copaco.month"):
                defaults["selected_move_ids"] = [Command.set(ids)]
        return defaults

    # === COMPUTE METHODS === #

    @api.depends("selected_move_ids")
    def _compute_move_ids(self):
        for wizard in self:
            moves = wizard.selected_move_ids.filtered(
                lambda move: move.state == "posted" and move.is_sale_document()
            ).sorted(lambda move: (move.commercial_partner_id.name or "", move.name))
            wizard.move_ids = moves
            wizard.move_count = len(moves)
            wizard.left_out_count = len(wizard.selected_move_ids) - len(moves)
            wizard.no_email_count = len(
                moves.filtered(lambda move: not move.partner_id.email)
            )

    # === ACTION METHODS === #

    def action_download(self):
        """Create the sheet, and the PDFs that its links open.

        :return: the download; or, when there are too many PDFs to create while a person
            waits, a notification that says so
        :raise UserError: when there is no invoice, or Odoo can't create a PDF
        """
        self.ensure_one()
        self.env["copaco.connection"]._check_billing_access()
        moves = self.move_ids
        moves.check_access("read")
        if not moves:
            raise UserError(
                self.env._(
                    "None of these is a confirmed customer invoice or credit note. "
                    "Confirm them first, or choose others."
                )
            )
        failed, waiting = self.env["copaco.invoice.pdf"]._create_missing(
            moves, time.monotonic() + BUTTON_SECONDS
        )
        if failed:
            raise UserError(
                self.env._(
                    "Odoo could not create the PDF of %(invoices)s, and says why on "
                    "each of them. Correct the cause, or leave them out.",
                    invoices=enumerate_names(self.env, failed.mapped("name")),
                )
            )
        if waiting:
            return notify(
                "warning",
                self.env._(
                    "PDFs are ready of %(ready)s of %(all)s invoices. Press "
                    "Download again to create the others.",
                    ready=len(moves) - len(waiting),
                    all=len(moves),
                ),
            )
        sheet = self.env["copaco.mail.merge.sheet"]._write(
            moves, self.column_names == "translated"
        )
        self.content = base64.b64encode(sheet)
        self.file_name = f"mail_merge_{fields.Date.context_today(self)}.xlsx"
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/content"
            "?filename_field=file_name&download=true",
            "target": "download",
        }
