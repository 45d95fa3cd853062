"""The ways in which the simulator can misbehave.

Each fault is a function ``fault(exchange, response, **options)``: ``exchange`` is the
request being served (see ``wire.Exchange``), ``response`` the response a healthy server
would give. Its keyword arguments are the options of ``Simulator.misbehave``. To add a
fault, write the function and it can be asked for by name.
"""

import inspect
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime

from .lines import EXACT

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
BLOCK = b"x" * 65536

FAULTS: dict[str, Callable] = {}


@dataclass(frozen=True)
class Response:
    """What goes back to the client; ``body`` is not compressed yet."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """One call of ``misbehave``: which requests go wrong, and how."""

    fault: str
    times: int | None
    after: int
    path: str | None
    options: dict

    def __post_init__(self):
        if self.fault not in FAULTS:
            known = ", ".join(sorted(FAULTS))
            raise ValueError(f"Unknown fault {self.fault!r}; known are: {known}")
        # A misspelled option must fail in the test, not in the server's thread.
        inspect.signature(FAULTS[self.fault]).bind(None, None, **self.options)

    def concerns(self, path):
        """Tell whether this plan still has something to say about ``path``."""
        named = self.path in (None, path, path.rpartition("/")[2])
        return named and self.times != 0

    def strikes(self):
        """Count one request that concerns this plan; tell whether it goes wrong."""
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def apply(self, exchange, response):
        """Answer ``exchange`` wrongly."""
        FAULTS[self.fault](exchange, response, **self.options)


def json_error(status, message):
    """Return the response with which the API refuses a request."""
    body = {"error": {"code": status, "message": message}}
    return Response(status, json.dumps(body).encode())


def _fault(function):
    FAULTS[function.__name__.rstrip("_")] = function
    return function


def _html_page(title):
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1><p>Onze excuses voor het ongemak.</p></body></html>\n"
    ).encode()


def _json_response(value):
    return Response(body=json.dumps(value).encode())


# Responses with another status


@_fault
def status(exchange, response, *, status, retry_after=None, body=None):
    """Refuse with ``status``; ``retry_after`` is in seconds, a datetime or text."""
    if isinstance(retry_after, datetime):
        retry_after = format_datetime(retry_after, usegmt=True)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if body is not None:
        refusal = Response(status, body.encode())
    elif status in (502, 503, 504):
        # These come from a gateway in front of the API, and gateways speak HTML.
        refusal = Response(status, _html_page(f"{status} Gateway"), HTML_TYPE)
    else:
        refusal = json_error(status, f"Simulated error {status}")
    exchange.reply(replace(refusal, headers=headers))


@_fault
def redirect(exchange, response, *, location, status=302):
    """Send the client to ``location``."""
    exchange.reply(Response(status, headers={"Location": location}))


# A bad line: slow, dripping, cut


@_fault
def slow(exchange, response, *, seconds):
    """Give the right response, after ``seconds``."""
    exchange.pause(seconds)
    exchange.reply(response)


@_fault
def drip(exchange, response, *, interval=0.2, size=1):
    """Give the right response, ``size`` bytes every ``interval`` seconds."""
    exchange.head(response, length=len(response.body))
    for start in range(0, len(response.body), size):
        exchange.write(response.body[start : start + size])
        exchange.pause(interval)


@_fault
def drop(exchange, response, *, share=0.5, chunked=False, reset=False):
    """Close the connection after ``share`` of the body.

    ``share=None`` closes it before the first byte; ``chunked`` doesn't tell the length
    beforehand; ``reset`` breaks the connection off instead of closing it.
    """
    if share is not None:
        length = len(response.body)
        part = response.body[: int(length * share)]
        exchange.head(response, length=None if chunked else length)
        exchange.write(b"%x\r\n" % length + part if chunked else part)
    exchange.cut(reset)


# Too much


@_fault
def huge(exchange, response, *, bytes, chunked=False):
    """Answer with valid JSON of ``bytes`` bytes; ``chunked`` hides its length."""
    start, end = b'{"Invoices": [], "Padding": "', b'"}'
    padding = max(bytes - len(start) - len(end), 0)
    exchange.head(
        Response(), length=None if chunked else len(start) + padding + len(end)
    )
    for block in _blocks(start, padding, end):
        exchange.write(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
    if chunked:
        exchange.write(b"0\r\n\r\n")


@_fault
def bomb(exchange, response, *, bytes):
    """Answer with a small gzip stream that expands to about ``bytes`` of JSON."""
    exchange.head(Response(headers={"Content-Encoding": "gzip"}), length=None)
    compressor = zlib.compressobj(level=9, wbits=31)
    blocks = _blocks(b'{"Invoices": [], "Padding": "', bytes, b'"}')
    pieces = (compressor.compress(block) for block in blocks)
    for piece in filter(None, pieces):
        exchange.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    piece = compressor.flush()
    exchange.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(piece), piece))


def _blocks(start, padding, end):
    """Yield ``start``, ``padding`` bytes and ``end`` without holding them at once."""
    yield start
    for _ in range(padding // len(BLOCK)):
        yield BLOCK
    yield BLOCK[: padding % len(BLOCK)] + end


# Not the JSON it should be


@_fault
def html(exchange, response, *, status=200):
    """Answer with a web page, as a portal in maintenance does."""
    exchange.reply(Response(status, _html_page("Gepland onderhoud"), HTML_TYPE))


@_fault
def empty_body(exchange, response):
    """Answer 200 with nothing at all."""
    exchange.reply(Response())


@_fault
def truncated_json(exchange, response, *, share=0.5):
    """Answer with the first ``share`` of the JSON, as if that were all."""
    exchange.reply(
        replace(response, body=response.body[: int(len(response.body) * share)])
    )


@_fault
def wrong_encoding(exchange, response, *, encoding="latin-1"):
    """Answer in ``encoding`` while the header says UTF-8."""
    text = response.body.decode().replace("{", '{"Note": "Café de Brücke", ', 1)
    exchange.reply(replace(response, body=text.encode(encoding, "replace")))


@_fault
def bom(exchange, response):
    """Give the right response, with a byte order mark before it."""
    exchange.reply(replace(response, body=b"\xef\xbb\xbf" + response.body))


@_fault
def not_object(exchange, response, *, value=()):
    """Answer with ``value`` (a list unless told) where an object should be."""
    exchange.reply(_json_response(value))


@_fault
def null_invoices(exchange, response):
    """Answer ``{"Invoices": null}``."""
    exchange.reply(_json_response({"Invoices": None}))


@_fault
def no_invoices_key(exchange, response):
    """Answer an object that has no ``Invoices``."""
    exchange.reply(_json_response({"Message": "OK"}))


@_fault
def empty(exchange, response):
    """Answer ``{"Invoices": []}``."""
    exchange.reply(_json_response({"Invoices": []}))


@_fault
def nan(exchange, response, *, key="ExtendedPrice", value="NaN"):
    """Write ``value``, which is no JSON number, at the first ``key``."""
    pattern = rf'"{key}": [^,}}\]]+'.encode()
    body, found = re.subn(pattern, f'"{key}": {value}'.encode(), response.body, count=1)
    if not found:
        body = f'{{"Invoices": {value}}}'.encode()
    exchange.reply(replace(response, body=body))


@_fault
def duplicate_keys(exchange, response, *, key="ExtendedPrice"):
    """Write ``key`` twice, first with 0, in the first object that has it."""
    name = f'"{key}": '.encode()
    if name not in response.body:
        name = b'"Invoices": '
    body = response.body.replace(name, name + b"0, " + name, 1)
    exchange.reply(replace(response, body=body))


# Good JSON that says something wrong


@_fault
def wrong_totals(exchange, response, *, amount, count=1):
    """Add ``amount`` to the total without VAT of the first ``count`` invoices, 0 for
    all; the lines stay as they are."""
    body = re.sub(
        rb'(?<="TotalExcludingVAT": )"?([^",}]+)"?',
        lambda found: str(
            EXACT.add(Decimal(found[1].decode()), Decimal(str(amount)))
        ).encode(),
        response.body,
        count=count,
    )
    exchange.reply(replace(response, body=body))
