"""The client of Copaco's billing API (Copaco kb: billing-api-s)."""

import logging
import random
import time

from .address import Address
from .answer import is_markup
from .api_key import ApiKey
from .errors import InvalidResponseError, RejectedError, UnavailableError
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


class CopacoClient:
    """Fetches what Copaco has; use it in ``with``. Answers are bytes, unread.

    :param str base_url: such as ``https://api.copaco.cloud/api/v1``
    :param str api_key: from Copaco's portal
    :param str auth_method: how the key is sent, one of `api_key.AUTH_METHODS`
    :param str auth_name: of the header or query parameter, for those two methods
    :param float timeout: seconds to connect, and between two pieces of an answer
    :param float time_limit: seconds for one call in all, retries included
    :param int max_body_bytes: limit for an answer, as it comes and decompressed
    :param sleep: called with the seconds to wait between attempts
    :raise SettingsError: if the address, a path, the key or its name can't be used
    """

    def __init__(
        self,
        base_url,
        api_key,
        *,
        auth_method="bearer",
        auth_name="",
        specification_path="customer-specifications",
        purchase_path="invoices",
        example_path="example-invoices",
        timeout=TIMEOUT,
        time_limit=TIME_LIMIT,
        max_body_bytes=MAX_BODY_BYTES,
        sleep=time.sleep,
    ):
        self._address = Address(base_url)
        self._key = ApiKey(api_key, auth_method, auth_name)
        self._specification_path = specification_path
        self._purchase_path = purchase_path
        self._example_path = example_path
        for path in (specification_path, purchase_path, example_path):
            self._address.get_url(path)
        self._limits = {"timeout": timeout, "max_body_bytes": max_body_bytes}
        self._time_limit = time_limit
        self._sleep = sleep
        self._transport = Transport(self._address, self._key, **self._limits)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def __repr__(self):
        return f"CopacoClient({str(self._address)!r}, {self._key!r})"

    def close(self):
        """Close the connections."""
        self._transport.close()

    def fetch_specifications(self, date_from, date_to):
        """Fetch what customers have to pay, of invoices created in a window.

        :param date date_from: first creation date; not a date of service
        :param date date_to: last creation date, inclusive
        :return: bytes, for `documents.parse_documents`
        :raise CopacoError: whatever goes wrong, see ``errors.py``
        """
        return self._fetch(self._specification_path, date_from, date_to)

    def fetch_purchases(self, date_from, date_to):
        """Fetch what the reseller has to pay; as `fetch_specifications`."""
        return self._fetch(self._purchase_path, date_from, date_to)

    def fetch_examples(self):
        """Fetch fictional purchase invoices; as `fetch_specifications`."""
        return self._get(self._transport, self._example_path, {})

    def find_auth_method(self):
        """Find out how Copaco takes the key: ask for the example invoices in its own
        way and, while refused, in the other ways that are possible.

        :return: the first `auth_method` that brings an answer
        :raise CopacoError: the first refusal if all are refused; at once for a trouble
            that has nothing to do with the key
        """
        first_refusal = None
        for key in (self._key, *self._key.get_alternatives()):
            refusal = self._find_refusal(key)
            if not refusal:
                return key.method
            first_refusal = first_refusal or refusal
        raise first_refusal

    def _find_refusal(self, key):
        """Return why the server doesn't take the key this way, or None if it does."""
        transport = Transport(self._address, key, **self._limits)
        try:
            answer = self._get(transport, self._example_path, {})
        except RejectedError as error:
            if error.status is None:
                raise
            return error
        finally:
            transport.close()
        if is_markup(answer):
            return InvalidResponseError("Copaco answered with a web page.")
        return None

    def _fetch(self, path, date_from, date_to):
        if date_from > date_to:
            raise ValueError("date_from is after date_to")
        params = {"startDate": f"{date_from:%Y%m%d}", "endDate": f"{date_to:%Y%m%d}"}
        return self._get(self._transport, path, params)

    def _get(self, transport, path, params):
        """Ask until there is an answer or no sense in asking again."""
        deadline = time.monotonic() + self._time_limit
        attempt = 1
        while True:
            try:
                return transport.get(path, params, deadline)
            except UnavailableError as error:
                problem = error
            wait = _get_wait(attempt, problem)
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


def _get_wait(attempt, problem):
    """Return the seconds to wait after this attempt."""
    if problem.retry_after is not None:
        return problem.retry_after
    return FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(1, MAX_JITTER)
