import hmac
import logging

from odoo import models
from odoo.exceptions import ValidationError
from odoo.tools.sql import column_exists, create_column

from ..client import ApiKey, SettingsError
from ..tools import enumerate_names, render_message


class CallLogFilter(logging.Filter):
    """At level debug, Odoo logs the arguments of each remote call before it is made:
    this leaves out those of the one that sets the key, which name its field."""

    def filter(self, record):
        # The record set, the method and its arguments: `odoo.service.model.call_kw`.
        if isinstance(record.args, tuple) and "api_key" in str(record.args[-1]):
            record.args = (*record.args[:-1], "***")
        return True


logging.getLogger("odoo.service.model").addFilter(CallLogFilter())


class CopacoKeyStore(models.AbstractModel):
    """Keeps the API key of a connection, which can be set and used, and never read
    (promise 9 in doc/how_it_works.rst).

    It is in a column that is no field, so that no read, export, search or template can
    reach it, whoever's they are; Odoo keeps the API keys of its users likewise
    (`res.users.apikeys`).
    """

    _name = "copaco.key.store"
    _description = "Copaco Key Store"

    def _create_column(self):
        table = self.env["copaco.connection"]._table
        if not column_exists(self.env.cr, table, "api_key_secret"):
            create_column(self.env.cr, table, "api_key_secret", "varchar")

    def _write(self, connection, key):
        """:param key: as Copaco's portal showed it; "" removes it
        :raise ValidationError: when no request can carry such a key
        """
        connection.ensure_one()
        connection.check_access("write")
        try:
            if key:
                ApiKey(key, "bearer")
        except SettingsError as error:
            message = connection._get_error_message(error)
            raise ValidationError(render_message(self.env, message)) from None
        connection.flush_recordset()
        # There is no other way to hide it: Odoo's cursor logs a statement with its
        # values at level debug, and hands it to Odoo's profiler, which stores it.
        self.env.cr._obj.execute(
            "UPDATE copaco_connection SET api_key_secret = %s WHERE id = %s",
            [key or None, connection.id],
        )

    def _read(self, connection):
        """:return: the key; "" if none is set"""
        connection.ensure_one()
        self.env.cr.execute(
            "SELECT api_key_secret FROM copaco_connection WHERE id = %s",
            [connection.id],
        )
        return self.env.cr.fetchone()[0] or ""

    def _find_same(self, connection, origin, key):
        """:param connection: `copaco.connection`, or a new one
        :param origin: of the server that it is to use
        :param key: that it is to use
        :return: the other `copaco.connection` records that use both, of any company,
            archived ones too
        """
        Connection = self.env["copaco.connection"]
        Connection.flush_model(["origin"])
        self.env.cr.execute(
            "SELECT id, api_key_secret FROM copaco_connection"
            " WHERE origin = %s AND id != %s AND api_key_secret IS NOT NULL",
            [origin or "", connection.id or 0],
        )
        # Here and not in the database, whose log would have the key.
        return Connection.browse(
            connection_id
            for connection_id, secret in self.env.cr.fetchall()
            if hmac.compare_digest(secret.encode(), key.encode(errors="replace"))
        )

    def _get_duplicate_message(self, connection, origin, key):
        """:return: a sentence that warns of the other connections that use the same
        server and key, see `_find_same`; "" when there is none
        """
        key = (key or "").strip()
        same = key and self._find_same(connection, origin, key)
        if not same:
            return ""
        visible = same.with_context(active_test=False).search([("id", "in", same.ids)])
        if not visible:
            return self.env._(
                "This key is used by a connection of another company to the same "
                "server: the same invoices would be received twice."
            )
        return self.env._(
            "This key is used by another connection to the same server, "
            "%(connections)s: the same invoices would be received twice.",
            connections=enumerate_names(
                self.env,
                (f"{each.name} ({each.company_id.name})" for each in visible),
            ),
        )

    def _get_server_warning(self, connection):
        """:param connection: `copaco.connection`, of which a person changed the address
        :return: what an onchange method returns to warn of the other connections that
            use that server and the same key
        """
        stored = connection._origin
        message = stored.api_key_hint and self._get_duplicate_message(
            stored, connection.origin, self._read(stored)
        )
        if message:
            title = self.env._("Same API Key")
            return {"warning": {"title": title, "message": message}}
        if stored.api_key_hint and connection.origin != stored.origin:
            message = self.env._(
                "The API key of %(connection)s is for %(server)s only: it is removed "
                "when this is saved. Set the key of the other server then.",
                connection=stored.name,
                server=stored.origin,
            )
            return {"warning": {"title": self.env._("API Key"), "message": message}}
        return None
