from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import PURCHASE_KINDS
from ..tools import get_row_hash, get_text_key, round_amount, write_text_key

# What a `DocumentLine` calls as it is called here, and is stored as it is.
SOURCE_FIELDS = (
    *("line_ref", "row_hash", "subscription_ref", "subscription_name", "plan_ref"),
    *("plan_name", "plan_category", "charge_type", "billing_frequency"),
    *("description", "date_start", "date_end", "vendor_details", "subscription_po"),
    *("line_po", "consumer_name", "consumer_number", "quantity_type", "sku"),
)
_SUBSCRIPTION_KEY = write_text_key("subscription_ref")


class CopacoDocumentLine(models.Model):
    """A price line as Copaco sent it, and the invoice line that it became."""

    _name = "copaco.document.line"
    _description = "Copaco Document Line"
    _order = "document_id, sequence, id"
    _rec_name = "description"

    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    # Those of the document. Not readonly and not related: given with the other values,
    # they need not be computed, which would take a third of the time of storing a line.
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_and_currency",
        store=True,
        precompute=True,
        readonly=False,
        index=True,
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_company_and_currency",
        store=True,
        precompute=True,
        readonly=False,
    )
    # What price lines are searched and grouped by.
    customer_id = fields.Many2one(related="document_id.customer_id")
    connection_id = fields.Many2one(related="document_id.connection_id")
    invoice_date = fields.Date(related="document_id.invoice_date")
    kind = fields.Selection(related="document_id.kind")
    document_state = fields.Selection(related="document_id.state", string="Status")

    sequence = fields.Integer()
    line_ref = fields.Char(string="Line ID")
    row_hash = fields.Char(string="Invoice Row Hash")
    subscription_ref = fields.Char(string="Subscription ID")
    subscription_name = fields.Char(string="Subscription")
    plan_ref = fields.Char(string="Plan ID")
    plan_name = fields.Char(string="Plan")
    plan_category = fields.Char()
    charge_type = fields.Char()
    billing_frequency = fields.Char()
    description = fields.Char()
    # As many digits as they have: usage has many. Their very text is in the payload.
    quantity = fields.Float(min_display_digits=0)
    unit_price = fields.Float(min_display_digits="Product Price")
    discount = fields.Float(min_display_digits="Product Price")
    duration = fields.Float(min_display_digits=0, default=1)
    extended_price = fields.Float(
        min_display_digits="Product Price",
        help="Without tax, before it is rounded to the currency.",
    )
    # It is rounded when it gets here. A monetary field would look for the currency once
    # more, and twice: a seventh of all calls that storing a line takes.
    amount = fields.Float(
        min_display_digits=2,
        help="The extended price rounded to the currency, half up: what is invoiced.",
    )
    date_start = fields.Date()
    date_end = fields.Date()
    vendor_details = fields.Char()
    subscription_details = fields.Text(
        help="What Copaco prints on its own invoice of the subscription's settings."
    )
    hidden_details = fields.Text(
        string="Other Subscription Details",
        help="What Copaco does not print on its own invoice of them.",
    )
    subscription_po = fields.Char(string="Subscription PO Number")
    line_po = fields.Char(string="Line PO Number")
    consumer_name = fields.Char(string="Consumer")
    consumer_number = fields.Char()
    quantity_type = fields.Char(string="Unit", help="Copaco's QuantityType.")
    sku = fields.Char(string="SKU")
    vat = fields.Float(
        string="Copaco's VAT", min_display_digits=2, help="It is never booked."
    )
    tax_percentage = fields.Float(string="Copaco's Tax (%)", min_display_digits=0)
    tax_zone = fields.Char(string="Copaco's Tax Zone")
    is_excluded = fields.Boolean(
        string="Excluded",
        readonly=True,
        help="Not invoiced, because it is the same charge as another line.",
    )
    rule_id = fields.Many2one(
        "copaco.rule",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The rule that decided what this became; empty: none did.",
    )
    product_id = fields.Many2one("product.product", readonly=True)
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Invoice Line",
        compute="_compute_move_line_id",
        help="The line of the invoice that this became.",
    )
    invoice_line_state = fields.Selection(
        [("edited", "Edited"), ("removed", "Removed")],
        string="Edited Manually",
        compute="_compute_invoice_line_state",
        help="What someone did with the invoice line since it was created.",
    )

    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    cost = fields.Monetary(
        compute="_compute_margin",
        currency_field="company_currency_id",
        help="What Copaco bills for this line, in the company's currency.",
    )
    margin = fields.Monetary(
        compute="_compute_margin", currency_field="company_currency_id"
    )
    margin_percent = fields.Float(string="Margin %", compute="_compute_margin")

    # By these the same charge is found elsewhere.
    _row_hash_idx = models.Index("(row_hash) WHERE row_hash != ''")
    _charge_idx = models.Index(f"({_SUBSCRIPTION_KEY}, extended_price)")
    _charge_without_row_hash_idx = models.Index(
        f"({_SUBSCRIPTION_KEY}, extended_price) WHERE coalesce(row_hash, '') = ''"
    )

    @api.depends("document_id.company_id", "document_id.currency_id")
    def _compute_company_and_currency(self):
        for line in self:
            line.company_id = line.document_id.company_id
            line.currency_id = line.document_id.currency_id

    @api.depends("document_id.move_id.invoice_line_ids.copaco_line_id")
    def _compute_move_line_id(self):
        lines = {
            line.copaco_line_id: line
            for line in self.document_id.move_id.invoice_line_ids
            if line.copaco_line_id
        }
        for line in self:
            line.move_line_id = lines.get(line)

    @api.depends("row_hash", "amount", "document_id.state")
    def _compute_margin(self):
        sales = self.filtered(lambda line: line.document_id.kind not in PURCHASE_KINDS)
        pairs = self.env["copaco.margin"]._get_pairs(sales)
        for line in self:
            pair = pairs.get(line)
            line.cost = pair.cost if pair else 0
            line.margin = pair.sale - pair.cost if pair else 0
            line.margin_percent = (
                line.margin / pair.sale * 100 if pair and pair.sale else 0
            )

    @api.depends("document_id.move_snapshot", "move_line_id")
    def _compute_invoice_line_state(self):
        self.invoice_line_state = False
        for document in self.document_id.filtered(
            lambda document: document.move_snapshot and document._get_live_invoice()
        ):
            edits = self.env["copaco.manual.edits"]._get_edits(document)
            for line in document.line_ids & self:
                if line.id in edits.removed:
                    line.invoice_line_state = "removed"
                elif line in edits.edited.copaco_line_id:
                    line.invoice_line_state = "edited"

    @api.depends("plan_name", "subscription_name", "description", "line_ref")
    def _compute_display_name(self):
        for line in self:
            names = [line.plan_name or line.subscription_name, line.description]
            text = " – ".join(dict.fromkeys(filter(None, names)))
            line.display_name = text or line.line_ref or "–"

    # === ACTION METHODS === #

    def action_create_rule(self):
        """Begin a rule that catches this line and others of its plan, before the rule
        that catches it now; of the same customer if that is of one.

        :return: the window action with the form of it, nothing is saved yet
        """
        self.ensure_one()
        Rule = self.env["copaco.rule"]
        Rule.check_access("create")
        current = self.env["copaco.rule.engine"]._find_rule(self)
        text = self.plan_name or self.subscription_name or self.description
        context = {
            "default_company_id": self.company_id.id,
            "default_connection_id": current.connection_id.id,
            "default_customer_id": current.customer_id.id,
            "default_plan_ref": self.plan_ref or False,
            "default_text_contains": not self.plan_ref and text,
        }
        if self.plan_ref:
            sequence = Rule._get_plan_sequence(self.company_id, current)
            context["default_sequence"] = sequence
        elif current:
            context["default_sequence"] = current.sequence - 1
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Make a Rule"),
            "res_model": "copaco.rule",
            "views": [(False, "form")],
            "target": "new",
            "context": context,
        }

    # === BUSINESS METHODS === #

    def _get_po_number(self):
        """:return: the customer's PO number for this line, "" for none"""
        own = self.line_po or self.subscription_po
        if own or self.document_id.kind in PURCHASE_KINDS:
            return own or ""
        return self.document_id.customer_id.po_number or ""

    def _get_consumer(self):
        """:return: the company that uses this, "" for the customer itself"""
        is_customer = self.consumer_name == self.document_id.customer_id.name
        return "" if is_customer else self.consumer_name or ""

    def _get_unit(self):
        """:return: the unit of the quantity, "" where it is pieces"""
        unit = (self.quantity_type or "").strip()
        return "" if unit.casefold() in ("item", "items") else unit

    @api.model
    def _get_subscription_domain(self, lines):
        """:param lines: `copaco.document.line` records or list of `DocumentLine`
        :return: `Domain` of the lines of the same subscriptions, however their IDs are
            written
        """
        keys = list({get_text_key(line.subscription_ref) for line in lines})

        def to_sql(_model, alias, _query):
            column = SQL.identifier(alias, "subscription_ref")
            return SQL("%s = ANY(%s)", SQL(write_text_key("%s"), column), keys)

        return Domain.custom(to_sql=to_sql)

    def _has_period(self):
        """:return: whether both of its days are known, and in order"""
        return bool(
            self.date_start and self.date_end and self.date_start <= self.date_end
        )

    @api.model
    def _set_matches(self, matches):
        """Keep what these lines became.

        :param matches: dict of `LineMatch` by line
        """
        groups = defaultdict(list)
        for line, match in matches.items():
            if (line.rule_id, line.product_id) != (match.rule, match.product):
                groups[match.rule.id, match.product.id].append(line.id)
        for (rule_id, product_id), ids in groups.items():
            self.browse(ids).write({"rule_id": rule_id, "product_id": product_id})

    @api.model
    def _prepare_source_values(self, source_line, company, currency):
        """:param source_line: a `DocumentLine`
        :param company: `res.company`
        :param currency: `res.currency`; empty: amounts are rounded to cents
        :return: values for `create`
        """
        return {
            "company_id": company.id,
            "currency_id": currency.id,
            **{name: getattr(source_line, name) for name in SOURCE_FIELDS},
            "row_hash": get_row_hash(source_line),
            "quantity": _to_float(source_line.quantity),
            "unit_price": _to_float(source_line.unit_price),
            "discount": _to_float(source_line.discount),
            "duration": _to_float(source_line.duration, 1.0),
            "extended_price": float(source_line.extended_price),
            "amount": float(
                round_amount(source_line.extended_price, currency.rounding)
            ),
            "subscription_details": _write_details(source_line.details),
            "hidden_details": _write_details(source_line.hidden_details),
            **self._prepare_vat_values(source_line),
        }

    @api.model
    def _prepare_vat_values(self, source_line):
        """See `_prepare_source_values`; what is no part of what makes a line known."""
        return {
            "vat": _to_float(source_line.vat),
            "tax_percentage": _to_float(source_line.tax_percentage),
            "tax_zone": source_line.tax_zone,
        }


def _write_details(details):
    return "\n".join(f"{label}: {value}" for label, value in details)


def _to_float(number, default=0.0):
    return default if number is None else float(number)
