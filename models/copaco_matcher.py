import re
import unicodedata
from collections import defaultdict
from difflib import SequenceMatcher
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, email_domain_extract

# Two names count as alike from here on: "Jansen Techniek" and "Jansen Technik" do,
# "Jansen" and "Janssen Bouw" don't. It only ever makes a suggestion.
LIKENESS = 0.85
LEGAL_FORMS = frozenset(
    "bv nv vof bvba sprl srl sa cv cvba cvoa scrl maatschap stichting vereniging "
    "gmbh ag ltd limited inc llc plc sarl sas holding groep group".split()
)
# What anyone may have an address at says nothing about whom one works for.
PUBLIC_EMAIL_DOMAINS = frozenset(
    "gmail.com googlemail.com hotmail.com hotmail.nl hotmail.be outlook.com outlook.nl "
    "outlook.be live.com live.nl live.be msn.com yahoo.com yahoo.nl icloud.com me.com "
    "ziggo.nl kpnmail.nl planet.nl xs4all.nl home.nl telenet.be skynet.be proximus.be "
    "telfort.nl upcmail.nl casema.nl chello.nl hetnet.nl protonmail.com proton.me "
    "gmx.net gmx.com aol.com".split()
)


class Hold(NamedTuple):
    """Why a document can't be invoiced yet."""

    reason: str  # a value of `copaco.document.hold_reason`
    message: str  # what happened, to which record, and what to do next


class CustomerMatch(NamedTuple):
    """Who a Copaco customer is."""

    partner: models.BaseModel  # `res.partner`, empty unless it is certain
    method: str  # a value of `copaco.customer.match_method`, or ""
    suggestion: models.BaseModel  # `res.partner`, for a person to accept
    reason: str  # for a person: why this suggestion, or why none
    is_ambiguous: bool


class DocumentMatch(NamedTuple):
    """Everything that a document's invoice needs besides the document itself."""

    partner: models.BaseModel
    fiscal_position: models.BaseModel
    journal: models.BaseModel
    product: models.BaseModel
    account: models.BaseModel
    taxes: models.BaseModel
    tax_tags: models.BaseModel
    user: models.BaseModel
    is_refund: bool
    is_company_currency: bool
    has_analytic_models: bool
    quantity_digits: int


