from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_content_found import ContentCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDeclinedCharges(ContentCase):
    """What a person decided not to invoice is not invoiced unasked as part of another
    document (promises 1 and 7)."""

    def decline(self, number="V-1", amount="25.00", **values):
        """:return: a confirmed document of 10.00, of which a person declined a charge
        that Copaco added, and has no longer there"""
        kept, added = price_line("10.00"), price_line(amount, number=2, **values)
        document = self.send(number, kept)
        self.post(document)
        self.send(number, kept, added)
        self.assertWaits(document)
        self.act(document, "action_keep_version")
        self.send(number, kept)
        return document

    def assertDeclined(self, document, count="1 of the 1 lines"):
        user = self.billing_user.name
        texts = ("V-1", "declined", user, "11/25/2026")
        self.assertHeld(document, count, *texts)
        self.assertIn(f"Declined by {user} on 11/25/2026", document.duplicate_table)

    def test_what_was_declined_is_asked_about_under_another_number(self):
        self.decline()
        moved = self.receive("V-2", price_line("25.00", number=2))
        self.assertDeclined(moved)
        self.assertEqual(self.billed, 10)
        self.act(moved, "action_exclude_duplicates")
        self.assertIn("V-1", moved.exclude_reason)
        self.assertEqual(moved.excluded_by_id, self.billing_user)
        again = self.receive("V-3", price_line("25.00", number=2))
        self.assertHeld(again, "V-2")
        self.assertEqual(self.billed, 10)

    def test_what_was_not_declined_is_invoiced_alone(self):
        self.decline()
        lines = price_line("25.00", number=2), price_line("5.00", number=3)
        moved = self.receive("V-2", *lines)
        self.assertDeclined(moved, "1 of the 2 lines")
        self.act(moved, "action_invoice_new_lines")
        self.assertEqual(self.billed, 15)
        self.send("V-2", lines[1])
        self.act(moved, "action_use_new_version")
        again = self.receive("V-3", lines[0])
        self.assertDeclined(again)
        self.assertEqual(self.billed, 15)

    def test_without_a_new_line_none_is_offered_to_be_invoiced(self):
        self.decline()
        self.receive("V-0", price_line("7.00", number=4))
        lines = price_line("25.00", number=2), price_line("7.00", number=4)
        moved = self.receive("V-2", *lines)
        self.assertDeclined(moved, "1 of the 2 lines")
        self.assertIn("V-0", moved.duplicate_table)
        self.assertIn("may be charges that are on V-0", moved.hold_message)
        self.assertNotIn("new lines", moved.hold_message)
        self.assertFalse(moved.has_new_lines)

    def test_who_invoices_it_anyway_is_not_asked_again(self):
        self.decline()
        line, other = price_line("25.00", number=2), price_line("5.00", number=3)
        moved = self.receive("V-2", line, other)
        self.act(moved, "action_invoice_anyway")
        self.assertEqual(self.billed, 40)
        self.send("V-2", other)
        self.act(moved, "action_use_new_version")
        again = self.receive("V-3", line)
        self.assertEqual(again.state, "invoiced")
        self.assertEqual(self.billed, 40)

    def test_what_may_be_the_same_is_asked_about_and_the_next_month_is_not(self):
        november = {"StartDate": "20261101", "EndDate": "20261130"}
        for hashed in (True, False):
            values = {} if hashed else {"InvoiceRowHash": ""}
            with self.subTest(hashed), self.undone():
                self.decline(**values)
                for amount, period, is_held in (
                    ("25.00", {}, True),
                    ("26.00", {}, hashed),
                    ("25.00", november, False),
                ):
                    with self.subTest(amount), self.undone():
                        line = price_line(amount, number=2, **values, **period)
                        moved = self.send("V-2", line)
                        self.assertEqual(moved.state == "held", is_held)
                        if is_held:
                            self.assertDeclined(moved)

    def test_a_raised_amount_that_was_declined_is_asked_about(self):
        document = self.send("V-1", price_line("10.00"), price_line("5.00", number=2))
        self.post(document)
        self.send("V-1", price_line("12.00"), price_line("5.00", number=2))
        self.act(document, "action_keep_version")
        self.send("V-1", price_line("5.00", number=2))
        self.get_correction(document)
        moved = self.receive("V-2", price_line("12.00"))
        self.assertDeclined(moved)
        self.assertEqual(self.billed, 5)

    def test_another_customer_is_not_asked_unless_it_has_the_same_contact(self):
        self.decline()
        line = price_line("25.00", number=2)
        for number, is_held in (("K-1", True), ("K-2", False)):
            with self.subTest(number), self.undone():
                self.create_partner(name="Garage", ref="K-2")
                customer = {"CustomerNumber": number}
                other = self.send("V-2", line, account="A2", customer=customer)
                if other.hold_reason == "customer_unknown":
                    self.act(other.customer_id, "action_accept")
                self.assertEqual(other.state == "held", is_held)

    def test_another_part_by_po_number_is_asked_about(self):
        customer = self.create_customer("A1", self.partner)
        customer.is_split_by_po = True
        first = price_line("10.00", SubPONumber="P1")
        lines = [
            price_line("25.00", number=2, SubPONumber=number) for number in ("P1", "P2")
        ]
        part = self.send("V-1", first)
        self.post(part)
        self.send("V-1", first, lines[0])
        self.act(part, "action_keep_version")
        self.send("V-1", first, lines[1])
        (other,) = self.find("V-1") - part
        self.assertDeclined(other)
        self.act(other, "action_invoice_anyway")
        self.assertEqual(self.billed, 35)

    def test_a_change_that_adds_it_waits_for_a_person(self):
        self.decline()
        own, line = price_line("5.00", number=3), price_line("25.00", number=2)
        for state, act in (
            ("draft", "action_use_new_version"),
            ("posted", "action_correct"),
        ):
            with self.subTest(state), self.undone():
                other = self.send("V-2", own)
                if state == "posted":
                    self.post(other)
                self.send("V-2", own, line)
                self.assertWaits(other)
                for text in ("V-1", "declined", self.billing_user.name, "11/25/2026"):
                    self.assertIn(text, other.hold_message)
                self.assertEqual(self.billed, 15)
                with self.subTest("declined once more"), self.undone():
                    self.act(other, "action_keep_version")
                    self.assertHeld(self.send("V-3", line), "V-1", "V-2")
                self.act(other, act)
                self.assertEqual(self.billed, 40)
                self.send("V-2", own)
                self.act(other, act)
                again = self.receive("V-3", line)
                self.assertEqual(again.state, "invoiced")
                self.assertEqual(self.billed, 40)

    def test_a_change_names_what_was_declined_and_what_is_billed_elsewhere(self):
        self.decline()
        own, billed = price_line("5.00", number=3), price_line("7.00", number=4)
        self.receive("V-0", billed)
        other = self.send("V-2", own)
        self.send("V-2", own, price_line("25.00", number=2), billed)
        self.assertWaits(other)
        for text in ("may be charges that are on V-0", "V-1", "change declined by"):
            self.assertIn(text, other.hold_message)

    def test_a_change_of_what_is_held_is_asked_about_when_it_is_invoiced(self):
        self.decline()
        line = price_line("25.00", number=2)
        other = self.receive("V-2", price_line("5.00", number=3))
        other.move_id.unlink()
        self.send("V-2", price_line("5.00", number=3), line)
        self.act(other, "action_use_new_version")
        self.assertDeclined(other, "1 of the 2 lines")

    def test_what_is_taken_over_later_may_move(self):
        document = self.decline()
        kept, line = price_line("10.00"), price_line("25.00", number=2)
        self.act(document, "action_keep_version")
        self.send("V-1", kept, line)
        self.get_correction(document).action_post()
        self.send("V-1", kept)
        self.get_correction(document).action_post()
        moved = self.receive("V-2", line)
        self.assertEqual(moved.state, "invoiced")
        self.assertEqual(self.billed, 35)

    def test_what_comes_back_to_its_document_waits_as_before(self):
        document = self.decline()
        self.act(document, "action_keep_version")
        self.send("V-1", price_line("10.00"), price_line("25.00", number=2))
        self.assertWaits(document)
        self.assertNotIn("declined", document.hold_message)

    def test_what_was_declined_because_it_is_billed_elsewhere_may_move(self):
        kept, line = price_line("10.00"), price_line("25.00", number=2)
        first = self.receive("V-1", kept)
        other = self.receive("V-2", line, price_line("5.00", number=3))
        self.simulator.invoices.clear()
        self.add_invoice("V-1", "A1", [kept, line], customer={"CustomerNumber": "K-1"})
        self.receive("V-2", line, price_line("5.00", number=3))
        self.assertWaits(first)
        self.act(first, "action_keep_version")
        self.send("V-1", kept)
        self.receive("V-2", price_line("5.00", number=3))
        self.act(other, "action_use_new_version")
        moved = self.receive("V-3", line)
        self.assertEqual(moved.state, "invoiced")
        self.assertEqual(self.billed, 40)

    def test_what_is_taken_off_an_excluded_document_is_asked_about(self):
        lines = price_line("10.00"), price_line("25.00", number=2)
        document = self.send("V-1", *lines)
        document.move_id.unlink()
        self.act(document, "action_exclude", "Invoiced manually")
        self.send("V-1", lines[0])
        self.act(document, "action_use_new_version")
        moved = self.receive("V-2", lines[1])
        self.assertHeld(moved, "V-1", "excluded by", self.billing_user.name)
        self.assertIn("Excluded by", moved.duplicate_table)
        self.assertEqual(self.billed, 10)

    def test_what_is_added_to_an_excluded_document_and_declined_is_asked_about(self):
        line = price_line("25.00", number=2)
        document = self.send("V-1", price_line("10.00"))
        document.move_id.unlink()
        self.act(document, "action_exclude", "Invoiced manually")
        self.send("V-1", price_line("10.00"), line)
        self.act(document, "action_keep_version")
        self.send("V-1", price_line("10.00"))
        self.assertDeclined(self.receive("V-2", line))

    def test_what_was_removed_from_a_draft_is_asked_about(self):
        lines = price_line("10.00"), price_line("25.00", number=2)
        document = self.send("V-1", *lines)
        added = document.move_id.invoice_line_ids.filtered(
            lambda line: line.price_subtotal == 25
        )
        document.move_id.write({"invoice_line_ids": [Command.delete(added.id)]})
        self.send("V-1", lines[0])
        moved = self.receive("V-2", lines[1])
        self.assertEqual(moved.state, "excluded")
        self.act(document, "action_use_new_version")
        self.run_background()
        self.assertHeld(moved, "V-1", "removed from its invoice")
        self.assertIn("Removed from its invoice", moved.duplicate_table)
        self.assertEqual(self.billed, 10)

    def test_who_is_asked_about_another_document_is_not_told_to_credit_it(self):
        kept, line = price_line("10.00"), price_line("25.00", number=2)
        own = price_line("5.00", number=3)
        customer = {"CustomerNumber": "K-1"}
        for others, state in (([], "held"), ([own], "changed")):
            for changed in ([], [price_line("1.00", number=4)]):
                with self.subTest(state, changed=changed), self.undone():
                    self.simulator.invoices.clear()
                    if others:
                        self.add_invoice("V-2", "A1", others, customer=customer)
                    document = self.receive("V-1", kept)
                    self.post(*self.documents)
                    self.simulator.invoices.pop()
                    self.receive("V-1", kept, line)
                    self.act(document, "action_keep_version")
                    self.simulator.invoices.clear()
                    lines = [kept, *changed]
                    self.add_invoice("V-1", "A1", lines, customer=customer)
                    moved = self.receive("V-2", *others, line)
                    self.assertEqual(moved.state, state)
                    self.assertIn("declined", moved.hold_message)
                    if not changed:
                        self.assertEqual(document.state, "invoiced")
                        self.assertTrue(document.run_id.is_balanced)
                        continue
                    self.assertWaits(document)
                    self.assertNotIn("credit it", document.hold_message)

    def test_who_decided_about_another_document_is_not_told_to_credit_it(self):
        kept, line = price_line("10.00"), price_line("25.00", number=2)
        document = self.send("V-1", kept)
        self.post(document)
        self.send("V-1", kept, line)
        self.act(document, "action_keep_version")
        moved = self.receive("V-2", line)
        self.act(moved, "action_exclude_duplicates")
        self.simulator.invoices.clear()
        self.add_invoice("V-1", "A1", [kept], customer={"CustomerNumber": "K-1"})
        self.receive("V-2", line)
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.billed, 10)

    def test_looking_for_them_takes_as_many_queries_for_many(self):
        for number in range(1, 13):
            self.create_partner(ref=f"K-{number + 10}")
            for name, price in (("V", "10.00"), ("W", "5.00")):
                self.add_invoice(
                    f"{name}-{number}",
                    f"A{number}",
                    [price_line(price, InvoiceRowHash=f"{name} of {number}")],
                    customer={"CustomerNumber": f"K-{number + 10}"},
                )
        self.fetch()
        others = self.documents.filtered(lambda each: each.invoice_number[0] == "W")
        self.env["copaco.declined.charge"].sudo().create(
            [
                {
                    "name": "Service",
                    "decision": "declined",
                    "declined_on": "2026-11-25",
                    "document_id": document.id,
                    "company_id": document.company_id.id,
                    "run_id": document.run_id.id,
                    "row_hash": f"w of {document.invoice_number[2:]}",
                }
                for document in self.documents - others
            ]
        )
        finder, counts = self.env["copaco.duplicate.finder"], []
        for count in (2, 2, 12):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(len(finder._find(others[:count])), count)
            counts.append(self.cr.sql_log_count - before)
        # The first one fills the caches that others share.
        self.assertEqual(*counts[1:])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDeclinedCosts(CopacoBillCommon):
    """The same of what Copaco bills the reseller."""

    def receive(self, **lines):
        self.simulator.purchases.clear()
        for number, own in lines.items():
            self.add_purchase(number, {"A1": own})
        self.fetch()

    def test_what_was_declined_is_asked_about_on_another_bill(self):
        kept, line = price_line("15.00"), price_line("25.00", number=2)
        self.receive(P1=[kept])
        document = self.purchases
        document.move_id.action_post()
        self.receive(P1=[kept, line])
        self.act(document, "action_keep_version")
        self.receive(P1=[kept], P2=[line])
        moved = self.purchases - document
        self.assertRecordValues(
            moved, [{"state": "held", "hold_reason": "possible_double"}]
        )
        self.assertIn("P1", moved.hold_message)
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.add_invoice("V-1", "A1", [line], customer={"CustomerNumber": "K-1"})
        self.fetch()
        sale = self.documents.filtered(lambda each: each.invoice_number == "V-1")
        self.assertEqual(sale.state, "invoiced")
        self.assertEqual(sale.customer_id, moved.customer_id)
        with self.undone():
            self.env["copaco.declined.charge"].sudo()._end(
                {sale: list(sale.line_ids), moved: []}
            )
            self.act(moved, "action_retry")
            self.assertEqual(moved.state, "held")
        self.act(moved, "action_invoice_anyway")
        self.assertEqual(moved.move_id.amount_untaxed, 25)
