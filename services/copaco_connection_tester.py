from odoo import fields, models
from odoo.exceptions import UserError

from .. import client as copaco
from ..tools import notify, render_message, soft_reload, translate

# For each request.
TEST_SECONDS = 10


class CopacoConnectionTester(models.AbstractModel):
    """Finds out whether Copaco takes the key of a connection, how, and what the key may
    see."""

    _name = "copaco.connection.tester"
    _description = "Copaco Connection Tester"

    def _test(self, connection):
        """See `copaco.connection.action_test_connection`."""
        connection.ensure_one()
        connection.check_access("write")
        today = self.env["copaco.fetch.window"]._get_today()
        try:
            with self.env["copaco.fetcher"]._get_client(
                connection, TEST_SECONDS
            ) as client:
                # No transaction is open while the network is waited for.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                auth_method, access = client.find_access(today)
        except copaco.CopacoError as error:
            self._note(connection, {connection._get_endpoint(): error})
            self.env.cr.commit()  # pylint: disable=invalid-commit # keep the result
            raise self._get_error(connection, error) from None
        self._note(connection, access)
        if None not in access.values():
            self.env.cr.commit()  # pylint: disable=invalid-commit # keep the result
            raise UserError(
                "\n".join(
                    [
                        self.env._(
                            "Connection %(connection)s: there is nothing that this key "
                            "may fetch at %(url)s. Check the API URL and the paths.",
                            connection=connection.name,
                            url=connection.base_url,
                        ),
                        *self._describe_access(connection),
                    ]
                )
            )
        connection.auth_method = auth_method
        methods = dict(
            connection._fields["auth_method"]._description_selection(self.env)
        )
        works = access.get(connection._get_endpoint()) is None
        accepted = self.env._(
            "%(connection)s: Copaco accepted the key, sent as %(method)s.",
            connection=connection.name,
            method=methods[auth_method],
        )
        return notify(
            "success" if works else "danger",
            "\n".join([accepted, *self._describe_access(connection)]),
            title=self.env._("The connection works")
            if works
            else self.env._("The source can't be fetched"),
            sticky=not works,
            next=soft_reload(),
        )

    def _get_error(self, connection, error):
        """:param error: a `CopacoError`
        :return: what to tell the person who may just have typed the address
        """
        if isinstance(
            error, copaco.TimedOutError | copaco.RateLimitedError
        ) or not isinstance(
            error, copaco.UnavailableError | copaco.InvalidResponseError
        ):
            message = connection._get_error_message(error)
            return UserError(render_message(self.env, message))
        return UserError(
            self.env._(
                "Connection %(connection)s: %(error)s Check that the API URL %(url)s "
                "has no typing error; if it hasn't, test again later.",
                connection=connection.name,
                error=render_message(self.env, translate(error.sentence)),
                url=connection.base_url,
            )
        )

    def _note(self, connection, access):
        """Write what a test found on a connection.

        :param access: dict by endpoint of the `CopacoError`, or None if it can be
            fetched
        """
        connection.sudo().write(
            {
                "tested_at": fields.Datetime.now(),
                "access": {name: _get_code(error) for name, error in access.items()},
            }
        )

    def _describe_access(self, connection):
        """:return: list of sentences: what the key may see, as far as it was tested"""
        access = connection.access or {}
        return [
            self._describe(connection, name, access[name])
            for name in copaco.ENDPOINTS
            if name in access
        ]

    def _describe(self, connection, name, code):
        """:param name: one of `client.ENDPOINTS`
        :param code: what the test found of it
        :return: a sentence
        """
        values = {
            "endpoint": connection._fields[f"{name}_path"]._description_string(
                self.env
            ),
            "permission": copaco.ENDPOINTS[name].permission,
            "path": connection[f"{name}_path"],
        }
        if code == "granted":
            return self.env._("%(endpoint)s: the key may fetch them.", **values)
        if code == "unreleased":
            return self.env._(
                "%(endpoint)s: not released for your key. Ask Copaco for the "
                "permission %(permission)s, and for the path if it isn't %(path)s.",
                **values,
            )
        if code == "refused":
            return self.env._(
                "%(endpoint)s: the key has no permission. Create a key in Copaco's "
                "portal with the permission %(permission)s.",
                **values,
            )
        if code == "denied":
            return self.env._(
                "%(endpoint)s: Copaco did not accept the key. Set it again, then test "
                "the connection.",
                **values,
            )
        if code == "absent":
            return self.env._(
                "%(endpoint)s: there is nothing at the path %(path)s. Correct the path "
                "on the connection.",
                **values,
            )
        return self.env._(
            "%(endpoint)s: Copaco did not give a usable response at the path %(path)s. "
            "Correct the path if it has a typing error, or test again later.",
            **values,
        )


def _get_code(error):
    """:param error: a `CopacoError` or None
    :return: what is kept of it in `copaco.connection.access`
    """
    codes = {
        copaco.KeyRefusedError: "denied",
        copaco.NotReleasedError: "unreleased",
        copaco.PermissionMissingError: "refused",
        copaco.NotFoundError: "absent",
    }
    return codes.get(type(error), "failed") if error else "granted"
