"""JSON read without guessing and without loss, and written again.

Numbers stay the text they came as: a figure is never rounded on its way through a
float, and none is too big or too small to be kept and shown. So a loaded tree has
dictionaries, lists, texts, booleans and None. ``json`` itself would accept NaN and
let the second of two equal keys win; both are refused here.
"""

import json

from .errors import InvalidResponseError


def read_json(raw):
    """Read an answer.

    :param bytes raw: JSON in UTF-8, or in UTF-16 or UTF-32; a byte order mark is fine
    :return: the tree, all numbers as text
    :raise InvalidResponseError: if it is anything else
    :raise RecursionError: if it is nested too deep
    """
    try:
        return _loads(raw)
    except UnicodeDecodeError:
        problem = "not in the encoding it should be"
    except json.JSONDecodeError as error:
        problem = f"damaged or cut off at character {error.pos}"
    except _NotStrictError as error:
        problem = str(error)
    # Raised here and not above: the errors caught there carry the whole answer.
    raise InvalidResponseError(f"Copaco's answer can't be read: it is {problem}.")


def write_json(tree, canonical=False):
    """Write a tree that `read_json` returned, so that it reads back the same.

    :param bool canonical: the same text for trees that differ in key order only
    :return: text without NUL or lone surrogates, which a database would refuse
    """
    text = json.dumps(tree, ensure_ascii=False, sort_keys=canonical)
    # A lone surrogate becomes its JSON escape, which reads back the same.
    return text.encode("utf-8", "backslashreplace").decode()


class _NotStrictError(Exception):
    """Says in what way an answer is not JSON as the standard wants it."""


def _loads(raw):
    return json.loads(
        raw.decode(json.detect_encoding(raw)),
        parse_float=str,
        parse_int=str,
        parse_constant=_refuse_constant,
        object_pairs_hook=_make_object,
    )


def _refuse_constant(name):
    raise _NotStrictError(f"no proper JSON, a number is {name}")


def _make_object(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _NotStrictError("ambiguous, a field stands twice in the same place")
    return result
