from odoo import models
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..hold_reasons import Hold
from ..tools import get_charge_key, render_message

_lt = LazyTranslate(__name__)


class CopacoExcludedCharges(models.AbstractModel):
    """Charges that a person excluded while another document billed them, which does no
    longer: a person is asked again, or they would be billed nowhere (promise 2 in
    doc/how_it_works.rst)."""

    _name = "copaco.excluded.charges"
    _description = "Copaco Excluded Charges"

    def _find_lost(self, version, newest):
        """:param version: a `copaco.document.version` that was taken over, and whose
            correction is removed
        :param newest: the one that Copaco has now
        :return: the `copaco.document.line` records of other documents that a person
            excluded, and that may be charges which are lost with the correction
        """
        document = version.document_id
        if newest == version:
            # All of them wait for a person again.
            return document.line_ids.browse()
        kept = set(map(get_charge_key, parse_payload(newest.payload).lines))
        return self._find(
            document,
            version._get_lost_lines().filtered(
                lambda line: get_charge_key(line) not in kept
            ),
        )

    def _on_credited(self, credits):
        """A person credited invoices: what was excluded because its charges are on
        them waits for a person again; what a rule excluded is compared before.

        :param credits: `account.move` records that were confirmed
        """
        exclusion = self.env["copaco.exclusion"]
        for document in self.env["copaco.credit.finder"]._get_documents(credits):
            exclusion._retry_others(document, document.line_ids)
            self._review(self._find(document, document.line_ids), document)
            self.env["copaco.version.warnings"]._warn_of_decision(document)

    def _find(self, document, lines):
        """:param lines: of the document
        :return: the `copaco.document.line` records of other documents that a person
            excluded, and that may be the same charges
        """
        finder = self.env["copaco.exclusion.finder"]
        return finder._find_lines(document, lines).filtered(
            lambda line: (
                (line.is_excluded or line.document_id.excluded_by_id)
                and not line.document_id.is_excluded_by_customer
            )
        )

    def _review(self, lines, document):
        """Let excluded documents wait for a person again.

        :param lines: see `_find`
        :param document: the `copaco.document` that does not bill these charges any more
        :return: a message that names the other documents on which these lines alone are
            excluded, "" without any
        """
        lines -= self._get_billed(lines)
        excluded = lines.document_id.filtered(lambda other: other.state == "excluded")
        for other in excluded:
            self._ask(other, document)
        if excluded:
            self.env["copaco.activity.monitor"]._update_activity(excluded.connection_id)
        others = lines.document_id - excluded
        if not others:
            return ""
        finder = self.env["copaco.duplicate.finder"]
        return _lt(
            "Charges of the correction that was removed are excluded on "
            "%(documents)s: invoice them manually if they still have to be paid.",
            documents=finder._enumerate_excluded(others, document),
        )

    def _get_billed(self, lines):
        """:return: those of the lines whose charges the invoice of another document
        bills, and that was not credited"""
        finder = self.env["copaco.duplicate.finder"]
        billed = lines.browse()
        for pairs in finder._find_lines(lines.grouped("document_id")).values():
            for pair in pairs:
                other = pair.other.document_id
                if other._get_live_invoice() and not finder._is_credited(other):
                    billed |= pair.line
        return billed

    def _ask(self, other, document):
        message = _lt(
            "%(user)s excluded %(document)s with the reason “%(reason)s”. Charges of "
            "it may have been on %(other)s, where they were removed or credited. Press "
            "Exclude as duplicate if they do not have to be paid, or Invoice anyway.",
            user=other.excluded_by_id.name,
            document=other.name,
            reason=other.exclude_reason,
            other=document.name,
        )
        user = other.excluded_by_id
        self.env["copaco.exclusion"]._undo_exclusion(other)
        other._hold(Hold("possible_double", message))
        other.excluded_by_id = user
        other._message_log(body=render_message(self.env, message))
