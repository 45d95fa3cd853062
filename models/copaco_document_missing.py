from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date


class CopacoDocument(models.Model):
    """When Copaco created a document, so that it can be asked for again, and so that
    it is noticed when it is gone."""

    _inherit = "copaco.document"

    # All windows whose answers had it have these days in common. That an answer did not
    # have it tells nothing: Copaco may date something back.
    created_from = fields.Date(
        readonly=True, help="First day on which Copaco may have created this."
    )
    created_to = fields.Date(
        readonly=True, help="Last day on which Copaco may have created this."
    )
    created_origin = fields.Char(
        readonly=True, help="The portal that these days are those of."
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

    def _note_seen(self, run):
        """Narrow the days on which Copaco may have created these documents.

        :param run: the `copaco.run` whose answer had them
        """
        if not self:
            return
        days = ["created_from", "created_to", "created_origin"]
        self.flush_model([*days, "missing_state"])
        # Not `write`: how long a document waits is told from when it was written.
        self.env.cr.execute(
            SQL(
                """
                WITH seen AS (
                    SELECT id, created_origin = %(origin)s
                               -- Else the days that were known were wrong.
                               AND missing_state IS NULL
                               AND created_from <= %(date_to)s
                               AND created_to >= %(date_from)s AS is_narrower
                      FROM copaco_document
                     WHERE id IN %(ids)s
                )
                UPDATE copaco_document document
                   SET created_from = CASE WHEN is_narrower
                                           THEN GREATEST(created_from, %(date_from)s)
                                           ELSE %(date_from)s END,
                       created_to = CASE WHEN is_narrower
                                         THEN LEAST(created_to, %(date_to)s)
                                         ELSE %(date_to)s END,
                       created_origin = %(origin)s
                  FROM seen
                 WHERE document.id = seen.id
                   AND (is_narrower IS NOT TRUE OR created_from < %(date_from)s
                        OR created_to > %(date_to)s)
                """,
                ids=self._ids,
                origin=run.origin or None,
                date_from=run.date_from,
                date_to=run.date_to,
            ),
            log_exceptions=False,
        )
        self.invalidate_recordset(days)
        self.filtered("missing_state").missing_state = False

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
