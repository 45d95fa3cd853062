import logging

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.fields import Command
from odoo.tools import formatLang

from ..client.documents import parse_payload
from .copaco_mapper import round_amount
from .copaco_matcher import Hold
from .copaco_run import COLLISIONS

_logger = logging.getLogger(__name__)


class CopacoDocument(models.Model):
    """What arrives: how it is recognised, stored, and replaced when it changes."""

    _inherit = "copaco.document"

    @api.model
    def _get_source_key(self, source, customers):
        """:param source: a `SourceDocument`
        :param customers: dict of `copaco.customer` by account
        :return: what makes this document one and the same, within company and kind
        """
        customer = customers.get(source.account_ref)
        if customer:
            return source.invoice_number, customer.id
        return source.invoice_number, source.digest

    @api.model
    def _get_known(self, company, kind, sources, customers):
        """:return: dict of the documents already stored, by `_get_source_key`"""
        documents = self.search_fetch(
            [
                ("company_id", "=", company.id),
                ("kind", "=", kind),
                ("invoice_number", "in", [each.invoice_number for each in sources]),
            ],
            ["invoice_number", "customer_id", "payload_digest", "hold_reason"],
        )
        return {
            (
                document.invoice_number,
                document.customer_id.id or document.payload_digest,
            ): document
            for document in documents
        }

    @api.model
    def _get_currencies(self, sources):
        """:return: dict of `res.currency` by code, inactive ones included"""
        codes = {source.currency for source in sources if source.currency}
        currencies = self.env["res.currency"].with_context(active_test=False)
        return {
            currency.name: currency
            for currency in currencies.search([("name", "in", list(codes))])
        }

    @api.model
    def _prepare_source_values(self, source, run, customers, currencies):
        """:param source: a `SourceDocument`
        :return: values for `create`, lines included
        """
        currency = currencies.get(source.currency, self.env["res.currency"])
        Line = self.env["copaco.document.line"]
        lines = [
            {**Line._prepare_source_values(line, currency), "sequence": sequence}
            for sequence, line in enumerate(source.lines, start=1)
        ]
        vals = {
            "connection_id": run.connection_id.id,
            "company_id": run.company_id.id,
            "run_id": run.id,
            "kind": run.kind,
            "invoice_number": source.invoice_number,
            "customer_id": customers[source.account_ref].id
            if source.account_ref in customers
            else False,
            "invoice_date": source.invoice_date,
            "currency_id": currency.id,
            "currency_code": source.currency,
            "amount_source": float(
                sum(
                    round_amount(line.extended_price, currency.rounding)
                    for line in source.lines
                )
            ),
            "line_count": len(lines),
            "payload": source.payload,
            "payload_digest": source.digest,
            "line_ids": [Command.create(line) for line in lines],
            "state": "new",
            "hold_reason": False,
            "hold_message": False,
        }
        if source.error:
            vals.update(self._prepare_hold_values(self._get_invalid_hold(source)))
        elif run.kind == "purchase":
            vals["state"] = "excluded"
            vals["exclude_reason"] = self.env._(
                "What the reseller itself pays is kept, not invoiced."
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
    def _store(self, vals_list):
        """Create documents; one that the database refuses is held without its lines,
        and stops no other.

        :param vals_list: list of `_prepare_source_values`
        """
        documents = self.with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
        )
        try:
            with self.env.cr.savepoint():
                documents.create(vals_list)
            return
        except (*COLLISIONS, UniqueViolation):
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
                vals = {**vals, **self._prepare_hold_values(hold), "line_ids": []}
                documents.create({**vals, "line_count": 0, "amount_source": 0})
                return
        for vals in vals_list:
            self._store([vals])

    def _drop_pending(self):
        """Copaco took a change back that no one had decided about."""
        self.ensure_one()
        self.version_ids.filtered(
            lambda version: version.state == "pending"
        ).state = "replaced"
        self.invalidate_recordset(["has_pending_version"])
        if self._has_live_invoice():
            self._set_invoiced()
        elif self.exclude_reason:
            self._resume()
        elif self.move_id:
            # A person cancelled it: no new invoice unasked.
            self._on_invoice_gone("invoice_cancelled")
        else:
            # Perhaps a person deleted its invoice: none is made unasked either.
            self._hold(
                Hold(
                    "source_changed",
                    self.env._(
                        "Copaco took back what it had changed in %(document)s. Retry "
                        "to invoice it as it came first, or exclude it.",
                        document=self.name,
                    ),
                )
            )
        self._message_log(body=self.env._("Copaco took back what it had changed."))

    def _is_known_content(self, digest):
        """Whether this content is the document's own, or already waits for, or had, a
        person's decision."""
        self.ensure_one()
        return digest == self.payload_digest or any(
            version.payload_digest == digest
            for version in self.version_ids
            if version.state != "replaced"
        )

    def _receive_new_content(self, source, vals):
        """A known document came with other content.

        Nothing was done with it yet: the new content takes its place. Otherwise, or
        when it shares no line with the old and so may be a second part instead, a
        person decides.

        :param source: the `SourceDocument` that came
        :param vals: its values, see `_prepare_source_values`
        """
        self.ensure_one()
        self.version_ids.filtered(
            lambda version: version.state == "pending"
        ).state = "replaced"
        version = self.env["copaco.document.version"].create(
            {
                "document_id": self.id,
                "run_id": vals["run_id"],
                "state": "pending",
                "currency_id": vals["currency_id"],
                "amount_source": vals["amount_source"],
                "line_count": vals["line_count"],
                "payload": source.payload,
                "payload_digest": source.digest,
            }
        )
        identities = {
            identity
            for line in self.line_ids
            for identity in (line.row_hash, line.line_ref)
            if identity
        }
        is_same = not self.line_ids or any(
            line.row_hash in identities or line.line_ref in identities
            for line in source.lines
        )
        # A person's decision, or one that waits for a person, is not touched.
        untouched = self.state == "new" or (
            self.state == "held"
            and not self.move_id
            and self.hold_reason not in ("invoice_deleted", "source_changed")
        )
        if untouched and is_same or self.is_excluded_by_customer:
            self._take_over(version)
            return
        invoice = self._get_live_invoice()
        if invoice:
            advice = self.env._(
                "To use the new version, cancel or delete invoice %(invoice)s first. "
                "To leave it, keep the old version and correct the rest by hand.",
                invoice=invoice.name or self.env._("(draft)"),
            )
        elif is_same:
            advice = self.env._("Choose which version counts.")
        else:
            advice = self.env._(
                "They have no line in common, so this may be a second part: keep the "
                "old version and invoice the new one by hand, or use the new one.",
            )
        message = self.env._(
            "Copaco changed %(document)s after it had come: %(old)s became %(new)s "
            "without tax. See What Changed on the document. %(advice)s",
            document=self.name,
            old=formatLang(self.env, self.amount_source, currency_obj=self.currency_id),
            new=formatLang(
                self.env, version.amount_source, currency_obj=version.currency_id
            ),
            advice=advice,
        )
        self.write(
            {
                "state": "changed" if invoice else "held",
                "hold_reason": "source_changed",
                "hold_message": message,
            }
        )
        self._message_log(body=message)

    def _take_over(self, version):
        """Make a pending version the document's own content; the old is kept.

        :param version: `copaco.document.version`
        """
        self.ensure_one()
        old_vals = {
            "document_id": self.id,
            "run_id": self.run_id.id,
            "state": "replaced",
            "currency_id": self.currency_id.id,
            "amount_source": self.amount_source,
            "line_count": self.line_count,
            "payload": self.payload,
            "payload_digest": self.payload_digest,
        }
        state = self.state
        old_run, run = self.run_id, version.run_id
        source = parse_payload(version.payload)
        version.unlink()
        self.env["copaco.document.version"].create(old_vals)
        customers = {self.customer_id.account_ref: self.customer_id}
        vals = self._prepare_source_values(
            source, run, customers, self._get_currencies([source])
        )
        self.line_ids.unlink()
        if state == "excluded":
            vals["state"] = state
        # Who the document is for was decided when it came first.
        for name in ("company_id", "customer_id", "invoice_number", "connection_id"):
            vals.pop(name)
        self.write(vals)
        old_run._refresh_state()
        self._message_log(body=self.env._("Took over what Copaco changed."))

    def _reload(self):
        """Read documents again that could not be read, or whose currency was unknown,
        when they came: the addon or the currencies may have learnt to since."""
        for document in self.filtered(
            lambda each: each.hold_reason == "payload_invalid" or not each.currency_id
        ):
            source = parse_payload(document.payload)
            customers = self.env["copaco.customer"]._get_or_create(
                document.company_id, [source.customer]
            )
            vals = self._prepare_source_values(
                source,
                document.run_id,
                customers,
                self._get_currencies([source]),
            )
            vals["line_ids"].insert(0, Command.clear())
            document.write(vals)
