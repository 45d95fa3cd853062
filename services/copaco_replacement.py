from odoo import models
from odoo.tools import SQL


class CopacoReplacement(models.AbstractModel):
    """Which connection took the place of an archived one: what that one received is
    known, and not received again."""

    _name = "copaco.replacement"
    _description = "Copaco Connection Replacement"

    def _get_query(self):
        """:return: `SQL` of rows with the id of a connection, and `connection_id`: the
        active one that counts for it, which is itself; for an archived one the
        oldest of the same company to the same portal, if there is any"""
        self.env["copaco.connection"].flush_model(["active", "company_id", "origin"])
        return SQL(
            """
            SELECT connection.id,
                   CASE WHEN connection.active THEN connection.id
                        ELSE (SELECT min(other.id)
                                FROM copaco_connection other
                               WHERE other.active
                                 AND other.company_id = connection.company_id
                                 AND other.origin = connection.origin)
                         END AS connection_id
              FROM copaco_connection connection
            """
        )

    def _get_replaced(self, connection):
        """:return: a `copaco.connection`, and those whose place it took"""
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM (%s) replacement WHERE connection_id = %s",
                self._get_query(),
                connection.id,
            )
        )
        return connection | connection.browse(replaced_id for (replaced_id,) in rows)

    def _get_active(self, connection):
        """:return: the `copaco.connection` that counts for one: itself, unless another
        one took its place"""
        ((active_id,),) = self.env.execute_query(
            SQL(
                "SELECT connection_id FROM (%s) replacement WHERE id = %s",
                self._get_query(),
                connection.id,
            )
        )
        return connection.browse(active_id) or connection

    def _get_successions(self):
        """:return: dict by id of each connection of the frozenset of the ids of those
        that are one after another: itself, what it replaces and what replaces it
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT array_agg(id) FROM (%s) replacement "
                "GROUP BY coalesce(connection_id, id)",
                self._get_query(),
            )
        )
        successions = (frozenset(ids) for (ids,) in rows)
        return {id_: succession for succession in successions for id_ in succession}
