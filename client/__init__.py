"""Copaco's billing API in plain Python: fetch an answer, read it into documents.

This package knows no Odoo; it needs the standard library, requests and pydantic.
"""

from .api import CopacoClient
from .errors import (
    CertificateError,
    CopacoError,
    InvalidResponseError,
    KeyRefusedError,
    NotFoundError,
    PermissionMissingError,
    RateLimitedError,
    RedirectedError,
    RejectedError,
    ResponseTooLargeError,
    SettingsError,
    TimedOutError,
    UnavailableError,
)
