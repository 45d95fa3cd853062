"""In which form an answer came, told by its first bytes and never by a file's name."""

from .errors import InvalidResponseError
from .strict_json import read_json
from .strict_xml import read_xml

# What may stand before the first sign of an answer: byte order marks (and the zero
# bytes of wide encodings) and white space.
_BLANK = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


def is_markup(raw):
    """Tell whether these bytes are XML or HTML."""
    return raw[:1024].lstrip(_BLANK).startswith(b"<")


def read_answer(raw):
    """Read an answer: JSON, or the XML of Copaco's older platform.

    :param bytes raw: in UTF-8, UTF-16 or UTF-32, with or without a byte order mark, or
        in an encoding that XML declares
    :return: the tree: dictionaries, lists, texts (numbers too), booleans and None; of
        JSON, each customer is a `Slice`
    :raise InvalidResponseError: if it is anything else
    :raise RecursionError: if JSON is nested too deep
    """
    if not raw.strip(_BLANK):
        raise InvalidResponseError("Copaco's answer is empty.")
    if is_markup(raw):
        return read_xml(raw)
    return read_json(raw, "Invoices", "Customers")
