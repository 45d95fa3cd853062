"""Copaco's billing API in plain Python: fetch a response, read it into documents.

This package knows no Odoo; it needs the standard library, requests, pydantic and
defusedxml. Import from here only: its modules are internal.
"""

from . import requirements
from .address import Address, get_origin
from .auth import AUTH_METHODS, NAMED_AUTH_METHODS, ApiKey
from .client import ENDPOINTS, MAX_BODY_BYTES, CopacoClient
from .digest import digest_document
from .elements import CustomerInfo, DocumentLine
from .exceptions import (
    CertificateError,
    CopacoError,
    InvalidResponseError,
    KeyRefusedError,
    NotFoundError,
    NotReleasedError,
    PermissionMissingError,
    RateLimitedError,
    RedirectedError,
    RejectedError,
    ResponseTooLargeError,
    SettingsError,
    TimedOutError,
    UnavailableError,
)
from .parser import is_markup, parse_documents, parse_payload
from .payloads import merge_payloads, rename_lines, take_lines
from .records import DocumentHead, ParsedResponse, RejectedInvoice, SourceDocument
from .sentences import Problems, Sentence
from .values import EXACT

__all__ = [
    "AUTH_METHODS",
    "Address",
    "ApiKey",
    "CertificateError",
    "CopacoClient",
    "CopacoError",
    "CustomerInfo",
    "DocumentHead",
    "DocumentLine",
    "ENDPOINTS",
    "EXACT",
    "InvalidResponseError",
    "KeyRefusedError",
    "MAX_BODY_BYTES",
    "NAMED_AUTH_METHODS",
    "NotFoundError",
    "NotReleasedError",
    "ParsedResponse",
    "PermissionMissingError",
    "Problems",
    "RateLimitedError",
    "RedirectedError",
    "RejectedError",
    "RejectedInvoice",
    "ResponseTooLargeError",
    "Sentence",
    "SettingsError",
    "SourceDocument",
    "TimedOutError",
    "UnavailableError",
    "digest_document",
    "get_origin",
    "is_markup",
    "merge_payloads",
    "parse_documents",
    "parse_payload",
    "rename_lines",
    "take_lines",
]
