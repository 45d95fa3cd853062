from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from odoo import api, models
from odoo.tools import format_date, get_lang


class Formats(NamedTuple):
    """Functions that write what is in a text, in the language of a customer."""

    day: Callable
    number: Callable


class CopacoLineText(models.AbstractModel):
    """The text of an invoice line."""

    _name = "copaco.line.text"
    _description = "Copaco Line Text"

    @api.model
    def _get_formats(self):
        """:return: `Formats` of the language of the context, to be used for many
        lines"""
        language = self.env["res.lang"].browse(get_lang(self.env).id)
        # Most lines of an invoice are about the same few days.
        return Formats(
            cache(partial(format_date, self.env)),
            cache(partial(_format_number, language)),
        )

    @api.model
    def _get_line_text(self, line, show_po_number, show_figures, formats=None):
        """:param line: a `copaco.document.line`
        :param show_po_number: whether the PO number is not that of the whole invoice
        :param show_figures: whether the text must tell Copaco's quantity and price
        :param formats: see `_get_formats`
        :return: the text of an invoice line, in the language of the context; plain
        text, which Odoo escapes wherever it shows it"""
        formats = formats or self._get_formats()
        plan = (line.plan_name or line.subscription_name or "").strip()
        description = (line.description or "").strip()
        if plan.casefold() in description.casefold():
            title = description
        elif description.casefold() in plan.casefold():
            title = plan
        else:
            title = f"{plan} – {description}"
        rows = [title or line.subscription_ref or line.line_ref or "–"]
        period = " – ".join(
            formats.day(day) for day in (line.date_start, line.date_end) if day
        )
        if period:
            rows.append(self.env._("Period: %(period)s", period=period))
        if line.vendor_details:
            rows.append(line.vendor_details)
        if line.subscription_details:
            rows.append(line.subscription_details)
        if consumer := line._get_consumer():
            rows.append(self.env._("For: %(consumer)s", consumer=consumer))
        if show_po_number and line._get_po_number():
            rows.append(
                self.env._("PO number: %(number)s", number=line._get_po_number())
            )
        if show_figures:
            rows.append(self._get_figures_text(line, formats))
        elif line._get_unit():
            quantity = self._get_quantity_text(line, formats)
            rows.append(self.env._("Quantity: %(quantity)s", quantity=quantity))
        return "\n".join(rows)

    @api.model
    def _get_figures_text(self, line, formats=None):
        """:return: Copaco's quantity and price, see `_get_line_text`"""
        formats = formats or self._get_formats()
        return self.env._(
            "Quantity: %(quantity)s, price: %(price)s %(currency)s",
            quantity=self._get_quantity_text(line, formats),
            price=formats.number(line.unit_price),
            currency=line.currency_id.name,
        )

    @api.model
    def _get_quantity_text(self, line, formats):
        return f"{formats.number(line.quantity)} {line._get_unit()}".rstrip()

    @api.model
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
