"""Which of our errors a failure is. Nothing that a server says gets into a message."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from requests import exceptions

from .errors import (
    CertificateError,
    InvalidResponseError,
    KeyRefusedError,
    NotFoundError,
    PermissionMissingError,
    RateLimitedError,
    RedirectedError,
    RejectedError,
    SettingsError,
    TimedOutError,
    UnavailableError,
)

_BY_STATUS = {
    401: (KeyRefusedError, "Copaco didn't accept the API key."),
    403: (
        PermissionMissingError,
        "Copaco knows the API key, but doesn't let it see this.",
    ),
    404: (NotFoundError, "Copaco has nothing at this address."),
}


def make_status_error(status, headers):
    """Return the `CopacoError` for an answer that brings no data.

    :param int status: anything but 200
    :param headers: of the answer, a mapping
    """
    if status in _BY_STATUS:
        error, message = _BY_STATUS[status]
        return error(message, status)
    retry_after = read_retry_after(headers.get("Retry-After", ""))
    if status == 429:
        message = "Copaco was asked for too much in too short a time."
        return RateLimitedError(message, status, retry_after)
    if status >= 500:
        message = f"Copaco's server has a problem (status {status})."
        return UnavailableError(message, status, retry_after)
    if status >= 400:
        return RejectedError(f"Copaco refused the request (status {status}).", status)
    if status >= 300:
        return RedirectedError(
            f"Copaco's server pointed nowhere (status {status}).", status
        )
    return InvalidResponseError(
        f"Copaco's server answered without data (status {status}).", status
    )


def make_connection_error(error):
    """Return the `CopacoError` for a `requests.RequestException`."""
    if isinstance(error, exceptions.SSLError):
        return CertificateError("No trusted connection to Copaco's server is possible.")
    if isinstance(error, exceptions.Timeout):
        return TimedOutError("Copaco's server didn't answer in time.")
    if isinstance(error, exceptions.ConnectionError) and error.request:
        return UnavailableError("Copaco's server can't be reached.")
    # Without a request it is silence in the middle of the body.
    if isinstance(error, exceptions.ConnectionError | exceptions.ChunkedEncodingError):
        return make_lost_error()
    if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema):
        return SettingsError("The address or the proxy is not usable.")
    return InvalidResponseError("Copaco's answer is damaged.")


def make_late_error():
    """Return the error for an answer that isn't whole when its time is over."""
    return TimedOutError("Copaco's answer didn't come in time.")


def make_lost_error():
    """Return the error for an answer that ends before its end."""
    return UnavailableError("The connection broke before the whole answer had come.")


def read_retry_after(text):
    """Read a ``Retry-After`` header.

    :param str text: seconds or an HTTP date
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
