"""The simulator's data: what the other tests count on must be in it."""

import json
from datetime import date
from decimal import Context, Decimal

from ..simulator import Simulator
from .case import ClientCase

EXACT = Context(prec=80)
TODAY = date(2026, 3, 1)
# The days on which the invoices of these months were made.
DECEMBER, JANUARY = date(2026, 1, 23), date(2026, 2, 23)


def decode(stored, created=None):
    """Return the invoices made on ``created`` (or all), numbers as Decimal."""
    return [
        json.loads(invoice.encode(), parse_float=Decimal, parse_int=Decimal)
        for invoice in stored
        if created in (None, invoice.created)
    ]


def simulate(today=TODAY, **options):
    """Return a simulator that is not started: its data needs no network."""
    server = Simulator(today=today, **options)
    server.stop()
    return server


def price_lines(found):
    """Yield customer, subscription and price line."""
    for invoice in found:
        for customer in invoice["Customers"]:
            for subscription in customer["Subscriptions"]:
                for line in subscription["PriceLines"]:
                    yield customer, subscription, line


def amount(line):
    return Decimal(line["ExtendedPrice"])


class TestData(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = simulate()
        cls.found = decode(cls.server.invoices)
        cls.lines = list(price_lines(cls.found))

    def test_default_is_a_believable_reseller(self):
        month = list(price_lines(decode(self.server.invoices, JANUARY)))
        self.assertEqual(len(self.server.customers), 45)
        self.assertGreater(len(month), 900)
        self.assertEqual(
            {str(customer["AccountID"]) for customer, _, _ in month},
            {customer.account_ref for customer in self.server.customers},
        )

    def test_formula_gives_amount_exactly_except_for_corrections(self):
        for _customer, _subscription, line in self.lines:
            if line["ChargeType"] == "Correction":
                continue
            product = EXACT.multiply(
                Decimal(line["Quantity"]), Decimal(line["UnitPrice"])
            )
            product = EXACT.multiply(product, Decimal(line["Duration"]))
            self.assertEqual(product, amount(line), line)

    def test_totals_are_the_sum_of_the_lines(self):
        for invoice in self.found:
            total = Decimal(0)
            for _customer, _subscription, line in price_lines([invoice]):
                total = EXACT.add(total, amount(line))
            self.assertEqual(invoice["Totals"]["TotalExcludingVAT"], total)

    def test_every_month_shows_every_rarity(self):
        for created in (DECEMBER, JANUARY):
            found = decode(self.server.invoices, created)
            lines = [line for *_, line in price_lines(found)]
            charges = {line["ChargeType"] for line in lines}
            self.assertLessEqual(
                {"Cycle Fee", "Purchase Fee", "Correction", "Usage Fee", "Item Fee"}
                | {"UserCorrection", "CycleFee"},
                charges,
            )
            self.assertTrue(any("ime Fee" in charge for charge in charges))
            self.assertIn("12", {line["Duration"] for line in lines})
            self.assertIn(0, {amount(line) for line in lines})
            details = [line.get("VendorDetails") or "" for line in lines]
            self.assertEqual(max(map(len, details)), 120)
            self.assertTrue(any("<b>" in text for text in details))
            self.assertTrue(any("例え" in text for text in details))
            decimals = [-amount(line).as_tuple().exponent for line in lines]
            self.assertGreater(max(decimals), 10)
            negative = [
                invoice
                for invoice in found
                if invoice["Totals"]["TotalExcludingVAT"] < 0
            ]
            self.assertEqual(len(negative), 1)
            numbers = [invoice["Header"]["InvoiceID"] for invoice in found]
            self.assertEqual(len(numbers), len(set(numbers)) + 1, "one is in two")

    def test_types_vary_as_they_may(self):
        kinds = {type(line["ExtendedPrice"]) for *_, line in self.lines}
        self.assertEqual(kinds, {str, Decimal})
        kinds = {type(customer["AccountID"]) for customer, *_ in self.lines}
        self.assertEqual(kinds, {str, Decimal})
        details = [s.get("SubscriptionDetails") for _, s, _ in self.lines]
        self.assertEqual({type(each) for each in details}, {list, dict, type(None)})
        flat = [d for each in details if isinstance(each, list) for d in each]
        kinds = {type(detail["noshow"]) for detail in flat}
        self.assertEqual(kinds, {bool, str, Decimal})
        self.assertLess(sum("VAT" in line for *_, line in self.lines), len(self.lines))

    def test_customers_are_hard_to_match(self):
        numbers = [customer.customer_number for customer in self.server.customers]
        self.assertEqual(numbers.count(""), 2)
        filled = list(filter(None, numbers))
        self.assertEqual(len(filled), len(set(filled)) + 1)
        (public,) = self.server.customers_with("public_mail")
        self.assertTrue(public.email.endswith("@gmail.com"))
        for trait, agree in (("one_po", 1), ("several_po", 2)):
            (customer,) = self.server.customers_with(trait)
            orders = {
                str(line["SubPONumber"])
                for found, _, line in self.lines
                if str(found["AccountID"]) == customer.account_ref
            }
            self.assertNotIn("None", orders)
            self.assertEqual(min(len(orders), 2), agree, trait)

    def test_receiver_identifies_the_customer(self):
        by_account = {int(c.account_ref): c for c in self.server.customers}
        for invoice in self.found:
            receiver = invoice["Receiver"]
            customer = by_account[receiver["AccountID"]]
            vat = receiver["VATNumber"].replace(" ", "").replace(".", "")
            self.assertEqual(vat, customer.vat)
            self.assertEqual(receiver["Email"], customer.email)

    def test_vat_numbers_have_valid_check_digits(self):
        customers = simulate(customers=500, months=0).customers
        self.assertEqual(len({c.vat for c in customers if c.vat}), 498)
        for vat in filter(None, (customer.vat for customer in customers)):
            if vat.startswith("BE"):
                self.assertEqual(int(vat[2:10]) % 97 + int(vat[10:]), 97, vat)
                continue
            weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
            eleven = sum(w * int(d) for w, d in zip(weights, vat[2:11], strict=True))
            letters = "".join(str(int(letter, 36)) for letter in vat)
            self.assertTrue(eleven % 11 == 0 or int(letters) % 97 == 1, vat)

    def test_customer_invoices_have_the_same_lines_with_vat_for_one_customer_each(self):
        found = decode(self.server.customer_invoices)
        keys = [
            (line["InvoiceRowHash"], amount(line)) for *_, line in price_lines(found)
        ]
        self.assertEqual(
            sorted(keys),
            sorted((line["InvoiceRowHash"], amount(line)) for *_, line in self.lines),
        )
        numbers = {each["Header"]["InvoiceID"] for each in found}
        self.assertFalse(numbers & {each["Header"]["InvoiceID"] for each in self.found})
        zones = set()
        for invoice in found:
            (customer,) = invoice["Customers"]
            receiver, totals = invoice["Receiver"], invoice["Totals"]
            self.assertEqual(receiver["AccountID"], int(customer["AccountID"]))
            lines = [line for *_, line in price_lines([invoice])]
            self.assertEqual(totals["TotalVAT"], sum(line["VAT"] for line in lines))
            self.assertEqual(
                totals["TotalIncludingVAT"],
                EXACT.add(totals["TotalExcludingVAT"], totals["TotalVAT"]),
            )
            zones |= {(line["TaxZoneID"], line["TaxPercentage"]) for line in lines}
        self.assertEqual(zones, {("NL", 21), ("NL", 0), ("BE", 0)})

    def test_purchase_has_the_same_lines_at_lower_prices(self):
        purchases = decode(self.server.purchases)
        self.assertEqual(len(purchases), 3)
        cost = {
            line["InvoiceRowHash"]: amount(line) for *_, line in price_lines(purchases)
        }
        sales = {line["InvoiceRowHash"]: amount(line) for *_, line in self.lines}
        self.assertEqual(len(sales), len(self.lines))
        self.assertEqual(cost.keys(), sales.keys())
        self.assertLess(sum(cost.values()), sum(sales.values()))

    def test_a_month_never_depends_on_what_else_was_asked(self):
        month = decode(self.server.invoices, JANUARY)
        other = simulate(today=date(2026, 2, 25), months=1)
        self.assertEqual(decode(other.invoices), month)
        other = simulate(customers=5, months=12)
        self.assertEqual(decode(other.invoices, JANUARY), month[:5])
        self.assertEqual(other.customers, self.server.customers[:5])

    def test_usage_differs_from_month_to_month(self):
        december, january = (
            {
                Decimal(line["Quantity"])
                for *_, line in price_lines(decode(self.server.invoices, created))
                if line["ChargeType"] == "Usage Fee"
            }
            for created in (DECEMBER, JANUARY)
        )
        self.assertGreater(len(january), 100)
        self.assertTrue(january.isdisjoint(december))

    def test_another_seed_makes_other_data(self):
        other = simulate(seed=2)
        refs = {customer.account_ref for customer in self.server.customers}
        self.assertTrue(refs.isdisjoint(c.account_ref for c in other.customers))
        self.assertNotEqual(
            other.invoices[0].encode(), self.server.invoices[0].encode()
        )

    def test_consolidated_month_is_one_invoice_to_the_reseller(self):
        server = simulate(shape="consolidated", lines=1001)
        found = decode(server.invoices)
        self.assertEqual(len(found), 3)
        for invoice in found:
            self.assertEqual(len(invoice["Customers"]), 45)
            self.assertEqual(len(list(price_lines([invoice]))), 1001)
            self.assertNotIn(
                str(invoice["Receiver"]["AccountID"]),
                {customer.account_ref for customer in server.customers},
            )
