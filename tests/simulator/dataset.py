"""Which invoices there are, month by month, and where they are kept."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from random import Random

from . import encoding
from .companies import make_customers
from .lines import EXACT
from .months import billed_months, creation_date
from .usage import Usage
from .writer import MICROSOFT, OTHERS, Writer, receiver, sender, write_date

SHAPES = ("per_customer", "consolidated")
PAYMENT_DAYS = 30


class StoredInvoice:
    """An element of ``Invoices`` with the day on which Copaco made it.

    The content is made when it is first needed. It may be changed by whoever reads
    ``content``, so from then on it is encoded anew for every response.
    """

    def __init__(
        self, created, number=None, content=None, make: Callable | None = None
    ):
        self.created: date = created
        self._number = number
        self._content = content
        self._make = make
        self._encoded = None
        self._lock = threading.Lock()

    @property
    def content(self):
        """The invoice as a dictionary that may be changed."""
        with self._lock:
            if self._content is None:
                self._content = self._make()
            return self._content

    @property
    def number(self):
        """Copaco's number of the invoice."""
        if self._content is None:
            return self._number
        return self._content["Header"]["InvoiceID"]

    def encode(self):
        """Return the invoice as JSON."""
        with self._lock:
            if self._content is not None:
                return encoding.dumps(self._content)
            if self._encoded is None:
                self._encoded = encoding.dumps(self._make())
            return self._encoded


class Dataset:
    """Everything that ``count`` customers are billed, month by month."""

    def __init__(self, seed, count, shape, lines=None):
        self.seed = seed
        self.shape = shape
        self.customers = make_customers(seed, count)
        self._series = Random(f"{seed}-series").randrange(100)
        self._customer_count = count
        self._line_counts = [
            self._count_lines(customer, lines) for customer in self.customers
        ]

    def specifications(self, today, months):
        """Return what the customers pay, as a list of StoredInvoice, oldest first."""
        return [
            self._store(month, *element, "specification")
            for month in billed_months(today, months)
            for element in self._elements(month)
        ]

    def customer_invoices(self, today, months):
        """Return what the customers pay as whole invoices, each of one customer, as a
        list of StoredInvoice, oldest first."""
        return [
            self._store(month, *element, "customer_invoice")
            for month in billed_months(today, months)
            for element in self._customer_elements(month, 3)
        ]

    def purchases(self, today, months):
        """Return what the reseller pays, one StoredInvoice a month, oldest first."""
        return [
            self._store(month, self._number(month, 9), self.customers, None, "purchase")
            for month in billed_months(today, months)
        ]

    def _store(self, month, number, customers, part, kind):
        make = partial(self._invoice, month, number, customers, part, kind)
        return StoredInvoice(creation_date(month), number, make=make)

    def _elements(self, month):
        """Yield the number, the customers and the part of each element of a month."""
        if self.shape == "consolidated":
            yield self._number(month, 1), self.customers, None
        else:
            yield from self._customer_elements(month, 2)

    def _customer_elements(self, month, series):
        for customer in self.customers:
            number = f"{self._number(month, series)}{customer.index + 1:04}"
            # Copaco's release notes of 13-02-2024: one number, several elements.
            parts = (MICROSOFT, OTHERS) if "split" in customer.traits else (None,)
            for part in parts:
                yield number, [customer], part

    def _number(self, month, series):
        return f"{series}{month:%y%m}{self._series:02}"

    def _count_lines(self, customer, lines):
        if lines is not None:
            share, rest = divmod(lines, self._customer_count)
            return share + (customer.index < rest)
        if "credit_month" in customer.traits:
            return 5
        return Random(f"{self.seed}-{customer.account_ref}-lines").randrange(18, 31)

    def _invoice(self, month, number, customers, part, kind):
        created = creation_date(month)
        total = vat = Decimal(0)
        blocks = []
        for customer in customers:
            writer = Writer(self.seed, customer, month, kind)
            lines = Usage(self.seed, customer, month).lines()
            count = self._line_counts[customer.index]
            blocks.append(writer.customer_block(islice(lines, count), part))
            total = EXACT.add(total, writer.total)
            vat = EXACT.add(vat, writer.vat)
        per_customer = kind == "customer_invoice" or (
            kind == "specification" and self.shape == "per_customer"
        )
        traits = customers[0].traits if per_customer else ()
        iso = "iso_dates" in traits
        french = "french" in traits
        return {
            "Customers": blocks,
            "Header": {
                "Currency": "EUR",
                "Date": write_date(created, iso),
                "Description": "Invoice",
                "ExpirationDate": write_date(
                    created + timedelta(days=PAYMENT_DAYS), iso
                ),
                "InvoiceID": number,
                "Language": "French" if french else "Dutch",
                "LanguageCode": "fr" if french else "nl",
                "TermsOfPaymentDays": PAYMENT_DAYS,
                "Type": "INVOICE",
                "TypeIdentifier": 1,
            },
            "Receiver": receiver(customers[0] if per_customer else None),
            "Sender": sender(kind),
            "Totals": {
                "TotalExcludingVAT": total,
                "TotalIncludingVAT": EXACT.add(total, vat),
                "TotalVAT": vat,
            },
        }
