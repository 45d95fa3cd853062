"""The month that every method has to invoice: 20 lines for each customer.

It is the simulator's, and the same on every machine and every day.
"""

import json
import multiprocessing
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from simulator import Simulator
from simulator.dataset import Dataset

LINES_PER_INVOICE = 20
TODAY = date(2025, 10, 25)
# The month's invoices are created on the 23rd; on this day those to warm up with.
WARM_UP_DAY = TODAY - timedelta(days=15)
WARM_UP_INVOICES = 2
WARM_UP_LINES = 40
# What prepare.py names Copaco, among the contacts.
VENDOR = "vendor"
CENT = Decimal("0.01")
TAX_SHARE = Decimal("0.21")
FORK = multiprocessing.get_context("fork")


@dataclass
class Line:
    """``quantity`` × ``price`` is ``amount``, whatever Odoo's decimal settings."""

    name: str
    quantity: Decimal
    price: Decimal
    amount: Decimal


@dataclass
class Invoice:
    """What a customer has to pay; a refund's quantities have the sign of one.

    The lines have cents; ``exact_amount`` is what they add up to before rounding.
    """

    number: str
    account_ref: str
    day: date
    lines: list[Line]
    exact_amount: Decimal = Decimal(0)
    stated_tax: Decimal = Decimal(0)  # what Copaco states, rounded line by line

    @property
    def amount(self):
        """Without tax; below zero for a refund."""
        return sum(line.amount for line in self.lines)

    @property
    def is_refund(self):
        return self.amount < 0


def make_customers(lines):
    """Return the simulator's customers for a month of so many lines."""
    return Dataset(1, *_shape(lines)).customers


def find_undecidable(customers):
    """Return those customers that nothing certain tells from others."""
    numbers = Counter(each.customer_number for each in customers)
    return [
        customer
        for customer in customers
        if not customer.customer_number or numbers[customer.customer_number] > 1
    ]


def make_invoices(lines):
    """Return the invoices of the month as list of ``Invoice``, and before them some
    more to warm up with."""
    invoices = {}
    for stored in Dataset(1, *_shape(lines)).specifications(TODAY, 1):
        _add(invoices, json.loads(stored.encode(), parse_float=Decimal))
    month = list(invoices.values())
    for invoice in month:
        _add_rounding(invoice)
    return [*month[:WARM_UP_INVOICES], *month]


def make_bills(lines):
    """Return what Copaco bills for the month, one ``Invoice`` with all customers'
    lines, and before it a small one to warm up with."""
    (stored,) = Dataset(1, *_shape(lines)).purchases(TODAY, 1)
    content = _read(stored)
    bill = Invoice(stored.number, VENDOR, _read_day(content), [])
    for customer in content["Customers"]:
        _add_lines(bill, customer)
    _add_rounding(bill)
    small = Invoice(f"{stored.number}1", VENDOR, bill.day, bill.lines[:WARM_UP_LINES])
    small.stated_tax = (small.amount * TAX_SHARE).quantize(CENT, ROUND_HALF_UP)
    return [small, bill]


def get_totals(invoices):
    """Return what the books must say in the end, by name."""
    untaxed = sum(invoice.amount for invoice in invoices)
    tax = sum(
        (invoice.amount * TAX_SHARE).quantize(CENT, ROUND_HALF_UP)
        for invoice in invoices
    )
    return _describe(invoices, untaxed, tax)


def get_bill_totals(bills):
    """Return what the books must say of bills in the end, which Odoo signs below zero;
    the tax is the one that Copaco states."""
    untaxed = sum(bill.amount for bill in bills)
    return _describe(bills, -untaxed, -sum(bill.stated_tax for bill in bills))


def _describe(invoices, untaxed, tax):
    return {
        "invoices": len(invoices),
        "lines": sum(len(invoice.lines) for invoice in invoices),
        "untaxed": str(untaxed),
        "tax": str(tax),
    }


class Portal:
    """The simulator in a process of its own, so that its work isn't counted."""

    def __init__(self, lines):
        self._pipe, inner = FORK.Pipe()
        FORK.Process(target=_serve, args=(lines, inner), daemon=True).start()
        self.url = self._pipe.recv()

    def change_every(self, step):
        """Let Copaco charge one more in every ``step``-th invoice of the month."""
        self._pipe.send(step)
        self._pipe.recv()


def _shape(lines):
    return lines // LINES_PER_INVOICE, "per_customer", lines


def _serve(lines, pipe):
    customers, shape, lines = _shape(lines)
    simulator = Simulator(
        seed=1, customers=customers, shape=shape, lines=lines, months=1, today=TODAY
    )
    month = list(simulator.invoices)
    for stored in month[:WARM_UP_INVOICES]:
        content = deepcopy(_read(stored))
        content["Header"]["InvoiceID"] += "-1"
        for subscription in content["Customers"][0]["Subscriptions"]:
            for line in subscription["PriceLines"]:
                line["InvoiceRowHash"] += "-1"
        simulator.add_invoice(content, WARM_UP_DAY)
    for stored in simulator.invoices:
        stored.encode()
    with simulator:
        pipe.send(simulator.url)
        while True:
            step = pipe.recv()
            for stored in month[::step]:
                content = _read(stored)
                line = content["Customers"][0]["Subscriptions"][0]["PriceLines"][0]
                line["ExtendedPrice"] = Decimal(line["ExtendedPrice"]) + 1
                simulator.invoices.remove(stored)
                simulator.add_invoice(content, stored.created)
            pipe.send(None)


def _read(stored):
    return json.loads(stored.encode(), parse_float=Decimal)


def _add(invoices, content):
    (customer,) = content["Customers"]
    number = str(content["Header"]["InvoiceID"])
    invoice = invoices.setdefault(
        number, Invoice(number, str(customer["AccountID"]), _read_day(content), [])
    )
    _add_lines(invoice, customer)


def _add_lines(invoice, customer):
    for subscription in customer["Subscriptions"]:
        for line in subscription["PriceLines"]:
            invoice.lines.append(_make_line(line))
            invoice.exact_amount += Decimal(line["ExtendedPrice"])
            invoice.stated_tax += Decimal(line.get("VAT") or 0)


def _add_rounding(invoice):
    """Let the lines add up to the rounded sum, by one line more."""
    rounding = invoice.exact_amount.quantize(CENT, ROUND_HALF_UP) - invoice.amount
    if rounding:
        quantity = Decimal(1).copy_sign(rounding)
        invoice.lines.append(Line("Rounding", quantity, abs(rounding), rounding))


def _read_day(content):
    return date.fromisoformat(_plain_day(content["Header"]["Date"]))


def _plain_day(text):
    return text[:10] if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _make_line(line):
    amount = Decimal(line["ExtendedPrice"]).quantize(CENT, ROUND_HALF_UP)
    quantity, price = Decimal(line["Quantity"]), Decimal(line["UnitPrice"])
    if price < 0:
        quantity, price = -quantity, -price
    is_exact = quantity * price == amount and quantity == quantity.quantize(CENT)
    if not is_exact or price != price.quantize(CENT):
        quantity, price = Decimal(1).copy_sign(amount), abs(amount)
    text = "\n".join(filter(None, (line["Description"], line.get("VendorDetails"))))
    return Line(text, quantity, price, amount)
