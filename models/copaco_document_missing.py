from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class CopacoDocument(models.Model):
    """When Copaco created a document, so that it can be asked for again, and so that
    it is noticed when it is gone."""

    _inherit = "copaco.document"

    created_from = fields.Date(
        readonly=True, help="First day on which Copaco may have created this."
    )
    created_to = fields.Date(
        readonly=True, help="Last day on which Copaco may have created this."
    )
    missing_state = fields.Selection(
        [("reported", "Gone from Copaco"), ("acknowledged", "Gone, and looked at")],
        string="Gone",
        index="btree_not_null",
        readonly=True,
    )

    # === ACTION METHODS === #

    def action_acknowledge_missing(self):
        """Note that a person has looked at these documents that Copaco does not have
        any more."""
        self._check_may_decide()
        documents = self.filtered(
            lambda document: document.missing_state == "reported"
        ).sudo()
        documents.missing_state = "acknowledged"
        for document in documents:
            document._message_log(
                body=self.env._(
                    "%(user)s knows that Copaco does not have this any more.",
                    user=self.env.user.name,
                )
            )
        documents.connection_id._update_activity()

    def action_fetch_again(self):
        """Ask Copaco again for the days on which it created this document.

        :return: see `copaco.connection.action_fetch`
        :raise UserError: when it isn't known which days that were
        """
        self.ensure_one()
        if not self.created_to:
            raise UserError(
                self.env._(
                    "%(document)s came in a file, so it isn't known when Copaco "
                    "created it. Use Fetch period… on connection %(connection)s.",
                    document=self.name,
                    connection=self.connection_id.name,
                )
            )
        return self.connection_id._fetch_now(self.created_from, self.created_to)

    # === BUSINESS METHODS === #

    def _report_missing(self, run):
        """:param run: the `copaco.run` whose answer should have had these documents"""
        self.missing_state = "reported"
        for document in self:
            document._message_log(
                body=self.env._(
                    "Copaco does not have this any more: it was not in the answer for "
                    "%(date_from)s to %(date_to)s. Ask Copaco why.",
                    date_from=format_date(self.env, run.date_from),
                    date_to=format_date(self.env, run.date_to),
                )
            )

    @api.model
    def _get_missing_domain(self):
        return [("missing_state", "=", "reported")]
