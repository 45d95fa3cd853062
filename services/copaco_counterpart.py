from odoo import models
from odoo.tools import SQL

from ..const import PURCHASE_KINDS


class CopacoCounterpart(models.AbstractModel):
    """Which connections have the other side of what a connection receives: one may
    receive what customers pay, and another one what it costs."""

    _name = "copaco.counterpart"
    _description = "Copaco Connection Counterpart"

    def _get_connections(self, connection, date_from, date_to):
        """:param connection: a `copaco.connection`
        :param date_from: first invoice date
        :param date_to: last invoice date
        :return: it, those whose place it took, and those of the same root company that
            have the other side: where lines of a sale and its cost are paired, or where
            each of them has one side alone
        """
        replacement = self.env["copaco.replacement"]
        found = replacement._get_replaced(connection)
        sides = self._get_sides(connection, date_from, date_to)
        if sides.keys() <= set(found.ids):
            return found
        paired = self._get_paired(found, date_from, date_to)
        own = _get_union(sides, found.ids)
        for succession in set(replacement._get_successions().values()):
            other = _get_union(sides, succession)
            if succession & paired or (own and other and not own & other):
                found |= connection.browse(sorted(succession))
        return found

    def _get_sides(self, connection, date_from, date_to):
        """:return: dict by id of each connection of the root company that has documents
        of a period, of a set with whether they are purchases"""
        sides = {}
        for each, kind in (
            self.env["copaco.document"]
            .sudo()
            ._read_group(
                [
                    ("root_company_id", "=", connection.company_id.root_id.id),
                    ("invoice_date", ">=", date_from),
                    ("invoice_date", "<=", date_to),
                    ("line_count", ">", 0),
                ],
                ["connection_id", "kind"],
            )
        ):
            sides.setdefault(each.id, set()).add(kind in PURCHASE_KINDS)
        return sides

    def _get_paired(self, connections, date_from, date_to):
        """:return: set of the ids of the connections with the cost of what these sell,
        or the sale of what these pay"""
        self.env["copaco.document"].flush_model(["connection_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT sale.connection_id, cost.connection_id
                  FROM copaco_margin margin
                  JOIN copaco_document_line sale_line
                    ON sale_line.id = margin.sale_line_id
                  JOIN copaco_document sale ON sale.id = sale_line.document_id
                  JOIN copaco_document_line cost_line
                    ON cost_line.id = margin.cost_line_id
                  JOIN copaco_document cost ON cost.id = cost_line.document_id
                 WHERE margin.date BETWEEN %(date_from)s AND %(date_to)s
                   AND ARRAY[sale.connection_id, cost.connection_id] && %(ids)s::int[]
                """,
                date_from=date_from,
                date_to=date_to,
                ids=connections.ids,
            )
        )
        return {connection_id for row in rows for connection_id in row}


def _get_union(sides, connection_ids):
    return set().union(*(sides.get(each, ()) for each in connection_ids))
