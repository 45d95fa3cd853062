from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.sql import column_exists, create_column

from ..client import (
    AUTH_METHODS,
    ENDPOINTS,
    NAMED_AUTH_METHODS,
    ApiKey,
    CopacoClient,
    CopacoError,
    SettingsError,
)

# For each way to send the key.
TEST_SECONDS = 10


class CopacoConnection(models.Model):
    """The API key, which can be set and used, and never read (DESIGN promise 9)."""

    _inherit = "copaco.connection"

    auth_method = fields.Selection(
        [(name, method.label) for name, method in AUTH_METHODS.items()],
        string="Key Sent As",
        required=True,
        default="bearer",
        help="Copaco's pages do not say how the key is sent. Test connection tries "
        "them in turn and keeps the one that the server takes.",
    )
    auth_name = fields.Char(
        string="Header or Parameter", help="Name of the header or query parameter."
    )
    api_key = fields.Char(
        string="API Key",
        compute="_compute_api_key",
        inverse="_inverse_api_key",
        help="Can be set and replaced, never read.",
    )
    api_key_hint = fields.Char(
        string="Key Ends In", readonly=True, copy=False, help="Last four characters."
    )
    api_key_expiry = fields.Date(string="Key Expires On", copy=False)

    # === SECRET === #

    def init(self):
        # The key is in a column that is no field: no read, export, search or template
        # can reach it, whoever's they are.
        if not column_exists(self.env.cr, self._table, "api_key_secret"):
            create_column(self.env.cr, self._table, "api_key_secret", "varchar")

    def _write_api_key_secret(self, key):
        """:raise ValidationError: when no request can carry such a key"""
        self.ensure_one()
        self.check_access("write")
        self._check_api_key(key)
        self.flush_recordset()
        # Not by Odoo's cursor: that logs a statement with its values when it fails, and
        # at level debug, and shows it to Odoo's profiler.
        self.env.cr._obj.execute(
            "UPDATE copaco_connection SET api_key_secret = %s WHERE id = %s",
            [key or None, self.id],
        )

    def _check_api_key(self, key):
        try:
            if key:
                ApiKey(key, "bearer")
        except SettingsError as error:
            raise ValidationError(self._get_error_message(error)) from None

    def _read_api_key_secret(self):
        self.ensure_one()
        self.env.cr.execute(
            "SELECT api_key_secret FROM copaco_connection WHERE id = %s", [self.id]
        )
        return self.env.cr.fetchone()[0] or ""

    # === COMPUTE METHODS === #

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for connection in self:
            key = (connection.api_key or "").strip()
            connection._write_api_key_secret(key)
            # The last four of a short key would give away too much of it.
            hint = key[-4:] if len(key) >= 12 else "****"
            connection.sudo().api_key_hint = key and hint
        self.invalidate_recordset(["api_key"])

    # === CONSTRAINT METHODS === #

    @api.constrains("auth_method", "auth_name")
    def _check_auth_name(self):
        for connection in self:
            if (
                connection.auth_method in NAMED_AUTH_METHODS
                and not (connection.auth_name or "").strip()
            ):
                raise ValidationError(
                    self.env._(
                        "Connection %(connection)s sends its key in a header or "
                        "parameter of its own. Enter the name of it.",
                        connection=connection.name,
                    )
                )

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Ask for Copaco's example invoices, trying the ways to send the key in turn,
        and keep the way that the server takes.

        :return: a notification
        :raise UserError: when the server takes none of them, or can't be reached
        """
        self.ensure_one()
        self.check_access("write")
        try:
            with self._get_client(TEST_SECONDS) as client:
                # No transaction is open while the network is waited for.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                auth_method = client.find_auth_method()
        except CopacoError as error:
            raise UserError(self._get_error_message(error)) from None
        self.auth_method = auth_method
        methods = dict(self._fields["auth_method"]._description_selection(self.env))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("The connection works"),
                "message": self.env._(
                    "%(connection)s: Copaco took the key, sent as %(method)s.",
                    connection=self.name,
                    method=methods[auth_method],
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BUSINESS METHODS === #

    def _get_client(self, time_limit=None):
        """:param time_limit: seconds that one answer may take in all
        :return: a `CopacoClient` with this connection's key, to be used in `with`
        :raise RejectedError: when the key or the address can't be used
        """
        self.ensure_one()
        options = {"time_limit": time_limit} if time_limit else {}
        return CopacoClient(
            self.base_url,
            self._read_api_key_secret(),
            auth_method=self.auth_method,
            auth_name=self.auth_name or "",
            paths={name: self[f"{name}_path"] for name in ENDPOINTS},
            **options,
        )

    def _get_error_message(self, error):
        """:param error: a `CopacoError`
        :return: what happened on this connection and what to do, for a person
        """
        return self.env._(
            "Connection %(connection)s: %(error)s %(advice)s",
            connection=self.name,
            error=error,
            advice=error.advice,
        )
