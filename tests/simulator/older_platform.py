"""Invoices as the XML of Copaco's older platform (Copaco's knowledge base, page
https://kb.copaco.cloud/kb/invoices-(XML).626294812.html)."""

from xml.etree import ElementTree

# The name of an entry of each list.
ENTRIES = {
    "Customers": "Customer",
    "Subscriptions": "Subscription",
    "PriceLines": "PriceLine",
    "SubscriptionDetails": "SubscriptionDetail",
}
RECEIVER_NAMES = {"Address": "Street", "CountryCode": None, "Fax": None, "Type": None}
# How a value that is null may be written.
NULLS = ("empty", "nil", "absent")

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"


def write_xml(invoices, encoding="utf-8", nulls="empty"):
    """Return the bytes of a response.

    :param invoices: iterable of dictionaries, each an element of ``Invoices``
    :param str encoding: any that Python knows
    :param str nulls: one of ``NULLS``; empty lists are always empty elements
    """
    root = ElementTree.Element(
        "InvoiceResponse", {"xmlns:xsd": _XSD, "xmlns:xsi": _XSI}
    )
    for invoice in invoices:
        _add(root, "Invoice", invoice, nulls)
    return ElementTree.tostring(root, encoding, xml_declaration=True)


def _add(parent, name, value, nulls):
    if value is None and name not in ENTRIES:
        if nulls == "absent":
            return
        nil = {"xsi:nil": "true"} if nulls == "nil" else {}
        ElementTree.SubElement(parent, name, nil)
        return
    element = ElementTree.SubElement(parent, name)
    if name in ENTRIES:
        entries = value if isinstance(value, list) else [value]
        for entry in filter(None, entries):
            _add(element, ENTRIES[name], entry, nulls)
    elif isinstance(value, dict):
        names = RECEIVER_NAMES if name == "Receiver" else {}
        for key, inner in value.items():
            if own_name := names.get(key, key):
                _add(element, own_name, inner, nulls)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)
