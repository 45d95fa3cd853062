from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .test_duplicates import DuplicateCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestInvoicedByHand(DuplicateCase):
    """What a person invoiced is not invoiced again."""

    def test_an_invoice_made_by_hand_is_asked_about(self):
        by_hand = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-14",
            amounts=[40.0],
            company=self.company,
        )
        document = self.receive("V-1", price_line("40.00"))
        self.assertHeld(document, by_hand.display_name)
        self.assertIn(f"/{by_hand.id}", document.duplicate_table)
        by_hand.invoice_date = "2026-11-12"
        self.act(document, "action_retry")
        self.assertEqual(document.state, "invoiced", "eleven days are too many")

    def test_a_draft_made_by_hand_that_has_no_date_yet_is_asked_about(self):
        by_hand = self.init_invoice(
            "out_invoice", partner=self.partner, amounts=[62.1], company=self.company
        )
        by_hand.write({"invoice_date": False, "date": "2026-11-30"})
        self.assertHeld(self.receive("V-1", price_line("62.10")), by_hand.display_name)

    def test_a_sales_receipt_made_by_hand_is_asked_about(self):
        receipt = self.init_invoice(
            "out_receipt",
            partner=self.create_partner(
                parent_id=self.partner.id, type="invoice", is_company=False
            ),
            invoice_date="2026-11-27",
            amounts=[37.5],
            company=self.company,
        )
        document = self.receive("V-1", price_line("37.50"))
        self.assertHeld(document, receipt.display_name)
        receipt.invoice_origin = "V-1"
        self.act(document, "action_retry")
        self.assertHeld(document, receipt.display_name)
        self.assertFalse(document.move_id, "a receipt is no invoice of it")
        self.act(document, "action_invoice_anyway")
        self.assertEqual(document.move_id.amount_untaxed, 37.5)
        credit = self.receive("V-2", price_line("-37.50", number=2))
        self.assertNotIn(receipt.display_name, credit.hold_message or "")

    def test_nothing_is_billed_twice_by_an_invoice_of_nothing(self):
        self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-20",
            amounts=[0.0],
            company=self.company,
        )
        document = self.receive("V-1", price_line("0"))
        self.assertEqual(document.state, "invoiced", document.hold_message)

    def test_an_invoice_that_carries_copacos_number_is_linked(self):
        document = self.receive("V-1", price_line("40.00"))
        move = document.move_id
        move.action_post()
        self.forget(document)
        again = self.receive("V-1", price_line("40.00"))
        self.assertRecordValues(
            again, [{"state": "invoiced", "move_id": move.id, "hold_reason": False}]
        )
        self.assertEqual(self.billed, 40)
        self.assertTrue(again.run_id.is_balanced)

    def enter(self, number, amount):
        """:return: a draft that a person entered with Copaco's number"""
        move = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-23",
            amounts=[amount],
            company=self.company,
        )
        move.invoice_origin = number
        return move

    def test_a_linked_draft_gets_no_lines_of_copacos_besides_its_own(self):
        move = self.enter("V-1", 40)
        document = self.receive("V-1", price_line("40.00"))
        self.assertEqual(document.move_id, move)
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            self.act(document, "action_retry")
        self.simulator.invoices.clear()
        self.receive("V-1", price_line("42.00"))
        self.assertWaits(document)
        with self.assertRaisesRegex(UserError, "was not created from it"):
            self.act(document, "action_use_new_version")
        self.assertEqual(self.get_correction(document).amount_untaxed, 2)
        self.assertEqual(self.billed, 42)
        self.assertTrue(document.run_id.is_balanced)

    def test_an_invoice_that_a_person_entered_is_that_of_one_document(self):
        move = self.enter("V-1", 40)
        # Accounts of the same contact, whose documents are matched together.
        for account, number in (("A1", 1), ("A2", 2)):
            self.add_invoice("V-1", account, [price_line("40.00", number=number)])
        self.fetch()
        for customer in self.documents.customer_id:
            customer.partner_id = self.partner
        self.act(self.documents, "action_retry")
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)
        self.assertEqual(move.copaco_document_id, self.documents[0])
        self.assertEqual(len(self.documents.move_id), 2)
        self.assertEqual(self.billed, 80)

    def test_one_that_carries_it_with_another_amount_is_asked_about(self):
        document = self.receive("V-1", price_line("40.00"))
        move = document.move_id
        self.forget(document)
        self.assertHeld(self.receive("V-1", price_line("50.00")), move.display_name)

    def forget(self, document):
        """Remove all that the addon knows of a document, as uninstalling it does."""
        document = document.sudo()
        document.move_id.write({"copaco_document_id": False, "copaco_digest": False})
        document.write({"move_id": False})
        document.unlink()
        self.env["copaco.run"].sudo().search([]).unlink()
        self.simulator.invoices.clear()

    def enter_amount(self, amount, **values):
        """:return: an invoice of this amount without tax that a person entered"""
        move = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-20",
            amounts=[amount],
            company=self.company,
        )
        move.write(values)
        return move

    def receive_two(self):
        self.simulator.invoices.clear()
        for number, line in (
            ("V-1", price_line("10.00")),
            ("V-2", price_line("20.00", number=2)),
        ):
            self.add_known(number, lines=[line])
        self.fetch()

    def test_a_month_that_was_invoiced_by_hand_is_asked_about(self):
        for grouping in ("document", "month"):
            with self.subTest(grouping=grouping), self.undone():
                self.connection.invoice_grouping = grouping
                by_hand = self.enter_amount(30)
                self.receive_two()
                for document in self.documents:
                    self.assertHeld(document, by_hand.display_name, "with others")
                    self.assertIn(f"/{by_hand.id}", document.duplicate_table)
                self.assertEqual(self.billed, 30)
                self.assertBalanced()
                self.act(self.documents, "action_invoice_anyway")
                self.assertEqual(self.billed, 60)

    def test_a_month_that_comes_to_another_amount_is_another_one(self):
        self.enter_amount(30.01)
        self.enter_amount(30, invoice_date="2026-10-20")
        self.receive_two()
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})

    def test_what_comes_later_is_added_to_what_is_compared(self):
        self.receive("V-1", price_line("10.00"))
        by_hand = self.enter_amount(30)
        later = self.receive("V-2", price_line("20.00", number=2))
        self.assertHeld(later, by_hand.display_name)

    def test_what_was_invoiced_by_hand_as_a_whole_is_asked_about_of_its_parts(self):
        self.create_customer("A1", self.partner).is_split_by_po = True
        by_hand = self.enter_amount(30)
        self.receive(
            "V-1",
            price_line("10.00", SubPONumber="P1"),
            price_line("20.00", number=2, SubPONumber="P2"),
        )
        self.assertEqual(len(self.documents), 2)
        for document in self.documents:
            self.assertHeld(document, by_hand.display_name)
        self.assertEqual(self.billed, 30)
