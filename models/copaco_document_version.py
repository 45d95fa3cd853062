from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import float_compare, formatLang

from ..client import parse_payload
from .copaco_mapper import CENT, round_amount
from .line_pairs import pair_lines


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
    totals_difference = fields.Monetary(help="See the field of the document.")
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True, prefetch=False)
    payload_digest = fields.Char(required=True)
    move_ids = fields.One2many(
        "account.move",
        "copaco_version_id",
        string="Corrections",
        help="What corrects the invoice of the older content, when this one was taken "
        "over.",
    )
    move_snapshot = fields.Json(
        help="What the addon put on the correction, to find what a person changed "
        "since, and which lines of the document were on the invoice before."
    )
    difference = fields.Html(
        compute="_compute_difference",
        sanitize=False,
        help="Line by line: what the document says, and what this version says.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
        return res

    # === COMPUTE METHODS === #

    @api.depends("payload", "document_id.line_ids")
    def _compute_difference(self):
        for version in self:
            version.difference = version._get_difference_table()

    def _is_unreadable(self):
        return bool(parse_payload(self.payload).error)

    def _get_differences(self):
        """:return: list of `LineDifference` between the document and this version, of
        the lines that are not the same"""
        self.ensure_one()
        currency = self.currency_id or self.document_id.currency_id
        differences = []
        sequence = 0
        for old, new in pair_lines(
            self.document_id.line_ids, parse_payload(self.payload).lines
        ):
            was = now = 0.0
            if old:
                was = old.amount
            if new:
                now = float(round_amount(new.extended_price, currency.rounding))
                sequence += 1
            unit = currency.rounding or CENT
            is_only_text = not float_compare(was, now, precision_rounding=unit)
            if not is_only_text or _get_text(old) != _get_text(new):
                differences.append(
                    LineDifference(
                        text=_get_text(new or old),
                        was=was,
                        now=now,
                        line_id=old and old.id,
                        sequence=new and sequence,
                        is_only_text=is_only_text,
                    )
                )
        return differences

    def _get_difference_table(self):
        """:return: `Markup` of a table with the lines that are not the same"""
        self.ensure_one()
        currency = self.currency_id or self.document_id.currency_id
        return self.env["ir.qweb"]._render(
            "account_copaco.version_difference",
            {
                "differences": self._get_differences(),
                "was": self.document_id.amount_source,
                "now": self.amount_source,
                "show": lambda amount: formatLang(
                    self.env, amount, currency_obj=currency
                ),
            },
        )


class LineDifference(NamedTuple):
    """A line of a document that a version has otherwise."""

    text: str
    was: float  # without tax, rounded to the currency
    now: float
    line_id: int | None  # the `copaco.document.line`, unless it is new
    sequence: int | None  # of the line in the version, unless it is gone
    is_only_text: bool


def _get_text(line):
    parts = line and (line.plan_name, line.description, line.vendor_details)
    return " – ".join(dict.fromkeys(filter(None, parts or ())))
