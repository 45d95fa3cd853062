from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang

from ..const import DEFAULT_KIND, KIND_SELECTION
from ..hold_reasons import HOLD_REASONS
from ..tools import Message, ShortMessage, get_account_key, open_window, round_amount


class CopacoDocument(models.Model):
    """One customer's part of one Copaco invoice.

     new ──▶ invoiced ──▶ changed (Copaco altered it since)
      │ ▲        │
      ▼ │        ▼ invoice deleted or cancelled
     held ◀──────┘
      │ ▲
      ▼ │
    excluded
    """

    _name = "copaco.document"
    _inherit = [
        "mail.thread",
        "copaco.bill.mixin",
        "copaco.content.mixin",
        "copaco.draft.mixin",
        "copaco.invoice.mixin",
        "copaco.shared.invoice.mixin",
        "copaco.attempt.mixin",
        "copaco.payload.mixin",
        "copaco.po.part.mixin",
        "copaco.missing.mixin",
        "copaco.to.do.mixin",
        "copaco.unchanged.mixin",
    ]
    _description = "Copaco Document"
    _mail_post_access = "read"
    _order = "invoice_date desc, id desc"
    _rec_names_search = ["invoice_number", "customer_id.name"]
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    # Given with the other values of what was received, so that they need not be
    # computed.
    root_company_id = fields.Many2one(
        "res.company",
        compute="_compute_identity",
        store=True,
        precompute=True,
        readonly=False,
    )
    account_key = fields.Char(
        compute="_compute_identity",
        store=True,
        precompute=True,
        readonly=False,
        help="The customer's account, whatever its capitals.",
    )
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    kind = fields.Selection(KIND_SELECTION, required=True, default=DEFAULT_KIND)
    invoice_number = fields.Char(required=True, help="Copaco's InvoiceID.")
    customer_id = fields.Many2one(
        "copaco.customer", ondelete="restrict", index=True, check_company=True
    )
    # Of the customer, when this document was made: an account may become another's.
    customer_number = fields.Char(readonly=True)
    vat = fields.Char(string="VAT Number", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        related="customer_id.partner_id",
        tracking=False,
    )
    invoice_date = fields.Date()
    currency_code = fields.Char(help="As Copaco sent it.")
    amount_source = fields.Monetary(
        string="Amount",
        help="Without tax: the exact sum of the extended prices, rounded to the "
        "currency; or the total that Copaco states, where rounding explains the "
        "difference.",
    )
    # Not monetary: that would be rounded.
    totals_difference = fields.Float(
        min_display_digits=2,
        help="What Copaco says is the total without tax of the invoice that this is "
        "part of, less the sum of all its lines.",
    )
    totals_line_count = fields.Integer(help="How many lines that invoice has.")
    amount_excluded = fields.Monetary(
        help="Without tax: the lines that are excluded because they are the same "
        "charges as others."
    )
    amount_to_invoice = fields.Monetary(
        compute="_compute_amount_to_invoice", help="Without tax."
    )
    amount_rounding = fields.Monetary(
        string="Rounding",
        compute="_compute_amount_rounding",
        help="The amount less the sum of the lines, each of which is rounded.",
    )
    line_count = fields.Integer(string="Lines")
    state = fields.Selection(
        [
            ("new", "New"),
            ("held", "Held"),
            ("invoiced", "Invoiced"),
            ("changed", "Changed"),
            ("excluded", "Excluded"),
        ],
        required=True,
        default="new",
        index=True,
    )
    hold_reason = fields.Selection(
        HOLD_REASONS, string="Reason", index="btree_not_null"
    )
    hold_message = Message(string="What to Do")
    is_no_double = fields.Boolean(
        string="Not a Duplicate",
        readonly=True,
        help="A person said that it is to be invoiced besides one that looks the same.",
    )
    is_unsent = fields.Boolean(
        string="Could Not Be Sent", related="move_id.copaco_delivery_ids.is_unsent"
    )
    exclude_reason = ShortMessage()
    excluded_by_id = fields.Many2one("res.users")
    is_excluded_by_customer = fields.Boolean(
        help="Excluded because all documents of its customer are."
    )
    duplicate_table = fields.Html(
        string="Possible Duplicates", compute="_compute_duplicates", sanitize=False
    )
    has_new_lines = fields.Boolean(
        compute="_compute_duplicates",
        help="Some of its lines may be duplicates, and others are not.",
    )
    match_method = fields.Selection(related="customer_id.match_method", tracking=False)
    customer_state = fields.Selection(
        related="customer_id.state", string="State of the Customer", tracking=False
    )
    payload_digest = fields.Char()
    line_ids = fields.One2many("copaco.document.line", "document_id")
    version_ids = fields.One2many("copaco.document.version", "document_id")
    has_pending_version = fields.Boolean(compute="_compute_pending_version")
    pending_difference = fields.Html(
        string="What Changed", compute="_compute_pending_version", sanitize=False
    )

    # The connection and the branch are no part of it: a second one to the same portal
    # doubles nothing.
    _identity_unique = models.UniqueIndex(
        "(root_company_id, kind, invoice_number, account_key, "
        "md5(lower(regexp_replace(coalesce(po_part, ''), '[[:space:]]', '', 'g'))))",
        "This document was already received.",
    )
    # A document whose customer can't be read is known by its content alone.
    _unread_identity_unique = models.UniqueIndex(
        "(root_company_id, kind, invoice_number, payload_digest) "
        "WHERE account_key IS NULL",
        "This document was already received.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "customer_id.account_ref")
    def _compute_identity(self):
        for document in self:
            document.root_company_id = document.company_id.root_id
            document.account_key = get_account_key(document.customer_id.account_ref)

    @api.depends("amount_source", "amount_excluded")
    def _compute_amount_to_invoice(self):
        for document in self:
            document.amount_to_invoice = (
                document.amount_source - document.amount_excluded
            )

    @api.depends("amount_source", "line_ids.amount")
    def _compute_amount_rounding(self):
        self.amount_rounding = 0
        for document in self.filtered(lambda each: each.currency_id and each.line_ids):
            document.amount_rounding = document.currency_id.round(
                document.amount_source - sum(document.line_ids.mapped("amount"))
            )

    @api.depends("state", "hold_reason")
    def _compute_duplicates(self):
        finder = self.env["copaco.duplicate.finder"]
        table = self.env["copaco.duplicate.table"]
        self.duplicate_table = self.has_new_lines = False
        for document in self.filtered(
            lambda each: each.hold_reason == "possible_double"
        ):
            # Where a charge stands is in the books of any company of the same root.
            pairs = finder.sudo()._get_pairs(document.sudo())
            document.duplicate_table = table._render(document, pairs)
            document.has_new_lines = bool(
                pairs and finder._get_new_lines(document, pairs)
            )

    @api.depends("invoice_number", "po_part", "customer_id")
    @api.depends_context("lang")
    def _compute_name(self):
        for document in self:
            customer = document.customer_id
            names = [document.invoice_number and document._get_number()]
            names.append(customer.name or customer.account_ref)
            document.name = " · ".join(filter(None, names))

    @api.depends("version_ids.state")
    def _compute_pending_version(self):
        for document in self:
            pending = document._get_pending_version()
            document.has_pending_version = bool(pending)
            document.pending_difference = pending.difference

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
            self.env["copaco.activity.monitor"]._update_activity(self.connection_id)
        return res

    # === ACTION METHODS === #

    def action_retry(self):
        """Process these documents again from what is stored, without the network: held
        ones, and those whose invoice is a draft. Manual edits are kept.

        :return: a notification with what became of them
        :raise UserError: when none of them can be retried
        """
        return self.env["copaco.decision"]._retry(self)

    def action_accept_lines(self):
        """Invoice these documents as their lines say, whatever Copaco's totals are.

        :return: see `action_retry`
        """
        return self.env["copaco.decision"]._accept_lines(self)

    def action_invoice_anyway(self):
        """Invoice these documents besides those that they may be duplicates of, and
        those that a rule excluded because each of their charges is on others.

        :return: see `action_retry`
        """
        return self.env["copaco.decision"]._invoice_anyway(self)

    def action_exclude_duplicates(self):
        """Exclude these documents because their charges are on others already.

        :return: a notification that names those that do not wait for this, if any
        """
        return self.env["copaco.decision"]._exclude_duplicates(self)

    def action_invoice_new_lines(self):
        """Invoice of these documents the lines that are on no other, and no line twice.

        :return: see `action_retry`
        :raise UserError: when no line would be left
        """
        return self.env["copaco.decision"]._invoice_new_lines(self)

    def action_use_new_version(self):
        """Take over what Copaco changed. A draft invoice is rebuilt, with its manual
        edits; what has no invoice is processed.

        :return: see `action_retry`
        :raise UserError: when the invoice of the old content is no draft any more, or
            has a correction
        """
        return self.env["copaco.decision"]._use_new_version(self)

    def action_keep_version(self):
        """Leave these documents as they were before Copaco changed them.

        :return: see `action_retry`
        """
        return self.env["copaco.decision"]._keep_version(self)

    def action_correct(self):
        """Prepare a draft for exactly what Copaco changed in these documents since they
        were invoiced: a credit note, or an additional invoice.

        :return: the window action with the drafts; a notification when no amount
            changed
        :raise UserError: when there is nothing to correct, or Odoo refuses
        """
        return self.env["copaco.decision"]._correct(self)

    def action_exclude(self, reason=None):
        """Never invoice these documents.

        :param reason: why, for those who look later
        :return: a notification that names those that have an invoice, if any
        :raise UserError: when all of them have one, or there is no reason
        """
        return self.env["copaco.decision"]._exclude(self, reason)

    def action_include(self):
        """Undo `action_exclude`, and process these documents.

        :return: see `action_retry`
        """
        return self.env["copaco.decision"]._include(self)

    def action_view_customer(self):
        """:return: the form of the Copaco customer"""
        return self.customer_id._get_records_action()

    def action_view_plans(self):
        """:return: the window action with the plans of these documents; where lines
        that no rule catches have none, those lines, of which a rule can be made"""
        engine = self.env["copaco.rule.engine"]
        unmatched = self.line_ids.browse().union(*map(engine._find_unmatched, self))
        if unmatched.filtered(lambda line: not line.plan_ref):
            return unmatched._get_records_action()
        return open_window(
            self.env,
            "action_copaco_plan",
            domain=[
                ("company_id", "in", self.company_id.ids),
                ("plan_ref", "in", list(set(self.line_ids.mapped("plan_ref")))),
            ],
        )

    # === BUSINESS METHODS === #

    def _check_billing_access(self):
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("read")

    def _get_billed_lines(self):
        """:return: the lines of this document that are not excluded as duplicates"""
        return self.line_ids.filtered(lambda line: not line.is_excluded)

    def _get_companies(self):
        """:return: all companies of the same root companies as these documents'"""
        domain = [("id", "child_of", self.root_company_id.ids)]
        return self.env["res.company"].sudo().search(domain)

    def _update_amount_excluded(self):
        for document in self:
            lines = document._get_billed_lines()
            amount = document.amount_source
            if lines != document.line_ids:
                # What is invoiced is an exact sum, rounded, like that of all lines.
                exact = sum(Decimal(repr(line.extended_price)) for line in lines)
                amount = float(round_amount(exact, document.currency_id.rounding))
            document.amount_excluded = document.amount_source - amount

    def _format_amount(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    @api.model
    def _get_waiting_domain(self):
        """:return: domain of the documents that wait to be invoiced"""
        return [("state", "=", "new")]

    def _get_pending_version(self):
        return self.version_ids.filtered(lambda version: version.state == "pending")

    # === BUSINESS METHODS: STATES === #

    @api.model
    def _prepare_hold_values(self, hold):
        return {
            "state": "held",
            "hold_reason": hold.reason,
            "hold_message": hold.message,
        }

    def _hold(self, hold):
        self.ensure_one()
        self.write(self._prepare_hold_values(hold))

    def _set_invoiced(self, move=None, snapshot=None):
        """:param move: the invoice, unless the document has it already
        :param snapshot: of a new invoice, see `copaco.manual.edits`
        """
        self.ensure_one()
        vals = {
            "state": "invoiced",
            "hold_reason": False,
            "hold_message": False,
            "exclude_reason": False,
            "excluded_by_id": False,
        }
        if self.has_pending_version:
            # What Copaco changed still waits, whatever happened to the invoice.
            vals = {"state": "changed", "hold_reason": "source_changed"}
        if move and (snapshot or move != self.move_id):
            vals["move_id"] = move.id
            vals["move_snapshot"] = snapshot or False
            vals["amount_billed"] = 0.0
            # What came between an earlier invoice and its confirmation.
            vals.update(self._get_no_draft())
        self.write(vals)

    @api.model
    def _get_excluded_domain(self):
        """:return: `Domain` of documents that are excluded, also while what Copaco
        changed in them waits"""
        return Domain("state", "=", "excluded") | Domain(
            [
                ("state", "=", "held"),
                ("hold_reason", "=", "source_changed"),
                ("excluded_by_id", "!=", False),
            ]
        )

    def _is_excluded(self):
        self.ensure_one()
        return bool(self.filtered_domain(self._get_excluded_domain()))

    def _resume(self):
        """Go back to what was decided before Copaco's change, which is settled."""
        self.ensure_one()
        self.write(
            {
                "state": "excluded" if self.exclude_reason else "new",
                "hold_reason": False,
                "hold_message": False,
            }
        )

    # === CRON METHODS AND JOBS === #

    @api.model
    def _cron_process(self):
        """Make the invoices of everything that waits for it."""
        self.sudo().env["copaco.processor"]._process_all()

    def _job_process(self):
        self.sudo().env["copaco.job"]._process(self.sudo())
