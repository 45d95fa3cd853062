from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools.sql import column_exists, create_column

from ..client import SettingsError
from ..client.api_key import ApiKey


class CopacoKeyStore(models.AbstractModel):
    """Keeps the API key of a connection, which can be set and used, and never read
    (promise 9 in doc/how_it_works.rst).

    It is in a column that is no field, so that no read, export, search or template can
    reach it, whoever's they are; Odoo keeps the API keys of its users likewise
    (`res.users.apikeys`).
    """

    _name = "copaco.key.store"
    _description = "Copaco Key Store"

    @api.model
    def _create_column(self):
        table = self.env["copaco.connection"]._table
        if not column_exists(self.env.cr, table, "api_key_secret"):
            create_column(self.env.cr, table, "api_key_secret", "varchar")

    @api.model
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
            raise ValidationError(connection._get_error_message(error)) from None
        connection.flush_recordset()
        # There is no other way to hide it: Odoo's cursor logs a statement with its
        # values at level debug, and hands it to Odoo's profiler, which stores it.
        self.env.cr._obj.execute(
            "UPDATE copaco_connection SET api_key_secret = %s WHERE id = %s",
            [key or None, connection.id],
        )

    @api.model
    def _read(self, connection):
        """:return: the key; "" if none is set"""
        connection.ensure_one()
        self.env.cr.execute(
            "SELECT api_key_secret FROM copaco_connection WHERE id = %s",
            [connection.id],
        )
        return self.env.cr.fetchone()[0] or ""
