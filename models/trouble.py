"""What the database and the disk may have, which is nothing that a document did."""

from psycopg2.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

# What another worker's transaction causes: the same may work the next time.
COLLISIONS = (SerializationFailure, DeadlockDetected, LockNotAvailable)
# They also store what is to be stored here, or remove what it builds on.
IN_THE_WAY = (*COLLISIONS, UniqueViolation, ForeignKeyViolation)


def get_trouble(error):
    """:param error: an `OSError`, or an `OperationalError` of the database
    :return: what the server had, in its own words, without the name of a file
    """
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]
