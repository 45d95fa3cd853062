import logging

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import float_compare

from ..client.documents import parse_payload
from ..const import KINDS, Hold
from ..tools import round_amount

_logger = logging.getLogger(__name__)

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

    @api.model
    def _import(self, run, response):
        """Create or update the documents of a response; nothing is committed.

        :param run: the `copaco.run` that brought it
        :param response: a `ParsedResponse`
        """
        Document = self.env["copaco.document"]
        customers = self.env["copaco.customer"]._get_or_create(
            run.company_id, [head.customer for head in response.heads]
        )
        known = self._get_known(run.company_id, run.kind, response.heads, customers)
        currencies, unread = {}, []
        totals = {"received": [0, 0, 0.0], "unchanged": [0, 0, 0.0]}
        new_vals_list, new_ids, received = [], [], []
        creation_vals = {
            "created_from": run.date_from,
            "created_to": run.date_to,
            "created_origin": run.date_from and run.origin,
        }
        for source in response.documents:
            code = source.currency
            if code not in currencies:
                currencies[code] = self._get_currency(code)
            currency = currencies[code]
            if source.error:
                unread.append(source.invoice_number)
            counted_as = ["received"]
            document = known.get(self._get_source_key(source, customers))
            if document:
                received.append(document)
            if document and document._is_known_content(source.digest):
                counted_as.append("unchanged")
                document._get_pending_version()._withdraw_unless(source.digest)
                self._receive_totals(document, source)
            else:
                vals = self._prepare_document_values(source, run, customers, currency)
                if document:
                    self._receive_new_content(document, source, vals)
                else:
                    new_vals_list.append({**vals, **creation_vals})
            figures = 1, len(source.lines), self._get_amount(source, currency)
            for name in counted_as:
                totals[name] = list(map(sum, zip(totals[name], figures, strict=True)))
            if sum(vals["line_count"] for vals in new_vals_list) >= LINES_AT_A_TIME:
                new_ids += self._create_documents(new_vals_list)
                new_vals_list = []
        new_ids += self._create_documents(new_vals_list)
        received = Document.union(*received)
        # What was rejected may be any of those that are missing.
        self.env["copaco.presence"]._update(
            run, received, None if response.rejected else unread
        )
        rejected_payload = "\n\n".join(
            f"{rejected.reason}\n{rejected.payload}" for rejected in response.rejected
        )
        is_read = not response.rejected and not unread
        self._finish(
            run,
            totals,
            [currency for code, currency in currencies.items() if code],
            {
                "rejected_count": len(response.rejected),
                "rejected_payload": rejected_payload,
                "is_unread": bool(rejected_payload)
                and not self._has_acknowledged(run, rejected_payload),
                "received_ids": is_read and [*received.ids, *new_ids],
            },
        )

    @api.model
    def _import_unchanged(self, run, digest):
        """Import a response that is the very same as one before, when no other response
        has brought any of its documents since: there is nothing to be read.

        :param run: the `copaco.run` that brought it
        :param digest: of the bytes of the response
        :return: whether that was so
        """
        previous = run.search(
            [
                ("connection_id", "=", run.connection_id.id),
                ("kind", "=", run.kind),
                ("origin", "=", run.origin),
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
        self.env["copaco.presence"]._update(run, documents, [])
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

    @api.model
    def _is_newer_content_known(self, previous, documents):
        """Whether reading the response of an earlier run again could change any of its
        documents: another response brought one of them since, or a document is held
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
                    [("hold_reason", "=", "source_totals_differ")]
                )
            )
        )

    @api.model
    def _finish(self, run, totals, currencies, vals):
        """Write what a response brought on its run.

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
            self.env["copaco.fetch.window"]._update_fetched_until(run.connection_id)

    @api.model
    def _has_acknowledged(self, run, rejected_payload):
        """Whether a person has already looked at the very same unreadable text, which
        comes again with each fetch of the overlap."""
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

    @api.model
    def _get_source_key(self, source, customers):
        """:param source: a `SourceDocument`
        :param customers: dict of `copaco.customer` by account
        :return: what makes this document one and the same, within company and kind
        """
        customer = customers.get(source.account_ref)
        return source.invoice_number, customer.id if customer else source.digest

    @api.model
    def _get_known(self, company, kind, heads, customers):
        """:param heads: list of `DocumentHead`
        :return: dict of the documents already stored, by `_get_source_key`"""
        documents = self.env["copaco.document"].search_fetch(
            [
                ("company_id", "=", company.id),
                ("kind", "=", kind),
                ("invoice_number", "in", [each.invoice_number for each in heads]),
            ],
            [
                "invoice_number",
                "customer_id",
                "payload_digest",
                "hold_reason",
                "missing_state",
            ],
        )
        return {
            (
                document.invoice_number,
                document.customer_id.id or document.payload_digest,
            ): document
            for document in documents
        }

    @api.model
    def _get_currency(self, code):
        """:return: `res.currency` of this code, active or not; empty for none"""
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "=", code)]) if code else currencies

    @api.model
    def _get_amount(self, source, currency):
        """:return: what the lines of a `SourceDocument` add up to, each rounded"""
        return float(
            sum(
                round_amount(line.extended_price, currency.rounding)
                for line in source.lines
            )
        )

    @api.model
    def _prepare_document_values(self, source, run, customers, currency):
        """:param source: a `SourceDocument`
        :param run: the `copaco.run` that brought it
        :param customers: dict of `copaco.customer` by account
        :param currency: its `res.currency`; empty: amounts are rounded to cents
        :return: values for `copaco.document.create`, lines included
        """
        Line = self.env["copaco.document.line"]
        lines = [
            {
                **Line._prepare_source_values(line, run.company_id, currency),
                "sequence": sequence,
            }
            for sequence, line in enumerate(source.lines, start=1)
        ]
        customer = customers.get(source.account_ref)
        vals = {
            "connection_id": run.connection_id.id,
            "company_id": run.company_id.id,
            "run_id": run.id,
            "kind": run.kind,
            "invoice_number": source.invoice_number,
            "customer_id": customer.id if customer else False,
            "invoice_date": source.invoice_date,
            "currency_id": currency.id,
            "currency_code": source.currency,
            "amount_source": self._get_amount(source, currency),
            "amount_exact": float(source.amount),
            "totals_difference": float(source.totals_difference or 0),
            "line_count": len(lines),
            "payload": source.payload,
            "payload_digest": source.digest,
            "line_ids": [Command.create(line) for line in lines],
            "state": "new",
            "hold_reason": False,
            "hold_message": False,
        }
        Document = self.env["copaco.document"]
        if source.error:
            vals.update(Document._prepare_hold_values(self._get_invalid_hold(source)))
        elif not KINDS[run.kind].move_type:
            vals["state"] = "excluded"
            vals["exclude_reason"] = self.env._(
                "Purchase invoices are stored, not invoiced."
            )
        elif not lines:
            vals["state"] = "excluded"
            vals["exclude_reason"] = self.env._("Copaco sent no price lines.")
        return vals

    @api.model
    def _get_invalid_hold(self, source):
        return Hold(
            "payload_invalid",
            self.env._(
                "Copaco invoice %(number)s could not be read: %(error)s Ask Copaco to "
                "correct it and fetch again, or exclude it and invoice it by hand.",
                number=source.invoice_number,
                error=source.error,
            ),
        )

    @api.model
    def _create_documents(self, vals_list):
        """Create documents; one that the database refuses is held without its lines,
        and stops no other.

        :param vals_list: list of `_prepare_document_values`
        :return: list of their ids; nothing of them stays in memory
        """
        documents = self.env["copaco.document"].with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
        )
        try:
            with self.env.cr.savepoint():
                created = documents.create(vals_list)
            created.line_ids.invalidate_recordset()
            created.invalidate_recordset()
            return created.ids
        except (OperationalError, UniqueViolation):
            # Others stored the same, or the database has errors of its own.
            raise
        except Exception:
            if len(vals_list) == 1:
                (vals,) = vals_list
                _logger.exception(
                    "Copaco document %s could not be stored", vals["invoice_number"]
                )
                hold = Hold(
                    "payload_invalid",
                    self.env._(
                        "Copaco invoice %(number)s could not be stored. Its text is "
                        "kept: exclude the document and invoice it by hand, and send "
                        "the server's log to whoever maintains this addon.",
                        number=vals["invoice_number"],
                    ),
                )
                vals = {**vals, **documents._prepare_hold_values(hold), "line_ids": []}
                return documents.create(
                    {**vals, "line_count": 0, "amount_source": 0, "amount_exact": 0}
                ).ids
        return [
            document_id
            for vals in vals_list
            for document_id in self._create_documents([vals])
        ]

    @api.model
    def _receive_new_content(self, document, source, vals):
        """A known document was received with other content.

        :param document: `copaco.document`
        :param source: the `SourceDocument` that was received
        :param vals: its values, see `_prepare_document_values`
        """
        document._get_pending_version().state = "replaced"
        version = self.env["copaco.document.version"].create(
            {
                "document_id": document.id,
                "run_id": vals["run_id"],
                "state": "pending",
                "currency_id": vals["currency_id"],
                "amount_source": vals["amount_source"],
                "totals_difference": vals["totals_difference"],
                "line_count": vals["line_count"],
                "payload": source.payload,
                "payload_digest": source.digest,
            }
        )
        version._settle()

    @api.model
    def _receive_totals(self, document, source):
        """Copaco's totals were received again, and are no part of what makes a document
        known: what was held because of them is processed anew when they changed.

        :param source: the `SourceDocument` that was received
        """
        difference = float(source.totals_difference or 0)
        if (
            document.state == "held"
            and document.hold_reason == "source_totals_differ"
            and float_compare(document.totals_difference, difference, 2)
        ):
            document.write(
                {
                    "totals_difference": difference,
                    "state": "new",
                    "hold_reason": False,
                    "hold_message": False,
                }
            )
            self.env.ref("account_copaco.ir_cron_process")._trigger()

    @api.model
    def _read_again(self, documents):
        """Read documents again that could not be read, or whose currency was unknown,
        when they were received: the addon or the currencies may be newer now."""
        for document in documents.filtered(
            lambda each: each.hold_reason == "payload_invalid" or not each.currency_id
        ):
            source = parse_payload(document.payload)
            customers = self.env["copaco.customer"]._get_or_create(
                document.company_id, [source.customer]
            )
            vals = self._prepare_document_values(
                source,
                document.run_id,
                customers,
                self._get_currency(source.currency),
            )
            vals["line_ids"].insert(0, Command.clear())
            # What is kept of a document doesn't tell the totals of the whole invoice.
            vals.pop("totals_difference")
            document.write(vals)
