"""What can go wrong with Copaco. Callers act on the class, never on the text.

CopacoError
├── UnavailableError            may work later, nobody has to do anything
│   ├── TimedOutError           no response, or not all of it, in time
│   └── RateLimitedError        too many requests
├── RejectedError               a person has to change something
│   ├── SettingsError           API URL, path or key can't be used; nothing was sent
│   ├── KeyRefusedError         401
│   ├── PermissionMissingError  403
│   ├── NotFoundError           404
│   ├── NotReleasedError        403 or 404 for what Copaco has to release first
│   ├── RedirectedError         redirected to an address that isn't followed
│   └── CertificateError        the TLS connection can't be trusted
└── InvalidResponseError        the response can't be used
    └── ResponseTooLargeError   it is larger than any response can be

``str(error)`` is a sentence for a bookkeeper and ``error.advice`` says what to do.
Neither holds the API key, a query or customer data, and neither does what hangs on the
error: it is raised without a cause, because those of requests carry both.
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from requests import exceptions
from urllib3.exceptions import HTTPError

from .sentences import Sentence


class CopacoError(Exception):
    """Base of all errors of this package.

    :ivar sentence: what happened
    :ivar advice: what a user should do, one sentence
    :ivar status: the HTTP status, or None if there was none
    """

    advice = "Try again; if it stays, show this message to your administrator."

    def __init__(self, message: str | Sentence, status: int | None = None) -> None:
        super().__init__(str(message))
        self.sentence = Sentence(message) if isinstance(message, str) else message
        self.status = status


class UnavailableError(CopacoError):
    """May work later. ``retry_after``: the seconds Copaco asked to wait, or None."""

    advice = "Nothing has to be done: try again later, the next fetch catches up."

    def __init__(
        self,
        message: str | Sentence,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class TimedOutError(UnavailableError):
    """No response, or not the whole response, within the time limit."""

    advice = "Try again later; if it stays, fetch a shorter period."


class RateLimitedError(UnavailableError):
    """Status 429: this key asked for too much in too short a time."""

    advice = "Wait a while before you fetch again; the next fetch catches up."


class RejectedError(CopacoError):
    """Stays as it is until a person acts."""

    advice = "Check the connection's settings, then test the connection."


class SettingsError(RejectedError):
    """The API URL, a path, the key or its name can't be used; nothing was sent."""

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
        "Create a new API key in Copaco's portal with the permissions Get Customer "
        "Specifications and Get Example Invoices, and with Get Invoices if purchase "
        "invoices are fetched too, and set it on the connection."
    )


class NotFoundError(RejectedError):
    """Status 404: nothing is at this address."""

    advice = "Check the API URL and the paths on the connection."


class NotReleasedError(RejectedError):
    """Status 403 or 404 for what Copaco releases on request only."""

    advice = (
        "Copaco releases Customer-Invoices on request: ask Copaco for the permission "
        "Get Customer Invoices and for the path, or choose customer specifications as "
        "the source on the connection."
    )


class RedirectedError(RejectedError):
    """The server redirects to an address that isn't followed, so that the key and the
    figures go nowhere else."""

    advice = "Check the API URL on the connection; Copaco may have moved the service."


class CertificateError(RejectedError):
    """No trusted TLS connection could be made."""

    advice = (
        "Check the API URL on the connection, and ask your administrator whether a "
        "proxy or an expired certificate is in between."
    )


class InvalidResponseError(CopacoError):
    """The response is not what Copaco documents; nothing of it can be used."""

    advice = (
        "Try again later; if it stays, ask Copaco's support whether the API has "
        "changed, and show them this message."
    )


class ResponseTooLargeError(InvalidResponseError):
    """Larger than any response can be."""

    advice = "Fetch a shorter period; if it stays, ask Copaco's support."


# Which of them a failure is. Nothing that a server says gets into a message.

_BY_STATUS = {
    401: (KeyRefusedError, "Copaco didn't accept the API key."),
    403: (
        PermissionMissingError,
        "Copaco knows the API key, but it has no permission for this.",
    ),
    404: (NotFoundError, "Copaco has nothing at this address."),
}


def make_status_error(status: int, headers: Mapping[str, str]) -> CopacoError:
    """Return the error for a response without data.

    :param status: anything but 200
    :param headers: of the response
    """
    if status in _BY_STATUS:
        error, message = _BY_STATUS[status]
        return error(message, status)
    values = {"status": status}
    retry_after = read_retry_after(headers.get("Retry-After", ""))
    if status == 429:
        message = "Copaco received too many requests in too short a time."
        return RateLimitedError(message, status, retry_after)
    if status >= 500:
        problem = Sentence("Copaco's server has a problem (status %(status)s).", values)
        return UnavailableError(problem, status, retry_after)
    if status >= 400:
        refusal = Sentence("Copaco refused the request (status %(status)s).", values)
        return RejectedError(refusal, status)
    if status >= 300:
        redirect = Sentence(
            "Copaco's server redirected without an address (status %(status)s).", values
        )
        return RedirectedError(redirect, status)
    silence = Sentence(
        "Copaco's server responded without data (status %(status)s).", values
    )
    return InvalidResponseError(silence, status)


def make_connection_error(
    error: exceptions.RequestException | HTTPError,
) -> CopacoError:
    """Return the error for one of requests, or for one of urllib3 that requests lets
    through: before version 2.26, that of a contradicting Content-Length."""
    if isinstance(error, exceptions.SSLError):
        return CertificateError("No trusted connection to Copaco's server is possible.")
    if isinstance(error, exceptions.Timeout):
        return TimedOutError("Copaco's server didn't respond in time.")
    if isinstance(error, exceptions.ConnectionError) and error.request:
        return UnavailableError("Copaco's server can't be reached.")
    # Without a request it is silence in the middle of the body.
    if isinstance(error, exceptions.ConnectionError | exceptions.ChunkedEncodingError):
        return make_lost_error()
    if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema):
        return SettingsError("The API URL or the proxy is not usable.")
    return InvalidResponseError("Copaco's response is damaged.")


def make_late_error() -> TimedOutError:
    """Return the error for a response that isn't whole when its time is over."""
    return TimedOutError("Copaco's response was not complete in time.")


def make_lost_error() -> UnavailableError:
    """Return the error for a response that ends before its end."""
    return UnavailableError("The connection broke before the response was complete.")


def read_retry_after(text: str) -> float | None:
    """Read a ``Retry-After`` header.

    :param text: seconds or an HTTP date
    :return: seconds from now, or None if there is nothing readable
    """
    text = text.strip()
    if text.isascii() and text.isdecimal():
        # No number of seconds that is worth telling apart is longer.
        return int(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    # "-0000" stands for no time zone and means UTC.
    then = then if then.tzinfo else then.replace(tzinfo=timezone.utc)
    return max((then - datetime.now(timezone.utc)).total_seconds(), 0)
