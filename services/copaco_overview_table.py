from collections import defaultdict
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

# How many months back the figures are that a month is compared with.
PERIODS = (0, 1, 12)
PAGE = "/odoo/copaco-overview"


class Cell(NamedTuple):
    """A figure, and the page with the records that it adds up; "" where there are
    none."""

    text: str
    url: str = ""


class CopacoOverviewTable(models.AbstractModel):
    """What a person sees of an overview. Each figure is the sum of records, to which it
    leads."""

    _name = "copaco.overview.table"
    _description = "Copaco Overview Table"

    def _render(self, overview):
        """:param overview: a `copaco.overview`
        :return: `Markup` of the whole page
        """
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_overview",
            {
                "currency": overview.company_id.currency_id.name,
                "months": [
                    format_date(self.env, overview.date - back, date_format="LLLL y")
                    for back in _get_spans()
                ],
                "totals": self._get_totals(overview),
            },
        )

    # === SECTIONS === #

    def _get_totals(self, overview):
        """:return: list of (label, whether it is a part of the one before, cells)"""
        amounts = defaultdict(float)
        for month, status, is_sent, amount in self._read(
            overview, ["status", "is_sent"]
        ):
            amounts[month, "received"] += amount
            amounts[month, status] += amount
            if is_sent:
                amounts[month, "sent"] += amount
        labels = {
            "received": self.env._("Received"),
            "invoiced": self.env._("Invoiced"),
            "sent": self.env._("of which sent"),
            "held": self.env._("Held for a decision"),
            "waiting": self.env._("Still to be processed"),
            "excluded": self.env._("Excluded"),
        }
        return [
            (
                label,
                name == "sent",
                [
                    self._make_cell(
                        overview,
                        amounts[overview.date - back, name],
                        f"{overview.id - months}/copaco-overview-{name}",
                    )
                    for months, back in zip(PERIODS, _get_spans(), strict=True)
                ],
            )
            for name, label in labels.items()
        ]

    # === FIGURES === #

    def _read(self, overview, groupby, domain=()):
        """:param groupby: list of names of fields of `copaco.overview.line`
        :return: list of (month, value of each field, amount) of all three months
        """
        Line = self.env["copaco.overview.line"]
        months = Domain.OR(
            Line._get_month_domain(overview.id - months) for months in PERIODS
        )
        return Line._read_group(
            months & Domain(domain), ["date:month", *groupby], ["amount:sum"]
        )

    def _make_cell(self, overview, amount, path):
        """:param path: of the action that has the records of this amount"""
        currency = overview.company_id.currency_id
        text = formatLang(self.env, amount, currency_obj=currency)
        return Cell(text, f"{PAGE}/{path}" if amount else "")


def _get_spans():
    """:return: list of `relativedelta`: how far back each of the periods is"""
    return [relativedelta(months=months) for months in PERIODS]
