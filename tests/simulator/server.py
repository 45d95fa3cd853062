"""What the simulator answers: keys, permissions, windows, stores and faults."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import date, datetime

from . import faults
from .dataset import SHAPES, Dataset, StoredInvoice
from .faults import Response, json_error
from .months import add_months
from .wire import Wire

BASE_PATH = "/api/v1/"
SPECIFICATIONS = "customer-specifications"
# On request only; its path is on no public page.
CUSTOMER_INVOICES = "customer-invoices"
PURCHASES = "invoices"
EXAMPLES = "example-invoices"
ENDPOINTS = (SPECIFICATIONS, CUSTOMER_INVOICES, PURCHASES, EXAMPLES)

# The window when a request doesn't name one (Copaco's knowledge base, page
# https://kb.copaco.cloud/kb/billing-api-s).
DEFAULT_WINDOW_MONTHS = 3

AUTH_HEADERS = {
    "bearer": "Authorization",
    "x_api_key": "X-API-Key",
    "subscription_key": "Ocp-Apim-Subscription-Key",
}
AUTH_METHODS = (*AUTH_HEADERS, "header", "query")


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it came in; ``time`` is monotonic, ``fault`` what went wrong."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    authorized: bool
    time: float
    fault: str | None


class Simulator:
    """A Copaco billing API on this machine; see the package for how it is used.

    :param int seed: makes the data; the same seed gives the same bytes
    :param int customers: number of end customers
    :param str api_key: the only key that is let in
    :param str auth_method: how the key must be sent, one of ``AUTH_METHODS``
    :param str auth_name: header or parameter name for ``header`` and ``query``
    :param permissions: endpoints that the key may use; None for all
    :param str shape: ``per_customer`` or ``consolidated``
    :param int months: how many months are stored, the latest created by ``today``
    :param date today: the day it is for the server
    :param lines: number of customer lines in each month; None for about 24 a customer
    :param bool compress: gzip for clients that accept it
    :param int port: 0 takes a free one
    """

    def __init__(
        self,
        seed=1,
        customers=45,
        api_key="simulator-key",
        auth_method="bearer",
        auth_name="",
        permissions=None,
        shape="per_customer",
        months=3,
        today=None,
        lines=None,
        compress=True,
        port=0,
    ):
        if auth_method not in AUTH_METHODS:
            raise ValueError(f"auth_method must be one of {AUTH_METHODS}")
        if auth_method not in AUTH_HEADERS and not auth_name:
            raise ValueError(f"auth_method {auth_method!r} needs an auth_name")
        if shape not in SHAPES:
            raise ValueError(f"shape must be one of {SHAPES}")
        self.api_key = api_key
        self.auth_method = auth_method
        self.auth_name = auth_name
        self.permissions = permissions
        self.today = today or date.today()
        self.requests: list[RecordedRequest] = []
        dataset = Dataset(seed, customers, shape, lines)
        self.customers = dataset.customers
        self.invoices = dataset.specifications(self.today, months)
        self.customer_invoices = dataset.customer_invoices(self.today, months)
        self.purchases = dataset.purchases(self.today, months)
        self.examples = Dataset("example", 2, "consolidated", 12).purchases(
            date(2024, 1, 31), 1
        )
        self._plans: list[faults.Plan] = []
        self._lock = threading.Lock()
        self._wire = Wire(port, self._serve, compress)

    @property
    def url(self):
        """The base URL, with a slash at its end."""
        return f"http://127.0.0.1:{self._wire.server_port}{BASE_PATH}"

    def start(self):
        """Begin to answer; returns the simulator itself."""
        self._wire.start()
        return self

    def stop(self):
        """Stop, and break off every connection that is still open."""
        self._wire.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.stop()

    def misbehave(self, fault, times=1, after=0, path=None, **options):
        """Let coming requests go wrong.

        Calls queue up: the second plan begins when the first is used up.

        :param str fault: a name in ``faults.FAULTS``
        :param times: how many requests go wrong; None for all until ``behave``
        :param int after: how many requests are answered well before that
        :param str path: only requests to this endpoint are counted and concerned
        :param options: those of the fault
        :raise ValueError: for an unknown fault
        :raise TypeError: for an option that this fault doesn't have or misses
        """
        plan = faults.Plan(fault, times, after, path, options)
        with self._lock:
            self._plans.append(plan)

    def behave(self):
        """Forget every misbehaviour that is still to come."""
        with self._lock:
            self._plans.clear()

    def add_invoice(self, invoice, created, endpoint=SPECIFICATIONS):
        """Store one more invoice and return it.

        :param dict invoice: an element of ``Invoices``; a Decimal in it is written as a
            JSON number with exactly its digits
        :param date created: the day on which Copaco made it
        :param str endpoint: where it is to be seen
        """
        store = self._get_store(endpoint)
        stored = StoredInvoice(created, content=invoice)
        store.append(stored)
        return stored

    def customers_with(self, trait):
        """Return the customers that have ``trait``, see ``companies.py``."""
        return [customer for customer in self.customers if trait in customer.traits]

    def _serve(self, exchange, path, query):
        """Answer a request, well or as planned."""
        plan = self._record(exchange, path, query)
        response = self._respond(path, query, exchange.headers)
        if plan:
            plan.apply(exchange, response)
        else:
            exchange.reply(response)

    def _record(self, exchange, path, query):
        """Record a request; return the plan that spoils it, or None."""
        with self._lock:
            plan = next((plan for plan in self._plans if plan.concerns(path)), None)
            if plan and not plan.strikes():
                plan = None
            self.requests.append(
                RecordedRequest(
                    method=exchange.command,
                    path=path,
                    query=query,
                    headers=dict(exchange.headers.items()),
                    authorized=self._is_authorized(exchange.headers, query),
                    time=time.monotonic(),
                    fault=plan.fault if plan else None,
                )
            )
        return plan

    def _is_authorized(self, headers, query):
        if self.auth_method == "query":
            return query.get(self.auth_name) == self.api_key
        name = AUTH_HEADERS.get(self.auth_method, self.auth_name)
        prefix = "Bearer " if self.auth_method == "bearer" else ""
        return headers.get(name) == prefix + self.api_key

    def _respond(self, path, query, headers):
        """Return the response of a healthy server."""
        endpoint = path.removeprefix(BASE_PATH)
        if not path.startswith(BASE_PATH) or endpoint not in ENDPOINTS:
            return json_error(404, "Resource not found")
        if not self._is_authorized(headers, query):
            return json_error(401, "Access denied: missing or invalid API key")
        if self.permissions is not None and endpoint not in self.permissions:
            return json_error(403, "The API key has no permission for this resource")
        if endpoint == EXAMPLES:
            return _make_invoices_response(self.examples)
        earliest = add_months(self.today, -DEFAULT_WINDOW_MONTHS)
        try:
            start = _parse_date(query, "startDate", earliest)
            end = _parse_date(query, "endDate", self.today)
        except ValueError as error:
            return json_error(400, str(error))
        return _make_invoices_response(
            [
                invoice
                for invoice in list(self._get_store(endpoint))
                if start <= invoice.created <= end
            ]
        )

    def _get_store(self, endpoint):
        return {
            SPECIFICATIONS: self.invoices,
            CUSTOMER_INVOICES: self.customer_invoices,
            PURCHASES: self.purchases,
        }[endpoint]


def _parse_date(query, name, default):
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{8}", text):
        raise ValueError(f"{name} must have the form YYYYMMDD")
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError as error:
        raise ValueError(f"{name} is not a date") from error


def _make_invoices_response(invoices):
    encoded = b", ".join(invoice.encode() for invoice in invoices)
    return Response(body=b'{"Invoices": [' + encoded + b"]}")
