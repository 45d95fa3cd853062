from datetime import timedelta

from odoo import fields, models

# An action that was due for so long isn't carried out at all: each has its turn within
# minutes.
OVERDUE_AFTER = timedelta(hours=1)


class CopacoBackground(models.AbstractModel):
    """What a person doesn't wait for is done by two scheduled actions. Starts them, and
    tells whether they run at all."""

    _name = "copaco.background"
    _description = "Copaco Background"

    # === WHAT IT GOES ON WITH === #

    def _postpone(self, run):
        """Leave a `copaco.run` that was begun to the background."""
        run.started_at = False
        self._continue_fetching()

    def _continue_fetching(self):
        self.env.ref("account_copaco.ir_cron_run")._trigger()

    def _continue_invoicing(self):
        self.env.ref("account_copaco.ir_cron_process")._trigger()

    def _with_own_context(self, documents):
        """:param documents: `copaco.document` records of one connection
        :return: them, the same whoever asks: on a contact's invoices, for one, the
            client asks to see archived contacts too
        """
        connection = documents.connection_id
        context = {
            "lang": connection.responsible_id.lang,
            # Nobody follows an invoice because the scheduled action ran as that user,
            # and a salesperson gets no mail for each of hundreds.
            "mail_create_nosubscribe": True,
            "mail_auto_subscribe_no_notify": True,
        }
        # pylint: disable-next=context-overridden # nothing of the caller's is to stay
        documents = documents.sudo().with_context(context)
        return documents.with_company(connection.company_id)

    # === WHETHER IT DOES === #

    def _get_actions(self):
        """:return: the `ir.cron` records that fetch and create invoices"""
        return self.env.ref("account_copaco.ir_cron_run").sudo() | self.env.ref(
            "account_copaco.ir_cron_process"
        )

    def _get_stopped_actions(self):
        """:return: those of the two that nobody carries out: switched off, or overdue
        because this server has no process for scheduled actions"""
        limit = fields.Datetime.now() - OVERDUE_AFTER
        return self._get_actions().filtered(
            lambda action: not action.active or action.nextcall < limit
        )

    def _describe_rest(self):
        """:return: a sentence that tells a person what becomes of the rest"""
        stopped = self._get_stopped_actions()
        if not stopped:
            return self.env._("The rest goes on in the background.")
        return self.env._(
            "The rest waits, because no scheduled action of this name is carried out: "
            "%(actions)s. Ask your administrator to switch it on under Settings, "
            "Technical, Scheduled Actions, and to let the server run scheduled "
            "actions (max_cron_threads); or press the button again to go on.",
            actions=", ".join(stopped.mapped("name")),
        )
