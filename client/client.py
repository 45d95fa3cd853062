"""The client of Copaco's billing API: endpoints, calls and retries.

Copaco's knowledge base, https://kb.copaco.cloud/kb/billing-api-s, describes it.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from . import exceptions
from .address import Address
from .auth import ApiKey
from .parser import is_markup
from .transport import Transport

# Seconds without any sign of the server. Copaco says nothing about its speed; gateways
# give up after 30 to 60. (Odoo's test runner raises anything below 10 to 10.)
TIMEOUT = 60
# Seconds for one call in all, retries included: 45 MB at 2.5 Mbit/s take half of it.
TIME_LIMIT = 300
# The largest known reseller has 60,000 lines a month, about 45 MB; four times that.
MAX_BODY_BYTES = 200_000_000
ATTEMPTS = 3
# Seconds before the second attempt, doubled before the third.
FIRST_WAIT = 1
# Up to half as much more, so that clients that failed together don't return together.
MAX_JITTER = 1.5
# Seconds; a server that asks for more is asked again by the next fetch.
MAX_RETRY_AFTER = 60

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that Copaco can be asked for.

    :ivar path: below the base URL, unless the connection has another one
    :ivar permission: that the key needs, as Copaco's portal calls it
    :ivar has_window: it is asked for a window of creation dates
    :ivar is_on_request: Copaco has to release it first
    :ivar has_vat: its responses may state VAT
    """

    path: str
    permission: str
    has_window: bool = True
    is_on_request: bool = False
    has_vat: bool = True


# What customers have to pay, twice: as whole invoices with all that Copaco knows of the
# customer (on request only, Copaco's release notes of 13 February 2024; path and
# permission are on no public page), and without VAT. What the reseller has to pay, and
# fictional invoices of that kind. All responses have the same form.
ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "customer_invoice": Endpoint(
            "customer-invoices", "Get Customer Invoices", is_on_request=True
        ),
        "specification": Endpoint(
            "customer-specifications", "Get Customer Specifications", has_vat=False
        ),
        "purchase": Endpoint("invoices", "Get Invoices"),
        "example": Endpoint(
            "example-invoices", "Get Example Invoices", has_window=False
        ),
    }
)


