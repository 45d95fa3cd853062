from datetime import date, timedelta
from typing import NamedTuple

from odoo import fields, models
from odoo.tools import LazyTranslate

from ..const import KINDS
from ..exceptions import HeldError
from ..hold_reasons import Hold
from ..tools import Amount, LockDates, quote_message, to_decimal
from .copaco_rule_engine import LineMatch

_lt = LazyTranslate(__name__)


class DocumentMatch(NamedTuple):
    """Everything that an invoice needs besides the documents that it is of."""

    documents: models.BaseModel  # the first one stands for all
    partner: models.BaseModel
    fiscal_position: models.BaseModel
    journal: models.BaseModel
    user: models.BaseModel
    lines: dict  # `LineMatch` by `copaco.document.line`
    # Of a line that the document has no longer; only for corrections.
    default: LineMatch | None
    is_refund: bool
    is_company_currency: bool
    has_analytic_models: bool
    quantity_digits: int

    @property
    def amount(self):
        amounts = self.documents.mapped("amount_to_invoice")
        return self.documents.currency_id.round(sum(amounts))


class CopacoDocumentMatcher(models.AbstractModel):
    """Searches, and never writes: which address, journal and currency has the invoice,
    and may it be created?"""

    _name = "copaco.document.matcher"
    _description = "Copaco Document Matcher"

    def _match_documents(self, documents, correction_date=None):
        """Find everything that the invoices of documents need.

        :param documents: `copaco.document` records of one connection
        :param correction_date: of what corrects their invoices, when it is not the
            invoices themselves that are made; no lines may be left of them
        :return: dict by document: `DocumentMatch`, `Hold`, or None when the customer
            is excluded
        """
        has_analytic_models = {
            company: self._has_analytic_models(company)
            for company in documents.company_id
        }
        invoice_addresses = self._get_addresses(
            documents.customer_id.partner_id, "invoice"
        )
        delivery_addresses = self._get_addresses(
            self.env["res.partner"].union(*invoice_addresses.values()), "delivery"
        )
        book = self.env["copaco.rule.engine"]._get_rule_book(documents.company_id)
        return {
            document: self._match_document(
                document,
                invoice_addresses.get(document.customer_id.partner_id),
                delivery_addresses,
                has_analytic_models[document.company_id],
                book,
                correction_date,
            )
            for document in documents
        }

    def _get_match(self, documents, **options):
        """:param documents: the `copaco.document` records of one invoice
        :return: its `DocumentMatch`; see `_get_matches`
        """
        matches = self._get_matches(documents, **options)
        return self.env["copaco.invoice.grouper"]._merge_there(matches)

    def _get_matches(self, documents, **options):
        """See `_match_documents`.

        :raise UserError: when a document can't be invoiced now
        """
        matches = self._match_documents(documents, **options)
        for document, match in matches.items():
            if isinstance(match, Hold):
                raise HeldError(self.env, match.message)
            if match is None:
                raise HeldError(
                    self.env,
                    _lt(
                        "All documents of customer %(customer)s are excluded. Cancel "
                        "or delete the invoice of %(document)s, or undo the exclusion.",
                        customer=document.customer_id.display_name,
                        document=document.name,
                    ),
                )
        return matches

    def _has_analytic_models(self, company):
        return bool(
            self.env["account.analytic.distribution.model"].search_count(
                [("company_id", "in", [False, *company.parent_ids.ids])], limit=1
            )
        )

    def _get_addresses(self, partners, kind):
        """:return: dict of the addresses of a kind by partner, read all at once"""
        found = {partner: partner.address_get([kind])[kind] for partner in partners}
        together = partners.browse(found.values())
        return {
            partner: partners.browse(address_id).with_prefetch(together.ids)
            for partner, address_id in found.items()
        }

    def _match_document(
        self,
        document,
        partner,
        delivery_addresses,
        has_analytic_models,
        book,
        correction_date,
    ):
        customer = document.customer_id
        if customer.state == "excluded":
            return None
        hold = (
            (not correction_date and self._check_source_totals(document))
            or (not correction_date and self._check_lines(document))
            or (not correction_date and self._check_date(document))
            or self._check_customer(document, customer)
            or (not correction_date and self._check_po_number(document, customer))
            or self._check_currency(document)
            or self._check_journal(document)
        )
        if hold:
            return hold
        company = document.company_id
        connection = document.connection_id
        fiscal_position = (
            self.env["account.fiscal.position"]
            .with_company(company)
            ._get_fiscal_position(partner, delivery=delivery_addresses[partner])
        )
        engine = self.env["copaco.rule.engine"]
        lines = engine._match_lines(document, fiscal_position, book)
        if isinstance(lines, Hold):
            return lines
        default = None
        if correction_date:
            no_rule = self.env["copaco.rule"]
            default = engine._match_rule(document, no_rule, fiscal_position, book)
            if isinstance(default, Hold):
                return default
        hold = self._check_lock_dates(
            document,
            any(match.taxes for match in (*lines.values(), default) if match),
            correction_date or document._get_invoice_date(),
        ) or (
            not correction_date
            and self.env["copaco.credit.note"]._check(document, partner)
        )
        if hold:
            return hold
        return DocumentMatch(
            documents=document,
            partner=partner,
            fiscal_position=fiscal_position,
            journal=connection.journal_id,
            user=partner.user_id
            or partner.commercial_partner_id.user_id
            or connection.responsible_id,
            lines=lines,
            default=default,
            is_refund=document.amount_to_invoice < 0,
            is_company_currency=document.currency_id == company.currency_id,
            has_analytic_models=has_analytic_models,
            quantity_digits=self.env["decimal.precision"].precision_get("Product Unit"),
        )

    def _check_lines(self, document):
        if document._get_billed_lines():
            return None
        return Hold(
            "payload_invalid",
            _lt(
                "%(document)s has no price lines, so there is nothing to invoice. "
                "Exclude it.",
                document=document.name,
            ),
        )

    def _check_source_totals(self, document):
        if document.unread_total:
            return Hold(
                "source_totals_differ",
                _lt(
                    "%(document)s: what Copaco says is the total of its invoice can't "
                    "be read: it is “%(text)s”. Compare the lines with Copaco's own "
                    "invoice. Accept the lines to invoice them, or exclude the "
                    "document.",
                    document=document.name,
                    text=document.unread_total,
                ),
            )
        currency, connection = document.currency_id, document.connection_id
        difference = to_decimal(document.totals_difference)
        allowed = connection._get_allowed_difference(
            currency, document.totals_line_count
        )
        if abs(difference) <= allowed:
            return None
        return Hold(
            "source_totals_differ",
            _lt(
                "%(document)s: what Copaco says is the total of its invoice differs "
                "from the sum of the lines by %(amount)s. Compare it with Copaco's own "
                "invoice. Accept the lines to invoice them, or exclude the document. "
                "Rounding and connection %(connection)s allow %(tolerance)s.",
                document=document.name,
                amount=Amount(difference, currency),
                connection=connection.name,
                tolerance=Amount(allowed, currency),
            ),
        )

    def _check_customer(self, document, customer):
        partner = customer.partner_id
        if (
            partner.company_id
            and partner.company_id not in document.company_id.parent_ids
        ):
            return Hold(
                "partner_company",
                _lt(
                    "%(document)s is for contact %(partner)s, which belongs to company "
                    "%(company)s. Choose another contact for customer %(customer)s, or "
                    "take the company off the contact, then retry.",
                    document=document.name,
                    partner=partner.display_name,
                    company=partner.company_id.name,
                    customer=customer.display_name,
                ),
            )
        if partner and not partner.active:
            return Hold(
                "partner_archived",
                _lt(
                    "%(document)s is for contact %(partner)s, which is archived. "
                    "Restore the contact or choose another one for customer "
                    "%(customer)s, then retry.",
                    document=document.name,
                    partner=partner.display_name,
                    customer=customer.display_name,
                ),
            )
        if partner:
            return None
        if customer.is_ambiguous:
            return Hold(
                "customer_ambiguous",
                _lt(
                    "%(document)s: it is not certain which contact customer "
                    "%(customer)s is. %(reason)s Choose the contact on the customer.",
                    document=document.name,
                    customer=customer.display_name,
                    reason=quote_message(customer, "suggestion_reason"),
                ),
            )
        if customer.suggested_partner_id:
            message = _lt(
                "%(document)s: this customer (account %(account)s) is not linked to a "
                "contact yet. It may be %(partner)s. %(reason)s Accept that on the "
                "customer, or choose another contact.",
                document=document.name,
                account=customer.account_ref,
                partner=customer.suggested_partner_id.display_name,
                reason=quote_message(customer, "suggestion_reason"),
            )
        else:
            message = _lt(
                "%(document)s: this customer (account %(account)s) is not linked to a "
                "contact yet. Choose or create the contact on the customer.",
                document=document.name,
                account=customer.account_ref,
            )
        return Hold("customer_unknown", message)

    def _check_po_number(self, document, customer):
        if not customer.is_po_number_required:
            return None
        lines = document._get_billed_lines()
        lacking = lines.filtered(lambda line: not line._get_po_number())
        if not lacking:
            return None
        return Hold(
            "po_number_missing",
            _lt(
                "%(document)s: %(count)s of %(total)s lines have no PO number, such as "
                "%(line)s, and customer %(customer)s refuses invoices without one. "
                "Enter it on the customer for lines for which Copaco sends none, or "
                "take the requirement off the customer.",
                document=document.name,
                count=len(lacking),
                total=len(lines),
                line=lacking[0].display_name,
                customer=customer.display_name,
            ),
        )

    def _check_currency(self, document):
        currency = document.currency_id
        company = document.company_id
        if not document.currency_code:
            return Hold(
                "currency_unknown",
                _lt(
                    "Copaco sent no currency with %(document)s. Exclude it and invoice "
                    "it manually.",
                    document=document.name,
                ),
            )
        if not currency:
            return Hold(
                "currency_unknown",
                _lt(
                    "%(document)s is in currency %(code)s, which Odoo does not know. "
                    "Create it under Invoicing, Configuration, Currencies, then "
                    "retry.",
                    document=document.name,
                    code=document.currency_code,
                ),
            )
        if not currency.active:
            return Hold(
                "currency_inactive",
                _lt(
                    "%(document)s is in %(currency)s, which is not active. Activate it "
                    "under Invoicing, Configuration, Currencies, then retry.",
                    document=document.name,
                    currency=currency.name,
                ),
            )
        if currency != company.currency_id and not self.env[
            "res.currency.rate"
        ].search_count(
            [
                ("currency_id", "=", currency.id),
                ("company_id", "in", [False, company.root_id.id]),
                ("name", "<=", document._get_invoice_date()),
            ],
            limit=1,
        ):
            return Hold(
                "currency_rate_missing",
                _lt(
                    "%(document)s is in %(currency)s, for which there is no exchange "
                    "rate on %(date)s. Enter one, then retry.",
                    document=document.name,
                    currency=currency.name,
                    date=document._get_invoice_date(),
                ),
            )
        return None

    def _check_journal(self, document):
        connection = document.connection_id
        journal = connection[KINDS[document.kind].journal]
        if journal.active:
            return None
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because journal %(journal)s is "
                "archived. Restore it or choose another one on connection "
                "%(connection)s, then retry.",
                document=document.name,
                journal=journal,
                connection=connection.name,
            ),
        )

    def _check_date(self, document):
        """Copaco was asked for what it created on some days; an invoice of another age
        has a wrong date, unless a person says that it is right."""
        if document._get_chosen_date():
            return None
        tolerance = timedelta(days=document.connection_id.date_tolerance_days)
        # Nobody knows how old a file is.
        first = document.created_from or date.min + tolerance
        last = document.created_to or fields.Date.context_today(document)
        if first - tolerance <= document.invoice_date <= last + tolerance:
            return None
        return Hold(
            "date_unlikely",
            _lt(
                "%(document)s is dated %(date)s, which is more than %(days)s days away "
                "from the days that Copaco was asked for. Press Invoice with another "
                "date…, and enter the date of the invoice, which may be the same.",
                document=document.name,
                date=document.invoice_date,
                days=tolerance.days,
            ),
        )

    def _check_lock_dates(self, document, has_tax, invoice_date):
        """Odoo would move the accounting date out of a locked period without a word."""
        violated = document.company_id._get_violated_lock_dates(
            invoice_date, has_tax, document.connection_id[KINDS[document.kind].journal]
        )
        if not violated:
            return None
        values = {
            "document": document.name,
            "date": invoice_date,
            "locks": LockDates(violated),
        }
        if any(name == "hard_lock_date" for _date, name in violated):
            message = _lt(
                "%(document)s is dated %(date)s, in a period that is locked for good "
                "(%(locks)s). Press Invoice with another date….",
                **values,
            )
        else:
            message = _lt(
                "%(document)s is dated %(date)s, in a period that is locked "
                "(%(locks)s). Open the period or make an exception to the lock, then "
                "retry; or press Invoice with another date….",
                **values,
            )
        return Hold("period_locked", message)

    def _get_first_open_day(self, document, day=None):
        """:param day: by default the date of the document; if that is unlikely, today
        :return: the first day from then on that is not locked
        """
        if not day and document.hold_reason == "date_unlikely":
            day = fields.Date.context_today(document)
        day = day or document.invoice_date
        while violated := document.company_id._get_violated_lock_dates(
            day, True, document.connection_id[KINDS[document.kind].journal]
        ):
            day = max(lock_date for lock_date, _name in violated) + timedelta(days=1)
        return day
