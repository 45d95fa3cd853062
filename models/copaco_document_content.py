import gc
import logging

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.fields import Command
from odoo.tools import float_compare

from ..client import parse_payload
from .copaco_document_double import get_account_key
from .copaco_mapper import round_amount
from .copaco_matcher import Hold

_logger = logging.getLogger(__name__)


class CopacoDocument(models.Model):
    """What arrives: how it is recognised, stored, and read again."""

    _inherit = "copaco.document"

    @api.model
    def _get_source_key(self, source, customers):
        """:param source: a `SourceDocument`
        :param customers: dict of `copaco.customer` by account
        :return: what makes this document one and the same, within company and kind
        """
        customer = customers.get(source.account_ref)
        if customer:
            return source.invoice_number, customer.id
        return source.invoice_number, source.digest

    @api.model
    def _get_known(self, company, kind, heads, customers):
        """:param heads: list of `DocumentHead`
        :return: dict of the documents already stored, by `_get_source_key`"""
        documents = self.search_fetch(
            [
                ("company_id", "=", company.id),
                ("kind", "=", kind),
                ("invoice_number", "in", [each.invoice_number for each in heads]),
            ],
            [
                "invoice_number",
                "customer_id",
                "payload_digest",
                "hold_reason",
                "missing_state",
            ],
        )
        return {
            (
                document.invoice_number,
                document.customer_id.id or document.payload_digest,
            ): document
            for document in documents
        }

    @api.model
    def _get_currency(self, code):
        """:return: `res.currency` of this code, active or not; empty for none"""
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "=", code)]) if code else currencies

    @api.model
    def _get_amount(self, source, currency):
        """:return: what the lines of a `SourceDocument` add up to, each rounded"""
        return float(
            sum(
                round_amount(line.extended_price, currency.rounding)
                for line in source.lines
            )
        )

    @api.model
    def _prepare_source_values(self, source, run, customers, currency):
        """:param source: a `SourceDocument`
        :param currency: its `res.currency`; empty: amounts are rounded to cents
        :return: values for `create`, lines included
        """
        Line = self.env["copaco.document.line"]
        lines = [
            {
                **Line._prepare_source_values(line, run.company_id, currency),
                "sequence": sequence,
            }
            for sequence, line in enumerate(source.lines, start=1)
        ]
        vals = {
            "connection_id": run.connection_id.id,
            "company_id": run.company_id.id,
            "run_id": run.id,
            "kind": run.kind,
            "invoice_number": source.invoice_number,
            "customer_id": customers[source.account_ref].id
            if source.account_ref in customers
            else False,
            "account_key": get_account_key(source.account_ref),
            "invoice_date": source.invoice_date,
            "currency_id": currency.id,
            "currency_code": source.currency,
            "amount_source": self._get_amount(source, currency),
            "amount_exact": float(source.amount),
            "totals_difference": float(source.totals_difference or 0),
            "line_count": len(lines),
            "payload": source.payload,
            "payload_digest": source.digest,
            "line_ids": [Command.create(line) for line in lines],
            "state": "new",
            "hold_reason": False,
            "hold_message": False,
        }
        if source.error:
            vals.update(self._prepare_hold_values(self._get_invalid_hold(source)))
        elif run.kind == "purchase":
            vals["state"] = "excluded"
            vals["exclude_reason"] = self.env._(
                "What the reseller itself pays is kept, not invoiced."
            )
        elif not lines:
            vals["state"] = "excluded"
            vals["exclude_reason"] = self.env._("Copaco sent no price lines.")
        return vals

    @api.model
    def _get_invalid_hold(self, source):
        return Hold(
            "payload_invalid",
            self.env._(
                "Copaco invoice %(number)s could not be read: %(error)s Ask Copaco to "
                "correct it and fetch again, or exclude it and invoice it by hand.",
                number=source.invoice_number,
                error=source.error,
            ),
        )

    @api.model
    def _store(self, vals_list):
        """Create documents; one that the database refuses is held without its lines,
        and stops no other.

        :param vals_list: list of `_prepare_source_values`
        :return: list of their ids; nothing of them stays in memory
        """
        documents = self.with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
        )
        try:
            with self.env.cr.savepoint():
                created = documents.create(vals_list)
            created.line_ids.invalidate_recordset()
            created.invalidate_recordset()
            # Odoo's `_add_missing_default_values` leaves a circle behind for each
            # record, with all its values.
            gc.collect(0)
            return created.ids
        except (OperationalError, UniqueViolation):
            # Others stored the same, or the database has trouble of its own.
            raise
        except Exception:
            if len(vals_list) == 1:
                (vals,) = vals_list
                _logger.exception(
                    "Copaco document %s could not be stored", vals["invoice_number"]
                )
                hold = Hold(
                    "payload_invalid",
                    self.env._(
                        "Copaco invoice %(number)s could not be stored. Its text is "
                        "kept: exclude the document and invoice it by hand, and send "
                        "the server's log to whoever maintains this addon.",
                        number=vals["invoice_number"],
                    ),
                )
                vals = {**vals, **self._prepare_hold_values(hold), "line_ids": []}
                return documents.create(
                    {**vals, "line_count": 0, "amount_source": 0, "amount_exact": 0}
                ).ids
        return [
            document_id for vals in vals_list for document_id in self._store([vals])
        ]

    def _receive_totals(self, source):
        """Copaco's totals came again, and are no part of what makes a document known:
        what was held because of them is looked at anew when they changed.

        :param source: the `SourceDocument` that came
        """
        self.ensure_one()
        difference = float(source.totals_difference or 0)
        if (
            self.state == "held"
            and self.hold_reason == "source_totals_differ"
            and float_compare(self.totals_difference, difference, precision_digits=2)
        ):
            self.write(
                {
                    "totals_difference": difference,
                    "state": "new",
                    "hold_reason": False,
                    "hold_message": False,
                }
            )
            self.env.ref("account_copaco.ir_cron_process")._trigger()

    def _reload(self):
        """Read documents again that could not be read, or whose currency was unknown,
        when they came: the addon or the currencies may have learnt to since."""
        for document in self.filtered(
            lambda each: each.hold_reason == "payload_invalid" or not each.currency_id
        ):
            source = parse_payload(document.payload)
            customers = self.env["copaco.customer"]._get_or_create(
                document.company_id, [source.customer]
            )
            vals = self._prepare_source_values(
                source,
                document.run_id,
                customers,
                self._get_currency(source.currency),
            )
            vals["line_ids"].insert(0, Command.clear())
            # What is kept of a document doesn't tell the totals of the whole invoice.
            vals.pop("totals_difference")
            document.write(vals)
