from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import formatLang

from ..client import parse_payload
from ..const import SALES_KINDS
from ..tools import enumerate_names, render_message, translate

# What has the lines of its invoice or bill, not those that Copaco sent.
BOOKED = ("invoiced", "rebuilt")


class CopacoPreviewReader(models.AbstractModel):
    """Tells in plain values what a dry run made, before it is undone."""

    _name = "copaco.preview.reader"
    _description = "Copaco Preview Reader"

    @api.model
    def _read(self, imported, responses):
        """:param imported: what a dry run made, `Imported`
        :param responses: list of `Response`, that it was made of
        :return: list of values for `copaco.preview.document`; lists of values for its
            lines are under `line_ids`
        """
        months = self._get_months(imported.documents)
        # Account codes are those of a company.
        documents = imported.documents.with_company(imported.runs.company_id)
        values = {
            document: self._prepare_document(document, imported, months)
            for document in documents
        }
        return self._join(values) + [
            {
                "outcome": "unreadable",
                "message": render_message(self.env, translate(rejected.problems)),
                "payload": rejected.payload,
            }
            for response in responses
            for rejected in response.parsed.rejected
        ]

    @api.model
    def _join(self, values):
        """Documents that become one bill or invoice are one row.

        :param values: dict of values for `copaco.preview.document` by `copaco.document`
        :return: list of values
        """
        rows = {}
        for document, vals in values.items():
            is_booked = "line_ids" in vals and vals["outcome"] in BOOKED
            move = is_booked and document.move_id
            rows.setdefault((move, vals["outcome"]) if move else document, []).append(
                vals
            )
        return [
            {
                **group[0],
                **{
                    name: enumerate_names(
                        self.env, list(dict.fromkeys(vals[name] for vals in group))
                    )
                    for name in ("customer_name", "invoice_number")
                },
                "line_count": sum(vals["line_count"] for vals in group),
            }
            if len(group) > 1
            else group[0]
            for group in rows.values()
        ]

    @api.model
    def _prepare_document(self, document, imported, months):
        """:param months: see `_get_months`
        :return: values for `copaco.preview.document`
        """
        change = document.version_ids.filtered(
            lambda version: (
                version.state == "pending" and version.run_id in imported.runs
            )
        )[:1]
        outcome = self._get_outcome(document, imported, change)
        has_move = outcome != "changed" and document.state in ("invoiced", "changed")
        move = document.move_id if has_move else None
        customer = document.customer_id
        vals = {
            "outcome": outcome,
            "document_id": document.id,
            "invoice_number": document._get_number(),
            "customer_name": customer.name or customer.account_ref,
            "partner_name": (move or document).partner_id.display_name,
            "invoice_date": document.invoice_date,
            "currency_id": document.currency_id.id,
            "line_count": (change or document).line_count,
            "amount_untaxed": (change or document).amount_source,
            "hold_reason": document.hold_reason,
            "message": document.hold_message or document.exclude_reason,
            "difference": change.difference,
            **self._compare_months(document, months, change),
        }
        if move:
            vals.update(
                move_type=move.move_type,
                amount_untaxed=move.amount_untaxed,
                amount_tax=move.amount_tax,
                amount_total=move.amount_total,
            )
        if outcome == "rebuilt":
            # What was the document's own content is its newest version now.
            vals["message"] = self.env._(
                "Copaco changed this document, and its draft invoice would be updated: "
                "%(old)s without tax would become %(new)s.",
                old=self._format(document.version_ids[:1]),
                new=self._format(document),
            )
        if outcome in BOOKED:
            vals["line_ids"] = self._prepare_invoice_lines(move)
            if move.is_sale_document() and move.partner_id not in imported.contacts:
                vals["warnings"] = self._get_warnings(document, move)
        elif outcome in ("held", "changed", "excluded"):
            lines = self._get_new_lines(change) if change else document.line_ids
            vals["line_ids"] = self._prepare_source_lines(lines)
        return vals

    @api.model
    def _get_outcome(self, document, imported, change):
        if document in imported.missing:
            return "missing"
        if document.run_id not in imported.runs and not change:
            return "known"
        if document.state == "new":
            return "not_computed"
        if change:
            return "changed"
        if document.state == "invoiced" and document in imported.invoiced:
            return "rebuilt"
        return document.state

    @api.model
    def _format(self, document):
        return formatLang(
            self.env, document.amount_source, currency_obj=document.currency_id
        )

    @api.model
    def _prepare_invoice_lines(self, move):
        return [
            {
                "sequence": sequence,
                "display_type": line.display_type,
                "name": line.name,
                "vendor_details": line.copaco_vendor_details,
                "quantity": line.quantity,
                "price_unit": line.price_unit,
                "discount": line.discount,
                "taxes": ", ".join(line.tax_ids.mapped("name")),
                "account": line.account_id.display_name,
                "price_subtotal": line.price_subtotal,
                "price_total": line.price_total,
            }
            for sequence, line in enumerate(
                move.invoice_line_ids.sorted(lambda line: (line.sequence, line.id)), 1
            )
        ]

    @api.model
    def _get_warnings(self, document, move):
        """:return: text: why an invoice would stay a draft, or could not be sent"""
        # What is wrong with its number is known only when it has one.
        move.name = move.name or document.invoice_number
        return "\n".join(
            filter(
                None,
                (
                    self.env["copaco.contact.checker"]._describe_missing(move),
                    *self.env["copaco.e.invoice"]._get_errors(move),
                ),
            )
        )

    @api.model
    def _get_new_lines(self, version):
        """:return: the lines of a version, which are not stored"""
        Line = self.env["copaco.document.line"]
        document, currency = version.document_id, version.currency_id
        lines = Line.browse()
        source = parse_payload(version.payload)
        for sequence, line in enumerate(source.lines, 1):
            vals = Line._prepare_source_values(line, document.company_id, currency)
            vals["document_id"] = document.id
            lines += Line.new({**vals, "sequence": sequence})
        return lines

    @api.model
    def _prepare_source_lines(self, lines):
        """Lines of a document without an invoice, as Copaco sent them."""
        return [
            {
                "sequence": line.sequence,
                "display_type": "product",
                "name": self.env["copaco.line.text"]._get_line_text(line, True, False),
                "vendor_details": line.vendor_details,
                "quantity": line.quantity,
                "price_unit": line.unit_price,
                "discount": 0.0,
                "price_subtotal": line.amount,
            }
            for line in lines
        ]

    @api.model
    def _get_months(self, documents):
        """Add up what customers pay without tax, by month of invoice date.

        :return: dict of amounts by (customer, currency, first day of the month)
        """
        dates = list(filter(None, documents.mapped("invoice_date")))
        if not dates:
            return {}
        return {
            tuple(group): amount
            for *group, amount in documents._read_group(
                [
                    ("customer_id", "in", documents.customer_id.ids),
                    ("kind", "in", SALES_KINDS),
                    ("state", "!=", "excluded"),
                    ("invoice_date", ">=", _get_month(min(dates), -1)),
                ],
                ["customer_id", "currency_id", "invoice_date:month"],
                ["amount_source:sum"],
            )
        }

    @api.model
    def _compare_months(self, document, months, change):
        """:param change: the `copaco.document.version` that waits, if any
        :return: values: what the customer pays in this month, and in the one before
        """
        is_sale = document.kind in SALES_KINDS
        if not (is_sale and document.customer_id and document.invoice_date):
            return {}
        owner = document.customer_id, document.currency_id
        vals = {
            f"{name}_amount": months.get(
                (*owner, _get_month(document.invoice_date, distance)), 0.0
            )
            for name, distance in (("month", 0), ("last_month", -1))
        }
        if change.currency_id == document.currency_id:
            vals["month_amount"] += change.amount_source - document.amount_source
        return vals


def _get_month(day, distance):
    """:return: the first day of the month that is so many months away"""
    return day.replace(day=1) + relativedelta(months=distance)
