from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..const import SALES_KINDS
from ..tools import (
    EVIDENCE,
    ShortMessage,
    enumerate_names,
    get_account_key,
    open_window,
)
from .copaco_po_mixin import PURCHASE_FIELDS

# What a person decides here; everything else is Copaco's or ours.
EDITABLE_FIELDS = {
    "partner_id",
    "analytic_distribution",
    "invoice_grouping",
    "invoice_policy",
    "layout_id",
    *PURCHASE_FIELDS,
}
CONTACT_FIELDS = (
    *EVIDENCE,
    *("name", "cost_center", "email", "phone", "contact_name"),
    *("street", "zip", "city", "country_code", "language_code"),
)


class CopacoCustomer(models.Model):
    """A customer account in Copaco's platform, and who that is in Odoo."""

    _name = "copaco.customer"
    _inherit = [
        "mail.thread",
        "copaco.analytic.mixin",
        "copaco.decide.mixin",
        "copaco.earned.mixin",
        "copaco.layout.mixin",
        "copaco.po.mixin",
    ]
    _description = "Copaco Customer"
    _order = "name, id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    account_ref = fields.Char(
        string="Account ID", required=True, readonly=True, help="Copaco's AccountID."
    )
    customer_number = fields.Char(
        readonly=True,
        help="What the reseller entered in Copaco's portal. It may be empty or shared "
        "by several customers.",
    )
    name = fields.Char(readonly=True)
    cost_center = fields.Char(readonly=True)
    vat = fields.Char(string="VAT Number", readonly=True)
    email = fields.Char(readonly=True)
    phone = fields.Char(readonly=True)
    street = fields.Char(readonly=True)
    zip = fields.Char(readonly=True)
    city = fields.Char(readonly=True)
    country_code = fields.Char(readonly=True)
    contact_name = fields.Char(readonly=True)
    language_code = fields.Char(string="Language", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        check_company=True,
        tracking=True,
        index="btree_not_null",
        ondelete="restrict",
        context={"active_test": False},
    )
    suggested_partner_id = fields.Many2one(
        "res.partner", string="Suggestion", readonly=True, ondelete="set null"
    )
    suggestion_reason = ShortMessage(
        string="Reason", readonly=True, help="Why this contact is suggested, or none."
    )
    is_ambiguous = fields.Boolean(
        readonly=True, help="The evidence points to more than one contact."
    )
    is_contradicted = fields.Boolean(
        readonly=True,
        help="What linked it contradicted that later: only a person links it again.",
    )
    match_method = fields.Selection(
        [
            ("customer_number", "Customer number"),
            ("vat", "VAT number"),
            ("accepted", "Suggestion accepted"),
            ("manual", "Chosen manually"),
            ("created", "Contact created"),
        ],
        string="Linked By",
        readonly=True,
        tracking=True,
    )
    match_evidence = fields.Char(readonly=True, help="The number that linked it.")
    state = fields.Selection(
        [
            ("unmatched", "Unknown"),
            ("suggested", "Suggestion"),
            ("matched", "Linked"),
            ("excluded", "Excluded"),
        ],
        required=True,
        readonly=True,
        default="unmatched",
        index=True,
        tracking=True,
    )
    exclude_reason = fields.Char(readonly=True)
    excluded_by_id = fields.Many2one("res.users", readonly=True)
    document_ids = fields.One2many("copaco.document", "customer_id")
    document_count = fields.Integer(compute="_compute_document_counts")
    held_count = fields.Integer(string="Held", compute="_compute_document_counts")

    # Nobody knows whether Copaco tells accounts apart that differ only in capitals.
    _account_ref_unique = models.UniqueIndex(
        "(company_id, lower(account_ref))", "This Copaco customer is already known."
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "account_ref")
    def _compute_display_name(self):
        for customer in self:
            customer.display_name = f"{customer.name or '–'} ({customer.account_ref})"

    @api.depends("document_ids.state")
    def _compute_document_counts(self):
        states = defaultdict(Counter)
        for customer, state, count in self.env["copaco.document"]._read_group(
            [("customer_id", "in", self.ids), ("kind", "in", SALES_KINDS)],
            ["customer_id", "state"],
            ["__count"],
        ):
            states[customer][state] = count
        for customer in self:
            customer.document_count = states[customer].total()
            customer.held_count = states[customer]["held"]

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su:
            forged = vals.keys() - EDITABLE_FIELDS
            # Mail's own fields are protected by mail.
            forged = {name for name in forged if not name.startswith(("message_",))}
            if forged:
                raise AccessError(
                    self.env._(
                        "%(fields)s of a Copaco customer can't be written. Choose a "
                        "contact, or use the buttons.",
                        fields=", ".join(sorted(forged)),
                    )
                )
        is_decision = "partner_id" in vals and "match_method" not in vals
        if is_decision and not self.env.su:
            self._check_write_access()
            self.env["copaco.customer.decision"]._remember(self)
        res = super().write(vals)
        if is_decision:
            self._link(self.partner_id, "manual")
        if is_decision or not PURCHASE_FIELDS.isdisjoint(vals):
            # What waited for this goes on in the background.
            self.env["copaco.processor"].sudo()._retry_for_customer(
                self.sudo().document_ids
            )
        return res

    # === ACTION METHODS === #

    def action_accept(self):
        """Link these customers to the contacts suggested for them, and invoice what
        waited for that.

        :return: see `copaco.document.action_retry`; it names those without a suggestion
        :raise UserError: when none of them has one
        """
        return self.env["copaco.customer.decision"]._accept(self)

    def action_create_contact(self):
        """Create the contacts of these customers from what Copaco sent of them, link
        them and invoice what waited for that.

        :return: see `copaco.document.action_retry`; it names those left out
        """
        return self.env["copaco.customer.decision"]._create_contacts(self)

    def action_process(self):
        """Invoice what waits for these customers.

        :return: see `copaco.document.action_retry`
        """
        self._check_write_access()
        return self._retry_documents()

    def action_exclude(self, reason=None):
        """Never invoice these customers, until `action_include`.

        :param reason: why, for those who look later
        :return: a notification that names the documents with a draft invoice, if any
        :raise UserError: when there is no reason
        """
        self._check_write_access()
        if not (reason or "").strip():
            raise UserError(
                self.env._(
                    "Say why %(customers)s must not be invoiced.",
                    customers=", ".join(self.mapped("display_name")),
                )
            )
        self.env["copaco.customer.decision"]._remember(self)
        self.sudo().write(
            {
                "state": "excluded",
                "exclude_reason": reason.strip(),
                "excluded_by_id": self.env.user.id,
            }
        )
        for document in self.sudo()._get_sales():
            if document.state in ("new", "held") and not document._get_live_invoice():
                self.env["copaco.exclusion"].sudo()._exclude_with_customer(document)
        drafts = self._get_sales().filtered(
            lambda document: document._get_live_invoice().state == "draft"
        )
        return self.env["copaco.processor"]._add_left_out(
            False, self.env["copaco.decision"]._get_invoiced_reasons(drafts)
        )

    def action_include(self):
        """Undo `action_exclude`, and invoice what was excluded by it.

        :return: see `copaco.document.action_retry`
        """
        self._check_write_access()
        customers = self.filtered(lambda customer: customer.state == "excluded")
        for customer in customers.sudo():
            customer.write(
                {
                    "state": "matched" if customer.partner_id else "unmatched",
                    "exclude_reason": False,
                    "excluded_by_id": False,
                }
            )
            customer.env["copaco.exclusion"]._undo_exclusion(
                customer.document_ids.filtered("is_excluded_by_customer")
            )
        reasons = []
        if others := self - customers:
            reasons.append(
                self.env._(
                    "Left out, not excluded: %(customers)s.",
                    customers=enumerate_names(self.env, others.mapped("display_name")),
                )
            )
        return self.env["copaco.processor"]._add_left_out(
            customers._retry_documents(), reasons
        )

    def action_view_documents(self):
        """:return: the window action with what is billed to these customers"""
        return open_window(
            self.env,
            "action_copaco_document",
            context={"search_default_customer_id": self.ids},
            domain=[("kind", "in", SALES_KINDS)],
        )

    # === BUSINESS METHODS === #

    def _check_write_access(self):
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("write")

    @api.model
    def _get_or_create(self, company, heads):
        """Find the customers of a response; new ones are created, and known ones are
        updated with what Copaco says. Links are left alone.

        :param heads: list of `DocumentHead` or `SourceDocument`; those without an
            account are passed over
        :return: dict of `copaco.customer` by account, as it is written in ``heads`` and
            as it was written first
        """
        heads = [head for head in heads if head.account_ref]
        customers = self._find_by_account(
            company, {get_account_key(head.account_ref) for head in heads}
        )
        by_key, refs = defaultdict(list), {}
        for head in heads:
            key = head.account_ref
            if key not in customers:
                key = get_account_key(key)
            refs[head.account_ref] = key
            by_key[key].append(head)
        evidence = self.env["copaco.customer.evidence"]
        dates = evidence._get_newest_dates(self.union(*customers.values()))
        new_vals_list = []
        for key, own_heads in by_key.items():
            customer = customers.get(key, self.browse())
            vals = {
                name: evidence._choose_value(
                    customer, name, own_heads, dates.get(customer)
                )
                for name in CONTACT_FIELDS
            }
            if not customer:
                vals["account_ref"] = own_heads[0].account_ref
                new_vals_list.append({"company_id": company.id, **vals})
                continue
            # A response may leave out what an earlier one had.
            changes = {
                name: value
                for name, value in vals.items()
                if value and customer[name] != value
            }
            if changes:
                evidence._note_changes(customer, changes)
                customer.write(changes)
        for customer in self.with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
        ).create(new_vals_list):
            customers[get_account_key(customer.account_ref)] = customer
        found = {ref: customers[key] for ref, key in refs.items()}
        return found | {customer.account_ref: customer for customer in found.values()}

    @api.model
    def _find_by_account(self, company, keys):
        """:param keys: iterable of `get_account_key`
        :return: dict of `copaco.customer` by these keys. Customers whose accounts
            differ only in capitals, as earlier versions stored them, are also there by
            their accounts.
        """
        self.flush_model(["company_id", "account_ref"])
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM copaco_customer "
                "WHERE company_id = %s AND lower(account_ref) = ANY(%s) ORDER BY id",
                company.id,
                list(keys),
            )
        )
        customers = {}
        for customer in self.browse(customer_id for (customer_id,) in rows):
            key = get_account_key(customer.account_ref)
            first = customers.setdefault(key, customer)
            if first != customer:
                customers[first.account_ref] = first
                customers[customer.account_ref] = customer
        return customers

    def _link(self, partner, method):
        """Bill these customers to a partner from now on.

        :param partner: `res.partner`; empty: nobody, to be found again
        :param method: a value of `match_method`
        """
        if method in ("accepted", "created"):
            self.env["copaco.customer.decision"]._remember(self)
        for customer in self.sudo():
            if customer.is_contradicted and not partner:
                continue  # nobody is found again for it
            customer._note_invoices_of_others(partner)
            state = "matched" if partner.id else "unmatched"
            customer.write(
                {
                    "partner_id": partner.id,
                    "match_method": method if partner.id else False,
                    "match_evidence": customer[method] if method in EVIDENCE else False,
                    "state": "excluded" if customer.state == "excluded" else state,
                    "suggested_partner_id": False,
                    "suggestion_reason": False,
                    "is_ambiguous": False,
                    "is_contradicted": False,
                }
            )

    def _get_sales(self):
        """:return: the documents that are billed to these customers, and not those that
        say what they cost"""
        return self.document_ids.filtered(lambda each: each.kind in SALES_KINDS)

    def _note_invoices_of_others(self, partner):
        """Say which invoices were made for the contact that was linked before."""
        self.ensure_one()
        moves = self._get_sales().move_id.filtered(
            lambda move: (
                move.state != "cancel"
                and move.commercial_partner_id != partner.commercial_partner_id
            )
        )
        if partner and moves:
            self._message_log(
                body=self.env._(
                    "These invoices were created for another contact and stay as they "
                    "are: %(moves)s. Cancel those that are wrong and retry their "
                    "documents.",
                    moves=", ".join(moves.mapped("display_name")),
                )
            )

    def _retry_documents(self):
        """Process what waited for these customers while a person waits.

        :return: a notification with what became of it
        """
        documents = self.document_ids
        self.env["copaco.processor"].sudo()._retry_for_customer(documents.sudo())
        return self.env["copaco.processor"]._process_now(
            documents.filtered(lambda document: document.state == "new")
        )
