from math import isclose

from odoo import models
from odoo.fields import Command
from odoo.tools import float_round, groupby

from ..const import KINDS
from ..tools import get_text_key, round_amount, to_decimal

# What the product of two floats may differ from that of the numbers they stand for.
FLOAT_NOISE = 1e-15
# Fields that the community has for the period of a line, and those of price lines.
PERIOD_FIELDS = {"start_date": "date_start", "end_date": "date_end"}
# So many decimals of a price can be printed (`ir.qweb.field.float`) and sent in an
# e-invoice (`account.edi.xml.ubl_20`).
PRICE_DIGITS = 6


class CopacoInvoiceBuilder(models.AbstractModel):
    """Turns a document and its match into the values of an invoice: no searches, no
    writes."""

    _name = "copaco.invoice.builder"
    _description = "Copaco Invoice Builder"

    def _prepare_invoice(self, document, match, add_computed=False):
        """:param document: the `copaco.document` that stands for those of the invoice
        :param match: a `DocumentMatch`
        :param add_computed: whether to give what Odoo would compute of the lines as
            well as what a person would enter
        :return: values for `account.move.create`, lines included
        """
        builder = self.with_context(lang=match.partner.lang or self.env.lang)
        documents = match.documents.with_env(builder.env)
        lines = documents._get_billed_lines()
        numbers = [line._get_po_number() for line in lines]
        is_common = len(set(map(get_text_key, numbers))) == 1
        common_number = numbers[0] if is_common else ""
        formats = builder.env["copaco.line.text"]._get_formats()
        layout = document.with_env(builder.env)._get_layout()
        common_vals = {}
        vals_list = []
        for line in lines:
            line_match = match.lines[line]
            key = id(line_match)
            if key not in common_vals:
                common_vals[key] = self._prepare_common_values(
                    match, line_match, add_computed
                )
            vals_list.append(
                {
                    **common_vals[key],
                    **builder._prepare_invoice_line(
                        line, match, not common_number, formats, add_computed, layout
                    ),
                }
            )
        rounding_vals_list = [
            {
                **common_vals[id(match.lines[line])],
                **builder._prepare_rounding_line(
                    amount, len(lines) + position, match, add_computed
                ),
            }
            for position, (line, amount) in enumerate(
                (
                    rounding
                    for each in documents
                    for rounding in self._get_roundings(
                        each.amount_to_invoice,
                        self._get_prices(each._get_billed_lines()),
                        lambda line: match.lines[line].taxes,
                        document.currency_id,
                    )
                ),
                start=1,
            )
        ]
        texts = builder.env["copaco.invoice.layout"]._arrange(
            layout, lines, vals_list, rounding_vals_list
        )
        vals = {
            **self._prepare_header(document, match),
            "invoice_date": max(each._get_invoice_date() for each in documents),
            "invoice_origin": documents._get_numbers(),
            "ref": common_number,
            "invoice_user_id": match.user.id,
            "copaco_document_id": document.id,
            "copaco_digest": documents._get_digest(),
            "invoice_line_ids": [
                Command.create(vals)
                for vals in (*vals_list, *rounding_vals_list, *texts)
            ],
        }
        if len(documents) > 1:
            vals["copaco_amount"] = match.amount
        return vals

    def _prepare_header(self, document, match):
        """:return: values that are prepared alike for invoices and for bills"""
        return {
            "move_type": KINDS[document.kind].get_move_type(match.amount),
            "company_id": document.company_id.id,
            "journal_id": match.journal.id,
            "partner_id": match.partner.id,
            "fiscal_position_id": match.fiscal_position.id,
            "currency_id": document.currency_id.id,
        }

    def _prepare_common_values(self, match, line_match, add_computed):
        """:return: values that all lines with the same `LineMatch` have in common

        What Odoo would otherwise write line by line after the insert can be given up
        front; the books are the same.
        """
        vals = {
            "display_type": "product",
            "product_id": line_match.product.id,
            "discount": 0.0,
            "account_id": line_match.account.id,
            "tax_ids": [Command.set(line_match.taxes.ids)],
            # Without it Odoo would put the product's own price and taxes here.
            "is_imported": True,
        }
        vals |= self._prepare_analytic(match, line_match)
        if not add_computed:
            return vals
        taxes = line_match.taxes.flatten_taxes_hierarchy().filtered(
            lambda tax: tax.tax_exigibility == "on_invoice"
        )
        # As `account.tax._add_accounting_data_to_base_line_tax_details` does.
        tags = line_match.product.sudo().account_tag_ids | taxes.get_tax_tags(
            match.is_refund, "base"
        )
        vals["tax_tag_ids"] = [Command.set(tags.ids)]
        if not match.has_analytic_models and not line_match.analytic_distribution:
            vals["analytic_distribution"] = False
        return vals

    def _prepare_analytic(self, match, line_match):
        """:param match: a `DocumentMatch` or a `BillMatch`
        :return: the analytic distribution of a rule or customer, if it says one; where
            there are distribution models, Odoo adds theirs to it
        """
        distribution = line_match.analytic_distribution
        if not distribution:
            return {}
        vals = {"copaco_analytic_distribution": distribution}
        if not match.has_analytic_models:
            vals["analytic_distribution"] = distribution
        return vals

    def _prepare_invoice_line(
        self, line, match, show_po_number, formats, add_computed, layout=None
    ):
        """:param line: a `copaco.document.line`
        :param formats: `Formats` of the customer
        :param layout: a `copaco.layout`, if any
        :return: what is its own of the values for `account.move.line.create`
        """
        quantity, price, show_figures = self._get_quantity_and_price(line, match)
        sign = -1 if match.is_refund else 1
        return {
            "sequence": line.sequence,
            "name": self.env["copaco.line.text"]._get_line_text(
                line, show_po_number, show_figures, formats, layout
            ),
            "quantity": sign * quantity,
            "price_unit": price,
            "copaco_line_id": line.id,
            "copaco_vendor_details": line.vendor_details,
            **self._prepare_period(line),
            **self._prepare_balance(line.amount, match, add_computed),
        }

    def _prepare_period(self, line):
        """:return: the period, where an addon such as `account_invoice_start_end_dates`
        has fields for it"""
        fields = self.env["account.move.line"]._fields
        if not fields.keys() >= PERIOD_FIELDS.keys() or not line._has_period():
            return {}
        return {name: line[own] for name, own in PERIOD_FIELDS.items()}

    def _prepare_balance(self, amount, match, add_computed):
        if not (add_computed and match.is_company_currency):
            return {}
        # A sale is a credit: negative, a refund's lines the other way round.
        return {"amount_currency": -amount, "balance": -amount}

    # === ROUNDING === #

    def _get_prices(self, lines):
        """:return: list of (line, exact price, amount that it is rounded to)"""
        return [(line, to_decimal(line.extended_price), line.amount) for line in lines]

    def _get_roundings(self, total, prices, get_taxes, currency):
        """What is lost or gained because each line is an amount of its own: promise 4
        in doc/how_it_works.rst.

        :param total: what is invoiced, without tax
        :param prices: see `_get_prices`, of the lines that are invoiced
        :param get_taxes: what returns the taxes of a line
        :param currency: of these amounts
        :return: list of (a line with the same taxes, amount without tax), for each
            combination of taxes that needs it
        """
        if not prices:
            return []
        rest = total - sum(amount for _line, _exact, amount in prices)
        groups = []
        for _taxes, group in groupby(prices, lambda row: get_taxes(row[0])):
            lines, exact_prices, amounts = zip(*group, strict=True)
            exact = round_amount(sum(exact_prices), currency.rounding)
            difference = currency.round(float(exact) - sum(amounts))
            groups.append([lines[0], difference, abs(sum(amounts))])
        # Where the sums of the taxes are not that of the document.
        largest = max(groups, key=lambda group: group[2])
        largest[1] += rest - sum(difference for _line, difference, _size in groups)
        return [
            (line, currency.round(difference))
            for line, difference, _size in groups
            if not currency.is_zero(difference)
        ]

    def _prepare_rounding_line(self, amount, sequence, match, add_computed):
        """:param amount: without tax, in the currency of the document
        :return: what is its own of the values for `account.move.line.create`
        """
        sign = -1 if match.is_refund else 1
        return {
            "sequence": sequence,
            "name": self.env["copaco.line.text"]._get_rounding_text(),
            "quantity": sign * (1 if amount > 0 else -1),
            "price_unit": abs(amount),
            "copaco_is_rounding": True,
            **self._prepare_balance(amount, match, add_computed),
        }

    # === QUANTITY AND PRICE === #

    def _get_quantity_and_price(self, line, match):
        """Find a quantity and price with which Odoo books exactly the line's amount.

        Copaco's formula is ((quantity × price) − discount) × duration, which an invoice
        line has no room for. The sign goes on the quantity, since e-invoices may not
        have negative prices.

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
            # What is printed and sent has to explain the amount, too.
            shown = quantity * float_round(price, precision_digits=PRICE_DIGITS)
            if abs(shown - amount) > rounding / 2:
                return False
            excess = quantity * price - amount
            is_exact = isclose(quantity * price, amount, rel_tol=FLOAT_NOISE)
            return is_exact or (abs(excess) < rounding * 1e-5 and (excess > 0) == is_up)

        if not self._explains_amount(line):
            return sign, amount, False
        if quantity != float_round(quantity, precision_digits=match.quantity_digits):
            return sign, amount, True
        own_price = abs(line.unit_price)
        if line.duration == 1 and not line.discount and fits(own_price):
            return sign * quantity, own_price, False
        # Twelve months at 5 are shown as one at 60, as Copaco's invoice does.
        for digits in (2, 4, PRICE_DIGITS, 10):
            price = float_round(
                amount / quantity,
                precision_digits=digits,
                rounding_method="UP" if is_up else "DOWN",
            )
            if fits(price):
                return sign * quantity, price, False
        return sign, amount, True

    def _explains_amount(self, line):
        """:return: whether Copaco's figures give the amount of a line, which those of a
        correction of Copaco's don't"""
        by_formula = (line.quantity * line.unit_price - line.discount) * line.duration
        difference = abs(by_formula - line.extended_price)
        return bool(line.quantity) and difference <= line.currency_id.rounding
