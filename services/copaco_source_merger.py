from odoo import models

from ..client import digest_document, merge_payloads, parse_payload, rename_lines
from ..tools import pair_charges, pair_lines


class CopacoSourceMerger(models.AbstractModel):
    """Puts what was received together with what is known of a document. Searches and
    writes nothing."""

    _name = "copaco.source.merger"
    _description = "Copaco Source Merger"

    def _use_account_of(self, customer, source):
        """An account in other capitals doesn't make a `SourceDocument` another one."""
        if customer and not source.error and source.account_ref != customer.account_ref:
            source.account_ref = customer.account_ref
            source.digest = digest_document(source)

    def _use_names_of(self, documents, run, source):
        """Another row hash or number at another endpoint makes no other charge.

        :param documents: the `copaco.document`, or all parts of it by PO number
        :return: the `SourceDocument`, or what it would be with those that are known
        """
        runs = documents.run_id | documents.version_ids.run_id
        if source.error or all(known.endpoint == run.endpoint for known in runs):
            return source
        lines = []
        for document in documents:
            newest = document._get_pending_version() or document
            lines += parse_payload(newest.payload).lines
        names = pair_charges(lines, source.lines)
        if not names:
            return source
        return self._read_altered(rename_lines(source.payload, names), source)

    def _merge(self, payload, source):
        """:param payload: what is known of a document
        :param source: the `SourceDocument` that was received, perhaps a part of it
        :return: `SourceDocument` with the lines of both; those that are in both are as
            they were received
        """
        known = parse_payload(payload)
        if known.error or source.error:
            return source
        positions = {id(line): place for place, line in enumerate(known.lines)}
        lacking = [
            positions[id(old)]
            for old, new in pair_lines(known.lines, source.lines)
            if not new
        ]
        if not lacking:
            return source
        merged = merge_payloads(payload, lacking, source.payload)
        return self._read_altered(merged, source)

    def _read_altered(self, payload, source):
        """:param payload: that of a `SourceDocument`, altered
        :param source: this `SourceDocument`, for what a payload doesn't tell
        :return: `SourceDocument`
        """
        altered = parse_payload(payload)
        altered.totals_difference = source.totals_difference
        altered.totals_line_count = source.totals_line_count
        altered.unread_total = altered.unread_total or source.unread_total
        altered.whole_vat = source.whole_vat
        if not altered.error and altered.account_ref != source.account_ref:
            altered.account_ref = source.account_ref
            altered.digest = digest_document(altered)
        return altered
