from odoo import api, fields, models

from ..const import KINDS, PURCHASE_KINDS, SALES_KINDS


class CopacoPurchaseMixin(models.AbstractModel):
    """What a connection does with Copaco's purchase invoices."""

    _name = "copaco.purchase.mixin"
    _description = "Copaco Purchase Settings"

    fetch_purchases = fields.Boolean(
        string="Fetch Purchase Invoices",
        default=True,
        help="What Copaco bills you, with each fetch. The API key needs the permission "
        "Get Invoices.",
    )
    purchase_policy = fields.Selection(
        [
            ("create", "Create a draft bill"),
            ("link", "Link the bill that is received"),
            ("off", "Only compute the margin"),
        ],
        string="Vendor Bills",
        required=True,
        compute="_compute_purchase_policy",
        store=True,
        readonly=False,
        precompute=True,
        help="Link: wait for the bill that is received by Peppol or mail, or entered "
        "manually, and compare its totals with Copaco's lines.",
    )
    vendor_id = fields.Many2one(
        "res.partner",
        check_company=True,
        help="The contact of the Copaco company that bills you.",
    )
    suggested_vendor_id = fields.Many2one(
        "res.partner",
        readonly=True,
        copy=False,
        help="Who has the name that Copaco sends.",
    )
    purchase_journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        domain="[('type', '=', 'purchase')]",
        compute="_compute_purchase_journal_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    bill_layout = fields.Selection(
        [
            ("line", "One line per price line"),
            ("subscription", "One line per subscription"),
            ("customer", "One line per customer"),
            ("product", "One line per product"),
            ("one", "One line"),
        ],
        string="Bill Lines",
        required=True,
        default="line",
        help="Accounts, taxes and the total are the same in each.",
    )
    margin_threshold = fields.Float(
        string="Lowest Margin",
        help="In percent of the sale. What has less is a finding; 0: only what is sold "
        "below cost.",
    )
    wait_for_month = fields.Boolean(
        string="Confirm When the Month Is Complete",
        help="Invoices stay drafts until the customers and vendors of the month "
        "before, and the purchase invoice, are there.",
    )
    wait_days = fields.Integer(
        string="Wait at Most (Days)",
        default=5,
        help="Days after the first document of a month; then its invoices are "
        "confirmed, whatever is missing.",
    )
    released_months = fields.Json(
        readonly=True,
        copy=False,
        help="First days of the months of which a person said that nothing more has to "
        "come.",
    )
    margins_checked_at = fields.Datetime(readonly=True, copy=False)
    purchases_fetched_until = fields.Date(
        readonly=True,
        copy=False,
        help="All purchase invoices created up to and including this day have been "
        "stored.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_purchase_policy(self):
        for connection in self:
            if not connection.purchase_policy:
                is_receiver = connection._receives_by_peppol()
                connection.purchase_policy = "link" if is_receiver else "create"

    @api.depends("company_id")
    def _compute_purchase_journal_id(self):
        for connection in self:
            company = connection.company_id
            if connection.purchase_journal_id.company_id != company:
                connection.purchase_journal_id = self._find_journal(company, "purchase")

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if not vals.keys().isdisjoint(("vendor_id", "purchase_policy")):
            self._resume_bills()
        return res

    # === ACTION METHODS === #

    def action_accept_vendor(self):
        """Take the suggested vendor."""
        for connection in self:
            connection.vendor_id = connection.suggested_vendor_id

    # === BUSINESS METHODS === #

    def _resume_bills(self):
        """Process the documents in the background that waited for the vendor, or for a
        bill to be received."""
        documents = self.env["copaco.document"].sudo()
        waiting = documents.search(
            [
                ("connection_id", "in", self.ids),
                ("state", "=", "held"),
                ("hold_reason", "in", ("vendor_unknown", "bill_awaited")),
            ]
        )
        if waiting:
            waiting.with_context(copaco_refresh_later=True).state = "new"
            self.env["copaco.background"]._continue_invoicing()

    def _forget_what_was_fetched(self):
        """Another portal has to be asked from the start."""
        self.write(
            dict.fromkeys((kind.fetched_until for kind in KINDS.values()), False)
        )

    def _receives_by_peppol(self):
        """Whether the company of this connection receives bills by Peppol, so that
        Copaco's own will be there."""
        company = self.company_id.sudo()
        return (
            "account_peppol_proxy_state" in company._fields
            and company.account_peppol_proxy_state == "receiver"
        )

    def _get_fetched_kinds(self):
        """:return: list of the kinds that this connection fetches"""
        return [*SALES_KINDS, *(PURCHASE_KINDS if self.fetch_purchases else ())]

    def _get_last_run(self):
        """:return: the newest run; of the newest ones of each kind, one that failed"""
        self.ensure_one()
        Run = self.env["copaco.run"]
        own = [("connection_id", "=", self.id)]
        newest = Run.search(own, order="id desc", limit=1)
        for kind in self._get_fetched_kinds():
            run = Run.search([*own, ("kind", "=", kind)], order="id desc", limit=1)
            if run.state == "failed":
                return run
        return newest
