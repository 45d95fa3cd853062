"""Large queries of our own."""

import itertools
import json
from datetime import date

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

from .line_pairing import get_row_hash

# Of a charge that is looked for: where it stands, and what it is known by.
CHARGE_COLUMNS = """
    key int, document_id int, currency_id int, customer_id int, partner_id int,
    endpoint text, row_hash text, subscription_ref text, description text,
    date_start date, date_end date, quantity float8, extended_price float8"""

# An id of a month is made of that of its owner and the number of the month, so that it
# stays: a month before is one less.
_OWNER = 100000


def avoid_compiling(cr):
    """Have PostgreSQL carry out the queries of this transaction as they are planned.
    Where it expects much work, as long as its statistics know nothing of what was just
    received, it would compile a large query first, for a second and more, and then read
    a few hundred rows.

    The setting ends with the transaction (PostgreSQL's manual, "When to JIT?").
    """
    cr.execute("SET LOCAL jit = off")


def write_charges(asked):
    """Write charges as one text: PostgreSQL reads it much faster than as many values.

    :param asked: dict of lists of lines by `copaco.document`: its own, or those of a
        version of it
    :return: JSON for `json_to_recordset` with `CHARGE_COLUMNS`; ``key`` counts the
        lines, from 0
    """
    keys = itertools.count()
    charges = [
        {
            "key": next(keys),
            **values,
            "row_hash": get_row_hash(line),
            "subscription_ref": line.subscription_ref or "",
            "description": line.description or "",
            "date_start": line.date_start or None,
            "date_end": line.date_end or None,
            "quantity": float(line.quantity or 0),
            "extended_price": float(line.extended_price),
        }
        for document, lines in asked.items()
        for values in [_get_values(document)]
        for line in lines
    ]
    return json.dumps(charges, default=str)


def _get_values(document):
    return {
        "document_id": document.id,
        "currency_id": document.currency_id.id or None,
        "customer_id": document.customer_id.id or None,
        "partner_id": document.partner_id.commercial_partner_id.id or None,
        "endpoint": document.run_id.endpoint,
    }


def get_month_id(owner, day):
    """:param owner: `SQL` of the id of whose month it is
    :param day: `SQL` of a day in it
    :return: `SQL` of the id of a row for a month
    """
    return SQL(
        "%s * %s + extract(year FROM %s)::int * 12 + extract(month FROM %s)::int",
        owner,
        _OWNER,
        day,
        day,
    )


def read_month_id(month_id):
    """:return: (the id of its owner, its first day, its last day) of `get_month_id`"""
    owner, number = divmod(month_id, _OWNER)
    year, month = divmod(number - 1, 12)
    first_day = date(year, month + 1, 1)
    return owner, first_day, first_day + relativedelta(months=1, days=-1)
