from collections import defaultdict

from odoo import models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..tools import (
    Amount,
    Joined,
    get_charge_key,
    list_names,
    name_line,
    pair_lines,
    render_message,
)

_lt = LazyTranslate(__name__)


class CopacoLostCharges(models.AbstractModel):
    """Charges that Copaco no longer has on a document, and that were not invoiced there
    because they are invoiced otherwise: whoever decided that is asked again, or they
    would be billed for good (promises 1 and 8 in doc/how_it_works.rst)."""

    _name = "copaco.lost.charges"
    _description = "Copaco Lost Charges"

    # === OTHER DOCUMENTS === #

    def _find_lost(self, newest, source):
        """:param newest: see `copaco.document._get_newest`
        :param source: `SourceDocument` of all that Copaco has of this document now
        :return: list of the `DocumentLine` that it no longer has
        """
        if source.error or newest.payload_digest == source.digest:
            return []
        left = set(map(get_charge_key, source.lines))
        pairs = pair_lines(parse_payload(newest.payload).lines, source.lines)
        return [
            old for old, new in pairs if not new and get_charge_key(old) not in left
        ]

    def _review(self, lost):
        """Let what is invoiced of these charges wait for a person again, where it was
        known that Copaco has it on another document.

        :param lost: dict by `copaco.document` of lists of `DocumentLine` that Copaco
            no longer has on it
        """
        found = self.env["copaco.duplicate.finder"]._find_lines(
            {document: lines for document, lines in lost.items() if lines}
        )
        asked = defaultdict(self.env["copaco.document"].browse)
        for document, pairs in found.items():
            for pair in pairs:
                if self._is_known_gone(pair.other):
                    asked[pair.other.document_id] |= document
        for document, others in asked.items():
            self._ask_again(document, others)

    def _review_missing(self, documents):
        """As `_review`, of all charges of documents that Copaco has no longer."""
        decided = documents.search_count(
            [
                ("root_company_id", "in", documents.root_company_id.ids),
                "|",
                ("missing_state", "=", "acknowledged"),
                ("version_ids.state", "=", "declined"),
            ],
            limit=1,
        )
        if decided:
            self._review(
                {
                    document: parse_payload(document._get_newest().payload).lines
                    for document in documents
                }
            )

    def _is_known_gone(self, line):
        """Whether a person knows that Copaco has a line no longer where it is invoiced:
        it was acknowledged, or the version that lacks it was not taken over."""
        document = line.document_id
        if not document._get_live_invoice():
            return False
        declined = document.version_ids._get_declined()
        return document.missing_state == "acknowledged" or (
            bool(declined)
            and not document.has_pending_version
            and any(
                old == line and not new
                for old, new in pair_lines(
                    document.line_ids, parse_payload(declined.payload).lines
                )
            )
        )

    def _ask_again(self, document, others):
        """:param others: the documents that charges of this one are on no longer"""
        message = _lt(
            "Charges that %(document)s invoices, and that Copaco moved to %(others)s, "
            "are not there any longer either. Ask Copaco; credit them if they do not "
            "have to be paid.",
            document=document.name,
            others=list_names(others.mapped("name")),
        )
        if document.missing_state == "acknowledged":
            document.missing_state = "reported"
            document._message_log(body=render_message(self.env, message))
            self.env["copaco.activity.monitor"]._update_activity(document.connection_id)
            return
        declined = document.version_ids._get_declined()
        declined.write({"state": "pending", "declined_by_id": False})
        declined._request_decision(message)

    # === THE SAME DOCUMENT === #

    def _find_left_out(self, document, source):
        """:param source: see `_find_lost`
        :return: list of the `DocumentLine` of the version that a person did not take
            over which Copaco no longer has, and which are on no other document: they
            may have been invoiced manually
        """
        declined = document.version_ids._get_declined()
        lost = self._find_lost(declined, source) if declined else []
        if not lost:
            return []
        lost = [new for old, new in pair_lines(document.line_ids, lost) if not old]
        pairs = self.env["copaco.duplicate.finder"]._find_lines({document: lost})
        found = {id(pair.line) for pair in pairs[document]}
        elsewhere = self._get_keys_elsewhere(document, lost)
        return [
            line
            for line in lost
            if id(line) not in found and get_charge_key(line) not in elsewhere
        ]

    def _get_keys_elsewhere(self, document, lines):
        """:param lines: list of `DocumentLine` that Copaco no longer has on a document
        :return: set of `get_charge_key` of what Copaco has of their subscriptions on
            other documents of the same customer: whoever is asked there, or decided
            there, knows of them
        """
        domain = (
            Domain("document_id", "!=", document.id)
            & Domain("document_id.customer_id", "=", document.customer_id.id)
            & Domain("document_id.kind", "=", document.kind)
        )
        Line = self.env["copaco.document.line"]
        stored = Line.search(
            domain
            & Domain("document_id.missing_state", "=", False)
            & Line._get_subscription_domain(lines)
        )
        versions = self.env["copaco.document.version"].search(
            domain & Domain("state", "=", "pending")
        )
        added = [line for version in versions for line in version._get_new_lines()]
        return set(map(get_charge_key, [*stored, *added]))

    def _get_warning(self, version):
        """:param version: a `copaco.document.version`
        :return: a message when it lacks what another version had that a person did not
            take over, "" otherwise
        """
        if version.run_id.trigger == "file":
            return ""
        lines = self._find_left_out(version.document_id, parse_payload(version.payload))
        if not lines:
            return ""
        return _lt(
            "Copaco no longer has what was not taken over before: %(lines)s. If that "
            "was invoiced manually, credit it.",
            lines=list_names(
                Joined(
                    (
                        name_line(line),
                        Amount(line.extended_price, version._get_currency()),
                    )
                )
                for line in lines
            ),
        )
