"""Properties of automation that is earned, against an implementation of its own in a
few lines."""

from odoo.tests import BaseCase, freeze_time, tagged
from odoo.tools import SQL

from ..tools import Charge, compare_months
from .earned import DAYS, EarnedCommon, monthly
from .properties import examples, given, settings, st

# What a person does with the invoice of a month, and when: with that month, or after
# the last one.
ACTIONS = ("confirm", "leave", "edit", "pay_ref", "reset", "credit", "delete", "none")
LATE = ("reset", "credit")


def predict(months, needed):
    """:param months: list of (what a person did in a month, whether that was later)
    :param needed: how many months it takes
    :return: (how many months count, how far the next invoice goes)
    """
    count, is_lost = 0, False
    for action, is_late in months:
        if action in ("confirm", "pay_ref"):
            count += 1
        elif action in ("edit", *LATE):
            count = 0
            is_lost = is_lost or (action in LATE and is_late)
    count = 0 if is_lost else count
    return count, ("draft", "post", "send")[min(count // needed, 2)]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEarnedProperties(EarnedCommon):
    """Whatever a person did month after month, what a customer has earned is as many
    months as were confirmed unchanged since."""

    def setUp(self):
        super().setUp()
        self.connection.write({"invoice_policy": "draft", "jump_limit": 1000})
        for month in range(5, 10):
            self.month = month
            self.add(monthly("10.00"))
        self.fetch()
        *self.before, self.next = self.documents.sudo().sorted("invoice_date")
        # Nothing of it waits to be written when an example is undone.
        self.connection.invoice_policy = "send"
        self.env.flush_all()

    def edit(self, move):
        move.invoice_line_ids.quantity = 3

    def do(self, document, action, is_late):
        """Do what a person does with the draft of a month."""
        move = document.move_id
        if action == "none":
            move.unlink()
            document.action_exclude("Nothing that month")
        if action == "delete":
            move.unlink()
        if action in ("none", "delete", "leave"):
            return
        if action == "edit":
            self.edit(move)
        if action == "pay_ref":
            move.payment_reference = "Mine"
        move.action_post()
        day = DAYS[-1] if is_late else document.invoice_date
        if action == "reset":
            move.button_draft()
            move.action_post()
            # It is noted as of today.
            self.env.cr.execute(
                SQL(
                    "UPDATE copaco_document SET manual_change_on = %s WHERE id = %s",
                    day,
                    document.id,
                )
            )
            document.invalidate_recordset()
        if action == "credit":
            credit = move._reverse_moves()
            self.env.flush_all()
            self.env.cr.execute(
                SQL(
                    "UPDATE account_move SET create_date = %s WHERE id = %s",
                    day,
                    credit.id,
                )
            )

    @given(
        st.lists(
            st.tuples(st.sampled_from(ACTIONS), st.booleans()), min_size=4, max_size=4
        ),
        st.integers(1, 3),
    )
    @settings(max_examples=examples(15), deadline=None)
    def test_what_is_earned_is_what_was_confirmed_unchanged(self, months, needed):
        with self.undone():
            self.connection.auto_policy_months = needed
            for document, (action, is_late) in zip(self.before, months, strict=True):
                self.do(document, action, is_late)
            self.next.move_id.unlink()
            self.next.state = "new"
            self.process(self.next)
            count, policy = predict(months, needed)
            customer = self.next.customer_id
            self.assertEqual(customer.unchanged_months, count, months)
            self.assertEqual(customer.policy_in_force, policy)
            move = self.next.move_id
            if policy == "draft":
                self.assertEqual(move.state, "draft")
                self.assertEqual(self.next.draft_reason, "not_automated")
            else:
                self.assertEqual(move.state, "posted", self.next.draft_message)
            self.assertEqual(bool(move.copaco_delivery_ids), policy == "send")


AMOUNTS = st.integers(-5, 40)
SERVICES = st.lists(
    st.tuples(
        st.sampled_from(["", "one", "two", "three"]),  # subscription
        st.sampled_from(["cyclefee", "usagefee"]),
        st.sampled_from(["a", "b"]),  # description
        AMOUNTS,
    ),
    max_size=6,
    unique_by=lambda each: each[:3],
)


def build(services, is_now, unknown=()):
    return [
        Charge(
            is_now,
            subscription=subscription,
            charge=charge,
            service=service,
            name=subscription,
            line_name=service,
            amount=amount,
            lowest=amount,
            highest=amount,
            is_recurring=charge == "cyclefee",
            is_unknown=is_now and subscription in unknown,
            document_ids=(1,) if is_now else (2,),
        )
        for subscription, charge, service, amount in services
    ]


@tagged("post_install", "-at_install")
class TestMonthComparison(BaseCase):
    """What differs between two months, as a person would see it."""

    def find(self, now, before, unknown=(), limit=20, least=1):
        charges = build(now, True, unknown) + build(before, False)
        found = compare_months(charges, limit, least)
        for document_ids, _figures in found:
            self.assertEqual({*document_ids}, {1} if now else set())
        return {figures["reason"]: figures for _ids, figures in found}

    @given(SERVICES)
    @settings(max_examples=200, deadline=None)
    def test_the_same_month_again_differs_in_nothing(self, services):
        self.assertFalse(self.find(services, services))

    @given(SERVICES, SERVICES, st.sampled_from([0, 20, 100]), st.sampled_from([0, 1]))
    @settings(max_examples=300, deadline=None)
    def test_a_total_differs_when_a_person_would_say_so(
        self, now, before, limit, least
    ):
        found = self.find(now, before, limit=limit, least=least)
        total, was = (sum(each[3] for each in own) for own in (now, before))
        change = abs(total - was)
        expected = change > least and change * 100 > abs(was) * limit
        if now:
            self.assertEqual("total_differs" in found, expected)

    @given(SERVICES, SERVICES)
    @settings(max_examples=300, deadline=None)
    def test_subscriptions_that_are_new_or_ended_are_named(self, now, before):
        known = {each[0] for each in before}
        unknown = {each[0] for each in now} - known
        found = self.find(now, before, unknown=unknown)
        new = found.get("subscription_new", {"names": []})["names"]
        self.assertEqual({*new}, unknown - {""})
        gone = found.get("subscription_gone", {"names": []})["names"]
        recurring = {each[0] for each in before if each[1] == "cyclefee"}
        if now:
            self.assertEqual({*gone}, recurring - {each[0] for each in now})

    @given(SERVICES, st.integers(0, 5), st.integers(3, 100))
    @settings(max_examples=200, deadline=None)
    def test_one_line_that_changes_is_found(self, services, at, change):
        if not services:
            return
        at %= len(services)
        changed = [*services]
        changed[at] = (*services[at][:3], services[at][3] + change)
        found = self.find(changed, services)
        is_large = change * 100 > abs(services[at][3]) * 20
        self.assertEqual("line_differs" in found, is_large)
        self.assertEqual("price_changed" in found, services[at][1] == "cyclefee")

    @given(SERVICES, SERVICES)
    @settings(max_examples=100, deadline=None)
    def test_another_currency_is_said_instead_of_a_difference(self, now, before):
        charges = [each._replace(currency_id=2) for each in build(now, True)]
        if not before:
            return
        found = compare_months(charges + build(before, False), 20, 1)
        reasons = {figures["reason"] for _ids, figures in found}
        self.assertLessEqual(reasons, {"currency_changed", "subscription_gone"})
        self.assertEqual("currency_changed" in reasons, bool(now))
