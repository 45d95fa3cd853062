from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import SALES_KINDS
from ..tools import avoid_compiling

# Price lines as exactly as Copaco sent them, and by how much the lines of a document
# differ from its amount: that is rounded, or is what Copaco states.
_QUERY = """
    WITH rate AS MATERIALIZED (
        SELECT *
          FROM unnest(%(currencies)s::int[], %(companies)s::int[], %(days)s::date[],
                      %(rates)s::numeric[])
               AS rate (currency_id, company_id, day, rate)
    )
    SELECT part.id, part.line_id, part.status,
           part.amount * coalesce(rate.rate, 1) AS amount,
           rate.rate IS NOT NULL AS is_converted,
           document.id AS document_id, document.company_id, document.connection_id,
           document.customer_id,
           coalesce(document.invoice_date, document.create_date::date) AS date,
           part.status = 'invoiced' AND move.state = 'posted'
               AND coalesce(delivery.state = 'sent', move.is_move_sent, false)
               AS is_sent,
           nullif(line.plan_category, '') AS plan_category, line.plan_name,
           line.charge_type, line.description
      FROM copaco_document document
CROSS JOIN LATERAL (
               SELECT CASE document.state WHEN 'new' THEN 'waiting'
                                          WHEN 'changed' THEN 'invoiced'
                                          ELSE document.state END AS status,
                      document.state IN ('invoiced', 'changed') AS is_invoiced
           ) place
CROSS JOIN LATERAL (
               SELECT line.id::bigint * 4 AS id, line.id AS line_id,
                      CASE WHEN place.is_invoiced AND line.is_excluded THEN 'excluded'
                           ELSE place.status END AS status,
                      line.extended_price::numeric AS amount
                 FROM copaco_document_line line
                WHERE line.document_id = document.id
            UNION ALL
               SELECT document.id::bigint * 4 + rest.place, NULL, rest.status,
                      rest.amount
                 FROM (
                     SELECT coalesce(sum(extended_price::numeric), 0) AS lines,
                            coalesce(sum(extended_price::numeric)
                                     FILTER (WHERE is_excluded), 0) AS excluded
                       FROM copaco_document_line
                      WHERE document_id = document.id
                 ) total
           CROSS JOIN LATERAL (
                     SELECT coalesce(document.amount_source, 0) - total.lines AS all,
                            CASE WHEN place.is_invoiced
                                 THEN coalesce(document.amount_excluded, 0)
                                      - total.excluded ELSE 0 END AS excluded
                 ) difference
           CROSS JOIN LATERAL (
                     VALUES (1, place.status, difference.all - difference.excluded),
                            (2, 'excluded', difference.excluded)
                 ) rest (place, status, amount)
                WHERE rest.amount != 0
           ) part
 LEFT JOIN copaco_document_line line ON line.id = part.line_id
 LEFT JOIN rate ON rate.currency_id = document.currency_id
               AND rate.company_id = document.company_id
               AND rate.day IS NOT DISTINCT FROM document.invoice_date
 LEFT JOIN account_move move ON move.id = document.move_id
 LEFT JOIN copaco_delivery delivery ON delivery.move_id = move.id AND delivery.active
     WHERE document.kind IN %(kinds)s"""

_FOREIGN = """
    SELECT DISTINCT document.currency_id, document.company_id, document.invoice_date
      FROM copaco_document document
      JOIN res_company company ON company.id = document.company_id
     WHERE document.currency_id != company.currency_id AND document.kind IN %(kinds)s"""


class CopacoOverviewLine(models.Model):
    """Everything that was received to be billed on, in the company's currency, and
    what became of it: what an overview adds up. Nothing is stored."""

    _name = "copaco.overview.line"
    _inherit = "copaco.overview.mixin"
    _description = "Copaco Overview Line"
    _auto = False
    _order = "date desc, document_id, id"
    _rec_name = "document_id"
    _depends = {
        "copaco.document": [
            *("amount_excluded", "amount_source", "company_id", "connection_id"),
            *("currency_id", "customer_id", "invoice_date", "kind", "move_id", "state"),
        ],
        "copaco.document.line": [
            *("charge_type", "description", "document_id", "extended_price"),
            *("is_excluded", "plan_category", "plan_name"),
        ],
        "copaco.delivery": ["active", "move_id", "state"],
        "account.move": ["is_move_sent", "state"],
        "res.currency.rate": ["company_id", "currency_id", "name", "rate"],
    }

    company_id = fields.Many2one(readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(readonly=True)
    document_id = fields.Many2one("copaco.document", readonly=True)
    connection_id = fields.Many2one("copaco.connection", readonly=True)
    customer_id = fields.Many2one("copaco.customer", readonly=True)
    line_id = fields.Many2one(
        "copaco.document.line",
        string="Price Line",
        readonly=True,
        help="None: by how much the lines of the document differ from its amount.",
    )
    plan_category = fields.Char(string="Vendor", readonly=True)
    plan_name = fields.Char(string="Plan", readonly=True)
    charge_type = fields.Char(readonly=True)
    description = fields.Char(readonly=True)
    status = fields.Selection(
        [
            ("invoiced", "Invoiced"),
            ("held", "Held"),
            ("waiting", "Still to be processed"),
            ("excluded", "Excluded"),
        ],
        readonly=True,
    )
    is_sent = fields.Boolean(string="Sent", readonly=True)
    is_converted = fields.Boolean(
        string="Converted",
        readonly=True,
        help="In another currency: converted at the rate of the date of the document.",
    )
    amount = fields.Monetary(
        readonly=True, help="Without tax, in the company's currency."
    )
    # By these a page finds what else is of the month and vendor, or customer, of one.
    like_vendor_id = fields.Many2one(
        "copaco.document.line",
        string="Same Vendor and Month",
        store=False,
        search="_search_like_vendor_id",
    )
    like_customer_id = fields.Many2one(
        "copaco.document",
        string="Same Customer and Month",
        store=False,
        search="_search_like_customer_id",
    )

    @property
    def _table_query(self):
        avoid_compiling(self.env.cr)
        self.env["copaco.document"].flush_model()
        rows = self.env.execute_query(SQL(_FOREIGN, kinds=SALES_KINDS))
        margin = self.env["copaco.margin"]
        return SQL(
            _QUERY,
            kinds=SALES_KINDS,
            currencies=[currency for currency, _company, _day in rows],
            companies=[company for _currency, company, _day in rows],
            days=[day for _currency, _company, day in rows],
            rates=[margin._get_rate(*row) for row in rows],
        )

    # === SEARCH METHODS === #

    def _search_like_vendor_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        lines = self.env["copaco.document.line"].browse(value)
        return Domain.OR(
            self._get_like_domain(line.document_id)
            & Domain("plan_category", "=", line.plan_category)
            for line in lines
        )

    def _search_like_customer_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        documents = self.env["copaco.document"].browse(value)
        return Domain.OR(
            self._get_like_domain(document)
            & Domain("customer_id", "=", document.customer_id.id)
            for document in documents
        )

    def _get_like_domain(self, document):
        """:return: domain of what is billed on in the month of a `copaco.document`"""
        first_day = (document.invoice_date or document.create_date.date()).replace(
            day=1
        )
        return (
            Domain("company_id", "=", document.company_id.id)
            & Domain("date", ">=", first_day)
            & Domain("date", "<=", first_day + relativedelta(months=1, days=-1))
            & Domain("status", "!=", "excluded")
        )

    # === ACTION METHODS === #

    def action_view_document(self):
        """:return: the form of the document that this is of"""
        return self.document_id._get_records_action()
