"""How records and values are named in messages."""

from odoo.tools import LazyTranslate

from .messages import Joined, render_message

_lt = LazyTranslate(__name__)

# A person needs to see where to look, not every record.
NAMED_RECORDS = 5


def list_names(names):
    """:param names: iterable of texts, or of other messages
    :return: message with the first of them, and how many more there are
    """
    names = list(names)
    shown = Joined(tuple(names[:NAMED_RECORDS]), ", ")
    if len(names) <= NAMED_RECORDS:
        return shown if names else ""
    return _lt(
        "%(names)s and %(count)s more", names=shown, count=len(names) - NAMED_RECORDS
    )


def enumerate_names(env, names):
    """:param env: environment in whose language it is said how many more there are
    :param names: see `list_names`
    :return: text with the first of them
    """
    return render_message(env, list_names(names))


def name_line(line):
    """:param line: a `copaco.document.line` or a `DocumentLine`, or None
    :return: text that tells a price line from others
    """
    parts = line and (line.plan_name, line.description, line.vendor_details)
    return " – ".join(dict.fromkeys(filter(None, parts or ())))


def join_different(texts):
    """:return: text such as "7 → 9", or "7" when nothing changed"""
    return " → ".join(dict.fromkeys(texts))
