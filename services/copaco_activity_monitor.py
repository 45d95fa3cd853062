import logging
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from ..const import (
    BILLING_GROUP,
    CHECKED_MONTHS,
    CONCURRENCY_ATTEMPTS,
    MANAGER_GROUP,
    OVERDUE_HOURS,
    SALES_KINDS,
)
from ..exceptions import RETRYABLE_ERRORS

_logger = logging.getLogger(__name__)

ACTIVITY_TYPE = "account_copaco.mail_activity_type_attention"
# From here on the responsible user is alerted, until a new key is set.
EXPIRY_ALERT_DAYS = 30
# A weekend with the server off is no reason for an alert.
STOPPED_DAYS = 3
# Who has had no invoices for longer doesn't expect any.
LATE_MONTHS = 12
# What Copaco creates so many days before the expected one is early; what it creates
# before that is late for the month before.
EARLY_DAYS = 10
# A daily check may be left out once.
CHANGED_DAYS = 2


class CopacoActivityMonitor(models.AbstractModel):
    """Alerts the responsible user of a connection, in one activity and by a weekly
    mail, of what waits or goes wrong."""

    _name = "copaco.activity.monitor"
    _description = "Copaco Activity Monitor"

    # === ACTIVITY AND MAIL === #

    def _get_responsible(self, connection):
        """:return: the responsible user; when that one can't see the connection any
        more, an accounting administrator of the company who can"""
        managers = self.env.ref(MANAGER_GROUP).all_user_ids
        for user in connection.responsible_id | managers.sorted("id"):
            if (
                user.active
                and connection.company_id in user.company_ids
                and user.has_group(BILLING_GROUP)
            ):
                return user
        return self.env.ref("base.user_root")

    def _update_activity(self, connections):
        """Keep exactly one activity for the responsible user of each of these
        connections while there is an alert."""
        for connection in connections.sudo():
            connection = connection.with_context(lang=connection.responsible_id.lang)
            monitor = self.with_env(connection.env)
            summary = " ".join(monitor._get_alerts(connection))
            activities = connection.activity_search([ACTIVITY_TYPE])
            if not summary:
                activities.unlink()
            elif not activities:
                # Two workers that both see none must not both make one: the database
                # refuses the second to write the connection, which is then tried again
                # and sees the first one's.
                connection.last_alert_at = fields.Datetime.now()
                connection.flush_recordset()
                connection.activity_schedule(
                    ACTIVITY_TYPE,
                    summary=summary,
                    user_id=monitor._get_responsible(connection).id,
                )
            elif activities[0].summary != summary:
                activities[0].summary = summary

    def _refresh_progress(self, runs, connections=()):
        """Tell runs and responsible users what became of the documents; commits.

        :param connections: of these documents, if they may be others than those of the
            runs: a run may change documents of a connection that it took the place of

        It has a transaction of its own: workers that share a run would otherwise
        undo each other's invoices over its state.
        """
        for _attempt in range(CONCURRENCY_ATTEMPTS):
            try:
                runs._refresh_state()
                self._update_activity(runs.connection_id.union(*connections))
                self.env["ir.cron"]._commit_progress()
                return
            except RETRYABLE_ERRORS as error:
                self.env.cr.rollback()
                _logger.info("Copaco runs: concurrent update (%s)", type(error))
        self.env["copaco.background"]._continue_invoicing()

    def _check_alerts(self):
        """Find what nobody did: a key that expires, a scheduled action that stopped,
        invoices that are no longer what Copaco sent."""
        connections = (
            self.env["copaco.connection"].sudo().search([("active", "=", True)])
        )
        runs = self._get_runs_to_check(connections)
        for connection in connections:
            # Each sees what others wrote meanwhile, or the database refuses to write
            # what they wrote.
            self.env["ir.cron"]._commit_progress()
            self.env["copaco.margin.checker"]._check_recent(connection)
        self.env["ir.cron"]._commit_progress()
        self._refresh_progress(runs, connections)

    def _check_overdue(self):
        """Tell of documents that wait: whatever has to invoice them doesn't."""
        overdue = self.env["copaco.document"].search(self._get_overdue_domain())
        self._update_activity(overdue.connection_id)

    def _get_runs_to_check(self, connections):
        """:return: the runs that may be out of balance, or balanced again, without any
        of their documents having been written"""
        now = fields.Datetime.now()
        recent = now - relativedelta(months=CHECKED_MONTHS)
        changed = now - timedelta(days=CHANGED_DAYS)
        corrections = "document_ids.version_ids.move_ids"
        return (
            self.env["copaco.run"]
            .sudo()
            .search(
                Domain("connection_id", "in", connections.ids)
                & Domain("state", "in", ("done", "attention"))
                & (
                    Domain("state", "=", "attention")
                    | Domain("create_date", ">=", recent)
                    | Domain("document_ids.move_id.write_date", ">=", changed)
                    | Domain(f"{corrections}.write_date", ">=", changed)
                )
            )
        )

    def _send_weekly_digest(self):
        """Mail the responsible users who want it what waits for a decision."""
        for connection in (
            self.env["copaco.connection"].sudo().search([("weekly_digest", "=", True)])
        ):
            documents = self.env["copaco.document"].search(
                [
                    ("connection_id", "=", connection.id),
                    ("state", "in", ("held", "changed")),
                ]
            )
            findings = self.env["copaco.finding"].search(
                [("connection_id", "=", connection.id), ("state", "=", "open")]
            )
            if not documents and not findings:
                continue
            user = self._get_responsible(connection)
            connection = connection.with_context(lang=user.lang)
            connection.message_notify(
                partner_ids=user.partner_id.ids,
                subject=connection.env._(
                    "Copaco documents waiting for a decision: %(count)s",
                    count=len(documents),
                )
                if documents
                else connection.env._(
                    "Findings about margins: %(count)s", count=len(findings)
                ),
                body=connection.env["ir.qweb"]._render(
                    "account_copaco.copaco_activity_monitor_weekly_digest",
                    {
                        "documents": documents.with_env(connection.env),
                        "findings": findings.with_env(connection.env),
                    },
                ),
            )

    # === ALERTS === #

    def _get_alerts(self, connection):
        """:return: list of sentences for a person, empty when all is well"""
        connection.ensure_one()
        alerts = (
            self._get_key_alert(connection),
            self._get_fetch_alert(connection),
            *self._get_document_alerts(connection),
            self._get_late_alert(connection),
            *self._get_run_alerts(connection),
        )
        return list(filter(None, alerts))

    def _get_key_alert(self, connection):
        expiry = connection.api_key_expiry
        if not connection.active or not expiry:
            return ""
        days = (expiry - self.env["copaco.fetch.window"]._get_today()).days
        if days < 0:
            return self.env._(
                "The API key expired on %(date)s. Create a new one in Copaco's portal "
                "and set it.",
                date=format_date(self.env, expiry),
            )
        if days <= EXPIRY_ALERT_DAYS:
            return self.env._(
                "The API key expires on %(date)s. Create a new one in Copaco's portal "
                "and set it before.",
                date=format_date(self.env, expiry),
            )
        return ""

    def _get_fetch_alert(self, connection):
        if not connection.active:
            # Nobody can fetch it any more.
            return ""
        if connection.last_run_state == "failed":
            return self.env._("The last fetch failed; it says why under Copaco, Runs.")
        last = connection.last_run_id.create_date or connection.create_date
        limit = fields.Datetime.now() - timedelta(days=STOPPED_DAYS)
        if last < limit:
            return self.env._(
                "Nothing was fetched for %(days)s days. Check that the scheduled "
                "action is active.",
                days=STOPPED_DAYS,
            )
        return ""

    def _get_document_alerts(self, connection):
        Document = self.env["copaco.document"]
        own = [("connection_id", "=", connection.id)]

        def count(domain):
            return Document.search_count([*own, *domain])

        alerts = []
        if connection.held_count:
            alerts.append(
                self.env._(
                    "Documents waiting for a decision: %(count)s; see Copaco, To Do.",
                    count=connection.held_count,
                )
            )
        # To Do has each document once, under the first of these that is true of it.
        settled = Domain("state", "not in", ("held", "changed"))
        left = Document._get_draft_domain()
        if missing := count(settled & ~left & Domain(Document._get_missing_domain())):
            alerts.append(
                self.env._(
                    "Documents no longer at Copaco: %(count)s; see Copaco, To Do.",
                    count=missing,
                )
            )
        if drafts := count(settled & left):
            alerts.append(
                self.env._(
                    "Documents whose invoices were left as drafts: %(count)s; see "
                    "Copaco, To Do.",
                    count=drafts,
                )
            )
        if findings := self.env["copaco.finding"].search_count(
            [*own, ("state", "=", "open")]
        ):
            alerts.append(
                self.env._(
                    "Findings about margins: %(count)s; see Copaco, Findings.",
                    count=findings,
                )
            )
        if unsent := connection.unsent_count:
            alerts.append(
                self.env._(
                    "Invoices that could not be sent: %(count)s; see Copaco, Could Not "
                    "Be Sent.",
                    count=unsent,
                )
            )
        if drafts := self.env["copaco.bill.finder"]._find_replaceable(connection):
            alerts.append(
                self.env._(
                    "Bills that were received after a draft was made of Copaco's "
                    "lines: %(bills)s. Press Use the received one on the draft; reset "
                    "it to draft first if it is confirmed.",
                    bills=", ".join(
                        drafts.mapped(lambda bill: bill.ref or bill.display_name)
                    ),
                )
            )
        if overdue := count(self._get_overdue_domain()):
            alerts.append(self._get_overdue_alert(overdue))
        return alerts

    def _get_overdue_domain(self):
        since = fields.Datetime.now() - timedelta(hours=OVERDUE_HOURS)
        return [
            *self.env["copaco.document"]._get_waiting_domain(),
            ("write_date", "<", since),
        ]

    def _get_overdue_alert(self, count):
        if self.env["copaco.job.queue"]._is_installed():
            return self.env._(
                "Documents waiting to be invoiced for more than an hour: %(count)s. "
                "Ask your administrator to check that the job runner works, and what "
                "the jobs in channel root.copaco say.",
                count=count,
            )
        return self.env._(
            "Documents waiting to be invoiced for more than an hour: %(count)s. Ask "
            "your administrator to check that scheduled action %(action)s is active, "
            "and what the server's log says of it.",
            count=count,
            action=self.env.ref("account_copaco.ir_cron_process").sudo().name,
        )

    def _get_run_alerts(self, connection):
        Run = self.env["copaco.run"]
        own = [("connection_id", "=", connection.id)]
        alerts = []
        if unread := Run.search_count([*own, ("is_unread", "=", True)]):
            alerts.append(
                self.env._(
                    "Runs with invoices that could not be read: %(count)s; look at "
                    "them under Copaco, Runs.",
                    count=unread,
                )
            )
        alerts += [
            self.env._(
                "Run %(run)s is out of balance. %(problem)s",
                run=run.name,
                problem=run.balance_problem,
            )
            for run in Run.search([*own, ("state", "=", "attention")])
            if run.balance_problem
        ]
        return alerts

    # === LATE MONTHS === #

    def _get_late_alert(self, connection):
        months = self._get_late_months(connection)
        if not months:
            return ""
        return self.env._(
            "Copaco's invoices of %(months)s are late: none were received by day "
            "%(day)s. Fetch these months again under Copaco, Months. If there "
            "are none, look in Copaco's portal and ask Copaco.",
            months=", ".join(
                format_date(self.env, month, date_format="MMMM y") for month in months
            ),
            day=connection.expected_day,
        )

    def _get_late_months(self, connection):
        """Find the months, after the first one that had invoices, of which none were
        received by the day on which they were expected. When Copaco created them
        counts, not what is printed on them.

        :return: list of the first days of the months
        """
        this_month = self.env["copaco.fetch.window"]._get_today().replace(day=1)
        months = [
            this_month - relativedelta(months=back)
            for back in range(LATE_MONTHS, -1, -1)
        ]
        replaced = self.env["copaco.replacement"]._get_replaced(connection)
        received = self._get_received_months(
            replaced, months[0], connection.expected_day
        )
        confirmed = {
            month for each in replaced for month in each.months_without_invoices or ()
        }
        return [
            month
            for month in months
            if received
            and month > min(received)
            and month not in received
            and month.isoformat() not in confirmed
            and self._is_late(connection, month)
        ]

    def _get_received_months(self, connections, since, expected_day):
        """:return: set of the first days of the months of which something was received;
        of uploaded files, the date of the invoice tells"""
        own = [("connection_id", "in", connections.ids), ("kind", "in", SALES_KINDS)]
        Document = self.env["copaco.document"]
        fetched = Document._read_group(
            [*own, ("created_to", ">=", since)], ["created_from:day", "created_to:day"]
        )
        uploaded = Document._read_group(
            [*own, ("created_to", "=", False), ("invoice_date", ">=", since)],
            ["invoice_date:day"],
        )
        return {
            _get_month(days[0], days[-1], expected_day)
            for days in (*fetched, *uploaded)
        }

    def _is_late(self, connection, month):
        """Whether invoices of a month, of which none were received, are overdue."""
        expected = _get_day(month, connection.expected_day)
        return (
            connection.active
            and self.env["copaco.fetch.window"]._get_today() > expected
            # Copaco isn't late with what it was not asked for.
            and not self.env["copaco.fetch.window"]._get_first_gap(
                connection, expected - timedelta(days=EARLY_DAYS), expected, whole=True
            )
        )


def _get_day(month, day):
    """:return: a day of a month, or the last of a month that is shorter"""
    return month + relativedelta(day=day)


def _get_month(first, last, expected_day):
    """:return: the first day of the month to whose invoices something belongs that was
    created between two days, of which the last is when it was first there: that of the
    expected day, if it may be that, or else of the last
    """
    nearby = [last.replace(day=1) + relativedelta(months=each) for each in (1, 0, -1)]
    for month in nearby:
        if first <= _get_day(month, expected_day) <= last:
            return month
    return next(
        month
        for month in nearby
        if last >= _get_day(month, expected_day) - timedelta(days=EARLY_DAYS)
    )
