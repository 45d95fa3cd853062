"""Properties of rules, against an implementation of their own in a few lines."""

import re
from types import SimpleNamespace

from odoo.tests import BaseCase, freeze_time, tagged

from ..tools import LineTraits, RuleConditions, RuleIndex
from .properties import given, settings, st
from .rules import RulesCommon

TEXTS = ["", "M365", "Business Premium", "business-premium", "BUSINESS", "Azure plan"]
PATTERNS = [
    "",
    "*",
    " ",
    "m365",
    "bus*prem",
    "prem*bus",
    "*azure*",
    "z*r*",
    "business ",
]
NAMES = ["", "Cycle Fee", "cycle-fee", "CYCLEFEE", "Usage Fee", "Correction"]


def names(values):
    return st.sampled_from(values)


TRAITS = st.builds(
    LineTraits,
    connection_id=st.sampled_from([1, 2]),
    customer_id=st.sampled_from([None, 1, 2]),
    plan_ref=names(["", "p1", "p2"]),
    plan_category=names(NAMES),
    charge_type=names(NAMES),
    billing_frequency=names(NAMES),
    plan_name=names(TEXTS),
    subscription_name=names(TEXTS),
    description=names(TEXTS),
)
CONDITIONS = {
    "connection_ids": st.sampled_from([(), (), (1,), (2,), (1, 2)]),
    "customer_id": st.sampled_from([None, None, 1, 2]),
    "plan_ref": names(["", "", "p1", "p2"]),
    "plan_category": names(NAMES),
    "text_contains": names(PATTERNS),
    "charge_type": names(NAMES),
    "billing_frequency": names(NAMES),
}
# Most rules have one condition or two.
RULE = st.builds(
    lambda chosen, values: {
        name: value for name, value in values.items() if name in chosen
    },
    st.sets(st.sampled_from([*CONDITIONS]), max_size=2),
    st.fixed_dictionaries(CONDITIONS),
)
RULES = st.lists(RULE, max_size=8)


def fits(rule, traits):
    """Whether a line falls under a rule, as a person would read it."""

    def key(name):
        return "".join(filter(str.isalnum, name)).lower()

    rule = SimpleNamespace(**{name: rule.get(name) for name in CONDITIONS})
    pattern = ".*".join(map(re.escape, (rule.text_contains or "").lower().split("*")))
    texts = (traits.plan_name, traits.subscription_name, traits.description)
    return (
        (not rule.connection_ids or traits.connection_id in rule.connection_ids)
        and rule.customer_id in (None, traits.customer_id)
        and rule.plan_ref in (None, "", traits.plan_ref)
        and all(
            not getattr(rule, name)
            or key(getattr(rule, name)) == key(getattr(traits, name))
            for name in ("plan_category", "charge_type", "billing_frequency")
        )
        and (
            not (rule.text_contains or "").strip(" *")
            or any(re.search(pattern, text.lower()) for text in texts)
        )
    )


def find(rules, traits):
    return next((at for at, rule in enumerate(rules) if fits(rule, traits)), None)


def build(rules):
    return RuleIndex(RuleConditions(at, **rule) for at, rule in enumerate(rules))


