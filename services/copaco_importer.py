from collections import defaultdict

from odoo import fields, models

from ..client import RejectedInvoice, parse_payload
from ..tools import Joined, get_account_key, translate

# New documents are stored when they have so many lines together, and then forgotten:
# what is in memory doesn't grow with the response.
LINES_AT_A_TIME = 200
# A response that is the same as one with more runs after it is read like a new one.
LATER_RUNS = 50


class CopacoImporter(models.AbstractModel):
    """What a response becomes: documents that are new, known, changed or missing."""

    _name = "copaco.importer"
    _description = "Copaco Importer"

    # === RESPONSES === #

    def _import(self, run, response):
        """Create or update the documents of a response; nothing is committed.

        :param run: the `copaco.run` that received it
        :param response: a `ParsedResponse`
        """
        Document = self.env["copaco.document"]
        builder = self.env["copaco.document.builder"]
        known = self._get_known(run.company_id, run.kind, response.heads)
        customers = self._get_customers(run, response.heads, known)
        currencies, unread, rejected = {}, [], [*response.rejected]
        totals = {"received": [0, 0, 0.0], "unchanged": [0, 0, 0.0]}
        new_vals_list, new_ids = [], []
        creation_vals = {
            "created_from": run.date_from,
            "created_to": run.date_to,
            "created_origin": run.date_from and run.origin,
            "created_endpoint": run.date_from and run.endpoint,
        }
        missing = self.env["copaco.missing.document"]
        merger = self.env["copaco.source.merger"]
        splitter = self.env["copaco.po.splitter"]
        seen, lost = defaultdict(Document.browse), {}
        for source in response.documents:
            code = source.currency
            if code not in currencies:
                currencies[code] = builder._get_currency(code)
            if source.error:
                unread.append(source.invoice_number)
            key = source.invoice_number, get_account_key(source.account_ref)
            owner = known.get(key, run)[:1]
            own = customers[owner.company_id]
            merger._use_account_of(own.get(source.account_ref), source)
            parts = splitter._get_parts(
                run,
                source,
                known.get(_get_source_key(source), Document),
                own.get(source.account_ref),
            )
            if not parts:
                rejected.append(RejectedInvoice(source.problems, source.payload))
            for document, source, merged, part_vals in parts:
                is_unchanged = False
                if document:
                    source, extent, is_unchanged = self._receive_known(
                        run, document, source, currencies[code], lost, merged
                    )
                    seen[extent] += document
                else:
                    vals = builder._prepare_document_values(
                        source, run, own, currencies[code], owner
                    )
                    new_vals_list.append({**vals, **creation_vals, **part_vals})
                figures = (
                    1,
                    len(source.lines),
                    builder._get_amount(source, currencies[code]),
                )
                for name in totals if is_unchanged else ("received",):
                    totals[name] = list(
                        map(sum, zip(totals[name], figures, strict=True))
                    )
            if sum(vals["line_count"] for vals in new_vals_list) >= LINES_AT_A_TIME:
                new_ids += builder._create_documents(new_vals_list)
                new_vals_list = []
        new_ids += builder._create_documents(new_vals_list)
        # What was rejected may be any of those that are missing.
        missing._update(run, seen, None if rejected else unread)
        self.env["copaco.lost.charges"]._review(lost)
        self.env["copaco.versioning"]._review_left_out(lost)
        received = Document.union(*seen.values())
        rejected_payload = "\n\n".join(each.payload for each in rejected)
        reasons = tuple(translate(each.problems) for each in rejected)
        # A response that has only a part of something has to be read again: if all days
        # were asked for, what it lacks is gone.
        is_whole = not (rejected or unread or seen.get("partial") or seen.get("merged"))
        self._finish(
            run,
            totals,
            [currency for code, currency in currencies.items() if code],
            {
                "rejected_count": len(rejected),
                "rejected_reason": Joined(reasons, "\n"),
                "rejected_payload": rejected_payload,
                "is_unread": bool(rejected_payload)
                and not self._has_acknowledged(run, rejected_payload),
                "received_ids": is_whole and [*received.ids, *new_ids],
            },
        )

    def _import_unchanged(self, run, digest):
        """Import a response that is the very same as one before, when no other response
        had any of its documents since: there is nothing to be read.

        :param run: the `copaco.run` that received it
        :param digest: of the bytes of the response
        :return: whether that was so
        """
        previous = run.search(
            [
                ("connection_id", "=", run.connection_id.id),
                ("kind", "=", run.kind),
                ("origin", "=", run.origin),
                ("endpoint", "=", run.endpoint),
                ("payload_digest", "=", digest),
                ("payload_id", "!=", False),
                ("stored_at", "!=", False),
                ("id", "!=", run.id),
            ],
            order="stored_at desc, id desc",
            limit=1,
        )
        documents = self.env["copaco.document"].browse(previous.received_ids or [])
        if not documents or self._is_newer_content_known(previous, documents):
            return False
        received = (
            previous.received_count,
            previous.received_line_count,
            previous.amount_received,
        )
        self.env["copaco.missing.document"]._update(run, {"whole": documents}, [])
        self._finish(
            run,
            {"received": received, "unchanged": received},
            documents.currency_id,
            {
                "payload_id": previous.payload_id.id,
                "payload_digest": digest,
                "payload_size": previous.payload_size,
                "received_ids": previous.received_ids,
            },
        )
        return True

    def _is_newer_content_known(self, previous, documents):
        """Whether reading the response of an earlier run again could change any of its
        documents: another response had one of them since, or a document is held
        until Copaco's totals are corrected."""
        later = previous.search_fetch(
            [
                ("company_id", "=", previous.company_id.id),
                ("kind", "=", previous.kind),
                ("payload_digest", "!=", previous.payload_digest),
                ("stored_at", ">=", previous.stored_at),
            ],
            ["received_ids", "stored_at"],
            limit=LATER_RUNS,
        )
        ids = set(documents.ids)
        return (
            len(later) == LATER_RUNS
            or any(
                ids.intersection(run.received_ids or ids)
                for run in later
                if (run.stored_at, run.id) > (previous.stored_at, previous.id)
            )
            or bool(
                documents.filtered_domain(
                    [("hold_reason", "in", ("source_totals_differ", "vat_differs"))]
                )
            )
        )

    def _finish(self, run, totals, currencies, vals):
        """Write on a run what its response had.

        :param totals: documents, lines and amount of what was received, and of what
            of it was unchanged, by these names
        :param currencies: list of `res.currency`
        :param vals: other values
        """
        received, unchanged = totals["received"], totals["unchanged"]
        currency = currencies[0] if len(currencies) == 1 else run.company_id.currency_id
        run.write(
            {
                "received_count": received[0],
                "received_line_count": received[1],
                "amount_received": received[2],
                "unchanged_count": unchanged[0],
                "unchanged_line_count": unchanged[1],
                "amount_unchanged": unchanged[2],
                "new_count": received[0] - unchanged[0],
                "stored_at": fields.Datetime.now(),
                "currency_id": currency.id,
                "has_several_currencies": len(currencies) > 1,
                **vals,
            }
        )
        run._refresh_state()
        if run.date_from and run.date_to:
            self.env["copaco.fetch.window"]._update_fetched_until(
                run.connection_id, run.kind
            )

    def _has_acknowledged(self, run, rejected_payload):
        """Whether a person has already looked at the very same unreadable text, which
        is received again with each fetch of the overlap."""
        return bool(
            run.search_count(
                [
                    ("connection_id", "=", run.connection_id.id),
                    ("rejected_payload", "=", rejected_payload),
                    ("is_unread", "=", False),
                    ("id", "!=", run.id),
                ],
                limit=1,
            )
        )

    # === DOCUMENTS === #

    def _get_known(self, company, kind, heads):
        """:param heads: list of `DocumentHead`
        :return: dict by `_get_source_key` of the documents that are stored already for
            a company of the same root company; several, if they are the parts of one
            by PO number"""
        documents = self.env["copaco.document"].search_fetch(
            [
                ("root_company_id", "=", company.root_id.id),
                ("kind", "=", kind),
                ("invoice_number", "in", [each.invoice_number for each in heads]),
            ],
            [
                "company_id",
                "invoice_number",
                "account_key",
                "payload_digest",
                "hold_reason",
                "missing_state",
                "is_po_part",
                "po_part",
            ],
            order="id",
        )
        return documents.grouped(
            lambda document: (
                document.invoice_number,
                document.account_key or document.payload_digest,
            )
        )

    def _get_documents(self, run, response):
        """:return: the stored `copaco.document` records of a response"""
        known = self._get_known(run.company_id, run.kind, response.heads)
        return self.env["copaco.document"].union(
            *(known[_get_source_key(source)] for source in response.documents)
        )

    def _get_customers(self, run, heads, known):
        """Find or create the customers of a response. What another company of the same
        root company received first stays with its customers.

        :param heads: list of `DocumentHead`
        :param known: see `_get_known`
        :return: dict by company of dicts of `copaco.customer` by account
        """
        by_company = defaultdict(list)
        for head in heads:
            key = head.invoice_number, get_account_key(head.account_ref)
            company = known.get(key, run)[:1].company_id
            by_company[company].append(head)
        Customer = self.env["copaco.customer"]
        return {
            company: Customer._get_or_create(company, own)
            for company, own in by_company.items()
        }

    def _receive_known(self, run, document, source, currency, lost, merged=None):
        """A known document was received again. What its response lacks proves nothing,
        unless it asked for every day on which the document may have been created: then
        what it has is merged with what is known, line by line.

        :param document: `copaco.document`
        :param source: the `SourceDocument` that was received
        :param currency: its `res.currency`
        :param lost: dict that gets what Copaco no longer has, see `copaco.lost.charges`
        :param merged: `SourceDocument` with what is known, if that is told already
        :return: (`SourceDocument` of what is known with it, one of the keys of
            `copaco.missing.document._update`, whether all of it was known)
        """
        merger = self.env["copaco.source.merger"]
        if not merged and not _is_known_content(document, source.digest):
            source = merger._use_names_of(document, run, source)
        pending = document._get_pending_version()
        versioning = self.env["copaco.versioning"]
        is_covered = self.env["copaco.missing.document"]._is_covered(run, document)
        is_own = source.digest == document.payload_digest
        charges = self.env["copaco.lost.charges"]
        if is_covered:
            lost[document] = charges._find_lost(document._get_newest(), source)
        is_asked = is_own and (
            bool(lost.get(document) and charges._find_left_out(document, source))
            or (is_covered and self._is_billed_twice(document, pending))
            or self._has_new_total(document, source)
        )
        if _is_known_content(document, source.digest) and not is_asked:
            is_newest = source.digest == (pending or document).payload_digest
            if is_covered:
                versioning._withdraw_unless(pending, source.digest)
                if is_own:
                    document.version_ids._get_declined()._end_declined()
            self._receive_totals(document, source, pending)
            self.env["copaco.vat.checker"]._receive(document, source, run)
            return source, "whole" if is_covered or is_newest else "partial", True
        extent = "changed"
        if not is_covered:
            # What Copaco said last, though a person may have kept what it said before.
            if not merged:
                merged = merger._merge(document._get_newest().payload, source)
            if _is_known_content(document, merged.digest):
                return source, "partial", True
            if merged is not source:
                source, extent = merged, "merged"
        if run.trigger == "file" and _was_known_content(document, source.digest):
            return source, "partial", True
        pending.state = "replaced"
        version = self.env["copaco.document.version"].create(
            {
                "document_id": document.id,
                "run_id": run.id,
                "state": "pending",
                "currency_id": currency.id,
                "payload": source.payload,
                "payload_digest": source.digest,
                **self.env["copaco.document.builder"]._prepare_amounts(
                    source, currency
                ),
            }
        )
        versioning._settle(version)
        return source, extent, False

    def _is_billed_twice(self, document, pending):
        """Whether what Copaco takes back of a document can't count again unasked."""
        charges = self.env["copaco.restored.charges"]
        return (
            pending.payload_digest not in (False, document.payload_digest)
            and bool(document._get_live_invoice())
            and bool(charges._find_undecided(document))
        )

    def _has_new_total(self, document, source):
        """Whether Copaco states another total than it ever did with the lines that are
        invoiced, and they are not the sum: some may be missing."""
        builder = self.env["copaco.document.builder"]
        if (
            not document._get_live_invoice()
            or source.stated_amount is None
            or not builder._is_total_missed(document, source)
        ):
            return False
        payloads = [
            document.payload,
            *(
                version.payload
                for version in document.version_ids
                if version.payload_digest == source.digest
            ),
        ]
        return all(
            parse_payload(payload).stated_amount != source.stated_amount
            for payload in payloads
        )

    def _receive_totals(self, document, source, pending):
        """Copaco's totals were received again, and are no part of what makes a document
        known: what was held because of them is processed anew when they changed.

        :param source: the `SourceDocument` that was received
        :param pending: `copaco.document.version` records
        """
        builder = self.env["copaco.document.builder"]
        for version in pending:
            if (
                version.payload_digest == source.digest
                and version._misses_total()
                and not builder._is_total_missed(document, source)
            ):
                self.env["copaco.versioning"]._withdraw(version)
        amounts = builder._prepare_amounts(source, document.currency_id)
        totals = {name: amounts[name] for name in ("totals_difference", "unread_total")}
        if (
            document.state == "held"
            and document.hold_reason == "source_totals_differ"
            and any(document[name] != value for name, value in totals.items())
        ):
            document.write(
                {
                    **totals,
                    "state": "new",
                    "hold_reason": False,
                    "hold_message": False,
                }
            )
            self.env["copaco.background"]._continue_invoicing()


def _get_source_key(source):
    """:param source: a `SourceDocument`
    :return: what makes this document one and the same, within root company and kind
    """
    return source.invoice_number, get_account_key(source.account_ref) or source.digest


def _is_known_content(document, digest):
    """Whether this content is the document's own, or already waits for, or had, a
    person's decision."""
    return digest == document.payload_digest or any(
        version.payload_digest == digest
        for version in document.version_ids
        if version.state != "replaced"
    )


def _was_known_content(document, digest):
    """Whether this content is, or ever was, the document's own or a version's."""
    return digest in [
        document.payload_digest,
        *document.version_ids.mapped("payload_digest"),
    ]
