import logging
import re

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import models
from odoo.fields import Command
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..const import TOTALS_FIELDS
from ..hold_reasons import Hold
from ..tools import (
    get_account_key,
    get_rounding_room,
    join_messages,
    round_amount,
    translate,
)

_lt = LazyTranslate(__name__)

_logger = logging.getLogger(__name__)

# Of a line. What an earlier version received has the same (migrations/19.0.2.0.0).
SEARCHED_FIELDS = (
    *("subscription_ref", "subscription_name", "plan_name", "description"),
    *("vendor_details", "subscription_po", "line_po"),
)


class CopacoDocumentBuilder(models.AbstractModel):
    """The values of documents and lines that are stored of what Copaco sent."""

    _name = "copaco.document.builder"
    _description = "Copaco Document Builder"

    def _get_currency(self, code):
        """:return: `res.currency` of this code, active or not; empty for none"""
        currencies = self.env["res.currency"].with_context(active_test=False)
        # Odoo would look for the first three letters of a longer one.
        if not re.fullmatch("[A-Z]{3}", code or ""):
            return currencies
        return currencies.search([("name", "=", code)])

    def _prepare_amounts(self, source, currency):
        """:param source: a `SourceDocument`
        :param currency: its `res.currency`
        :return: values that documents and their versions have in common
        """
        difference = source.totals_difference or 0
        if source.lines and _is_stated_amount(source, currency):
            # What is compared is what is booked.
            difference = 0
        return {
            "amount_source": self._get_amount(source, currency),
            "totals_difference": float(difference),
            "totals_line_count": source.totals_line_count,
            "unread_total": source.unread_total or False,
            "whole_vat": float(source.whole_vat or 0),
            "line_count": len(source.lines),
        }

    def _is_total_missed(self, document, source):
        """Whether what Copaco's total differs from the lines by is more than is
        allowed.

        :param document: a `copaco.document`
        :param source: the `SourceDocument` that was received of it
        """
        amounts = self._prepare_amounts(source, document.currency_id)
        return document.connection_id._is_total_missed(
            document.currency_id,
            amounts["totals_difference"],
            source.totals_line_count,
        )

    def _get_amount(self, source, currency):
        """Promise 4 in doc/how_it_works.rst.

        :return: what a document costs without tax: the exact sum of its lines, rounded;
            or what Copaco states for it alone, where rounding explains the difference,
            or where Copaco sent no lines
        """
        amount = source.amount
        if _is_stated_amount(source, currency):
            amount = source.stated_amount
        return float(round_amount(amount, currency.rounding))

    def _prepare_document_values(self, source, run, customers, currency, owner=None):
        """:param source: a `SourceDocument`
        :param run: the `copaco.run` that received it
        :param customers: dict of `copaco.customer` by account
        :param currency: its `res.currency`; empty: amounts are rounded to cents
        :param owner: what has its company and connection: the run, or another part of
            the same Copaco invoice
        :return: values for `copaco.document.create`, lines included
        """
        Line = self.env["copaco.document.line"]
        owner = owner or run
        lines = [
            {
                **Line._prepare_source_values(line, owner.company_id, currency),
                "sequence": sequence,
            }
            for sequence, line in enumerate(source.lines, start=1)
        ]
        customer = customers.get(source.account_ref)
        vals = {
            "connection_id": owner.connection_id.id,
            "company_id": owner.company_id.id,
            "root_company_id": owner.company_id.root_id.id,
            "run_id": run.id,
            "kind": run.kind,
            "invoice_number": source.invoice_number,
            "account_key": get_account_key(source.account_ref),
            "customer_id": customer.id if customer else False,
            "customer_number": source.customer.customer_number or False,
            "vat": source.customer.vat or False,
            "invoice_date": source.invoice_date,
            "currency_id": currency.id,
            "currency_code": source.currency,
            **self._prepare_amounts(source, currency),
            "payload": source.payload,
            "payload_digest": source.digest,
            "payment_days": source.payment_days,
            "amount_estimated": float(source.estimate) if source.error else 0.0,
            **self.env["copaco.vat.checker"]._prepare_vat(source, run),
            "is_vat_accepted": False,
            "line_ids": [Command.create(line) for line in lines],
            "search_text": self._get_search_text(lines),
            "state": "new",
            "hold_reason": False,
            "hold_message": False,
        }
        Document = self.env["copaco.document"]
        if source.error:
            vals.update(Document._prepare_hold_values(self._get_invalid_hold(source)))
        elif not (lines or vals["totals_difference"] or vals["unread_total"]):
            vals["state"] = "excluded"
            vals["exclude_reason"] = _lt("Copaco sent no price lines.")
        return vals

    def _get_search_text(self, lines):
        """:param lines: list of values for `copaco.document.line.create`
        :return: each text of theirs once, that a person may look for
        """
        texts = (line[name] for line in lines for name in SEARCHED_FIELDS)
        return "\n".join(dict.fromkeys(filter(None, texts)))

    def _get_invalid_hold(self, source):
        return Hold(
            "payload_invalid",
            _lt(
                "Copaco invoice %(number)s could not be read: %(error)s Ask Copaco to "
                "correct it and fetch again, or exclude it and invoice it "
                "manually.",
                number=source.invoice_number,
                error=self._describe_error(source),
            ),
        )

    def _describe_error(self, source):
        """:param source: a `SourceDocument` that can't be read
        :return: message: why
        """
        if source.unreadable_lines:
            return join_messages(*map(self._describe_unread, source.unreadable_lines))
        return translate(source.problems)

    def _describe_unread(self, line):
        """:param line: an `UnreadableLine`
        :return: a message for a person
        """
        values = {"number": line.number, "name": line.name or "–"}
        if line.is_missing:
            return _lt("Line %(number)s, %(name)s: the amount is missing.", **values)
        return _lt("Line %(number)s, %(name)s: the amount can't be read.", **values)

    def _create_documents(self, vals_list):
        """Create documents; one that the database refuses is held without its lines,
        and stops no other.

        :param vals_list: list of `_prepare_document_values`
        :return: list of their ids; nothing of them stays in memory
        """
        documents = self.env["copaco.document"].with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
        )
        try:
            with self.env.cr.savepoint():
                created = documents.create(vals_list)
            created.line_ids.invalidate_recordset()
            created.invalidate_recordset()
            return created.ids
        except (OperationalError, UniqueViolation):
            # Others stored the same, or the database has errors of its own.
            raise
        except Exception:
            if len(vals_list) == 1:
                (vals,) = vals_list
                _logger.exception(
                    "Copaco document %s could not be stored", vals["invoice_number"]
                )
                hold = Hold(
                    "payload_invalid",
                    _lt(
                        "Copaco invoice %(number)s could not be stored. Its text is "
                        "kept: exclude the document and invoice it manually, and send "
                        "the server's log to whoever maintains this addon.",
                        number=vals["invoice_number"],
                    ),
                )
                vals = {**vals, **documents._prepare_hold_values(hold)}
                nothing = {"line_ids": [], "search_text": False, "line_count": 0}
                return documents.create({**vals, **nothing, "amount_source": 0}).ids
        return [
            document_id
            for vals in vals_list
            for document_id in self._create_documents([vals])
        ]

    def _read_again(self, documents):
        """Read documents again that could not be read, or whose currency was unknown,
        when they were received: the addon or the currencies may be newer now."""
        for document in documents.filtered(
            lambda each: each.hold_reason == "payload_invalid" or not each.currency_id
        ):
            source = parse_payload(document.payload)
            customers = self.env["copaco.customer"]._get_or_create(
                document.company_id, [source]
            )
            vals = self._prepare_document_values(
                source,
                document.run_id,
                customers,
                self._get_currency(source.currency),
                document,
            )
            vals["line_ids"].insert(0, Command.clear())
            for name in TOTALS_FIELDS:
                vals.pop(name)
            document.write(vals)


def _is_stated_amount(source, currency):
    """Whether a `SourceDocument` costs what Copaco states for it alone."""
    if source.stated_amount is None or source.error:
        return False
    if not source.lines:
        return True
    rounding = currency.rounding
    return (
        abs(source.stated_amount - source.amount)
        <= get_rounding_room(len(source.lines), rounding)
        # And so it is in each element of the response.
        and abs(source.totals_difference or 0)
        <= get_rounding_room(source.totals_line_count, rounding)
    )
