from collections import defaultdict
from typing import NamedTuple

from odoo import models

from ..client import SourceDocument, merge_payloads, parse_payload, take_lines
from ..const import SALES_KINDS
from ..tools import get_text_key, pair_lines


class Part(NamedTuple):
    """What a response has of one document."""

    document: models.BaseModel  # the `copaco.document` that is known; empty: a new one
    source: SourceDocument
    # What it is with all that is known, where a response may lack some of it; None: not
    # told yet.
    merged: SourceDocument | None = None
    vals: dict = {}  # of a new document


class CopacoPoSplitter(models.AbstractModel):
    """Where a customer gets one invoice per PO number, each PO number in a Copaco
    invoice is a document of its own. Whether it is split is decided when an invoice is
    received first: what was invoiced as a whole stays whole."""

    _name = "copaco.po.splitter"
    _description = "Copaco PO Number Splitter"

    def _get_parts(self, run, source, documents, customer):
        """Tell which documents a `SourceDocument` is.

        :param run: the `copaco.run` that received it
        :param documents: the `copaco.document` records of its number and account
        :param customer: its `copaco.customer`, or None
        :return: list of `Part`; none: it can't be read, and what is known of it is
            several documents
        """
        if documents.filtered("is_po_part"):
            return [] if source.error else self._split(run, source, documents)
        if (
            source.error
            or run.kind not in SALES_KINDS
            or not (customer and customer.is_split_by_po)
            or documents
            and not self._is_unread(documents)
        ):
            return [Part(documents, source)]
        documents.write({"is_po_part": True, "po_part": _get_spelling(source)})
        return self._split(run, source, documents)

    def _is_unread(self, documents):
        """Whether nothing was made yet of documents, because they can't be read."""
        return all(
            document.state == "held"
            and document.hold_reason == "payload_invalid"
            and not document.line_ids
            and not document.move_id
            for document in documents
        )

    def _split(self, run, source, documents):
        """:return: list of `Part`, those that lose lines to others first"""
        sources = self._read_parts(source)
        known = {get_text_key(document.po_part): document for document in documents}
        if sources.keys() == known.keys() and all(
            known[key].payload_digest == own.digest for key, own in sources.items()
        ):
            return [Part(known[key], own, own) for key, own in sources.items()]
        merger = self.env["copaco.source.merger"]
        source = merger._use_names_of(documents, run, source)
        sources = self._read_parts(source)
        lacking, moves = self._compare(sources, known)
        is_covered = self.env["copaco.missing.document"]._is_covered
        for key, document in list(known.items()):
            is_left = key not in sources and (
                is_covered(run, document) or not lacking[document]
            )
            new_numbers = moves[document] - known.keys()
            if is_left and len(moves[document]) == len(new_numbers) == 1:
                (number,) = new_numbers
                if self._rename(document, _get_spelling(sources[number])):
                    known[number] = known.pop(key)
        gaining = {
            key
            for key, document in known.items()
            if any(key in moves[other] for other in documents - document)
        }
        parts = []
        for key in sorted(known, key=lambda key: (key in gaining, key)):
            document = known[key]
            if key in sources or moves[document] or is_covered(run, document):
                own = sources.get(key) or self._take(source, [])
                merged = self._merge(document, lacking[document], own)
                self._use_spelling_of(document, merged)
                parts.append(Part(document, own, merged))
        for key, own in sources.items():
            if key not in known:
                vals = {"is_po_part": True, "po_part": _get_spelling(own)}
                parts.append(Part(documents.browse(), own, vals=vals))
        return parts

    def _read_parts(self, source):
        """:return: dict of `SourceDocument` by `get_text_key` of the PO number, ""
        for the lines without one; what Copaco states of the whole is the same on each
        """
        positions = defaultdict(list)
        for position, line in enumerate(source.lines):
            positions[get_text_key(_get_po_number(line))].append(position)
        if len(positions) < 2:
            return {next(iter(positions), ""): source}
        return {key: self._take(source, own) for key, own in positions.items()}

    def _take(self, source, positions):
        """:return: `SourceDocument` with the lines at these positions alone"""
        payload = take_lines(source.payload, positions)
        part = self.env["copaco.source.merger"]._read_altered(payload, source)
        part.whole_vat = source.stated_vat
        return part

    def _compare(self, sources, known):
        """Find each line that is known. What is alike stands where it stood, before it
        may be what was moved.

        :param sources: see `_read_parts`
        :param known: dict of `copaco.document` by the same keys
        :return: by document: the positions of its lines that the sources lack, and the
            keys of the PO numbers that lines of it have now otherwise
        """
        places, old_lines, new_lines = {}, [], []
        for key in dict.fromkeys([*known, *sources]):
            lines, received = [], sources[key].lines if key in sources else []
            if document := known.get(key):
                lines = parse_payload(document._get_newest().payload).lines
                for position, line in enumerate(lines):
                    places[id(line)] = document, position
            for old, new in pair_lines(lines, received):
                if not new:
                    old_lines.append(old)
                elif not old:
                    new_lines.append(new)
        lacking, moves = defaultdict(list), defaultdict(set)
        for old, new in pair_lines(old_lines, new_lines):
            if old:
                document, position = places[id(old)]
                if new:
                    moves[document].add(get_text_key(_get_po_number(new)))
                else:
                    lacking[document].append(position)
        return lacking, moves

    def _rename(self, document, number):
        """Copaco corrected a PO number: what was never confirmed under the old one is
        the same document under the new one.

        :return: whether it is
        """
        invoice = document._get_live_invoice()
        if invoice and (invoice.state != "draft" or invoice.posted_before):
            return False
        document._message_log(
            body=self.env._(
                "Copaco changed the PO number from %(old)s to %(new)s.",
                old=document.po_part or "–",
                new=number or "–",
            )
        )
        document.po_part = number
        return True

    def _use_spelling_of(self, document, source):
        """Copaco writes a PO number in other capitals or blanks now."""
        numbers = [_get_po_number(line) for line in source.lines]
        if numbers and (document.po_part or "") not in numbers:
            self._rename(document, numbers[0])

    def _merge(self, document, lacking, source):
        """:param lacking: positions of known lines that the response has nowhere
        :param source: what the response has of this document
        :return: `SourceDocument` with both
        """
        if not lacking:
            return source
        payload = document._get_newest().payload
        merged = take_lines(payload, lacking)
        if source.lines:
            merged = merge_payloads(payload, lacking, source.payload)
        return self.env["copaco.source.merger"]._read_altered(merged, source)


def _get_spelling(source):
    """:return: the PO number of a part, as its first line has it"""
    return _get_po_number(source.lines[0]) if source.lines else ""


def _get_po_number(line):
    """:return: the PO number that Copaco sent with a `DocumentLine`, "" for none"""
    return line.line_po or line.subscription_po
