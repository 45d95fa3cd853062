from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

# Answers removed in one step of Odoo's autovacuum.
VACUUM_SIZE = 100


class CopacoRun(models.Model):
    _name = "copaco.run"
    _inherit = ["mail.thread"]
    _description = "Copaco Run"
    _mail_post_access = "read"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        related="connection_id.company_id", store=True, index=True
    )
    kind = fields.Selection(
        [
            ("specification", "Customer specifications"),
            ("purchase", "Purchase invoices"),
        ],
        required=True,
        default="specification",
    )
    trigger = fields.Selection(
        [
            ("scheduled", "Scheduled"),
            ("manual", "By hand"),
            ("file", "File"),
        ],
        required=True,
        default="manual",
    )
    file_name = fields.Char(string="File", readonly=True)
    origin = fields.Char(string="Portal", readonly=True)
    date_from = fields.Date(help="First creation date asked for.")
    date_to = fields.Date(help="Last creation date asked for, inclusive.")
    started_at = fields.Datetime(readonly=True)
    stored_at = fields.Datetime(
        readonly=True, help="When everything that came had been stored."
    )
    finished_at = fields.Datetime(readonly=True)
    state = fields.Selection(
        [
            ("running", "Running"),
            ("done", "Done"),
            ("attention", "Needs attention"),
            ("failed", "Failed"),
            ("empty", "Nothing came"),
        ],
        required=True,
        readonly=True,
        default="running",
        index=True,
    )
    message = fields.Text(readonly=True)
    payload_id = fields.Many2one(
        "ir.attachment",
        string="Answer",
        readonly=True,
        help="What Copaco sent, as it came, compressed.",
    )
    payload_size = fields.Integer(
        string="Size in Bytes", readonly=True, help="Before compression."
    )
    document_ids = fields.One2many("copaco.document", "run_id")
    version_ids = fields.One2many("copaco.document.version", "run_id")

    rejected_count = fields.Integer(
        string="Unreadable Invoices",
        readonly=True,
        help="Invoices of which not even the number could be read.",
    )
    rejected_payload = fields.Text(string="Unreadable Text", readonly=True)
    is_unread = fields.Boolean(
        string="Waits to Be Acknowledged",
        readonly=True,
        help="Someone has to look at the unreadable invoices.",
    )
    progress = fields.Float(compute="_compute_progress", help="In percent.")

    # === COMPUTE METHODS === #

    @api.depends("date_from", "date_to", "file_name")
    def _compute_name(self):
        for run in self:
            period = " – ".join(
                format_date(self.env, day)
                for day in (run.date_from, run.date_to)
                if day
            )
            run.name = run.file_name or period

    @api.depends("stored_at", "waiting_count", "new_count")
    def _compute_progress(self):
        for run in self:
            if not run.stored_at:
                run.progress = 0
            elif not run.new_count:
                run.progress = 100
            else:
                run.progress = 100 * (1 - run.waiting_count / run.new_count)

    # === ACTION METHODS === #

    def action_fetch(self):
        """The button above the list of runs, whatever is ticked; see
        `copaco.connection`."""
        return self.env["copaco.connection"].action_fetch_all()

    def action_acknowledge(self):
        """Note that a person has looked at the unreadable invoices of these runs."""
        self.check_access("read")
        self.env["copaco.connection"]._check_may_fetch()
        # The same text comes again with each fetch of the overlap.
        runs = self.sudo().search(
            [
                ("connection_id", "in", self.connection_id.ids),
                ("rejected_payload", "in", self.mapped("rejected_payload")),
                ("is_unread", "=", True),
            ]
        )
        runs.is_unread = False
        for run in runs:
            run._message_log(
                body=self.env._(
                    "%(user)s has looked at the unreadable invoices.",
                    user=self.env.user.name,
                )
            )
        runs._refresh_state()
        self.connection_id._update_activity()

    def action_view_documents(self):
        """:return: the window action with the documents that these runs brought"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_copaco.action_copaco_document"
        )
        action["context"] = {"search_default_run_id": self.ids}
        return action

    def action_view_held(self):
        """:return: the window action with what of these runs waits for a decision"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_copaco.action_copaco_document_to_do"
        )
        action["domain"] = [
            ("state", "in", ("held", "changed")),
            "|",
            ("run_id", "in", self.ids),
            ("version_ids.run_id", "in", self.ids),
        ]
        return action

    def action_view_invoices(self):
        """:return: the window action with the invoices of what these runs brought"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice"
        )
        action["domain"] = [("copaco_document_id.run_id", "in", self.ids)]
        action["context"] = {"create": False, "default_move_type": "out_invoice"}
        return action

    # === BUSINESS METHODS === #

    def _refresh_state(self):
        """Bring the state of these runs in line with what became of their documents;
        a failed one stays failed."""
        for run in self:
            if run.state == "failed" or not run.stored_at:
                continue
            if not run.received_count and not run.rejected_count:
                state = "empty"
            elif run.waiting_count:
                state = "running"
            elif run.held_count or run.is_unread or not run.is_proven:
                state = "attention"
            else:
                state = "done"
            # Nothing is written without need: others may be writing here too.
            if run.state != state:
                run.state = state
            if state != "running" and not run.finished_at:
                run.finished_at = fields.Datetime.now()

    def _finish_now(self, deadline):
        """Process what these runs brought while a person waits.

        :return: a notification with what was done
        :raise UserError: when one of them failed; what the others brought stays
        """
        # Only what these runs brought; the rest belongs to the scheduled action.
        documents = self.document_ids | self.version_ids.document_id
        documents._process_waiting(deadline)
        failed = self.filtered(lambda run: run.state == "failed")
        if failed:
            self.env.cr.commit()  # pylint: disable=invalid-commit # keep the reason
            raise UserError("\n".join(failed.mapped("message")))
        return self._get_result_notification()

    def _get_result_notification(self):
        """:return: a notification with the counts of these runs and a link to them"""
        fetching = self.filtered(lambda run: not run.stored_at)
        documents = sum(self.mapped("received_count"))
        rejected = sum(self.mapped("rejected_count"))
        parts = []
        if documents:
            parts.append(
                self.env._(
                    "Documents received: %(documents)s, of which invoiced: "
                    "%(invoiced)s, held for a decision: %(held)s, excluded: "
                    "%(excluded)s, known already: %(known)s.",
                    documents=documents,
                    known=sum(self.mapped("unchanged_count")),
                    invoiced=sum(self.mapped("invoiced_count")),
                    held=sum(self.mapped("held_count")),
                    excluded=sum(self.mapped("excluded_count")),
                )
            )
        if rejected:
            parts.append(
                self.env._(
                    "Invoices that could not be read: %(count)s.", count=rejected
                )
            )
        if not parts and not fetching:
            parts.append(
                self.env._("Nothing came: Copaco has no documents in this period.")
            )
        if fetching or any(self.mapped("waiting_count")):
            parts.append(self.env._("The rest goes on in the background."))
        action = self.env.ref("account_copaco.action_copaco_run")
        url = f"/odoo/{action.path}"
        if len(self) == 1:
            url += f"/{self.id}"
        attention = any(run.state == "attention" for run in self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if attention or not documents else "success",
                "message": " ".join(parts) + " %s",
                "links": [{"label": self.env._("Show what came"), "url": url}],
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === CRON METHODS === #

    @api.autovacuum
    def _gc_answers(self):
        """Remove the raw answers that are older than their connection keeps them.

        :return: (answers removed, whether there are more): `ir.autovacuum` comes back
        """
        runs = self
        for connection in (
            self.env["copaco.connection"]
            .with_context(active_test=False)
            .search([("retention_months", ">", 0)])
        ):
            oldest = fields.Datetime.now() - relativedelta(
                months=connection.retention_months
            )
            runs += self.search(
                [
                    ("connection_id", "=", connection.id),
                    ("create_date", "<", oldest),
                    ("payload_id", "!=", False),
                    ("state", "in", ("done", "empty", "failed")),
                ],
                limit=VACUUM_SIZE + 1,
            )
        runs, more = runs[:VACUUM_SIZE], runs[VACUUM_SIZE:]
        answers = runs.payload_id
        runs.payload_id = False
        # A younger run may have brought the very same.
        answers -= self.search([("payload_id", "in", answers.ids)]).payload_id
        answers.unlink()
        return len(runs), bool(more)
