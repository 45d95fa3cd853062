from odoo import models
from odoo.fields import Command
from odoo.tools import groupby


class CopacoBillBuilder(models.AbstractModel):
    """Turns the documents of a Copaco invoice and their match into the values of a
    vendor bill: no searches, no writes."""

    _name = "copaco.bill.builder"
    _inherit = "copaco.invoice.builder"
    _description = "Copaco Bill Builder"

    def _prepare_invoice(self, document, match, add_computed=False):
        """:param document: the `copaco.document` that stands for those of the bill
        :param match: a `BillMatch`
        :param add_computed: see `copaco.invoice.builder`
        :return: values for `account.move.create`, lines included
        """
        vals = {
            **self.env["copaco.invoice.builder"]._prepare_header(document, match),
            "invoice_date": document.invoice_date,
            "invoice_origin": document.invoice_number,
            "ref": document.invoice_number,
            "invoice_user_id": match.user.id,
            "copaco_document_id": document.id,
            "copaco_amount": match.amount,
            "copaco_digest": match.documents._get_digest(),
            "invoice_line_ids": self._prepare_lines(match, add_computed),
        }
        if chosen_date := match.documents._get_chosen_date():
            # The date of the vendor's invoice stays.
            vals["date"] = chosen_date
        if match.date_due:
            vals["invoice_payment_term_id"] = False
            vals["invoice_date_due"] = match.date_due
        return vals

    def _prepare_lines(self, match, add_computed):
        """:return: list of commands, of the lines of a layout and of rounding"""
        groups = self._get_groups(match)
        formats = self.env["copaco.line.text"]._get_formats()
        common_vals = {}

        def get_common(line):
            line_match = match.lines[line]
            if id(line_match) not in common_vals:
                common_vals[id(line_match)] = self._prepare_common_values(
                    match, line_match, add_computed
                )
            return common_vals[id(line_match)]

        vals_list = []
        for lines in groups:
            if match.layout == "line":
                own = self._prepare_invoice_line(
                    lines, match, True, formats, add_computed
                )
            else:
                own = self._prepare_group(lines, match, add_computed)
            vals_list.append({**get_common(lines[0]), **own})
        billed = match.documents._get_billed_lines()
        vals_list += [
            {**get_common(line), **self._prepare_rounding_line(*row)}
            for line, row in (
                (line, (amount, 0, match, add_computed))
                for line, amount in self._get_roundings(
                    match.amount,
                    self._get_prices(billed),
                    lambda line: match.lines[line].taxes,
                    match.documents.currency_id,
                )
            )
        ]
        for sequence, vals in enumerate(vals_list, start=1):
            vals["sequence"] = sequence
        return [Command.create(vals) for vals in vals_list]

    def _get_groups(self, match):
        """:return: list of the `copaco.document.line` records of each line of the bill;
        those of a group have account, taxes and analytic distribution in common"""

        def get_key(line):
            line_match = match.lines[line]
            return (
                _LAYOUT_KEYS[match.layout](line),
                line_match.product.id,
                line_match.account.id,
                line_match.taxes._ids,
                str(line_match.analytic_distribution),
            )

        lines = match.documents._get_billed_lines()
        return [
            lines.browse(line.id for line in group).with_prefetch(lines._ids)
            for _key, group in groupby(lines, get_key)
        ]

    def _prepare_group(self, lines, match, add_computed):
        """:param lines: one of `_get_groups`
        :return: what is its own of the values for `account.move.line.create`
        """
        currency = match.documents.currency_id
        amount = currency.round(sum(lines.mapped("amount")))
        sign = -1 if (amount < 0) != match.is_refund else 1
        return {
            "name": self._get_group_text(lines, match),
            "quantity": sign,
            "price_unit": abs(amount),
            "copaco_line_id": lines[0].id,
            **self._prepare_balance(amount, match, add_computed),
        }

    def _get_group_text(self, lines, match):
        first = lines[0]
        customer = first.document_id.customer_id
        if match.layout == "subscription":
            names = (customer.name, first.subscription_name or first.plan_name)
            return "\n".join(filter(None, (*names, first.subscription_ref)))
        if match.layout == "customer":
            return customer.display_name
        if match.layout == "product":
            return match.lines[first].product.display_name
        return self.env._(
            "Copaco invoice %(number)s", number=first.document_id.invoice_number
        )

    def _prepare_invoice_line(self, line, match, show_po_number, formats, add_computed):
        vals = super()._prepare_invoice_line(
            line, match, show_po_number, formats, add_computed
        )
        customer = line.document_id.customer_id.name
        if customer:
            vals["name"] += "\n" + self.env._("Customer: %(name)s", name=customer)
        return vals

    def _prepare_balance(self, amount, match, add_computed):
        if not (add_computed and match.is_company_currency):
            return {}
        # A purchase is a debit.
        return {"amount_currency": amount, "balance": amount}


_LAYOUT_KEYS = {
    "line": lambda line: line.id,
    "subscription": lambda line: (line.document_id.id, line.subscription_ref),
    "customer": lambda line: line.document_id.customer_id.id,
    "product": lambda line: None,
    "one": lambda line: None,
}