@tagged("post_install", "-at_install")
class TestRuleProperties(BaseCase):
    @given(RULES, st.lists(TRAITS, max_size=20))
    @settings(max_examples=300, deadline=None)
    def test_the_first_rule_whose_conditions_are_all_met_is_found(self, rules, lines):
        index = build(rules)
        for traits in lines:
            self.assertEqual(index.find(traits), find(rules, traits), (rules, traits))

    @given(RULES, RULES, TRAITS)
    @settings(max_examples=200, deadline=None)
    def test_nothing_gets_past_a_rule_without_conditions(self, before, after, traits):
        found = build([*before, {}, *after]).find(traits)
        self.assertLessEqual(found, len(before))

    @given(RULES, RULE, RULE, st.lists(TRAITS, max_size=20), st.data())
    @settings(max_examples=200, deadline=None)
    def test_a_changed_rule_touches_only_what_it_caught_or_catches(
        self, others, old, new, lines, data
    ):
        at = data.draw(st.integers(0, len(others)))
        before = build([*others[:at], old, *others[at:]])
        after = build([*others[:at], new, *others[at:]])
        for traits in lines:
            if at not in (before.find(traits), after.find(traits)):
                self.assertEqual(before.find(traits), after.find(traits))

    @given(RULES, st.lists(TRAITS, max_size=20))
    @settings(max_examples=200, deadline=None)
    def test_rules_that_catch_nothing_in_common_may_have_any_order(self, rules, lines):
        overlap = any(sum(fits(rule, traits) for rule in rules) > 1 for traits in lines)
        if overlap:
            return
        forwards, backwards = build(rules), build(rules[::-1])
        for traits in lines:
            found = backwards.find(traits)
            self.assertEqual(
                forwards.find(traits),
                None if found is None else len(rules) - 1 - found,
            )

    @given(st.text("ab c", max_size=6), st.text("ab c", max_size=6), st.text("ab c"))
    @settings(max_examples=200, deadline=None)
    def test_a_wildcard_stands_for_any_text(self, first, last, between):
        index = build([{"text_contains": f"{first}*{last}"}])
        traits = LineTraits(description=f"x{first}{between}{last}y".upper())
        self.assertEqual(index.find(traits), 0)

    def test_what_looks_the_same_is_the_same(self):
        composed, apart = "Caf\u00e9 365", "CAFE\u0301\u00a0365"
        names = ("Pro-Rata", "pro rata", "PRO\u00a0RATA", "Pro - Rata", "prorata")
        for asked, sent in ((composed, apart), (apart, composed)):
            index = build([{"text_contains": asked}])
            self.assertEqual(index.find(LineTraits(plan_name=sent)), 0)
            self.assertIsNone(index.find(LineTraits(plan_name="Cafe 365")))
        for asked in names:
            index = build([{"charge_type": asked}])
            for sent in names:
                self.assertEqual(index.find(LineTraits(charge_type=sent)), 0)

    @given(st.text(".^$%_\\\\[](){}+?|", min_size=1, max_size=4))
    @settings(max_examples=100, deadline=None)
    def test_only_the_asterisk_stands_for_other_text(self, text):
        index = build([{"text_contains": text}])
        self.assertEqual(index.find(LineTraits(description=f"a{text}b")), 0)
        self.assertIsNone(index.find(LineTraits(description="some words")))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRulePreviewProperties(RulesCommon):
    """What a rule says of itself before it is saved is what an import does after."""

    def setUp(self):
        super().setUp()
        self.document = self.book(
            self.subscription("p1", "1.00", PlanName="Business Premium"),
            self.subscription("p1", "2.00", line={"ChargeType": "Usage Fee"}),
            self.subscription("p2", "4.00", PlanCategoryName="cycle-fee"),
            self.subscription("", "8.00", PlanName="Azure plan"),
            self.subscription("p3", "16.00", line={"BillingFrequency": "Correction"}),
        )

    def get_values(self, rule):
        values = dict(rule)
        is_of_this = 1 in values.pop("connection_ids", ())
        is_of_customer = values.pop("customer_id", None) == 1
        return {
            **values,
            "connection_id": is_of_this and self.connection.id,
            "customer_id": is_of_customer and self.document.customer_id.id,
        }

    @given(st.lists(RULE, max_size=4), RULE, st.integers(5, 15))
    @settings(max_examples=25, deadline=None)
    def test_what_is_shown_is_what_is_imported(self, others, rule, sequence):
        with self.undone():
            for values in others:
                self.add_rule(**self.get_values(values))
            self.process_again(self.document)
            before = {line: line.rule_id for line in self.document.line_ids}
            new = self.env["copaco.rule"].new(
                {
                    "company_id": self.company.id,
                    "sequence": sequence,
                    **self.get_values(rule),
                }
            )
            taken, changed = self.env["copaco.rule.effect"]._compare(new)
            saved = self.add_rule(sequence=sequence, **self.get_values(rule))
            self.process_again(self.document)
            lines = self.document.line_ids
            caught = lines.filtered(lambda line: line.rule_id == saved)
            self.assertEqual(sum(taken.values()), len(caught))
            self.assertEqual(saved.line_count, len(caught))
            different = lines.filtered(lambda line: line.rule_id != before[line])
            self.assertEqual(different, caught)
            self.assertGreaterEqual(len(different), sum(changed.values()))
