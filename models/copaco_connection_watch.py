from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import format_date

# From here on the responsible user is told, and it stays until a new key is set.
EXPIRY_WARNING_DAYS = 30
# A weekend with the server off is no reason to warn anybody.
OVERDUE_DAYS = 3
# A month should have come when it is so much later than in all of these months before.
GRACE_DAYS = 3
LEARNT_MONTHS = 6
LEARNT_AT_LEAST = 2


class CopacoConnection(models.Model):
    """Tells the responsible user, in one activity, what waits or goes wrong."""

    _inherit = "copaco.connection"

    def _get_responsible(self):
        """:return: the responsible user; when that one can't see the connection any
        more, an accounting administrator of the company who can"""
        self.ensure_one()
        group = self.env.ref("account.group_account_manager")
        candidates = self.responsible_id | group.all_user_ids.sorted("id")
        return candidates.filtered(
            lambda user: (
                user.active
                and self.company_id in user.company_ids
                and user.has_group("account.group_account_invoice")
            )
        )[:1] or self.env.ref("base.user_root")

    def _update_activity(self):
        """Keep exactly one activity for the responsible user while something waits."""
        activity_type = "account_copaco.mail_activity_type_attention"
        for connection in self.sudo():
            summary = " ".join(connection._get_problems())
            activities = connection.activity_search([activity_type])
            if not summary:
                activities.unlink()
            elif not activities:
                # Two workers that both see none must not both make one: a row that
                # both write makes the second try again, and see the first one's.
                self.env.cr.execute(
                    "UPDATE copaco_connection SET id = id WHERE id = %s",
                    [connection.id],
                    log_exceptions=False,
                )
                connection.activity_schedule(
                    activity_type,
                    summary=summary,
                    user_id=connection._get_responsible().id,
                )
            elif activities[0].summary != summary:
                activities[0].summary = summary

    def _get_problems(self):
        """:return: list of sentences for a person, empty when all is well"""
        self.ensure_one()
        problems = self._get_key_problems()
        if self.last_run_state == "failed":
            problems.append(self.env._("The last fetch failed."))
        elif self.active and self._is_overdue():
            problems.append(
                self.env._(
                    "Nothing was fetched for %(days)s days. Check that the scheduled "
                    "action is active.",
                    days=OVERDUE_DAYS,
                )
            )
        own = [("connection_id", "=", self.id)]
        Document, Run = self.env["copaco.document"], self.env["copaco.run"]
        if self.held_count:
            problems.append(
                self.env._(
                    "%(count)s documents wait for a decision, under Copaco, To Do.",
                    count=self.held_count,
                )
            )
        if problem := self._get_month_problem():
            problems.append(problem)
        missing = Document.search_count([*own, *Document._get_missing_domain()])
        if missing:
            problems.append(
                self.env._(
                    "%(count)s documents are gone from Copaco, see Copaco, To Do.",
                    count=missing,
                )
            )
        if unread := Run.search_count([*own, ("is_unread", "=", True)]):
            problems.append(
                self.env._(
                    "%(count)s runs brought invoices that could not be read.",
                    count=unread,
                )
            )
        if unsent := Document.search_count([*own, *Document._get_unsent_domain()]):
            problems.append(
                self.env._(
                    "%(count)s invoices could not be sent; see the notes on them.",
                    count=unsent,
                )
            )
        return problems

    def _get_key_problems(self):
        expiry = self.api_key_expiry
        if not self.active or not expiry:
            return []
        days = (expiry - self._get_today()).days
        if days < 0:
            return [
                self.env._(
                    "The API key expired on %(date)s. Make a new one in Copaco's "
                    "portal and set it.",
                    date=format_date(self.env, expiry),
                )
            ]
        if days <= EXPIRY_WARNING_DAYS:
            return [
                self.env._(
                    "The API key expires on %(date)s. Make a new one in Copaco's "
                    "portal and set it before.",
                    date=format_date(self.env, expiry),
                )
            ]
        return []

    def _get_month_problem(self):
        """:return: a sentence when the invoices of a month should have come by now, to
        judge by the day on which they came in earlier months; "" if not"""
        if not self.active:
            return ""
        today = self._get_today()
        this_month = today.replace(day=1)
        first_days = {
            month: day
            for month, day in self.env["copaco.document"]._read_group(
                [
                    ("connection_id", "=", self.id),
                    ("kind", "=", "specification"),
                    (
                        "invoice_date",
                        ">=",
                        this_month - relativedelta(months=LEARNT_MONTHS + 1),
                    ),
                ],
                ["invoice_date:month"],
                ["invoice_date:min"],
            )
        }
        for month in (this_month, this_month - relativedelta(months=1)):
            earlier = [day.day for start, day in first_days.items() if start < month]
            if len(earlier) < LEARNT_AT_LEAST or month in first_days:
                continue
            usual = max(earlier)
            due = month + timedelta(days=usual - 1 + GRACE_DAYS)
            if today > due:
                return self.env._(
                    "The invoices of %(month)s have not come; until now they came by "
                    "day %(day)s. Look in Copaco's portal and ask Copaco.",
                    month=format_date(self.env, month, date_format="MMMM y"),
                    day=usual,
                )
        return ""

    def _is_overdue(self):
        """Whether the scheduled action, which runs daily, has stopped running."""
        last = self.last_run_id.create_date or self.create_date
        return last < fields.Datetime.now() - timedelta(days=OVERDUE_DAYS)

    # === CRON METHODS === #

    @api.model
    def _cron_watch(self):
        """Warn of a key that expires, and of a scheduled action that stopped."""
        self.sudo().search([("active", "=", True)])._update_activity()

    @api.model
    def _cron_weekly_digest(self):
        """Mail the responsible users who want it what waits for a decision."""
        self = self.sudo()
        for connection in self.search([("weekly_digest", "=", True)]):
            documents = self.env["copaco.document"].search(
                [
                    ("connection_id", "=", connection.id),
                    ("state", "in", ("held", "changed")),
                ]
            )
            if not documents:
                continue
            user = connection._get_responsible()
            connection = connection.with_context(lang=user.lang)
            connection.message_notify(
                partner_ids=user.partner_id.ids,
                subject=connection.env._(
                    "%(count)s Copaco documents wait for a decision",
                    count=len(documents),
                ),
                body=connection.env["ir.qweb"]._render(
                    "account_copaco.weekly_digest",
                    {"documents": documents.with_env(connection.env)},
                ),
            )
