"""How Copaco's API writes a customer's lines, its parties and its dates.

Field names and types are those of Copaco's knowledge base, pages
https://kb.copaco.cloud/kb/overview-api-fields-and-data-types and
https://kb.copaco.cloud/kb/invoices-xml. What may vary in the real API varies here, by
chance or by customer: ids and money as text or number, dates in two forms, missing and
null values.
"""

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from .lines import EXACT

MICROSOFT = "microsoft"
TELECOM = "Telecom"
OTHERS = "others"
VAT_SHARE = Decimal("0.21")
CENT = Decimal("0.01")
COUNTRIES = {"NL": "Netherlands", "BE": "Belgium"}

_RESELLER_ACCOUNT = 70001


class Writer:
    """Writes one customer's part of an invoice and adds up its amounts.

    :param str kind: ``specification`` or ``customer_invoice`` (what the customer pays,
        without and with VAT) or ``purchase``
    """

    def __init__(self, seed, customer, month, kind):
        self.key = f"{seed}-{month:%Y%m}-{customer.account_ref}"
        self.customer = customer
        self.month = month
        self.kind = kind
        self.random = Random(f"{self.key}-{kind}")
        self.total = Decimal(0)
        self.vat = Decimal(0)
        self.iso = "iso_dates" in customer.traits

    def customer_block(self, lines, part=None):
        """Return the element of ``Customers``.

        :param lines: iterable of ``lines.Line``
        :param part: ``MICROSOFT`` or ``OTHERS`` to leave the other lines out
        """
        subscriptions = {}
        for place, line in enumerate(lines, start=1):
            category = line.subscription.plan.category
            if part and (part == MICROSOFT) != (category == "Microsoft 365"):
                continue
            block = subscriptions.get(line.subscription.ref)
            if block is None:
                block = self._subscription(line.subscription)
                subscriptions[line.subscription.ref] = block
            block["PriceLines"].append(self._line(line, place))
        return {
            "AccountID": self._identifier(self.customer.account_ref),
            "CompanyName": self.customer.name,
            "CostCenter": self.customer.cost_center or None,
            "CustomerNumber": self.customer.customer_number,
            "Subscriptions": list(subscriptions.values()),
        }

    def _subscription(self, subscription):
        plan = subscription.plan
        block = {
            "BillingModel": 0,
            "PlanCategoryName": plan.category,
            "PlanID": self._identifier(plan.ref),
            "PlanName": plan.name,
            "PriceLines": [],
            "StartDate": write_date(subscription.start, self.iso),
            "SubscriptionID": self._identifier(subscription.ref),
            "SubscriptionName": plan.name,
            "SubscriptionPONumber": subscription.po_number or None,
        }
        details = [self._detail(*detail) for detail in subscription.details]
        if details:
            alone = len(details) == 1 and self.customer.index % 2 == 0
            block["SubscriptionDetails"] = details[0] if alone else details
        return block

    def _detail(self, attribute, value, description, hidden):
        # Copaco doesn't say of which type ``noshow`` is.
        forms = (hidden, int(hidden), str(hidden).lower(), str(hidden))
        return {
            "Attribute": attribute,
            "AttributeDescription": description,
            "AttributeValue": value,
            "noshow": forms[self.customer.index % len(forms)],
        }

    def _line(self, line, place):
        unit_price, amount = self._prices(line)
        self.total = EXACT.add(self.total, amount)
        digest = hashlib.sha256(f"{self.key}-{place}".encode()).hexdigest()
        written = {
            "BillingFrequency": line.frequency,
            "ChargeType": line.charge_type,
            "Description": line.description,
            "Discount": 0,
            "Duration": line.duration,
            "DurationType": line.duration_type,
            "EndDate": write_date(line.end, self.iso),
            "ExtendedPrice": self._money(amount),
            # The same on both sides, so that cost and sales price can be compared.
            "InvoiceRowHash": digest[:40],
            "LineId": self._identifier(
                f"{self.month:%y%m}{self.customer.account_ref}{place:05}"
            ),
            "Quantity": self._money(line.quantity),
            "QuantityType": "item",
            "RatePeriodID": self._identifier(str(place)),
            "SKU": "",
            "StartDate": write_date(line.start, self.iso),
            "SubPONumber": self._po_number(line.subscription),
            "UID": digest[40:],
            "UnitPrice": self._money(unit_price),
            **self._tax(amount, line.subscription.plan.category),
        }
        if place % 4 == 0:
            written["ConsumerCompanyName"] = self.customer.name
            written["ConsumerCompanyNumber"] = self.customer.customer_number
        if line.vendor_details is not None:
            written["VendorDetails"] = line.vendor_details
        elif place % 2:
            written["VendorDetails"] = ""
        return written

    def _prices(self, line):
        """Return the price of one and the amount, for whom this invoice is."""
        if self.kind != "purchase":
            return line.unit_price, line.extended_price
        share = line.subscription.plan.cost
        unit_price = _share_of(line.unit_price, share)
        if line.amount is not None:
            return unit_price, _share_of(line.amount, share)
        return unit_price, line.amount_at(unit_price)

    def _tax(self, amount, category):
        """Return the tax of a line. It is reverse-charged to customers abroad, and for
        telecommunication (Copaco's knowledge base, page
        https://kb.copaco.cloud/kb/platform-logic-new)."""
        if self.kind != "specification":
            zone, share = "NL", VAT_SHARE
            if self.kind == "customer_invoice":
                zone = self.customer.country_code
                if zone != "NL" or category == TELECOM:
                    share = Decimal(0)
            vat = EXACT.multiply(amount, share).quantize(CENT, ROUND_HALF_UP)
            self.vat += vat
            return {"TaxPercentage": int(share * 100), "TaxZoneID": zone, "VAT": vat}
        # Specifications carry no VAT (Copaco's knowledge base, page
        # https://kb.copaco.cloud/kb/copaco-cloud-new-billing-process); no page says
        # whether that is written as 0, as null or not at all.
        form = self.customer.index % 3
        if form == 0:
            return {"TaxPercentage": 0, "TaxZoneID": "", "VAT": 0}
        if form == 1:
            return {"TaxPercentage": None, "TaxZoneID": None, "VAT": None}
        return {}

    def _identifier(self, text):
        return int(text) if self.random.random() < 0.2 else text

    def _po_number(self, subscription):
        number = subscription.po_number
        return self._identifier(number) if number.isdigit() else number or None

    def _money(self, value):
        chance = self.random.random()
        if chance < 0.05:
            return f"{value:f}"
        if chance < 0.5 and value == int(value):
            return int(value)
        return value


