"""What can still be read of a document that can't be read as a whole: nothing of it is
billed, but a person has to know what it is about."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .elements import DocumentLine
from .records import SourceDocument, UnreadableLine
from .schemas import give_to_lines
from .values import EXACT, read_number, read_objects, read_text

_read_line = TypeAdapter(DocumentLine).validate_python


def read_what_can_be_read(
    document: SourceDocument, trees: list[dict[str, Any]]
) -> None:
    """Fill the readable and the unreadable lines of a document.

    :param trees: of the elements that it is made of
    """
    for number, line in enumerate(_find_lines(trees), start=1):
        try:
            document.readable_lines.append(_read_line(line))
        except ValidationError:
            document.unreadable_lines.append(_describe(number, line))


def _find_lines(trees: list[dict[str, Any]]) -> Iterator[Any]:
    for tree in trees:
        for customer in read_objects(tree.get("Customers")):
            for subscription in read_objects(customer.get("Subscriptions")):
                if isinstance(subscription.get("PriceLines"), list):
                    yield from give_to_lines(subscription)


def _describe(number: int, line: Any) -> UnreadableLine:
    if not isinstance(line, dict):
        return UnreadableLine(number, "", is_missing=False, estimate=None)
    subscription = line["Subscription"]
    plan = read_text(subscription.get("PlanName")) or read_text(
        subscription.get("SubscriptionName")
    )
    names = filter(None, (plan, read_text(line.get("Description"))))
    return UnreadableLine(
        number,
        " – ".join(dict.fromkeys(names)),
        is_missing=line.get("ExtendedPrice") in (None, ""),
        estimate=_estimate(line),
    )


def _estimate(line: dict[str, Any]) -> Decimal | None:
    quantity, price = (
        read_number(line.get("Quantity")),
        read_number(line.get("UnitPrice")),
    )
    if quantity is None or price is None:
        return None
    duration = read_number(line.get("Duration"))
    discount = read_number(line.get("Discount")) or Decimal(0)
    amount = EXACT.subtract(EXACT.multiply(quantity, price), discount)
    return EXACT.multiply(amount, Decimal(1) if duration is None else duration)
