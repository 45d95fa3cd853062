from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..const import PURCHASE_KINDS, SALES_KINDS
from ..tools import get_month_id, open_window


class CopacoMonth(models.Model):
    """What was fetched from Copaco for a month, and what became of it. Nothing is
    stored: it is counted from runs and documents."""

    _name = "copaco.month"
    _inherit = "copaco.month.margin.mixin"
    _description = "Copaco Month"
    _auto = False
    _order = "date desc, connection_id"
    _rec_name = "date"

    connection_id = fields.Many2one("copaco.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(
        "res.currency",
        readonly=True,
        help="That of the documents; of the company, when they have several or none.",
    )
    date = fields.Date(string="Month", readonly=True)
    has_several_currencies = fields.Boolean(readonly=True)
    state = fields.Selection(
        [
            ("complete", "Complete"),
            ("empty", "No documents"),
            ("waiting", "Documents waiting"),
            ("incomplete", "Partly fetched"),
            ("failed", "Failed"),
            ("missing", "Not fetched"),
        ],
        readonly=True,
    )
    missing_days = fields.Integer(
        string="Days Not Fetched",
        readonly=True,
        help="Days of the month, until yesterday, of which nothing was stored, those "
        "before the first fetch included.",
    )
    document_count = fields.Integer(string="Documents", readonly=True)
    waiting_count = fields.Integer(string="Waiting", readonly=True)
    excluded_count = fields.Integer(string="Excluded", readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Without tax: everything received, in any currency."
    )
    reconciliation = fields.Html(compute="_compute_reconciliation", sanitize=False)
    run_ids = fields.Many2many("copaco.run", compute="_compute_run_ids")
    is_late = fields.Boolean(
        compute="_compute_is_late",
        help="No invoices that Copaco created in this month were received "
        "by the day on which they were expected.",
    )

    @property
    def _table_query(self):
        window = self.env["copaco.fetch.window"]
        for name in ("copaco.run", "copaco.document", "copaco.connection"):
            self.env[name].flush_model()
        today = window._get_today()
        return SQL(
            """
            WITH asked AS (%(asked)s),
            replacement AS (%(replacement)s),
            span AS (
                SELECT connection.id AS connection_id, connection.company_id,
                       LEAST(coalesce(connection.import_from, %(first_day)s),
                             min(asked.day)) AS first_day
                  FROM copaco_connection connection
             LEFT JOIN asked ON asked.connection_id = connection.id
                 WHERE connection.active
              GROUP BY connection.id
            ),
            received AS (
                SELECT replacement.connection_id,
                       date_trunc('month', coalesce(document.invoice_date,
                                                    document.create_date))::date
                           AS month,
                       count(*) AS document_count,
                       count(*) FILTER (WHERE state IN ('new', 'held', 'changed'))
                           AS waiting_count,
                       count(*) FILTER (WHERE state = 'excluded') AS excluded_count,
                       sum(amount_source) AS amount,
                       CASE WHEN min(document.currency_id) = max(document.currency_id)
                            THEN min(document.currency_id) END AS currency_id,
                       min(document.currency_id) != max(document.currency_id)
                           AS has_several_currencies
                  FROM copaco_document document
                  JOIN replacement ON replacement.id = document.connection_id
                 WHERE document.kind IN %(kinds)s
              GROUP BY 1, 2
            ),
            month AS (
                SELECT connection_id,
                       generate_series(date_trunc('month', first_day), %(last_day)s,
                                       '1 month')::date AS month
                  FROM span
                 UNION
                SELECT connection_id, month FROM received
            ),
            unreadable AS (
                SELECT replacement.connection_id,
                       date_trunc('month', day)::date AS month
                  FROM copaco_run run
                  JOIN replacement ON replacement.id = run.connection_id
            CROSS JOIN LATERAL generate_series(
                           date_trunc('month', run.date_from), run.date_to, '1 month'
                       ) day
                 WHERE run.kind IN %(kinds)s AND run.rejected_count > 0
              GROUP BY 1, 2
            ),
            figures AS (
                SELECT month.connection_id, span.company_id, month.month,
                       coalesce(received.document_count, 0) AS document_count,
                       coalesce(received.waiting_count, 0) AS waiting_count,
                       coalesce(received.excluded_count, 0) AS excluded_count,
                       coalesce(received.amount, 0) AS amount,
                       coalesce(received.currency_id, company.currency_id)
                           AS currency_id,
                       received.has_several_currencies,
                       days.needed - days.stored AS missing_days,
                       days.stored, days.failed,
                       unreadable.month IS NOT NULL AS is_unreadable
                  FROM month
                  JOIN span USING (connection_id)
                  JOIN res_company company ON company.id = span.company_id
             LEFT JOIN received USING (connection_id, month)
             LEFT JOIN unreadable USING (connection_id, month)
            CROSS JOIN LATERAL (
                           SELECT count(DISTINCT needed) AS needed,
                                  count(DISTINCT needed) FILTER (WHERE asked.is_stored)
                                  AS stored,
                                  count(*) FILTER (WHERE NOT asked.is_stored) AS failed
                             FROM generate_series(
                                      month.month,
                                      month.month + interval '1 month -1 day',
                                      '1 day'
                                  ) needed
                        -- Before it began, that was done by those whose place it took.
                        LEFT JOIN (asked JOIN replacement
                                   ON replacement.id = asked.connection_id)
                               ON replacement.connection_id = month.connection_id
                              AND asked.day = needed::date
                              AND (asked.connection_id = month.connection_id
                                   OR asked.day < span.first_day)
                            -- Today may not have been asked for yet.
                            WHERE needed <= %(last_day)s OR asked.is_stored
                       ) days
            )
            SELECT %(id)s AS id, connection_id, company_id, month AS date,
                   missing_days, document_count, waiting_count, excluded_count, amount,
                   currency_id, has_several_currencies,
                   CASE WHEN missing_days > 0 AND failed > 0 THEN 'failed'
                        WHEN stored = 0 THEN 'missing'
                        WHEN missing_days > 0 THEN 'incomplete'
                        WHEN waiting_count > 0 THEN 'waiting'
                        WHEN document_count = 0 AND NOT is_unreadable THEN 'empty'
                        ELSE 'complete' END AS state
              FROM figures
            """,
            asked=window._get_asked_days_query(),
            kinds=SALES_KINDS,
            replacement=self.env["copaco.replacement"]._get_query(),
            first_day=window._get_first_window_start(),
            last_day=today - timedelta(days=1),
            id=get_month_id(SQL("connection_id"), SQL("month")),
        )

    # === COMPUTE METHODS === #

    @api.depends("date")
    def _compute_display_name(self):
        for month in self:
            month.display_name = month.date and format_date(
                self.env, month.date, date_format="MMMM y"
            )

    @api.depends("date", "connection_id")
    def _compute_reconciliation(self):
        scope = get_month_id(
            SQL(
                "(SELECT connection_id FROM (%s) replacement "
                "WHERE replacement.id = document.connection_id)",
                self.env["copaco.replacement"]._get_query(),
            ),
            SQL("coalesce(document.invoice_date, document.create_date)"),
        )
        service = self.env["copaco.reconciliation"]
        for name, kinds in (
            ("reconciliation", SALES_KINDS),
            ("purchase_reconciliation", PURCHASE_KINDS),
        ):
            found = service._reconcile_documents(
                scope,
                SQL(
                    "document.kind IN %s AND %s IN %s",
                    kinds,
                    scope,
                    tuple(self.ids) or (0,),
                ),
            )
            for month in self:
                currency = (
                    month.currency_id
                    if kinds == SALES_KINDS
                    else month._get_purchase_currency()
                )
                month[name] = self.env["copaco.reconciliation.table"]._render(
                    found[month.id], currency
                )

    @api.depends("date", "connection_id")
    def _compute_run_ids(self):
        for month in self:
            month.run_ids = self.env["copaco.run"].search(
                [
                    ("connection_id", "in", month._get_connections().ids),
                    ("date_from", "<=", month._get_last_day()),
                    ("date_to", ">=", month.date),
                ]
            )

    @api.depends(
        "date", "connection_id.expected_day", "connection_id.months_without_invoices"
    )
    def _compute_is_late(self):
        for connection, months in self.grouped("connection_id").items():
            late = (
                self.env["copaco.activity.monitor"]
                .sudo()
                ._get_late_months(connection.sudo())
            )
            for month in months:
                month.is_late = month.date in late

    # === ACTION METHODS === #

    def action_confirm_no_invoices(self):
        """Note that Copaco has no invoices of these months, so that nobody is alerted
        of them any more.

        :raise UserError: when one of them isn't late
        """
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")
        if others := self.filtered(lambda month: not month.is_late):
            raise UserError(
                self.env._(
                    "Only of a month whose invoices are late can you confirm that "
                    "Copaco has none. These are not late: %(months)s.",
                    months=", ".join(others.mapped("display_name")),
                )
            )
        for month in self.sudo():
            connection = month.connection_id
            connection.months_without_invoices = [
                *(connection.months_without_invoices or []),
                month.date.isoformat(),
            ]
            connection._message_log(
                body=self.env._(
                    "%(user)s confirmed that Copaco has no invoices of %(month)s.",
                    user=self.env.user.name,
                    month=month.display_name,
                )
            )
        self.env["copaco.activity.monitor"]._update_activity(self.sudo().connection_id)

    def action_fetch(self):
        """Fetch all that Copaco created in this month, once more if need be.

        :return: see `copaco.connection.action_fetch`
        """
        self.ensure_one()
        return self.env["copaco.run.scheduler"]._fetch_now(
            self.connection_id, self.date, self._get_last_day()
        )

    def action_view_documents(self):
        """:return: the window action with the documents of this month"""
        self.ensure_one()
        return open_window(
            self.env, "action_copaco_document", domain=self._get_documents_domain()
        )

    def action_view_waiting(self):
        """:return: the window action with the documents of this month that are not
        invoiced yet, or are changed"""
        self.ensure_one()
        return open_window(
            self.env,
            "action_copaco_document_to_do",
            domain=[
                *self._get_documents_domain(),
                ("state", "in", ("new", "held", "changed")),
            ],
        )

    def action_view_excluded(self):
        """:return: the window action with the documents of this month that are not to
        be invoiced"""
        self.ensure_one()
        return open_window(
            self.env,
            "action_copaco_document",
            domain=[*self._get_documents_domain(), ("state", "=", "excluded")],
        )

    # === BUSINESS METHODS === #

    def _get_connections(self):
        """:return: the connection of this month, and those whose place it took"""
        return self.env["copaco.replacement"]._get_replaced(self.connection_id)

    def _get_documents_domain(self):
        # What Copaco sent without a date is counted in the month in which it was.
        undated = [
            ("invoice_date", "=", False),
            ("create_date", ">=", self.date),
            ("create_date", "<", self.date + relativedelta(months=1)),
        ]
        return [
            ("connection_id", "in", self._get_connections().ids),
            ("kind", "in", SALES_KINDS),
            *(
                Domain("invoice_date", ">=", self.date)
                & Domain("invoice_date", "<=", self._get_last_day())
                | Domain(undated)
            ),
        ]

    def _get_invoices(self):
        """:return: the invoices of the documents of these months, with corrections, and
        without those that were credited in full and invoiced anew"""
        documents = self.env["copaco.document"].search(
            Domain.OR(month._get_documents_domain() for month in self)
        )
        return self.env["account.move"].search(
            Domain("copaco_is_replaced", "=", False)
            & (
                Domain("copaco_document_id", "in", documents.ids)
                | Domain("copaco_version_id.document_id", "in", documents.ids)
            )
        )

    def _get_last_day(self):
        return self.date + relativedelta(months=1, days=-1)
