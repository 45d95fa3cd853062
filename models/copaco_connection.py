import time
from datetime import date, timedelta
from urllib.parse import urlsplit

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.sql import column_exists, create_column

from ..client import CopacoClient, CopacoError, SettingsError
from ..client.address import Address
from ..client.api_key import ApiKey

# Copaco's own default window (kb: billing-api-s) is three months back.
FIRST_WINDOW_MONTHS = 3
# The button may keep a person waiting for 30 s; the last step that was begun before
# this many seconds has the rest of them to end.
BUTTON_SECONDS = 18
# For each way to send the key.
TEST_SECONDS = 10
# Copaco creates its invoices in Dutch time, wherever this server stands.
COPACO_TIME_ZONE = "Europe/Amsterdam"
# Copaco's platform is younger (kb: versioning).
FIRST_DAY = date(2015, 1, 1)
# What the addon alone writes: it tells what was really done.
TOLD_FIELDS = ("api_key_hint", "fetched_until", "months_without_invoices", "origin")


class CopacoConnection(models.Model):
    _name = "copaco.connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Copaco Connection"
    _mail_post_access = "read"
    _order = "company_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, default="Copaco Cloud")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    base_url = fields.Char(
        string="Address",
        required=True,
        default="https://api.copaco.cloud/api/v1/",
        help="Address of Copaco's billing API. Changing the host removes the API key.",
    )
    specification_path = fields.Char(
        string="Customer Specifications",
        required=True,
        default="customer-specifications",
    )
    purchase_path = fields.Char(
        string="Purchase Invoices", required=True, default="invoices"
    )
    example_path = fields.Char(
        string="Example Invoices", required=True, default="example-invoices"
    )
    auth_method = fields.Selection(
        [
            ("bearer", "Authorization: Bearer"),
            ("x_api_key", "X-API-Key header"),
            ("subscription_key", "Ocp-Apim-Subscription-Key header"),
            ("header", "Another header"),
            ("query", "Query parameter"),
        ],
        string="Key Sent As",
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
    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'sale')]",
        compute="_compute_journal_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        check_company=True,
        default=lambda self: self._default_product_id(),
        help="Its income account and taxes, through the customer's fiscal position, "
        "are those of the invoice lines.",
    )
    invoice_policy = fields.Selection(
        [
            ("draft", "Leave as draft"),
            ("post", "Confirm"),
            ("send", "Confirm and send"),
        ],
        string="New Invoices",
        required=True,
        default="draft",
        help="Send: in the background, the way each customer prefers.",
    )
    import_from = fields.Date(
        help="The first fetch starts here; left empty, three months back. Copaco looks "
        "at the day on which an invoice was created, not at the period it is about."
    )
    overlap_days = fields.Integer(
        default=10,
        help="Each fetch looks this many days further back than the last one ended.",
    )
    totals_tolerance = fields.Monetary(
        default=1.0,
        help="When what Copaco says is the total of an invoice and the sum of its "
        "lines differ by more than this, its documents wait for a person.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    weekly_digest = fields.Boolean(
        help="Mail the responsible user each week what waits for a decision."
    )
    retention_months = fields.Integer(
        string="Keep Answers For",
        default=24,
        help="Months after which the raw answers are removed, unless something of them "
        "still waits; 0: they are kept for ever. Documents are always kept.",
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
    run_count = fields.Integer(compute="_compute_counts")
    document_count = fields.Integer(compute="_compute_counts")
    held_count = fields.Integer(string="To Do", compute="_compute_counts")
    invoice_count = fields.Integer(compute="_compute_counts")
    last_run_id = fields.Many2one(
        "copaco.run", string="Last Fetch", compute="_compute_last_run"
    )
    last_run_state = fields.Selection(
        selection=lambda self: self.env["copaco.run"]._fields["state"].selection,
        string="Last Fetch Result",
        compute="_compute_last_run",
    )
    last_run_message = fields.Text(compute="_compute_last_run")

    _overlap_days_positive = models.Constraint(
        "CHECK(overlap_days BETWEEN 0 AND 366)",
        "The overlap of a connection is between 0 and 366 days.",
    )

    _totals_tolerance_positive = models.Constraint(
        "CHECK(totals_tolerance >= 0)", "The tolerance for totals can't be negative."
    )

    _retention_months_positive = models.Constraint(
        "CHECK(retention_months >= 0)", "The months to keep answers can't be negative."
    )

    # === SECRET === #

    def init(self):
        # The key is in a column that is no field: no read, export, search or template
        # can reach it, whoever's they are.
        if not column_exists(self.env.cr, self._table, "api_key_secret"):
            create_column(self.env.cr, self._table, "api_key_secret", "varchar")

    def _write_api_key_secret(self, key):
        """:raise ValidationError: when no request can carry such a key"""
        self.ensure_one()
        self.check_access("write")
        self._check_api_key(key)
        self.flush_recordset()
        # Not by Odoo's cursor: that logs a statement with its values when it fails, and
        # at level debug, and shows it to Odoo's profiler.
        self.env.cr._obj.execute(
            "UPDATE copaco_connection SET api_key_secret = %s WHERE id = %s",
            [key or None, self.id],
        )

    def _check_api_key(self, key):
        try:
            if key:
                ApiKey(key, "bearer")
        except SettingsError as error:
            raise ValidationError(self._get_error_message(error)) from None

    def _read_api_key_secret(self):
        self.ensure_one()
        self.env.cr.execute(
            "SELECT api_key_secret FROM copaco_connection WHERE id = %s", [self.id]
        )
        return self.env.cr.fetchone()[0] or ""

    # === DEFAULT METHODS === #

    def _default_product_id(self):
        return self.env.ref("account_copaco.product_cloud_services", False)

    # === COMPUTE METHODS === #

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for connection in self:
            key = (connection.api_key or "").strip()
            connection._write_api_key_secret(key)
            # The last four of a short key would give away too much of it.
            hint = key[-4:] if len(key) >= 12 else "****"
            connection.sudo().api_key_hint = key and hint
        self.invalidate_recordset(["api_key"])

    @api.depends("company_id")
    def _compute_journal_id(self):
        Journal = self.env["account.journal"]
        for connection in self:
            if connection.journal_id.company_id != connection.company_id:
                connection.journal_id = Journal.search(
                    [
                        *Journal._check_company_domain(connection.company_id),
                        ("type", "=", "sale"),
                    ],
                    limit=1,
                )

    @api.depends("run_ids", "document_ids.state")
    def _compute_counts(self):
        runs = dict(
            self.env["copaco.run"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        documents = {
            (connection, state): count
            for connection, state, count in self.env["copaco.document"]._read_group(
                [("connection_id", "in", self.ids)],
                ["connection_id", "state"],
                ["__count"],
            )
        }
        for connection in self:
            counts = {
                state: count
                for (owner, state), count in documents.items()
                if owner == connection
            }
            connection.run_count = runs.get(connection, 0)
            connection.document_count = sum(counts.values())
            connection.held_count = counts.get("held", 0) + counts.get("changed", 0)
            connection.invoice_count = counts.get("invoiced", 0) + counts.get(
                "changed", 0
            )

    @api.depends("run_ids.state")
    def _compute_last_run(self):
        for connection in self:
            run = self.env["copaco.run"].search(
                [("connection_id", "=", connection.id)], order="id desc", limit=1
            )
            connection.last_run_id = run
            connection.last_run_state = run.state
            connection.last_run_message = run.message

    # === CONSTRAINT METHODS === #

    @api.constrains("base_url", "specification_path", "purchase_path", "example_path")
    def _check_address(self):
        for connection in self:
            try:
                address = Address(connection.base_url)
                for path in (
                    connection.specification_path,
                    connection.purchase_path,
                    connection.example_path,
                ):
                    address.get_url(path)
            except SettingsError as error:
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s can't use the address %(address)s: "
                        "%(error)s",
                        connection=connection.name,
                        address=connection.base_url,
                        error=error,
                    )
                ) from None

    @api.constrains("company_id")
    def _check_company_id(self):
        for connection in self:
            documents = connection.sudo().document_ids
            if documents and documents.company_id != connection.company_id:
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s has documents of %(company)s. Make "
                        "a connection of its own for another company.",
                        connection=connection.name,
                        company=documents.company_id.name,
                    )
                )

    @api.constrains("auth_method", "auth_name")
    def _check_auth_name(self):
        for connection in self:
            if (
                connection.auth_method in ("header", "query")
                and not (connection.auth_name or "").strip()
            ):
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s sends its key in a header or "
                        "parameter of its own. Enter the name of it.",
                        connection=connection.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would get past `create`.
        return super().default_get([name for name in fields if name not in TOLD_FIELDS])

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_told(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_not_told(vals)
        self._check_import_from(vals)
        addresses = {connection: connection.base_url for connection in self}
        res = super().write(vals)
        if "base_url" in vals:
            # Whoever may change the address must not be able to have the key sent to
            # a host of their own; and another portal has to be asked from the start.
            for connection in self:
                if _get_origin(addresses[connection]) != _get_origin(vals["base_url"]):
                    connection.sudo().fetched_until = False
                    if "api_key" not in vals:
                        connection.api_key = False
        return res

    def _check_not_told(self, vals):
        """:raise AccessError: when a user writes what the addon alone knows"""
        forged = [name for name in TOLD_FIELDS if name in vals]
        if forged and not self.env.su:
            raise AccessError(
                self.env._(
                    "%(fields)s of a Copaco connection can't be written. They tell "
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

    def action_test_connection(self):
        """Ask for Copaco's example invoices, trying the ways to send the key in turn,
        and keep the way that the server takes.

        :return: a notification
        :raise UserError: when the server takes none of them, or can't be reached
        """
        self.ensure_one()
        self.check_access("write")
        try:
            with self._get_client(TEST_SECONDS) as client:
                # No transaction is open while the network is waited for.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                auth_method = client.find_auth_method()
        except CopacoError as error:
            raise UserError(self._get_error_message(error)) from None
        self.auth_method = auth_method
        methods = dict(self._fields["auth_method"]._description_selection(self.env))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("The connection works"),
                "message": self.env._(
                    "%(connection)s: Copaco took the key, sent as %(method)s.",
                    connection=self.name,
                    method=methods[auth_method],
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_fetch(self):
        """Fetch everything since the last fetch and make its invoices.

        It works for as long as a person can be kept waiting; the rest goes on in the
        background.

        :return: a notification that says what was done, with a link to the runs
        :raise UserError: when a fetch failed; what other connections brought stays
        """
        return self._fetch_now()

    @api.model
    def action_fetch_all(self):
        """`action_fetch` on every active connection of the user's companies."""
        self._check_may_fetch()
        connections = self.search(
            # On a contact's invoices the client asks to see what is archived, too.
            [("company_id", "in", self.env.companies.ids), ("active", "=", True)]
        )
        if not connections:
            raise UserError(
                self.env._(
                    "There is no Copaco connection for %(companies)s yet. An "
                    "accounting administrator makes one under Invoicing, "
                    "Configuration, Copaco, Connections.",
                    companies=", ".join(self.env.companies.mapped("name")),
                )
            )
        # One that is not set up yet must not keep the others from being fetched.
        return (connections.filtered("api_key_hint") or connections)._fetch_now()

    def action_view_runs(self):
        """:return: the window action with the runs of this connection"""
        return self._get_list_action("account_copaco.action_copaco_run")

    def action_view_documents(self):
        """:return: the window action with the documents of this connection"""
        return self._get_list_action("account_copaco.action_copaco_document")

    def action_view_held(self):
        """:return: the window action with what waits for a decision"""
        return self._get_list_action("account_copaco.action_copaco_document_to_do")

    def action_view_invoices(self):
        """:return: the window action with the invoices made for this connection"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice"
        )
        action["domain"] = [
            ("copaco_document_id.connection_id", "in", self.ids),
            ("state", "!=", "cancel"),
        ]
        action["context"] = {"create": False, "default_move_type": "out_invoice"}
        return action

    # === BUSINESS METHODS === #

    def _get_list_action(self, xml_id):
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        action["context"] = {"search_default_connection_id": self.ids}
        return action

    @api.model
    def _check_may_fetch(self):
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(
                self.env._(
                    "Only users with invoicing rights fetch Copaco invoices. Ask your "
                    "administrator for the Invoicing right."
                )
            )

    def _get_client(self, time_limit=None):
        """:param time_limit: seconds that one answer may take in all
        :return: a `CopacoClient` with this connection's key, to be used in `with`
        :raise RejectedError: when the key or the address can't be used
        """
        self.ensure_one()
        options = {"time_limit": time_limit} if time_limit else {}
        return CopacoClient(
            self.base_url,
            self._read_api_key_secret(),
            auth_method=self.auth_method,
            auth_name=self.auth_name or "",
            specification_path=self.specification_path,
            purchase_path=self.purchase_path,
            example_path=self.example_path,
            **options,
        )

    def _get_error_message(self, error):
        """:param error: a `CopacoError`
        :return: what happened on this connection and what to do, for a person
        """
        return self.env._(
            "Connection %(connection)s: %(error)s %(advice)s",
            connection=self.name,
            error=error,
            advice=error.advice,
        )

    @api.model
    def _get_first_window_start(self):
        """:return: where the first fetch begins when nobody said"""
        return self._get_today() - relativedelta(months=FIRST_WINDOW_MONTHS)

    def _get_import_from(self):
        return max(self.import_from or self._get_first_window_start(), FIRST_DAY)

    def _get_today(self):
        return fields.Date.context_today(self.with_context(tz=COPACO_TIME_ZONE))

    def _get_chunks(self, date_from=None, date_to=None):
        """Cut a window into parts that Copaco is asked for one by one.

        :param date_from: first creation date, inclusive; none: the oldest that
            was never stored, less the overlap
        :param date_to: last creation date, inclusive; none: today
        :return: list of (first date, last date), each of at most a month, oldest
            first; empty when the window lies in the future
        """
        self.ensure_one()
        start = max(date_from or self._get_window_start(), FIRST_DAY)
        end = min(date_to or date.max, self._get_today())
        if not date_from and self.fetched_until:
            start -= timedelta(days=1 + self.overlap_days)
            # Someone may have fetched what follows a day that was not over yet.
            start = min(start, self._get_window_start(whole=True))
            start = self._reach_back(start, end)
        chunks = []
        # Counted from the end, so that the newest chunk is a whole month.
        while start <= end:
            chunk_start = max(get_chunk_start(end), start)
            chunks.insert(0, (chunk_start, end))
            end = chunk_start - timedelta(days=1)
        return chunks

    def _create_runs(self, trigger, date_from=None, date_to=None):
        """Prepare the runs of a window, one for each of its chunks.

        :param trigger: `scheduled` or `manual`
        :param date_from: see `_get_chunks`
        :param date_to: see `_get_chunks`
        :return: the `copaco.run` records, waiting
        """
        vals_list = []
        for connection in self:
            chunks = connection._get_chunks(date_from, date_to)
            if not date_from and not connection.import_from:
                # From now on it is known what has to be there.
                connection.sudo().import_from = connection._get_import_from()
            vals_list += [
                {
                    "connection_id": connection.id,
                    "trigger": trigger,
                    "origin": connection.origin,
                    "date_from": chunk_start,
                    "date_to": chunk_end,
                }
                for chunk_start, chunk_end in chunks
            ]
        return self.env["copaco.run"].sudo().create(vals_list)

    def _check_ready(self):
        """:raise UserError: when there is no use in asking Copaco anything"""
        self.ensure_one()
        if not self.active:
            raise UserError(
                self.env._(
                    "Connection %(connection)s is archived. Restore it first.",
                    connection=self.name,
                )
            )
        if not self.api_key_hint:
            raise UserError(
                self.env._(
                    "Connection %(connection)s has no API key yet. Press Set API "
                    "key… on the connection.",
                    connection=self.name,
                )
            )

    def _fetch_now(self, date_from=None, date_to=None):
        """Fetch and process while a person waits; see `action_fetch`."""
        self._check_may_fetch()
        self.check_access("read")
        deadline = time.monotonic() + BUTTON_SECONDS
        for connection in self:
            connection._check_ready()
        runs = self._create_runs("manual", date_from, date_to)
        if not runs:
            raise self._get_future_error()
        runs.env.cr.commit()  # pylint: disable=invalid-commit # DESIGN promise 10
        runs._execute(deadline)
        return runs.exists()._finish_now(deadline)

    def _get_future_error(self):
        return UserError(
            self.env._(
                "There is nothing to ask Copaco for: the period lies in the future. "
                "Choose another one."
            )
        )

    def _receive_files(self, kind, raws):
        """Store answers that came as files, by the same door as fetched ones.

        :param kind: a value of `copaco.run.kind`
        :param raws: dict of bytes by file name
        :return: see `action_fetch`
        :raise UserError: when one can't be read; what the others held stays
        """
        self.ensure_one()
        self._check_may_fetch()
        self.check_access("read")
        deadline = time.monotonic() + BUTTON_SECONDS
        runs = self.env["copaco.run"].sudo()
        for file_name, raw in raws.items():
            run = runs.create(
                {
                    "connection_id": self.id,
                    "kind": kind,
                    "trigger": "file",
                    "file_name": file_name,
                    "started_at": fields.Datetime.now(),
                }
            )
            run.env.cr.commit()  # pylint: disable=invalid-commit # it can fail now
            run._attempt(run._receive, raw)
            runs += run
        return runs._finish_now(deadline)

    # === CRON METHODS === #

    @api.model
    def _cron_fetch(self):
        """Plan to fetch everything new of every active connection."""
        # Whoever is the user of the scheduled action, it works: Odoo would switch one
        # off that fails for a week.
        self = self.sudo()
        waiting = self.env["copaco.run"].search(
            self.env["copaco.run"]._get_waiting_domain()
        )
        connections = self.search([("active", "=", True)]) - waiting.connection_id
        connections._create_runs("scheduled")
        # Odoo repeats a scheduled action that isn't done in time: what makes runs must
        # not also carry them out.
        self.env.ref("account_copaco.ir_cron_run")._trigger()


def get_chunk_start(end):
    """:return: the first day of the longest window that ends on a day"""
    return end - relativedelta(months=1, days=-1)


def _get_origin(address):
    return urlsplit(address or "")[:2]
