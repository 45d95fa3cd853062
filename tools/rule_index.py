"""Which rule a price line falls under."""

import re
from typing import NamedTuple

WILDCARD = "*"
_SEPARATORS = re.compile(r"[\s\-_]+")


class LineTraits(NamedTuple):
    """What rules look at of a price line; texts that it doesn't have are empty."""

    connection_id: int | None = None
    customer_id: int | None = None
    plan_ref: str = ""
    plan_category: str = ""
    charge_type: str = ""
    billing_frequency: str = ""
    plan_name: str = ""
    subscription_name: str = ""
    description: str = ""


class RuleConditions(NamedTuple):
    """What a line must have, to fall under a rule; empty: anything."""

    rule_id: int
    connection_id: int | None = None
    customer_id: int | None = None
    plan_ref: str = ""
    plan_category: str = ""
    text_contains: str = ""
    charge_type: str = ""
    billing_frequency: str = ""


class RuleIndex:
    """The first rule of a list that a line falls under.

    Most rules are of one plan: only those, and the ones that are of none, are compared
    with a line. What is found is kept, because the lines of a month are much alike.
    """

    def __init__(self, rules):
        """:param rules: iterable of `RuleConditions`; the first that fits wins"""
        self._general = []
        self._by_plan = {}
        self._found = {}
        self._has_texts = False
        for position, conditions in enumerate(rules):
            rule = _Rule(position, conditions)
            self._has_texts = self._has_texts or bool(rule.pieces)
            if conditions.plan_ref:
                self._by_plan.setdefault(conditions.plan_ref, []).append(rule)
            else:
                self._general.append(rule)
        for plan_ref, rules_of_plan in self._by_plan.items():
            self._by_plan[plan_ref] = sorted(
                rules_of_plan + self._general, key=lambda rule: rule.position
            )

    def find(self, traits):
        """:param traits: `LineTraits`
        :return: the id of the first rule that the line falls under, else None
        """
        key = traits if self._has_texts else traits[:6]
        if key not in self._found:
            self._found[key] = self._find(traits)
        return self._found[key]

    def _find(self, traits):
        rules = self._by_plan.get(traits.plan_ref, self._general)
        if not rules:
            return None
        names = (
            get_name_key(traits.plan_category),
            get_name_key(traits.charge_type),
            get_name_key(traits.billing_frequency),
        )
        texts = [text.casefold() for text in traits[6:] if text]
        for rule in rules:
            if rule.fits(traits, names, texts):
                return rule.rule_id
        return None


class _Rule:
    def __init__(self, position, conditions):
        self.position = position
        self.rule_id = conditions.rule_id
        self.owners = (conditions.connection_id, conditions.customer_id)
        self.names = (
            get_name_key(conditions.plan_category),
            get_name_key(conditions.charge_type),
            get_name_key(conditions.billing_frequency),
        )
        text = conditions.text_contains.casefold()
        self.pieces = [piece for piece in text.split(WILDCARD) if piece.strip()]

    def fits(self, traits, names, texts):
        return (
            all(
                not asked or asked == own
                for asked, own in zip(self.owners, traits[:2], strict=True)
            )
            and all(
                not asked or asked == own
                for asked, own in zip(self.names, names, strict=True)
            )
            and (not self.pieces or any(_contains(text, self.pieces) for text in texts))
        )


def get_name_key(name):
    """:return: what the spellings of a name have in common that Copaco mixes, such as
    "Cycle Fee" and "cycle-fee"; "" for none"""
    return _SEPARATORS.sub("", name).casefold()


def _contains(text, pieces):
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return True
