from odoo.tools import SQL

from .common import CopacoCommon

RESULTS = [
    "copaco_preview",
    "copaco_preview_outcome",
    "copaco_preview_document",
    "copaco_preview_line",
]


class PreviewCommon(CopacoCommon):
    def preview(self, action="action_preview", user=None, **values):
        """Press the button of the dialog.

        :return: the `copaco.preview` with its results
        """
        wizard = (
            self.env["copaco.preview"]
            .with_user(user or self.billing_user)
            .create({"connection_id": self.connection.id, **values})
        )
        with self.committing(wizard) as committing:
            getattr(committing, action)()
        return wizard

    def look_at_everything(self):
        """:return: dict of a digest of the content of every table but the results,
        and of the next number of every sequence of Odoo"""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename != ALL(%s)",
            [RESULTS],
        )
        digests = {}
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(
                SQL(
                    "SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text))"
                    " FROM %s t",
                    SQL.identifier(table),
                )
            )
            digests[table] = self.env.cr.fetchone()
        self.env.cr.execute(
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE sequencename LIKE 'ir\\_sequence\\_%'"
            " AND sequencename NOT LIKE '%\\_id\\_seq'"
        )
        return {**digests, **dict(self.env.cr.fetchall())}
