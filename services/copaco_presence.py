from odoo import api, models
from odoo.tools import SQL, format_date


class CopacoPresence(models.AbstractModel):
    """On which days Copaco may have created a document, so that it can be asked for
    again, and that it is noticed when Copaco has it no longer."""

    _name = "copaco.presence"
    _description = "Copaco Document Presence"

    @api.model
    def _update(self, run, received, unread):
        """Note which documents a response had, and which it lacks although it must
        have them; nothing is deleted.

        :param run: the `copaco.run` that brought the response
        :param received: the `copaco.document` records that were known and came again
        :param unread: invoice numbers of what could not be read; None: they are unknown
        """
        if not run.date_from:
            return
        self._narrow_creation_days(run, received)
        if unread is None:
            return
        missing = received.search(
            [
                ("connection_id", "=", run.connection_id.id),
                ("kind", "=", run.kind),
                # One response that must have it: of several, Copaco may leave out what
                # lies where they touch.
                ("created_origin", "=", run.origin),
                ("created_from", ">=", run.date_from),
                ("created_to", "<=", run.date_to),
                ("missing_state", "=", False),
                ("run_id", "!=", run.id),
                # Another fetch may have asked later, and stored earlier.
                ("create_date", "<=", run.started_at),
                ("id", "not in", received.ids),
                ("invoice_number", "not in", unread),
            ]
        )
        missing.missing_state = "reported"
        for document in missing:
            document._message_log(
                body=self.env._(
                    "Copaco no longer has this document: it was not in the response "
                    "for %(date_from)s to %(date_to)s. Ask Copaco why.",
                    date_from=format_date(self.env, run.date_from),
                    date_to=format_date(self.env, run.date_to),
                )
            )

    @api.model
    def _narrow_creation_days(self, run, documents):
        """Narrow the days on which Copaco may have created documents.

        :param run: the `copaco.run` whose response had them
        """
        if not documents:
            return
        days = ["created_from", "created_to", "created_origin"]
        documents.flush_model([*days, "missing_state"])
        # Not `write`: how long a document waits is told from when it was written.
        self.env.cr.execute(
            SQL(
                """
                WITH received AS (
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
                  FROM received
                 WHERE document.id = received.id
                   AND (is_narrower IS NOT TRUE OR created_from < %(date_from)s
                        OR created_to > %(date_to)s)
                """,
                ids=documents._ids,
                origin=run.origin or None,
                date_from=run.date_from,
                date_to=run.date_to,
            ),
            log_exceptions=False,
        )
        documents.invalidate_recordset(days)
        documents.filtered("missing_state").missing_state = False
