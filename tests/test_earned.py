from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .earned import EarnedCommon, monthly


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
        self.assertNotIn(document, document.search(document._get_to_do_domain()))
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
        for record in (documents.connection_id, documents.customer_id):
            self.assertTrue(record.name, "It is read.")
        with self.assertQueryCount(0):
            self.assertEqual(automation._get_policies(documents), {document: "post"})
            checker = self.env["copaco.draft.checker"].sudo()
            self.assertEqual(checker._split_off_unusual(documents), documents)

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
                {"invoice_payment_term_id": self.create_payment_terms().id}
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
        cron = self.env.ref("account_copaco.ir_cron_process")
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]))
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
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
        with self.committing(wizard) as committing:
            committing.action_invoice()
        self.assertEqual(self.count(documents), 0)
        self.assertEqual(documents[1].move_id.state, "draft")

    def test_each_account_of_a_contact_earns_for_itself(self):
        self.earn()
        self.add(account="A9", customer="K-9")
        self.fetch()
        other = self.documents[-1].sudo()
        other.customer_id._link(self.partner, "manual")
        other.state = "new"
        self.process(other)
        self.assertEqual(other.draft_reason, "not_automated")

    def test_each_company_earns_for_itself(self):
        self.earn()
        other = self.setup_other_company()["company"]
        connection = self._create_connection(
            company_id=other.id,
            product_id=self.env.ref("account_copaco.product_cloud_services").id,
            invoice_policy="post",
            auto_policy_months=1,
        )
        self.assertFalse(self.env["copaco.automation"]._find_customers(connection))
        self.assertEqual(
            connection.automation_summary,
            "Leave as draft: 0, confirm: 0, confirm and send: 0",
        )

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

    def test_a_customer_that_was_never_billed_may_be_overruled_and_stays_a_draft(self):
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
        self.assertLeftAsDraft(self.documents, "first_invoice")

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
