from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, partial
from math import isclose
from typing import NamedTuple

from odoo import api, models
from odoo.fields import Command
from odoo.tools import float_round, format_date, get_lang

from ..client import EXACT

CENT = 0.01
# What the product of two floats may differ from that of the numbers they stand for.
FLOAT_NOISE = 1e-15


class _Formats(NamedTuple):
    """Functions that write what is in a text, in the language of a customer."""

    day: Callable
    number: Callable


class CopacoMapper(models.AbstractModel):
    """Turns a document and its match into the values of an invoice: no searches, no
    writes."""

    _name = "copaco.mapper"
    _description = "Copaco Mapper"

    @api.model
    def _prepare_invoice(self, document, match):
        """:param document: a `copaco.document`
        :param match: its `DocumentMatch`
        :return: values for `account.move.create`, lines included
        """
        language = match.partner.lang or self.env.lang
        document = document.with_context(lang=language)
        lines = document.line_ids
        numbers = {_get_po_number(line) for line in lines}
        common_number = numbers.pop() if len(numbers) == 1 else ""
        mapper = self.with_context(lang=language)
        formats = _get_formats(mapper.env)
        common_vals = self._prepare_common_values(document, match)
        return {
            "move_type": "out_refund" if match.is_refund else "out_invoice",
            "company_id": document.company_id.id,
            "journal_id": match.journal.id,
            "partner_id": match.partner.id,
            "fiscal_position_id": match.fiscal_position.id,
            "currency_id": document.currency_id.id,
            "invoice_date": document.invoice_date,
            "invoice_origin": document.invoice_number,
            "ref": common_number,
            "invoice_user_id": match.user.id,
            "copaco_document_id": document.id,
            "copaco_digest": document.payload_digest,
            "invoice_line_ids": [
                Command.create(
                    {
                        **common_vals,
                        **mapper._prepare_invoice_line(
                            line, match, not common_number, formats
                        ),
                    }
                )
                for line in lines
            ],
        }

    @api.model
    def _prepare_common_values(self, document, match):
        """:return: values that all lines of an invoice have in common

        What Odoo would otherwise write line by line after the insert is given up
        front; the books are the same.
        """
        vals = {
            "display_type": "product",
            "partner_id": match.partner.commercial_partner_id.id,
            "product_id": match.product.id,
            "product_uom_id": match.product.uom_id.id,
            "discount": 0.0,
            "account_id": match.account.id,
            "tax_ids": [Command.set(match.taxes.ids)],
            "tax_tag_ids": [Command.set(match.tax_tags.ids)],
            # Without it Odoo would put the product's own price and taxes here.
            "is_imported": True,
            "currency_id": document.currency_id.id,
        }
        if not match.has_analytic_models:
            vals["analytic_distribution"] = False
        return vals

    @api.model
    def _prepare_invoice_line(self, line, match, show_po_number, formats):
        """:param line: a `copaco.document.line`
        :param formats: `_Formats` of the customer
        :return: what is its own of the values for `account.move.line.create`
        """
        quantity, price, show_figures = self._get_quantity_and_price(line, match)
        sign = -1 if match.is_refund else 1
        vals = {
            "sequence": line.sequence,
            "name": self._get_line_text(line, show_po_number, show_figures, formats),
            "quantity": sign * quantity,
            "price_unit": price,
            "copaco_line_id": line.id,
            "copaco_vendor_details": line.vendor_details,
        }
        if match.is_company_currency:
            # A sale is a credit: negative, a refund's lines the other way round.
            vals["amount_currency"] = vals["balance"] = -line.amount
        return vals

    @api.model
    def _get_quantity_and_price(self, line, match):
        """Find a quantity and price with which Odoo books exactly the line's amount.

        Copaco's formula is ((quantity × price) − discount) × duration (kb:
        platform-logic-new), which an invoice line has no room for. The sign goes on
        the quantity, since e-invoices may not have negative prices.

        :return: (quantity, price, whether the text must tell Copaco's own)
        """
        amount = abs(line.amount)
        quantity = abs(line.quantity)
        sign = -1.0 if line.amount < 0 else 1.0
        rounding = line.currency_id.rounding
        # A company that rounds taxes globally adds the lines up before they are
        # rounded. Every fraction of a cent would move the total; and one too little
        # would round a tax down that is half a cent exactly.
        is_up = (line.amount < 0) == match.is_refund

        def fits(price):
            excess = quantity * price - amount
            is_exact = isclose(quantity * price, amount, rel_tol=FLOAT_NOISE)
            return is_exact or (abs(excess) < rounding * 1e-5 and (excess > 0) == is_up)

        by_formula = (line.quantity * line.unit_price - line.discount) * line.duration
        if not quantity or abs(by_formula - line.extended_price) > rounding:
            # The figures of a correction don't explain its amount (AppXite: Charge
            # Aggregation), so they are left out.
            return sign, amount, False
        if quantity != float_round(quantity, precision_digits=match.quantity_digits):
            return sign, amount, True
        own_price = abs(line.unit_price)
        if line.duration == 1 and not line.discount and fits(own_price):
            return sign * quantity, own_price, False
        # Twelve months at 5 are shown as one at 60, as Copaco's invoice does.
        for digits in (2, 4, 6, 10):
            price = float_round(
                amount / quantity,
                precision_digits=digits,
                rounding_method="UP" if is_up else "DOWN",
            )
            if fits(price):
                return sign * quantity, price, False
        return sign, amount, True

    @api.model
    def _get_line_text(self, line, show_po_number, show_figures, formats=None):
        """:param formats: see `_prepare_invoice_line`
        :return: the text of an invoice line, in the language of the context; plain
        text, which Odoo escapes wherever it shows it"""
        formats = formats or _get_formats(self.env)
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
        if (
            line.consumer_name
            and line.consumer_name != line.document_id.customer_id.name
        ):
            rows.append(self.env._("For: %(consumer)s", consumer=line.consumer_name))
        if show_po_number and _get_po_number(line):
            rows.append(
                self.env._("PO number: %(number)s", number=_get_po_number(line))
            )
        if show_figures:
            rows.append(
                self.env._(
                    "Quantity: %(quantity)s, price: %(price)s %(currency)s",
                    quantity=formats.number(line.quantity),
                    price=formats.number(line.unit_price),
                    currency=line.currency_id.name,
                )
            )
        return "\n".join(rows)


def round_amount(amount, rounding=CENT):
    """Round half up, away from zero: DESIGN promise 4.

    :param amount: exact `Decimal`
    :param rounding: the currency's smallest unit; 0: that of cents
    :return: `Decimal`
    """
    unit = Decimal(str(rounding or CENT))
    units = EXACT.divide(amount, unit).quantize(Decimal(1), ROUND_HALF_UP, EXACT)
    return units * unit


def _get_po_number(line):
    return line.line_po or line.subscription_po or ""


def _get_formats(env):
    language = env["res.lang"].browse(get_lang(env).id)
    # Most lines of an invoice are about the same few days.
    return _Formats(
        cache(partial(format_date, env)), cache(partial(_format_number, language))
    )


def _format_number(language, number):
    """:return: a number in a `res.lang`, with all its decimals"""
    decimals = f"{number:.12f}".rstrip("0").partition(".")[2]
    # As `formatLang`, which would round it first. One digit is never grouped.
    return language.format(
        f"%.{len(decimals)}f", number, grouping=not -10 < number < 10
    )
