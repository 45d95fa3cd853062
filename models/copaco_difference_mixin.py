from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import LazyTranslate, float_compare, format_date, formatLang

from ..client import parse_payload
from ..tools import (
    CENT,
    Amount,
    get_charge_key,
    join_different,
    join_messages,
    name_invoice,
    name_line,
    pair_lines,
    round_amount,
)

_lt = LazyTranslate(__name__)


class CopacoDifferenceMixin(models.AbstractModel):
    """What a version has otherwise than its document."""

    _name = "copaco.difference.mixin"
    _description = "Difference of a Copaco Version"

    difference = fields.Html(
        compute="_compute_difference",
        sanitize=False,
        help="Line by line: what the document says, and what this version says.",
    )

    # === COMPUTE METHODS === #

    @api.depends("payload", "document_id.line_ids")
    @api.depends_context("lang")
    def _compute_difference(self):
        for version in self:
            version.difference = version._get_difference_table()

    # === BUSINESS METHODS === #

    def _is_continuation(self):
        """Whether this version has a line in common with its document."""
        self.ensure_one()
        old_lines = self.document_id.line_ids
        pairs = pair_lines(old_lines, parse_payload(self.payload).lines)
        return not old_lines or any(old and new for old, new in pairs)

    def _get_new_lines(self):
        """:return: list of the `DocumentLine` that the document does not have"""
        self.ensure_one()
        lines = parse_payload(self.payload).lines
        pairs = pair_lines(self.document_id.line_ids, lines)
        return [new for old, new in pairs if new and not old]

    def _get_lost_lines(self):
        """:return: the `copaco.document.line` records that this version does not have,
        or has as another charge"""
        self.ensure_one()
        lines = self.document_id.line_ids
        pairs = pair_lines(lines, parse_payload(self.payload).lines)
        return lines - lines.browse(
            old.id
            for old, new in pairs
            if old and new and get_charge_key(old) == get_charge_key(new)
        )

    def _misses_total(self):
        """Whether the lines are those of the document, and Copaco's total is another
        one."""
        self.ensure_one()
        document = self.document_id
        is_same = self.payload_digest == document.payload_digest
        return is_same and document.connection_id._is_total_missed(
            self._get_currency(), self.totals_difference, self.totals_line_count
        )

    def _is_unreadable(self):
        return bool(parse_payload(self.payload).error)

    def _get_invoice_date(self):
        return parse_payload(self.payload).invoice_date

    def _is_invoiced_anew(self):
        """Whether the difference alone is no correction of the invoice: it is in
        another currency, or of another month, which may be another VAT period."""
        self.ensure_one()
        document, new = self.document_id, self._get_invoice_date()
        old = document.invoice_date
        if not self.line_count or self._is_unreadable():
            return False
        return self.currency_id != document.currency_id or bool(
            old and new and (old.year, old.month) != (new.year, new.month)
        )

    def _get_header_differences(self):
        """:return: list of (label, what the document says, what this version says)"""
        document = self.document_id
        fields = document.fields_get(["invoice_date", "currency_id"], ["string"])
        dates = document.invoice_date, self._get_invoice_date()
        currencies = (
            document.currency_id.name or document.currency_code,
            self.currency_id.name or parse_payload(self.payload).currency,
        )
        found = []
        if dates[0] != dates[1]:
            texts = [format_date(self.env, day) for day in dates]
            found.append((fields["invoice_date"]["string"], *texts))
        if currencies[0] != currencies[1]:
            found.append((fields["currency_id"]["string"], *currencies))
        return found

    def _get_differences(self):
        """:return: list of `LineDifference` between the document and this version, of
        the lines that are not the same"""
        self.ensure_one()
        currency = self._get_currency()
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
            lines = [line for line in (old, new) if line]
            is_only_text = not float_compare(was, now, precision_rounding=unit)
            if not is_only_text or name_line(old) != name_line(new):
                differences.append(
                    LineDifference(
                        text=name_line(new or old),
                        is_excluded=bool(old and old.is_excluded),
                        was=was,
                        now=now,
                        line_id=old and old.id,
                        sequence=new and sequence,
                        is_only_text=is_only_text,
                        quantities=_get_values(lines, "quantity"),
                        prices=_get_values(lines, "unit_price"),
                        period=tuple(
                            filter(None, (lines[-1].date_start, lines[-1].date_end))
                        ),
                    )
                )
        return differences

    def _shares_change(self, other):
        """Whether this version and another one change a line of their document
        alike."""
        return not self._get_changes().isdisjoint(other._get_changes())

    def _get_changes(self):
        """:return: set of (`copaco.document.line` id, or text of a new line; amount)"""
        return {
            (difference.line_id or difference.text, difference.now)
            for difference in self._get_differences()
            if not difference.is_only_text
        }

    def _get_difference_table(self):
        """:return: `Markup` of a table with the lines that are not the same"""
        self.ensure_one()
        document = self.document_id
        is_same = self.currency_id == document.currency_id
        formats = self.env["copaco.line.text"]._get_formats()
        return self.env["ir.qweb"]._render(
            "account_copaco.version_difference",
            {
                "header_differences": self._get_header_differences(),
                "differences": self._get_differences(),
                "was": document.amount_source,
                "now": self.amount_source,
                "show_old": document._format_amount,
                "show_new": self._format_amount,
                "show_period": lambda days: " – ".join(map(formats.day, days)),
                "show_change": lambda numbers: join_different(
                    map(formats.number, numbers)
                ),
                "show_difference": lambda was, now: (
                    self._format_amount(now - was) if is_same else ""
                ),
            },
        )

    def _get_currency(self):
        return self.currency_id or self.document_id.currency_id

    def _format_amount(self, amount):
        return formatLang(self.env, amount, currency_obj=self._get_currency())

    def _get_decision_message(self, *obstacles):
        """:param obstacles: messages: why a person has to decide
        :return: message: what Copaco changed, and what a person can do about it
        """
        self.ensure_one()
        document = self.document_id
        invoice = document._get_live_invoice()
        source = parse_payload(self.payload)
        if source.error:
            builder = self.env["copaco.document.builder"]
            return _lt(
                "Copaco sent %(document)s again, and what it sent can't be read: "
                "%(error)s Keep the old version, and ask Copaco to correct it.",
                document=document.name,
                error=builder._describe_error(source),
            )
        if self.payload_digest == document.payload_digest:
            if self._misses_total():
                return join_messages(*obstacles)
            return join_messages(
                _lt(
                    "Copaco took back a change of %(document)s that was not taken "
                    "over.",
                    document=document.name,
                ),
                *obstacles,
                _lt("When that is settled, keep the old version."),
            )
        sentences = [self._get_change_sentence(), self._get_date_sentence()]
        if self.line_count and not self._is_continuation():
            sentences.append(
                _lt(
                    "The versions have no line in common, so this may be a second "
                    "part: then keep the old version and invoice the new one "
                    "manually."
                )
            )
        if invoice and self.env["copaco.draft.updater"]._can_be_rebuilt(document):
            sentences.append(
                _lt(
                    "Draft invoice %(invoice)s was edited manually or can't be rebuilt "
                    "automatically: use the new version (manual edits are kept), "
                    "prepare a correction, or keep the old version.",
                    invoice=name_invoice(invoice),
                )
            )
        elif invoice and self._is_invoiced_anew():
            sentences.append(
                _lt(
                    "Prepare a correction: invoice %(invoice)s is credited in full, "
                    "and created anew. Or keep the old version.",
                    invoice=name_invoice(invoice),
                )
            )
        elif invoice:
            sentences.append(
                _lt(
                    "Prepare a correction of invoice %(invoice)s, or keep the old "
                    "version.",
                    invoice=name_invoice(invoice),
                )
            )
        else:
            sentences.append(_lt("Choose which version counts."))
        return join_messages(*sentences, *obstacles)

    def _get_change_sentence(self):
        """:return: message: what Copaco changed of the amount"""
        document = self.document_id
        old = Amount(document.amount_source, document.currency_id)
        new = Amount(self.amount_source, self._get_currency())
        if old == new:
            return _lt(
                "Copaco changed %(document)s after it was received; its amount without "
                "tax is still %(amount)s. See What Changed on the document.",
                document=document.name,
                amount=new,
            )
        return _lt(
            "Copaco changed %(document)s after it was received: %(old)s became %(new)s "
            "without tax. See What Changed on the document.",
            document=document.name,
            old=old,
            new=new,
        )

    def _get_date_sentence(self):
        """:return: message: what Copaco changed of the date, "" for nothing"""
        old, new = self.document_id.invoice_date, self._get_invoice_date()
        if not new or old == new:
            return ""
        return _lt(
            "Its date %(old)s became %(new)s.",
            old=old,
            new=new,
        )


class LineDifference(NamedTuple):
    """A line of a document that a version has otherwise."""

    text: str
    was: float  # without tax, rounded to the currency
    now: float
    line_id: int | None  # the `copaco.document.line`, unless it is new
    sequence: int | None  # of the line in the version, unless that lacks it
    is_only_text: bool
    is_excluded: bool  # not invoiced, being the same charge as another line
    # Before and after; one value, when there was or is no such line.
    quantities: tuple
    prices: tuple
    period: tuple  # first and last day, as far as they are known


def _get_values(lines, name):
    return tuple(float(getattr(line, name) or 0) for line in lines)
