"""One request to one server: where it may go, what it may cost, what went wrong.

These rules hold for every request, so they stand at the narrowest place:

- The session knows one server only. A redirect within it is followed; nothing can be
  sent anywhere else.
- The key is added in the adapter, the last moment before sending: whoever watches the
  session, and every error that holds the request, sees it without the key.
- Of the environment, proxies and certificate bundles are used, because companies need
  them; a proxy sees the host's name only, since all but this machine is https. Not
  ``.netrc``: requests would send the password in it as well, or instead of the key.
- Size and time are limited while the body comes in.
"""

import logging
import os
import socket
import threading
import time
from contextlib import contextmanager

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from .body import Body
from .errors import (
    CopacoError,
    InvalidResponseError,
    RedirectedError,
    RejectedError,
)
from .failures import (
    make_connection_error,
    make_late_error,
    make_lost_error,
    make_status_error,
)

MAX_REDIRECTS = 3
PIECE_BYTES = 65536
# Even a library that decompresses a whole piece at once makes no more than about 64 MB
# of one of this size.
CHUNK_BYTES = 65536
REDIRECTS = frozenset({301, 302, 303, 307, 308})
COMPRESSED = frozenset({"gzip", "deflate"})
ENCODINGS = COMPRESSED | {"", "identity"}

_logger = logging.getLogger(__name__)


class Transport:
    """Sends requests with one key to one server.

    :param Address address: the only server that anything is sent to
    :param ApiKey key: added to each request
    :param float timeout: seconds to connect, and between two pieces of an answer
    :param int max_body_bytes: limit for a body, as it comes and decompressed
    """

    def __init__(self, address, key, timeout, max_body_bytes):
        self._address = address
        self._key = key
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._session = _Session()
        self._session.trust_env = False
        self._session.adapters.clear()
        self._session.mount(f"{address.origin_url}/", _SigningAdapter(key))
        self._session.headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "copaco-client",
        }

    def close(self):
        self._session.close()

    def get(self, path, params, deadline):
        """Ask once.

        :param str path: of the endpoint, below the base URL
        :param dict params: of the query
        :param float deadline: `time.monotonic()` at which it must be over
        :return: bytes of the body, decompressed
        :raise CopacoError: whatever goes wrong
        """
        url = self._address.get_url(path)
        started = time.monotonic()
        body, problem = b"", None
        try:
            with self._key.hidden_from_logs():
                body = self._follow(url, params, deadline)
        except exceptions.RequestException as error:
            problem = make_connection_error(error)
        except CopacoError as error:
            problem = error
        ended = time.monotonic()
        if problem and ended >= deadline and not isinstance(problem, RejectedError):
            problem = make_late_error()
        # The path as configured, since what a server says may hold anything.
        _logger.info(
            "GET %s: %s, %d bytes in %.2f s",
            path,
            problem and (problem.status or type(problem).__name__) or 200,
            len(body),
            ended - started,
        )
        if problem:
            # Not raised above: what was caught there carries the whole request.
            raise problem
        return body

    def _follow(self, url, params, deadline):
        for _ in range(1 + MAX_REDIRECTS):
            with self._send(url, params, deadline) as response:
                status = response.status_code
                if status == 200:
                    return self._read(response, deadline)
                location = response.headers.get("Location")
                if status not in REDIRECTS or not location:
                    raise make_status_error(status, response.headers)
            url, params = self._address.get_redirect_url(url, location), None
            if not url:
                raise RedirectedError(
                    "Copaco's server pointed to another address; nothing was sent "
                    "there.",
                    status,
                )
        raise RedirectedError("Copaco's server pointed round in circles.", status)

    def _send(self, url, params, deadline):
        request = requests.Request("GET", url, params=params)
        return self._session.send(
            self._session.prepare_request(request),
            allow_redirects=False,
            stream=True,
            # A pair of numbers would do too, but not for Odoo's test runner.
            timeout=max(min(self._timeout, deadline - time.monotonic()), 0.001),
            proxies=self._get_proxies(url),
            verify=_get_certificates(),
        )

    def _get_proxies(self, url):
        # To this machine the key may travel in clear text, so nobody else may see it.
        return {} if self._address.is_loopback else get_environ_proxies(url)

    def _read(self, response, deadline):
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise InvalidResponseError(
                "Copaco's answer is compressed in a way that was not asked for."
            )
        # Decompressing is left to `Body`.
        response.raw.headers.pop("Content-Encoding", None)
        body = Body(encoding in COMPRESSED, self._max_body_bytes)
        length = response.headers.get("Content-Length", "")
        # No number that is worth comparing is longer.
        length = int(length[:18]) if length.isdecimal() else 0
        body.check_size(length)
        with _cut_off(response, deadline):
            for piece in response.iter_content(PIECE_BYTES):
                body.add(piece)
        if time.monotonic() >= deadline:
            raise make_late_error()
        # urllib3 1 doesn't complain about this.
        if body.wire_size < length:
            raise make_lost_error()
        return body.get()


class _Session(requests.Session):
    def get_redirect_target(self, resp):
        """Leave redirects to `Transport`: requests would first read the body of one,
        however large, even when told not to follow it."""
        return None


class _SigningAdapter(HTTPAdapter):
    def __init__(self, key):
        super().__init__()
        self._key = key

    def send(self, request, *args, **kwargs):
        return super().send(self._key.sign(request.copy()), *args, **kwargs)


@contextmanager
def _cut_off(response, deadline):
    """Shut the connection down at the deadline.

    A server that sends a byte now and then never runs into the timeout, and the call
    that waits for more doesn't return in between.
    """
    try:
        connection = socket.fromfd(
            response.raw.fileno(), socket.AF_INET, socket.SOCK_STREAM
        )
    except (OSError, ValueError, AttributeError):
        # There is no body, so nothing to wait for.
        yield
        return
    timer = threading.Timer(deadline - time.monotonic(), _shut_down, args=(connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        connection.close()


def _shut_down(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _logger.debug("The server has closed the connection already")


def _get_certificates():
    """Return the bundle that the environment names, or True for the usual one."""
    return (
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    )
