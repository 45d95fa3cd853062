"""What can go wrong with Copaco. Callers act on the class, never on the text.

CopacoError
├── UnavailableError            may work later, nobody has to do anything
│   ├── TimedOutError           no answer, or not all of it, in time
│   └── RateLimitedError        too many requests
├── RejectedError               a person has to change something
│   ├── SettingsError           address, path or key can't be used; nothing was sent
│   ├── KeyRefusedError         401
│   ├── PermissionMissingError  403
│   ├── NotFoundError           404
│   ├── RedirectedError         sent on to an address that isn't followed
│   └── CertificateError        the TLS connection can't be trusted
└── InvalidResponseError        the answer makes no sense
    └── ResponseTooLargeError   it is bigger than any answer can be

``str(error)`` is a sentence for a bookkeeper and ``error.advice`` says what to do.
Neither holds the API key, a query or customer data, and neither does what hangs on the
error: it is raised without a cause, because those of requests carry both.
"""


class CopacoError(Exception):
    """Base of all errors of this package.

    :ivar advice: what a user should do, one sentence
    :ivar status: the HTTP status, or None if there was none
    """

    advice = "Try again; if it stays, show this message to your administrator."

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class UnavailableError(CopacoError):
    """May work later. ``retry_after``: the seconds Copaco asked to wait, or None."""

    advice = "Nothing has to be done: try again later, the next fetch catches up."

    def __init__(self, message, status=None, retry_after=None):
        super().__init__(message, status)
        self.retry_after = retry_after


class TimedOutError(UnavailableError):
    """No answer, or not the whole answer, within the time limit."""

    advice = "Try again later; if it stays, fetch a shorter period."


class RateLimitedError(UnavailableError):
    """Status 429: this key asked for too much in too short a time."""

    advice = "Wait a while before you fetch again; the next fetch catches up."


class RejectedError(CopacoError):
    """Stays as it is until a person acts."""

    advice = "Check the connection's settings, then test the connection."


class SettingsError(RejectedError):
    """The address, a path, the key or its name can't be used; nothing was sent."""

    advice = "Correct this on the connection."


class KeyRefusedError(RejectedError):
    """Status 401: the key is wrong, expired, deleted, or sent the wrong way."""

    advice = (
        "Check in Copaco's portal that the API key still exists, hasn't expired and is "
        "for production, set it again, then test the connection."
    )


class PermissionMissingError(RejectedError):
    """Status 403: the key is known but may not see this."""

    advice = (
        "Make a new API key in Copaco's portal with the permissions for customer "
        "specifications, invoices and example invoices, and set it on the connection."
    )


class NotFoundError(RejectedError):
    """Status 404: nothing is at this address."""

    advice = "Check the address and the paths on the connection."


class RedirectedError(RejectedError):
    """The server points to an address that isn't followed, so that the key and the
    figures go nowhere else."""

    advice = "Check the address on the connection; Copaco may have moved the service."


class CertificateError(RejectedError):
    """No trusted TLS connection could be made."""

    advice = (
        "Check the address on the connection, and ask your administrator whether a "
        "proxy or an expired certificate is in between."
    )


class InvalidResponseError(CopacoError):
    """The answer is not what Copaco documents; nothing of it can be used."""

    advice = (
        "Try again later; if it stays, ask Copaco's support whether the API has "
        "changed, and show them this message."
    )


class ResponseTooLargeError(InvalidResponseError):
    """Bigger than any answer can be."""

    advice = "Fetch a shorter period; if it stays, ask Copaco's support."
