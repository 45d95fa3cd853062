from datetime import date

from odoo import models
from odoo.tools import groupby

from ..tools import get_name_key, get_text_key

# Charge types, as `get_name_key` has them, by the heading that they are under on
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

    def _arrange(self, layout, lines, vals_list, rounding_vals_list):
        """Number the lines of an invoice from top to bottom.

        :param layout: a `copaco.layout` in the language of the customer, or empty
        :param lines: the `copaco.document.line` records that are invoiced
        :param vals_list: list of the values of their invoice lines
        :param rounding_vals_list: list of those of rounding lines
        :return: list of values of headings and notes, for `account.move.line.create`
        """
        if not layout and len(lines.document_id) == 1:
            return []
        own = dict(zip(lines, vals_list, strict=True))
        printed = list(self._get_printed(layout, lines))
        if rounding_vals_list and any(map(_is_heading, printed)):
            # Under the last heading it would be part of what that is about.
            printed.append(self._prepare_heading("rounding", self.env._("Rounding")))
        if layout.zero_lines == "hide":
            for line in self._get_free_lines(layout, lines):
                own[line]["copaco_is_hidden"] = True
        texts = []
        for sequence, item in enumerate(printed, start=1):
            if isinstance(item, dict):
                texts.append({**item, "sequence": sequence})
            else:
                own[item]["sequence"] = sequence
        for sequence, vals in enumerate(rounding_vals_list, start=len(printed) + 1):
            vals["sequence"] = sequence
        return texts

    def _get_changed_values(self, layout, line):
        """:return: dict of texts for those of `LINE_PLACEHOLDERS` that the layout says
        something of: empty ones for what is elsewhere, or not shown"""
        changed = {}
        if layout.vendor_details == "none" or self._has_note(layout, line):
            changed["vendor_details"] = ""
        if layout.subscription_details == "none":
            changed["subscription_details"] = ""
        elif layout.subscription_details == "all":
            details = (line.subscription_details, line.hidden_details)
            changed["subscription_details"] = "\n".join(filter(None, details))
        if "consumer" in layout._get_levels():
            changed["consumer"] = ""
        if layout.section_by == "po" and not self._is_free(layout, line):
            changed["po_number"] = ""
        return changed

    def _has_note(self, layout, line):
        """:return: whether what the vendor says of a line is a note below it"""
        return (
            layout.vendor_details == "note"
            and bool(line.vendor_details)
            # Odoo prints no notes below a heading that hides prices.
            and not _is_folded(layout, line)
        )

    # === ORDER === #

    def _get_printed(self, layout, lines):
        """:return: generator of what is printed, from top to bottom: lines, and values
        of headings and notes"""
        if layout.line_order == "copaco":
            # Those of a document stand together.
            places = {document: n for n, document in enumerate(lines.document_id)}
            lines = lines.sorted(_get_copaco_key)
            lines = lines.sorted(lambda line: places[line.document_id])
        free = self._get_free_lines(layout, lines)
        sections, sublevels = self._get_sections(layout, lines - free)
        for heading, section in sections:
            if heading:
                yield heading
            key = heading and heading["copaco_layout_key"]
            for subheading, group in self._get_parts(layout, section, sublevels, key):
                if subheading:
                    yield subheading
                for line in group:
                    yield line
                    if self._has_note(layout, line):
                        yield self._prepare_note(line)
        if free:
            yield self._prepare_heading(
                "zero",
                layout.heading_zero or self.env._("Free of charge"),
                collapse_composition=layout.zero_lines == "total",
                copaco_is_hidden=layout.zero_lines == "hide",
            )
            yield from free

    def _get_free_lines(self, layout, lines):
        """:return: the lines of zero that are not printed each"""
        return lines.filtered(lambda line: self._is_free(layout, line))

    def _is_free(self, layout, line):
        # What costs less than a cent is part of the rounding.
        return layout.zero_lines in ("total", "hide") and not line.extended_price

    def _get_sections(self, layout, lines):
        """Odoo has two levels of headings: above the lines of each of several
        documents, its number has that of the sections, or stands with their titles.

        :return: (list as of `_get_groups`, list of the level of subsections or an empty
            one)
        """
        levels = layout._get_levels()
        documents = lines.document_id
        if len(documents) < 2 or (layout and not layout.has_number):
            return self._get_groups(layout, lines, levels[:1]), levels[1:]
        if len(levels) < 2:
            return self._get_groups(layout, lines, ["document"]), levels
        sections = []
        for document in documents:
            own = lines.filtered(lambda line, own=document: line.document_id == own)
            for heading, group in self._get_groups(layout, own, levels[:1]):
                key = f"document:{document.id}/{heading['copaco_layout_key']}"
                title = f"{document.invoice_number} · {heading['name']}"
                heading |= {"copaco_layout_key": key, "name": title}
                sections.append((heading, group))
        return sections, levels[1:]

    def _get_parts(self, layout, lines, levels, section_key):
        """:param lines: those of a section, or all when there is none
        :return: as `_get_groups`: subsections, and totals of usage
        """
        folded = lines.filtered(lambda line: _is_folded(layout, line))
        parts = self._get_groups(layout, lines - folded, levels, section_key)
        for key, group in groupby(folded, _get_subscription_key):
            heading = self._prepare_heading(
                "/".join(filter(None, (section_key, f"total:{key}"))),
                self._get_usage_title(layout, group[0], section_key),
                section_key,
                collapse_composition=layout.usage == "total",
                collapse_prices=layout.usage == "detail",
            )
            parts.append((heading, group))
        if levels == ["charge"]:
            parts.sort(key=lambda part: _get_rank(part[1][0]))
        return parts

    def _get_groups(self, layout, lines, levels, section_key=None):
        """:param levels: list of the grouping, or an empty one
        :param section_key: that of the section which these are subsections of
        :return: list of (values of a heading or None, lines)
        """
        if not levels:
            return [(None, lines)]
        (level,) = levels
        groups = []
        for key, group in groupby(lines, _KEYS[level]):
            path = "/".join(filter(None, (section_key, f"{level}:{key}")))
            title = self._get_title(layout, group[0], level)
            heading = self._prepare_heading(path, title, section_key)
            groups.append((heading, lines.browse(line.id for line in group)))
        if level == "charge":
            groups.sort(key=lambda group: _get_rank(group[1][0]))
        return groups

    # === HEADINGS AND NOTES === #

    def _prepare_heading(self, key, title, section_key=None, **values):
        """:param key: by which the heading is found again when a draft is updated
        :param section_key: that of the section which it is a subsection of
        :return: values for `account.move.line.create`
        """
        return {
            "display_type": "line_subsection" if section_key else "line_section",
            "name": title,
            "copaco_layout_key": key,
            **values,
        }

    def _prepare_note(self, line):
        return {
            "display_type": "line_note",
            "name": line.vendor_details,
            "copaco_layout_key": f"note:{line.id}",
        }

    def _get_title(self, layout, line, level):
        """:return: the text of the heading over a line"""
        if level == "document":
            return line.document_id.invoice_number
        other = layout.heading_other or self.env._("Other")
        if level == "category":
            return line.plan_category or other
        if level == "subscription":
            return _get_subscription_name(line) or other
        if level == "consumer":
            return line._get_consumer() or line.document_id.customer_id.name or other
        if level == "po":
            return self._get_po_title(line) or other
        kind = _get_kind(line)
        standard = {
            "first": self.env._("First term"),
            "recurring": self.env._("Recurring"),
            "once": self.env._("One-time"),
            "usage": self.env._("Usage"),
            "change": self.env._("Changes"),
        }
        return layout[f"heading_{kind}"] or standard.get(kind, other)

    def _get_po_title(self, line):
        number = line._get_po_number()
        return number and self.env._("PO number: %(number)s", number=number)

    def _get_usage_title(self, layout, line, section_key):
        """:return: the text of the heading over the usage of a subscription"""
        name = _get_subscription_name(line)
        if layout.heading_total:
            return layout._fill(
                layout.heading_total,
                {
                    "plan": line.plan_name,
                    "subscription": name,
                    "subscription_id": line.subscription_ref,
                },
            )
        if not name or "subscription:" in (section_key or ""):
            return self.env._("Usage")
        return self.env._("Usage of %(subscription)s", subscription=name)


def _is_heading(item):
    return isinstance(item, dict) and item["display_type"] != "line_note"


def _is_folded(layout, line):
    """:return: whether a line is below a total of usage"""
    return layout.usage in ("detail", "total") and _get_kind(line) == "usage"


def _get_kind(line):
    """:return: a key of `KINDS`"""
    return _KIND_BY_CHARGE.get(get_name_key(line.charge_type or ""), "other")


def _get_rank(line):
    return _RANKS[_get_kind(line)]


def _get_subscription_name(line):
    return line.subscription_name or line.plan_name or line.subscription_ref or ""


def _get_category_key(line):
    return (line.plan_category or "").strip().casefold()


def _get_subscription_key(line):
    return line.subscription_ref or line.subscription_name or line.plan_name or ""


_KEYS = {
    "document": lambda line: line.document_id.id,
    "category": _get_category_key,
    "subscription": _get_subscription_key,
    "consumer": lambda line: line._get_consumer(),
    "charge": _get_kind,
    "po": lambda line: get_text_key(line._get_po_number()),
}


def _get_copaco_key(line):
    return (
        _get_category_key(line),
        _get_subscription_key(line),
        line.date_start or date.min,
        _get_rank(line),
        line.sequence,
    )
