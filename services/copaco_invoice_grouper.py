from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from psycopg2.errors import LockNotAvailable

from odoo import models
from odoo.tools import LazyTranslate

from ..exceptions import HeldError
from ..tools import name_invoice

_lt = LazyTranslate(__name__)


class Waiting(NamedTuple):
    """What a batch is made of, where customers get one invoice for a month."""

    added: object  # `copaco.document` records that belong to invoices of the batch
    left: object  # those that another worker has the invoice of


class CopacoInvoiceGrouper(models.AbstractModel):
    """Which documents are on one invoice, where a customer gets one for a month: those
    of one contact, whose invoices would have everything in common that an invoice has
    once."""

    _name = "copaco.invoice.grouper"
    _description = "Copaco Invoice Grouper"

    # === WHAT IS INVOICED TOGETHER === #

    def _find_others(self, documents):
        """:param documents: `copaco.document` records that wait
        :return: what waits besides them for the same invoices: of the same contacts, or
            else customers, and months
        """
        others = documents.browse()
        grouped = documents.filtered(_may_be_grouped)
        for connection, own in grouped.grouped("connection_id").items():
            days = own.mapped("invoice_date")
            others |= documents.search(
                [
                    ("state", "=", "new"),
                    ("connection_id", "=", connection.id),
                    ("kind", "in", list(set(own.mapped("kind")))),
                    "|",
                    ("customer_id", "in", own.customer_id.ids),
                    ("customer_id.partner_id", "in", own.customer_id.partner_id.ids),
                    ("invoice_date", ">=", min(days).replace(day=1)),
                    ("invoice_date", "<=", max(days) + relativedelta(day=31)),
                ],
                order="id",
            ).filtered(_may_be_grouped)
        keys = {_get_waiting_key(each) for each in grouped}
        return (others - documents).filtered(
            lambda each: _get_waiting_key(each) in keys
        )

    def _find_waiting(self, documents):
        """Find what waits besides documents for the same invoices, and lock it: an
        invoice is created by who has the first document of it.

        :param documents: `copaco.document` records of one connection that are locked
        :return: `Waiting`
        :raise LockNotAvailable: when others have what belongs to the first document
        """
        added = left = documents.browse()
        # What was under way when a worker died is tried alone.
        begun = documents.filtered(lambda each: each.attempt_count <= 1)
        others = self._find_others(begun.filtered(lambda each: each.state == "new"))
        groups = documents.filtered(_may_be_grouped).grouped(_get_waiting_key)
        for key, found in (others - documents).grouped(_get_waiting_key).items():
            if found.try_lock_for_update() == found:
                added |= found.filtered(lambda each: not each.attempt_count)
            elif min(groups[key].ids) < min(found.ids):
                raise LockNotAvailable("Another worker has documents of an invoice")
            else:
                left |= groups[key]
        return Waiting(added, left)

    def _group(self, matches):
        """Put together what is to be on one invoice.

        :param matches: dict of `DocumentMatch` by `copaco.document`
        :return: the same, where one that is of several documents is that of the first
        """
        groups = {}
        for document, match in matches.items():
            key = self._get_key(document, match)
            groups.setdefault(key, {})[document] = match
        merged = [self._merge(own) for own in groups.values()]
        return {match.documents[0]: match for match in merged}

    def _get_key(self, document, match):
        """:return: what documents have in common that are on one invoice; nothing but
        the document itself for one that is alone on its own"""
        # A credit note names the invoice that it credits; its own document tells.
        if match.is_refund or not _may_be_grouped(document):
            return (document,)
        return self._get_common_key(document, match)

    def _get_common_key(self, document, match):
        """:param match: a `DocumentMatch`, or an `account.move`
        :return: what documents have in common that are put on one invoice
        """
        customer = document.customer_id
        return (
            *self._get_header_key(document, match),
            document._get_layout(),
            customer.cost_center or "",
            customer.buyer_reference or "",
        )

    def _get_header_key(self, document, match):
        """:param match: a `DocumentMatch`, or an `account.move`
        :return: what no invoice can have twice, of one that a document is on
        """
        is_move = isinstance(match, models.BaseModel)
        day, chosen_date = document._get_invoice_date(), document._get_chosen_date()
        return (
            match.partner_id if is_move else match.partner,
            match.fiscal_position_id if is_move else match.fiscal_position,
            match.journal_id if is_move else match.journal,
            document.connection_id,
            document.currency_id,
            day and day.replace(day=1),
            # The invoice says which date Copaco gave.
            chosen_date and (chosen_date, document.invoice_date),
        )

    def _merge(self, matches):
        """:param matches: dict of `DocumentMatch` by the documents of one invoice
        :return: the `DocumentMatch` of all of them
        """
        if len(matches) == 1:
            return next(iter(matches.values()))
        documents = sorted(matches, key=_get_order)
        first = matches[documents[0]]
        lines = {}
        for document in documents:
            lines |= matches[document].lines
        merged = first._replace(
            documents=documents[0].union(*documents[1:]), lines=lines
        )
        return merged._replace(is_refund=merged.amount < 0)

    def _split(self, match):
        """:return: dict of the `DocumentMatch` of each document of another one"""
        parts = {}
        for document in match.documents:
            lines = {line: match.lines[line] for line in document._get_billed_lines()}
            part = match._replace(documents=document, lines=lines)
            parts[document] = part._replace(is_refund=part.amount < 0)
        return parts

    def _merge_there(self, matches):
        """:param matches: see `_merge`, of an invoice that is there
        :return: see `_merge`
        :raise UserError: when they can't be on one invoice any more
        """
        keys = {self._get_header_key(each, own) for each, own in matches.items()}
        if len(keys) > 1:
            raise HeldError(
                self.env,
                _lt(
                    "Draft %(invoice)s of several Copaco invoices can't be updated, "
                    "because they no longer have contact, currency and month in "
                    "common. Delete the draft, then retry its documents.",
                    invoice=name_invoice(next(iter(matches))._get_live_invoice()),
                ),
            )
        return self._merge(matches)


def _may_be_grouped(document):
    return document.invoice_date and document._get_invoice_grouping() == "month"


def _get_order(document):
    return document.invoice_date, document.id


def _get_waiting_key(document):
    customer = document.customer_id
    return customer.partner_id or customer, document.invoice_date.replace(day=1)
