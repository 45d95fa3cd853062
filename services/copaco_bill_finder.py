from collections import defaultdict

from odoo import models
from odoo.tools import SQL, LazyTranslate

from ..client import parse_payload
from ..const import PURCHASE_KINDS
from ..hold_reasons import Hold
from ..tools import (
    Amount,
    Joined,
    get_vat_key,
    is_same_vat_key,
    join_messages,
    list_names,
    name_invoice,
    round_amount,
    to_decimal,
)

_lt = LazyTranslate(__name__)

# What vendors and people write of a number besides its digits doesn't count.
_KEY = "ltrim(regexp_replace(%s, '[^0-9]', '', 'g'), '0')"
_NUMBER = "coalesce(document.invoice_number, move.ref)"
_SAME_REFERENCE = SQL(
    f"({_KEY} != '' AND {_KEY} = {_KEY} OR lower(%s) = lower(%s))"
    % ("asked.ref", "asked.ref", _NUMBER, "asked.ref", _NUMBER)
)


class CopacoBillFinder(models.AbstractModel):
    """Searches, and never writes: is the bill of a Copaco invoice there already, as it
    was received by Peppol or mail, or entered by a person? And who is the vendor?"""

    _name = "copaco.bill.finder"
    _description = "Copaco Bill Finder"

    # === BILLS === #

    def _find(self, match):
        """:param match: a `BillMatch`
        :return: the `account.move` that is the bill, a `Hold`, or None
        """
        document = match.documents[0]
        found = self._search(
            match.partner,
            document.invoice_number,
            document._get_companies(),
            match.amount,
        )
        if len(found) > 1:
            return Hold(
                "possible_double",
                _lt(
                    "There are several bills of vendor %(vendor)s with number "
                    "%(number)s: %(bills)s. Cancel or delete what is not the bill, "
                    "then retry.",
                    vendor=match.partner.display_name,
                    number=document.invoice_number,
                    bills=list_names(map(name_invoice, found)),
                ),
            )
        if not found or self._is_same_total(match, found):
            return found or None
        sentences = (
            self._describe_difference(match, found),
            self._describe_lines(match, found),
        )
        return Hold("bill_differs", join_messages(*sentences))

    def _search(self, vendor, number, companies, amount):
        """See `_search_all`, for one number.

        :param amount: see `_select_same_way`
        :return: `account.move`
        """
        found = self._search_all(vendor, [number], companies)[number]
        return self._select_same_way(found, amount)

    def _search_all(self, vendor, numbers, companies, is_linked=False):
        """:param vendor: `res.partner`
        :param numbers: of the vendor's invoices
        :param companies: `res.company` in whose books the bills may be
        :param is_linked: whether to find the bills of Copaco documents
        :return: dict by number of `account.move`: bills of the vendor with it, letters
            and leading zeros aside, that are of no Copaco document; a person may have
            entered one as a receipt
        """
        Move = self.env["account.move"]
        Move.flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT asked.ref, move.id
                  FROM unnest(%(numbers)s) AS asked (ref)
            CROSS JOIN account_move move
                  JOIN res_partner partner ON partner.id = move.partner_id
             LEFT JOIN copaco_document document
                    ON document.id = move.copaco_document_id
                 WHERE partner.commercial_partner_id = %(vendor)s
                   AND move.company_id IN %(companies)s
                   AND move.move_type IN %(types)s
                   AND move.state != 'cancel'
                   AND (document.id IS NOT NULL) = %(is_linked)s
                   AND move.copaco_version_id IS NULL
                   AND move.reversed_entry_id IS NULL
                   AND %(is_same)s
              ORDER BY move.id
                """,
                numbers=list(numbers),
                vendor=vendor.commercial_partner_id.id,
                companies=companies._ids,
                types=tuple(Move.get_purchase_types(include_receipts=True)),
                is_linked=is_linked,
                is_same=_SAME_REFERENCE,
            )
        )
        found = dict.fromkeys(numbers, Move)
        for number, move_id in rows:
            found[number] += Move.browse(move_id)
        return found

    def _select_same_way(self, bills, amount):
        """A credit note may have the number of the bill that it is of.

        :param bills: `account.move`
        :param amount: without tax; less than zero for a credit
        :return: those of the bills that are a credit too, or none as well
        """
        return bills.filtered(
            lambda bill: bill.amount_untaxed_in_currency_signed * amount <= 0
        )

    def _is_same_total(self, match, bill):
        sign = -1 if bill.move_type == "in_refund" else 1
        currency = match.documents.currency_id
        if bill.currency_id != currency or not currency.is_zero(
            sign * bill.amount_untaxed - match.amount
        ):
            return False
        if match.vat is None:
            return True
        # The vendor computes the tax of the total, and Copaco that of each line.
        difference = round_amount(
            to_decimal(sign * bill.amount_tax) - to_decimal(match.vat),
            currency.rounding,
        )
        connection = match.documents[0].connection_id
        return abs(difference) <= connection._get_allowed_difference(
            currency, len(match.documents._get_billed_lines())
        )

    def _describe_difference(self, match, bill):
        document = match.documents[0]
        sign = -1 if bill.move_type == "in_refund" else 1
        currency = document.currency_id
        values = {
            "bill": name_invoice(bill),
            "number": document.invoice_number,
            "booked": Amount(sign * bill.amount_untaxed, bill.currency_id),
            "amount": Amount(match.amount, currency),
            "booked_vat": Amount(sign * bill.amount_tax, bill.currency_id),
            "vat": Amount(match.vat or 0, currency),
        }
        if match.vat is None:
            return _lt(
                "Bill %(bill)s has the number of Copaco invoice %(number)s and is "
                "%(booked)s without tax, while Copaco's lines are %(amount)s. Correct "
                "the bill and retry, or link it as it is.",
                **values,
            )
        return _lt(
            "Bill %(bill)s has the number of Copaco invoice %(number)s and is "
            "%(booked)s without tax and %(booked_vat)s tax, while Copaco's lines are "
            "%(amount)s and %(vat)s. Correct the bill and retry, or link it as it is.",
            **values,
        )

    def _describe_lines(self, match, bill):
        """:return: a message with the lines that only the bill or only Copaco has, ""
        when few lines have the amount of another one: the bill has other lines then"""
        sign = -1 if bill.move_type == "in_refund" else 1
        currency = match.documents.currency_id
        if bill.currency_id != currency:
            return ""
        lines = match.documents._get_billed_lines()
        by_amount, theirs = defaultdict(list), []
        for line in lines:
            by_amount[currency.round(line.amount)].append(line.display_name)
        for line in bill.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        ):
            amount = currency.round(sign * line.price_subtotal)
            if by_amount[amount]:
                by_amount[amount].pop(0)
            else:
                theirs.append((amount, line.name or ""))
        ours = [(amount, name) for amount in by_amount for name in by_amount[amount]]
        if len(ours) * 2 > len(lines):
            return ""

        def enumerate_lines(rows):
            return (
                list_names(
                    Joined((name.partition("\n")[0], Amount(amount, currency)))
                    for amount, name in rows
                )
                or "–"
            )

        return _lt(
            "Lines on the bill alone: %(theirs)s; with Copaco alone: %(ours)s.",
            theirs=enumerate_lines(theirs),
            ours=enumerate_lines(ours),
        )

    # === BILLS THAT ARE RECEIVED LATER === #

    def _find_received(self, bill):
        """:param bill: an `account.move` that was made of Copaco documents
        :return: the `account.move` that the vendor sent of the same, of several the one
            with the same total; empty for none
        """
        document = bill.copaco_document_id
        if document.kind not in PURCHASE_KINDS or bill.state == "cancel":
            return bill.browse()
        found = self._search(
            bill.partner_id,
            document.invoice_number,
            document._get_companies(),
            -bill.amount_untaxed_in_currency_signed,
        )
        same = found.filtered(
            lambda each: (
                each.currency_id == bill.currency_id
                and each.currency_id.is_zero(
                    each.amount_untaxed_in_currency_signed
                    - bill.amount_untaxed_in_currency_signed
                )
            )
        )
        return (same or found)[:1]

    def _find_replaceable(self, connection):
        """:return: `account.move`: the drafts of a connection whose bills were received
        since"""
        drafts = self.env["account.move"].search(
            [
                ("copaco_document_id.connection_id", "=", connection.id),
                ("copaco_document_id.kind", "in", PURCHASE_KINDS),
                ("copaco_document_id.move_snapshot", "!=", False),
                ("state", "!=", "cancel"),
            ]
        )
        companies = drafts.copaco_document_id._get_companies()
        found = drafts.browse()
        for vendor, own in drafts.grouped("commercial_partner_id").items():
            numbers = own.copaco_document_id.mapped("invoice_number")
            received = self._search_all(vendor, numbers, companies)
            found |= own.filtered(
                lambda draft, received=received: self._select_same_way(
                    received[draft.copaco_document_id.invoice_number],
                    -draft.amount_untaxed_in_currency_signed,
                )
            )
        return found

    def _find_awaited(self):
        """:return: the `copaco.document` records that wait for a bill which is there"""
        documents = self.env["copaco.document"].search(
            [("state", "=", "held"), ("hold_reason", "=", "bill_awaited")], order="id"
        )
        amounts = {
            own[0]: sum(own.mapped("amount_to_invoice"))
            for own in documents.grouped(
                lambda each: (each.root_company_id, each.invoice_number)
            ).values()
        }
        firsts = documents.browse().union(*amounts)
        found = firsts.browse()
        for connection, own in firsts.grouped("connection_id").items():
            received = self._search_all(
                connection.vendor_id,
                own.mapped("invoice_number"),
                own._get_companies(),
            )
            found |= own.filtered(
                lambda document, received=received: self._select_same_way(
                    received[document.invoice_number], amounts[document]
                )
            )
        return found

    # === THE VENDOR === #

    def _find_vendor(self, document):
        """Find who bills a Copaco invoice, by what its sender says.

        :return: (`res.partner` that has the sender's VAT number, and no other has it;
            `res.partner` that has its name); each may be empty
        """
        Partner = self.env["res.partner"]
        sender = parse_payload(document.payload).sender
        if not sender:
            return Partner, Partner
        allowed = [
            *Partner._check_company_domain(document.company_id),
            ("parent_id", "=", False),
        ]
        key = get_vat_key(sender.vat, sender.country_code)
        by_vat = Partner
        if key:
            by_vat = Partner.search([*allowed, ("vat", "!=", False)])
            by_vat = by_vat.filtered(
                lambda partner: is_same_vat_key(
                    get_vat_key(partner.vat, partner.country_id.code), key
                )
            )
        by_name = Partner
        if sender.name:
            by_name = Partner.search([*allowed, ("name", "=ilike", sender.name)])
        return (
            by_vat if len(by_vat) == 1 else Partner,
            by_name if len(by_name) == 1 else Partner,
        )