class CopacoMatcher(models.AbstractModel):
    """Searches, and never writes: which partner, currency, account, tax?"""

    _name = "copaco.matcher"
    _description = "Copaco Matcher"

    # === CUSTOMERS === #

    @api.model
    def _match_customers(self, customers):
        """Find the partners of Copaco customers of one company, on evidence that can't
        be shared (DESIGN 6); likeness is only suggested.

        :param customers: `copaco.customer` records
        :return: dict of `CustomerMatch` by customer
        """
        company = customers.company_id
        by_number = self._match_partners_by_number(company, customers)
        by_vat = self._match_partners_by_vat(company, customers)
        shared_numbers = self._get_shared_numbers(company, customers)
        matches = {}
        unknown = self.env["copaco.customer"]
        for customer in customers:
            match = self._match_customer(
                customer,
                by_number[customer],
                by_vat[customer],
                customer.customer_number in shared_numbers,
            )
            if match:
                matches[customer] = match
            else:
                unknown |= customer
        if unknown:
            matches.update(self._suggest_partners(company, unknown))
        return matches

    @api.model
    def _match_customer(self, customer, by_number, by_vat, is_number_shared):
        """:return: a `CustomerMatch`, or nothing when there is no evidence at all"""
        none = self.env["res.partner"]
        entities = (by_number | by_vat).commercial_partner_id
        if len(entities) > 1:
            return CustomerMatch(
                none,
                "",
                none,
                self.env._(
                    "several contacts have its customer number %(number)s or VAT "
                    "number %(vat)s: %(partners)s",
                    number=customer.customer_number or "–",
                    vat=customer.vat or "–",
                    partners=", ".join(entities.mapped("display_name")),
                ),
                True,
            )
        if by_vat:
            # The contact that has the number is meant when it belongs to the entity.
            partner = by_number if len(by_number) == 1 else entities
            return CustomerMatch(partner, "vat", none, "", False)
        if by_number and is_number_shared:
            return CustomerMatch(
                none,
                "",
                by_number[:1],
                self.env._(
                    "same customer number %(number)s, which several Copaco customers "
                    "have",
                    number=customer.customer_number,
                ),
                False,
            )
        if len(by_number) == 1:
            return CustomerMatch(by_number, "customer_number", none, "", False)
        if by_number:
            if entities in by_number:
                return CustomerMatch(entities, "customer_number", none, "", False)
            return CustomerMatch(
                none,
                "",
                entities,
                self.env._(
                    "several of its contacts have the reference %(number)s",
                    number=customer.customer_number,
                ),
                True,
            )
        return None

    @api.model
    def _get_partner_domain(self, company):
        """The contacts that may be billed: the company's own or shared ones, except
        the company itself (a reseller is its own customer for telecom)."""
        return [
            *self.env["res.partner"]._check_company_domain(company),
            ("id", "!=", company.partner_id.id),
        ]

    @api.model
    def _match_partners_by_number(self, company, customers):
        """:return: dict of the partners whose reference is the customer's number"""
        numbers = {each.customer_number for each in customers if each.customer_number}
        partners = self.env["res.partner"].search(
            [*self._get_partner_domain(company), ("ref", "in", list(numbers))]
        )
        by_ref = partners.grouped("ref")
        return {
            customer: by_ref.get(customer.customer_number, self.env["res.partner"])
            if customer.customer_number
            else self.env["res.partner"]
            for customer in customers
        }

    @api.model
    def _match_partners_by_vat(self, company, customers):
        """:return: dict of the partners that have the customer's VAT number, however
        the two are written"""
        vats = {
            customer: compact_vat(customer.vat, customer.country_code)
            for customer in customers
        }
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, regexp_replace(upper(vat), '[^A-Z0-9]', '', 'g')
                  FROM res_partner
                 WHERE active AND vat IS NOT NULL
                   AND regexp_replace(upper(vat), '[^A-Z0-9]', '', 'g') = ANY(%s)
                """,
                [vat for vat in vats.values() if vat],
            )
        )
        allowed = (
            self.env["res.partner"]
            .browse(partner_id for partner_id, _vat in rows)
            .filtered_domain(self._get_partner_domain(company))
        )
        by_vat = defaultdict(self.env["res.partner"].browse)
        for partner_id, vat in rows:
            by_vat[vat] |= allowed & self.env["res.partner"].browse(partner_id)
        return {
            customer: by_vat[vat].commercial_partner_id
            for customer, vat in vats.items()
        }

    @api.model
    def _get_shared_numbers(self, company, customers):
        """:return: set of the customer numbers that several Copaco customers have"""
        return {
            number
            for number, count in self.env["copaco.customer"]._read_group(
                [
                    ("company_id", "=", company.id),
                    ("customer_number", "in", customers.mapped("customer_number")),
                ],
                ["customer_number"],
                ["__count"],
            )
            if number and count > 1
        }

    @api.model
    def _suggest_partners(self, company, customers):
        """:return: dict of `CustomerMatch` with a suggestion, or with none"""
        none = self.env["res.partner"]
        partners = none.search_fetch(
            [*self._get_partner_domain(company), ("parent_id", "=", False)],
            ["name", "email"],
        )
        by_name, by_word, by_domain = (defaultdict(none.browse) for _index in range(3))
        names = {}
        for partner in partners:
            names[partner] = name = plain_name(partner.name)
            if name:
                by_name[name] |= partner
            for word in set(name.split()):
                by_word[word] |= partner
            if domain := business_domain(partner.email):
                by_domain[domain] |= partner
        matches = {}
        for customer in customers:
            name = plain_name(customer.name)
            suggestion, reason = none, ""
            alike = sorted(
                (
                    (SequenceMatcher(None, name, names[partner]).ratio(), -partner.id)
                    for word in set(name.split())
                    for partner in by_word[word]
                ),
                reverse=True,
            )
            domain = business_domain(customer.email)
            if len(by_name[name]) == 1 and name:
                suggestion, reason = by_name[name], self.env._("same name")
            elif domain and len(by_domain[domain]) == 1:
                suggestion = by_domain[domain]
                reason = self.env._("same e-mail domain %(domain)s", domain=domain)
            elif alike and alike[0][0] >= LIKENESS:
                suggestion = none.browse(-alike[0][1])
                reason = self.env._("alike name")
            matches[customer] = CustomerMatch(none, "", suggestion, reason, False)
        return matches

    # === DOCUMENTS === #

    @api.model
    def _match_documents(self, documents):
        """Find everything that the invoices of documents need.

        :param documents: `copaco.document` records of one connection
        :return: dict by document: `DocumentMatch`, `Hold`, or None when the customer
            is excluded
        """
        return {document: self._match_document(document) for document in documents}

    @api.model
    def _match_document(self, document):
        customer = document.customer_id
        if customer.state == "excluded":
            return None
        hold = (
            self._check_customer(document, customer)
            or self._check_currency(document)
            or self._check_journal(document)
        )
        if hold:
            return hold
        company = document.company_id
        connection = document.connection_id
        partner = self.env["res.partner"].browse(
            customer.partner_id.address_get(["invoice"])["invoice"]
        )
        fiscal_position = (
            self.env["account.fiscal.position"]
            .with_company(company)
            ._get_fiscal_position(
                partner,
                delivery=partner.browse(partner.address_get(["delivery"])["delivery"]),
            )
        )
        product = connection.product_id.with_company(company)
        # As `account.move.line._compute_account_id` does for a sale.
        account = product.product_tmpl_id.get_product_accounts(fiscal_position)[
            "income"
        ] or fiscal_position.map_account(connection.journal_id.default_account_id)
        if not account or not account.active:
            return Hold(
                "account_missing",
                self.env._(
                    "There is no usable income account for %(document)s. Set one on "
                    "product %(product)s, on its category or on journal %(journal)s, "
                    "then retry.",
                    document=document.name,
                    product=product.display_name,
                    journal=connection.journal_id.name,
                ),
            )
        base_taxes = self._get_base_taxes(product, account, company)
        if not base_taxes:
            return Hold(
                "tax_missing",
                self.env._(
                    "There is no sales tax for %(document)s. Set one on product "
                    "%(product)s or on account %(account)s (a 0 %% tax when none is "
                    "due), then retry.",
                    document=document.name,
                    product=product.display_name,
                    account=account.display_name,
                ),
            )
        taxes = fiscal_position.map_tax(base_taxes)
        hold = self._check_lock_dates(document, taxes)
        if hold:
            return hold
        is_refund = document.amount_source < 0
        return DocumentMatch(
            partner=partner,
            fiscal_position=fiscal_position,
            journal=connection.journal_id,
            product=product,
            account=account,
            taxes=taxes,
            # As `account.tax._add_accounting_data_to_base_line_tax_details` does.
            tax_tags=product.sudo().account_tag_ids
            | taxes.flatten_taxes_hierarchy()
            .filtered(lambda tax: tax.tax_exigibility == "on_invoice")
            .get_tax_tags(is_refund, "base"),
            user=partner.user_id
            or partner.commercial_partner_id.user_id
            or connection.responsible_id,
            is_refund=is_refund,
            is_company_currency=document.currency_id == company.currency_id,
            has_analytic_models=bool(
                self.env["account.analytic.distribution.model"].search_count(
                    [("company_id", "in", [False, company.id])], limit=1
                )
            ),
            quantity_digits=self.env["decimal.precision"].precision_get("Product Unit"),
        )

    @api.model
    def _check_customer(self, document, customer):
        partner = customer.partner_id
        if partner and not partner.active:
            return Hold(
                "partner_archived",
                self.env._(
                    "%(document)s is for contact %(partner)s, which is archived. "
                    "Restore the contact or choose another one for customer "
                    "%(customer)s, then retry.",
                    document=document.name,
                    partner=partner.display_name,
                    customer=customer.name,
                ),
            )
        if partner:
            return None
        if customer.is_ambiguous:
            return Hold(
                "customer_ambiguous",
                self.env._(
                    "%(document)s: it is not certain who this customer is, because "
                    "%(reason)s. Choose the contact on the customer.",
                    document=document.name,
                    reason=customer.suggestion_reason,
                ),
            )
        if customer.suggested_partner_id:
            message = self.env._(
                "%(document)s: this customer (account %(account)s) is not linked to a "
                "contact yet. Perhaps it is %(partner)s (%(reason)s): accept that on "
                "the customer, or choose another contact.",
                document=document.name,
                account=customer.account_ref,
                partner=customer.suggested_partner_id.display_name,
                reason=customer.suggestion_reason,
            )
        else:
            message = self.env._(
                "%(document)s: this customer (account %(account)s) is not linked to a "
                "contact yet. Choose or create the contact on the customer.",
                document=document.name,
                account=customer.account_ref,
            )
        return Hold("customer_unknown", message)

    @api.model
    def _check_currency(self, document):
        currency = document.currency_id
        company = document.company_id
        if not currency:
            return Hold(
                "currency_unknown",
                self.env._(
                    "%(document)s is in currency “%(code)s”, which Odoo does not know. "
                    "Create it under Accounting, Configuration, Currencies, then fetch "
                    "again.",
                    document=document.name,
                    code=document.currency_code or "",
                ),
            )
        if not currency.active:
            return Hold(
                "currency_inactive",
                self.env._(
                    "%(document)s is in %(currency)s, which is not active. Activate it "
                    "under Accounting, Configuration, Currencies, then retry.",
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
                ("name", "<=", document.invoice_date),
            ],
            limit=1,
        ):
            return Hold(
                "currency_rate_missing",
                self.env._(
                    "%(document)s is in %(currency)s, for which there is no exchange "
                    "rate on %(date)s. Enter one, then retry.",
                    document=document.name,
                    currency=currency.name,
                    date=document.invoice_date,
                ),
            )
        return None

    @api.model
    def _check_journal(self, document):
        connection = document.connection_id
        for record in (connection.journal_id, connection.product_id):
            if not record.active:
                return Hold(
                    "account_missing",
                    self.env._(
                        "%(document)s can't be booked, because %(record)s is archived. "
                        "Restore it or choose another one on connection "
                        "%(connection)s, then retry.",
                        document=document.name,
                        record=record.display_name,
                        connection=connection.name,
                    ),
                )
        return None

    @api.model
    def _get_base_taxes(self, product, account, company):
        """The taxes before the fiscal position, as
        `account.move.line._get_computed_taxes` finds them for a sale."""
        Tax = self.env["account.tax"]
        taxes = product.taxes_id.filtered_domain(
            Tax._check_company_domain(company)
        ) or account.tax_ids.filtered(lambda tax: tax.type_tax_use == "sale")
        return taxes._filter_taxes_by_company(company)

    @api.model
    def _check_lock_dates(self, document, taxes):
        """Odoo would move the accounting date out of a locked period without a word."""
        violated = document.company_id._get_violated_lock_dates(
            document.invoice_date, bool(taxes), document.connection_id.journal_id
        )
        if not violated:
            return None
        return Hold(
            "period_locked",
            self.env._(
                "%(document)s is dated %(date)s, in a period that is locked "
                "(%(locks)s). Open the period or make an exception to the lock, then "
                "retry.",
                document=document.name,
                date=document.invoice_date,
                locks=self.env["res.company"]._format_lock_dates(violated),
            ),
        )


def compact_vat(vat, country_code=""):
    """:return: a VAT number without spaces and dots, with its country; "" for none"""
    compact = re.sub(r"[^A-Z0-9]", "", (vat or "").upper())
    if compact[:1].isdigit() and country_code:
        return country_code.upper() + compact
    return compact


def plain_name(name):
    """:return: a company's name without accents, punctuation and legal form"""
    decomposed = unicodedata.normalize("NFKD", name or "")
    letters = "".join(each for each in decomposed if not unicodedata.combining(each))
    # "B.V." is one word, "Van Dijk/Smit" is three.
    words = re.sub(r"[^a-z0-9]+", " ", letters.casefold().replace(".", "")).split()
    return " ".join(word for word in words if word not in LEGAL_FORMS)


def business_domain(email):
    """:return: the domain of an e-mail address unless anyone may have one there"""
    domain = (email_domain_extract(email or "") or "").lower()
    return "" if domain in PUBLIC_EMAIL_DOMAINS else domain