class CopacoClient:
    """Fetches what Copaco has; use it in ``with``. Responses are bytes, unread.

    :param base_url: such as ``https://api.copaco.cloud/api/v1``
    :param api_key: from Copaco's portal
    :param auth_method: how the key is sent, one of `AUTH_METHODS`
    :param auth_name: of the header or query parameter, for a method that needs one
    :param paths: of the `ENDPOINTS` whose path isn't the usual one, by their names
    :param timeout: seconds to connect, and between two pieces of a response
    :param time_limit: seconds for one call in all, retries included
    :param max_body_bytes: limit for a response, as received and decompressed
    :param first_wait: seconds before the second attempt
    :param sleep: called with the seconds to wait between attempts
    :raise SettingsError: if the URL, a path, the key or its name can't be used
    """

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        auth_method: str = "bearer",
        auth_name: str | None = "",
        paths: Mapping[str, str | None] = MappingProxyType({}),
        timeout: float = TIMEOUT,
        time_limit: float = TIME_LIMIT,
        max_body_bytes: int = MAX_BODY_BYTES,
        first_wait: float = FIRST_WAIT,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._address = Address(base_url)
        self._key = ApiKey(api_key, auth_method, auth_name)
        self._paths = {
            name: paths.get(name, endpoint.path) or ""
            for name, endpoint in ENDPOINTS.items()
        }
        for path in self._paths.values():
            self._address.get_url(path)
        self._timeout = timeout
        self._time_limit = time_limit
        self._max_body_bytes = max_body_bytes
        self._first_wait = first_wait
        self._sleep = sleep
        self._transport = self._make_transport(self._key)

    def __enter__(self) -> "CopacoClient":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CopacoClient({str(self._address)!r}, {self._key!r})"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def fetch(
        self,
        endpoint: str,
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> bytes:
        """Fetch what an endpoint has, of invoices created in a window if it takes one.

        :param endpoint: one of `ENDPOINTS`
        :param date_from: first creation date; not a date of service
        :param date_to: last creation date, inclusive
        :return: the response, for `parse_documents`
        :raise CopacoError: whatever goes wrong, see ``exceptions.py``
        """
        params = _get_params(ENDPOINTS[endpoint], date_from, date_to)
        return self._get(self._transport, endpoint, params)

    def find_access(
        self, day: date
    ) -> tuple[str, dict[str, exceptions.CopacoError | None]]:
        """Find out how Copaco takes the key, and what the key may see: ask for the
        example invoices in its own way and, while refused, in the other ways that are
        possible; and for what all other endpoints have of a day.

        :return: the first `auth_method` that gets a response, and by the names of the
            `ENDPOINTS` why it can't be fetched that way, or None if it can; its own
            method when no endpoint can be fetched, and that is not for the key
        :raise CopacoError: the first refusal if the key is refused every way; at once
            for an error that has nothing to do with the key
        """
        refusals = []
        for key in (self._key, *self._key.get_alternatives()):
            transport = self._make_transport(key)
            try:
                access = self._get_access(transport, day)
            finally:
                transport.close()
            if None in access.values():
                return key.method, access
            refusals.append(access)
        if not any(
            isinstance(error, exceptions.KeyRefusedError)
            for error in refusals[0].values()
        ) and len(refusals[0]) == len(ENDPOINTS):
            return self._key.method, refusals[0]
        raise next(filter(None, (access["example"] for access in refusals)))

    def _get_access(
        self, transport: Transport, day: date
    ) -> dict[str, exceptions.CopacoError | None]:
        """Return what `find_access` finds out of one way to send the key."""
        access = {"example": self._find_refusal(transport, "example", {})}
        # Another refusal may be of the examples alone.
        no_key = (
            exceptions.KeyRefusedError
            | exceptions.InvalidResponseError
            | exceptions.RedirectedError
        )
        if not isinstance(access["example"], no_key):
            for name, endpoint in ENDPOINTS.items():
                if endpoint.has_window:
                    params = _get_params(endpoint, day, day)
                    try:
                        access[name] = self._find_refusal(transport, name, params)
                    except exceptions.CopacoError as error:
                        access[name] = error
        return access

    def _find_refusal(
        self, transport: Transport, endpoint: str, params: dict[str, str]
    ) -> exceptions.CopacoError | None:
        """Return why the server doesn't take the key this way, or None if it does."""
        try:
            response = self._get(transport, endpoint, params)
        except exceptions.RejectedError as error:
            if error.status is None:
                raise
            return error
        if is_markup(response):
            return exceptions.InvalidResponseError("Copaco responded with a web page.")
        return None

    def _make_transport(self, key: ApiKey) -> Transport:
        return Transport(self._address, key, self._timeout, self._max_body_bytes)

    def _get(
        self, transport: Transport, endpoint: str, params: dict[str, str]
    ) -> bytes:
        """Ask until there is a response or no sense in asking again."""
        path = self._paths[endpoint]
        deadline = time.monotonic() + self._time_limit
        attempt = 1
        while True:
            try:
                return transport.get(path, params, deadline)
            except (
                exceptions.PermissionMissingError,
                exceptions.NotFoundError,
            ) as error:
                if ENDPOINTS[endpoint].is_on_request:
                    raise exceptions.NotReleasedError(
                        error.sentence, error.status
                    ) from None
                raise
            except exceptions.UnavailableError as error:
                problem = error
            wait = self._get_wait(attempt, problem)
            is_late = time.monotonic() + wait >= deadline
            if attempt == ATTEMPTS or wait > MAX_RETRY_AFTER or is_late:
                raise problem
            _logger.warning(
                "GET %s: attempt %d of %d failed, next in %.1f s: %s",
                path,
                attempt,
                ATTEMPTS,
                wait,
                problem,
            )
            self._sleep(wait)
            attempt += 1

    def _get_wait(self, attempt: int, problem: exceptions.UnavailableError) -> float:
        """Return the seconds to wait after this attempt."""
        if problem.retry_after is not None:
            return problem.retry_after
        return self._first_wait * 2.0 ** (attempt - 1) * random.uniform(1, MAX_JITTER)


def _get_params(
    endpoint: Endpoint, date_from: date | None, date_to: date | None
) -> dict[str, str]:
    """Return the query for a window of creation dates.

    :raise ValueError: if the endpoint takes another one, or it ends before it begins
    """
    if not endpoint.has_window and not date_from and not date_to:
        return {}
    if not endpoint.has_window or not date_from or not date_to or date_from > date_to:
        raise ValueError("This is no window of creation dates of this endpoint")
    return {"startDate": f"{date_from:%Y%m%d}", "endDate": f"{date_to:%Y%m%d}"}
