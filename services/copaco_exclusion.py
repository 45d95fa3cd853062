from odoo import models
from odoo.tools import LazyTranslate

from ..tools import render_message

_lt = LazyTranslate(__name__)


class CopacoExclusion(models.AbstractModel):
    """Documents that a person, a rule or a customer keeps from being invoiced, and how
    that is undone."""

    _name = "copaco.exclusion"
    _description = "Copaco Exclusion"

    def _apply_exclusion(self, documents, reason, user):
        """Exclude documents.

        :param reason: a message, or what a person wrote
        :param user: `res.users` who decided it; empty: a rule did
        """
        for version in documents._get_pending_version():
            # Nothing is left to decide; undone, what Copaco says now counts.
            version._take_over()
        documents.write(
            {
                "state": "excluded",
                "exclude_reason": reason,
                "excluded_by_id": user.id,
                "is_no_double": False,
                "hold_reason": False,
                "hold_message": False,
            }
        )
        text = render_message(self.env, reason)
        for document in documents:
            if user:
                self._on_excluded(document, document.line_ids)
            document._message_log(
                body=self.env._(
                    "Excluded by %(user)s: %(reason)s", user=user.name, reason=text
                )
                if user
                else self.env._("Excluded by a rule: %(reason)s", reason=text)
            )

    def _exclude_with_customer(self, document):
        """Exclude a document because all documents of its customer are."""
        customer = document.customer_id
        self._apply_exclusion(
            document,
            _lt(
                "All documents of customer %(customer)s are excluded: %(reason)s",
                customer=customer.display_name,
                reason=customer.exclude_reason,
            ),
            customer.excluded_by_id,
        )
        document.is_excluded_by_customer = True

    def _is_excluded_by_rule(self, document):
        return (
            document.state == "excluded"
            and not document.excluded_by_id
            and bool(document.line_ids)
        )

    def _undo_exclusion(self, documents):
        decided = documents.filtered("excluded_by_id")
        documents.write(
            {
                "state": "new",
                "exclude_reason": False,
                "excluded_by_id": False,
                "is_excluded_by_customer": False,
                "is_margin_only": False,
            }
        )
        for document in decided:
            self.env["copaco.version.warnings"]._warn_of_decision(document)

    def _on_excluded(self, document, lines):
        """A person excluded lines of a document."""
        self._retry_others(document, lines)
        self.env["copaco.version.warnings"]._warn_of_decision(document)

    def _retry_others(self, document, lines):
        """Process those documents anew, in the background, that a rule excluded, or
        that wait as possible duplicates, because their charges were on these lines of a
        document, which no longer count."""
        finder = self.env["copaco.exclusion.finder"]
        others = finder._find_lines(document, lines, with_duplicates=True).document_id
        # What a person excluded before is not invoiced unasked.
        others = others.filtered(lambda other: not other.excluded_by_id)
        excluded = others.filtered(self._is_excluded_by_rule)
        self._undo_exclusion(excluded)
        # Of two that both wait, the later one waits because of the other.
        is_invoiced = bool(document._get_live_invoice())
        held = others.filtered(
            lambda other: (
                other.state == "held" and (is_invoiced or other.id > document.id)
            )
        )
        held.state = "new"
        if excluded or held:
            self.env["copaco.background"]._continue_invoicing()
