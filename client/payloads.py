"""Stored documents made into others: with lines of two, with some lines, with other
names of lines."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .elements import DocumentLine
from .json_reader import read_slice, write_json
from .parser import read_tree


def merge_payloads(old: str, kept: Iterable[int], new: str) -> str:
    """Put some lines of a stored document and all of another together.

    :param old: a `SourceDocument.payload` that can be read
    :param kept: positions of the lines of it that are kept
    :param new: another one, of the same document
    :return: text that `parse_payload` reads
    """
    kept_elements = _take_lines(_read_elements(old), set(kept))
    return write_json({"Invoices": [*kept_elements, *_read_elements(new)]})


def take_lines(payload: str, positions: Iterable[int]) -> str:
    """Take a part of a stored document.

    :param payload: a `SourceDocument.payload` that can be read
    :param positions: of the lines that are taken; none: the document without lines
    :return: text that `parse_payload` reads
    """
    elements = _read_elements(payload)
    taken = _take_lines(elements, set(positions), with_empty=True)
    if not taken:
        first = elements[0]
        first.pop("Totals", None)
        taken = [
            {**first, "Customers": [{**first["Customers"][0], "Subscriptions": []}]}
        ]
    return write_json({"Invoices": taken})


def rename_lines(payload: str, names: Mapping[int, DocumentLine]) -> str:
    """Give lines of a document the row hash and the number of others.

    :param payload: a `SourceDocument.payload` that can be read
    :param names: those others, by the position of the line
    :return: text that `parse_payload` reads
    """
    position = 0
    elements = _read_elements(payload)
    for element in elements:
        for subscription in element["Customers"][0]["Subscriptions"] or ():
            for line in subscription["PriceLines"] or ():
                if name := names.get(position):
                    line["InvoiceRowHash"] = name.row_hash
                    line["LineId"] = name.line_ref
                position += 1
    return write_json({"Invoices": elements})


def _read_elements(payload: str) -> list[dict[str, Any]]:
    elements = read_tree(payload.encode())["Invoices"]
    return [
        {**element, "Customers": [read_slice(each) for each in element["Customers"]]}
        for element in elements
    ]


def _take_lines(
    elements: list[dict[str, Any]],
    positions: Collection[int],
    with_empty: bool = False,
) -> list[dict[str, Any]]:
    """Return what of elements has lines at these positions.

    :param with_empty: also what never had a line: Copaco may have left it out
    """
    position = 0
    taken: list[dict[str, Any]] = []
    for element in elements:
        (customer,) = element["Customers"]
        subscriptions = []
        for subscription in customer["Subscriptions"] or ():
            lines = []
            for line in subscription["PriceLines"] or ():
                if position in positions:
                    lines.append(line)
                else:
                    # They were those of all its lines.
                    element.pop("Totals", None)
                position += 1
            if lines or (with_empty and not subscription["PriceLines"]):
                subscriptions.append({**subscription, "PriceLines": lines})
        if subscriptions or (with_empty and not customer["Subscriptions"]):
            customer = {**customer, "Subscriptions": subscriptions}
            taken.append({**element, "Customers": [customer]})
    return taken
