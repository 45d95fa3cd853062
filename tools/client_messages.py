"""What the client says, which knows no Odoo, as messages that are read in the reader's
language."""

from odoo.tools import LazyTranslate
from odoo.tools.translate import LazyGettext

from ..client import Problems
from .messages import MODULE, Joined

_lt = LazyTranslate(__name__)


def translate(told):
    """:param told: a `Sentence` or `Problems` of the client
    :return: message
    """
    if isinstance(told, Problems):
        problems = Joined(tuple(map(translate, told.found)), "; ")
        return Joined((problems, "."), "") if told else ""
    if isinstance(told, str | int):
        return told
    values = {name: translate(value) for name, value in told.values.items()}
    return LazyGettext(told.template, _module=MODULE, **values)


def translate_advice(error):
    """:param error: a `CopacoError`
    :return: message: what to do
    """
    return LazyGettext(error.advice, _module=MODULE)


# Where Odoo finds the terms that translations of the client are made of.
TERMS = (
    _lt(
        "The API URL is not usable: it must look like https://api.example.com/api/v1,"
        " without user name, password or query."
    ),
    _lt("The API URL must begin with https, or the API key could be read on its way."),
    _lt("A path on the connection is empty or not usable."),
    _lt("No API key is set."),
    _lt(
        "The API key has a space, a line break or another character that no key has; "
        "copy it again."
    ),
    _lt("The name of the query parameter for the API key is not set."),
    _lt("The name of the header for the API key is not set."),
    _lt("The API key can't be sent in a query parameter of this name."),
    _lt("The API key can't be sent in a header of this name."),
    _lt("There is no way to send the API key named %(method)s."),
    _lt("Copaco responded with a web page."),
    _lt("Try again; if it stays, show this message to your administrator."),
    _lt("Nothing has to be done: try again later, the next fetch catches up."),
    _lt("Try again later; if it stays, fetch a shorter period."),
    _lt("Wait a while before you fetch again; the next fetch catches up."),
    _lt("Check the connection's settings, then test the connection."),
    _lt("Correct this on the connection."),
    _lt(
        "Check in Copaco's portal that the API key still exists, hasn't expired and "
        "is for production, set it again, then test the connection."
    ),
    _lt(
        "Create a new API key in Copaco's portal with the permissions Get Customer "
        "Specifications and Get Example Invoices, and with Get Invoices if purchase "
        "invoices are fetched too, and set it on the connection."
    ),
    _lt("Check the API URL and the paths on the connection."),
    _lt(
        "Copaco releases Customer-Invoices on request: ask Copaco for the permission "
        "Get Customer Invoices and for the path, or choose customer specifications as"
        " the source on the connection."
    ),
    _lt("Check the API URL on the connection; Copaco may have moved the service."),
    _lt(
        "Check the API URL on the connection, and ask your administrator whether a "
        "proxy or an expired certificate is in between."
    ),
    _lt(
        "Try again later; if it stays, ask Copaco's support whether the API has "
        "changed, and show them this message."
    ),
    _lt("Fetch a shorter period; if it stays, ask Copaco's support."),
    _lt("Copaco didn't accept the API key."),
    _lt("Copaco knows the API key, but it has no permission for this."),
    _lt("Copaco has nothing at this address."),
    _lt("Copaco received too many requests in too short a time."),
    _lt("Copaco's server responded without data (status %(status)s)."),
    _lt("Copaco's response is damaged."),
    _lt("Copaco's response was not complete in time."),
    _lt("The connection broke before the response was complete."),
    _lt("Copaco's server has a problem (status %(status)s)."),
    _lt("Copaco refused the request (status %(status)s)."),
    _lt("Copaco's server redirected without an address (status %(status)s)."),
    _lt("No trusted connection to Copaco's server is possible."),
    _lt("Copaco's server didn't respond in time."),
    _lt("Copaco's server can't be reached."),
    _lt("The API URL or the proxy is not usable."),
    _lt(
        "Copaco's response can't be read: it is no proper JSON, a number is %(number)s."
    ),
    _lt(
        "Copaco's response can't be read: it is damaged or cut off at character "
        "%(position)s."
    ),
    _lt(
        "Copaco's response can't be read: it is ambiguous, a field stands twice in "
        "the same place."
    ),
    _lt("The stored text is not that of one document."),
    _lt("Copaco's response is empty."),
    _lt("Copaco's response is not an object with invoices."),
    _lt("Copaco's response can't be used: %(problem)s."),
    _lt("Customers is empty, while Totals has an amount"),
    _lt("Customers is empty, and Totals can't be read"),
    _lt("Header.Date is missing or not a date"),
    _lt("Header.Currency differs between parts of the same invoice"),
    _lt("Header.Type is a credit, but its lines are not"),
    _lt("Customers has the same customer with the same lines twice"),
    _lt("and %(count)s more"),
    _lt("Customers is missing or not a list"),
    _lt("%(field)s is missing"),
    _lt("%(field)s is not a list"),
    _lt("%(field)s is not an object"),
    _lt("The element"),
    _lt("Customer: %(field)s"),
    _lt("%(field)s can't be used: %(reason)s"),
    _lt("Copaco's response can't be read: it is nested too deep."),
    _lt("Copaco's response can't be read: it is not in the encoding it should be."),
    _lt("Copaco's response is damaged: it can't be decompressed."),
    _lt("Copaco's server redirects in a loop."),
    _lt("Copaco's response is compressed in a way that was not asked for."),
    _lt("Copaco's server redirected to another address; nothing was sent there."),
    _lt("Copaco's response is larger than %(size)s MB, so it was not read."),
    _lt("%(field)s is missing or empty"),
    _lt("%(field)s is too long"),
    _lt("%(field)s is not an amount"),
    _lt("Copaco responded with a web page, or XML of another kind, instead of data."),
    _lt("Copaco's response can't be read: it is damaged or cut off at line %(line)s."),
    _lt("Copaco's response can't be read: it is in an encoding that isn't known."),
    _lt("Copaco's response can't be read: it is in more pieces than any response has."),
    _lt(
        "Copaco's response can't be read: it is XML with a document type, which is "
        "not allowed."
    ),
)
