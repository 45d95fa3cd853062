"""Copaco's elements, in the smallest form that is whole; each takes other values."""

import json


def line(**values):
    return {"LineId": "L1", "Description": "Backup", "ExtendedPrice": "10.00"} | values


def subscription(*lines, **values):
    return {"SubscriptionID": "S1", "PriceLines": list(lines or [line()])} | values


def full_subscription(*lines, line=None, **values):
    """Return a subscription whose first line has all that matters for a bill, and what
    `line` has too."""
    full_line = {
        "LineId": 7,
        "InvoiceRowHash": "abc",
        "ChargeType": "Cycle Fee",
        "BillingFrequency": "Monthly",
        "Description": "Seats",
        "Quantity": 3,
        "UnitPrice": "1.250",
        "Discount": 0.5,
        "Duration": "2",
        "ExtendedPrice": "6.50",
        "StartDate": "20260201",
        "EndDate": "2026-02-28T00:00:00",
        "VendorDetails": "molen.example, renew, 2026",
        "SubPONumber": 4500,
        "ConsumerCompanyName": "Molen Noord",
    }
    return {
        "SubscriptionID": 11,
        "SubscriptionName": "Mail",
        "PlanID": 22,
        "PlanName": "Mail Plan 1",
        "PlanCategoryName": "Mail",
        "SubscriptionPONumber": "PO-9",
        "PriceLines": [full_line | (line or {}), *lines],
    } | values


def customer(*subscriptions, **values):
    own = list(subscriptions or [subscription()])
    return {"AccountID": "100", "CompanyName": "Molen", "Subscriptions": own} | values


def bad_customer(**values):
    """Return a customer of whose two lines one has no amount."""
    lines = line(), line(LineId="L2", ExtendedPrice=None)
    return customer(subscription(*lines), **values)


def invoice(*customers, header=None, **values):
    own_header = {"InvoiceID": "2026001", "Date": "20260323", "Currency": "EUR"}
    return {
        "Header": own_header | (header or {}),
        "Customers": list(customers or [customer()]),
    } | values


def raw(*invoices):
    """Return the bytes of a response with these elements."""
    return json.dumps({"Invoices": list(invoices)}).encode()
