import logging
from collections import Counter

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL, format_date

from ..const import BATCH_SIZE, INVOICE_POLICIES, ORIGIN_FIELDS, SALES_KINDS
from ..exceptions import CONCURRENCY_ERRORS
from ..tools import avoid_compiling

_logger = logging.getLogger(__name__)

# Of customers: the last manual change, and how many months since then were confirmed
# as a whole.
_COUNTS = """
    WITH document AS (
        SELECT id, customer_id, invoice_date, state, move_id, manual_change,
               manual_change_on, edits_checked_at, amount_billed
          FROM copaco_document
         WHERE customer_id = ANY(%(customers)s) AND kind IN %(sales)s
           AND invoice_date IS NOT NULL
    ),
    move AS (
        SELECT document.id AS document_id, move.id, move.state
          FROM document
          JOIN account_move move ON move.copaco_document_id = document.id
     UNION ALL
        SELECT document.id, move.id, move.state
          FROM document
          JOIN account_move move ON move.id = document.move_id
         WHERE document.amount_billed != 0 AND move.copaco_document_id != document.id
     UNION ALL
        SELECT document.id, move.id, move.state
          FROM document
          JOIN copaco_document_version version ON version.document_id = document.id
          JOIN account_move move ON move.copaco_version_id = version.id
    ),
    made AS (
        %(made)s
    ),
    open AS (
        SELECT DISTINCT document_id FROM move WHERE state = 'draft'
    ),
    change AS (
        SELECT customer_id, id AS document_id, manual_change AS kind,
               manual_change_on AS day
          FROM document
         WHERE manual_change IS NOT NULL
     UNION ALL
        SELECT document.customer_id, document.id, 'credited',
               greatest(document.invoice_date, made.day)
          FROM document
          JOIN made ON made.document_id = document.id
    ),
    last AS (
        SELECT DISTINCT ON (customer_id) *
          FROM change
      ORDER BY customer_id, day DESC, document_id DESC, kind
    ),
    month AS (
        SELECT document.customer_id, min(document.invoice_date) AS first_day,
               bool_and(document.state = 'invoiced'
                        AND document.edits_checked_at IS NOT NULL
                        AND coalesce(invoice.state, '') = 'posted'
                        AND open.document_id IS NULL) AS is_confirmed
          FROM document
     LEFT JOIN account_move invoice ON invoice.id = document.move_id
     LEFT JOIN open ON open.document_id = document.id
         WHERE document.state != 'excluded'
      GROUP BY document.customer_id, date_trunc('month', document.invoice_date)
    )
    SELECT customer.id, last.kind, last.day, last.document_id,
           count(*) FILTER (WHERE month.is_confirmed
                              AND (last.day IS NULL OR month.first_day > last.day))
      FROM unnest(%(customers)s) AS customer (id)
 LEFT JOIN last ON last.customer_id = customer.id
 LEFT JOIN month ON month.customer_id = customer.id
  GROUP BY 1, 2, 3, 4"""

# What was created of an invoice by one of Odoo's own buttons, and isn't the addon's.
_MADE = """
        SELECT move.document_id, made.create_date::date AS day
          FROM move
          JOIN account_move made ON made.%(field)s = move.id
         WHERE made.state != 'cancel' AND made.copaco_document_id IS NULL
           AND made.copaco_version_id IS NULL"""

# Confirmed invoices that were not compared with what was made, or written since.
_UNCHECKED = """
    SELECT document.id
      FROM copaco_document document
      JOIN account_move move ON move.id = document.move_id
     WHERE document.customer_id = ANY(%(customers)s) AND document.kind IN %(sales)s
       AND document.invoice_date >= %(since)s AND document.manual_change IS NULL
       AND document.state IN ('invoiced', 'changed') AND move.state = 'posted'
       AND (document.edits_checked_at IS NULL
            OR move.write_date >= document.edits_checked_at
            OR EXISTS (SELECT
                         FROM account_move_line line
                        WHERE line.move_id = move.id AND line.display_type = 'product'
                          AND line.write_date >= document.edits_checked_at))
  ORDER BY document.id"""

# The connection of the newest document of each customer.
_CONNECTIONS = """
    SELECT DISTINCT ON (customer_id) customer_id, connection_id
      FROM copaco_document
     WHERE kind IN %(sales)s AND %(condition)s
  ORDER BY customer_id, invoice_date DESC NULLS LAST, id DESC"""


