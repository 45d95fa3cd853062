from decimal import Decimal
from typing import NamedTuple

from odoo import fields, models
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..exceptions import HeldError
from ..hold_reasons import Hold
from ..tools import get_rounding_room, list_names, round_amount
from .copaco_rule_engine import LineMatch

_lt = LazyTranslate(__name__)


class BillMatch(NamedTuple):
    """Everything that the bill of a Copaco invoice needs besides its documents; what a
    `DocumentMatch` has, for all of them."""

    documents: models.BaseModel  # the first one stands for all
    amount: float  # without tax
    vat: float | None  # None: Copaco doesn't state it
    partner: models.BaseModel  # the vendor
    fiscal_position: models.BaseModel
    journal: models.BaseModel
    user: models.BaseModel
    date_due: object  # None: the vendor's payment terms tell
    layout: str
    lines: dict  # `LineMatch` by `copaco.document.line`
    default: LineMatch
    is_refund: bool
    is_company_currency: bool
    has_analytic_models: bool
    quantity_digits: int


class CopacoBillMatcher(models.AbstractModel):
    """Searches, and never writes: who is the vendor, and which journal, accounts and
    taxes has the bill of a Copaco invoice?"""

    _name = "copaco.bill.matcher"
    _description = "Copaco Bill Matcher"

    def _get_match(self, documents, correction_date=None):
        """:param documents: `copaco.document` records of one bill
        :param correction_date: see `copaco.document.matcher`
        :return: the `BillMatch` of them and all others of the bill
        :raise UserError: when it can't be billed now
        """
        documents = documents._get_bill_documents().filtered(
            lambda each: each.state != "excluded"
        )
        match = self._match(documents, correction_date)
        if isinstance(match, Hold):
            raise HeldError(self.env, match.message)
        return match

    def _match(self, documents, correction_date=None):
        """:param documents: the `copaco.document` records of one Copaco invoice that
            are to be billed
        :param correction_date: see `copaco.document.matcher`
        :return: `BillMatch`, or a `Hold` for all of them
        """
        matcher = self.env["copaco.document.matcher"]
        document = documents[0]
        connection = document.connection_id
        hold = (
            (not correction_date and self._check_source_totals(documents))
            or (not correction_date and self._check_vat(documents))
            or matcher._check_currency(document)
            or self._check_same_currency(documents)
            or self._check_vendor(document)
            or self._check_same_vendor(documents)
            or self._check_vendor_country(document)
            or self._check_journal(document)
        )
        if hold:
            return hold
        company, vendor = document.company_id, connection.vendor_id
        fiscal_position = (
            self.env["account.fiscal.position"]
            .with_company(company)
            ._get_fiscal_position(vendor)
        )
        engine = self.env["copaco.rule.engine"]
        book = engine._get_rule_book(documents.company_id)
        lines = {}
        for each in documents:
            found = engine._match_lines(each, fiscal_position, book)
            if isinstance(found, Hold):
                return found
            lines |= found
        default = engine._match_rule(
            document, self.env["copaco.rule"], fiscal_position, book
        )
        if isinstance(default, Hold):
            return default
        if correction_date:
            hold = self._check_lock_dates(document, lines, correction_date)
            if hold:
                return hold
        amount = self._get_amount(documents)
        return BillMatch(
            documents=documents,
            amount=amount,
            vat=self._get_vat(documents),
            partner=vendor,
            fiscal_position=fiscal_position,
            journal=connection.purchase_journal_id,
            user=connection.responsible_id,
            date_due=self._get_date_due(document),
            layout=connection.bill_layout,
            lines=lines,
            default=default,
            is_refund=amount < 0,
            is_company_currency=document.currency_id == company.currency_id,
            has_analytic_models=matcher._has_analytic_models(company),
            quantity_digits=self.env["decimal.precision"].precision_get("Product Unit"),
        )

    def _check_lock_dates(self, document, lines, invoice_date):
        """:param lines: dict of `LineMatch`
        :return: a `Hold` when a bill can't be booked on that day, or None. One that is
            there already can be linked whatever its day.
        """
        return self.env["copaco.document.matcher"]._check_lock_dates(
            document, any(match.taxes for match in lines.values()), invoice_date
        )

    def _check_source_totals(self, documents):
        matcher = self.env["copaco.document.matcher"]
        return next(filter(None, map(matcher._check_source_totals, documents)), None)

    def _check_vat(self, documents):
        unread = documents.filtered("unread_vat")[:1]
        if not unread or any(documents.mapped("is_vat_accepted")):
            return None
        checker = self.env["copaco.vat.checker"]
        return Hold("vat_differs", checker._get_unread_message(unread))

    def _check_journal(self, document):
        connection = document.connection_id
        if connection.purchase_policy != "create":
            return None
        if connection.purchase_journal_id:
            return self.env["copaco.document.matcher"]._check_journal(document)
        return Hold(
            "account_missing",
            _lt(
                "%(document)s can't be booked, because connection %(connection)s has "
                "no purchase journal. Choose one there, then retry.",
                document=document.name,
                connection=connection.name,
            ),
        )

    def _check_vendor(self, document):
        connection = document.connection_id
        if connection.vendor_id.active:
            return None
        if connection.suggested_vendor_id:
            return Hold(
                "vendor_unknown",
                _lt(
                    "%(document)s has no vendor. It may be %(vendor)s, who has the "
                    "name of its sender: accept that on connection %(connection)s, or "
                    "choose another contact there.",
                    document=document.name,
                    vendor=connection.suggested_vendor_id.display_name,
                    connection=connection.name,
                ),
            )
        return Hold(
            "vendor_unknown",
            _lt(
                "%(document)s has no vendor: choose the contact of the Copaco company "
                "that bills you on connection %(connection)s.",
                document=document.name,
                connection=connection.name,
            ),
        )

    def _check_same_vendor(self, documents):
        """Two vendors may have used the same number."""
        vendors = documents.connection_id.vendor_id.commercial_partner_id
        if len(vendors) < 2:
            return None
        return Hold(
            "vendor_unknown",
            _lt(
                "Copaco invoice %(number)s was received by connections with different "
                "vendors: %(vendors)s. If it is one invoice, choose the same vendor on "
                "them. If there are several, exclude the documents of all but one and "
                "enter their bills manually. Then retry.",
                number=documents[0].invoice_number,
                vendors=list_names(vendors.mapped("display_name")),
            ),
        )

    def _check_same_currency(self, documents):
        """Copaco may have changed that of some of them."""
        currencies = documents.currency_id
        if len(currencies) < 2:
            return None
        return Hold(
            "bill_incomplete",
            _lt(
                "Copaco invoice %(number)s can't be billed, because its documents are "
                "in different currencies: %(currencies)s. Delete its draft bill, if "
                "there is one. Then use the new version of each of its documents, or "
                "fetch the day on which Copaco created it again.",
                number=documents[0].invoice_number,
                currencies=list_names(currencies.mapped("name")),
            ),
        )

    def _check_vendor_country(self, document):
        """Without country and VAT number, Odoo takes a vendor in another EU country for
        a domestic one, or a private person, and deducts domestic VAT."""
        company, vendor = document.company_id, document.connection_id.vendor_id
        if vendor.with_company(company).property_account_position_id:
            return None
        own = company.account_fiscal_country_id
        country = vendor.country_id
        if not country:
            sender = parse_payload(document.payload).sender
            code = ((sender and sender.country_code) or own.code or "").upper()
            country = country.search([("code", "=", code)])
        countries = self.env.ref("base.europe").country_ids
        if (
            country == own
            or not country & countries
            or not own & countries
            or (vendor.country_id and vendor.vat)
        ):
            return None
        return Hold(
            "vendor_unknown",
            _lt(
                "%(document)s can't be booked: vendor %(vendor)s is in %(country)s, "
                "and without country and VAT number Odoo would deduct domestic VAT. "
                "Enter both on the contact, then retry.",
                document=document.name,
                vendor=vendor.display_name,
                country=country,
            ),
        )

    def _get_amount(self, documents):
        """Promise 4 in doc/how_it_works.rst.

        :return: what a Copaco invoice costs without tax: the exact sum of its lines,
            rounded; or what Copaco states, where rounding explains the difference
        """
        if len(documents) == 1:
            return documents.amount_to_invoice
        lines = documents._get_billed_lines()
        exact = sum(Decimal(repr(line.extended_price)) for line in lines)
        rounding = documents.currency_id.rounding
        differences = set(documents.mapped("totals_difference"))
        if len(differences) == 1 and set(documents.mapped("totals_line_count")) == {
            len(lines)
        }:
            difference = Decimal(repr(differences.pop()))
            if abs(difference) <= get_rounding_room(len(lines), rounding):
                exact += difference
        return float(round_amount(exact, rounding))

    def _get_vat(self, documents):
        if not all(documents.mapped("has_vat")):
            return None
        excluded = documents.line_ids - documents._get_billed_lines()
        exact = sum(Decimal(repr(document.amount_vat)) for document in documents)
        exact -= sum(Decimal(repr(line.vat)) for line in excluded)
        return float(round_amount(exact, documents.currency_id.rounding))

    def _get_date_due(self, document):
        """:return: the day until which Copaco says that its invoice has to be paid;
        None when it is before that of the invoice, which no invoice can mean"""
        date_due = fields.Date.to_date(parse_payload(document.payload).due_date)
        invoice_date = document.invoice_date
        if date_due and invoice_date and date_due < invoice_date:
            return None
        return date_due
