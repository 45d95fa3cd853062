"""The errors of this addon, and those of the database by how they are handled."""

from psycopg2.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

# Another transaction was in conflict with this one: the same may work the next time.
CONCURRENCY_ERRORS = (SerializationFailure, DeadlockDetected, LockNotAvailable)
# Another transaction may also have stored what was to be stored here, or removed what
# it refers to.
RETRYABLE_ERRORS = (*CONCURRENCY_ERRORS, UniqueViolation, ForeignKeyViolation)


class TotalsMismatchError(Exception):
    """Odoo would book another amount than Copaco asks for. Its text tells a user so."""


class VatMismatchError(Exception):
    """Odoo's tax is not the VAT that Copaco states. Its text tells a user so."""


class PostponedError(Exception):
    """An invoice can't be sent yet, and is tried again without a person."""


class UndeliverableError(Exception):
    """An invoice would reach nobody. Its text tells a user why, and what to do."""


def describe_system_error(error):
    """:param error: an `OSError`, or an `OperationalError` of the database
    :return: what the system says, without the name of a file
    """
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]
