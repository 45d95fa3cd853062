from odoo import models
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..const import get_side
from ..tools import (
    Amount,
    Joined,
    join_messages,
    pair_lines,
    quote_message,
    render_message,
    replace_group,
    to_decimal,
)

_lt = LazyTranslate(__name__)

GROUP = "warnings"  # what a message says of other documents, and is renewed


class CopacoVersionWarnings(models.AbstractModel):
    """Why a person has to decide about what Copaco changed in a known document."""

    _name = "copaco.version.warnings"
    _description = "Warnings of a Copaco Document Version"

    def _get_warnings(self, version):
        """:param version: a pending `copaco.document.version`
        :return: list of messages: why a person has to decide about it
        """
        document = version.document_id
        warnings = self.env["copaco.exclusion.finder"]._get_warnings(version)
        warnings.append(self.env["copaco.declined.finder"]._get_lost_warning(version))
        warnings.append(self.env["copaco.lost.charges"]._get_warning(version))
        warnings.append(self._get_emptied_warning(version))
        warnings.append(self._get_total_warning(version))
        if version.run_id.endpoint != document.run_id.endpoint and (
            version._get_new_lines() or version._get_lost_lines()
        ):
            warnings.append(
                _lt(
                    "It was received from another endpoint of Copaco than before, "
                    "where a charge may have another row hash: compare the lines."
                )
            )
        if (
            document.version_ids._get_declined()
            or document.missing_state == "acknowledged"
        ):
            warnings.append(
                _lt(
                    "The old version was kept before, or it was acknowledged that "
                    "Copaco no longer has it."
                )
            )
        if document._get_live_invoice():
            finder = self.env["copaco.duplicate.finder"]
            warnings.append(finder._get_version_warning(version, is_settling=True))
            charges = self.env["copaco.restored.charges"]
            warnings.append(charges._get_warning(document))
        return list(filter(None, warnings))

    def _get_emptied_warning(self, version):
        """:return: a message when lines are gone of which Copaco may have left out the
        list, and its total doesn't confirm that; "" otherwise"""
        source = parse_payload(version.payload)
        pairs = pair_lines(version.document_id.line_ids, source.lines)
        # The other parts of the Copaco invoice are there.
        is_gone = version.document_id.is_po_part and not source.lines
        if (
            not source.has_empty_list
            or is_gone
            or source.stated_amount == source.amount
            or all(new for _old, new in pairs)
        ):
            return ""
        return _lt(
            "Copaco sent a customer or subscription without price lines: keep the old "
            "version if the lines that are gone still have to be paid, and ask Copaco."
        )

    def _get_total_warning(self, version):
        """:return: a message when Copaco states another total for the lines that are
        known; "" otherwise"""
        if not version._misses_total():
            return ""
        document = version.document_id
        return _lt(
            "Copaco states another total for %(document)s than before, which differs "
            "from the sum of its lines by %(amount)s: lines may be missing. Ask "
            "Copaco. When that is settled, keep the old version.",
            document=document.name,
            amount=Amount(to_decimal(version.totals_difference), document.currency_id),
        )

    def _get_group(self, version):
        """:return: `_get_warnings`, as the part of a message that `_renew` replaces; ""
        for none"""
        warnings = self._get_warnings(version)
        return Joined(tuple(warnings), group=GROUP) if warnings else ""

    def _warn_of(self, documents):
        """Documents were invoiced: a change of another one that waits for a person may
        add the same charges, or lack them, and then its message says so.

        :param documents: `copaco.document` records of one kind
        """
        waiting = (
            self.env["copaco.document.version"]
            .search(
                [
                    ("state", "=", "pending"),
                    ("document_id.state", "=", "changed"),
                    ("document_id.kind", "in", documents.mapped("kind")),
                    (
                        "document_id.root_company_id",
                        "in",
                        documents.root_company_id.ids,
                    ),
                    ("document_id", "not in", documents.ids),
                ]
            )
            .grouped("document_id")
        )
        found = self.env["copaco.duplicate.finder"]._find_lines(
            {
                document: [*own[0]._get_new_lines(), *own[0]._get_lost_lines()]
                for document, own in waiting.items()
            }
        )
        for document, pairs in found.items():
            if any(pair.other.document_id in documents for pair in pairs):
                self._renew(waiting[document][:1])

    def _warn_of_decision(self, document):
        """Charges of a document are billed there no longer, or a person excluded them
        or declined to add them to it: changes of others that wait for a person say so.

        :param document: a `copaco.document`
        """
        for version in self._find_waiting(document):
            self._renew(version)

    def _warn_of_lost(self, document, lost):
        """Charges are on a document no longer: changes of others that wait for a person
        don't say that they are, and those that add them say that they are not.

        :param document: a `copaco.document`
        :param lost: set of `_get_charge_names` of the lines that it does not have now
        """
        for version in self._find_waiting(document) if lost else ():
            is_added = lost & document._get_charge_names(version._get_new_lines())
            self._renew(version, self._get_left_warning(document) if is_added else "")

    def _get_left_warning(self, document):
        """:return: a message of a change that adds what was on this document before"""
        return _lt(
            "Charges that it adds are not on %(document)s any longer.",
            document=document.name,
        )

    def _find_waiting(self, document):
        """:return: the pending `copaco.document.version` records of other documents of
        the same customer that wait for a person"""
        return document.version_ids.search(
            [
                ("state", "=", "pending"),
                ("document_id", "!=", document.id),
                ("document_id.state", "in", ("held", "changed")),
                ("document_id.hold_reason", "=", "source_changed"),
                ("document_id.kind", "in", get_side(document.kind)),
                ("document_id.root_company_id", "=", document.root_company_id.id),
                "|",
                ("document_id.customer_id", "=", document.customer_id.id),
                ("document_id.customer_id.partner_id", "in", document.partner_id.ids),
            ]
        )

    def _renew(self, version, warning=""):
        """Let the message of a change that waits say what is true by now. Why else it
        waits stays.

        :param warning: a message that stays, too
        """
        document = version.document_id
        message = quote_message(document, "hold_message")
        rest = replace_group(message, Joined((), group=GROUP))
        said = render_message(self.env, rest)
        new = tuple(
            each
            for each in self._get_warnings(version)
            if render_message(self.env, each) not in said
        )
        renewed = replace_group(message, Joined(new, group=GROUP))
        if warning and render_message(self.env, warning) not in said:
            renewed = join_messages(renewed, warning)
        if render_message(self.env, renewed) != document.hold_message:
            document.hold_message = renewed
            document._message_log(body=document.hold_message)
