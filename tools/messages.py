"""Messages that are stored and read by people of any language.

Not the sentence is stored, but its English source, which is a term of the translations
of this addon's code, and its values. The sentence is made of them when somebody reads
it, in the reader's language.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import fields
from odoo.exceptions import MissingError
from odoo.models import BaseModel
from odoo.tools import SQL, format_date, formatLang
from odoo.tools.translate import LazyGettext, LazyTranslate

from .rounding import format_exact

_lt = LazyTranslate(__name__)

MODULE = "account_copaco"


class Amount(NamedTuple):
    """A value of a message."""

    amount: float | Decimal  # of an exact `Decimal`, all decimals are shown
    currency: BaseModel  # `res.currency`, perhaps empty


class Month(NamedTuple):
    """A value of a message."""

    day: date  # any of the month


class FieldLabel(NamedTuple):
    """A value of a message: what users call a field."""

    field: fields.Field


class LockDates(NamedTuple):
    """A value of a message: dates until which books are locked."""

    dates: list  # of (date, field of `res.company`)


class Joined(NamedTuple):
    """Messages one after the other, such as sentences or names."""

    parts: tuple
    separator: str = " "
    group: str = ""  # by which `replace_group` finds it


class Stored(NamedTuple):
    """What is stored of a message."""

    json: object


class Message(fields.Json):
    """Text in the language of whoever reads it.

    What is written is a message: text that is the same in every language, `_lt("…")`
    with its values, or `Joined`. A value is a message itself, a number, a date, a
    `Month`, an `Amount`, a `FieldLabel`, `LockDates`, or a record, which stands for its
    name.
    """

    type = "text"

    def convert_to_cache(self, value, record, validate=True):
        return store_message(value) or None

    def convert_to_record(self, value, record):
        return _render(record.env, value) if value else False

    def convert_to_write(self, value, record):
        # To assign it takes this way, too.
        return Stored(store_message(value)) if value else False

    def convert_to_export(self, value, record):
        return value or ""

    def get_stored(self, record):
        """:return: `Stored` message of a record, not read in any language"""
        if not record[self.name]:
            return Stored("")
        return Stored(self._get_cache(record.env)[record.id])

    def _description_sortable(self, env):
        return False

    def _description_groupable(self, env):
        return False

    def _convert_db_column(self, model, column):
        # What was stored as a text stays that text.
        model.env.cr.execute(
            SQL(
                "ALTER TABLE %(table)s ALTER COLUMN %(column)s DROP DEFAULT, "
                "ALTER COLUMN %(column)s TYPE jsonb USING to_jsonb(%(column)s)",
                table=SQL.identifier(model._table),
                column=SQL.identifier(self.name),
            )
        )


class ShortMessage(Message):
    """A `Message` of one line."""

    type = "char"


def join_messages(*messages):
    """:param messages: sentences, of which some may be empty
    :return: message with those that aren't
    """
    return Joined(tuple(filter(None, messages)))


def quote_message(record, name):
    """:return: the message in a field of a record, as a part of another one"""
    return record._fields[name].get_stored(record)


def replace_group(message, group):
    """:param message: `Stored`
    :param group: a `Joined`, perhaps empty
    :return: message in which this stands for what was of the same group, or at the end
    """
    if _replace(message.json, group.group, "") == message.json:
        return join_messages(message, group) if group.parts else message
    return Stored(_replace(message.json, group.group, store_message(group)))


def _replace(stored, group, replacement):
    if not isinstance(stored, dict) or "parts" not in stored:
        return stored
    if stored.get("group") == group:
        return replacement
    replaced = [(part, _replace(part, group, replacement)) for part in stored["parts"]]
    return {**stored, "parts": [new for old, new in replaced if new or not old]}


def name_invoice(move):
    """:param move: `account.move`
    :return: message: its number; Odoo names a draft, which has none, by words, and not
        one that was cancelled
    """
    if move.state == "draft":
        return move
    return move.display_name or _lt("A draft")


def store_message(message):
    """:param message: see `Message`
    :return: what is stored of it, as JSON
    """
    if isinstance(message, Stored):
        return message.json
    if isinstance(message, LazyGettext):
        values = {name: store_message(each) for name, each in message._args.items()}
        return {"source": message._source, "values": values}
    if isinstance(message, Joined):
        parts = [store_message(part) for part in message.parts]
        stored = {"parts": parts, "separator": message.separator}
        if message.group:
            stored["group"] = message.group
        return stored if parts else ""
    if isinstance(message, Amount):
        name, amount = "amount", message.amount
        if isinstance(amount, Decimal):
            name, amount = "exact", str(amount)
        return {name: amount, "currency": message.currency.id}
    if isinstance(message, Month):
        return {"month": message.day.isoformat()}
    if isinstance(message, FieldLabel):
        return {"label": [message.field.model_name, message.field.name]}
    if isinstance(message, LockDates):
        return {"locks": [[day.isoformat(), name] for day, name in message.dates]}
    if isinstance(message, BaseModel):
        # The name, for when the record is gone.
        name = message.display_name or ""
        return {"model": message._name, "id": message.id, "name": name}
    if isinstance(message, date):
        return {"date": message.isoformat()}
    if isinstance(message, int) and not isinstance(message, bool):
        return message
    return str(message or "")


def render_message(env, message):
    """:param env: environment in whose language the message is read
    :param message: see `Message`
    :return: text
    """
    return _render(env, store_message(message))


def _render(env, stored):
    if not isinstance(stored, dict):
        return str(stored)
    if "source" in stored:
        values = {name: _render(env, each) for name, each in stored["values"].items()}
        return env._(LazyGettext(stored["source"], _module=MODULE, **values))
    if "parts" in stored:
        return stored["separator"].join(_render(env, part) for part in stored["parts"])
    if "amount" in stored:
        currency = env["res.currency"].browse(stored["currency"] or ())
        return formatLang(env, stored["amount"], currency_obj=currency)
    if "exact" in stored:
        currency = env["res.currency"].browse(stored["currency"] or ())
        return format_exact(env, Decimal(stored["exact"]), currency)
    if "date" in stored:
        return format_date(env, stored["date"])
    if "month" in stored:
        return format_date(env, stored["month"], date_format="MMMM y")
    if "label" in stored:
        model, name = stored["label"]
        field = env[model]._fields.get(name)
        return field._description_string(env) if field else name
    if "locks" in stored:
        dates = [(fields.Date.to_date(day), name) for day, name in stored["locks"]]
        return env["res.company"]._format_lock_dates(dates)
    return _get_name(env, stored)


def _get_name(env, stored):
    model = env.get(stored["model"])
    if model is None or not stored["id"]:
        return stored["name"]
    # Who may read the message may read the names in it.
    record = model.sudo().browse(stored["id"])
    try:
        return record.display_name or stored["name"]
    except MissingError:
        return stored["name"]
