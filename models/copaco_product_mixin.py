from odoo import api, fields, models


class CopacoProductMixin(models.AbstractModel):
    """What the lines of a connection become that no rule catches."""

    _name = "copaco.product.mixin"
    _description = "Product of a Copaco Connection"

    unmatched_policy = fields.Selection(
        [("default", "Use this product"), ("hold", "Hold the document")],
        string="Lines Without a Rule",
        required=True,
        default="default",
    )
    goods_tax_warning = fields.Text(compute="_compute_booking")
    typical_customers = fields.Html(
        compute="_compute_booking",
        sanitize=False,
        help="How lines without a rule are booked for three kinds of customers.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "company_id",
        "journal_id",
        "product_id.taxes_id",
        "product_id.supplier_taxes_id",
        "fetch_purchases",
        "purchase_policy",
        "product_id.property_account_income_id",
    )
    @api.depends_context("lang")
    def _compute_booking(self):
        setup = self.env["copaco.service.setup"].sudo()
        self.goods_tax_warning = self.typical_customers = False
        for connection in self.filtered(lambda each: each.product_id and each._origin):
            connection.goods_tax_warning = setup._get_warning(connection.sudo())
            connection.typical_customers = setup._render(connection.sudo())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        for connection in connections:
            self.env["copaco.service.setup"]._set_up_own_product(connection)
        return connections

    # === ACTION METHODS === #

    def action_use_services(self):
        """Have the products of these connections and of their rules booked as services
        that have a tax of goods: with the account and the taxes that the chart of
        accounts has for services.

        :raise UserError: when the chart of accounts doesn't say how
        """
        for connection in self:
            self.env["copaco.service.setup"]._use_services(connection)
