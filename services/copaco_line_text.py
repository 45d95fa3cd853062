from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from odoo import models
from odoo.tools import format_date, get_lang


class Formats(NamedTuple):
    """Functions that write what is in a text, in the language of a customer."""

    day: Callable
    number: Callable


class CopacoLineText(models.AbstractModel):
    """The text of an invoice line."""

    _name = "copaco.line.text"
    _description = "Copaco Line Text"

    def _get_formats(self):
        """:return: `Formats` of the language of the context, to be used for many
        lines"""
        language = self.env["res.lang"].browse(get_lang(self.env).id)
        # Most lines of an invoice are about the same few days.
        return Formats(
            cache(partial(format_date, self.env)),
            cache(partial(_format_number, language)),
        )

    def _get_line_text(
        self, line, show_po_number, show_figures, formats=None, layout=None
    ):
        """:param line: a `copaco.document.line`
        :param show_po_number: whether the PO number is not that of the whole invoice
        :param show_figures: whether the text must tell Copaco's quantity and price
        :param formats: see `_get_formats`
        :param layout: a `copaco.layout` in the language of the context, if any
        :return: the text of an invoice line, in the language of the context; plain
        text, which Odoo escapes wherever it shows it"""
        formats = formats or self._get_formats()
        values = self._get_values(line, show_po_number, show_figures, formats, layout)
        po_number = values["po_number"] and self.env._(
            "PO number: %(number)s", number=values["po_number"]
        )
        if layout and layout.line_text:
            rows = [layout._fill(layout.line_text, values)]
            if "{po_number}" not in layout.line_text:
                rows.append(po_number)
            if "{figures}" not in layout.line_text:
                rows.append(values["figures"])
        else:
            rows = [
                values["title"],
                values["period"]
                and self.env._("Period: %(period)s", period=values["period"]),
                values["vendor_details"],
                values["subscription_details"],
                values["consumer"]
                and self.env._("For: %(consumer)s", consumer=values["consumer"]),
                po_number,
                values["figures"],
            ]
        return "\n".join(filter(None, rows)) or "–"

    def _get_values(self, line, show_po_number, show_figures, formats, layout):
        """:return: dict of texts by `LINE_PLACEHOLDERS`; see `_get_line_text`"""
        plan = (line.plan_name or line.subscription_name or "").strip()
        description = (line.description or "").strip()
        if plan.casefold() in description.casefold():
            title = description
        elif description.casefold() in plan.casefold():
            title = plan
        else:
            title = f"{plan} – {description}"
        figures = ""
        if show_figures:
            figures = self._get_figures_text(line, formats)
        elif line._get_unit():
            quantity = self._get_quantity_text(line, formats)
            figures = self.env._("Quantity: %(quantity)s", quantity=quantity)
        values = {
            "title": title or line.subscription_ref or line.line_ref or "–",
            "plan": plan,
            "subscription": line.subscription_name,
            "subscription_id": line.subscription_ref,
            "description": description,
            "period": " – ".join(
                formats.day(day) for day in (line.date_start, line.date_end) if day
            ),
            "vendor_details": line.vendor_details,
            "subscription_details": line.subscription_details,
            "consumer": line._get_consumer(),
            "po_number": show_po_number and line._get_po_number(),
            "figures": figures,
        }
        if layout:
            arranger = self.env["copaco.invoice.layout"]
            values |= arranger._get_changed_values(layout, line)
        return values

    def _get_figures_text(self, line, formats=None):
        """:return: Copaco's quantity and price, see `_get_line_text`"""
        formats = formats or self._get_formats()
        return self.env._(
            "Quantity: %(quantity)s, price: %(price)s %(currency)s",
            quantity=self._get_quantity_text(line, formats),
            price=formats.number(line.unit_price),
            currency=line.currency_id.name,
        )

    def _get_quantity_text(self, line, formats):
        return f"{formats.number(line.quantity)} {line._get_unit()}".rstrip()

    def _get_rounding_text(self):
        """:return: the text of the line with what the roundings of others add up to"""
        return self.env._("Rounding of amounts below a cent")


def _format_number(language, number):
    """:return: a number in a `res.lang`, with all its decimals"""
    decimals = f"{number:.12f}".rstrip("0").partition(".")[2]
    # As `formatLang`, which would round it first. One digit is never grouped.
    return language.format(
        f"%.{len(decimals)}f", number, grouping=not -10 < number < 10
    )