class CopacoAutomation(models.AbstractModel):
    """Automation that is earned: where a connection asks for it, invoices of a customer
    are confirmed once those of so many months were confirmed without a manual change,
    and sent after as many again."""

    _name = "copaco.automation"
    _description = "Copaco Automation per Customer"

    # === HOW FAR INVOICES GO === #

    def _get_policy(self, customer, connection):
        """:return: how far the invoices of a customer go that a connection fetched, a
        value of `copaco.connection.invoice_policy`"""
        months, chosen = connection.auto_policy_months, customer.invoice_policy
        if chosen == "connection" or (chosen == "earned" and not months):
            return connection.invoice_policy
        if chosen == "earned":
            chosen = INVOICE_POLICIES[min(customer.unchanged_months // months, 2)]
        return min(
            connection.invoice_policy or "draft", chosen, key=INVOICE_POLICIES.index
        )

    def _get_first_policy(self, customer, connection):
        """See `_get_policy`: of the first invoice to a contact."""
        if self._is_compared(customer, connection):
            return "draft"
        return self._get_policy(customer, connection)

    def _get_policies(self, documents):
        """Decide how far the new invoices of documents go, and say on those why they
        stay drafts that the connection would confirm.

        :param documents: `copaco.document` records of one connection
        :return: dict of a value of `copaco.connection.invoice_policy` by document
        """
        connection = documents.connection_id
        if connection.auto_policy_months and connection.invoice_policy != "draft":
            self._count(documents.customer_id, connection)
        policies = {
            document: self._get_policy(document.customer_id, connection)
            for document in documents
        }
        if connection.invoice_policy != "draft":
            left = documents.filtered(lambda each: policies[each] == "draft")
            left.draft_reason = "not_automated"
        return policies

    def _is_compared(self, customer, connection):
        """:return: whether invoices stay drafts that differ from the month before"""
        return bool(
            connection.auto_policy_months and customer.invoice_policy != "connection"
        )

    # === WHAT A CUSTOMER HAS EARNED === #

    def _count(self, customers, connection):
        """Count anew what customers have earned.

        :param connection: says how many months it takes
        """
        self._check_edits(customers, connection)
        counts = self._get_counts(customers)
        for customer in customers.sudo():
            vals = counts[customer.id]
            if any(customer[name] != value for name, value in vals.items()):
                customer.write(vals)

    def _check_edits(self, customers, connection):
        """Compare the confirmed invoices of customers with what was made."""
        documents = self.env["copaco.document"].browse(
            document_id
            for (document_id,) in self.env.execute_query(
                SQL(
                    _UNCHECKED,
                    customers=self._flush(customers).ids,
                    sales=SALES_KINDS,
                    since=self._get_first_month(connection),
                )
            )
        )
        documents._note_checked(documents.filtered(self._is_edited))

    def _get_first_month(self, connection):
        """:return: from which day on invoices count when an automation begins: a year,
        or as many months as it takes, and the one that has just begun"""
        months = max(2 * connection.auto_policy_months + 1, 12)
        return fields.Date.context_today(self) + relativedelta(day=1, months=-months)

    def _is_edited(self, document):
        edits = self.env["copaco.manual.edits"]
        # Each for itself: then Odoo reads the invoices of all documents at once.
        moves = (document._get_live_invoice(), *document._get_live_corrections())
        return any(edits._compare(move).has_edits for move in moves)

    def _get_counts(self, customers):
        """:return: dict of values for `copaco.customer` by id"""
        move_fields = self.env["account.move"]._fields
        names = [name for name in ORIGIN_FIELDS if name in move_fields]
        rows = self.env.execute_query(
            SQL(
                _COUNTS,
                customers=self._flush(customers).ids,
                sales=SALES_KINDS,
                made=SQL(" UNION ALL ").join(
                    SQL(_MADE, field=SQL.identifier(name)) for name in names
                ),
            )
        )
        return {
            customer_id: {
                "unchanged_months": count,
                "last_change": kind or False,
                "last_change_on": day or False,
                "last_change_document_id": self.env["copaco.document"].browse(
                    document_id or []
                ),
            }
            for customer_id, kind, day, document_id, count in rows
        }

    def _flush(self, customers):
        for name in ("copaco.document", "copaco.document.version"):
            self.env[name].flush_model()
        for name in ("account.move", "account.move.line"):
            self.env[name].flush_model()
        avoid_compiling(self.env.cr)
        return customers

    # === IN THE BACKGROUND === #

    def _on_state(self, before):
        """Note which confirmed invoices and corrections aren't confirmed any more, and
        count anew.

        :param before: dict of the state that they had before by `account.move`
        """
        changed = self.env["account.move"].union(
            *(
                move
                for move, state in before.items()
                if "posted" in (state, move.state) and state != move.state
            )
        )
        documents = self.env["copaco.document"].sudo()
        for move in changed.sudo():
            own = move._get_copaco_documents() or move._get_copaco_document()
            documents |= own
            if before[move] == "posted":
                own._note_reset()
        self._count_in_background(documents.connection_id)

    def _count_in_background(self, connections):
        """Have what the customers of these connections have earned counted anew soon,
        for whoever looks at it."""
        if any(connections.sudo().mapped("auto_policy_months")):
            self.env["copaco.background"].sudo()._continue_invoicing()

    def _count_all(self):
        """Count what all customers have earned, where that is asked for; commits."""
        connections = self.env["copaco.connection"].search(
            [("auto_policy_months", ">", 0)]
        )
        for connection in connections:
            customers = self._find_customers(connection)
            for start in range(0, len(customers), BATCH_SIZE):
                own = customers[start : start + BATCH_SIZE]
                try:
                    self._count(own.with_company(connection.company_id), connection)
                    self.env["ir.cron"]._commit_progress()
                except CONCURRENCY_ERRORS as error:
                    # They are counted anew before it matters.
                    self.env.cr.rollback()
                    _logger.info("Copaco counts: concurrent update (%s)", type(error))

    # === WHAT A PERSON SEES === #

    def _find_connections(self, customers):
        """:return: dict of the `copaco.connection` that fetched the newest document of
        a customer by customer; empty where there is none"""
        self.env["copaco.document"].flush_model()
        condition = SQL("customer_id = ANY(%s)", customers.ids)
        found = dict(
            self.env.execute_query(
                SQL(_CONNECTIONS, sales=SALES_KINDS, condition=condition)
            )
        )
        Connection = self.env["copaco.connection"].sudo()
        return {
            customer: Connection.browse(found.get(customer.id) or [])
            for customer in customers
        }

    def _find_customers(self, connections):
        """:return: the customers whose newest document these connections fetched"""
        self.env["copaco.document"].flush_model()
        condition = SQL("company_id = ANY(%s)", connections.company_id.ids)
        rows = self.env.execute_query(
            SQL(_CONNECTIONS, sales=SALES_KINDS, condition=condition)
        )
        return self.env["copaco.customer"].browse(
            customer_id
            for customer_id, connection_id in rows
            if customer_id and connection_id in connections.ids
        )

    def _describe_customers(self, connection):
        """:return: text: how many customers of a connection have earned what"""
        if not connection.auto_policy_months or connection.invoice_policy == "draft":
            return ""
        counts = Counter(
            self._get_policy(customer, connection)
            for customer in self._find_customers(connection)
        )
        return self.env._(
            "Leave as draft: %(draft)s, confirm: %(post)s, confirm and send: %(send)s",
            **{policy: counts[policy] for policy in INVOICE_POLICIES},
        )

    def _describe_policy(self, customer, connection):
        """:return: text: why the invoices of a customer go as far as they do"""
        chosen = customer.invoice_policy
        if chosen == "connection" or (
            chosen == "earned" and not connection.auto_policy_months
        ):
            return self.env._("As the connection says.")
        if chosen != "earned":
            if self._get_policy(customer, connection) != chosen:
                return self.env._("The connection goes no further.")
            return self.env._("Chosen on the customer.")
        names = {
            "count": customer.unchanged_months,
            "needed": self._get_needed(customer, connection),
        }
        if customer.last_change:
            names |= {
                "document": customer.last_change_document_id.sudo().invoice_number,
                "day": format_date(self.env, customer.last_change_on),
            }
        if customer.last_change == "edited":
            return self.env._(
                "Months confirmed unchanged: %(count)s of %(needed)s, since the "
                "invoice of %(document)s was edited (%(day)s).",
                **names,
            )
        if customer.last_change == "credited":
            return self.env._(
                "Months confirmed unchanged: %(count)s of %(needed)s, since the "
                "invoice of %(document)s was credited (%(day)s).",
                **names,
            )
        if customer.last_change == "reset":
            return self.env._(
                "Months confirmed unchanged: %(count)s of %(needed)s, since the "
                "invoice of %(document)s was reset to draft (%(day)s).",
                **names,
            )
        return self.env._(
            "Months confirmed unchanged: %(count)s of %(needed)s.", **names
        )

    def _get_needed(self, customer, connection):
        """:return: how many months it takes to get further, or took to get as far as
        the connection goes"""
        months = connection.auto_policy_months
        is_further = connection.invoice_policy == "send"
        return months * (1 + (is_further and customer.unchanged_months >= months))
