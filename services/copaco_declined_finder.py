from odoo import models
from odoo.tools import LazyTranslate

from ..const import get_side
from ..hold_reasons import Hold
from ..tools import (
    get_row_hash,
    get_text_key,
    join_messages,
    list_names,
    may_be_same_charge,
)

_lt = LazyTranslate(__name__)


class CopacoDeclinedFinder(models.AbstractModel):
    """Searches, and never writes: charges that a person decided not to invoice, and
    that come on another document of the same customer (promises 1 and 7 in
    doc/how_it_works.rst)."""

    _name = "copaco.declined.finder"
    _description = "Copaco Declined Charge Finder"

    def _find(self, asked):
        """It takes the same few queries for any number of documents.

        :param asked: dict of lists of lines by `copaco.document`: its own, or those of
            a version of it
        :return: dict by document of lists of (line, `copaco.declined.charge` of another
            document that it may be)
        """
        found = {document: [] for document in asked}
        charges = self._find_candidates(asked)
        by_hash = charges.filtered("row_hash").grouped("row_hash")
        by_service = charges.grouped(_get_service)
        for document, lines in asked.items() if charges else ():
            for line in lines:
                # Not their union, of which each would be read by itself.
                candidates = {
                    *by_hash.get(get_row_hash(line), ()),
                    *by_service.get(_get_service(line), ()),
                }
                found[document] += [
                    (line, charge)
                    for charge in sorted(candidates, key=lambda each: each.id)
                    if _may_share_charges(charge.document_id, document)
                    and charge._may_be(line, document)
                ]
        return found

    def _find_candidates(self, asked):
        Charge = self.env["copaco.declined.charge"]
        lines = [line for own in asked.values() for line in own]
        if not lines:
            return Charge
        documents = self.env["copaco.document"].union(*asked)
        hashes = set(map(get_row_hash, lines)) - {""}
        prices = {float(line.extended_price) for line in lines}
        return Charge.search(
            [
                ("document_id.root_company_id", "in", documents.root_company_id.ids),
                "|",
                ("row_hash", "in", list(hashes)),
                ("extended_price", "in", list(prices)),
            ]
        )

    # === WHAT A PERSON IS TOLD === #

    def _get_hold(self, document, pairs, duplicates, others):
        """:param pairs: see `_find`
        :param duplicates: list of `Duplicate` of other lines of the document
        :param others: message with the names of the documents that these are on
        :return: a `Hold` when some lines of a document were declined, or None
        """
        if not pairs:
            return None
        lines, total = {line for line, _charge in pairs}, document._get_billed_lines()
        doubted = {each.line for each in duplicates}
        has_new_lines = len(lines | doubted) < len(total)
        values = {
            "count": len(lines),
            "total": len(total),
            "document": document.name,
            "others": self._enumerate(pairs),
        }
        if not has_new_lines:
            message = _lt(
                "%(count)s of the %(total)s lines of %(document)s may be charges that "
                "were not to be invoiced: %(others)s. Compare them under Possible "
                "Duplicates. Exclude the document when that stays so, or press Invoice "
                "anyway.",
                **values,
            )
        else:
            message = _lt(
                "%(count)s of the %(total)s lines of %(document)s may be charges that "
                "were not to be invoiced: %(others)s. Compare them under Possible "
                "Duplicates. Invoice only its new lines when that stays so, exclude "
                "the document, or press Invoice anyway.",
                **values,
            )
        if doubted:
            values |= {"count": len(doubted), "others": others}
            sentence = _lt(
                "%(count)s of the %(total)s lines of %(document)s may be charges that "
                "are on %(others)s already.",
                **values,
            )
            message = join_messages(sentence, message)
        return Hold("possible_double", message)

    def _get_warning(self, pairs):
        """:param pairs: see `_find`, of new lines of a version
        :return: a message
        """
        return _lt(
            "Some of its new lines may be charges that were not to be invoiced: "
            "%(others)s.",
            others=self._enumerate(pairs),
        )

    def _get_lost_warning(self, version):
        """:param version: a pending `copaco.document.version`
        :return: a message when charges that it lacks are in a change of another
            document that a person declined: they would be billed nowhere; or ""
        """
        document = version.document_id
        lost = version._get_lost_lines() & document._get_billed_lines()
        if not lost:
            return ""
        declined = version.search(
            [
                ("state", "=", "declined"),
                ("document_id.root_company_id", "=", document.root_company_id.id),
                "|",
                ("document_id.customer_id", "=", document.customer_id.id),
                ("document_id.customer_id.partner_id", "in", document.partner_id.ids),
            ]
        ).filtered(
            lambda other: (
                _may_share_charges(other.document_id, document)
                and any(
                    may_be_same_charge(
                        line, own, other.run_id.endpoint == document.run_id.endpoint
                    )
                    for line in other._get_new_lines()
                    for own in lost
                )
            )
        )
        if not declined:
            return ""
        return _lt(
            "Charges that it lacks are in a change that was declined on %(documents)s: "
            "keep the old version if they still have to be paid.",
            documents=list_names(declined.document_id.mapped("invoice_number")),
        )

    def _get_names(self, document):
        """:return: message with the documents that charges of one were declined of, and
        who did that; "" for none"""
        asked = {document: list(document._get_billed_lines())}
        return self._enumerate(self._find(asked)[document])

    def _enumerate(self, pairs):
        decisions = {
            (
                charge.document_id,
                charge.decision,
                charge.user_id,
                charge.declined_on,
            ): charge
            for _line, charge in pairs
        }
        return list_names(charge._describe() for charge in decisions.values())


def _may_share_charges(document, other):
    """Whether they are different documents of the same customer, on the same side."""
    is_same_partner = document.partner_id and document.partner_id == other.partner_id
    return (
        document != other
        and document.root_company_id == other.root_company_id
        and document.kind in get_side(other.kind)
        and bool(document.customer_id == other.customer_id or is_same_partner)
    )


def _get_service(line):
    return get_text_key(line.subscription_ref), float(line.extended_price)
