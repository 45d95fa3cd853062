"""Large queries of our own."""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

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
