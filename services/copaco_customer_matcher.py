import re
import unicodedata
from collections import defaultdict
from difflib import SequenceMatcher
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL, LazyTranslate, email_domain_extract

from ..tools import (
    VatKey,
    get_text_key,
    get_vat_key,
    is_same_vat_key,
    write_text_key,
)

_lt = LazyTranslate(__name__)

# Two names count as alike from here on: "Jansen Techniek" and "Jansen Technik" do,
# "Jansen" and "Janssen Bouw" don't. It only ever makes a suggestion.
LIKENESS = 0.85
MAX_NAME = 100
# The country, and at least six digits among what follows.
VAT_NUMBER = r"[A-Z]{2}(?=(?:.*[0-9]){6})[A-Z0-9]{6,13}"
# A word that more contacts than this have tells nothing about one of them.
COMMON_WORD = 100
LEGAL_FORMS = frozenset(
    "bv nv vof vzw asbl ua bvba sprl srl sa cv cvba cvoa scrl maatschap stichting "
    "vereniging gmbh ag ltd limited inc llc plc sarl sas holding groep group".split()
)
# What anyone may have an address at says nothing about whom one works for.
PUBLIC_EMAIL_DOMAINS = frozenset(
    "gmail.com googlemail.com hotmail.com hotmail.nl hotmail.be outlook.com outlook.nl "
    "outlook.be live.com live.nl live.be msn.com yahoo.com yahoo.nl icloud.com me.com "
    "ziggo.nl kpnmail.nl planet.nl xs4all.nl home.nl telenet.be skynet.be proximus.be "
    "telfort.nl upcmail.nl casema.nl chello.nl hetnet.nl protonmail.com proton.me "
    "gmx.net gmx.com aol.com".split()
)


class CustomerMatch(NamedTuple):
    """Who a Copaco customer is."""

    partner: models.BaseModel  # `res.partner`, empty unless it is certain
    method: str  # a value of `copaco.customer.match_method`, or ""
    suggestion: models.BaseModel  # `res.partner`, for a person to accept
    reason: object  # a message: why this suggestion, or why none
    is_ambiguous: bool


class Spelling(NamedTuple):
    """What tells who a contact is, however it is written."""

    partner: models.BaseModel  # `res.partner`
    vat_key: VatKey | None
    number_key: str


