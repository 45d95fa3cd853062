from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    copaco_document_id = fields.Many2one(
        "copaco.document",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
    )

    # The last barrier of DESIGN promise 1. A cancelled invoice may stay beside the one
    # that took its place, and can't be brought back while that one is there.
    _copaco_document_unique = models.UniqueIndex(
        "(copaco_document_id) WHERE copaco_document_id IS NOT NULL "
        "AND state != 'cancel'",
        "There already is an invoice of this Copaco document.",
    )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would also get past `sudo()`.
        return super().default_get(
            [name for name in fields if name != "copaco_document_id"]
        )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and (
            self.env.context.get("default_copaco_document_id")
            or any(vals.get("copaco_document_id") for vals in vals_list)
        ):
            self._refuse_copaco_link()
        moves = super().create(vals_list)
        # A user's own default of the field is in neither.
        if not self.env.su and moves.sudo().copaco_document_id:
            self._refuse_copaco_link()
        return moves

    def write(self, vals):
        if "copaco_document_id" in vals and not self.env.su:
            self._refuse_copaco_link()
        if "state" not in vals:
            return super().write(vals)
        before = {move: move.state for move in self}
        if vals["state"] != "cancel":
            self._check_copaco_document_is_free()
        res = super().write(vals)
        gone = self.env["copaco.document"].sudo()
        for move in self.sudo().filtered("copaco_document_id"):
            if before[move] == move.state:
                continue
            if move.state == "cancel":
                gone |= move.copaco_document_id
            elif before[move] == "cancel":
                move.copaco_document_id._set_invoiced(move)
        gone._on_invoice_gone("invoice_cancelled")
        return res

    def unlink(self):
        documents = self.sudo().copaco_document_id
        documents.filtered(lambda document: document.move_id in self).move_id = False
        res = super().unlink()
        documents._on_invoice_gone("invoice_deleted")
        return res

    # === ACTION METHODS === #

    def action_copaco_fetch(self):
        """The button above Odoo's customer invoices, whatever is ticked; see
        `copaco.connection`."""
        return self.env["copaco.connection"].action_fetch_all()

    def action_view_copaco_document(self):
        """:return: the form of the Copaco document that this invoice was made of"""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "copaco.document",
            "res_id": self.copaco_document_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _refuse_copaco_link(self):
        raise AccessError(
            self.env._(
                "An invoice is linked to its Copaco document by the import alone. To "
                "have another invoice, cancel this one and retry the document."
            )
        )

    def _check_copaco_document_is_free(self):
        """:raise UserError: when a cancelled invoice is brought back that another one
        has taken the place of, or whose document was excluded"""
        for move in self.filtered(lambda move: move.state == "cancel").sudo():
            document = move.copaco_document_id
            if document and document._has_live_invoice() and document.move_id != move:
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be used again: %(document)s was invoiced as "
                        "%(other)s since.",
                        invoice=move.display_name,
                        document=document.name,
                        other=document.move_id.display_name,
                    )
                )
            if document.state == "excluded":
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be used again: %(document)s was excluded "
                        "since. Undo that first.",
                        invoice=move.display_name,
                        document=document.name,
                    )
                )
