from contextlib import suppress

from psycopg2 import IntegrityError

from odoo import models
from odoo.exceptions import UserError, ValidationError

from ..tools import Stored, enumerate_names, quote_message
from .copaco_customer_matcher import compact_vat, plain_name

# What a decision changes on a customer.
SNAPSHOT_FIELDS = (
    *("partner_id", "match_method", "match_evidence", "state", "exclude_reason"),
    *("suggested_partner_id", "suggestion_reason", "is_ambiguous", "is_contradicted"),
    "excluded_by_id",
)
# What is compared of a customer and a contact, a line each.
COMPARED_FIELDS = (
    *(("name",), ("customer_number",), ("vat",), ("email",)),
    *(("street",), ("zip", "city")),
)
PARTNER_FIELDS = {"customer_number": "ref"}  # where they have other names


class CopacoCustomerDecision(models.AbstractModel):
    """What a person decides about customers: what is seen of it beforehand, and how it
    is undone."""

    _name = "copaco.customer.decision"
    _description = "Copaco Customer Decision"

    # === BEFOREHAND === #

    def _describe(self, counts):
        """:param counts: how many documents wait, by how far their invoices go
        :return: text of what becomes of them
        """
        texts = {
            "draft": self.env._("Draft invoices: %(count)s", count=counts.get("draft")),
            "post": self.env._(
                "Invoices to confirm: %(count)s", count=counts.get("post")
            ),
            "send": self.env._(
                "Invoices to confirm and send: %(count)s", count=counts.get("send")
            ),
        }
        return ", ".join(texts[policy] for policy in texts if counts.get(policy))

    def _render_comparison(self, customer):
        """:return: `Markup` with what Copaco sent of a customer, and below it what the
        contact has that it is linked to or may be; what is equal is marked"""
        partner = customer.partner_id or customer.suggested_partner_id
        if partner and not partner.has_access("read"):
            partner = partner.browse()  # another company's
        rows = []
        for names in COMPARED_FIELDS:
            theirs = _join(customer[name] for name in names)
            ours = _join(partner[PARTNER_FIELDS.get(name, name)] for name in names)
            normalize = NORMALIZERS.get(names, _fold)
            is_same = theirs and normalize(customer, theirs) == normalize(partner, ours)
            label = customer._fields[names[-1]]._description_string(self.env)
            if theirs or ours:
                rows.append((label, theirs, ours, is_same))
        return self.env["ir.qweb"]._render(
            "account_copaco.copaco_customer_comparison",
            {
                "rows": rows,
                "has_contact": bool(partner),
                "same": self.env._("Equal"),
                "different": self.env._("Different"),
            },
        )

    # === DECISIONS === #

    def _accept(self, customers):
        """See `copaco.customer.action_accept`."""
        customers._check_write_access()
        accepted = customers.filtered(
            lambda customer: (
                customer.state == "suggested" and customer.suggested_partner_id
            )
        )
        if not accepted:
            raise UserError(
                self.env._(
                    "There is no suggestion for %(customers)s. Choose the contact "
                    "yourself.",
                    customers=", ".join(customers.mapped("display_name")),
                )
            )
        for customer in accepted:
            customer._link(customer.suggested_partner_id, "accepted")
        return self._finish(accepted, self._get_reasons(customers - accepted))

    def _create_contacts(self, customers):
        """See `copaco.customer.action_create_contact`."""
        customers._check_write_access()
        unknown = customers.filtered(
            lambda customer: not customer.partner_id and customer.state != "excluded"
        )
        reasons = self._get_reasons(customers - unknown)
        for customer in unknown:
            # One that Odoo refuses, such as for its VAT number, stops no other.
            try:
                with self.env.cr.savepoint():
                    self._create_contact(customer.with_company(customer.company_id))
            except ValidationError as error:
                unknown -= customer
                reasons.append(
                    self.env._(
                        "Left out, %(customer)s: create the contact yourself, and "
                        "choose it on the customer. %(error)s",
                        customer=customer.display_name,
                        error=" ".join(str(error).split()),
                    )
                )
        return self._finish(unknown, reasons)

    def _create_contact(self, customer):
        """:param customer: a `copaco.customer` in its company
        :raise ValidationError: when Odoo refuses what Copaco sent of it
        """
        vals = self.env["copaco.contact.builder"]._prepare_contact(customer)
        partner = customer.env["res.partner"].create(vals)
        customer._link(partner, "created")

    def _finish(self, customers, reasons):
        """Process what waited for these customers.

        :param reasons: see `copaco.processor._add_left_out`
        """
        return self.env["copaco.processor"]._add_left_out(
            customers._retry_documents(), reasons
        )

    def _get_reasons(self, left_out):
        """:return: list of sentences: why nothing was done with these customers"""
        reasons = []
        for state, customers in left_out.grouped("state").items():
            names = enumerate_names(self.env, customers.mapped("display_name"))
            if state == "matched":
                reason = self.env._(
                    "Left out, linked already: %(customers)s.", customers=names
                )
            elif state == "excluded":
                reason = self.env._(
                    "Left out, excluded: %(customers)s.", customers=names
                )
            else:
                reason = self.env._(
                    "Left out, without a suggestion: %(customers)s.", customers=names
                )
            reasons.append(reason)
        return reasons

    # === UNDO === #

    def _remember(self, customers):
        """Note what these customers are before a person decides about them."""
        for customer in customers.sudo():
            customer.write(
                {
                    "decided_at": self.env.cr.now(),
                    "decision_snapshot": {
                        "values": {
                            name: customer._fields[name].convert_to_write(
                                customer[name], customer
                            )
                            for name in SNAPSHOT_FIELDS
                        }
                        | {
                            "suggestion_reason": quote_message(
                                customer, "suggestion_reason"
                            ).json
                        },
                        "move_ids": self._find_moves(customer).ids,
                    },
                }
            )

    def _find_moves(self, customer):
        """:return: the invoices of a customer, also those that others replaced"""
        documents = customer._get_sales()
        return documents.move_id | self.env["account.move"].sudo().search(
            [("copaco_document_id", "in", documents.ids), ("state", "!=", "cancel")]
        )

    def _get_moves(self, customer):
        """:return: the invoices that were created since a person decided"""
        known = customer.decision_snapshot["move_ids"]
        return self._find_moves(customer).filtered(lambda move: move.id not in known)

    def _get_undo_obstacle(self, customer):
        """:return: text: why the last decision about a customer can't be undone; else
        False"""
        customer = customer.sudo()
        if not customer.decision_snapshot:
            return False
        moves = self._get_moves(customer)
        final = moves.filtered(lambda move: move.posted_before or move.state != "draft")
        if final:
            return self.env._(
                "%(customer)s: %(invoices)s can't be taken back any more.",
                customer=customer.display_name,
                invoices=enumerate_names(self.env, final.mapped("display_name")),
            )
        edits = self.env["copaco.manual.edits"]
        edited = moves.filtered(lambda move: edits._compare(move).has_edits)
        if edited:
            return self.env._(
                "%(customer)s: %(invoices)s was edited manually. Delete it yourself.",
                customer=customer.display_name,
                invoices=enumerate_names(self.env, edited.mapped("display_name")),
            )
        return False

    def _undo(self, customers):
        """See `copaco.customer.action_undo`."""
        customers._check_write_access()
        customers.lock_for_update()
        undoable = customers.filtered("is_undoable")
        if not undoable:
            raise UserError(
                "\n".join(filter(None, customers.mapped("undo_obstacle")))
                or self.env._("There is no decision to undo.")
            )
        left_out = customers - undoable
        reasons = list(filter(None, left_out.mapped("undo_obstacle")))
        if undecided := left_out.filtered(lambda each: not each.undo_obstacle):
            reasons.append(
                self.env._(
                    "Left out, no decision to undo: %(customers)s.",
                    customers=enumerate_names(
                        self.env, undecided.mapped("display_name")
                    ),
                )
            )
        documents = self.env["copaco.document"]
        for customer in undoable:
            documents |= self._undo_one(customer)
        return self.env["copaco.processor"]._add_left_out(
            self.env["copaco.processor"]._process_now(documents.with_env(self.env)),
            reasons,
        )

    def _undo_one(self, customer):
        """:return: the documents that wait again"""
        moves = self._get_moves(customer.sudo())
        documents = moves._get_copaco_documents().filtered("customer_id")
        # By the rights of whoever undoes it.
        moves.with_env(self.env).unlink()
        created = self.env["res.partner"]
        if customer.match_method == "created":
            created = customer.partner_id
        customer = customer.sudo()
        customer.write(
            {
                **self._get_values(customer),
                "decision_snapshot": False,
                "decided_at": False,
            }
        )
        if created:
            self._remove_contact(created)
        excluded = customer.document_ids.filtered("is_excluded_by_customer")
        if customer.state != "excluded":
            self.env["copaco.exclusion"].sudo()._undo_exclusion(excluded)
            documents |= excluded
        documents.sudo().state = "new"
        customer._message_log(
            body=self.env._("%(user)s undid the decision.", user=self.env.user.name)
        )
        return documents

    def _get_values(self, customer):
        """:return: dict of what a customer was before the decision; it was linked to
        nobody when that contact is gone"""
        values = dict(customer.decision_snapshot["values"])
        values["suggestion_reason"] = Stored(values["suggestion_reason"])
        names = ("partner_id", "suggested_partner_id")
        known = {values[name] for name in names} - {False}
        gone = known - set(self.env["res.partner"].browse(known).exists().ids)
        if not gone:
            return values
        values |= {name: False for name in names if values[name] in gone}
        if values["partner_id"]:
            return values
        if values["state"] != "excluded":
            values["state"] = "unmatched"
        return values | {
            "match_method": False,
            "match_evidence": False,
            "suggestion_reason": False,
        }

    def _remove_contact(self, partner):
        """Remove the contact that was created of a customer, unless others have it."""
        customers = self.env["copaco.customer"].sudo()
        if customers.search_count([("partner_id", "=", partner.id)], limit=1):
            return
        if partner.write_date > partner.create_date:
            # Who completed it keeps that.
            partner.action_archive()
            return
        # It may be on an order or an invoice by now, and stays then.
        with suppress(UserError, IntegrityError), self.env.cr.savepoint():
            partner.unlink()


def _join(values):
    return " ".join(filter(None, values))


def _fold(_record, text):
    return " ".join(text.casefold().split())


def _fold_vat(record, vat):
    return compact_vat(vat, record.country_code or "") or _fold(record, vat)


def _fold_name(_record, name):
    return plain_name(name)


NORMALIZERS = {("vat",): _fold_vat, ("name",): _fold_name}
