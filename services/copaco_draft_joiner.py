from dateutil.relativedelta import relativedelta
from psycopg2.errors import LockNotAvailable

from odoo import models

from ..hold_reasons import Hold
from ..tools import enumerate_names


class CopacoDraftJoiner(models.AbstractModel):
    """Adds documents to the draft of their month, as long as nobody edited that."""

    _name = "copaco.draft.joiner"
    _description = "Copaco Draft Joiner"

    def _join(self, matches):
        """Add documents to drafts that are there.

        :param matches: dict of `DocumentMatch` by the first `copaco.document` of each
            invoice, see `copaco.invoice.grouper`
        :return: those that get an invoice of their own, since there is no draft, or
            they can't be added to it
        :raise LockNotAvailable: when others have documents of a draft
        """
        left = dict(matches)
        writer = self.env["copaco.invoice.writer"]
        for document, (move, match) in self._find_drafts(matches).items():
            if not writer._try(document, self._add, move, match):
                del left[document]
        return left

    def _add(self, move, match):
        """:param move: `account.move`, a draft
        :param match: the `DocumentMatch` of it and what is added to it
        :raise UserError: when Odoo refuses
        :raise TotalsMismatchError: see `copaco.invoice.writer`
        :raise VatMismatchError: see `copaco.invoice.writer`
        """
        there = move._get_copaco_documents()
        added = match.documents - there
        edits = self.env["copaco.manual.edits"]._compare(move)
        self.env["copaco.draft.updater"]._rebuild(move.copaco_document_id, match, edits)
        move.invoice_origin = match.documents._get_numbers()
        for document in added:
            self.env["copaco.vat.checker"]._check(document, move, is_joint=True)
        match.documents._set_billed(move)
        move._message_log(
            body=self.env._(
                "Added: %(documents)s.",
                documents=enumerate_names(self.env, added.mapped("name")),
            )
        )
        # What was made for a person to confirm is not confirmed for what is added.
        if any(there.mapped("draft_reason")):
            match.documents.write(match.documents._get_no_draft())
            self.env["copaco.invoice.writer"]._automate(match.documents)
        automation = self.env["copaco.automation"]
        if any(
            automation._get_policy(each.customer_id, each.connection_id) != "send"
            for each in added
        ):
            # A person sends what is not to be sent unasked, and all of it.
            move.with_context(active_test=False).copaco_delivery_ids.unlink()

    # === DRAFTS === #

    def _find_drafts(self, matches):
        """:param matches: see `_join`
        :return: dict of (draft, `DocumentMatch` of it with what is added to it) by the
            same documents
        :raise LockNotAvailable: see `_join`
        """
        grouper = self.env["copaco.invoice.grouper"]
        keys = {
            grouper._get_key(document, match): document
            for document, match in matches.items()
        }
        # The others are alone on an invoice.
        keys = {key: each for key, each in keys.items() if key != (each,)}
        drafts = {}
        for move in self._search_drafts(keys.values(), matches):
            key = grouper._get_common_key(move.copaco_document_id, move)
            if key in keys and key not in drafts and self._is_open(move):
                drafts[key] = move
        if not drafts:
            return {}
        documents = self.env["copaco.document"].union(
            *(move._get_copaco_documents() for move in drafts.values())
        )
        if documents.try_lock_for_update() != documents:
            raise LockNotAvailable("Another worker has documents of a draft")
        known = self.env["copaco.document.matcher"]._match_documents(documents)
        joined = {}
        for key, move in drafts.items():
            own = {each: known[each] for each in move._get_copaco_documents()}
            own |= grouper._split(matches[keys[key]])
            if all(
                match
                and not isinstance(match, Hold)
                and grouper._get_key(document, match) == key
                for document, match in own.items()
            ):
                joined[keys[key]] = move, grouper._merge(own)
        return joined

    def _search_drafts(self, documents, matches):
        documents = list(documents)
        if not documents:
            return self.env["account.move"]
        first = documents[0]
        days = [document._get_invoice_date() for document in documents]
        return self.env["account.move"].search(
            [
                ("copaco_document_id.connection_id", "=", first.connection_id.id),
                ("copaco_document_id.kind", "=", first.kind),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "draft"),
                ("posted_before", "=", False),
                ("partner_id", "in", [matches[each].partner.id for each in documents]),
                ("invoice_date", ">=", min(days).replace(day=1)),
                ("invoice_date", "<=", max(days) + relativedelta(day=31)),
            ],
            order="id",
        )

    def _is_open(self, move):
        """:return: whether nobody edited a draft, or has to decide about it"""
        first = move.copaco_document_id
        return (
            first._get_invoice_grouping() == "month"
            and not move._get_copaco_documents()._get_pending_version()
            and self.env["copaco.draft.updater"]._is_unedited_draft(first)
        )
