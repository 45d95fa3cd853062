"""Copaco as `content_machine` models it: charges, and the numbers that they are on."""

from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from .common import copaco_invoice, price_line
from .content_charges import Charge, Part, are_movable, get_key, round_up
from .simulator.encoding import dumps

FIRST_DAY = date(2026, 11, 5)
LAST_DAY = date(2026, 11, 22)
# One response can have all that any had, overlap included: all can be known.
ASKED_FROM = date(2026, 10, 25)
AMOUNTS = (
    *("10", "25", "7.25", "-3", "0", "1234.5678", "100"),
    # Fractions of a cent, as usage has them.
    *("0.004", "0.005", "2.335", "12.0049", "-0.3333"),
)
QUANTITIES = ("1", "1", "3", "0.25")
SERVICES = ("Seats", "Usage", "Backup")
PO_NUMBERS = ("", "P1", "P1", "P2")
# How Copaco may write the account of a customer, and what it may become.
ACCOUNTS = (
    ("700123", "700123.0", "0700123", "700124"),
    ("acc-old", "ACC-old", "acc-new", "Acc-New"),
)
TOTALS = ("none", "none", "exact", "rounded", "lines", "off")
CHARGE = "charge "


class Copaco:
    """Its charges, and which part of which invoice has them.

    :param draw: takes a hypothesis strategy
    :param pick: takes a sequence, and returns one of it
    """

    def __init__(self, pick):
        self.pick = pick
        self.today = FIRST_DAY + timedelta(days=3)
        self.charges = []
        self.parts = []
        self.accounts = [names[0] for names in ACCOUNTS]
        self.numbers = 0
        self.line_ids = pick(("own", "position", "none"))
        self.is_consolidated = pick((False, True))
        # Whether customers get one invoice per PO number, or there are none.
        self.is_split = pick((False, True))

    # What it says

    def get_parts(self, date_from, date_to):
        return [part for part in self.parts if date_from <= part.created <= date_to]

    def get_content(self, key, po_number=None):
        """:return: list of (charge, amount) of a document, of one PO number if it is a
        part by that"""
        return [
            each
            for part in self.parts
            if part.key == key
            for each in part.content
            if po_number in (None, each[0].po_number)
        ]

    def has(self, charge):
        return any(charge in part.charges for part in self.parts)

    def get_amount(self, charge):
        """:return: what a charge costs now; 0 for one that was taken away"""
        return charge.amount if self.has(charge) else Decimal(0)

    def render(self, parts):
        """:return: list of (day, element) as the simulator has to send them"""
        groups = {}
        for part in parts:
            key = (part.number, part.created) if self.is_consolidated else id(part)
            groups.setdefault(key, []).append(part)
        return [self._render_element(group) for group in groups.values()]

    def render_file(self, parts):
        """:return: bytes of a response"""
        elements = [element for _day, element in self.render(parts)]
        return dumps({"Invoices": elements})

    def _render_element(self, parts):
        first = parts[0]
        element = copaco_invoice(first.number, first.account, [], Date="20261101")
        element["Customers"] = [self._render_customer(part) for part in parts]
        amounts = [charge.amount for part in parts for charge in part.charges]
        total = {
            "exact": sum(amounts, Decimal(0)),
            "rounded": round_up(sum(amounts, Decimal(0))),
            "lines": sum(map(round_up, amounts), Decimal(0)),
            "off": sum(amounts, Decimal(100)),
        }.get(first.totals)
        if total is not None:
            element["Totals"] = {"TotalExcludingVAT": total}
        return first.created, element

    def _render_customer(self, part):
        customer = part.account in ACCOUNTS[1]
        subscriptions = {}
        for position, charge in enumerate(part.charges, start=1):
            subscriptions.setdefault(charge.subscription, []).append(
                self._render_line(charge, position)
            )
        return {
            "AccountID": part.account,
            "CustomerNumber": f"K-{int(customer)}",
            "CompanyName": f"Customer {int(customer)}",
            "Subscriptions": [
                {
                    "SubscriptionID": name,
                    "SubscriptionName": name,
                    "PlanID": "plan",
                    "PlanName": part.text,
                    "PriceLines": lines,
                }
                for name, lines in subscriptions.items()
            ],
        }

    def _render_line(self, charge, position):
        line_id = {"own": f"L-{charge.id}", "position": str(position)}
        return price_line(
            charge.amount,
            LineId=line_id.get(self.line_ids),
            InvoiceRowHash=charge.row_hash,
            Description=charge.description,
            Quantity=charge.quantity,
            UnitPrice=charge.amount / charge.quantity,
            StartDate=f"{charge.start:%Y%m%d}",
            EndDate=f"{charge.end:%Y%m%d}",
            VendorDetails=f"{CHARGE}{charge.id}",
            SubPONumber=charge.po_number,
        )

    # What it does

    def add_charge(self, customer, like=None, **values):
        number = len(self.charges)
        row_hash = self.pick((True, True, True, False))
        service = self.pick(SERVICES)
        charge = Charge(
            id=number,
            customer=customer,
            subscription=f"s-{customer}-{self.pick((0, 1))}",
            # Without a row hash, what is alike in everything is one charge.
            description=service if row_hash else f"{service} {number}",
            start=date(2026, self.pick((9, 10)), 1),
            row_hash=f"row-{number}" if row_hash else None,
            quantity=Decimal(self.pick(QUANTITIES)),
            amounts=[Decimal(self.pick(AMOUNTS))],
            po_number=self.pick(PO_NUMBERS) if self.is_split else "",
        )
        if like:
            copied = ("subscription", "description", "row_hash", "quantity")
            for name in (*copied, "po_number"):
                setattr(charge, name, getattr(like, name))
            charge.start, charge.amounts = like.start, [like.amount]
        for name, value in values.items():
            setattr(charge, name, value)
        self.charges.append(charge)
        return charge

    def add_part(self, number, customer, charges, created=None):
        part = Part(
            number,
            self.accounts[customer],
            created or self.pick_day(),
            charges,
            self.pick(TOTALS),
        )
        self.parts.append(part)
        return part

    def pick_day(self):
        days = (self.today - FIRST_DAY).days + 1
        return self.today - timedelta(days=self.pick(range(min(days, 13))))

    def make_number(self):
        self.numbers += 1
        return self.pick(("V-{}", "8110{}")).format(self.numbers)

    def pick_part(self, condition=lambda part: part.charges):
        """:return: one of the parts that something can be done with, or None"""
        parts = list(filter(condition, self.parts))
        return self.pick(parts) if parts else None

    def bill(self):
        customer = self.pick((0, 1))
        charges = [self.add_charge(customer) for _ in range(self.pick((1, 2, 3)))]
        number = self.make_number()
        others = {part.number for part in self.parts if part.charges}
        if others and self.is_consolidated and self.pick((False, True)):
            # Of another customer too, or another part of this one's.
            number = self.pick(sorted(others))
        return self.add_part(number, customer, charges)

    def add_to_number(self):
        """A number gets another part, or a part more charges."""
        part = self.pick_part()
        charges = [self.add_charge(get_customer(part))]
        if self.pick((True, False)):
            return self._add_part_like(part, charges)
        part.charges += charges
        return part

    def _add_part_like(self, part, charges):
        other = self.add_part(part.number, get_customer(part), charges)
        other.account = part.account
        return other

    def bill_next_month(self):
        """The same lines once more, for the month after."""
        part = self.pick_part()
        charges = [
            self.add_charge(
                charge.customer,
                charge,
                start=self._get_last_month(charge) + relativedelta(months=1),
                row_hash=charge.row_hash and self.pick((charge.row_hash, f"next-{i}")),
            )
            for i, charge in enumerate(dict.fromkeys(part.charges), len(self.charges))
        ]
        if self.pick((True, False)):
            return self._add_part_like(part, charges)
        return self.add_part(self.make_number(), get_customer(part), charges)

    def _get_last_month(self, charge):
        names = ("subscription", "description", "row_hash")
        return max(
            other.start
            for other in self.charges
            if all(getattr(other, name) == getattr(charge, name) for name in names)
            or (charge.row_hash and other.row_hash == charge.row_hash)
        )

    def bill_twin(self):
        """Another charge that only its line number tells apart."""
        part = self.pick_part(lambda part: any(not c.row_hash for c in part.charges))
        charge = self.pick([each for each in part.charges if not each.row_hash])
        charge.is_moved = True
        twin = self.add_charge(charge.customer, charge, is_moved=True)
        return self.add_part(self.make_number(), charge.customer, [twin])

    def renumber(self):
        """What is on several numbers moves to another one."""
        first = self.pick_part()
        customer = get_customer(first)
        movable = [
            part
            for part in self.parts
            if get_customer(part) == customer and are_movable(part.charges)
        ]
        moved = movable[: self.pick((1, 2, 3))]
        if not moved:
            return None
        number = self.pick(
            (self.make_number(), self.make_number(), swap_case(moved[0].number))
        )
        charges = list(dict.fromkeys(c for part in moved for c in part.charges))
        part = self.add_part(number, customer, charges)
        others = set(self.parts) - {part, *moved}
        if any(other.key == part.key for other in others):
            self.parts.remove(part)
            return None
        self._move(charges)
        is_same = any(other.key == part.key for other in moved)
        if is_same or self.pick((True, True, False)):
            for each in moved:
                self.parts.remove(each)
        return part

    def split(self):
        """Some of the charges of a part move to another number."""
        part = self.pick_part(
            lambda part: len(set(part.charges)) > 1 and are_movable(part.charges)
        )
        if not part:
            return None
        charge = self.pick(part.charges)
        self._move([charge])
        part.charges = [each for each in part.charges if each != charge]
        if self.pick((False, False, True)):
            other = self.pick([charge, *part.charges])
            charges = list(dict.fromkeys((charge, other)))
            if other != charge and not other.is_moved and are_movable([other]):
                part.charges = [each for each in part.charges if each != other]
                return self.add_part(self.make_number(), get_customer(part), charges)
        return self.add_part(self.make_number(), get_customer(part), [charge])

    def join(self):
        """All charges of a part move to another number that is there."""
        part = self.pick_part(lambda part: part.charges and are_movable(part.charges))
        others = part and [
            other
            for other in self.parts
            if other.key != part.key and other.account == part.account
        ]
        if not others:
            return None
        other = self.pick(others)
        known = [charge for charge, _amount in self.get_content(other.key)]
        charges = [each for each in part.charges if each not in known]
        self._move(charges)
        self.parts.remove(part)
        if self.pick((True, False)):
            other.charges += dict.fromkeys(charges)
            return other
        return self._add_part_like(other, list(dict.fromkeys(charges)))

    def _move(self, charges):
        for charge in charges:
            charge.is_moved = True

    def remove_charge(self):
        part = self.pick_part()
        charge = self.pick(part.charges)
        for each in self.parts:
            each.charges = [other for other in each.charges if other != charge]
        if self.pick((True, False)):
            self.parts = [each for each in self.parts if each.charges]
        return charge

    def change_amount(self):
        charges = [
            charge
            for charge in self.charges
            # Without a row hash, nothing tells what a charge was that has another
            # number and another amount.
            if (charge.row_hash or not charge.is_moved) and self.has(charge)
        ]
        if not charges:
            return None
        charge = self.pick(charges)
        charge.amounts.append(Decimal(self.pick(AMOUNTS)))
        return charge

    def change_po_number(self):
        """A charge has another PO number, or all of a number that have the same."""
        part = self.pick_part()
        charge = self.pick(part.charges)
        content = self.get_content(part.key, charge.po_number)
        own = [charge, *(each for each, _amount in content)]
        own = list(dict.fromkeys(own[: self.pick((1, len(own)))]))
        if are_movable(own):
            po_number = self.pick((*PO_NUMBERS, "P3"))
            self._move(own)
            for each in own:
                each.po_number = po_number
        return own

    def repeat_charge(self):
        """A part has the same charge twice, or no longer."""
        part = self.pick_part(lambda part: any(c.row_hash for c in part.charges))
        if len(set(part.charges)) < len(part.charges):
            part.charges = list(dict.fromkeys(part.charges))
        else:
            part.charges.append(self.pick([c for c in part.charges if c.row_hash]))
        return part

    def change_words(self):
        part = self.pick_part()
        part.text = f"{part.text}."
        return part

    def change_account(self):
        """A customer has another account, or the same written otherwise."""
        customer = self.pick((0, 1))
        account = self.pick(ACCOUNTS[customer])
        own = [part for part in self.parts if get_customer(part) == customer]
        keys = {part.key for part in own}
        for part in own:
            if get_key(part.number, account) not in keys:
                if not are_movable(part.charges):
                    continue
                self._move(part.charges)
            part.account = account
        self.accounts[customer] = account
        return account


def get_customer(part):
    return int(part.account in ACCOUNTS[1])


def swap_case(number):
    return number.lower() if number.startswith("V") else f"{number}.0"
