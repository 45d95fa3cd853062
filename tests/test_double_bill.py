from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, freeze_time, tagged

from .common import price_line
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDoubleBill(CopacoBillCommon):
    """Promise 1 of bills: what Copaco bills once is not booked twice, whoever entered
    or received the other bill, and whichever is confirmed first."""

    def make_bill(self, amount="15"):
        self.add_purchase("P-001", {"A1": [price_line(amount)]})
        self.fetch()
        return self.purchases.move_id

    def assertRefused(self, bill, *words):
        with self.assertRaises(UserError) as caught:
            bill.action_post()
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertEqual(bill.state, "draft")

    def test_the_received_bill_is_not_confirmed_besides_ours(self):
        ours = self.make_bill()
        ours.action_post()
        received = self.enter_bill("p1", 15)
        self.assertRefused(received, ours.name, "P-001", "Use the received one")
        ours.button_draft()
        ours.action_copaco_use_received()
        received.action_post()
        self.assertEqual(self.purchases.move_id, received)
        self.assertBalanced()

    def test_ours_is_not_confirmed_besides_the_received_bill(self):
        ours = self.make_bill()
        received = self.enter_bill("1", 15)
        received.action_post()
        self.assertRefused(ours, received.name, "Use the received one")
        ours.action_copaco_use_received()
        self.assertEqual(self.purchases.move_id, received)
        self.assertBalanced()

    def test_the_two_are_not_confirmed_together(self):
        ours = self.make_bill()
        received = self.enter_bill("P-001", 15)
        with self.assertRaisesRegex(UserError, "can't be confirmed"):
            (received | ours).action_post()
        received.action_post()

    def test_a_second_bill_is_not_confirmed_besides_the_linked_one(self):
        linked = self.enter_bill("P-001", 15)
        self.make_bill()
        self.assertEqual(self.purchases.move_id, linked)
        linked.ref = "changed since"
        linked.action_post()
        self.assertRefused(self.enter_bill("P 1", 15), linked.name)

    def test_a_receipt_of_the_same_is_not_confirmed(self):
        self.make_bill().action_post()
        self.assertRefused(self.enter_bill("P-001", 15, move_type="in_receipt"))

    def test_a_bill_of_an_address_of_the_vendor_is_not_confirmed(self):
        self.make_bill().action_post()
        address = self.vendor.create({"name": "Billing", "parent_id": self.vendor.id})
        self.assertRefused(self.enter_bill("P-001", 15, partner_id=address.id))

    def test_other_bills_are_confirmed(self):
        self.make_bill().action_post()
        other = self.env["res.partner"].create({"name": "Other"})
        usd = self.env.ref("base.USD")
        usd.active = True
        for ref, amount, values in (
            ("P-002", 15, {}),
            ("P-001", 14, {}),
            (False, 15, {}),
            ("P-001", 15, {"partner_id": other.id}),
            ("P-001", 15, {"move_type": "in_refund"}),
            ("P-001", 15, {"currency_id": usd.id}),
        ):
            with self.subTest(ref=ref, amount=amount, **values):
                bill = self.enter_bill(ref or "x", amount, **values)
                bill.ref = ref
                bill.action_post()
                self.assertEqual(bill.state, "posted")

    def test_bills_that_are_none_of_copacos_are_odoos_affair(self):
        self.make_bill().action_post()
        for _time in range(2):
            self.enter_bill("X-1", 20).action_post()

    def test_a_bill_is_confirmed_after_ours_was_credited_in_full(self):
        ours = self.make_bill()
        ours.action_post()
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": ours.ids, "journal_id": ours.journal_id.id}
        )
        wizard.reverse_moves()
        ours.reversal_move_ids.action_post()
        self.assertEqual(ours.payment_state, "reversed")
        received = self.enter_bill("P-001", 15)
        received.action_post()
        self.assertEqual(received.state, "posted")

    def test_the_credit_note_of_ours_is_confirmed(self):
        ours = self.make_bill()
        ours.action_post()
        credit_note = ours._reverse_moves([{"ref": "P-001"}])
        credit_note.invoice_date = fields.Date.today()
        credit_note.action_post()
        self.assertEqual(credit_note.state, "posted")

    def test_a_credit_note_with_the_number_of_the_bill_is_not_the_bill(self):
        self.connection.purchase_policy = "link"
        credit_note = self.enter_bill("P-001", 15, move_type="in_refund")
        self.assertFalse(self.make_bill())
        self.assertEqual(self.purchases.hold_reason, "bill_awaited")
        self.run_crons()
        self.assertEqual(self.purchases.hold_reason, "bill_awaited")
        bill = self.enter_bill("P-001", 15)
        self.run_crons()
        self.assertEqual(self.purchases.move_id, bill)
        self.assertFalse(bill.duplicated_ref_ids)
        (bill | credit_note).action_post()
        self.assertBalanced()

    def test_a_received_bill_is_linked_although_its_vat_is_rounded_otherwise(self):
        self.connection.purchase_policy = "link"
        for amount, vat, is_linked in (
            ("15", "3.20", True),
            ("15", "3.21", False),
            ("15.01", "3.15", False),
            ("-15", "-3.10", True),
        ):
            with self.subTest(amount=amount, vat=vat), self.undone():
                values = {"move_type": "in_refund"} if amount == "-15" else {}
                bill = self.enter_bill("P-001", 15, **values)
                self.assertEqual(bill.amount_tax, 3.15)
                self.add_purchase("P-001", {"A1": [price_line(amount, VAT=vat)]})
                self.fetch()
                found = bill if is_linked else bill.browse()
                self.assertEqual(self.purchases.move_id, found)
                self.assertBalanced()
                self.simulator.purchases.clear()

    def test_a_credit_note_is_not_the_bill_that_was_received(self):
        ours = self.make_bill()
        self.enter_bill("P-001", 15, move_type="in_refund")
        self.env.invalidate_all()
        self.assertFalse(ours.copaco_received_bill_id)
        finder = self.env["copaco.bill.finder"]
        self.assertFalse(finder._find_replaceable(self.connection))
        received = self.enter_bill("P-001", 15)
        self.env.invalidate_all()
        self.assertEqual(ours.copaco_received_bill_id, received)
        self.assertEqual(finder._find_replaceable(self.connection), ours)

    def test_a_bill_with_the_number_of_a_credit_is_not_the_credit_note(self):
        bill = self.enter_bill("P-001", 15)
        ours = self.make_bill("-15")
        self.assertEqual(ours.move_type, "in_refund")
        (bill | ours).action_post()
        self.assertBalanced()

    def test_odoo_warns_of_the_other_bill_however_its_reference_is_written(self):
        ours = self.make_bill()
        received = self.enter_bill("p1", 16)
        self.env.invalidate_all()
        self.assertEqual(received.duplicated_ref_ids, ours)
        self.assertEqual(ours.duplicated_ref_ids, received)
        with Form(
            self.env["account.move"].with_context(default_move_type="in_invoice")
        ) as form:
            form.partner_id = self.vendor
            form.invoice_date = fields.Date.today()
            form.ref = "1"
            self.assertEqual(form.duplicated_ref_ids[:], ours)
            form.ref = "2"
            self.assertFalse(form.duplicated_ref_ids[:])

    def test_odoo_confirms_no_other_bill_by_itself(self):
        self.vendor.autopost_bills = "always"
        self.company.autopost_bills = True
        ours = self.make_bill()
        ours.action_post()
        received = self.enter_bill("p1", 15)
        received._autopost_bill()
        self.assertEqual(received.state, "draft")
        other = self.enter_bill("p2", 14)
        other._autopost_bill()
        self.assertEqual(other.state, "posted")

    def test_the_other_bill_is_found_in_a_branch(self):
        self.make_bill().action_post()
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids |= branch
        payable = self.vendor.property_account_payable_id
        self.vendor.with_company(branch).property_account_payable_id = payable
        bill = self.enter_bill("P-001", 15, company_id=branch.id)
        self.assertEqual(bill.company_id, branch)
        self.assertRefused(bill, "P-001")
        self.assertFalse(bill.duplicated_ref_ids)
