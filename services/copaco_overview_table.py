from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime, formatLang

# How many months back the figures are that a month is compared with.
PERIODS = (0, 1, 12)
PAGE = "/odoo/copaco-overview"
# Of vendors and customers, those with the highest amounts; of risers and fallers, those
# with the greatest change.
LARGEST = 10
MOST_CHANGED = 5
RUNS = 5


class Cell(NamedTuple):
    """A figure, and the page with the records that it adds up, if there are any."""

    text: str
    url: str = ""


class Group(NamedTuple):
    """What is billed on of a vendor, or to a customer."""

    name: str
    amounts: list  # of each period
    paths: list  # of the page with the records of each amount

    @property
    def change(self):
        """By how much the amount is more than in the month before."""
        return self.amounts[0] - self.amounts[1]


class CopacoOverviewTable(models.AbstractModel):
    """What a person sees of an overview. Each figure is the sum of the records to which
    it leads."""

    _name = "copaco.overview.table"
    _description = "Copaco Overview Table"

    def _render(self, overview):
        """:param overview: a `copaco.overview`
        :return: `Markup` of the whole page
        """
        company = overview.company_id
        received = self._read(
            overview, ["status", "is_sent"], ["amount:sum", "is_converted:bool_or"]
        )
        customers = self._get_customers(overview)
        changed = sorted(customers, key=lambda group: group.change, reverse=True)
        risers = [group for group in changed if group.change > 0]
        fallers = [group for group in reversed(changed) if group.change < 0]
        connections = self.env["copaco.connection"].search(
            [("company_id", "=", company.id)]
        )
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_overview",
            {
                "basis": self.env._(
                    "Without tax, in %(currency)s, by the date of each document. Each "
                    "amount opens what it adds up.",
                    currency=company.currency_id.name,
                ),
                "is_converted": any(row[-1] for row in received),
                "months": [
                    format_date(self.env, day, date_format="LLL y")
                    for day in _get_days(overview)
                ],
                "previous": self._get_neighbour(overview, -1),
                "next": self._get_neighbour(overview, 1),
                "totals": [
                    *self._get_totals(overview, received),
                    *self._get_margins(overview),
                ],
                "sections": [
                    self._show(
                        overview,
                        self.env._("By vendor"),
                        self._get_vendors(overview),
                        LARGEST,
                        has_total=True,
                    ),
                    self._show(
                        overview,
                        self.env._("By customer"),
                        customers,
                        LARGEST,
                        has_total=True,
                    ),
                    self._show(overview, self.env._("Risers"), risers[:MOST_CHANGED]),
                    self._show(overview, self.env._("Fallers"), fallers[:MOST_CHANGED]),
                ],
                "coverage": self._get_coverage(overview, connections),
                "keys": self._get_keys(connections),
                "runs": self._get_runs(company),
            },
        )

    # === SECTIONS === #

    def _get_totals(self, overview, received):
        """:param received: list of (place of the period, status, whether it was sent,
            amount, whether some of it was converted)
        :return: list of (label, whether it is a part of the one before, cells)
        """
        labels = {
            "received": self.env._("Received"),
            "invoiced": self.env._("Invoiced"),
            "sent": self.env._("of which sent"),
            "held": self.env._("Held for a decision"),
            "waiting": self.env._("Still to be processed"),
            "excluded": self.env._("Excluded"),
        }
        found = {name: [0.0] * len(PERIODS) for name in labels}
        for place, status, is_sent, amount, _is_converted in received:
            found["received"][place] += amount
            found[status][place] += amount
            if is_sent:
                found["sent"][place] += amount
        return [
            (labels[name], name == "sent", self._make_cells(overview, name, amounts))
            for name, amounts in found.items()
            if name != "waiting" or any(amounts)
        ]

    def _get_margins(self, overview):
        """:return: see `_get_totals`; of both sides, none where Copaco's bills aren't
        fetched"""
        found = {name: [0.0] * len(PERIODS) for name in ("cost", "sale", "margin")}
        for place, *amounts in self._read(
            overview, [], [f"{name}:sum" for name in found], model="copaco.margin"
        ):
            for name, amount in zip(found, amounts, strict=True):
                found[name][place] += amount or 0
        if not any(found["cost"]):
            return []
        cost, sale, margin = found.values()
        percents = [
            self._show_percent(part, whole)
            for part, whole in zip(margin, sale, strict=True)
        ]
        cells = self._make_cells(overview, "margin", margin)
        return [
            (
                self.env._("Billed by Copaco"),
                False,
                self._make_cells(overview, "cost", cost),
            ),
            (self.env._("Margin"), False, cells),
            (
                self.env._("Margin %"),
                True,
                [
                    Cell(percent, cell.url)
                    for percent, cell in zip(percents, cells, strict=True)
                ],
            ),
        ]

    def _get_vendors(self, overview):
        return self._get_groups(
            overview,
            "plan_category",
            lambda vendor: vendor or self.env._("Without vendor"),
            lambda vendor, months, line_id: (
                f"{line_id}/copaco-overview-vendor"
                if vendor
                else f"{overview.id - months}/copaco-overview-without-vendor"
            ),
            "line_id:min",
        )

    def _get_customers(self, overview):
        return self._get_groups(
            overview,
            "customer_id",
            lambda customer: (
                customer.name or customer.account_ref or self.env._("Unknown customer")
            ),
            lambda _customer, _months, document_id: (
                f"{document_id}/copaco-overview-customer"
            ),
            "document_id:min",
        )

    def _get_groups(self, overview, name, get_label, get_path, sample):
        """:param name: of the field of `copaco.overview.line` to group by
        :param get_label: function that has the name of a group
        :param get_path: function that has the path to the records of a group, by how
            many months back they are, and what the sample of them is
        :param sample: aggregate by which the records are found
        :return: list of `Group`, highest amount first
        """
        groups = {}
        for place, key, amount, found in self._read(
            overview,
            [name],
            ["amount:sum", sample],
            Domain("status", "!=", "excluded"),
        ):
            group = groups.setdefault(
                key,
                Group(get_label(key), [0.0] * len(PERIODS), [""] * len(PERIODS)),
            )
            group.amounts[place] = amount or 0.0
            group.paths[place] = f"{overview.id}/{get_path(key, PERIODS[place], found)}"
        return sorted(groups.values(), key=lambda group: group.amounts, reverse=True)

    def _show(self, overview, title, groups, limit=None, has_total=False):
        """:param limit: how many groups are shown; none: all
        :param has_total: whether a row with the sum of all groups is shown
        :return: (title, list of (label, cells, change)), the last of all groups
        """
        currency = overview.company_id.currency_id
        shown = [
            group for group in groups if not all(map(currency.is_zero, group.amounts))
        ]
        rows = [
            (
                group.name,
                [
                    self._make_cell(overview, amount, path)
                    for amount, path in zip(group.amounts, group.paths, strict=True)
                ],
                self._show_change(overview, group.change),
            )
            for group in shown[:limit]
        ]
        if has_total and groups:
            amounts = [
                sum(group.amounts[place] for group in groups)
                for place in range(len(PERIODS))
            ]
            rows.append(
                (
                    self.env._("All: %(count)s", count=len(shown)),
                    self._make_cells(overview, "billed", amounts),
                    self._show_change(overview, amounts[0] - amounts[1]),
                )
            )
        return title, rows

    def _get_coverage(self, overview, connections):
        """:return: list of (label, cells): whether all days were fetched"""
        days = _get_days(overview)
        months = self.env["copaco.month"].search(
            [("connection_id", "in", connections.ids), ("date", "in", days)]
        )
        labels = dict(months._fields["state"]._description_selection(self.env))
        found = {(month.connection_id, month.date): month for month in months}
        rows = []
        for connection in connections:
            cells = []
            for day in days:
                month = found.get((connection, day))
                text, url = "–", ""
                if month:
                    text, url = labels[month.state], f"/odoo/copaco-months/{month.id}"
                cells.append(Cell(text, url))
            label = self.env._("Fetched: %(connection)s", connection=connection.name)
            rows.append((label, cells))
        return rows

    def _get_keys(self, connections):
        """:return: list of (`Cell` of the connection, when its key expires, whether
        somebody has to do something)"""
        monitor = self.env["copaco.activity.monitor"]
        return [
            (
                Cell(connection.name, f"/odoo/copaco-connections/{connection.id}"),
                alert or format_date(self.env, connection.api_key_expiry) or "–",
                bool(alert),
            )
            for connection in connections
            for alert in [monitor._get_key_alert(connection)]
        ]

    def _get_runs(self, company):
        """:return: list of (`Cell` of the run, connection, period or file, state)"""
        runs = self.env["copaco.run"].search(
            [("company_id", "=", company.id)], limit=RUNS
        )
        labels = dict(runs._fields["state"]._description_selection(self.env))
        return [
            (
                Cell(
                    format_datetime(self.env, run.create_date, dt_format="short"),
                    f"/odoo/copaco-runs/{run.id}",
                ),
                run.connection_id.name,
                run.name,
                labels[run.state],
            )
            for run in runs
        ]

    # === FIGURES === #

    def _read(
        self, overview, groupby, aggregates, domain=(), model="copaco.overview.line"
    ):
        """:return: list of (place of the period in `PERIODS`, value of each field that
        is grouped by, value of each aggregate)"""
        Model = self.env[model]
        months = Domain.OR(
            Model._get_month_domain(overview.id - months) for months in PERIODS
        )
        days = _get_days(overview)
        return [
            (days.index(day), *values)
            for day, *values in Model._read_group(
                months & Domain(domain), ["date:month", *groupby], aggregates
            )
        ]

    def _get_neighbour(self, overview, months):
        """:return: `Cell` of the overview so many months later, or None"""
        found = overview.search([("id", "=", overview.id + months)])
        return found and Cell(found.display_name, f"{PAGE}/{found.id}")

    def _make_cells(self, overview, name, amounts):
        """:param name: what the action with the records is called by
        :param amounts: of each period
        """
        return [
            self._make_cell(
                overview,
                amount,
                f"{overview.id - months}/copaco-overview-{name}",
            )
            for months, amount in zip(PERIODS, amounts, strict=True)
        ]

    def _make_cell(self, overview, amount, path):
        currency = overview.company_id.currency_id
        text = self._show_amount(currency, amount)
        return Cell(text, "" if currency.is_zero(amount) else f"{PAGE}/{path}")

    def _show_change(self, overview, change):
        currency = overview.company_id.currency_id
        text = self._show_amount(currency, change)
        return f"+{text}" if currency.compare_amounts(change, 0) > 0 else text

    def _show_amount(self, currency, amount):
        """:return: text; the page says which currency it is"""
        # What is rounded to zero is not below zero.
        amount = currency.round(amount) or 0.0
        return formatLang(self.env, amount, digits=currency.decimal_places)

    def _show_percent(self, part, whole):
        if not whole:
            return "–"
        return (
            f"{formatLang(self.env, part / whole * 100, digits=1)}\N{NO-BREAK SPACE}%"
        )


def _get_days(overview):
    """:return: list of the first days of the months of each of the periods"""
    return [overview.date - relativedelta(months=months) for months in PERIODS]
