"""A reseller in Odoo, and what its books must be, read with plain SQL."""

import json
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from workers import environment

CENT = Decimal("0.01")
HOLD_REASONS = ("customer_unknown", "source_changed")

# Each finds what must not be; %(company)s is the company.
FAULTS = {
    "a document is there twice": """
        SELECT kind, invoice_number, customer_id, count(*)
          FROM copaco_document WHERE company_id = %(company)s
      GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a customer is there twice": """
        SELECT account_ref, count(*)
          FROM copaco_customer WHERE company_id = %(company)s
      GROUP BY 1 HAVING count(*) > 1""",
    "a document waits or is held without a good reason": """
        SELECT invoice_number, state, hold_reason, hold_message
          FROM copaco_document WHERE company_id = %(company)s
           AND state NOT IN ('invoiced', 'changed')
           AND NOT (state = 'held' AND hold_reason IN %(hold_reasons)s
                    AND hold_message > '')""",
    "a document has not the one invoice that it should have": """
        SELECT document.invoice_number, document.state, array_agg(move.id)
          FROM copaco_document document
     LEFT JOIN account_move move ON move.copaco_document_id = document.id
         WHERE document.company_id = %(company)s
      GROUP BY document.id
        HAVING count(move.id) != (document.state IN ('invoiced', 'changed'))::int
            OR sum(move.amount_untaxed_signed) != document.amount_source
            OR max(move.id) IS DISTINCT FROM document.move_id
            OR bool_or(move.state != %(move_state)s)""",
    "a price line is not exactly once on an invoice": """
        SELECT line.id, line.amount, array_agg(booked.price_subtotal)
          FROM copaco_document_line line
          JOIN copaco_document document ON document.id = line.document_id
     LEFT JOIN account_move_line booked ON booked.copaco_line_id = line.id
         WHERE document.company_id = %(company)s AND document.state != 'held'
      GROUP BY line.id
        HAVING count(booked.id) != 1 OR sum(-booked.balance) != line.amount""",
    "an invoice is of no document": """
        SELECT id, name FROM account_move
         WHERE company_id = %(company)s AND copaco_document_id IS NULL""",
    "an invoice number was skipped": """
        SELECT sequence_prefix, array_agg(sequence_number ORDER BY sequence_number)
          FROM account_move WHERE company_id = %(company)s AND state = 'posted'
      GROUP BY 1 HAVING max(sequence_number) != count(*)""",
    "a change is there twice": """
        SELECT document_id, payload_digest, count(*)
          FROM copaco_document_version WHERE company_id = %(company)s
      GROUP BY 1, 2 HAVING count(*) > 1""",
    "a run failed or goes on for ever": """
        SELECT id, name, trigger, state, started_at, stored_at, message
          FROM copaco_run WHERE company_id = %(company)s
           AND state IN ('running', 'failed')""",
    "a run has not what it received": """
        SELECT run.id, run.trigger, run.received_count, run.unchanged_count,
               count(came.run_id), run.amount_received, run.amount_unchanged,
               sum(came.amount_source)
          FROM copaco_run run
     LEFT JOIN (SELECT run_id, line_count, amount_source FROM copaco_document
                 UNION ALL
                SELECT run_id, line_count, amount_source FROM copaco_document_version
               ) came ON came.run_id = run.id
         WHERE run.company_id = %(company)s
      GROUP BY run.id
        HAVING run.received_count != run.unchanged_count + count(came.run_id)
            OR run.received_line_count
               != run.unchanged_line_count + coalesce(sum(came.line_count), 0)
            OR run.amount_received
               != run.amount_unchanged + coalesce(sum(came.amount_source), 0)""",
    "a connection has several activities": """
        SELECT res_id, array_agg(summary) FROM mail_activity
         WHERE res_model = 'copaco.connection' AND res_id IN %(connections)s
      GROUP BY 1 HAVING count(*) > 1""",
}

BOOKS = """
    SELECT document.invoice_number, customer.account_ref, customer.partner_id,
           document.state, document.hold_reason, document.amount_source,
           move.state, move.move_type, move.partner_id, move.invoice_date,
           move.invoice_date_due, move.amount_untaxed_signed, move.amount_total_signed,
           line.display_type, line.sequence, line.name, line.quantity, line.price_unit,
           line.price_subtotal, line.balance
      FROM copaco_document document
      JOIN copaco_customer customer ON customer.id = document.customer_id
 LEFT JOIN account_move move ON move.copaco_document_id = document.id
 LEFT JOIN account_move_line line ON line.move_id = move.id
     WHERE document.company_id = %(company)s
  ORDER BY 2, 1, line.display_type, 15, 16, 17, 18, 19, 20"""


class Reseller:
    """A Dutch company with two connections to the same portal.

    :param simulator: the portal
    :param policy: ``draft`` or ``post``
    :param overlap_days: how far a fetch looks back at what was fetched before
    """

    def __init__(self, name, simulator, policy, overlap_days):
        self.simulator = simulator
        with environment() as env:
            # Without it Odoo would install what the country has, with a lock on all
            # modules that workers which were just killed may still hold.
            companies = env["res.company"].with_context(install_mode=True)
            company = companies.create(
                {
                    "name": name,
                    "country_id": env.ref("base.nl").id,
                    # It would be looked up at Odoo's maker.
                    "iap_enrich_auto_done": True,
                }
            )
            company = company.with_env(env)
            env["account.chart.template"].try_loading("nl", company, install_demo=False)
            env.ref("base.user_admin").company_ids |= company
            product = env["product.product"].create(
                {"name": "Cloud", "taxes_id": company.account_sale_tax_id.ids}
            )
            connections = env["copaco.connection"].create(
                [
                    {
                        "name": f"{name}, {number} portal account",
                        "company_id": company.id,
                        "product_id": product.id,
                        "base_url": simulator.url,
                        "api_key": simulator.api_key,
                        "invoice_policy": policy,
                        "import_from": min(each.created for each in simulator.invoices),
                        "overlap_days": overlap_days,
                    }
                    for number in ("first", "second")
                ]
            )
            self.company_id = company.id
            self.connection_ids = connections.ids
        self._parameters = {
            "company": self.company_id,
            "connections": tuple(self.connection_ids),
            "hold_reasons": HOLD_REASONS,
            "move_state": {"draft": "draft", "post": "posted"}[policy],
        }

    def faults(self):
        """Return dict of what is wrong with the books and the rows that show it."""
        found = {fault: self.query(query) for fault, query in FAULTS.items()}
        return {fault: rows for fault, rows in found.items() if rows}

    def books(self):
        """Return the rows of ``BOOKS``, where nothing may differ between two resellers
        who received the same."""
        return self.query(BOOKS)

    def received(self):
        """Return dict of the amounts by number and account, as ``sent_by`` does."""
        rows = self.query(
            "SELECT invoice_number, account_ref, amount_source::text"
            "  FROM copaco_document document"
            "  JOIN copaco_customer customer ON customer.id = document.customer_id"
            " WHERE document.company_id = %(company)s"
        )
        return {(number, account): Decimal(amount) for number, account, amount in rows}

    def query(self, query):
        """Return the rows of an SQL query as tuples."""
        with environment() as env:
            env.cr.execute(query, self._parameters)
            return env.cr.fetchall() if env.cr.description else []

    def fetched_until(self):
        """Return the day until which everything is said to be stored."""
        ((day,),) = self.query(
            "SELECT max(fetched_until) FROM copaco_connection"
            " WHERE company_id = %(company)s"
        )
        return day or date.min

    def states(self):
        """Return dict of the number of documents by state."""
        return dict(
            self.query(
                "SELECT state, count(*) FROM copaco_document"
                " WHERE company_id = %(company)s GROUP BY 1"
            )
        )

    def let_half_an_hour_pass(self):
        """Make the runs that were interrupted older, so that they begin again."""
        self.query(
            "UPDATE copaco_run SET started_at = started_at - interval '31 minutes'"
            " WHERE company_id = %(company)s"
        )

    def finish_activities(self):
        """Do what the responsible user does on having read them."""
        self.query(
            "DELETE FROM mail_activity WHERE res_model = 'copaco.connection'"
            " AND res_id IN %(connections)s"
        )

    def retire(self):
        """Archive the connections."""
        with environment() as env:
            env["copaco.connection"].browse(self.connection_ids).active = False


def create_contacts(customers, company_id=False):
    """Make the contacts of the simulator's customers, for one company or all."""
    with environment() as env:
        countries = {
            code: env["res.country"].search([("code", "=", code)]).id
            for code in ("NL", "BE")
        }
        env["res.partner"].create(
            [
                {
                    "name": customer.name,
                    "is_company": True,
                    "vat": customer.vat,
                    "ref": "" if customer.vat else customer.customer_number,
                    "country_id": countries[customer.country_code],
                    "company_id": company_id,
                }
                for customer in customers
            ]
        )


def sent_by(simulator, until=date.max):
    """Return dict of what each customer must pay, by Copaco's number and account.

    :param until: the last creation date that counts
    """
    amounts = Counter()
    for stored in simulator.invoices:
        if stored.created > until:
            continue
        invoice = json.loads(stored.encode(), parse_float=Decimal)
        number = str(invoice["Header"]["InvoiceID"])
        for customer in invoice["Customers"]:
            for line in price_lines(customer):
                amounts[number, str(customer["AccountID"])] += Decimal(
                    line["ExtendedPrice"]
                ).quantize(CENT, ROUND_HALF_UP)
    return dict(amounts)


def price_lines(customer):
    """Return the price lines of an element of ``Customers``."""
    return [
        line
        for subscription in customer["Subscriptions"]
        for line in subscription["PriceLines"]
    ]
