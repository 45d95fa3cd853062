"""The API key: how it is sent, and how it is kept out of every log.

No page of Copaco says how the key is to be sent, hence the methods.
"""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest

from .exceptions import SettingsError
from .sentences import Sentence


@dataclass(frozen=True, slots=True)
class AuthMethod:
    """A way to send the key.

    :ivar label: for whoever chooses it
    :ivar header: that carries the key; "" if the connection names it
    :ivar write: makes the header's value of the key
    :ivar is_query: the key is a query parameter, which the connection names
    """

    label: str
    header: str = ""
    write: Callable[[str], str] = str
    is_query: bool = False

    @property
    def needs_name(self) -> bool:
        """Whether the connection has to name the header or parameter."""
        return not self.header


# In the order in which they are worth trying; last what ends up in servers' logs.
AUTH_METHODS: Mapping[str, AuthMethod] = MappingProxyType(
    {
        "bearer": AuthMethod(
            "Authorization: Bearer", "Authorization", "Bearer {}".format
        ),
        "x_api_key": AuthMethod("X-API-Key header", "X-API-Key"),
        "subscription_key": AuthMethod(
            "Ocp-Apim-Subscription-Key header", "Ocp-Apim-Subscription-Key"
        ),
        "header": AuthMethod("Another header"),
        "query": AuthMethod("Query parameter", is_query=True),
    }
)

NAMED_AUTH_METHODS = frozenset(
    name for name, method in AUTH_METHODS.items() if method.needs_name
)

_KEY = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"[A-Za-z0-9_.~-]+")
# Names that mean something else to HTTP or to Copaco.
_TAKEN_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "host"),
        *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_TAKEN_PARAMETERS = frozenset({"startdate", "enddate"})


class ApiKey:
    """A key and the way it is sent. From now on no log of requests or urllib3 has it.

    :param key: as Copaco's portal showed it
    :param method: one of `AUTH_METHODS`
    :param name: of the header or parameter, for a method that needs one
    :raise SettingsError: if a request can't carry it; the message doesn't quote it
    """

    def __init__(self, key: str | None, method: str, name: str | None = "") -> None:
        if method not in AUTH_METHODS:
            raise SettingsError(
                Sentence(
                    "There is no way to send the API key named %(method)s.",
                    {"method": method},
                )
            )
        if not key:
            raise SettingsError("No API key is set.")
        if not _KEY.fullmatch(key):
            raise SettingsError(
                "The API key has a space, a line break or another character that no "
                "key has; copy it again."
            )
        self.method = method
        self._way = AUTH_METHODS[method]
        if self._way.needs_name:
            _check_name(name, self._way)
        self._key = key
        self._own_name = name
        self._name = self._way.header or name or ""
        _log_filter.mask(key, self._way.write(key))

    def __repr__(self) -> str:
        return f"ApiKey(method={self.method!r})"

    def get_alternatives(self) -> list["ApiKey"]:
        """Return all other ways in which this key can be sent."""
        alternatives = []
        for method in AUTH_METHODS:
            try:
                alternative = ApiKey(self._key, method, self._own_name)
            except SettingsError:
                continue  # needs a name, or another one
            if method != self.method:
                alternatives.append(alternative)
        return alternatives

    def sign(self, request: PreparedRequest) -> PreparedRequest:
        """Add the key to a request and return it."""
        if self._way.is_query:
            parts = urlsplit(str(request.url))
            query = parse_qsl(parts.query, keep_blank_values=True)
            query = [pair for pair in query if pair[0] != self._name]
            query.append((self._name, self._key))
            request.url = urlunsplit(parts._replace(query=urlencode(query)))
        else:
            request.headers[self._name] = self._way.write(self._key)
        return request


def _check_name(name: str | None, way: AuthMethod) -> None:
    taken = _TAKEN_PARAMETERS if way.is_query else _TAKEN_HEADERS
    if not name:
        raise SettingsError(
            "The name of the query parameter for the API key is not set."
            if way.is_query
            else "The name of the header for the API key is not set."
        )
    if not _NAME.fullmatch(name) or name.lower() in taken:
        raise SettingsError(
            "The API key can't be sent in a query parameter of this name."
            if way.is_query
            else "The API key can't be sent in a header of this name."
        )


# urllib3 logs whole URLs, at DEBUG for each request and at WARNING for some errors:
# with the key in the query, and whatever a server makes of it in a redirect.


class ApiKeyLogFilter(logging.Filter):
    """Masks every API key of this process in what is logged.

    It is never removed: with a filter per call, removing one from a logger's list makes
    another thread that goes through the list pass over its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()

    def mask(self, *secrets: str) -> None:
        """Mask these texts from now on, also as they stand in a URL or are quoted."""
        forms = {
            form
            for secret in secrets
            for form in (
                *(secret, quote(secret), quote(secret, safe=""), quote_plus(secret)),
                repr(secret)[1:-1],
            )
        }
        with self._lock:
            # Replaced as a whole, since `filter` doesn't wait for the lock. The longest
            # first: one key may be a part of another.
            self._forms = tuple(sorted({*self._forms, *forms}, key=len, reverse=True))

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record and let it pass."""
        forms = self._forms
        message = record.getMessage()
        text = message
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        if any(form in text for form in forms):
            for form in forms:
                message = message.replace(form, "***")
            record.msg, record.args = message, None
            record.exc_info = record.exc_text = None
        return True


class _MaskingHandler(logging.Handler):
    """Masks records of loggers that are made later: a filter on a logger doesn't see
    those of its children, but they pass its handlers on their way to the root."""

    def emit(self, record: logging.LogRecord) -> None:
        _log_filter.filter(record)


def _install_log_filter() -> None:
    libraries = ("requests", "urllib3")
    for library in libraries:
        logging.getLogger(library).addHandler(_MaskingHandler())
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in libraries:
            logging.getLogger(name).addFilter(_log_filter)


_log_filter = ApiKeyLogFilter()
_install_log_filter()
