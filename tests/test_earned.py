from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import CopacoChangeCommon, price_line

DAYS = [date(2026, month, 23) for month in range(1, 12)]


def monthly(amount, number=1, **values):
    return price_line(
        amount, number=number, **{"BillingFrequency": "Monthly", **values}
    )


class EarnedCommon(CopacoChangeCommon):
    """Customers whose contacts are complete, and a connection that automates after two
    months."""

    def setUp(self):
        super().setUp()
        self.other = self.create_partner(name="Slager", ref="K-2")
        self.connection.write(
            {
                # Each month is fetched on the same day.
                "date_tolerance_days": 400,
                "invoice_policy": "post",
                "auto_policy_months": 2,
            }
        )
        self.month = 5

    def add(self, *lines, subscriptions=None, account="A1", customer="K-1", **values):
        """Let Copaco bill a customer in the month that it is.

        :param subscriptions: dict of lists of lines by id, instead of one
        :return: the number of the invoice
        """
        day = DAYS[self.month - 1]
        period = {"StartDate": f"{day:%Y%m}01", "EndDate": f"{day:%Y%m}28"}
        number = f"S-{self.month}-{len(self.simulator.invoices)}"
        subscriptions = subscriptions or {
            f"subscription-{account}": lines or [monthly("10.00")]
        }
        customer = {
            "CustomerNumber": customer,
            "Subscriptions": [
                {
                    "SubscriptionID": each.split(" ")[0],
                    "SubscriptionName": f"Name of {each}",
                    "PlanName": "Plan",
                    "PlanID": "plan",
                    "PriceLines": [
                        {**line, "InvoiceRowHash": f"{number}-{each}-{at}", **period}
                        for at, line in enumerate(own)
                    ],
                }
                for each, own in subscriptions.items()
            ],
        }
        self.add_invoice(
            number, account, [], customer=customer, **{"Date": f"{day:%Y%m%d}"} | values
        )
        return number

    def bill(self, *lines, **values):
        """Let Copaco bill a customer in the next month, and fetch that.

        :return: the document
        """
        self.month += 1
        number = self.add(*lines, **values)
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def earn(self, *lines, months=2, **values):
        """Let a person confirm the invoices of so many months, in the order of months.

        :return: the documents
        """
        numbers = []
        for _month in range(months):
            self.month += 1
            numbers.append(self.add(*lines, **values))
        self.fetch()
        documents = self.documents.filtered(lambda each: each.invoice_number in numbers)
        self.confirm(documents)
        return documents

    def confirm(self, documents):
        """Confirm invoices as a person does."""
        self.assertEqual(set(documents.move_id.mapped("state")), {"draft"})
        documents.move_id.with_user(self.billing_user).action_post()

    def count(self, document):
        """:return: how many months count, as the scheduled action does it"""
        automation = self.env["copaco.automation"].sudo()
        automation._count(document.customer_id, self.connection)
        return document.customer_id.unchanged_months

    def assertBraked(self, document, *brakes):
        self.assertEqual(document.move_id.state, "draft")
        self.assertEqual(
            [each["brake"] for each in document.draft_brakes or ()], [*brakes]
        )
        self.assertEqual(document.draft_reason, brakes[0])
        lines = document.draft_message.split("\n")
        self.assertEqual(len(lines), len(brakes))
        self.assertFalse([line for line in lines if "%(" in line or "None" in line])
        to_do = self.env.ref("account_copaco.action_copaco_document_to_do")
        Document = self.env["copaco.document"]
        for domain in (to_do._get_action_dict()["domain"], None):
            domain = safe_eval(domain) if domain else Document._get_to_do_domain()
            self.assertIn(document, Document.search(domain))

    def assertConfirmed(self, document):
        self.assertRecordValues(document, [{"draft_reason": False, "draft_brakes": False}])
        self.assertEqual(document.move_id.state, "posted")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEarned(EarnedCommon):
    """A customer earns that its invoices are confirmed, and later sent, without a
    person; a manual change loses that."""

    # === EARNED === #

    def test_after_two_unchanged_months_an_invoice_is_confirmed(self):
        first, second = self.earn()
        self.assertEqual(first.draft_reason, False)
        third = self.bill()
        self.assertEqual(third.customer_id.unchanged_months, 2)
        self.assertConfirmed(third)
        self.assertFalse(third.move_id.copaco_delivery_ids)

    def test_before_that_it_is_left_as_a_draft_that_nobody_is_told_of(self):
        self.earn(months=1)
        document = self.bill()
        self.assertEqual(document.draft_reason, "not_automated")
        self.assertIn("Check it, then confirm it", document.draft_message)
        self.assertNotIn(
            document, document.search(document._get_to_do_domain())
        )
        self.assertEqual(self.count(document), 1)
        self.assertEqual(document.customer_id.policy_in_force, "draft")
        self.assertIn("1 of 2", document.customer_id.policy_reason)

    def test_after_as_many_again_it_is_sent_too(self):
        self.connection.write({"invoice_policy": "send", "auto_policy_months": 1})
        self.earn(months=1)
        second = self.bill()
        self.assertConfirmed(second)
        self.assertFalse(second.move_id.copaco_delivery_ids)
        third = self.bill()
        self.assertConfirmed(third)
        self.assertTrue(third.move_id.copaco_delivery_ids)

    def test_it_goes_no_further_than_the_connection(self):
        self.connection.auto_policy_months = 1
        self.earn(months=2)
        document = self.bill()
        self.assertConfirmed(document)
        self.assertFalse(document.move_id.copaco_delivery_ids)
        self.connection.invoice_policy = "draft"
        document = self.bill()
        self.assertFalse(document.draft_reason)
        self.assertEqual(document.move_id.state, "draft")

    def test_off_it_is_as_ever_and_asks_the_database_nothing(self):
        self.connection.auto_policy_months = 0
        document = self.bill()
        self.assertConfirmed(document)
        automation = self.env["copaco.automation"].sudo()
        documents = document.sudo()
        documents.connection_id.invoice_policy, documents.customer_id.invoice_policy
        with self.assertQueryCount(0):
            self.assertEqual(automation._get_policies(documents), {document: "post"})
            brakes = self.env["copaco.brakes"].sudo()
            self.assertEqual(brakes._split_off_braked(documents), documents)

    def test_what_was_there_before_counts_when_it_is_switched_on(self):
        self.connection.write({"invoice_policy": "draft", "auto_policy_months": 0})
        self.earn()
        self.connection.write({"invoice_policy": "post", "auto_policy_months": 2})
        self.assertConfirmed(self.bill())

    # === WHAT COUNTS === #

    def test_an_edited_price_loses_it(self):
        documents = self.earn(months=3)
        self.assertEqual(self.count(documents[0]), 3)
        fourth = self.bill()
        self.assertConfirmed(fourth)
        fourth.move_id.button_draft()
        with self.subTest("it was reset"):
            self.assertEqual(self.count(fourth), 0)
            self.assertEqual(fourth.customer_id.last_change, "reset")
        self.assertIn(fourth.invoice_number, fourth.customer_id.policy_reason)

    def test_edits_count_from_the_month_of_the_invoice(self):
        edits = {
            "price": lambda line: line.write({"price_unit": 11}),
            "quantity": lambda line: line.write({"quantity": 2}),
            "tax": lambda line: line.write({"tax_ids": [Command.clear()]}),
            "account": lambda line: line.write(
                {"account_id": line.account_id.copy().id}
            ),
            "removed": lambda line: line.unlink(),
            "added": lambda line: line.copy({"move_id": line.move_id.id}),
            "terms": lambda line: line.move_id.write(
                {"invoice_payment_term_id": self.pay_terms_b.id}
            ),
        }
        self.month += 1
        self.add()
        self.month += 1
        numbers = [self.add(monthly("4"), monthly("6", 2))]
        self.month += 1
        self.add()
        self.fetch()
        second = self.documents.filtered(lambda each: each.invoice_number in numbers)
        for name, edit in edits.items():
            with self.subTest(name), self.undone():
                edit(second.move_id.invoice_line_ids[0])
                self.confirm(self.documents)
                self.assertEqual(self.count(second), 1)
                self.assertEqual(second.customer_id.last_change, "edited")
                self.assertIn("1 of 2", second.customer_id.policy_reason)

    def test_a_payment_reference_is_no_edit(self):
        documents = self.earn()
        documents[0].move_id.payment_reference = "Mine"
        self.assertEqual(self.count(documents), 2)
        self.month += 1
        self.add()
        self.fetch()
        self.assertConfirmed(self.documents[-1])

    def test_an_account_that_is_changed_after_it_was_confirmed_loses_it(self):
        documents = self.earn()
        self.assertEqual(self.count(documents), 2)
        line = documents[0].move_id.invoice_line_ids
        line.account_id = line.account_id.copy()
        self.assertEqual(self.count(documents), 0)

    def test_a_manual_credit_note_loses_it_until_it_is_gone(self):
        documents = self.earn()
        self.assertEqual(self.count(documents), 2)
        credit = documents[0].move_id._reverse_moves()
        self.assertEqual(self.count(documents), 0)
        self.assertEqual(documents.customer_id.last_change, "credited")
        self.assertEqual(documents.customer_id.last_change_document_id, documents[0])
        self.assertEqual(self.bill().move_id.state, "draft")
        credit.unlink()
        self.assertEqual(self.count(documents), 2)

    def test_what_happened_is_seen_soon_without_being_asked_for(self):
        documents = self.earn()
        self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(documents.customer_id.unchanged_months, 2)

    def test_a_month_without_an_invoice_neither_counts_nor_loses(self):
        self.earn(months=1)
        self.month += 1
        self.earn(months=1)
        self.month += 1
        self.assertConfirmed(self.bill())

    def test_all_invoices_of_a_month_must_be_confirmed_unchanged(self):
        self.month += 1
        self.add()
        self.add(subscriptions={"other": [monthly("5", 2)]})
        self.month += 1
        self.add()
        self.fetch()
        first, second, third = self.documents
        self.confirm(first | third)
        self.assertEqual(self.count(first), 1)
        self.confirm(second)
        self.assertEqual(self.count(first), 2)

    def test_what_is_excluded_is_no_invoice_of_the_month(self):
        documents = self.earn()
        self.add(subscriptions={"other": [monthly("5", 2)]})
        self.fetch()
        third = self.documents[-1]
        self.assertEqual(self.count(third), 1)
        third.move_id.unlink()
        self.act(third, "action_exclude", "Own use")
        self.assertEqual(self.count(documents), 2)

    def test_what_copaco_changed_counts_once_it_is_corrected(self):
        documents = self.earn()
        self.simulator.invoices.clear()
        self.month -= 1
        number = documents[0].invoice_number
        self.add(monthly("12.00"))
        self.fetch()
        self.assertEqual(documents[0].invoice_number, number)
        self.assertEqual(documents[0].state, "changed")
        self.assertEqual(self.count(documents), 1)
        correction = self.get_correction(documents[0])
        self.assertEqual(self.count(documents), 1)
        correction.action_post()
        self.assertEqual(self.count(documents), 2)

    def test_an_edited_correction_loses_it(self):
        documents = self.earn()
        self.simulator.invoices.clear()
        self.month -= 1
        self.add(monthly("12.00"))
        self.fetch()
        correction = self.get_correction(documents[0])
        correction.invoice_line_ids.price_unit = 1
        correction.action_post()
        self.assertEqual(self.count(documents), 1)
        self.assertEqual(documents.customer_id.last_change, "edited")

    def test_an_invoice_to_another_contact_loses_it(self):
        documents = self.earn()
        wizard = self.env["copaco.invoice.contact"].create(
            {
                "document_id": documents[1].id,
                "partner_id": self.other.id,
                "invoice_date": "2026-11-25",
            }
        )
        self.act(wizard, "action_invoice")
        self.assertEqual(self.count(documents), 0)
        self.assertEqual(documents[1].move_id.state, "draft")

    def test_each_account_of_a_contact_earns_for_itself(self):
        self.earn()
        self.add(account="A9", customer="K-9")
        self.fetch()
        other = self.documents[-1]
        other.customer_id.sudo()._link(self.partner, "manual")
        other.state = "new"
        self.process(other)
        self.assertEqual(other.draft_reason, "not_automated")

    # === CHOSEN BY A PERSON === #

    def test_an_administrator_overrules_what_was_earned(self):
        documents = self.earn()
        customer = documents.customer_id
        customer.invoice_policy = "draft"
        self.assertEqual(customer.policy_in_force, "draft")
        self.assertEqual(self.bill().draft_reason, "not_automated")
        customer.invoice_policy = "send"
        self.assertEqual(customer.policy_in_force, "post")
        self.assertIn("no further", customer.policy_reason)
        self.assertConfirmed(self.bill())

    def test_as_the_connection_says_nothing_is_compared(self):
        documents = self.earn(months=1)
        documents.customer_id.invoice_policy = "connection"
        self.assertConfirmed(self.bill(monthly("99.00")))

    def test_a_customer_that_was_never_billed_may_be_overruled_and_is_braked(self):
        self.month += 1
        number = self.add()
        self.env["copaco.customer"].sudo().create(
            {
                "company_id": self.company.id,
                "account_ref": "A1",
                "invoice_policy": "post",
            }
        )
        self.fetch()
        self.assertEqual(self.documents.invoice_number, number)
        self.assertBraked(self.documents, "first_invoice")

    def test_off_a_customer_may_be_left_as_draft(self):
        self.connection.auto_policy_months = 0
        document = self.bill()
        document.customer_id.invoice_policy = "draft"
        self.assertEqual(self.bill().draft_reason, "not_automated")

    def test_only_administrators_overrule(self):
        customer = self.earn().customer_id
        with self.assertRaises(AccessError):
            customer.with_user(self.billing_user).invoice_policy = "send"
        for name, value in (("unchanged_months", 9), ("last_change", False)):
            with self.assertRaises(AccessError):
                customer.with_user(self.billing_user).write({name: value})

    def test_customers_are_found_by_what_is_in_force(self):
        earned = self.earn().customer_id
        self.add(account="A2", customer="K-2")
        self.fetch()
        other = self.documents.customer_id - earned
        self.count(earned.document_ids)
        Customer = self.env["copaco.customer"].with_user(self.billing_user)
        own = [("company_id", "=", self.company.id)]
        for policy, found in (("post", earned), ("draft", other), ("send", earned[:0])):
            domain = [*own, ("policy_in_force", "=", policy)]
            self.assertEqual(Customer.search(domain), found)
        self.assertEqual(
            self.connection.with_user(self.billing_user).automation_summary,
            "Leave as draft: 1, confirm: 1, confirm and send: 0",
        )
        action = self.connection.action_view_automation()
        self.assertEqual(Customer.search(action["domain"]), earned | other)

    def test_who_decides_about_a_customer_is_told_that_it_becomes_a_draft(self):
        self.month += 1
        self.add(account="A7", customer="")
        self.fetch()
        customer = self.documents.customer_id
        self.assertEqual(customer.consequence, "Draft invoices: 1")
        customer.invoice_policy = "connection"
        customer.invalidate_recordset()
        self.assertEqual(customer.consequence, "Invoices to confirm: 1")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBrakes(EarnedCommon):
    """What stands out about an invoice leaves it a draft, with what it is and what to
    do."""

    def test_a_total_that_jumps_leaves_it_a_draft_and_a_person_confirms_it(self):
        self.earn(monthly("10.00", Quantity=10, UnitPrice=1))
        document = self.bill(monthly("15.00", Quantity=15, UnitPrice=1))
        self.assertBraked(document, "total_differs", "line_differs")
        self.assertIn("15.00", document.draft_message)
        self.assertIn("10.00", document.draft_message)
        self.assertIn("July 2026", document.draft_message)
        self.assertIn("15.00", document.move_id.message_ids[0].body)
        self.act(document, "action_confirm_invoice")
        self.assertConfirmed(document)
        self.assertEqual(self.count(document), 3)
        self.assertEqual(self.get_refusal(document, "action_confirm_invoice")[:3], "S-8")

    def test_up_to_the_limit_it_is_confirmed(self):
        for limit, amount in ((50, "15.00"), (0, "11.00")):
            with self.subTest(limit=limit):
                self.connection.jump_limit = limit
                self.connection.jump_amount = 1
                self.month = 5
                self.documents.customer_id.sudo()
                account = f"A{limit}"
                self.create_customer(account, self.partner)
                self.earn(monthly("10.00", Quantity=10, UnitPrice=1), account=account)
                quantity = int(float(amount))
                line = monthly(amount, Quantity=quantity, UnitPrice=1)
                self.assertConfirmed(self.bill(line, account=account))

    def test_a_drop_stands_out_like_a_rise(self):
        self.earn(monthly("10.00", Quantity=10, UnitPrice=1))
        document = self.bill(monthly("5.00", Quantity=5, UnitPrice=1))
        self.assertBraked(document, "total_differs", "line_differs")

    def test_lines_that_make_up_for_each_other_stand_out(self):
        usage = {"ChargeType": "Usage Fee"}
        self.earn(monthly("50", 1, **usage), monthly("50", 2, **usage))
        document = self.bill(monthly("70", 1, **usage), monthly("30", 2, **usage))
        self.assertBraked(document, "line_differs")
        self.assertIn(": 2, most of all", document.draft_message)

    def test_a_changed_price_stands_out(self):
        self.earn(monthly("100", Quantity=10, UnitPrice=10))
        document = self.bill(monthly("101", Quantity=10, UnitPrice="10.1"))
        self.assertBraked(document, "price_changed")
        self.assertIn("10.10", document.draft_message)

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
        self.assertBraked(document, "subscription_new")
        self.assertIn("Name of three", document.draft_message)

    def test_a_subscription_that_ended_stands_out(self):
        known = {"one": [monthly("100")]}
        self.earn(subscriptions={**known, "two": [monthly("5", 2)]})
        document = self.bill(subscriptions=known)
        self.assertBraked(document, "subscription_gone")
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
        self.assertBraked(document, "price_changed")

    def test_a_charge_that_was_not_there_stands_out(self):
        self.earn(subscriptions={"one": [monthly("100")]})
        document = self.bill(
            subscriptions={
                "one": [monthly("100"), monthly("5", 2, ChargeType="Set-up Fee")]
            }
        )
        self.assertBraked(document, "line_differs")

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
        self.assertBraked(document, "currency_changed")
        self.assertIn("EUR", document.draft_message)
        self.assertIn("USD", document.draft_message)

    def test_the_first_invoice_to_another_contact_stands_out(self):
        documents = self.earn()
        documents.customer_id.partner_id = self.other
        self.assertBraked(self.bill(), "first_invoice")
        documents.customer_id.match_method = "accepted"
        document = self.bill()
        self.assertBraked(document, "first_invoice", "likely_match")
        self.confirm(document)
        self.assertConfirmed(self.bill())

    def test_an_incomplete_contact_comes_first(self):
        self.earn()
        self.partner.street = False
        document = self.bill(monthly("30.00"))
        self.assertEqual(document.draft_reason, "contact_incomplete")
        self.assertFalse(document.draft_brakes)

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
        self.assertBraked(first, "total_differs", "subscription_gone")
        self.add(subscriptions={"two": [monthly("40", 2)]})
        self.fetch()
        self.assertConfirmed(self.documents[-1])
        self.assertEqual(first.move_id.state, "draft")

    def test_what_is_excluded_is_not_compared(self):
        self.earn(monthly("10"), monthly("20", 2))
        document = self.bill(monthly("10"), monthly("20", 2), monthly("30", 3))
        self.assertEqual(document.draft_reason, "total_differs")
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
        self.assertBraked(waiting, "total_differs", "line_differs", "price_changed")

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
            found = drafts.sudo().env["copaco.brakes"]._find(drafts.sudo())
            self.assertEqual(len(found), len(accounts))
            counts.append(self.env.cr.sql_log_count - before)
            drafts.move_id.unlink()
            drafts.action_exclude("Own use")
        self.assertLessEqual(counts[1], counts[0] + 2)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestNobodyToConfirm(EarnedCommon):
    def test_what_is_not_a_draft_can_not_be_confirmed(self):
        document = self.bill()
        self.confirm(document)
        with self.assertRaises(UserError):
            document.action_confirm_invoice()
