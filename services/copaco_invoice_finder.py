from collections import defaultdict
from datetime import date
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.tools import SQL, LazyTranslate

from ..const import KINDS, PURCHASE_KINDS
from ..hold_reasons import Hold
from ..tools import get_text_key, list_names, name_invoice

_lt = LazyTranslate(__name__)

# A customer invoice of the same amount that a person created is looked for so many
# days before and after the date of the document.
DAYS_AROUND = 10

_INVOICE_QUERY = """
    SELECT DISTINCT ON (asked.document_id, move.id) asked.document_id, move.id,
           asked.number = ANY(string_to_array(move.invoice_origin, ', ')) AS is_number,
           move.amount_untaxed = asked.amount AND move.currency_id = asked.currency_id
           AS is_amount,
           asked.is_whole
      FROM unnest(%(documents)s::int[], %(numbers)s::text[], %(partners)s::int[],
                  %(types)s::text[], %(amounts)s::numeric[], %(currencies)s::int[],
                  %(dates)s::date[], %(wholes)s::bool[])
        AS asked (document_id, number, partner_id, move_type, amount, currency_id,
                  invoice_date, is_whole)
      JOIN res_partner partner ON partner.commercial_partner_id = asked.partner_id
      JOIN account_move move
        ON move.partner_id = partner.id
           AND (move.move_type = asked.move_type
                OR asked.move_type = 'out_invoice' AND move.move_type = 'out_receipt')
 LEFT JOIN account_move reversed ON reversed.id = move.reversed_entry_id
     WHERE move.state != 'cancel' AND move.company_id = ANY(%(companies)s)
       AND move.copaco_document_id IS NULL AND move.copaco_version_id IS NULL
       AND reversed.copaco_document_id IS NULL AND reversed.copaco_version_id IS NULL
       -- An invoice of several documents has the numbers of all.
       AND (NOT asked.is_whole
            AND asked.number = ANY(string_to_array(move.invoice_origin, ', '))
            -- That both come to nothing tells nothing.
            OR (move.amount_untaxed = asked.amount AND asked.amount != 0
                AND move.currency_id = asked.currency_id
                -- A draft may have no invoice date yet.
                AND abs(coalesce(move.invoice_date, move.date) - asked.invoice_date)
                    <= %(days)s))
  ORDER BY asked.document_id, move.id, asked.is_whole"""


class Amount(NamedTuple):
    """What a person may have invoiced manually."""

    document: models.BaseModel  # that it is asked for
    amount: float  # without tax
    invoice_date: date
    is_whole: bool  # with others of the customer


class Found(NamedTuple):
    """An invoice that may be that of a document."""

    move: models.BaseModel
    is_number: bool  # it carries Copaco's number
    is_amount: bool  # it has the amount of the document, or of the whole
    is_whole: bool  # it was found by the amount of the document with others