def _share_of(value, share):
    """Return the share of ``value``, with as many decimals as ``value`` has."""
    places = Decimal(1).scaleb(value.as_tuple().exponent)
    return EXACT.multiply(value, share).quantize(places, ROUND_HALF_UP, EXACT)


def write_date(day, iso):
    """Return ``day`` as ``YYYYMMDD``, or as ISO with a time."""
    return f"{day.isoformat()}T00:00:00" if iso else day.strftime("%Y%m%d")


def sender(kind):
    """Return ``Sender``: Copaco for purchases, else the reseller."""
    party = {
        "AccountID": _RESELLER_ACCOUNT,
        "Address": "Wolkendek 99",
        "BIC": "",
        "BankAccount": "",
        "ChamberOfCommerce": "",
        "City": "Voorbeelddam",
        "CompanyName": "Voorbeeld Clouddiensten B.V.",
        "Country": COUNTRIES["NL"],
        "CountryCode": "NL",
        "Fax": None,
        "IBAN": "",
        "PostalCode": "1234 AB",
        "Telephone": "",
        "VATNumber": "",
        "Website": "https://voorbeeld-clouddiensten.example",
    }
    if kind == "purchase":
        party |= {"AccountID": None, "CompanyName": "Copaco Nederland B.V."}
        party |= {"Address": "", "City": "Eindhoven", "PostalCode": "", "Website": ""}
    return party


def receiver(customer=None):
    """Return ``Receiver``: the customer, or the reseller when there is none."""
    if customer is None:
        return {
            "AccountID": _RESELLER_ACCOUNT,
            "Address": "Wolkendek 99",
            "City": "Voorbeelddam",
            "CompanyName": "Voorbeeld Clouddiensten B.V.",
            "ContactFirstName": "",
            "ContactLastName": "",
            "ContactMiddleName": "",
            "Country": COUNTRIES["NL"],
            "CountryCode": "NL",
            "CustomerNumber": "70001",
            "Email": "facturen@voorbeeld-clouddiensten.example",
            "Fax": None,
            "Telephone": "",
            "Type": None,
            "VATNumber": "",
            "Zip": "1234 AB",
        }
    first, *middle, last = (customer.contact_name or " ").split(" ")
    return {
        "AccountID": int(customer.account_ref),
        "Address": customer.street,
        "City": customer.city,
        "CompanyName": customer.name,
        "ContactFirstName": first,
        "ContactLastName": last,
        "ContactMiddleName": " ".join(middle),
        "Country": COUNTRIES[customer.country_code],
        "CountryCode": customer.country_code,
        "CustomerNumber": customer.customer_number,
        "Email": customer.email,
        "Fax": None,
        "Telephone": customer.phone,
        "Type": None,
        "VATNumber": _write_vat(customer),
        "Zip": customer.zip,
    }


def _write_vat(customer):
    vat = customer.vat
    if "dotted_vat" not in customer.traits:
        return vat
    if customer.country_code == "BE":
        return f"BE {vat[2:6]}.{vat[6:9]}.{vat[9:]}"
    return f"NL {vat[2:6]}.{vat[6:8]}.{vat[8:11]}.{vat[11:]}"
