from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

# Responses removed in one step of Odoo's autovacuum.
VACUUM_SIZE = 100


class CopacoResponseRetention(models.AbstractModel):
    """Removes raw responses that are older than their connection keeps them. What was
    stored of them stays."""

    _name = "copaco.response.retention"
    _description = "Retention of Copaco Responses"

    @api.autovacuum
    def _gc_responses(self):
        """Remove the responses that are older than their connection keeps them.

        :return: (responses removed, whether there are more): `ir.autovacuum` asks
            again
        """
        all_runs = self.env["copaco.run"].sudo()
        runs = all_runs
        for connection in (
            self.env["copaco.connection"]
            .sudo()
            .with_context(active_test=False)
            .search([("retention_months", ">", 0)])
        ):
            oldest = fields.Datetime.now() - relativedelta(
                months=connection.retention_months
            )
            runs += all_runs.search(
                [
                    ("connection_id", "=", connection.id),
                    ("create_date", "<", oldest),
                    ("payload_id", "!=", False),
                    ("state", "in", ("done", "empty", "failed")),
                ],
                limit=VACUUM_SIZE + 1,
            )
        runs, more = runs[:VACUUM_SIZE], runs[VACUUM_SIZE:]
        responses = runs.payload_id
        runs.payload_id = False
        # A younger run may have received the very same.
        responses -= all_runs.search([("payload_id", "in", responses.ids)]).payload_id
        responses.unlink()
        return len(runs), bool(more)
