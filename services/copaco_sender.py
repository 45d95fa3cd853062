from odoo import api, models


class CopacoSender(models.AbstractModel):
    """Lets Odoo send invoices."""

    _name = "copaco.sender"
    _description = "Copaco Sender"

    @api.model
    def _send_in_background(self, documents):
        """Let Odoo send the invoices of documents, each by the method that its
        customer prefers. Odoo would count one that reaches nobody as sent."""
        sender = self.env["account.move.send"]
        for document in documents:
            move = document.move_id
            methods = sender._get_default_sending_methods(move) - {"manual"}
            if methods and ("email" not in methods or move.partner_id.email):
                user = move.invoice_user_id
                move.sending_data = {
                    "author_user_id": user.id,
                    "author_partner_id": user.partner_id.id,
                }
                continue
            document.is_unsent = True
            move._message_log(
                body=self.env._(
                    "This invoice was not sent: %(partner)s has no e-mail address, or "
                    "prefers to be sent nothing. Correct that on the contact, then "
                    "send the invoice.",
                    partner=move.partner_id.display_name,
                )
            )
        self.env.ref("account.ir_cron_account_move_send")._trigger()
