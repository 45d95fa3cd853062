from odoo import models
from odoo.tools import SQL, format_date


class CopacoMissingDocument(models.AbstractModel):
    """On which days Copaco may have created a document, so that it can be asked for
    again, and that it is noticed when Copaco has it no longer."""

    _name = "copaco.missing.document"
    _description = "Missing Copaco Document"

    def _is_covered(self, run, document):
        """Whether a run asked for every day on which Copaco may have created (a part
        of) a document, so that its response has all of it. What was uploaded was asked
        for by nobody knows whom."""
        return bool(
            run.date_from
            and document.created_from
            and document.created_origin == run.origin
            and document.created_endpoint == run.endpoint
            and run.date_from <= document.created_from
            and document.created_to <= run.date_to
        )

    def _update(self, run, seen, unread):
        """Note which documents a response had, and which it lacks although it must
        have them; nothing is deleted.

        :param run: the `copaco.run` that received the response
        :param seen: dict of `copaco.document` records that were known and are in it:
            `whole`, as far as they are known; `changed`, with all that is known now;
            `merged`: a part, and not all of that was known; or a known `partial`
        :param unread: invoice numbers of what could not be read; None: they are unknown
        """
        if not run.date_from:
            return
        # A response that had the whole was created on days that it asked for, and that
        # all others asked for that had the whole. What is new may be of any day.
        self._write_creation_days(
            run,
            seen.get("whole"),
            SQL("GREATEST(created_from, %s)", run.date_from),
            SQL("LEAST(created_to, %s)", run.date_to),
            SQL("created_from <= %s AND created_to >= %s", run.date_to, run.date_from),
        )
        self._write_creation_days(
            run,
            seen.get("changed"),
            SQL("created_from"),
            SQL("created_to"),
            SQL("false"),
        )
        self._write_creation_days(
            run,
            seen.get("merged"),
            SQL("LEAST(created_from, %s)", run.date_from),
            SQL("GREATEST(created_to, %s)", run.date_to),
            SQL("true"),
        )
        received = self.env["copaco.document"].union(*seen.values())
        found = received.filtered("missing_state")
        found.missing_state = False
        # Of another connection to the same portal, perhaps.
        self.env["copaco.activity.monitor"]._update_activity(found.connection_id)
        if unread is None:
            return
        missing = received.search(
            [
                ("root_company_id", "=", run.company_id.root_id.id),
                ("kind", "=", run.kind),
                # One response that must have it: of several, Copaco may leave out what
                # lies on their first or last day.
                ("created_origin", "=", run.origin),
                ("created_endpoint", "=", run.endpoint),
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
        self.env["copaco.lost.charges"]._review_missing(missing)
        self.env["copaco.versioning"]._review_left_out(missing)
        self.env["copaco.activity.monitor"]._update_activity(missing.connection_id)
        for document in missing:
            document._message_log(
                body=self.env._(
                    "Copaco no longer has this document: it was not in the response "
                    "for %(date_from)s to %(date_to)s. Ask Copaco why.",
                    date_from=format_date(self.env, run.date_from),
                    date_to=format_date(self.env, run.date_to),
                )
            )

    def _acknowledge(self, documents):
        """See `copaco.document.action_acknowledge_missing`."""
        documents._check_billing_access()
        missing = documents.filtered(
            lambda document: document.missing_state == "reported"
        ).sudo()
        missing.missing_state = "acknowledged"
        for document in missing:
            document._message_log(
                body=self.env._(
                    "%(user)s acknowledged that Copaco no longer has this document.",
                    user=self.env.user.name,
                )
            )
        self.env["copaco.activity.monitor"]._update_activity(missing.connection_id)

    def _write_creation_days(self, run, documents, date_from, date_to, condition):
        """Write the days on which Copaco may have created documents. Days that are
        another portal's or source's, or contradict what was received, are not those.

        :param date_from: `SQL` of the first day, when what is known is right
        :param date_to: `SQL` of the last day
        :param condition: `SQL` of what else has to be so for it to be right
        """
        if not documents:
            return
        days = ["created_from", "created_to", "created_origin", "created_endpoint"]
        documents.flush_model([*days, "missing_state"])
        # Not `write`: how long a document waits is told from when it was written.
        self.env.cr.execute(
            SQL(
                """
                WITH known AS (
                    SELECT id,
                           COALESCE(created_origin = %(origin)s
                                    AND created_endpoint = %(endpoint)s
                                    AND missing_state IS NULL
                                    AND %(condition)s, false) AS is_right,
                           %(date_from)s AS date_from, %(date_to)s AS date_to
                      FROM copaco_document
                     WHERE id IN %(ids)s
                )
                UPDATE copaco_document document
                   SET created_from = CASE WHEN is_right THEN date_from
                                           ELSE %(run_from)s END,
                       created_to = CASE WHEN is_right THEN date_to
                                         ELSE %(run_to)s END,
                       created_origin = %(origin)s,
                       created_endpoint = %(endpoint)s
                  FROM known
                 WHERE document.id = known.id
                   AND NOT (is_right AND created_from = date_from
                            AND created_to = date_to)
                """,
                ids=documents._ids,
                origin=run.origin or None,
                endpoint=run.endpoint,
                run_from=run.date_from,
                run_to=run.date_to,
                date_from=date_from,
                date_to=date_to,
                condition=condition,
            ),
            log_exceptions=False,
        )
        documents.invalidate_recordset(days)
