"""What can be done to a good document, so that the response it is in stays JSON.

Each change is called with the source of chance and a place that fits: what holds it,
and its key or index there.
"""

from copy import deepcopy
from decimal import Decimal

# A private-use character, which no text has: what stands between two of it is written
# as it is, such as a number with 400 digits.
VERBATIM = "\ue000"
LONG = 1_000_000

TEXTS = (
    *("", " ", "\t\n\r", "\0", "a\0b", "\x1b[31m", "\x7f\x85", "\ufeff", "\ufffe"),
    *("\u202e1.00 EUR", "\u200f\u200e", "a\u200bb", "\u2028\u2029", "e\u0301" * 50),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "]]>"),
    *("=cmd|' /C calc'!A0", "@SUM(1)", "-1+1", "{{7*7}}", "${7*7}", "%(a)s", "%s%n"),
    *("'; DROP TABLE copaco_document; --", '"', "\\", "\\u0000", "../../etc/passwd"),
    *("null", "None", "NaN", "true", "[]", "{}", "🙂" * 100, "ﷺ" * 20, "ＡＢＣ", "İı"),
    *("x" * 255, "x" * 256, "x" * 2001, "٣٤٥", "１２３", "1e5", "0x10", "1_000"),
)
NUMBERS = (
    *("0", "-0", "-0.0", "1e400", "-1e400", "1e-400", "0.1e1", "1E+2", "1e15"),
    *("123456789012345678901234567890", "0.123456789012345678901234567890"),
    *("-999999999999.99", "1000000000000", "9" * 400, "0." + "0" * 400 + "1"),
    *("0.005", "-0.005", "1.0049999999999999", "0.1", "5.551115123125783e-17"),
)
NUMBER_TEXTS = (
    *("1,5", "1.234,56", "1 000", "€ 5", "5 EUR", "--1", "+1", ".5", "5.", "1e", "0x1"),
    *("١٢٣", "１０", "1\u00a0000", "1'000", "∞", "-", "+", ".", "1e999", "1" * 100),
)
DATES = (
    *("20260230", "20260431", "20261301", "20260100", "00000000", "99999999", "2026"),
    *("2026-02-29", "2026-13-01", "26-01-01", "31-12-2026", "12/31/2026", "20261123x"),
    *("0001-01-01", "9999-12-31", "2026-11-23T25:61:61Z", "2026-11-23T00:00:00+99:99"),
    *("20261123T", " 20261123 ", "２０２６１１２３", "2026-11-23 12:00", "1969-12-31"),
)


def write_verbatim(text):
    """:return: what `mutator.write` writes as this text itself"""
    return f"{VERBATIM}{text}{VERBATIM}"


# A function as often as it is to be chosen.
CHANGES = []


def _change(fits=lambda container, key: True, times=1):
    """:param times: how often it is chosen, compared to the others"""

    def register(function):
        function.fits = fits
        CHANGES.extend([function] * times)
        return function

    return register


def _is_leaf(container, key):
    return not isinstance(container[key], dict | list)


def _in_object(container, key):
    return isinstance(container, dict)


def _in_list(container, key):
    return isinstance(container, list)


def _is_number(container, key):
    return isinstance(container[key], int | Decimal) or (
        key in ("Duration", "UnitPrice", "Quantity", "ExtendedPrice", "Discount")
    )


def _is_date(container, key):
    return isinstance(key, str) and "Date" in key


@_change(times=3)
def other_type(random, container, key):
    container[key] = random.choice(
        (None, True, False, 0, 1, -1, "", "text", [], {}, [[]], {"": None}, [None])
    )


@_change(_is_leaf, times=3)
def other_text(random, container, key):
    container[key] = random.choice(TEXTS)


@_change(_is_leaf)
def text_around(random, container, key):
    container[key] = f"{random.choice(TEXTS)}{container[key]}{random.choice(TEXTS)}"


@_change(_is_leaf)
def lone_surrogate(random, container, key):
    half = random.choice(("\\ud800", "\\udfff", "\\udc00\\ud800", "a\\ud83d"))
    container[key] = write_verbatim(f'"{half}"')


@_change(lambda container, key: _is_number(container, key), times=3)
def other_number(random, container, key):
    number = random.choice(NUMBERS)
    container[key] = random.choice((number, write_verbatim(number)))


@_change(lambda container, key: _is_number(container, key))
def no_number(random, container, key):
    container[key] = random.choice(NUMBER_TEXTS)


@_change(lambda container, key: isinstance(container[key], int | Decimal), times=2)
def other_sign(random, container, key):
    container[key] = -container[key]


@_change(_is_date, times=2)
def impossible_date(random, container, key):
    container[key] = random.choice(DATES)


@_change(_in_object, times=3)
def missing_key(random, container, key):
    del container[key]


@_change(lambda container, key: isinstance(key, str) and key)
def renamed_key(random, container, key):
    name = random.choice(
        (key.lower(), key.upper(), f" {key}", f"{key}\u200b", f"{key}s")
    )
    container[name] = container.pop(key)


@_change(_in_list, times=2)
def twice(random, container, key):
    container.insert(key, deepcopy(container[key]))


@_change(_in_list)
def missing_element(random, container, key):
    del container[key]


@_change()
def nested(random, container, key):
    for _ in range(random.choice((1, 2, 10, 100))):
        container[key] = random.choice(([container[key]], {"": container[key]}))


@_change(lambda container, key: isinstance(container[key], dict | list))
def unnested(random, container, key):
    inner = container[key]
    inner = list(inner.values()) if isinstance(inner, dict) else inner
    container[key] = random.choice(inner) if inner else None


@_change(_in_object)
def moved(random, container, key):
    other = random.choice(list(container))
    container[key], container[other] = container[other], container[key]


@_change(_in_object)
def other_order(random, container, key):
    items = list(container.items())
    random.shuffle(items)
    container.clear()
    container.update(items)


@_change(_is_leaf)
def very_long(random, container, key):
    # A megabyte each time would only measure the machine.
    size = LONG if random.random() < 0.1 else 5000
    container[key] = random.choice("x \u202e<é") * size
