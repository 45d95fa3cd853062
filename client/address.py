"""Which addresses a request may have, and what counts as the same server."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from .exceptions import SettingsError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Only what a URL may have (RFC 3986) and no user name, because parsers disagree about
# the host of anything else.
_BASE_URL = re.compile(
    r"https?://([a-z0-9.-]+|\[[a-f0-9.:]+\])(:[0-9]+)?(/[a-z0-9._~/%-]*)?",
    re.I | re.A,
)
_PATH = re.compile(r"[A-Za-z0-9._~/%-]+")
_LOCATION = re.compile(r"[A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]+")


class Address:
    """A server and the folder in which its endpoints are.

    :param base_url: https; http only for this machine
    :raise SettingsError: if it is anything else, or has a user name or a query
    :ivar origin_url: the server alone, the same however its URL is written: see
        `get_origin`
    """

    def __init__(self, base_url: str | None) -> None:
        base_url = base_url or ""
        origin = _read_origin(base_url) if _BASE_URL.fullmatch(base_url) else None
        if not origin:
            raise SettingsError(
                "The API URL is not usable: it must look like "
                "https://api.example.com/api/v1, without user name, password or query."
            )
        self._origin = origin
        scheme, host, port = origin
        self.is_loopback = _is_loopback(host)
        if scheme != "https" and not self.is_loopback:
            raise SettingsError(
                "The API URL must begin with https, or the API key could be read on "
                "its way."
            )
        server = f"[{host}]" if ":" in host else host
        if port != _DEFAULT_PORTS[scheme]:
            server += f":{port}"
        self.origin_url = f"{scheme}://{server}"
        self._folder = urlsplit(base_url).path.strip("/")

    def __str__(self) -> str:
        return "/".join(filter(None, (self.origin_url, self._folder)))

    def get_url(self, path: str | None) -> str:
        """Return the URL of an endpoint.

        :param path: below the base URL, such as ``customer-specifications``
        :raise SettingsError: if it is no path
        """
        if not path or not _PATH.fullmatch(path):
            raise SettingsError("A path on the connection is empty or not usable.")
        return f"{self}/{path.lstrip('/')}"

    def get_redirect_url(self, url: str, location: str) -> str | None:
        """Return where a redirect leads to, or None if that isn't on this server.

        :param url: that was asked for
        :param location: what the server responded
        """
        try:
            target = urljoin(url, location)
        except ValueError:
            return None
        if not _LOCATION.fullmatch(location) or _read_origin(target) != self._origin:
            return None
        parts = urlsplit(target)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.origin_url}/{parts.path.lstrip('/')}{query}"


def get_origin(base_url: str | None) -> str:
    """Return the server of an API URL, such as ``https://api.copaco.cloud``: the same
    for every path, and whether or not the usual port, capitals, a dot at the end of the
    host or the zeros of an IPv6 address are written; "" if the URL can't be used."""
    with suppress(SettingsError):
        return Address(base_url).origin_url
    return ""


def _read_origin(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port, or None if the URL has none that makes sense."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")  # as the connection will, with the same complaints
        if ":" in host:
            host = ipaddress.IPv6Address(host).compressed
    except ValueError:
        return None
    if not host or parts.scheme not in _DEFAULT_PORTS or port == 0:
        return None
    if parts.scheme == "https":
        # Without TLS this machine has to be named plainly.
        host = host.removesuffix(".")
    return parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
