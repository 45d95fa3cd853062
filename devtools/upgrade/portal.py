"""What Copaco has, before the upgrade and after it: the same simulator at the same URL,
whichever revision it is of."""

import os
from datetime import date, timedelta
from decimal import Decimal

from simulator import Simulator

# Any month of the past, so that it is the same whenever this runs.
CREATED = date(2024, 11, 20)
# On this day there is one invoice, which a branch fetches besides its parent company.
BRANCH_DAY = date(2024, 11, 21)
TODAY = date(2024, 11, 25)
CUSTOMERS = 6
# Contacts are found by these customer numbers; accounts that are not here are unknown.
NUMBERS = {"up-1": "UP-1", "Twin": "UP-2", "tWIN": "UP-3"}


def open_portal():
    """Return a simulator, not running yet, with a month of all its customers, and with
    the invoices of which something becomes in `before`."""
    portal = Simulator(
        port=int(os.environ["COPACO_PORT"]),
        customers=CUSTOMERS,
        months=1,
        lines=10 * CUSTOMERS,
        today=TODAY,
    )
    for number in ("CHANGED", "CORRECTED", "MISSING"):
        _add(portal, number, "up-1", ["10.00", "5.00"])
    _add(portal, "HELD", "nobody", ["20.00"])
    _add(portal, "EXCLUDED", "nobody", ["30.00"])
    # Usage below a cent: each line is nothing, and all of them are 0.40.
    _add(portal, "USAGE", "nobody", ["0.004"] * 100, total="0.70")
    _add(portal, "INVOICED-USAGE", "up-1", ["1.00", *["0.004"] * 100])
    _add(portal, "UNREADABLE", "up-1", ["free of charge"])
    _add(portal, "TOTALS", "up-1", ["40.00"], total="47.00")
    _add(portal, "TWIN-1", "Twin", ["50.00"])
    _add(portal, "TWIN-2", "tWIN", ["60.00"])
    _add(portal, "BRANCH", "up-1", ["70.00"], created=BRANCH_DAY)
    return portal


def add_twins(portal):
    """Let the same number be there under an account in other capitals."""
    _add(portal, "TWINS", "Twin", ["80.00"])
    _add(portal, "TWINS", "tWIN", ["80.00"], key="other")


def change(portal):
    """Let Copaco change what was fetched once, and add more."""
    for number in ("CHANGED", "CORRECTED", "MISSING"):
        (stored,) = (each for each in portal.invoices if each.number == number)
        portal.invoices.remove(stored)
    for number in ("CHANGED", "CORRECTED"):
        _add(portal, number, "up-1", ["12.00", "5.00"])
    _add(portal, "DRAFT", "up-1", ["90.00", "9.00"])
    _add(portal, "EDITED", "up-1", ["100.00", "10.00"])


def _add(portal, number, account, amounts, total=None, created=CREATED, key=""):
    lines = [
        _line(f"{number}-{key}{place}", amount) for place, amount in enumerate(amounts)
    ]
    invoice = {
        "Header": {
            "InvoiceID": number,
            "Date": f"{created:%Y%m%d}",
            "Currency": "EUR",
            "Type": "INVOICE",
        },
        "Receiver": {"CompanyName": "Voorbeeld Reseller B.V."},
        "Customers": [
            {
                "AccountID": account,
                "CustomerNumber": NUMBERS.get(account, ""),
                "CompanyName": f"Customer {account}",
                "Subscriptions": [
                    {
                        "SubscriptionID": f"subscription-{account}",
                        "PlanName": "Plan",
                        "PriceLines": lines,
                    }
                ],
            }
        ],
    }
    if total:
        invoice["Totals"] = {"TotalExcludingVAT": Decimal(total)}
    portal.add_invoice(invoice, created=created)


def _line(key, amount):
    return {
        "LineId": f"line-{key}",
        "InvoiceRowHash": f"hash-{key}",
        "Description": f"Service {key}",
        "Quantity": 1,
        "UnitPrice": _money(amount),
        "Discount": 0,
        "ExtendedPrice": _money(amount),
        "StartDate": f"{CREATED - timedelta(days=31):%Y%m%d}",
        "EndDate": f"{CREATED - timedelta(days=1):%Y%m%d}",
        "Duration": "1",
        "ChargeType": "Cycle Fee",
    }


def _money(text):
    return Decimal(text) if text[0].isdigit() else text
