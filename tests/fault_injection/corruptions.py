"""What can be done to the bytes of a response, so that it is no JSON any more, or JSON
that may mean two things. Each is called with the source of chance and the bytes."""

import re


def not_a_number(random, raw):
    name = random.choice((b"NaN", b"Infinity", b"-Infinity", b"1.e5", b"01", b"+1"))
    return _replace(
        random, rb'"ExtendedPrice": [^,}]+', b'"ExtendedPrice": ' + name, raw
    )


def repeated_key(random, raw):
    name = random.choice((b"ExtendedPrice", b"InvoiceID", b"AccountID", b"Customers"))
    return _replace(random, b'"%s": ' % name, b'"%s": 0, "%s": ' % (name, name), raw)


def other_encoding(random, raw):
    text = raw.decode().replace('": "', '": "é', 1)
    encoding = random.choice(("latin-1", "cp1252", "cp037", "utf-16-le", "utf-32-be"))
    return text.encode(encoding)[random.choice((0, 0, 1)) :]


def cut_off(random, raw):
    return raw[: random.randrange(len(raw))]


def continued(random, raw):
    return raw + random.choice((b"}", b"]", raw, b"\0", b"<!-- -->", b"\x1a", b",{}"))


def flipped(random, raw):
    place = random.randrange(len(raw))
    return (
        raw[:place] + bytes([raw[place] ^ 1 << random.randrange(8)]) + raw[place + 1 :]
    )


def raw_control(random, raw):
    sign = random.choice((b"\0", b"\n", b"\x1b", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"))
    return _replace(random, b'": "', b'": "' + sign, raw)


def wrapped(random, raw):
    return random.choice((b"[%s]", b'{"Invoices": %s}', b'"%s"', b"<x>%s</x>")) % raw


def too_deep(random, raw):
    depth = random.choice((2000, 100_000))
    deep = b"[" * depth + b"]" * depth
    return raw.replace(b'"Invoices": [', b'"Deep": %s, "Invoices": [' % deep, 1)


CORRUPTIONS = (
    *(not_a_number, repeated_key, other_encoding, cut_off, continued, flipped),
    *(raw_control, wrapped, too_deep),
)


def _replace(random, pattern, replacement, raw):
    """Replace one of the places where a pattern is."""
    found = random.choice(list(re.finditer(pattern, raw)) or [None])
    if not found:
        return raw[:-1]
    return raw[: found.start()] + replacement + raw[found.end() :]
