from odoo import api, models
from odoo.exceptions import UserError

from ..client import CopacoError

# For each authentication method.
TEST_SECONDS = 10


class CopacoConnectionTester(models.AbstractModel):
    """Finds out whether Copaco takes the key of a connection, and how."""

    _name = "copaco.connection.tester"
    _description = "Copaco Connection Tester"

    @api.model
    def _test(self, connection):
        """See `copaco.connection.action_test_connection`."""
        connection.ensure_one()
        connection.check_access("write")
        try:
            with self.env["copaco.fetcher"]._get_client(
                connection, TEST_SECONDS
            ) as client:
                # No transaction is open while the network is waited for.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                auth_method = client.find_auth_method()
        except CopacoError as error:
            raise UserError(connection._get_error_message(error)) from None
        connection.auth_method = auth_method
        methods = dict(
            connection._fields["auth_method"]._description_selection(self.env)
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("The connection works"),
                "message": self.env._(
                    "%(connection)s: Copaco accepted the key, sent as %(method)s.",
                    connection=connection.name,
                    method=methods[auth_method],
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
