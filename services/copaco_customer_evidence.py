from datetime import date

from odoo import fields, models
from odoo.tools import LazyTranslate

from ..const import SALES_KINDS
from ..tools import EVIDENCE, get_vat_key, render_message

_lt = LazyTranslate(__name__)


class CopacoCustomerEvidence(models.AbstractModel):
    """Whether what linked a customer to a contact is still what Copaco sends: an
    account may become another company's (promise 6 in doc/how_it_works.rst)."""

    _name = "copaco.customer.evidence"
    _description = "Copaco Customer Evidence"

    # === WHAT COPACO SENDS === #

    def _get_newest_dates(self, customers):
        """:return: dict by `copaco.customer` of the date of its newest document; one
        that is yet to come may be a mistake"""
        return dict(
            self.env["copaco.document"]._read_group(
                [
                    ("customer_id", "in", customers.ids),
                    ("invoice_date", "<=", fields.Date.today()),
                ],
                ["customer_id"],
                ["invoice_date:max"],
            )
        )

    def _choose_value(self, customer, name, heads, known_date=None):
        """:param customer: `copaco.customer`; empty for a new one
        :param name: of a field that Copaco fills
        :param heads: list of `DocumentHead` of this customer
        :param known_date: see `_get_newest_dates`
        :return: what the newest of them that say anything say; False, when they are
            older than what is known. When those of one day say several things, what is
            known already stays.
        """
        heads = [head for head in heads if getattr(head.customer, name)]
        newest = max((head.invoice_date or date.min for head in heads), default=None)
        if heads and known_date and newest < known_date and customer[name]:
            return False
        values = [
            getattr(head.customer, name)
            for head in heads
            if (head.invoice_date or date.min) == newest
        ]
        is_same = EVIDENCE.get(name)
        known = [
            value for value in values if is_same and is_same(value, customer[name])
        ]
        return next(iter(known or values), False)

    def _note_changes(self, customer, changes):
        """Say which of the numbers that tell who a customer is changed, when a person
        decided who it is, or when other evidence did.

        :param customer: `copaco.customer`
        :param changes: dict of what Copaco says now, by field
        """
        for name, is_same in EVIDENCE.items():
            old, new = customer[name], changes.get(name)
            if not old or not new or is_same(old, new):
                continue
            values = {
                "field": customer._fields[name]._description_string(self.env),
                "old": old,
                "new": new,
            }
            if customer.state == "excluded":
                body = self.env._(
                    "Copaco changed this customer: %(field)s from %(old)s to %(new)s. "
                    "Its documents stay excluded; undo the exclusion if it is somebody "
                    "else now.",
                    **values,
                )
            elif customer.partner_id and customer.match_method != name:
                body = self.env._(
                    "Copaco changed this customer: %(field)s from %(old)s to %(new)s. "
                    "It stays linked to %(partner)s; choose another contact if it is "
                    "somebody else now.",
                    partner=customer.partner_id.display_name,
                    **values,
                )
            else:
                continue
            customer._message_log(body=body)

    # === LINKS === #

    def _unlink_contradicted(self, customers):
        """Take links off that were made by evidence, when a document that waits has
        other evidence of that kind: nobody is billed until a person decides.

        :param customers: `copaco.customer` records
        :return: those that this was done with
        """
        contradicted = customers.browse()
        linked = customers.filtered(
            lambda customer: (
                customer.state == "matched" and customer.match_method in EVIDENCE
            )
        )
        if not linked:
            return contradicted
        documents = self.env["copaco.document"].search_fetch(
            [
                ("customer_id", "in", linked.ids),
                ("kind", "in", SALES_KINDS),
                ("state", "=", "new"),
            ],
            ["customer_id", *EVIDENCE],
            order="id",
        )
        for document in documents:
            customer = linked.browse(document.customer_id.id)
            if customer not in contradicted and self._is_contradicted(
                customer, document
            ):
                self._unlink_customer(customer, document)
                contradicted |= customer
        return contradicted

    def _is_contradicted(self, customer, document):
        """Whether a document says that a customer is not who its evidence said. What
        linked a contact is still true when the contact was changed or merged since."""
        method, sent = customer.match_method, document[customer.match_method]
        if not sent or (method == "vat" and not get_vat_key(sent)):
            return False
        is_same = EVIDENCE[method]
        return not (
            is_same(sent, customer.match_evidence)
            or is_same(sent, self._get_number_of_contact(customer))
        )

    def _get_number_of_contact(self, customer):
        """:return: what the contact has now of the evidence that linked a customer"""
        partner = customer.partner_id
        if customer.match_method == "vat":
            return partner.commercial_partner_id.vat
        return partner.ref

    def _unlink_customer(self, customer, document):
        """Take the link of a customer off that a document contradicts."""
        values = {
            "partner": customer.partner_id.display_name,
            "known": customer.match_evidence
            or self._get_number_of_contact(customer)
            or "–",
            "document": document.name,
            "sent": document[customer.match_method],
        }
        if customer.match_method == "vat":
            reason = _lt(
                "VAT number %(known)s linked it to %(partner)s, and Copaco sent "
                "another VAT number with %(document)s: %(sent)s.",
                **values,
            )
        else:
            reason = _lt(
                "Customer number %(known)s linked it to %(partner)s, and Copaco sent "
                "another customer number with %(document)s: %(sent)s.",
                **values,
            )
        customer.write(
            {
                "partner_id": False,
                "match_method": False,
                "match_evidence": False,
                "state": "suggested",
                "suggested_partner_id": customer.partner_id.id,
                "suggestion_reason": reason,
                "is_ambiguous": True,
                "is_contradicted": True,
            }
        )
        customer._message_log(body=render_message(self.env, reason))
