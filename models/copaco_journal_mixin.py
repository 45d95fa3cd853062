from odoo import api, fields, models
from odoo.exceptions import UserError


class CopacoJournalMixin(models.AbstractModel):
    """The sales journal of a connection."""

    _name = "copaco.journal.mixin"
    _description = "Sales Journal"

    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'sale')]",
        compute="_compute_journal_id",
        store=True,
        readonly=False,
        precompute=True,
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_journal_id(self):
        for connection in self:
            if connection.journal_id.company_id != connection.company_id:
                connection.journal_id = self._find_journal(connection.company_id)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self.browse().check_access("create")
        for vals in vals_list:
            company = self.env["res.company"].browse(
                vals.get("company_id") or self.env.company.id
            )
            if not vals.get("journal_id") and not self._find_journal(company):
                raise UserError(
                    self.env._(
                        "Company %(company)s has no sales journal yet, so its invoices "
                        "can't be booked. Choose a package under Invoicing, "
                        "Configuration, Settings, Fiscal Localization, or create a "
                        "sales journal; then create the connection.",
                        company=company.name,
                    )
                )
        return super().create(vals_list)

    # === BUSINESS METHODS === #

    @api.model
    def _find_journal(self, company, kind="sale"):
        Journal = self.env["account.journal"]
        return Journal.search(
            [*Journal._check_company_domain(company), ("type", "=", kind)], limit=1
        )
