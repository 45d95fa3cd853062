from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate, float_compare

from ..const import DEFAULT_KIND, KIND_SELECTION, KINDS
from ..tools import Message, open_invoices, open_window, translate

_lt = LazyTranslate(__name__)

# What the addon alone writes: by these a response is known to be the same as one
# before.
PROTECTED_FIELDS = ("payload_digest", "payload_id", "received_ids", "stored_at")


class CopacoRun(models.Model):
    _name = "copaco.run"
    _inherit = ["mail.thread", "copaco.run.name.mixin"]
    _description = "Copaco Run"
    _mail_post_access = "read"
    _order = "id desc"
    _check_company_auto = True

    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        related="connection_id.company_id", store=True, index=True
    )
    kind = fields.Selection(KIND_SELECTION, required=True, default=DEFAULT_KIND)
    trigger = fields.Selection(
        [
            ("scheduled", "Scheduled"),
            ("manual", "Manual"),
            ("file", "File"),
        ],
        required=True,
        default="manual",
    )
    origin = fields.Char(string="Portal", readonly=True)
    endpoint = fields.Char(
        compute="_compute_endpoint",
        store=True,
        precompute=True,
        help="What was asked at the portal.",
    )
    started_at = fields.Datetime(readonly=True)
    stored_at = fields.Datetime(
        readonly=True, help="When the whole response had been stored."
    )
    finished_at = fields.Datetime(readonly=True)
    state = fields.Selection(
        [
            ("running", "Running"),
            ("attention", "Needs attention"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("empty", "No documents"),
        ],
        required=True,
        readonly=True,
        default="running",
        index=True,
    )
    message = Message(readonly=True)
    payload_id = fields.Many2one(
        "ir.attachment",
        string="Response",
        readonly=True,
        help="What Copaco sent, unchanged, compressed.",
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
    rejected_reason = Message(string="Reason", readonly=True)
    rejected_payload = fields.Text(string="Unreadable Text", readonly=True)
    is_unread = fields.Boolean(
        string="To Acknowledge",
        readonly=True,
        help="Someone has to look at the unreadable invoices.",
    )
    progress = fields.Float(compute="_compute_progress", help="In percent.")
    payload_digest = fields.Char(readonly=True, index="btree_not_null")
    received_ids = fields.Json(
        readonly=True,
        help="The ids of all documents of the response, when all of it could be read.",
    )
    # What was received, counted from the response itself, before anything was stored.
    received_count = fields.Integer(string="Documents Received", readonly=True)
    received_line_count = fields.Integer(string="Lines Received", readonly=True)
    amount_received = fields.Monetary(readonly=True)
    unchanged_count = fields.Integer(string="Already Known", readonly=True)
    unchanged_line_count = fields.Integer(string="Lines Already Known", readonly=True)
    amount_unchanged = fields.Monetary(string="Amount Already Known", readonly=True)
    new_count = fields.Integer(string="New Documents", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    has_several_currencies = fields.Boolean(readonly=True)
    document_count = fields.Integer(
        string="Documents", compute="_compute_document_count"
    )
    invoice_count = fields.Integer(string="Invoices", compute="_compute_invoice_count")
    # Where it is now, see `copaco.reconciliation`.
    waiting_count = fields.Integer(
        string="Documents Waiting", compute="_compute_reconciliation"
    )
    invoiced_count = fields.Integer(
        string="Documents Invoiced", compute="_compute_reconciliation"
    )
    held_count = fields.Integer(
        string="Documents Held", compute="_compute_reconciliation"
    )
    excluded_count = fields.Integer(
        string="Documents Excluded", compute="_compute_reconciliation"
    )
    amount_invoiced = fields.Monetary(
        compute="_compute_reconciliation",
        help="What the invoices say, less what the credit notes say, without tax.",
    )
    amount_credited = fields.Monetary(
        compute="_compute_reconciliation",
        help="What someone credited by credit notes on the invoices, drafts included.",
    )
    amount_edited = fields.Monetary(
        compute="_compute_reconciliation",
        help="What someone took off the invoices, or, below zero, added to them.",
    )
    amount_unexplained = fields.Monetary(
        compute="_compute_reconciliation",
        help="What the invoices say less, or, below zero, more than Copaco, although "
        "nobody edited them.",
    )
    amount_held = fields.Monetary(compute="_compute_reconciliation")
    amount_excluded = fields.Monetary(compute="_compute_reconciliation")
    replaced_count = fields.Integer(
        string="Documents Replaced",
        compute="_compute_reconciliation",
        help="A later run received a newer version, or a person kept the older one.",
    )
    amount_replaced = fields.Monetary(compute="_compute_reconciliation")
    reconciliation = fields.Html(
        compute="_compute_reconciliation_table", sanitize=False
    )
    is_balanced = fields.Boolean(
        string="Balanced",
        compute="_compute_reconciliation",
        help="Received = invoiced + credited manually + edited manually + held + "
        "excluded + waiting + replaced + already known, in documents, lines and "
        "amounts; and nothing is unexplained.",
    )
    balance_problem = fields.Text(
        string="Problem",
        compute="_compute_reconciliation",
        help="Why it is out of balance, and what to do.",
    )

    # Of this run and no other: what it received less what others had, or have since.
    brought_count = fields.Integer(
        string="New",
        compute="_compute_brought",
        help="Documents that no other run counts.",
    )
    amount_brought = fields.Monetary(
        string="New Amount",
        compute="_compute_brought",
        currency_field="shown_currency_id",
        help="Without tax, of the documents that no other run counts.",
    )
    shown_currency_id = fields.Many2one("res.currency", compute="_compute_brought")

    # === COMPUTE METHODS === #

    # Not on the source: what was asked stays, whatever is asked later.
    @api.depends("kind", "connection_id")
    def _compute_endpoint(self):
        for run in self:
            run.endpoint = KINDS[run.kind].get_endpoint(run.connection_id.source)

    @api.depends("document_ids", "version_ids")
    def _compute_document_count(self):
        Document = self.env["copaco.document"]
        for run in self:
            run.document_count = Document.search_count(run._get_documents_domain())

    @api.depends("document_ids.move_id")
    def _compute_invoice_count(self):
        for run in self:
            run.invoice_count = len(run.document_ids.move_id)

    @api.depends("stored_at", "waiting_count", "new_count")
    def _compute_progress(self):
        for run in self:
            if not run.stored_at:
                run.progress = 0
            elif not run.new_count:
                run.progress = 100
            else:
                run.progress = 100 * (1 - run.waiting_count / run.new_count)

    @api.depends(
        "received_count",
        "received_line_count",
        "amount_received",
        "unchanged_count",
        "unchanged_line_count",
        "amount_unchanged",
        "document_ids.state",
        "document_ids.run_id",
        "document_ids.move_id.state",
        "document_ids.move_id.amount_untaxed",
        "version_ids.state",
    )
    @api.depends_context("lang")
    def _compute_reconciliation(self):
        reconciliations = self.env["copaco.reconciliation"]._reconcile_runs(self)
        buckets = {
            "waiting": ("waiting",),
            "invoiced": ("posted", "draft"),
            "credited": ("credited",),
            "edited": ("edited",),
            "unexplained": ("unexplained",),
            "held": ("held",),
            "excluded": ("excluded",),
            "replaced": ("replaced",),
        }
        for run, reconciliation in reconciliations.items():
            for name, parts in buckets.items():
                count, _lines, amount = reconciliation.get_total(*parts)
                found = {f"amount_{name}": amount, f"{name}_count": count}
                for field in found.keys() & run._fields.keys():
                    run[field] = found[field]
            count, lines, amount = reconciliation.get_total()
            is_complete = (
                count + run.unchanged_count == run.received_count
                and lines + run.unchanged_line_count == run.received_line_count
                and run._is_received(amount + run.amount_unchanged)
            )
            run.balance_problem = self.env["copaco.reconciliation.table"]._get_problem(
                reconciliation, is_complete
            )
            run.is_balanced = not run.balance_problem

    def _is_received(self, amount):
        """Whether this amount is what was received."""
        decimals = self.document_ids.currency_id.mapped("decimal_places")
        if max(decimals, default=0) > self.currency_id.decimal_places:
            # Of several currencies, one has more than the amounts of a run have: what
            # was received and what was known are both rounded.
            return abs(amount - self.amount_received) <= self.currency_id.rounding
        # Floats of a thousand billion have no fourth decimal.
        return float_compare(amount, self.amount_received, 3) == 0

    @api.depends("received_count", "unchanged_count", "replaced_count", "currency_id")
    def _compute_brought(self):
        for run in self:
            run.shown_currency_id = run.currency_id or run.company_id.currency_id
            run.brought_count = (
                run.received_count - run.unchanged_count - run.replaced_count
            )
            run.amount_brought = (
                run.amount_received - run.amount_unchanged - run.amount_replaced
            )

    @api.depends("is_balanced", "amount_invoiced", "held_count", "excluded_count")
    @api.depends_context("lang")
    def _compute_reconciliation_table(self):
        reconciliations = self.env["copaco.reconciliation"]._reconcile_runs(self)
        for run, reconciliation in reconciliations.items():
            run.reconciliation = self.env["copaco.reconciliation.table"]._render(
                reconciliation,
                run.currency_id or run.company_id.currency_id,
                (run.unchanged_count, run.unchanged_line_count, run.amount_unchanged),
                f"/odoo/copaco-runs/{run.id}",
            )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would also get past `sudo()`.
        return super().default_get(
            [name for name in fields if name not in PROTECTED_FIELDS]
        )

    # === ACTION METHODS === #

    def action_fetch(self):
        """The button above the list of runs, whatever is ticked; see
        `copaco.connection`."""
        return self.env["copaco.connection"].action_fetch_all()

    def action_acknowledge(self):
        """Note that a person has looked at the unreadable invoices of these runs."""
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        # The same text is received again with each fetch of the overlap.
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
        self.env["copaco.activity.monitor"]._update_activity(self.connection_id)

    def action_download(self):
        """:return: the action that downloads what Copaco sent"""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.payload_id.id}?download=true",
            "target": "download",
        }

    def action_view_documents(self):
        """:return: the window action with the documents of which these runs received
        anything new"""
        return self._open_documents(self._get_documents_domain())

    def action_view_held(self):
        """:return: the window action with what of these runs waits for a decision"""
        pending = Domain("run_id", "in", self.ids) & Domain("state", "=", "pending")
        domain = self._get_own_domain("held") | Domain("version_ids", "any", pending)
        return open_window(
            self.env, "action_copaco_document_to_do", domain=list(domain)
        )

    def action_view_excluded(self):
        """:return: the window action with what of these runs is not invoiced"""
        return self._open_documents(self._get_own_domain("excluded"))

    def action_view_invoices(self):
        """:return: the window action with the invoices, or bills, of what this run
        received"""
        self.ensure_one()
        domain = [("copaco_document_ids.run_id", "=", self.id)]
        return open_invoices(self.env, domain, KINDS[self.kind].move_type)

    # === BUSINESS METHODS === #

    def _get_documents_domain(self):
        """See `action_view_documents`."""
        return Domain("run_id", "in", self.ids) | Domain(
            "version_ids.run_id", "in", self.ids
        )

    def _get_own_domain(self, state):
        """:return: domain of the documents that these runs received, in a state"""
        return Domain("run_id", "in", self.ids) & Domain("state", "=", state)

    def _open_documents(self, domain):
        return open_window(self.env, "action_copaco_document", domain=list(domain))

    def _refresh_state(self):
        """Bring the state of these runs in line with what became of their documents;
        a failed one stays failed."""
        # They are added up from invoices and versions, too, which may have changed.
        counted = ["held_count", "is_balanced", "waiting_count"]
        self.invalidate_recordset(counted, flush=False)
        # Adding up takes long, and says nothing as long as documents wait.
        Document = self.env["copaco.document"]
        domain = [("run_id", "in", self.ids), *Document._get_waiting_domain()]
        waiting = dict(Document._read_group(domain, ["run_id"], ["__count"]))
        for run in self:
            if run.state == "failed" or not run.stored_at:
                continue
            if not run.received_count and not run.rejected_count:
                state = "empty"
            elif run in waiting:
                state = "running"
            elif run.held_count or run.is_unread or not run.is_balanced:
                state = "attention"
            else:
                state = "done"
            # Nothing is written without need: others may be writing here too.
            if run.state != state:
                run.state = state
            if state != "running" and not run.finished_at:
                run.finished_at = fields.Datetime.now()

    def _get_error_message(self, error):
        """:param error: a `CopacoError`
        :return: message: what happened to this run and what to do
        """
        if self.trigger != "file":
            return self.connection_id._get_error_message(error, self.endpoint)
        return _lt(
            "File %(file)s for connection %(connection)s: %(error)s Save it again, as "
            "Copaco sent it, and upload it again.",
            file=self.name,
            connection=self.connection_id.name,
            error=translate(error.sentence),
        )

    # === CRON METHODS === #

    @api.model
    def _cron_execute(self):
        """Go on with what a person did not wait for, or what was interrupted."""
        self.sudo().env["copaco.run.scheduler"]._resume()

    def _job_refresh(self):
        self.sudo().env["copaco.job"]._refresh(self.sudo())
