from collections import defaultdict
from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import price_line
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBillChange(CopacoBillCommon):
    """What happens to a vendor bill afterwards, and what keeps one from being made."""

    def test_a_deleted_or_cancelled_bill_holds_its_documents_until_a_retry(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        self.purchases.move_id.button_cancel()
        self.assertEqual(
            self.purchases.mapped("hold_reason"), ["invoice_cancelled"] * 2
        )
        self.act(self.purchases[1], "action_retry")
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)
        self.purchases.move_id.unlink()
        self.assertEqual(self.purchases.mapped("hold_reason"), ["invoice_deleted"] * 2)
        self.act(self.purchases[0], "action_retry")
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)
        self.assertBalanced()

    def test_a_draft_follows_what_copaco_changes_and_adds(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        bill = self.purchases.move_id
        self.simulator.purchases.clear()
        self.add_purchase(
            "P-1",
            {
                "A1": [price_line("17")],
                "A2": [price_line("1")],
                "A3": [price_line("4")],
            },
        )
        self.fetch()
        self.assertEqual(self.purchases.move_id, bill)
        self.assertEqual(bill.amount_untaxed, 22)
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 3)
        self.assertBalanced()

    def test_a_draft_loses_a_document_that_has_no_lines_any_more(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        bill = self.purchases.move_id
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": []})
        self.fetch()
        second = self.purchases[1]
        self.act(second, "action_use_new_version")
        self.assertEqual(bill.amount_untaxed, 15)
        self.assertEqual(second.state, "excluded")
        self.assertBalanced()
        bill.invoice_line_ids.price_unit = 14
        self.assertBalanced()

    def test_a_change_after_posting_is_corrected_by_a_draft_of_the_difference(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        bill = self.purchases.move_id
        bill.action_post()
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [price_line("12")], "A2": [price_line("1")]})
        self.fetch()
        changed = self.purchases.filtered(lambda each: each.state == "changed")
        self.assertEqual(changed.customer_id.account_ref, "A1")
        result = self.act(changed, "action_correct")
        correction = self.env["account.move"].browse(result["res_id"])
        self.assertRecordValues(
            correction, [{"move_type": "in_refund", "amount_untaxed": 3}]
        )
        self.assertEqual(bill.amount_untaxed, 16)
        self.assertBalanced()

    def test_a_removed_correction_of_any_document_leaves_the_bill_as_it_was(self):
        both = [price_line("1"), price_line("7", number=2)]
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": both})
        self.fetch()
        bill = self.purchases.move_id
        bill.action_post()
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": both[:1]})
        self.fetch()
        changed = self.purchases.filtered(lambda each: each.state == "changed")
        for _again in range(2):
            result = self.act(changed, "action_correct")
            correction = self.env["account.move"].browse(result["res_id"])
            self.assertRecordValues(
                correction, [{"move_type": "in_refund", "amount_untaxed": 7}]
            )
            correction.unlink()
            self.assertEqual(changed.state, "changed")
            self.assertEqual(bill.invoice_line_ids.copaco_line_id, self.lines)
            snapshot = bill.copaco_document_id.move_snapshot
            self.assertEqual(
                {entry["line"] for entry in snapshot["lines"].values()},
                set(self.lines.ids),
            )
        bill.button_draft()
        self.act(changed, "action_use_new_version")
        self.assertEqual(bill.amount_untaxed, 16)
        self.assertFalse(self.env["copaco.manual.edits"]._compare(bill).has_edits)
        self.assertBalanced()

    @property
    def lines(self):
        return self.purchases.line_ids

    def change_bill(self, amounts, **values):
        """Post the bill that was received, and have Copaco send it otherwise.

        :return: the bill
        """
        bill = self.purchases.move_id
        bill.action_post()
        self.simulator.purchases.clear()
        self.add_purchase("P-1", amounts, **values)
        self.fetch()
        return bill

    def test_roundings_of_a_correction_have_the_taxes_of_what_they_are_of(self):
        reduced = self.purchase_tax.copy({"name": "Reduced", "amount": 9})
        book = self._create_product(name="Book", supplier_taxes_id=reduced)
        self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "text_contains": "Book",
                "product_id": book.id,
            }
        )

        def get_lines(services, books):
            names = ["Service"] * services + ["Book"] * books
            return [
                price_line("0.004", number=f"{name}{number}", Description=name)
                for number, name in enumerate(names)
            ]

        amounts = {"A1": get_lines(25, 25), "A2": [price_line("1")]}
        self.add_purchase("P-1", amounts)
        self.fetch()
        bill = self.change_bill(amounts | {"A1": get_lines(5, 20)})
        (changed,) = self.purchases.filtered(lambda each: each.state == "changed")
        result = self.act(changed, "action_correct")
        lines = self.env["account.move"].browse(result["res_id"]).invoice_line_ids
        self.assertEqual(
            {line.tax_ids: line.balance for line in lines},
            {self.purchase_tax: -0.08, reduced: -0.02},
        )
        self.assertEqual(bill.amount_untaxed, 1.2)

    def test_a_change_says_when_its_charges_were_billed_elsewhere_since(self):
        shared = price_line("7", number=2, InvoiceRowHash="shared")
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        self.change_bill({"A1": [price_line("15"), shared], "A2": [price_line("1")]})
        (changed,) = self.purchases.filtered(lambda each: each.state == "changed")
        self.assertNotIn("already", changed.hold_message)
        # Another customer's: who a purchase is for need not be known.
        self.add_purchase("P-2", {"A7": [shared, price_line("3", number=5)]})
        self.fetch()
        self.assertIn("P-2", changed.hold_message)
        self.assertIn("already", changed.hold_message)

    def activate_dollar(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.env["res.currency.rate"].create(
            {
                "currency_id": dollar.id,
                "company_id": self.company.id,
                "name": "2026-10-01",
                "rate": 1.25,
            }
        )
        return dollar

    def test_a_posted_bill_of_another_month_or_currency_is_credited_and_made_anew(self):
        dollar = self.activate_dollar()
        two = {"A1": [price_line("15")], "A2": [price_line("1")]}
        self.add_purchase("P-1", two)
        self.fetch()
        for values in ({"Date": "20261022"}, {"Date": "20261022", "Currency": "USD"}):
            bill = self.change_bill(two, **values)
            changed = self.purchases.filtered(lambda each: each.state == "changed")
            self.assertEqual(len(changed), 2)
            self.act(changed, "action_correct")
            credit = bill.reversal_move_ids
            self.assertRecordValues(
                credit, [{"move_type": "in_refund", "amount_untaxed": 16}]
            )
            anew = self.purchases.move_id
            self.assertRecordValues(
                anew,
                [
                    {
                        "ref": "P-1",
                        "state": "draft",
                        "invoice_date": date(2026, 10, 22),
                        "amount_untaxed": 16,
                        "currency_id": self.purchases.currency_id.id,
                    }
                ],
            )
            self.assertNotEqual(anew, bill)
            self.assertEqual(bill.state, "posted")
            self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 2)
            self.assertBalanced()
            credit.action_post()
        self.assertEqual(anew.currency_id, dollar)

    def test_a_credit_note_of_a_bill_that_goes_is_named_by_the_reconciliation(self):
        two = {"A1": [price_line("15")], "A2": [price_line("1")]}
        self.add_purchase("P-1", two)
        self.fetch()
        bill = self.change_bill(two, Date="20261022")
        self.act(self.purchases, "action_correct")
        bill.reversal_move_ids.unlink()
        self.env.invalidate_all()
        found = self.env["copaco.reconciliation"]._reconcile_runs(self.purchases.run_id)
        amounts = defaultdict(float)
        for part in found[self.purchases.run_id].parts:
            amounts[part.bucket] += part.amount
        self.assertEqual(amounts, {"posted": 16, "draft": 16, "credited": -16})
        self.assertBalanced()

    def test_a_bill_made_anew_follows_its_amounts_its_corrections_and_what_is_new(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        bill = self.change_bill({"A1": [price_line("12")], "A2": [price_line("1")]})
        correction = self.env["account.move"].browse(
            self.act(self.purchases, "action_correct")["res_id"]
        )
        correction.action_post()
        self.simulator.purchases.clear()
        self.add_purchase(
            "P-1",
            {"A1": [price_line("11")], "A2": [price_line("1")], "A3": [price_line(4)]},
            Date="20261022",
        )
        self.fetch()
        self.act(self.purchases[0], "action_correct")
        credit = bill.reversal_move_ids - correction
        self.assertEqual(credit.amount_untaxed, 16)
        self.assertEqual(correction.reversal_move_ids.amount_untaxed, 3)
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)
        self.assertEqual(len(self.purchases.move_id), 1)
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 3)
        self.assertBalanced()
        self.purchases.move_id.unlink()
        self.act(self.purchases[0], "action_retry")
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)

    def test_a_bill_is_not_made_anew_of_documents_with_several_dates(self):
        self.check_not_made_anew(Date="20261022")

    def test_a_bill_is_not_made_anew_of_documents_with_several_currencies(self):
        self.activate_dollar()
        self.check_not_made_anew(Currency="USD")

    def check_not_made_anew(self, **values):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        bill = self.change_bill({"A1": [price_line("15")]}, **values)
        changed = self.purchases.filtered(lambda each: each.state == "changed")
        self.assertEqual(changed.customer_id.account_ref, "A1")
        with self.assertRaisesRegex(UserError, "another date or currency"):
            self.act(changed, "action_correct")
        self.assertEqual(bill.state, "posted")
        self.assertFalse(bill.reversal_move_ids)
        self.act(changed, "action_keep_version")
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 2)
        self.assertBalanced()

    def test_an_edited_draft_of_documents_in_several_currencies_says_what_to_do(self):
        dollar = self.activate_dollar()
        two = {"A1": [price_line("15")], "A2": [price_line("1")]}
        self.add_purchase("P-1", two)
        self.fetch()
        draft = self.purchases.move_id
        draft.invoice_line_ids[0].price_unit = 14
        self.simulator.purchases.clear()
        self.add_purchase("P-1", two, Currency="USD")
        self.fetch()
        first, second = self.purchases
        for pressed in (first, second, first | second):
            with self.assertRaisesRegex(UserError, "different currencies"):
                self.act(pressed, "action_use_new_version")
        self.env.invalidate_all()
        draft.unlink()
        self.act(first, "action_use_new_version")
        self.assertEqual(first.state, "held")
        self.assertBalanced()
        self.act(second, "action_use_new_version")
        self.assertRecordValues(
            self.purchases.move_id,
            [{"currency_id": dollar.id, "amount_untaxed": 16}],
        )
        self.assertBalanced()

    def test_a_document_that_is_added_to_a_posted_bill_is_held(self):
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        self.purchases.move_id.action_post()
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        self.assertEqual(self.purchases[1].hold_reason, "bill_incomplete")
        self.assertBalanced()

    def test_one_unreadable_document_holds_the_whole_bill(self):
        bad = price_line("1")
        del bad["ExtendedPrice"]
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [bad]})
        self.fetch()
        self.assertEqual(
            self.purchases.mapped("hold_reason"), ["bill_incomplete", "payload_invalid"]
        )
        unreadable = self.purchases[1]
        self.act(unreadable, "action_exclude", "Not ours")
        self.run_crons()
        self.assertEqual(self.purchases[0].move_id.amount_untaxed, 15)
        self.assertBalanced()

    def test_renumbered_lines_make_no_second_bill(self):
        lines = [price_line("15", InvoiceRowHash="same")]
        self.add_purchase("P-1", {"A1": lines})
        self.fetch()
        self.add_purchase("P-2", {"A1": lines})
        self.fetch()
        self.assertEqual(self.purchases.mapped("state"), ["invoiced", "excluded"])
        self.assertBalanced()

    def test_renumbered_lines_of_the_same_fetch_make_no_second_bill(self):
        lines = [price_line("15", InvoiceRowHash="same")]
        self.add_purchase("P-1", {"A1": lines})
        self.add_purchase("P-2", {"A1": lines})
        self.fetch()
        self.assertEqual(self.purchases.mapped("state"), ["invoiced", "excluded"])
        self.assertBalanced()

    def test_a_refused_purchase_fetch_stops_no_sales_invoice(self):
        self.simulator.permissions = ["customer-specifications"]
        self.add_known()
        self.fetch(expect_failure=True)
        sales = self.documents.filtered(lambda each: each.kind == "specification")
        self.assertEqual(sales.mapped("state"), ["held"])
        self.assertEqual(self.connection.last_run_state, "failed")
        self.assertFalse(self.connection.purchases_fetched_until)
        self.assertTrue(self.connection.fetched_until)

    def test_invoices_and_bills_are_counted_and_listed_apart(self):
        self.create_partner(name="Bakkerij", ref="K-1")
        self.add_known()
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        self.assertEqual(self.connection.invoice_count, 1)
        action = self.connection.action_view_invoices()
        found = self.env["account.move"].search(action["domain"])
        self.assertEqual(found.move_type, "out_invoice")
        bill = self.purchases.move_id
        action = bill.action_view_copaco_document()
        found = self.env["copaco.document"].search(action["domain"])
        self.assertEqual(found, self.purchases)
        action = self.purchases.run_id.action_view_invoices()
        self.assertEqual(self.env["account.move"].search(action["domain"]), bill)

    def test_a_customer_that_is_excluded_or_linked_changes_no_bill(self):
        self.connection.vendor_id = False
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        customer = self.purchases[0].customer_id
        self.act(customer, "action_exclude", "A gift")
        self.assertEqual(self.purchases.mapped("state"), ["held", "held"])
        self.connection.vendor_id = self.vendor
        self.run_crons()
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)
        self.assertEqual(customer.document_count, 0)

    def test_a_locked_period_holds_a_new_bill_and_keeps_none_from_being_linked(self):
        bill = self.enter_bill("P-1", 15)
        self.company.purchase_lock_date = "2026-11-24"
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.add_purchase("P-2", {"A1": [price_line("16")]})
        self.fetch()
        linked, held = self.purchases.sorted("invoice_number")
        self.assertEqual(linked.move_id, bill)
        self.assertEqual(held.hold_reason, "period_locked")

    def test_where_bills_are_only_linked_no_purchase_journal_is_needed(self):
        self.connection.write({"purchase_policy": "link", "purchase_journal_id": False})
        bill = self.enter_bill("P-1", 15)
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        self.assertEqual(self.purchases.move_id, bill)

    def test_a_bill_that_differs_says_which_lines_do(self):
        bill = self.enter_bill("P-1", 15)
        bill.invoice_line_ids = [
            Command.create(
                {"name": name, "price_unit": amount, "tax_ids": self.purchase_tax.ids}
            )
            for name, amount in (("Storage", 7), ("Support", 3))
        ]
        lines = [price_line("15"), price_line("7", number=2), price_line("4", number=3)]
        self.add_purchase("P-1", {"A1": lines})
        self.fetch()
        message = self.purchases.hold_message
        alone, ours = message.partition("Lines on the bill alone: ")[2].split(";")
        self.assertIn("Support", alone)
        self.assertIn("3.00", alone)
        self.assertIn("Service 3", ours)
        self.assertNotIn("Service 2", ours)