class CopacoCustomerMatcher(models.AbstractModel):
    """Searches, and never writes: which partner is a Copaco customer?"""

    _name = "copaco.customer.matcher"
    _description = "Copaco Customer Matcher"

    def _match_customers(self, customers, suggest=True):
        """Find the partners of Copaco customers of one company, on evidence that can't
        be shared (promise 6 in doc/how_it_works.rst); likeness is only suggested.

        :param customers: `copaco.customer` records
        :param suggest: whether to look for contacts that are only alike
        :return: dict of `CustomerMatch` by customer; without those of which nothing
            is known, unless something may be suggested
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
        if unknown and suggest:
            spelled = self._suggest_other_spellings(company, unknown)
            unknown = unknown.filtered(lambda customer: customer not in spelled)
            matches.update(spelled)
        if unknown and suggest:
            matches.update(self._suggest_partners(company, unknown))
        return matches

    def _match_customer(self, customer, by_number, by_vat, is_number_shared):
        """:return: a `CustomerMatch`, or nothing when there is no evidence at all"""
        entities = (by_number | by_vat).commercial_partner_id
        if len(entities) > 1:
            reason = _lt(
                "Several contacts have its customer number %(number)s or VAT number "
                "%(vat)s: %(partners)s.",
                number=customer.customer_number or "–",
                vat=customer.vat or "–",
                partners=", ".join(entities.mapped("display_name")),
            )
            return _suggest(entities.browse(), reason, is_ambiguous=True)
        if by_vat:
            # The contact that has the number is meant when it belongs to the entity.
            partner = by_number if len(by_number) == 1 else entities
            return _link(partner, "vat")
        if not by_number:
            return None
        if is_number_shared:
            reason = _lt(
                "It has the same customer number %(number)s, which several Copaco "
                "customers have.",
                number=customer.customer_number,
            )
            return _suggest(by_number[:1], reason)
        if len(by_number) == 1 or entities in by_number:
            partner = by_number if len(by_number) == 1 else entities
            return _link(partner, "customer_number")
        reason = _lt(
            "Several contacts of %(partner)s have the reference %(number)s.",
            partner=entities.display_name,
            number=customer.customer_number,
        )
        return _suggest(entities, reason, is_ambiguous=True)

    def _get_partner_domain(self, company):
        """The contacts that may be billed: the company's own or shared ones, except
        the company itself (a reseller is its own customer for telecom)."""
        return [
            *self.env["res.partner"]._check_company_domain(company),
            ("id", "!=", company.partner_id.id),
        ]

    def _match_partners_by_number(self, company, customers):
        """:return: dict of the partners whose reference is the customer's number"""
        numbers = {each.customer_number for each in customers if each.customer_number}
        partners = self.env["res.partner"].search(
            [*self._get_partner_domain(company), ("ref", "in", list(numbers))]
        )
        by_ref = partners.grouped("ref")
        none = partners.browse()
        return {each: by_ref.get(each.customer_number, none) for each in customers}

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

    def _suggest_other_spellings(self, company, customers):
        """Find the contacts whose VAT number or reference is a customer's, written
        otherwise.

        :return: dict of `CustomerMatch` by customer, of those whom one contact fits
        """
        rows = self._search_other_spellings(company, customers)
        matches = {}
        for customer in customers:
            vat_key = get_vat_key(customer.vat, customer.country_code)
            number_key = get_text_key(customer.customer_number)
            by_vat = [row for row in rows if is_same_vat_key(row.vat_key, vat_key)]
            by_number = [row for row in rows if number_key == row.number_key != ""]
            found = self.env["res.partner"].union(
                *(row.partner for row in (*by_vat, *by_number))
            )
            if len(found.commercial_partner_id) != 1:
                continue
            if by_vat:
                reason = _lt(
                    "It has the same VAT number, written otherwise: %(known)s, and "
                    "Copaco has %(sent)s.",
                    known=by_vat[0].partner.vat,
                    sent=customer.vat,
                )
            else:
                reason = _lt(
                    "It has the same customer number, written otherwise: %(known)s, "
                    "and Copaco has %(sent)s.",
                    known=by_number[0].partner.ref,
                    sent=customer.customer_number,
                )
            suggestion = found.browse(row.partner.id for row in by_number)
            if len(suggestion) != 1:
                suggestion = found.commercial_partner_id
            matches[customer] = _suggest(suggestion, reason)
        return matches

    def _search_other_spellings(self, company, customers):
        """:return: list of `Spelling` of the contacts that one of these customers may
        be; the database compares less strictly"""
        vat_keys = [get_vat_key(each.vat, each.country_code) for each in customers]
        numbers = [get_text_key(each.customer_number) for each in customers]
        Partner = self.env["res.partner"]
        Partner.flush_model(["active", "vat", "ref"])
        rows = self.env.execute_query(
            SQL(
                rf"""
                SELECT id
                  FROM res_partner
                 WHERE active
                   AND (ltrim(regexp_replace(vat, '\D', '', 'g'), '0') = ANY(%s)
                        OR {write_text_key("ref")} = ANY(%s))
                """,
                [key.digits for key in vat_keys if key],
                list(filter(None, numbers)),
            )
        )
        partners = Partner.browse(partner_id for (partner_id,) in rows)
        return [
            Spelling(
                partner,
                get_vat_key(partner.vat, partner.country_id.code),
                get_text_key(partner.ref),
            )
            for partner in partners.filtered_domain(self._get_partner_domain(company))
        ]

    def _suggest_partners(self, company, customers):
        """:return: dict of `CustomerMatch` with a suggestion, or with none"""
        none = self.env["res.partner"]
        by_name, by_word, by_domain = (defaultdict(list) for _index in range(3))
        names = {}
        # Not as records: it goes through all contacts there are.
        none.flush_model(["name", "email_normalized"])
        query = none._search(
            [*self._get_partner_domain(company), ("parent_id", "=", False)]
        )
        for partner_id, name, domain in self.env.execute_query(
            query.select("id", "name", "split_part(email_normalized, '@', 2)")
        ):
            names[partner_id] = name = plain_name(name)
            by_name[name].append(partner_id)
            for word in set(name.split()):
                by_word[word].append(partner_id)
            by_domain[domain].append(partner_id)
        matches = {}
        for customer in customers:
            name = plain_name(customer.name)
            domain = business_domain(customer.email)
            suggestion, reason = False, ""
            if name and len(by_name[name]) == 1:
                (suggestion,) = by_name[name]
                reason = _lt("It has the same name.")
            elif domain and len(by_domain[domain]) == 1:
                (suggestion,) = by_domain[domain]
                reason = _lt("It has the same e-mail domain %(domain)s.", domain=domain)
            elif suggestion := _find_alike(name, names, by_word):
                reason = _lt("It has a similar name.")
            matches[customer] = _suggest(none.browse(suggestion or ()), reason)
        return matches


def _link(partner, method):
    """:return: `CustomerMatch` of a customer who is certain"""
    return CustomerMatch(partner, method, partner.browse(), "", False)


def _suggest(suggestion, reason, is_ambiguous=False):
    """:return: `CustomerMatch` for a person to decide about"""
    return CustomerMatch(suggestion.browse(), "", suggestion, reason, is_ambiguous)


def _find_alike(name, names, by_word):
    """:return: id of the partner whose name is most like this one, if any is"""
    matcher = SequenceMatcher(b=name)
    best, best_ratio = False, LIKENESS
    # A word that many have ("van", "Techniek") finds everybody.
    words = [word for word in set(name.split()) if len(by_word[word]) <= COMMON_WORD]
    for partner_id in sorted({each for word in words for each in by_word[word]}):
        matcher.set_seq1(names[partner_id])
        if matcher.real_quick_ratio() < best_ratio or (
            matcher.quick_ratio() < best_ratio
        ):
            continue
        ratio = matcher.ratio()
        if ratio > best_ratio or (ratio == best_ratio and not best):
            best, best_ratio = partner_id, ratio
    return best


def compact_vat(vat, country_code=""):
    """:return: a VAT number without spaces and dots, with its country; "" for none"""
    compact = re.sub(r"[^A-Z0-9]", "", (vat or "").upper())
    if compact[:1].isdigit() and country_code:
        compact = country_code.upper() + compact
    # "NVT" and "0" are what people type who have none.
    return compact if re.fullmatch(VAT_NUMBER, compact) else ""


def plain_name(name):
    """:return: a company's name without accents, punctuation and legal form"""
    decomposed = unicodedata.normalize("NFKD", name or "")
    letters = "".join(each for each in decomposed if not unicodedata.combining(each))
    # "B.V." is one word, "Van Dijk/Smit" is three.
    letters = letters.casefold().replace(".", "")[:MAX_NAME]
    words = re.sub(r"[^a-z0-9]+", " ", letters).split()
    return " ".join(word for word in words if word not in LEGAL_FORMS)


def business_domain(email):
    """:return: the domain of an e-mail address unless anyone may have one there"""
    domain = (email_domain_extract(email or "") or "").lower()
    return "" if domain in PUBLIC_EMAIL_DOMAINS else domain
