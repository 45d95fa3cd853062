"""Which rule a price line falls under."""

import re
import unicodedata
from operator import attrgetter
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
    connection_ids: frozenset = frozenset()  # with those that replace one another
    customer_id: int | None = None
    plan_ref: str = ""
    plan_category: str = ""
    text_contains: str = ""
    charge_type: str = ""
    billing_frequency: str = ""


# What many lines have in common, and is compared once for all of them.
_NAMES = ("plan_ref", "plan_category", "charge_type", "billing_frequency")
_get_common = attrgetter("connection_id", *_NAMES)
_get_names = attrgetter(*_NAMES)
_get_texts = attrgetter("plan_name", "subscription_name", "description")


class RuleIndex:
    """The first rule of a list that a line falls under.

    The lines of a month are much alike: which rules are left for them when all but
    customer and texts is compared, is found once for all that are.
    """

    def __init__(self, rules):
        """:param rules: iterable of `RuleConditions`; the first that fits wins"""
        self._rules = list(map(_Rule, rules))
        self._left = {}

    def find(self, traits):
        """:param traits: `LineTraits`
        :return: the id of the first rule that the line falls under, else None
        """
        common = _get_common(traits)
        if common not in self._left:
            self._left[common] = self._find_left(common)
        texts = None
        for rule in self._left[common]:
            if rule.customer_id and rule.customer_id != traits.customer_id:
                continue
            if rule.pieces and texts is None:
                texts = list(map(_fold, _get_texts(traits)))
            if not rule.pieces or rule.is_in(texts):
                return rule.rule_id
        return None

    def _find_left(self, common):
        """:return: the rules that lines may fall under, by customer and texts"""
        connection_id, *names = common
        own = _make_keys(*names)
        left = []
        for rule in self._rules:
            if rule.fits(connection_id, own):
                left.append(rule)
                if not rule.customer_id and not rule.pieces:
                    break
        return left


class _Rule:
    def __init__(self, conditions):
        self.rule_id = conditions.rule_id
        self.customer_id = conditions.customer_id
        self._connection_ids = conditions.connection_ids
        self._asked = _make_keys(*_get_names(conditions))
        text = _fold(conditions.text_contains)
        self.pieces = [piece for piece in text.split(WILDCARD) if piece.strip()]
        self._longest = max(self.pieces, key=len, default="")

    def fits(self, connection_id, own):
        """Whether all but customer and texts is as asked."""
        if self._connection_ids and connection_id not in self._connection_ids:
            return False
        return all(
            not asked or asked == value
            for asked, value in zip(self._asked, own, strict=True)
        )

    def is_in(self, texts):
        """Whether one of the texts has what is asked for."""
        for text in texts:
            # Most texts don't have it, and this finds that out soonest.
            if self._longest in text and _contains(text, self.pieces):
                return True
        return False


def _make_keys(plan_ref, *names):
    return plan_ref, *map(get_name_key, names)


def get_name_key(name):
    """:return: what the spellings of a name have in common that Copaco mixes, such as
    "Cycle Fee" and "cycle-fee"; "" for none"""
    return _SEPARATORS.sub("", name).casefold()


def _fold(text):
    """:return: what spellings of a text have in common that look the same: capitals,
    blanks that don't break, letters with accents of their own"""
    return unicodedata.normalize("NFKC", text).casefold()


def _contains(text, pieces):
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return True
