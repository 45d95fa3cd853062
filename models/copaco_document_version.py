from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import formatLang

from ..client.documents import parse_payload
from .copaco_mapper import round_amount


class CopacoDocumentVersion(models.Model):
    """What a known document said before, or says now in Copaco and not yet here.

    A document's own payload is the one that counts; every other one that ever came
    is kept here, so that nothing that arrived is lost.
    """

    _name = "copaco.document.version"
    _description = "Copaco Document Version"
    _order = "id desc"

    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="document_id.company_id", store=True, index=True
    )
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    state = fields.Selection(
        [
            ("pending", "Waits for a decision"),
            ("replaced", "Replaced by a newer one"),
            ("declined", "Not taken over"),
        ],
        required=True,
    )
    currency_id = fields.Many2one("res.currency")
    amount_source = fields.Monetary(string="Amount", help="Without tax.")
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True)
    payload_digest = fields.Char(required=True)
    difference = fields.Html(
        compute="_compute_difference",
        sanitize=False,
        help="Line by line: what the document says, and what this version says.",
    )

    @api.depends("payload", "document_id.line_ids")
    def _compute_difference(self):
        for version in self:
            version.difference = version._get_difference_table()

    def _get_difference_table(self):
        """:return: `Markup` of a table with the lines that are not the same"""
        self.ensure_one()
        currency = self.currency_id or self.document_id.currency_id
        old = _add_up_lines(self.document_id.line_ids, lambda line: line.amount)
        new = _add_up_lines(
            parse_payload(self.payload).lines,
            lambda line: float(round_amount(line.extended_price, currency.rounding)),
        )

        def get_row(text, was, now, tag="td"):
            cell = Markup("<{0}{1}>%s</{0}>").format(tag, Markup(' class="text-end"'))
            amounts = [
                formatLang(self.env, amount, currency_obj=currency)
                for amount in (was, now, now - was)
            ]
            return Markup("<tr><%(tag)s>%(text)s</%(tag)s>%(cells)s</tr>") % {
                "tag": Markup(tag),
                "text": text,
                "cells": (cell * 3) % (*amounts,),
            }

        rows = Markup("")
        for key in old | new:
            text, was = old.get(key, (None, 0.0))
            new_text, now = new.get(key, (text, 0.0))
            if text != new_text or currency.compare_amounts(was, now):
                rows += get_row(new_text or text, was, now)
        rows += get_row(
            self.env._("Total"),
            self.document_id.amount_source,
            self.amount_source,
            tag="th",
        )
        titles = (
            self.env._("Line"),
            self.env._("Was"),
            self.env._("Is"),
            self.env._("Difference"),
        )
        return (
            Markup('<table class="table table-sm"><tr>')
            + Markup("<th>%s</th>" + '<th class="text-end">%s</th>' * 3) % titles
            + Markup("</tr>%s</table>") % rows
        )


def _add_up_lines(lines, get_amount):
    """:return: dict of (text, amount) by what makes a line one and the same"""
    totals = {}
    for line in lines:
        key = (
            line.row_hash
            or line.line_ref
            or (line.subscription_ref, line.description, line.date_start)
        )
        parts = (line.plan_name, line.description, line.vendor_details)
        text = " – ".join(dict.fromkeys(filter(None, parts)))
        totals[key] = (text, totals.get(key, ("", 0.0))[1] + get_amount(line))
    return totals
