from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..tools import render_message

_lt = LazyTranslate(__name__)


class CopacoRestoredCharges(models.AbstractModel):
    """Charges that count again, because what a document said before is kept or
    restored, and that the invoice of another document bills by now: a person is asked,
    or they would be billed twice (promise 1 in doc/how_it_works.rst)."""

    _name = "copaco.restored.charges"
    _description = "Copaco Restored Charges"

    def _find(self, document, lines=None):
        """:param lines: of the document; by default all that it bills
        :return: list of `Duplicate` of lines that the invoices of other documents bill,
            too
        """
        finder = self.env["copaco.duplicate.finder"]
        lines = document._get_billed_lines() if lines is None else lines
        return [
            pair
            for pair in finder._find_lines({document: list(lines)})[document]
            if pair.other.document_id._get_live_invoice()
        ]

    def _find_undecided(self, document):
        """:param document: a `copaco.document` with an invoice
        :return: see `_find`, without those of which a person said that both have to be
            paid
        """
        if document.is_no_double:
            return []
        return [
            pair
            for pair in self._find(document)
            if not pair.other.document_id.is_no_double
        ]

    def _get_warning(self, document):
        """:return: a message when charges of a document with an invoice are billed
        twice, "" otherwise"""
        pairs = self._find_undecided(document)
        if not pairs:
            return ""
        return _lt(
            "Charges of the old version are billed twice: they are on %(documents)s, "
            "too.",
            documents=self._enumerate(pairs, document),
        )

    def _on_restored(self, document, lines):
        """A correction was removed, so that a document bills lines again. What a person
        said of these charges was said when it did not.

        :param lines: the `copaco.document.line` records
        :return: whether others bill them by now
        """
        if not document._get_live_invoice():
            return False
        pairs = self._find(document, lines & document._get_billed_lines())
        if pairs:
            document.is_no_double = False
            for pair in pairs:
                pair.other.document_id.is_no_double = False
        return bool(pairs)

    def _on_credits_removed(self, credits):
        """Credit notes go: what they credited is billed again. Whoever had another
        document invoiced because it was credited is asked, by an activity on that
        invoice.

        :param credits: `account.move` records that are cancelled, deleted or reversed
        """
        for credit in credits:
            for document in self.env["copaco.credit.finder"]._get_documents(credit):
                for invoice in self._find_invoiced_since(document, credit, credits):
                    self._ask_of_credit(credit, document, invoice)

    def _on_corrections_reversed(self, corrections):
        """Corrections are reversed: what they took off is billed again.

        :param corrections: `account.move` records
        """
        for correction in corrections.filtered("copaco_version_id"):
            version = correction.copaco_version_id
            document = version.document_id
            lines = version._get_new_lines()
            for other in self._get_others(self._find(document, lines)):
                other.is_no_double = False
                self._ask_of_credit(correction, document, other._get_live_invoice())

    def _find_invoiced_since(self, document, credit, removed):
        """:param credit: the `account.move` that credited the invoice of a document
        :param removed: all credit notes that go
        :return: the `account.move` records of other documents that were created because
            of it, and bill what the document bills again
        """
        finder = self.env["copaco.duplicate.finder"]
        found = self.env["account.move"]
        if not document._get_live_invoice() or finder._is_credited(document, removed):
            return found
        for other in self._get_others(self._find(document)):
            invoice = other._get_live_invoice()
            # What was invoiced before was not because of the credit note.
            if invoice.id > credit.id and not finder._is_credited(other):
                other.is_no_double = False
                found |= invoice
        return found

    def _ask_of_credit(self, credit, document, invoice):
        """:param credit: the `account.move` that goes
        :param document: of which it credited the invoice
        :param invoice: the `account.move` of another one with the same charges
        """
        responsible = self.env["copaco.activity.monitor"]._get_responsible(
            document.connection_id
        )
        env = self.with_context(lang=responsible.lang).env
        invoice.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=env._("Billed twice?"),
            note=env._(
                "Credit note %(credit)s was cancelled, deleted or reversed, so "
                "%(credited)s bills again what is on %(invoice)s, too. Credit one of "
                "them, unless both have to be paid.",
                credit=credit.display_name,
                credited=document._get_live_invoice().display_name,
                invoice=invoice.display_name,
            ),
            user_id=responsible.id,
        )

    def _get_asked(self, documents):
        """:return: those whose old version was not kept, because a person is asked"""
        return documents.filtered(
            lambda document: (
                document.state == "changed"
                and document.hold_reason == "possible_double"
            )
        )

    def _ask(self, document, pairs):
        """:param pairs: list of `Duplicate`"""
        message = _lt(
            "The old version of %(document)s was not kept, because %(count)s of the "
            "%(total)s lines that it bills may be charges that are on %(others)s, too. "
            "Compare them under Possible Duplicates. Prepare a correction of one of "
            "them; or press Invoice anyway if both have to be paid, and the old "
            "version is kept.",
            document=document.name,
            count=len({pair.line for pair in pairs}),
            total=len(document._get_billed_lines()),
            others=self._enumerate(pairs, document),
        )
        document.write({"hold_reason": "possible_double", "hold_message": message})
        document._message_log(body=render_message(self.env, message))

    def _check_use(self, document):
        """:raise UserError: when what Copaco says now is what a document bills already,
        and others do, too: there is nothing to correct on it"""
        version = document._get_pending_version()
        if version.payload_digest != document.payload_digest:
            return
        if pairs := self._find_undecided(document):
            raise UserError(
                self.env._(
                    "There is nothing to correct on %(document)s: Copaco says again "
                    "what it bills. Correct %(others)s, which may have the same "
                    "charges, or keep the old version.",
                    document=document.name,
                    others=render_message(self.env, self._enumerate(pairs, document)),
                )
            )

    def _check_reset(self, move):
        """:param move: a cancelled `account.move` that is reset
        :raise UserError: when others bill charges of its documents by now
        """
        for document in move._get_copaco_documents():
            if pairs := self._find(document):
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be used again: charges of %(document)s may "
                        "be on %(others)s since. Retry the document to compare them.",
                        invoice=move.display_name or self.env._("A draft"),
                        document=document.name,
                        others=render_message(
                            self.env, self._enumerate(pairs, document)
                        ),
                    )
                )

    def _enumerate(self, pairs, document):
        """:return: message with the names of the documents and invoices of others"""
        others = self._get_others(pairs)
        return self.env["copaco.duplicate.finder"]._enumerate(others, document)

    def _get_others(self, pairs):
        """:return: the `copaco.document` records of the other lines of pairs"""
        return self.env["copaco.document"].union(
            *(pair.other.document_id for pair in pairs)
        )
