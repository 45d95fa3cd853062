from odoo.tests import freeze_time, tagged

from .earned import EarnedCommon, monthly
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDraftChecks(EarnedCommon):
    """What stands out about an invoice leaves it a draft, with what it is and what to
    do."""

    def test_a_total_that_jumps_leaves_it_a_draft_and_a_person_confirms_it(self):
        self.earn(monthly("10.00", Quantity=10, UnitPrice=1))
        document = self.bill(monthly("15.00", Quantity=15, UnitPrice=1))
        self.assertLeftAsDraft(document, "total_differs", "line_differs")
        self.assertIn("15.00", document.draft_message)
        self.assertIn("10.00", document.draft_message)
        self.assertIn("July 2026", document.draft_message)
        self.assertIn("15.00", document.move_id.message_ids[0].body)
        self.act(document, "action_confirm_invoice")
        self.assertConfirmed(document)
        self.assertEqual(self.count(document), 3)
        self.assertEqual(
            self.get_refusal(document, "action_confirm_invoice")[:3], "S-8"
        )

    def test_up_to_the_limit_it_is_confirmed(self):
        self.connection.jump_limit = 50
        self.earn(monthly("10.00", Quantity=10, UnitPrice=1))
        line = monthly("15.00", Quantity=15, UnitPrice=1)
        self.assertConfirmed(self.bill(line))

    def test_up_to_an_amount_it_is_confirmed_whatever_that_is_in_percent(self):
        self.connection.write({"jump_limit": 0, "jump_amount": 1})
        self.earn(monthly("1.00", Quantity=10, UnitPrice="0.1"))
        line = monthly("2.00", Quantity=20, UnitPrice="0.1")
        self.assertConfirmed(self.bill(line))
        line = monthly("3.10", Quantity=31, UnitPrice="0.1")
        self.assertLeftAsDraft(self.bill(line), "total_differs", "line_differs")

    def test_a_drop_stands_out_like_a_rise(self):
        self.earn(monthly("10.00", Quantity=10, UnitPrice=1))
        document = self.bill(monthly("5.00", Quantity=5, UnitPrice=1))
        self.assertLeftAsDraft(document, "total_differs", "line_differs")

    def test_lines_that_make_up_for_each_other_stand_out(self):
        usage = {"ChargeType": "Usage Fee"}
        self.earn(monthly("50", 1, **usage), monthly("50", 2, **usage))
        document = self.bill(monthly("70", 1, **usage), monthly("30", 2, **usage))
        self.assertLeftAsDraft(document, "line_differs")
        self.assertIn(": 2, most of all", document.draft_message)

    def test_a_changed_price_stands_out(self):
        self.earn(monthly("100", Quantity=10, UnitPrice=10))
        document = self.bill(monthly("101", Quantity=10, UnitPrice="10.1"))
        self.assertLeftAsDraft(document, "price_changed")
        self.assertIn("10.10", document.draft_message)

    def test_prices_that_differ_are_not_written_alike(self):
        self.earn(monthly("96", Quantity=1000, UnitPrice="0.096"))
        document = self.bill(monthly("104", Quantity=1000, UnitPrice="0.104"))
        self.assertLeftAsDraft(document, "price_changed")
        self.assertIn("0.104", document.draft_message)
        self.assertIn("0.096", document.draft_message)

    def test_more_pieces_for_less_than_the_limit_are_no_other_price(self):
        self.earn(monthly("100", Quantity=10, UnitPrice=10))
        self.assertConfirmed(self.bill(monthly("110", Quantity=11, UnitPrice=10)))

    def test_a_usage_price_may_be_another_each_month(self):
        usage = {"ChargeType": "Usage Fee", "Quantity": 10}
        self.earn(monthly("100", UnitPrice=10, **usage))
        self.assertConfirmed(self.bill(monthly("101", UnitPrice="10.1", **usage)))

    def test_a_new_subscription_stands_out_and_a_known_one_does_not(self):
        known = {"one": [monthly("100")]}
        yearly = {"two": [monthly("5", 2, BillingFrequency="Yearly")]}
        self.earn(subscriptions={**known, **yearly}, months=1)
        self.earn(subscriptions=known, months=1)
        self.connection.jump_amount = 50
        self.assertConfirmed(self.bill(subscriptions={**known, **yearly}))
        document = self.bill(subscriptions={**known, "three": [monthly("5", 3)]})
        self.assertLeftAsDraft(document, "subscription_new")
        self.assertIn("Name of three", document.draft_message)

    def test_a_subscription_that_ended_stands_out(self):
        known = {"one": [monthly("100")]}
        self.earn(subscriptions={**known, "two": [monthly("5", 2)]})
        document = self.bill(subscriptions=known)
        self.assertLeftAsDraft(document, "subscription_gone")
        self.assertIn("Name of two", document.draft_message)

    def test_what_is_not_billed_each_month_may_be_missing(self):
        known = {"one": [monthly("100")]}
        once = {"two": [monthly("5", 2, ChargeType="One Time Fee")]}
        yearly = {"three": [monthly("5", 3, BillingFrequency="Yearly")]}
        self.earn(subscriptions={**known, **once, **yearly})
        self.assertConfirmed(self.bill(subscriptions=known))

    def test_a_renamed_subscription_is_the_same(self):
        self.earn(subscriptions={"one": [monthly("100", Description="Old name")]})
        document = self.bill(
            subscriptions={"one renamed": [monthly("100", Description="New name")]}
        )
        self.assertConfirmed(document)

    def test_a_renamed_subscription_does_not_hide_another_price(self):
        self.earn(subscriptions={"one": [monthly("100", Description="Old name")]})
        document = self.bill(
            subscriptions={"one": [monthly("101", Description="New name")]}
        )
        self.assertLeftAsDraft(document, "price_changed")

    def test_a_charge_that_was_not_there_stands_out(self):
        self.earn(subscriptions={"one": [monthly("100")]})
        document = self.bill(
            subscriptions={
                "one": [monthly("100"), monthly("5", 2, ChargeType="Set-up Fee")]
            }
        )
        self.assertLeftAsDraft(document, "line_differs")

    def test_a_credit_note_stands_out(self):
        self.earn()
        document = self.bill(monthly("-10.00"))
        self.assertEqual(document.move_id.move_type, "out_refund")
        self.assertEqual(document.draft_reason, "negative_total")
        self.assertIn("credit note", document.draft_message)

    def test_another_currency_stands_out(self):
        self.earn()
        usd = self.env.ref("base.USD")
        usd.active = True
        self.env["res.currency.rate"].create(
            {"name": "2020-01-01", "rate": 1.1, "currency_id": usd.id}
        )
        document = self.bill(Currency="USD")
        self.assertLeftAsDraft(document, "currency_changed")
        self.assertIn("EUR", document.draft_message)
        self.assertIn("USD", document.draft_message)

    def test_the_first_invoice_to_another_contact_stands_out(self):
        documents = self.earn()
        documents.customer_id.partner_id = self.other
        self.assertLeftAsDraft(self.bill(), "first_invoice")
        documents.customer_id.sudo().match_method = "accepted"
        document = self.bill()
        self.assertLeftAsDraft(document, "first_invoice", "likely_match")
        self.confirm(document)
        self.assertConfirmed(self.bill())

    def test_what_a_person_confirms_is_sent_where_that_was_earned(self):
        self.connection.write({"invoice_policy": "send", "auto_policy_months": 1})
        self.earn()
        document = self.bill(monthly("30.00"))
        self.assertEqual(document.draft_reason, "total_differs")
        (delivery,) = document.move_id.copaco_delivery_ids
        self.assertFalse(delivery.search(self.env["copaco.sender"]._get_due_domain()))
        self.confirm(document)
        self.assertTrue(delivery.search(self.env["copaco.sender"]._get_due_domain()))

    def test_the_draft_invoice_says_it_too(self):
        self.earn()
        move = self.bill(monthly("30.00")).move_id.with_user(self.billing_user)
        self.assertIn("30.00", move.copaco_draft_message)
        move.action_post()
        self.assertFalse(move.copaco_draft_message)

    def test_an_incomplete_contact_comes_first(self):
        self.earn()
        self.partner.street = False
        document = self.bill(monthly("30.00"))
        self.assertEqual(document.draft_reason, "contact_incomplete")
        self.assertFalse(document.check_message)

    def test_several_invoices_of_a_month_are_compared_together(self):
        for _month in range(2):
            self.month += 1
            self.add(subscriptions={"one": [monthly("60")]})
            self.add(subscriptions={"two": [monthly("40", 2)]})
        self.fetch()
        self.confirm(self.documents)
        before = self.documents
        self.month += 1
        self.add(subscriptions={"one": [monthly("60")], "two": [monthly("40", 2)]})
        self.fetch()
        self.assertConfirmed(self.documents - before)

    def test_a_part_of_a_month_is_compared_and_left_for_a_person(self):
        known = {"one": [monthly("60")]}
        self.earn(subscriptions={**known, "two": [monthly("40", 2)]})
        first = self.bill(subscriptions=known)
        self.assertLeftAsDraft(first, "total_differs", "subscription_gone")
        self.add(subscriptions={"two": [monthly("40", 2)]})
        self.fetch()
        self.assertConfirmed(self.documents[-1])
        self.assertEqual(first.move_id.state, "draft")

    def test_what_is_excluded_is_not_compared(self):
        self.earn(monthly("10"), monthly("20", 2))
        document = self.bill(monthly("10"), monthly("20", 2), monthly("30", 3))
        self.assertEqual(document.draft_reason, "total_differs")
        document = document.sudo()
        document.line_ids[-1:].is_excluded = True
        document._update_amount_excluded()
        document.move_id.unlink()
        document.state = "new"
        self.process(document)
        self.assertConfirmed(document)

    def test_a_draft_that_copaco_changes_says_what_stands_out_now(self):
        self.earn()
        document = self.bill(monthly("30.00"))
        self.assertIn("30.00", document.draft_message)
        self.month -= 1
        for amount, text in (("40.00", "40.00"), ("10.00", "nothing about it")):
            del self.simulator.invoices[-1]
            self.month += 1
            self.add(monthly(amount))
            self.month -= 1
            self.fetch()
            self.assertEqual(document.move_id.state, "draft")
            self.assertEqual(document.move_id.amount_untaxed, float(amount))
            self.assertIn(text, document.draft_message)

    def test_it_reads_in_the_language_of_who_reads(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.earn()
        document = self.bill(monthly("30.00"))
        dutch = document.with_context(lang="nl_NL").draft_message
        self.assertIn("juli 2026", dutch)

    def test_an_invoice_that_waits_for_its_month_is_compared_when_it_is_complete(self):
        self.connection.write({"wait_for_month": True, "fetch_purchases": False})
        self.earn()
        document = self.bill()
        self.assertConfirmed(document)
        self.month += 1
        self.add(account="A2", customer="K-2")
        self.month -= 1
        self.fetch()
        waiting = self.bill(monthly("30.00"))
        self.assertLeftAsDraft(
            waiting, "total_differs", "line_differs", "price_changed"
        )

    def test_many_are_compared_in_as_many_queries_as_one(self):
        for account in range(8):
            self.create_customer(f"B{account}", self.partner)
        counts = []
        for accounts in (["B0"], [f"B{each}" for each in range(1, 8)]):
            self.month = 5
            for _month in range(2):
                self.month += 1
                for account in accounts:
                    self.add(account=account)
            self.fetch()
            drafts = self.documents.filtered(lambda each: each.move_id.state == "draft")
            self.confirm(drafts)
            self.month += 1
            self.connection.invoice_policy = "draft"
            for account in accounts:
                self.add(monthly("30.00"), account=account)
            self.fetch()
            self.connection.invoice_policy = "post"
            drafts = self.documents.filtered(lambda each: each.move_id.state == "draft")
            self.assertEqual(len(drafts), len(accounts))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            automation = drafts.sudo().env["copaco.automation"]
            policies = automation._get_policies(drafts.sudo())
            self.assertEqual(set(policies.values()), {"post"})
            found = drafts.sudo().env["copaco.draft.checker"]._find(drafts.sudo())
            self.assertEqual(len(found), len(accounts))
            counts.append(self.env.cr.sql_log_count - before)
            drafts.move_id.unlink()
            drafts.action_exclude("Own use")
        self.assertLessEqual(counts[1], counts[0] + 2)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCostSide(EarnedCommon, CopacoBillCommon):
    """What Copaco bills the reseller says nothing about what a customer is billed."""

    def test_a_cost_that_is_paired_without_a_row_hash_keeps_no_invoice_a_draft(self):
        self.connection.purchase_policy = "off"
        self.earn()
        period = {"StartDate": "20260801", "EndDate": "20260828"}
        line = monthly("8.00", InvoiceRowHash="", **period)
        self.add_purchase("P-1", {"A1": [line]}, Date="20260823")
        self.fetch()
        document = self.bill()
        pairs = self.env["copaco.margin"].sudo()._get_pairs(document.sudo().line_ids)
        self.assertEqual([pair.cost for pair in pairs.values()], [8])
        self.assertConfirmed(document)