class CopacoInvoiceFinder(models.AbstractModel):
    """Searches, and never writes: is there an invoice of a document that was not
    created from it, but by a person, or before the addon was installed anew?"""

    _name = "copaco.invoice.finder"
    _description = "Copaco Invoice Finder"

    def _find(self, documents):
        """:param documents: `copaco.document` records
        :return: dict by document, without those that have none: a `Hold`, or the
            `account.move` that is its invoice
        """
        found = self._search(documents)
        verdicts = {
            document: self._judge(document, found[document]) for document in found
        }
        return {document: verdict for document, verdict in verdicts.items() if verdict}

    def _find_others(self, document):
        """:return: `account.move` records that may be invoices of a document"""
        found = self._search(document)[document]
        return self.env["account.move"].union(*(each.move for each in found))

    def _search(self, documents):
        """Find invoices that were not created from a document, and may be of these:
        those that carry Copaco's number, and those of the same amount.

        :return: dict by document of lists of `Found`
        """
        result = defaultdict(list)
        asked = documents.filtered(
            lambda each: (
                # A bill is recognised by its reference: `copaco.bill.finder`.
                each.kind not in PURCHASE_KINDS
                and each.partner_id
                and each.invoice_date
                and each.currency_id
            )
        )
        if not asked:
            return result
        self.env["account.move"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        amounts = [
            Amount(each, each.amount_to_invoice, each.invoice_date, False)
            for each in asked
        ]
        amounts += self._get_wholes(asked)
        documents = [each.document for each in amounts]
        rows = self.env.execute_query(
            SQL(
                _INVOICE_QUERY,
                documents=[each.id for each in documents],
                numbers=[each.invoice_number for each in documents],
                partners=[
                    each.partner_id.commercial_partner_id.id for each in documents
                ],
                types=[
                    KINDS[each.document.kind].get_move_type(each.amount)
                    for each in amounts
                ],
                amounts=[
                    str(each.document.currency_id.round(abs(each.amount)))
                    for each in amounts
                ],
                currencies=[each.currency_id.id for each in documents],
                dates=[each.invoice_date for each in amounts],
                wholes=[each.is_whole for each in amounts],
                companies=asked._get_companies().ids,
                days=DAYS_AROUND,
            )
        )
        by_id = {document.id: document for document in asked}
        Move = self.env["account.move"]
        for document_id, move_id, is_number, is_amount, is_whole in rows:
            found = Found(
                Move.browse(move_id), bool(is_number), bool(is_amount), is_whole
            )
            result[by_id[document_id]].append(found)
        return result

    def _get_wholes(self, asked):
        """A person may have invoiced at once what Copaco bills, or is invoiced, by
        parts: all of a Copaco invoice, or a month.

        :param asked: `copaco.document` records
        :return: list of `Amount`, of those that are not all of it
        """
        days = asked.mapped("invoice_date")
        others = self.env["copaco.document"].search_fetch(
            [
                ("state", "!=", "excluded"),
                ("company_id", "in", asked.company_id.ids),
                ("kind", "in", list(set(asked.mapped("kind")))),
                ("customer_id.partner_id", "in", asked.partner_id.ids),
                ("invoice_date", ">=", min(days).replace(day=1)),
                ("invoice_date", "<=", max(days) + relativedelta(day=31)),
            ],
            ["customer_id", "invoice_number", "currency_id", "invoice_date"],
        )
        wholes = []
        for get_key in (_get_invoice_key, _get_month_key):
            groups = (others | asked).grouped(get_key)
            for document in asked:
                whole = groups[get_key(document)]
                if whole != document:
                    amount = sum(whole.mapped("amount_to_invoice"))
                    last = max(whole.mapped("invoice_date"))
                    wholes.append(Amount(document, amount, last, True))
        return wholes

    def _judge(self, document, found):
        """:param found: list of `_search`
        :return: a `Hold`, the `account.move` that is its invoice already, or None"""
        found = self._leave_to_parts(document, found)
        if not found:
            return None
        own = [
            each
            for each in found
            # A sales receipt is no invoice: of the same amount, it is a hint.
            if each.is_number and not (each.is_amount and each.move.is_receipt())
        ]
        same = self.env["account.move"].union(
            *(
                each.move
                for each in own
                if each.is_amount or self._find_joint(document, each.move)
            )
        )
        if len(same) > 1 and document.is_po_part:
            number = get_text_key(document._get_reference())
            same = same.filtered(lambda move: get_text_key(move.ref) == number) or same
        if len(same) == 1:
            return same
        if same:
            return Hold(
                "possible_double",
                _lt(
                    "Several invoices with Copaco's number of %(document)s as their "
                    "source have its amount: %(invoices)s. If they are of this "
                    "document, exclude it; otherwise press Invoice anyway.",
                    document=document.name,
                    invoices=list_names(map(name_invoice, same)),
                ),
            )
        if own:
            return Hold(
                "possible_double",
                _lt(
                    "There are invoices with Copaco's number of %(document)s as their "
                    "source, which do not have its amount: %(invoices)s. If they are "
                    "of this document, exclude it; otherwise press Invoice anyway.",
                    document=document.name,
                    invoices=list_names(name_invoice(each.move) for each in own),
                ),
            )
        if all(each.is_whole for each in found):
            return Hold(
                "possible_double",
                _lt(
                    "%(document)s may have been invoiced manually with others of its "
                    "customer: what they come to without tax is the amount of "
                    "%(invoices)s, dated within %(days)s days. If that is the same, "
                    "exclude the document; otherwise press Invoice anyway.",
                    document=document.name,
                    invoices=list_names(name_invoice(each.move) for each in found),
                    days=DAYS_AROUND,
                ),
            )
        return Hold(
            "possible_double",
            _lt(
                "%(document)s may have been invoiced manually: its amount without tax "
                "is that of %(invoices)s, dated within %(days)s days of it. If that is "
                "the same, exclude the document; otherwise press Invoice anyway.",
                document=document.name,
                invoices=list_names(
                    name_invoice(each.move) for each in found if not each.is_whole
                ),
                days=DAYS_AROUND,
            ),
        )

    def _find_joint(self, document, move):
        """:param move: `account.move` that carries Copaco's number of a document
        :return: the `copaco.document` records that it is of, of which this is one, when
            they are several: none that it carries the number of is missing, and it has
            the amount of all of them
        """
        numbers = set((move.invoice_origin or "").split(", "))
        documents = document.search(
            [
                ("root_company_id", "=", document.root_company_id.id),
                ("kind", "=", document.kind),
                ("invoice_number", "in", list(numbers)),
                (
                    "customer_id.partner_id",
                    "child_of",
                    move.commercial_partner_id.id,
                ),
                ("currency_id", "=", move.currency_id.id),
                ("state", "in", ("new", "held")),
                ("is_no_double", "=", False),
            ],
            order="id",
        ).filtered(lambda each: not (each.is_po_part or each._get_live_invoice()))
        is_whole = set(documents.mapped("invoice_number")) == numbers
        difference = (
            sum(documents.mapped("amount_to_invoice"))
            - move.amount_untaxed_in_currency_signed
        )
        is_joint = (
            len(documents) > 1
            and document in documents
            and is_whole
            and not move.is_receipt()
            and move.currency_id.is_zero(difference)
        )
        return documents if is_joint else documents.browse()

    def _leave_to_parts(self, document, found):
        """Of the invoices with Copaco's number, the PO number tells which part of it
        each is of, where the customer gets one invoice per PO number.

        :param found: list of `_search`
        :return: it, without the invoices of other parts of the same Copaco invoice
        """
        parts = document._get_parts() - document
        numbers = {get_text_key(part._get_reference()) for part in parts}
        # An invoice without a PO number may be of any.
        numbers -= {"", get_text_key(document._get_reference())}
        return [
            each
            for each in found
            if not (each.is_number and get_text_key(each.move.ref) in numbers)
        ]


def _get_invoice_key(document):
    return document.kind, document.customer_id, document.invoice_number


def _get_month_key(document):
    return (
        document.kind,
        document.partner_id,
        document.currency_id,
        document.invoice_date.replace(day=1),
    )
