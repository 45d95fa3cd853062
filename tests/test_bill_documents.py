from datetime import date

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import price_line
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBillDocuments(CopacoBillCommon):
    """What is decided about one document of a bill, and what that means for the
    others: promises 1, 2 and 7."""

    def receive(self, *amounts):
        """Let Copaco have a purchase invoice of a customer for each amount, and fetch
        it.

        :return: its documents
        """
        self.simulator.purchases.clear()
        self.add_purchase(
            "P-1",
            {
                f"A{number}": [price_line(amount)]
                for number, amount in enumerate(amounts, start=1)
            },
        )
        self.fetch()
        return self.purchases

    def credit(self, bill, amount):
        """Credit the first line of a bill by Odoo's own button, and confirm that."""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=bill.ids
        )
        wizard = wizard.create({"journal_id": bill.journal_id.id})
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        credit.invoice_line_ids[1:].unlink()
        credit.invoice_line_ids.price_unit = amount
        credit.invoice_date = "2026-11-25"
        credit.action_post()
        return credit

    def correct(self, document):
        """:return: the corrections of a document"""
        self.act(document, "action_correct")
        self.env.invalidate_all()
        return document.correction_ids

    # === LINKED BILLS === #

    def test_vendors_who_use_the_same_number_get_no_bill_together(self):
        vendor = self.vendor.copy({"name": "Copaco België"})
        other = self._create_connection(
            name="Second", fetch_purchases=True, vendor_id=vendor.id
        )
        other.write({"base_url": self.simulator.url, "api_key": "simulator-key"})
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        bill = self.purchases.move_id
        self.add_purchase("P-1", {"A9": [price_line("4", number=9)]})
        self.fetch(other)
        self.assertEqual(self.purchases.mapped("state"), ["invoiced", "held"])
        for name in ("Copaco Nederland", "Copaco België"):
            self.assertIn(name, self.purchases[1].hold_message)
        self.assertEqual(bill.amount_untaxed, 15)
        self.assertBalanced()
        with self.subTest("they are one"), self.undone():
            other.vendor_id = self.vendor
            self.act(self.purchases[1], "action_retry")
            self.assertEqual(self.purchases.move_id, bill)
            self.assertEqual(bill.amount_untaxed, 19)
            self.assertBalanced()
        bill.unlink()
        self.act(self.purchases[1], "action_exclude", "Entered manually")
        self.act(self.purchases[0], "action_retry")
        self.assertEqual(self.purchases.move_id.amount_untaxed, 15)
        self.assertBalanced()

    def test_a_received_draft_gets_no_lines_of_copacos_besides_its_own(self):
        bill = self.enter_bill("P-1", 16)
        first, _second = self.receive("15", "1")
        self.assertEqual(first.move_id, bill)
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            self.act(first, "action_retry")
        self.receive("17", "1")
        self.assertEqual(first.state, "changed")
        with self.assertRaisesRegex(UserError, "was not created from it"):
            self.act(first, "action_use_new_version")
        self.assertEqual(self.correct(first).amount_untaxed, 2)
        self.assertEqual(bill.amount_untaxed, 16)
        self.assertBalanced()

    # === BILLS THAT WERE CANCELLED === #

    def test_a_bill_is_not_cancelled_under_the_correction_of_its_second_document(self):
        bill = self.receive("15", "1").move_id
        bill.action_post()
        _first, second = self.receive("15", "3")
        self.assertEqual(self.correct(second).amount_untaxed, 2)
        bill.button_draft()
        with self.assertRaisesRegex(UserError, "corrects it"):
            bill.button_cancel()

    def test_a_cancelled_bill_is_not_used_again_when_its_second_document_is_out(self):
        first, second = self.receive("15", "1")
        bill = first.move_id
        bill.button_cancel()
        self.act(second, "action_exclude", "Not ours")
        with self.assertRaisesRegex(UserError, "was excluded"):
            bill.button_draft()
        self.assertEqual(second.state, "excluded")

    def test_a_document_that_is_added_makes_no_bill_anew_that_a_person_cancelled(self):
        self.receive("15", "1").move_id.button_cancel()
        added = self.receive("15", "1", "4")[2]
        self.assertEqual(
            self.purchases.mapped("hold_reason"),
            ["invoice_cancelled", "invoice_cancelled", "bill_incomplete"],
        )
        self.act(added, "action_retry")
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 3)
        self.assertEqual(self.purchases.move_id.amount_untaxed, 20)
        self.assertBalanced()

    def test_the_bill_goes_on_when_what_it_waited_for_is_a_duplicate(self):
        line = price_line("15", InvoiceRowHash="same")
        self.add_purchase("P-0", {"A1": [line]})
        self.fetch()
        self.add_purchase("P-1", {"A1": [line], "A2": [price_line("1")]})
        self.fetch()
        first, second = self.purchases[1:]
        self.assertEqual(
            (first | second).mapped("hold_reason"),
            ["possible_double", "bill_incomplete"],
        )
        self.act(first, "action_exclude_duplicates")
        self.run_crons()
        self.assertEqual(first.state, "excluded")
        self.assertEqual(second.move_id.amount_untaxed, 1)
        self.assertBalanced()

    def test_a_bill_that_is_too_large_is_not_tried_for_each_of_its_documents(self):
        self.connection.vendor_id = False
        first, second = self.receive("15", "1")
        self.connection.vendor_id = self.vendor
        self.assertEqual(set(self.purchases.mapped("state")), {"new"})
        first.sudo().attempt_count = 2
        self.run_crons()
        self.assertEqual(
            (first | second).mapped("hold_reason"), ["too_large", "bill_incomplete"]
        )
        self.assertFalse(self.purchases.move_id)
        self.act(second, "action_retry")
        self.assertEqual(self.purchases.move_id.amount_untaxed, 16)
        self.assertBalanced()

    # === CORRECTIONS === #

    def test_what_was_credited_by_hand_is_not_credited_again(self):
        bill = self.receive("15", "1").move_id
        bill.action_post()
        credit = self.credit(bill, 5)
        first, second = self.receive("10", "1")
        self.assertFalse(self.correct(first))
        self.assertEqual(first.version_ids.amount_credited, 5)
        self.assertBalanced()
        # The same credit doesn't settle what another document lost, too.
        self.receive("10", "0.5")
        self.assertEqual(self.correct(second).amount_untaxed, 0.5)
        self.assertBalanced()
        credit.button_draft()
        credit.button_cancel()
        self.assertEqual(first.state, "changed")

    def test_what_was_billed_by_hand_besides_is_no_credit(self):
        bill = self.receive("15", "1").move_id
        bill.action_post()
        more = bill.copy({"ref": "More", "invoice_date": "2026-11-25"})
        more.sudo().copaco_origin_id = bill
        more.action_post()
        first = self.receive("10", "1")[0]
        self.assertRecordValues(
            self.correct(first), [{"move_type": "in_refund", "amount_untaxed": 5}]
        )

    # === DATES AND VAT === #

    def test_a_bill_of_a_locked_period_is_booked_on_the_day_that_a_person_chose(self):
        self.company.purchase_lock_date = "2026-11-24"
        documents = self.receive("15", "1")
        self.assertEqual(set(documents.mapped("hold_reason")), {"period_locked"})
        wizard = (
            self.env["copaco.invoice.date"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_ids=documents[1].ids)
            .create({})
        )
        self.act(wizard, "action_invoice")
        self.assertEqual(documents.mapped("state"), ["invoiced"] * 2)
        bill = documents.move_id
        self.assertEqual(bill.date, date(2026, 11, 25))
        self.assertEqual(bill.invoice_date, date(2026, 11, 23), "the vendor's")
        bill.action_post()
        self.assertEqual(bill.date, date(2026, 11, 25))

    def test_the_tax_of_a_bill_is_not_compared_with_the_vat_of_one_document(self):
        self.add_purchase(
            "P-1",
            {
                "A1": [price_line("10", VAT="2.10", TaxPercentage=21)],
                "A2": [price_line("1", VAT="0.21", TaxPercentage=21)],
            },
        )
        self.fetch()
        self.act(self.purchases, "action_retry")
        bodies = "".join(self.purchases.message_ids.mapped("body"))
        self.assertIn("Draft invoice updated", bodies)
        self.assertNotIn("Copaco's VAT is", bodies)
