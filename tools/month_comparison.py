"""What differs between what a customer is billed in two months."""

from collections import defaultdict
from typing import NamedTuple

# Of these the price of a piece is the same each month, unless Copaco changes it.
PRICED_CHARGES = ("cyclefee", "itemfee")
# A price has changed when it is another one in cents.
HALF_CENT = 0.005
# Less than what is paid in any currency.
NOTHING = 1e-6


class Charge(NamedTuple):
    """What is billed of a charge of a subscription in a month."""

    is_now: bool  # of the later of the two months
    currency_id: int = 0
    subscription: str = ""  # id, or name; "" for none
    charge: str = ""  # kind of charge, as `get_name_key` writes it
    service: str = ""  # what it is the same as in the other month by
    name: str = ""  # of the subscription
    line_name: str = ""
    amount: float = 0  # without tax
    lowest: float | None = None  # prices of a piece
    highest: float | None = None
    is_recurring: bool = False  # it ends with its subscription alone
    is_unknown: bool = False  # the subscription was never billed before this month
    document_ids: tuple = ()


class Difference(NamedTuple):
    """What of a charge is another one than in the month before."""

    now: float
    before: float
    line: str
    document_ids: frozenset

    def exceeds(self, limit, least):
        """:param limit: in percent of what it was
        :param least: amount that it must differ by, too
        """
        change = abs(self.now - self.before)
        return (
            change > least + NOTHING
            and change > abs(self.before) * limit / 100 + NOTHING
        )


def compare_months(charges, limit, least):
    """:param charges: list of `Charge` of both months of a customer
    :param limit: how much amounts may differ, in percent of the month before
    :param least: amounts that differ by no more are not looked at
    :return: list of (set of ids of the documents that it is about, dict: ``reason``,
        a reason of `copaco.draft.mixin`, and the figures of that)
    """
    now = [charge for charge in charges if charge.is_now]
    before = [charge for charge in charges if not charge.is_now]
    found = _compare_subscriptions(now, before)
    for currency_id, own in _group(now, "currency_id").items():
        others = [each for each in before if each.currency_id == currency_id]
        if before and not others:
            found.append(
                (
                    _get_documents(own),
                    {
                        "reason": "currency_changed",
                        "currency_id": before[0].currency_id,
                    },
                )
            )
            continue
        total = _get_difference(own, others)
        if total.exceeds(limit, least):
            figures = {"now": total.now, "before": total.before}
            found.append((total.document_ids, {"reason": "total_differs", **figures}))
        found += _compare_lines(own, others, limit, least)
    return found


def _compare_subscriptions(now, before):
    """See `compare_months`: those that are new, and those that ended."""
    found = []
    known = {charge.subscription for charge in before}
    for charge in now:
        if charge.subscription and charge.is_unknown:
            if charge.subscription not in known:
                found.append((set(charge.document_ids), charge.name))
    new = defaultdict(dict)
    for document_ids, name in found:
        for document_id in document_ids:
            new[document_id][name] = True
    differing = [
        ({document_id}, {"reason": "subscription_new", "names": list(names)})
        for document_id, names in new.items()
    ]
    left = {charge.subscription for charge in now}
    gone = {
        charge.name: True
        for charge in before
        if charge.is_recurring and charge.subscription not in left
    }
    if gone:
        differing.append(
            (_get_documents(now), {"reason": "subscription_gone", "names": list(gone)})
        )
    return differing


def _compare_lines(now, before, limit, least):
    """See `compare_months`: lines and prices, of subscriptions that are in both."""
    differences, prices = [], []
    groups = _group(before, "subscription")
    for subscription, own in _group(now, "subscription").items():
        for pair in _pair(own, groups.get(subscription, [])):
            difference = _get_difference(*pair, document_ids=_get_documents(own))
            if difference.exceeds(limit, least):
                differences.append(difference)
            prices += filter(None, [_get_price_difference(*pair)])
    return [
        *_describe("line_differs", differences),
        *_describe("price_changed", prices),
    ]


def _pair(now, before):
    """:param now: list of `Charge` of a subscription
    :return: list of (list of `Charge`, list of those that they were in the month
        before); what has another description may be any of the same kind of charge
    """
    pairs, others = [], _group(before, "charge")
    for charge, own in _group(now, "charge").items():
        services = _group(others.pop(charge, []), "service")
        left = []
        for service, same in _group(own, "service").items():
            if service in services:
                pairs.append((same, services.pop(service)))
            else:
                left += same
        rest = [each for same in services.values() for each in same]
        if left:
            pairs.append((left, rest))
        else:
            pairs += _get_ended(rest)
    for rest in others.values():
        pairs += _get_ended(rest)
    return pairs


def _get_ended(charges):
    """:return: see `_pair`: of charges that are not billed any more, those that would
    have been billed each month"""
    return [([], [charge]) for charge in charges if charge.is_recurring]


def _get_difference(now, before, document_ids=frozenset()):
    """:param document_ids: of documents that have a charge no more
    :return: `Difference` of the sums of charges
    """
    largest = max([*now, *before], key=lambda charge: abs(charge.amount))
    return Difference(
        round(sum(charge.amount for charge in now), 6),
        round(sum(charge.amount for charge in before), 6),
        largest.line_name or largest.name,
        _get_documents(now) or document_ids,
    )


def _get_price_difference(now, before):
    """:return: `Difference` of the prices of a piece; None when they are the same, or
    have to be others each month"""
    if not before or not now or now[0].charge not in PRICED_CHARGES:
        return None
    for name, choose in (("lowest", min), ("highest", max)):
        prices = [
            [getattr(each, name) for each in own if getattr(each, name) is not None]
            for own in (now, before)
        ]
        if all(prices):
            price, old = map(choose, prices)
            if abs(price - old) > HALF_CENT:
                line = now[0].line_name or now[0].name
                return Difference(price, old, line, _get_documents(now))
    return None


def _describe(reason, differences):
    """:return: see `compare_months`: how many there are on each document, and the
    largest"""
    by_document = defaultdict(list)
    for difference in differences:
        for document_id in difference.document_ids:
            by_document[document_id].append(difference)
    found = []
    for document_id, own in by_document.items():
        largest = max(own, key=lambda each: abs(each.now - each.before))
        figures = {
            "count": len(own),
            "line": largest.line,
            "now": largest.now,
            "before": largest.before,
        }
        found.append(({document_id}, {"reason": reason, **figures}))
    return found


def _get_documents(charges):
    return frozenset(each for charge in charges for each in charge.document_ids)


def _group(charges, name):
    groups = defaultdict(list)
    for charge in charges:
        groups[getattr(charge, name)].append(charge)
    return groups
