from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from ..client import AUTH_METHODS, ENDPOINTS, NAMED_AUTH_METHODS, get_origin
from ..const import BILLING_GROUP, INVOICE_POLICY_SELECTION
from ..tools import open_invoices, open_window
from .copaco_source_mixin import TEST_FIELDS

# What the addon alone writes: it tells what was really done.
PROTECTED_FIELDS = (
    "api_key_hint",
    "fetched_until",
    "last_alert_at",
    "margins_checked_at",
    "months_without_invoices",
    "origin",
    "peppol_silent_until",
    "purchases_fetched_until",
    "released_months",
    "suggested_vendor_id",
    *TEST_FIELDS,
)


class CopacoConnection(models.Model):
    _name = "copaco.connection"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "copaco.automation.mixin",
        "copaco.journal.mixin",
        "copaco.layout.mixin",
        "copaco.rounding.mixin",
        "copaco.product.mixin",
        "copaco.purchase.mixin",
        "copaco.sending.mixin",
        "copaco.setup.mixin",
        "copaco.source.mixin",
    ]
    _description = "Copaco Connection"
    _mail_post_access = "read"
    _order = "company_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, default="Copaco Cloud")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    invoice_grouping = fields.Selection(required=True, default="document")
    layout_id = fields.Many2one(
        default=lambda self: self.env.ref(
            "account_copaco.layout_copaco", raise_if_not_found=False
        )
    )
    base_url = fields.Char(
        string="API URL",
        required=True,
        default="https://api.copaco.cloud/api/v1/",
        help="Copaco's billing API. Changing the server removes the API key.",
    )
    specification_path = fields.Char(
        string="Customer Specifications",
        required=True,
        default=ENDPOINTS["specification"].path,
    )
    purchase_path = fields.Char(
        string="Purchase Invoices", required=True, default=ENDPOINTS["purchase"].path
    )
    example_path = fields.Char(
        string="Example Invoices", required=True, default=ENDPOINTS["example"].path
    )
    auth_method = fields.Selection(
        [(name, method.label) for name, method in AUTH_METHODS.items()],
        string="Authentication",
        required=True,
        default="bearer",
        help="Copaco's pages do not say how the key is sent. Test connection tries "
        "them in turn and keeps the one that the server takes.",
    )
    auth_name = fields.Char(
        string="Header or Parameter", help="Name of the header or query parameter."
    )
    api_key = fields.Char(
        string="API Key",
        compute="_compute_api_key",
        inverse="_inverse_api_key",
        help="Can be set and replaced, never read.",
    )
    api_key_hint = fields.Char(
        string="Key Ends In", readonly=True, copy=False, help="Last four characters."
    )
    api_key_expiry = fields.Date(string="Key Expires On", copy=False)
    origin = fields.Char(
        compute="_compute_origin",
        store=True,
        help="The portal: what was asked of another one doesn't count.",
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        check_company=True,
        default=lambda self: self.env.ref(
            "account_copaco.product_cloud_services", False
        ),
        help="Its income account and taxes, through the customer's fiscal position, "
        "are those of the invoice lines.",
    )
    invoice_policy = fields.Selection(
        INVOICE_POLICY_SELECTION,
        string="Invoice Status on Import",
        required=True,
        default="draft",
        help="Send: in the background, the way each customer prefers, once confirmed.",
    )
    import_from = fields.Date(
        help="The first fetch starts here; left empty, three months back. Copaco looks "
        "at the day on which an invoice was created, not at the period it is about."
    )
    overlap_days = fields.Integer(
        default=10,
        help="Each fetch looks this many days further back than the last one ended.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    weekly_digest = fields.Boolean(
        help="Mail the responsible user each week what waits for a decision."
    )
    retention_months = fields.Integer(
        string="Response Retention",
        default=24,
        help="Months after which the responses are removed, unless something of them "
        "still waits; 0: they are kept for ever. Documents are always kept.",
    )
    expected_day = fields.Integer(
        string="Expected by Day",
        required=True,
        default=25,
        help="Day of a month by which Copaco has created its invoices. The responsible "
        "user is alerted when none were received by then.",
    )
    months_without_invoices = fields.Json(
        readonly=True,
        copy=False,
        help="First days of the months of which a person confirmed that Copaco has no "
        "invoices.",
    )
    last_alert_at = fields.Datetime(
        string="Last Alert",
        readonly=True,
        copy=False,
        help="When an activity was last scheduled for the responsible user.",
    )
    fetched_until = fields.Date(
        readonly=True,
        copy=False,
        help="Everything created up to and including this day has been stored.",
    )
    responsible_id = fields.Many2one(
        "res.users",
        required=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Is told when a fetch fails or when documents wait for a decision.",
    )
    run_ids = fields.One2many("copaco.run", "connection_id")
    document_ids = fields.One2many("copaco.document", "connection_id")
    run_count = fields.Integer(compute="_compute_run_count")
    document_count = fields.Integer(compute="_compute_document_counts")
    held_count = fields.Integer(string="Held", compute="_compute_document_counts")
    to_do_count = fields.Integer(string="To Do", compute="_compute_to_do_count")
    invoice_count = fields.Integer(compute="_compute_invoice_count")
    waiting_message = fields.Text(compute="_compute_waiting_message")
    last_run_id = fields.Many2one(
        "copaco.run", string="Last Fetch", compute="_compute_last_run"
    )
    last_run_state = fields.Selection(
        selection=lambda self: (
            self.env["copaco.run"]._fields["state"]._description_selection(self.env)
        ),
        string="Last Fetch Result",
        compute="_compute_last_run",
    )
    last_run_message = fields.Text(compute="_compute_last_run")

    _overlap_days_positive = models.Constraint(
        "CHECK(overlap_days BETWEEN 0 AND 366)",
        "The overlap of a connection is between 0 and 366 days.",
    )
    _expected_day_in_month = models.Constraint(
        "CHECK(expected_day BETWEEN 1 AND 31)",
        "The day by which a connection expects invoices is between 1 and 31.",
    )
    _retention_months_positive = models.Constraint(
        "CHECK(retention_months >= 0)", "The response retention can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("base_url")
    def _compute_origin(self):
        for connection in self:
            connection.origin = get_origin(connection.base_url)

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for connection in self:
            key = (connection.api_key or "").strip()
            self.env["copaco.key.store"]._write(connection, key)
            # The last four of a short key would give away too much of it.
            hint = key[-4:] if len(key) >= 12 else "****"
            connection.sudo().api_key_hint = key and hint
        self.invalidate_recordset(["api_key"])

    @api.depends("document_ids.state")
    def _compute_document_counts(self):
        states = defaultdict(Counter)
        for connection, state, count in self.env["copaco.document"]._read_group(
            [("connection_id", "in", self.ids)],
            ["connection_id", "state"],
            ["__count"],
        ):
            states[connection][state] = count
        for connection in self:
            counts = states[connection]
            connection.document_count = counts.total()
            connection.held_count = counts["held"] + counts["changed"]

    @api.depends(
        "document_ids.state", "document_ids.missing_state", "document_ids.draft_reason"
    )
    def _compute_to_do_count(self):
        Document = self.env["copaco.document"]
        domain = Document._get_to_do_domain() & Domain("connection_id", "in", self.ids)
        counts = dict(Document._read_group(domain, ["connection_id"], ["__count"]))
        for connection in self:
            connection.to_do_count = counts.get(connection, 0)

    @api.depends("document_ids.move_id.state")
    def _compute_invoice_count(self):
        Move = self.env["account.move"]
        for connection in self:
            domain = connection._get_invoices_domain()
            connection.invoice_count = Move.search_count(domain)

    @api.depends("run_ids")
    def _compute_run_count(self):
        counts = dict(
            self.env["copaco.run"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.run_count = counts.get(connection, 0)

    @api.depends("held_count")
    @api.depends_context("lang")
    def _compute_waiting_message(self):
        notification = self.env["copaco.fetch.notification"]
        for connection in self:
            connection.waiting_message = (
                connection.held_count and notification._describe_waiting(connection)
            ) or False

    @api.depends("run_ids.state")
    @api.depends_context("lang")
    def _compute_last_run(self):
        for connection in self:
            run = connection._get_last_run()
            connection.last_run_id = run
            connection.last_run_state = run.state
            connection.last_run_message = run.message

    # === CONSTRAINT AND ONCHANGE METHODS === #

    @api.constrains("auth_method", "auth_name")
    def _check_auth_name(self):
        for connection in self:
            if (
                connection.auth_method in NAMED_AUTH_METHODS
                and not (connection.auth_name or "").strip()
            ):
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s sends its key in a header or "
                        "parameter of its own. Enter the name of it.",
                        connection=connection.name,
                    )
                )

    @api.constrains("company_id")
    def _check_company_id(self):
        for connection in self:
            documents = connection.sudo().document_ids
            if documents and documents.company_id != connection.company_id:
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s has documents of %(company)s. "
                        "Create a connection of its own for another company.",
                        connection=connection.name,
                        company=documents.company_id.name,
                    )
                )

    @api.onchange("base_url")
    def _onchange_base_url(self):
        return self.env["copaco.key.store"]._get_server_warning(self)

    # === CRUD METHODS === #

    def init(self):
        self.env["copaco.key.store"]._create_column()

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would get past `create`.
        return super().default_get(
            [name for name in fields if name not in PROTECTED_FIELDS]
        )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_protected(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_not_protected(vals)
        self._check_import_from(vals)
        addresses = {connection: connection.base_url for connection in self}
        res = super().write(vals)
        if "active" in vals:
            self.env["copaco.activity.monitor"]._update_activity(self)
        if "base_url" in vals:
            # Whoever may change the address must not be able to have the key sent to
            # a host of their own; and another portal has to be asked from the start.
            for connection in self:
                if get_origin(addresses[connection]) != get_origin(vals["base_url"]):
                    connection.sudo()._forget_what_was_fetched()
                    if "api_key" not in vals:
                        connection.api_key = False
        return res

    def _check_not_protected(self, vals):
        """:raise AccessError: when a user writes what the addon alone knows"""
        forged = [name for name in PROTECTED_FIELDS if name in vals]
        if forged and not self.env.su:
            raise AccessError(
                self.env._(
                    "%(fields)s of a Copaco connection can't be written. They say "
                    "what was fetched and which key is set: use the buttons.",
                    fields=", ".join(forged),
                )
            )

    def _check_import_from(self, vals):
        """:raise UserError: when a user changes where a connection began to fetch"""
        if "import_from" not in vals or self.env.su:
            return
        import_from = fields.Date.to_date(vals["import_from"])
        for connection in self.filtered("fetched_until"):
            if connection.import_from != import_from:
                raise UserError(
                    self.env._(
                        "Import From of connection %(connection)s can't be changed any "
                        "more, because it has fetched since then. For older invoices "
                        "use Fetch period….",
                        connection=connection.name,
                    )
                )

    # === ACTION METHODS === #

    def action_fetch(self):
        """Fetch everything since the last fetch and create its invoices.

        It works for as long as a person can be kept waiting; the rest goes on in the
        background.

        :return: see `copaco.fetch.notification._get_notification`
        :raise UserError: when a fetch of each of them failed; what they received is
            kept
        """
        return self.env["copaco.run.scheduler"]._fetch_now(self)

    @api.model
    def action_fetch_all(self):
        """`action_fetch` on every active connection of the user's companies."""
        return self.env["copaco.run.scheduler"]._fetch_all()

    def action_view_runs(self):
        """:return: the window action with all runs of this connection"""
        context = {"search_default_connection_id": self.ids}
        return open_window(self.env, "action_copaco_run", context=context)

    def action_view_invoices(self):
        """:return: the window action with the invoices of this connection"""
        return open_invoices(self.env, list(self._get_invoices_domain()))

    # === BUSINESS METHODS === #

    def _get_invoices_domain(self):
        """See `action_view_invoices`."""
        return (
            (
                Domain("copaco_document_id.connection_id", "in", self.ids)
                | Domain("copaco_version_id.document_id.connection_id", "in", self.ids)
            )
            & Domain("move_type", "in", ("out_invoice", "out_refund"))
            & Domain("state", "!=", "cancel")
        )

    def _check_billing_access(self):
        """:raise AccessError: when the user may not fetch, or see these connections"""
        if not self.env.user.has_group(BILLING_GROUP):
            raise AccessError(
                self.env._(
                    "Only users with invoicing rights work with Copaco invoices. Ask "
                    "your administrator for the Invoicing right."
                )
            )
        self.check_access("read")

    # === CRON METHODS === #

    @api.model
    def _cron_fetch(self):
        """Plan to fetch everything new of every active connection."""
        # Whoever is the user of the scheduled action, it works: Odoo would switch one
        # off that fails for a week.
        self.sudo().env["copaco.run.scheduler"]._plan_scheduled_runs()

    @api.model
    def _cron_check_alerts(self):
        """Scheduled action, daily: alert responsible users of what nobody did."""
        self.sudo().env["copaco.activity.monitor"]._check_alerts()

    @api.model
    def _cron_weekly_digest(self):
        """Scheduled action, weekly: mail what waits for a decision."""
        self.sudo().env["copaco.activity.monitor"]._send_weekly_digest()
