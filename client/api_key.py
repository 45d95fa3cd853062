"""The API key: how it is sent, and how it is kept out of everything else.

No page of Copaco says how the key is to be sent, hence the methods.
"""

import logging
import re
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from .errors import SettingsError

HEADERS = {
    "bearer": "Authorization",
    "x_api_key": "X-API-Key",
    "subscription_key": "Ocp-Apim-Subscription-Key",
}
# These need a name: that of the header, or of the query parameter.
NAMED_METHODS = ("header", "query")
# In the order in which they are worth trying; last what ends up in servers' logs.
AUTH_METHODS = (*HEADERS, *NAMED_METHODS)

_KEY = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"[A-Za-z0-9_.~-]+")
# Names that mean something else to HTTP or to Copaco.
_TAKEN_NAMES = {
    "header": {
        *("accept", "accept-encoding", "connection", "content-length", "host"),
        *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
    },
    "query": {"startdate", "enddate"},
}


class ApiKey:
    """A key and the way it is sent.

    :param str key: as Copaco's portal showed it
    :param str method: one of `AUTH_METHODS`
    :param str name: of the header or parameter, for `NAMED_METHODS`
    :raise SettingsError: if a request can't carry it; the message doesn't quote it
    """

    def __init__(self, key, method, name=""):
        if method not in AUTH_METHODS:
            raise SettingsError(f"There is no way to send the API key named {method}.")
        if not key:
            raise SettingsError("No API key is set.")
        if not _KEY.fullmatch(key):
            raise SettingsError(
                "The API key has a space, a line break or another character that no "
                "key has; copy it again."
            )
        if method in NAMED_METHODS:
            _check_name(name, method)
        self.method = method
        self._key = key
        self._own_name = name
        self._name = HEADERS.get(method, name)

    def __repr__(self):
        return f"ApiKey(method={self.method!r})"

    def get_alternatives(self):
        """Return the list of all other ways in which this key can be sent."""
        alternatives = []
        for method in AUTH_METHODS:
            try:
                alternative = ApiKey(self._key, method, self._own_name)
            except SettingsError:
                continue  # needs a name, or another one
            if method != self.method:
                alternatives.append(alternative)
        return alternatives

    def sign(self, request):
        """Add the key to a `requests.PreparedRequest` and return it."""
        if self.method == "query":
            parts = urlsplit(request.url)
            query = parse_qsl(parts.query, keep_blank_values=True)
            query = [pair for pair in query if pair[0] != self._name]
            query.append((self._name, self._key))
            request.url = urlunsplit(parts._replace(query=urlencode(query)))
        else:
            prefix = "Bearer " if self.method == "bearer" else ""
            request.headers[self._name] = prefix + self._key
        return request

    @contextmanager
    def hidden_from_logs(self):
        """Mask the key in what the libraries that send it log meanwhile.

        urllib3 logs whole URLs, at DEBUG for each request and at WARNING for some
        troubles: with the key in the query, and whatever a server makes of it in a
        redirect.
        """
        mask = _Mask(self._key)
        loggers = [
            logger
            for name, logger in list(logging.root.manager.loggerDict.items())
            if name.startswith(("urllib3", "requests"))
            and isinstance(logger, logging.Logger)
        ]
        for logger in loggers:
            logger.addFilter(mask)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(mask)


def _check_name(name, method):
    kind = "header" if method == "header" else "query parameter"
    if not name:
        raise SettingsError(f"The name of the {kind} for the API key is not set.")
    if not _NAME.fullmatch(name) or name.lower() in _TAKEN_NAMES[method]:
        raise SettingsError(f"The API key can't be sent in a {kind} of this name.")


class _Mask(logging.Filter):
    def __init__(self, key):
        super().__init__()
        # As it is, and as it stands in a URL or in a quoted text.
        self._forms = {key, quote(key), quote(key, safe=""), quote_plus(key)}
        self._forms.add(repr(key)[1:-1])
        self._forms.discard("")

    def filter(self, record):
        message = record.getMessage()
        if any(form in message for form in self._forms):
            for form in self._forms:
                message = message.replace(form, "***")
            record.msg, record.args = message, None
            record.exc_info = record.exc_text = None
        return True
