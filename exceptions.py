"""The errors of this addon, and those of the database by how they are handled."""

from psycopg2.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

from odoo.exceptions import UserError

from .tools import render_message

# Another transaction was in conflict with this one: the same may work the next time.
CONCURRENCY_ERRORS = (SerializationFailure, DeadlockDetected, LockNotAvailable)
# Another transaction may also have stored what was to be stored here, or removed what
# it refers to.
RETRYABLE_ERRORS = (*CONCURRENCY_ERRORS, UniqueViolation, ForeignKeyViolation)


class MessageError(UserError):
    """Something can't be done now. Whoever pressed a button is told at once; where
    nobody did, the message is stored.

    :ivar message: see `tools.Message`
    """

    def __init__(self, env, message):
        super().__init__(render_message(env, message))
        self.message = message


class HeldError(MessageError):
    """A document can't be invoiced."""


class TotalsMismatchError(MessageError):
    """Odoo would book another amount than Copaco asks for."""


class VatMismatchError(MessageError):
    """Odoo's tax is not the VAT that Copaco states."""


class PostponedError(MessageError):
    """An invoice can't be sent yet, and is tried again without a person."""


class UndeliverableError(MessageError):
    """An invoice would reach nobody."""


def get_message(error):
    """:param error: a `UserError` or `RedirectWarning`
    :return: message: what it says
    """
    return getattr(error, "message", error.args[0])


def describe_system_error(error):
    """:param error: an `OSError`, or an `OperationalError` of the database
    :return: what the system says, without the name of a file
    """
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]
