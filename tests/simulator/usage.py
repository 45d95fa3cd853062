"""What one customer used in one month: an endless row of price lines.

The row begins with what everybody has (licences, backup, domains), then the events of
the month, then usage of Azure for as long as somebody asks for more. It depends on the
seed, the customer and the month alone, never on how much of it is asked for.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from random import Random

from . import catalog
from .lines import EXACT, Line, Subscription
from .months import add_months, last_day


class Usage:
    """The lines of ``customer`` in ``month``."""

    def __init__(self, seed, customer, month):
        self.customer = customer
        self.month = month
        self.end = last_day(month)
        self.months_counted = month.year * 12 + month.month
        # Counts on by customer and by month, so that a dozen customers show every
        # rarity in any month.
        self.turn = customer.index + self.months_counted
        self.random = Random(f"{seed}-{month:%Y%m}-{customer.account_ref}")
        # Contracts are the same in every month, so they have a source of their own.
        self.contracts = Random(f"{seed}-{customer.account_ref}")
        self.po_base = self.contracts.randrange(4000, 9000)
        self.licences = [
            (self._subscribe(plan), self.contracts.randrange(1, 40))
            for plan in self.contracts.sample(catalog.MICROSOFT_365, 7)
        ]
        self.backups = [
            (self._subscribe(plan), self.contracts.randrange(1, 25))
            for plan in self.contracts.sample(catalog.BACKUP, 2)
        ]
        self.domain = self._subscribe(self.contracts.choice(catalog.DOMAINS))
        self.other = {
            plan: self._subscribe(plan)
            for plan in (
                catalog.AZURE,
                catalog.FREE,
                catalog.VMWARE,
                catalog.TELECOM,
                catalog.CUSTOM,
                *catalog.ONE_TIME,
            )
        }

    def lines(self) -> Iterator[Line]:
        """Yield lines without end."""
        if "credit_month" in self.customer.traits:
            yield from self._credits()
        yield from self._licences()
        yield from self._backups()
        yield self._domain()
        for offset in (0, 4):
            yield _EVENTS[(self.turn + offset) % len(_EVENTS)](self)
        while True:
            yield self._azure()

    def _subscribe(self, plan):
        ref = str(self.contracts.randrange(10_000_000, 99_999_999))
        start = date(2021, 1, 1 + self.contracts.randrange(28))
        start = add_months(start, self.contracts.randrange(36))
        po_number = ""
        if "one_po" in self.customer.traits:
            po_number = f"45000{self.po_base}"
        elif "several_po" in self.customer.traits:
            po_number = f"PO-{self.po_base + self.contracts.randrange(5)}"
        return Subscription(ref, plan, start, po_number, _details(plan))

    def _line(self, subscription, charge_type, quantity, **values):
        plan = subscription.plan
        defaults = {
            "description": plan.name,
            "unit_price": plan.price,
            "start": self.month,
            "end": self.end,
        }
        return Line(
            subscription,
            charge_type=charge_type,
            quantity=Decimal(quantity),
            **(defaults | values),
        )

    def _licences(self):
        for place, (subscription, quantity) in enumerate(self.licences):
            yearly = place == 3
            # Each customer has its own month in which the year is billed.
            if yearly and self.turn % 12:
                continue
            yield self._line(
                subscription,
                # Both spellings occur in AppXite's documentation.
                "CycleFee" if place == 5 else "Cycle Fee",
                quantity + self.random.randrange(3),
                frequency="Yearly" if yearly else "Monthly",
                duration="12" if yearly else "1",
                end=last_day(add_months(self.month, 11)) if yearly else self.end,
            )

    def _backups(self):
        for subscription, quantity in self.backups:
            if "GB" in subscription.plan.name:
                stored = Decimal(self.random.randrange(10**7)).scaleb(-4)
                yield self._line(subscription, "Usage Fee", stored, frequency="")
            else:
                yield self._line(
                    subscription, "Item Fee", quantity + self.random.randrange(3)
                )

    def _domain(self):
        """Renew the domain whose turn it is: the customer has one for each month."""
        domain = f"{_DOMAIN_NAMES[self.month.month - 1]}-{self.customer.slug}.example"
        end = add_months(self.month, 12)
        period = f"{self.month:%d-%m-%Y} - {end:%d-%m-%Y}"
        details = _VENDOR_DETAILS[self.turn % len(_VENDOR_DETAILS)]
        return self._line(
            self.domain,
            "Cycle Fee",
            1,
            frequency="Yearly",
            duration_type="Year",
            end=end,
            vendor_details=details.format(domain=domain, period=period)[:120],
        )

    def _azure(self):
        meter, dollars = self.random.choice(catalog.AZURE_METERS)
        # Azure is priced in dollars and converted with the rate of the month.
        rate = Decimal(9000 + self.months_counted * 37 % 700).scaleb(-4)
        quantity = Decimal(self.random.randrange(1, 400_000_000)).scaleb(-6)
        return self._line(
            self.other[catalog.AZURE],
            "Usage Fee",
            quantity,
            description=meter,
            unit_price=EXACT.multiply(dollars, rate),
            frequency="",
        )

    def _credits(self):
        """Yield one charge, and credits that are more than it, without end."""
        subscription, quantity = self.licences[0]
        description = f"{subscription.plan.name}: cancelled, billed since January"
        yield self._cancel(description, Decimal(-2500))
        yield self._line(subscription, "Cycle Fee", quantity)
        while True:
            amount = Decimal(self.random.randrange(-900_000, 0)).scaleb(-4)
            yield self._cancel(description, amount)

    def _cancel(self, description, amount):
        subscription, quantity = self.licences[0]
        return self._line(
            subscription,
            "Correction",
            quantity,
            description=description,
            frequency="",
            duration="",
            amount=amount,
        )

    def _correction(self):
        """Days with the old and the new quantity in one amount, as the portal does."""
        subscription, quantity = self.random.choice(self.licences)
        amount = Decimal(self.random.randrange(-900_000, 400_000)).scaleb(-4)
        return self._line(
            subscription,
            "Correction",
            quantity,
            description=f"{subscription.plan.name}: change of quantity",
            frequency="",
            duration="",
            start=self.month.replace(day=self.random.randrange(2, 28)),
            amount=amount,
        )

    def _first_term(self):
        """Licences bought within the month pay for the days that are left."""
        subscription, _quantity = self.random.choice(self.licences)
        start = self.month.replace(day=self.random.randrange(2, 28))
        share = Decimal(self.end.day - start.day + 1) / self.end.day
        return self._line(
            subscription,
            "Purchase Fee",
            self.random.randrange(1, 6),
            start=start,
            duration=f"{share:.10f}",
        )

    def _one_time(self):
        plan = self.random.choice(catalog.ONE_TIME)
        return self._line(
            self.other[plan],
            self.random.choice(["One Time Fee", "One-Time Fee"]),
            self.random.randrange(1, 3),
            frequency="One Time",
            duration_type="",
            end=self.month,
        )

    def _free(self):
        return self._line(self.other[catalog.FREE], "Cycle Fee", 5)

    def _user_correction(self):
        """A credit made by hand; this charge type is on none of Copaco's lists."""
        # No page says on which factor the sign of a credit is.
        sign = self.random.choice([1, -1])
        price = Decimal(self.random.randrange(500, 5000)).scaleb(-2)
        return self._line(
            self.other[catalog.CUSTOM],
            "UserCorrection",
            sign,
            description="Compensatie storing / dédommagement",
            unit_price=-sign * price,
            frequency="",
        )

    def _vmware(self):
        return self._line(self.other[catalog.VMWARE], "Cycle Fee", "1.5")

    def _telecom(self):
        return self._line(self.other[catalog.TELECOM], "Cycle Fee", 1)

    def _registration(self):
        line = self._domain()
        line.charge_type = "Purchase Fee"
        line.vendor_details = f"nieuw-{self.customer.slug}.example, registration"[:120]
        return line


_EVENTS = (
    Usage._correction,
    Usage._first_term,
    Usage._one_time,
    Usage._free,
    Usage._user_correction,
    Usage._vmware,
    Usage._telecom,
    Usage._registration,
)
_DOMAIN_NAMES = (
    "winkel mail intranet café portaal werken nieuws planning webshop kantoor klant"
    " bücher"
).split()
# InterNetX: domain, action, period; at most 120 characters (release of 13-02-2024).
_VENDOR_DETAILS = (
    "{domain}, renewal, {period}",
    "{domain}, <b>restore</b> & 'redemption', {period}",
    "例え-{domain} ☕, transfer, {period}",
    "een-heel-lange-domeinnaam-die-alle-ruimte-vult-en-nog-meer-{domain}, "
    "renewal with owner change and trustee service, {period}",
)


def _details(plan):
    """Return attribute, value, description and whether it is kept off the invoice."""
    if plan is catalog.VMWARE:
        return (
            ("cpu", "8", "Number of vCPU", False),
            ("memory", "32", "Memory (GB)", False),
            ("internal_id", "vdc-0042", "Internal reference", True),
        )
    if plan.category == "Veeam":
        return (("storage", "500", "Storage (GB)", False),)
    return ()
