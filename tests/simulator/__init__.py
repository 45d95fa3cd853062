"""A Copaco billing API with fictional customers, for tests and for the demonstration.

It needs the standard library only and shares no code with the client that it tests::

    from simulator import Simulator

    with Simulator(seed=1, customers=45, api_key="simulator-key") as server:
        client = CopacoClient(base_url=server.url, api_key="simulator-key")
        server.misbehave("status", status=429, retry_after=1)  # the next request only
        client.fetch(...)
        assert [request.authorized for request in server.requests] == [True, True]

``server.customers`` has the customers and ``server.customers_with("one_po")`` those
with a trait (``companies.py`` lists the traits). ``server.invoices``,
``server.customer_invoices``, ``server.purchases`` and ``server.examples`` are lists of
``StoredInvoice``; a test may
add to them, take away, or change ``server.invoices[0].content``, a plain dictionary.
``server.add_invoice(dictionary, created=date)`` stores one more; a Decimal in it is
written as a JSON number with exactly its digits. ``server.api_key`` and
``server.permissions`` may be changed while it runs.

``faults.py`` has everything that ``misbehave`` can be asked for. Without a test::

    PYTHONPATH=tests python -m simulator --port 8100 --fault status:status=503,times=2

The data depends on the seed alone: the invoices of a month are the same whatever
``today``, ``months`` or the window of the request are. ``shape`` decides whether a
month is one invoice per customer (``Receiver`` is the customer) or one consolidated
invoice (``Receiver`` is the reseller); purchases are always consolidated, and
Customer-Invoices are always one per customer, with VAT and with numbers of their own.
"""

from .dataset import StoredInvoice
from .server import Simulator

__all__ = ["Simulator", "StoredInvoice"]
