from collections import Counter, defaultdict
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
# When Copaco may have created an invoice on any of more days, it teaches nothing.
LEARNT_WITHIN = timedelta(days=15)
# Until enough is learnt: Copaco creates a month's invoices around the 23rd, and advises
# to look for them until this day (kb: billing-api-s).
COPACO_DAY = 25
# What comes so much before the usual day is early; before that, it is late for the
# month before.
EARLY_DAYS = 10


class CopacoConnection(models.Model):
    """Tells the responsible user, in one activity, what waits or goes wrong."""

    _inherit = "copaco.connection"

    months_without_invoices = fields.Json(
        readonly=True,
        copy=False,
        help="Months, by their first days, of which a person said that Copaco had "
        "nothing.",
    )

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
            problems.append(
                self.env._("The last fetch failed; it says why under Copaco, Runs.")
            )
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
                    "%(count)s runs brought invoices that could not be read; look at "
                    "them under Copaco, Runs.",
                    count=unread,
                )
            )
        for run in Run.search([*own, ("state", "=", "attention")]):
            if run.proof_problem:
                problems.append(
                    self.env._(
                        "The proof of run %(run)s does not hold. %(problem)s",
                        run=run.name,
                        problem=run.proof_problem,
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
        days = (expiry - self.env["copaco.fetch.window"]._get_today()).days
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
        """:return: a sentence about months that should have come by now; "" if none"""
        months, usual = self._get_late_months()
        if not months:
            return ""
        return self.env._(
            "What Copaco creates in %(months)s has not come; it usually comes by day "
            "%(day)s. Fetch that again under Copaco, Months. When nothing comes, look "
            "in Copaco's portal and ask Copaco.",
            months=", ".join(
                format_date(self.env, month, date_format="MMMM y") for month in months
            ),
            day=usual,
        )

    def _get_late_months(self):
        """Find the months whose invoices should have come by now, to judge by when they
        came in other months. What is printed on invoices doesn't matter.

        :return: list of the first days of months, and the day of a month by which
            invoices usually come
        """
        self.ensure_one()
        this_month = self.env["copaco.fetch.window"]._get_today().replace(day=1)
        months = [
            this_month - relativedelta(months=back)
            for back in range(LEARNT_MONTHS + 1, -1, -1)
        ]
        own = [("connection_id", "=", self.id), ("kind", "=", "specification")]
        Document = self.env["copaco.document"]
        fetched = Document._read_group(
            [*own, ("created_to", ">=", months[0])],
            ["created_from:day", "created_to:day"],
            ["__count"],
        )
        uploaded = Document._read_group(
            [*own, ("created_to", "=", False), ("invoice_date", ">=", months[0])],
            ["invoice_date:day"],
        )
        usual = _get_usual_day(fetched)
        came = {_get_month(first, last, usual) for first, last, _count in fetched}
        came |= {_get_month(day, day, usual) for (day,) in uploaded}
        late, known = [], 0
        for month in months:
            if month in came:
                known += 1
            elif known >= LEARNT_AT_LEAST and self._is_late(month, usual):
                late.append(month)
        return late, usual

    def _is_late(self, month, usual):
        """Whether invoices of a month, of which none came, should have come by now."""
        usual_day = _get_day(month, usual)
        due = usual_day + timedelta(days=GRACE_DAYS)
        return (
            self.active
            and self.env["copaco.fetch.window"]._get_today() > due
            and month.isoformat() not in (self.months_without_invoices or [])
            and not self.env["copaco.fetch.window"]._get_first_hole(
                self, usual_day - timedelta(days=EARLY_DAYS), due, whole=True
            )
        )

    def _accept_nothing(self, months):
        """Note that a person knows that Copaco had no invoices in months.

        :param months: list of their first days
        """
        self.ensure_one()
        self.months_without_invoices = sorted(
            {*(self.months_without_invoices or []), *map(str, months)}
        )
        for month in months:
            self._message_log(
                body=self.env._(
                    "%(user)s: Copaco had no invoices in %(month)s.",
                    user=self.env.user.name,
                    month=format_date(self.env, month, date_format="MMMM y"),
                )
            )
        self._update_activity()

    def _is_overdue(self):
        """Whether the scheduled action, which runs daily, has stopped running."""
        last = self.last_run_id.create_date or self.create_date
        return last < fields.Datetime.now() - timedelta(days=OVERDUE_DAYS)

    # === CRON METHODS === #

    @api.model
    def _cron_watch(self):
        """Warn of a key that expires, of a scheduled action that stopped, and of
        invoices that nobody changed and that are not what Copaco sent any more."""
        connections = self.sudo().search([("active", "=", True)])
        self.env["copaco.run"].sudo().search(
            [
                ("connection_id", "in", connections.ids),
                ("state", "in", ("done", "attention")),
            ]
        )._refresh_state()
        connections._update_activity()

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


def _get_day(month, day):
    """:return: a day of a month, or the last of a month that is shorter"""
    return month + relativedelta(day=day)


def _get_usual_day(arrivals):
    """:param arrivals: list of (first, last day on which documents may have been
        created, how many)
    :return: the latest day of a month by which most of a month had come
    """
    counts = defaultdict(Counter)
    for first, last, count in arrivals:
        if last - first <= LEARNT_WITHIN:
            counts[last.replace(day=1)][last.day] += count
    # Most, so that a single invoice, early or late, teaches nothing.
    days = [max(count, key=lambda day: (count[day], day)) for count in counts.values()]
    if len(days) < LEARNT_AT_LEAST:
        days.append(COPACO_DAY)
    return max(days)


def _get_month(first, last, usual):
    """:return: the first day of the month with whose invoices something came that was
    created between two days, of which the last is when it was first there: the usual
    day, if it may be that, or else the last
    """
    nearby = [last.replace(day=1) + relativedelta(months=each) for each in (1, 0, -1)]
    for month in nearby:
        if first <= _get_day(month, usual) <= last:
            return month
    return next(
        month
        for month in nearby
        if last >= _get_day(month, usual) - timedelta(days=EARLY_DAYS)
    )
