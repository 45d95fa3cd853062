from odoo import fields, models
from odoo.tools import SQL


class CopacoUnchangedMixin(models.AbstractModel):
    """Whether a person changed what was invoiced of a document, see
    `copaco.automation`."""

    _name = "copaco.unchanged.mixin"
    _description = "Manual Changes of a Copaco Document's Invoice"

    manual_change = fields.Selection(
        [("edited", "Edited manually"), ("reset", "Reset to draft")],
        readonly=True,
        help="What a person did with the invoice, however it looks now.",
    )
    manual_change_on = fields.Date(readonly=True)
    edits_checked_at = fields.Datetime(
        readonly=True,
        help="When the confirmed invoice was compared with what was made.",
    )

    # === BUSINESS METHODS === #

    def _note_reset(self):
        """Note that confirmed invoices of these documents are drafts again."""
        self._write_unseen(
            SQL(
                "manual_change = 'reset', manual_change_on = %s",
                fields.Date.context_today(self),
            )
        )

    def _note_checked(self, edited):
        """Note that the confirmed invoices of these documents were compared with what
        was made.

        :param edited: those of these documents whose invoices a person edited; as they
            were confirmed, or today, if they weren't then
        """
        (self - edited)._write_unseen(SQL("edits_checked_at = %s", self.env.cr.now()))
        edited._write_unseen(
            SQL(
                "manual_change = 'edited', manual_change_on = CASE "
                "WHEN edits_checked_at IS NULL THEN invoice_date ELSE %s END",
                fields.Date.context_today(self),
            )
        )

    def _write_unseen(self, assignments):
        # Not by `write`: what is known of a document hasn't changed, and since when it
        # waits, and which margins are to be computed anew, is told by `write_date`.
        if self:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s WHERE id = ANY(%s)",
                    SQL.identifier(self._table),
                    assignments,
                    self.ids,
                )
            )
            self.invalidate_recordset(
                ["manual_change", "manual_change_on", "edits_checked_at"], flush=False
            )
