"""Dates as the billing runs see them; a month is written as its first day."""

from calendar import monthrange
from datetime import date, timedelta

# Copaco makes the invoice of a month about the 23rd of the next (its knowledge base,
# page https://kb.copaco.cloud/kb/billing-api-s). Always the 23rd here, so that three
# months back always holds three invoices.
CREATION_DAY = 23


def add_months(day, count):
    """Return ``day`` moved by ``count`` months, at most the last day of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day(day):
    """Return the last day of the month in which ``day`` lies."""
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


def creation_date(month):
    """Return the day on which the invoices of ``month`` are made."""
    return add_months(month, 1).replace(day=CREATION_DAY)


def billed_months(today, count):
    """Return the last ``count`` months invoiced by ``today``, oldest first."""
    latest = add_months(today.replace(day=1), -1)
    if creation_date(latest) > today:
        latest = add_months(latest, -1)
    return [add_months(latest, -back) for back in reversed(range(count))]
