from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL

from ..const import PURCHASE_KINDS, SALES_KINDS

# Of a connection in a period: customers and vendors of the sales side, and whether
# there is a purchase invoice.
_PRESENT = """
    SELECT 'customer' AS kind, customer.account_ref, customer.name
      FROM copaco_document document
      JOIN copaco_customer customer ON customer.id = document.customer_id
     WHERE document.kind IN %(sales)s AND %(condition)s
     UNION
    SELECT 'vendor', NULL, line.plan_category
      FROM copaco_document document
      JOIN copaco_document_line line ON line.document_id = document.id
     WHERE document.kind IN %(sales)s AND %(condition)s
       AND line.plan_category != ''
     UNION
    SELECT 'purchase', NULL, ''
      FROM copaco_document document
     WHERE document.kind IN %(purchases)s AND %(condition)s"""


class CopacoCompleteness(models.AbstractModel):
    """Lets invoices of a month be drafts until what there was in the month before is
    there again, where a connection asks for that."""

    _name = "copaco.completeness"
    _description = "Copaco Month Completeness"

    def _split_off_waiting(self, documents):
        """:param documents: `copaco.document` records of one connection whose invoices
            are to be posted
        :return: those of which they may be now
        """
        connection = documents.connection_id
        if not connection.wait_for_month:
            return documents
        waiting = documents.browse()
        for month, own in documents.grouped(_get_month).items():
            if month and self._get_missing(connection, month):
                waiting |= own
        waiting.draft_reason = "month_incomplete"
        return documents - waiting

    def _get_missing(self, connection, month):
        """Find what there was in the month before, and isn't in this one.

        :param month: its first day
        :return: list of names; empty when nothing is missing, a person said that it
            need not come, or it was waited for long enough
        """
        if month.isoformat() in (connection.released_months or ()):
            return []
        if self._is_overdue(connection, month):
            return []
        before = self._get_connections(connection, month - relativedelta(months=1))
        missing = self._get_present(before, month - relativedelta(months=1))
        missing -= self._get_present(self._get_connections(connection, month), month)
        active = connection | before.filtered("active")
        if not any(active.mapped("fetch_purchases")):
            missing = {row for row in missing if row[0] != "purchase"}
        return sorted(
            name or account or self.env._("Purchase invoice of Copaco")
            for _kind, account, name in missing
        )

    def _is_overdue(self, connection, month):
        first = self.env["copaco.document"].search(
            [
                ("connection_id", "=", connection.id),
                ("invoice_date", ">=", month),
                ("invoice_date", "<", month + relativedelta(months=1)),
            ],
            order="create_date",
            limit=1,
        )
        limit = fields.Datetime.now() - timedelta(days=connection.wait_days)
        return bool(first) and first.create_date <= limit

    def _get_connections(self, connection, month):
        """:return: a connection, and those that have the other side of a month"""
        return self.env["copaco.counterpart"]._get_connections(
            connection, month, month + relativedelta(months=1, days=-1)
        )

    def _get_present(self, connections, month):
        """:return: set of (`customer`, `vendor` or `purchase`, account, name)"""
        self.env["copaco.document"].flush_model()
        condition = SQL(
            "document.connection_id = ANY(%s) AND document.invoice_date >= %s "
            "AND document.invoice_date < %s",
            connections.ids,
            month,
            month + relativedelta(months=1),
        )
        return set(
            self.env.execute_query(
                SQL(
                    _PRESENT,
                    sales=SALES_KINDS,
                    purchases=PURCHASE_KINDS,
                    condition=condition,
                )
            )
        )

    def _find_complete(self):
        """:return: generator of the documents whose invoices waited for a month that
        is complete now, by connection and month"""
        documents = self.env["copaco.document"].search(
            # What Copaco changed meanwhile is taken over, or decided about, first.
            [("draft_reason", "=", "month_incomplete"), ("state", "=", "invoiced")],
            order="id",
        )
        groups = documents.grouped(lambda each: (each.connection_id, _get_month(each)))
        for (connection, month), own in groups.items():
            if not month or not self._get_missing(connection, month):
                yield own


def _get_month(document):
    return document.invoice_date and document.invoice_date.replace(day=1)
