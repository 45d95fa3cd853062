from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import LazyTranslate, formatLang

from ..tools import Amount, render_message, round_price, soft_reload

_lt = LazyTranslate(__name__)

FINDING_KINDS = [
    ("cost_without_sale", "Cost without sale"),
    ("sale_without_cost", "Sale without cost"),
    ("below_cost", "Sale below cost"),
    ("low_margin", "Margin below threshold"),
    ("quantity_differs", "Quantity differs"),
    ("price_changed", "Price changed"),
    ("subscription_new", "New subscription"),
    ("subscription_gone", "Subscription ended"),
    ("customer_excluded", "Cost of an excluded customer"),
    ("bill_differs", "Bill differs from its lines"),
]


class CopacoFinding(models.Model):
    """What does not add up between what Copaco bills and what is billed on. It is
    accepted with a reason, and stays so until its figures change; or it is solved."""

    _name = "copaco.finding"
    _description = "Copaco Finding"
    _order = "date desc, amount desc, id"
    _rec_name = "kind"
    _check_company_auto = True

    kind = fields.Selection(FINDING_KINDS, required=True, readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted"), ("solved", "Solved")],
        required=True,
        default="open",
        readonly=True,
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    connection_id = fields.Many2one(
        "copaco.connection", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("copaco.customer", readonly=True, ondelete="cascade")
    date = fields.Date(string="Month", required=True, readonly=True)
    key = fields.Char(required=True, readonly=True, help="What it is about.")
    figures = fields.Json(readonly=True)
    amount = fields.Monetary(readonly=True, help="What it is about, without tax.")
    message = fields.Text(compute="_compute_message")
    reason = fields.Char(help="Why it is accepted.")
    accepted_by_id = fields.Many2one("res.users", readonly=True)
    sale_line_id = fields.Many2one(
        "copaco.document.line", readonly=True, ondelete="set null"
    )
    cost_line_id = fields.Many2one(
        "copaco.document.line", readonly=True, ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move", string="Bill", readonly=True, ondelete="set null"
    )

    _key_unique = models.UniqueIndex(
        "(connection_id, kind, key)", "This was already found."
    )
    _month_idx = models.Index("(connection_id, date)")

    # === COMPUTE METHODS === #

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        # OVERRIDES base, which shows the code
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for finding in self:
            finding.display_name = labels.get(finding.kind)

    @api.depends("kind", "figures")
    @api.depends_context("lang")
    def _compute_message(self):
        for finding in self:
            finding.message = finding._get_message()

    def _get_message(self):
        figures = self.figures or {}

        # The figures of a bill are in its own currency.
        currency = self.move_id.sudo().currency_id or self.currency_id

        # Of which two that differ must not look the same.
        show = round_price if self.kind == "price_changed" else float
        show_quantity = self.env["copaco.line.text"]._get_formats().number

        def get_amount(name):
            return Amount(show(figures.get(name, 0)), currency)

        values = {
            "line": self.cost_line_id or self.sale_line_id or figures.get("name", ""),
            "sale": get_amount("sale"),
            "cost": get_amount("cost"),
            "percent": formatLang(self.env, figures.get("percent", 0), digits=2),
            "sale_quantity": show_quantity(figures.get("sale_quantity", 0)),
            "cost_quantity": show_quantity(figures.get("cost_quantity", 0)),
            "sale_before": get_amount("sale_before"),
            "cost_before": get_amount("cost_before"),
            "bill": self.move_id,
        }
        messages = {
            "cost_without_sale": _lt(
                "Copaco bills %(cost)s for %(line)s, which is billed on to nobody.",
                **values,
            ),
            "sale_without_cost": _lt(
                "%(line)s is billed on for %(sale)s, and Copaco bills %(cost)s for it.",
                **values,
            ),
            "below_cost": _lt(
                "%(line)s is billed on for %(sale)s, and costs %(cost)s.", **values
            ),
            "low_margin": _lt(
                "%(line)s is billed on for %(sale)s, and costs %(cost)s: a margin of "
                "%(percent)s %%.",
                **values,
            ),
            "quantity_differs": _lt(
                "%(line)s: %(sale_quantity)s is billed on, and Copaco bills "
                "%(cost_quantity)s.",
                **values,
            ),
            "price_changed": _lt(
                "%(line)s: the price was %(sale_before)s and is %(sale)s, the cost was "
                "%(cost_before)s and is %(cost)s, each for one.",
                **values,
            ),
            "subscription_new": _lt(
                "%(line)s is new since the month before; it costs %(cost)s.", **values
            ),
            "subscription_gone": _lt(
                "%(line)s, which cost %(cost)s in the month before, is not billed any "
                "more.",
                **values,
            ),
            "customer_excluded": _lt(
                "Copaco bills %(cost)s for %(line)s of a customer whose documents are "
                "excluded.",
                **values,
            ),
            "bill_differs": _lt(
                "Bill %(bill)s is %(sale)s without tax, while Copaco's lines are "
                "%(cost)s.",
                **values,
            ),
        }
        return render_message(self.env, messages[self.kind]) if self.kind else ""

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and vals.keys() - {"reason"}:
            raise AccessError(
                self.env._(
                    "Of a finding only the reason is entered manually. Use its buttons."
                )
            )
        if "reason" in vals and not (vals["reason"] or "").strip():
            self._check_not_accepted()
        return super().write(vals)

    # === ACTION METHODS === #

    def action_accept(self):
        """Note that these findings are as they should be; they stay accepted until
        their figures change.

        :raise UserError: when one has no reason
        """
        self._check_access_to_decide()
        if without := self.filtered(lambda each: not (each.reason or "").strip()):
            raise UserError(
                self.env._(
                    "Say why %(finding)s (%(amount)s) is right: enter a reason first.",
                    **without[0]._get_names(),
                )
            )
        self.sudo().write({"state": "accepted", "accepted_by_id": self.env.uid})
        self.env["copaco.activity.monitor"]._update_activity(self.sudo().connection_id)

    def action_reopen(self):
        """Undo `action_accept`."""
        self._check_access_to_decide()
        accepted = self.sudo().filtered(lambda each: each.state == "accepted")
        accepted.write({"state": "open", "accepted_by_id": False})
        self.env["copaco.activity.monitor"]._update_activity(accepted.connection_id)

    def action_view_subject(self):
        """:return: the form of what has to be corrected: the bill, the customer, or the
        document of the line"""
        self.ensure_one()
        if self.move_id:
            return self.move_id._get_records_action()
        if self.kind == "customer_excluded":
            return self.customer_id._get_records_action()
        line = self.sale_line_id or self.cost_line_id
        if self.kind == "cost_without_sale":
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Documents of this customer"),
                "res_model": "copaco.document",
                "view_mode": "list,form",
                "domain": [("customer_id", "=", self.customer_id.id)],
            }
        return line.document_id._get_records_action()

    @api.model
    def action_check(self):
        """Check the last months of all connections of the user's companies again."""
        self.env["copaco.connection"]._check_billing_access()
        connections = self.env["copaco.connection"].search(
            [("company_id", "in", self.env.companies.ids)]
        )
        self.env["copaco.margin.checker"].sudo()._check_recent(connections.sudo())
        self.env["copaco.activity.monitor"]._update_activity(connections)
        return soft_reload()

    # === BUSINESS METHODS === #

    def _check_not_accepted(self):
        if accepted := self.filtered(lambda each: each.state == "accepted"):
            raise UserError(
                self.env._(
                    "%(finding)s (%(amount)s) was accepted for a reason: reopen it "
                    "before you remove that.",
                    **accepted[0]._get_names(),
                )
            )

    def _get_names(self):
        """:return: dict of what a sentence says of this finding"""
        return {
            "finding": self.display_name,
            "amount": formatLang(self.env, self.amount, currency_obj=self.currency_id),
        }

    def _check_access_to_decide(self):
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("write")
