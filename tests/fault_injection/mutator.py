"""Bad documents, made of good ones; with the same seed always the same.

A change of a document leaves a response that is JSON: it spoils that document at most.
Damage is what makes a response no JSON, or JSON that may mean two things.
"""

import json
import re
from copy import deepcopy
from datetime import date
from decimal import Decimal
from random import Random

from ..simulator import Simulator
from .corruptions import CORRUPTIONS
from .mutations import CHANGES, VERBATIM, write_verbatim

# Of a company that is not there; its check digits are right.
VAT_NUMBER = "NL123456782B90"
TODAY = date(2026, 11, 25)


class Mutator:
    """Makes good invoices, changes and damages them.

    :param seed: text; all chance comes from it
    """

    def __init__(self, seed):
        self.random = Random(f"{seed}-mutations")
        self._samples = []
        with Simulator(seed=seed, customers=60, months=1, today=TODAY) as simulator:
            for stored in simulator.invoices:
                sample = deepcopy(stored.content)
                # A few lines have all that there is to be changed.
                (customer,) = sample["Customers"]
                customer["Subscriptions"] = customer["Subscriptions"][:3]
                for subscription in customer["Subscriptions"]:
                    subscription["PriceLines"] = subscription["PriceLines"][:2]
                self._samples.append(sample)
        self._count = 0

    def make_invoice(self):
        """:return: an element of ``Invoices`` with one customer and up to six lines, of
        which each has a mark of its own: ``mark-`` and two numbers"""
        self._count += 1
        invoice = deepcopy(self.random.choice(self._samples))
        account = f"A-{self._count}"
        invoice["Header"]["InvoiceID"] = f"M-{self._count}"
        invoice["Receiver"] |= {"AccountID": account, "VATNumber": VAT_NUMBER}
        (customer,) = invoice["Customers"]
        customer |= {"AccountID": account, "CustomerNumber": ""}
        # Charges of its own, or they would be those of the sample's other copies.
        lines = []
        for number, subscription in enumerate(customer["Subscriptions"]):
            subscription["SubscriptionID"] = f"S-{self._count}-{number}"
            lines += subscription["PriceLines"]
        for number, line in enumerate(lines):
            line["UID"] = f"mark-{self._count}-{number}"
            line["InvoiceRowHash"] = f"hash-{self._count}-{number}"
        if self.random.random() < 0.5:
            del invoice["Totals"]
        else:
            total = sum(Decimal(str(line["ExtendedPrice"])) for line in lines)
            invoice["Totals"] = {"TotalExcludingVAT": total}
        return invoice

    def change(self, invoice):
        """Change an invoice in one to three places; see ``mutations.py``.

        :return: list of what was done
        """
        done = []
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            kind = self.random.choice(CHANGES)
            places = [place for place in _find_places(invoice) if kind.fits(*place)]
            if places:
                kind(self.random, *self.random.choice(places))
                done.append(kind.__name__)
        return done

    def damage(self, raw):
        """:return: the bytes of a response, damaged, and what was done to it"""
        kind = self.random.choice(CORRUPTIONS)
        return kind(self.random, raw), kind.__name__


def write(invoices):
    """:return: the bytes of a response with these elements"""
    text = json.dumps({"Invoices": invoices}, ensure_ascii=True, default=_write_number)
    mark = re.escape(json.dumps(VERBATIM)[1:-1])
    # What stands between the marks was escaped as the inside of a text.
    return re.sub(
        f'"{mark}(.*?){mark}"', lambda found: json.loads(f'"{found[1]}"'), text
    ).encode()


def _write_number(value):
    if isinstance(value, Decimal):
        return write_verbatim(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _find_places(tree):
    """Yield (container, key) for each place in a tree, itself not included."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _find_places(tree[key])
