from datetime import date

from odoo import api, models
from odoo.tools import groupby

# Charge types without separators and capitals, by the heading that they are under on
# Copaco's invoices (https://kb.copaco.cloud/kb/invoice-explanation).
KINDS = {
    "first": ("purchasefee",),
    "recurring": ("cyclefee", "itemfee"),
    "once": ("onetimefee",),
    "usage": ("usagefee",),
    "change": ("correction", "usercorrection"),
    "other": (),
}
_KIND_BY_CHARGE = {charge: kind for kind, own in KINDS.items() for charge in own}
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}


class CopacoInvoiceLayout(models.AbstractModel):
    """Puts the lines of an invoice in the order of a `copaco.layout`, under headings.

    The lines themselves stay what they are, and are created in the order of the
    document: by that, Odoo spreads what it rounds over them.
    """

    _name = "copaco.invoice.layout"
    _description = "Layout of a Copaco Invoice"

    @api.model
    def _arrange(self, layout, lines, vals_list, rounding_vals_list):
        """Number the lines of an invoice from top to bottom.

        :param layout: a `copaco.layout` in the language of the customer, or empty
        :param lines: the `copaco.document.line` records that are invoiced
        :param vals_list: list of the values of their invoice lines
        :param rounding_vals_list: list of those of rounding lines
        :return: list of values of the headings, for `account.move.line.create`
        """
        if not layout:
            return []
        own = dict(zip(lines, vals_list, strict=True))
        printed = list(self._get_printed(layout, lines))
        if rounding_vals_list and len(printed) > len(lines):
            # Under the last heading it would be part of what that is about.
            printed.append(self._prepare_heading("rounding", self.env._("Rounding")))
        headings = []
        for sequence, item in enumerate(printed, start=1):
            if isinstance(item, dict):
                headings.append({**item, "sequence": sequence})
            else:
                own[item]["sequence"] = sequence
        for sequence, vals in enumerate(rounding_vals_list, start=len(printed) + 1):
            vals["sequence"] = sequence
        return headings

    @api.model
    def _get_printed(self, layout, lines):
        """:return: generator of headings, as values, and the lines below them"""
        if layout.line_order == "copaco":
            lines = lines.sorted(_get_copaco_key)
        levels = layout._get_levels()
        for heading, section in self._get_groups(lines, levels[:1]):
            if heading:
                yield heading
            key = heading and heading["copaco_layout_key"]
            for subheading, group in self._get_groups(section, levels[1:], key):
                if subheading:
                    yield subheading
                yield from group

    @api.model
    def _get_groups(self, lines, levels, section_key=None):
        """:param levels: list of the grouping, or an empty one
        :param section_key: that of the section which these are subsections of
        :return: list of (values of a heading or None, list of lines)
        """
        if not levels:
            return [(None, lines)]
        (level,) = levels
        groups = []
        for key, group in groupby(lines, _KEYS[level]):
            path = "/".join(filter(None, (section_key, f"{level}:{key}")))
            title = self._get_title(group[0], level)
            heading = self._prepare_heading(path, title, section_key)
            groups.append((heading, lines.browse(line.id for line in group)))
        if level == "charge":
            groups.sort(key=lambda each: _RANKS[_get_kind(each[1][0])])
        return groups

    @api.model
    def _prepare_heading(self, key, title, section_key=None):
        """:param key: by which the heading is found again when a draft is updated
        :param section_key: that of the section which it is a subsection of
        :return: values for `account.move.line.create`
        """
        return {
            "display_type": "line_subsection" if section_key else "line_section",
            "name": title,
            "copaco_layout_key": key,
        }

    @api.model
    def _get_title(self, line, level):
        """:return: the text of the heading over a line, in the language of the context"""
        other = self.env._("Other")
        if level == "category":
            return line.plan_category or other
        if level == "subscription":
            names = (line.subscription_name, line.plan_name, line.subscription_ref)
            return next(filter(None, names), other)
        if level == "consumer":
            return line._get_consumer() or line.document_id.customer_id.name or other
        return {
            "first": self.env._("First term"),
            "recurring": self.env._("Recurring"),
            "once": self.env._("One-time"),
            "usage": self.env._("Usage"),
            "change": self.env._("Changes"),
        }.get(_get_kind(line), other)


def _get_kind(line):
    """:return: a key of `KINDS`"""
    charge = "".join(filter(str.isalnum, line.charge_type or "")).casefold()
    return _KIND_BY_CHARGE.get(charge, "other")


def _get_category_key(line):
    return (line.plan_category or "").strip().casefold()


def _get_subscription_key(line):
    return line.subscription_ref or line.subscription_name or line.plan_name or ""


_KEYS = {
    "category": _get_category_key,
    "subscription": _get_subscription_key,
    "consumer": lambda line: line._get_consumer(),
    "charge": _get_kind,
}


def _get_copaco_key(line):
    return (
        _get_category_key(line),
        _get_subscription_key(line),
        line.date_start or date.min,
        _RANKS[_get_kind(line)],
        line.sequence,
    )
