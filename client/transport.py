"""One request to one server: where it may go, what it may cost, what went wrong.

These rules hold for every request, so they stand at the narrowest place:

- The session knows one server only. A redirect within it is followed; nothing can be
  sent anywhere else.
- The key is added in the adapter, the last moment before sending: whoever watches the
  session, and every error that holds the request, sees it without the key.
- Of the environment, proxies and certificate bundles are used, because companies need
  them; a proxy sees the host's name only, since all but this machine is https. Not
  ``.netrc``: requests would send the password in it as well, or instead of the key.
- Size and time are limited while the body is received.
"""

import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from .address import Address
from .auth import ApiKey
from .exceptions import (
    CopacoError,
    InvalidResponseError,
    RedirectedError,
    RejectedError,
    ResponseTooLargeError,
    make_connection_error,
    make_late_error,
    make_lost_error,
    make_status_error,
)
from .sentences import Sentence

MAX_REDIRECTS = 3
PIECE_BYTES = 65536
REDIRECTS = frozenset({301, 302, 303, 307, 308})
COMPRESSED = frozenset({"gzip", "deflate"})
ENCODINGS = COMPRESSED | {"", "identity"}

# gzip, or deflate as the standard has it; zlib tells by the first bytes.
_ANY_HEADER = zlib.MAX_WBITS | 32

_logger = logging.getLogger(__name__)


class Transport:
    """Sends requests with one key to one server.

    :param address: the only server that anything is sent to
    :param key: added to each request
    :param timeout: seconds to connect, and between two pieces of a response
    :param max_body_bytes: limit for a body, as received and decompressed
    """

    def __init__(
        self, address: Address, key: ApiKey, timeout: float, max_body_bytes: int
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._session = _Session()
        self._session.trust_env = False
        self._session.adapters.clear()
        self._session.mount(f"{address.origin_url}/", _SigningAdapter(key))
        self._session.headers.clear()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": "copaco-client",
            }
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, params: dict[str, str], deadline: float) -> bytes:
        """Ask once.

        :param path: of the endpoint, below the base URL
        :param params: of the query
        :param deadline: `time.monotonic()` at which it must be over
        :return: the body, decompressed
        :raise CopacoError: whatever goes wrong
        """
        url = self._address.get_url(path)
        started = time.monotonic()
        body = b""
        problem: CopacoError | None = None
        try:
            body = self._follow(url, params, deadline)
        except (exceptions.RequestException, HTTPError) as error:
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

    def _follow(self, url: str, params: dict[str, str], deadline: float) -> bytes:
        for _ in range(1 + MAX_REDIRECTS):
            with self._send(url, params, deadline) as response:
                status = response.status_code
                if status == 200:
                    return self._read(response, deadline)
                location = response.headers.get("Location")
                if status not in REDIRECTS or not location:
                    raise make_status_error(status, response.headers)
            target = self._address.get_redirect_url(url, location)
            if not target:
                raise RedirectedError(
                    "Copaco's server redirected to another address; nothing was sent "
                    "there.",
                    status,
                )
            url, params = target, {}
        raise RedirectedError("Copaco's server redirects in a loop.", status)

    def _send(
        self, url: str, params: dict[str, str], deadline: float
    ) -> requests.Response:
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

    def _get_proxies(self, url: str) -> dict[str, str]:
        # To this machine the key may travel in clear text, so nobody else may see it.
        return {} if self._address.is_loopback else get_environ_proxies(url)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise InvalidResponseError(
                "Copaco's response is compressed in a way that was not asked for."
            )
        # Decompressing is left to `_Body`.
        response.raw.headers.pop("Content-Encoding", None)
        body = _Body(encoding in COMPRESSED, self._max_body_bytes)
        announced = response.headers.get("Content-Length", "")
        # No number that is worth comparing is longer.
        length = int(announced[:18]) if announced.isdecimal() else 0
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


class _Body:
    """Takes the pieces of a body as they are received.

    It decompresses by itself, because a library that does it on the way counts either
    what is received or what it makes of it, and may unpack a bomb before anyone can
    look.

    :param is_compressed: with gzip or deflate
    :param max_bytes: limit for what is received, and for what it is decompressed
    """

    def __init__(self, is_compressed: bool, max_bytes: int) -> None:
        self.wire_size = 0
        self._max_bytes = max_bytes
        self._decoder = zlib.decompressobj(_ANY_HEADER) if is_compressed else None
        self._size = 0
        self._pieces: list[bytes] = []

    def check_size(self, size: int) -> None:
        """:raise ResponseTooLargeError: if so many bytes are too many"""
        if size > self._max_bytes:
            raise ResponseTooLargeError(
                Sentence(
                    "Copaco's response is larger than %(size)s MB, so it was not read.",
                    {"size": self._max_bytes // 1_000_000},
                )
            )

    def add(self, piece: bytes) -> None:
        """Take the next bytes.

        :raise ResponseTooLargeError: once there are too many
        :raise InvalidResponseError: if they can't be decompressed
        """
        self.wire_size += len(piece)
        self.check_size(self.wire_size)
        if self._decoder:
            # One byte more than allowed is enough to know.
            room = self._max_bytes - self._size + 1
            try:
                piece = self._decoder.decompress(piece, room)
                # Nothing may follow the end of what is compressed.
                is_damaged = bool(self._decoder.unused_data)
            except zlib.error:
                is_damaged = True
            if is_damaged:
                raise _make_damaged_error()
        self._size += len(piece)
        self.check_size(self._size)
        self._pieces.append(piece)

    def get(self) -> bytes:
        """Return all bytes.

        :raise InvalidResponseError: if more of them would have to follow
        """
        if self._decoder and self.wire_size and not self._decoder.eof:
            raise _make_damaged_error()
        return b"".join(self._pieces)


def _make_damaged_error() -> InvalidResponseError:
    return InvalidResponseError(
        "Copaco's response is damaged: it can't be decompressed."
    )


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Leave redirects to `Transport`: requests would first read the body of one,
        however large, even when told not to follow it."""
        return None


class _SigningAdapter(HTTPAdapter):
    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self._key = key

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send the request with the key."""
        return super().send(self._key.sign(request.copy()), *args, **kwargs)


@contextmanager
def _cut_off(response: requests.Response, deadline: float) -> Iterator[None]:
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


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _logger.debug("The server has closed the connection already")


def _get_certificates() -> str | bool:
    """Return the bundle that the environment names, or True for the usual one."""
    return (
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    )
