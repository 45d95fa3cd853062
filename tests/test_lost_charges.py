from odoo.tests import freeze_time, tagged

from .test_content_found import ContentCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLostCharges(ContentCase):
    """What Copaco no longer has of charges that were left to another document, or were
    left out, is asked about again (promises 1 and 8)."""

    def leave_to_first(self):
        """:return: a document of 10.00 that Copaco has no longer, and the one that its
        charge moved to, which a person therefore left as it was"""
        first = self.receive("V-1", price_line("10.00"))
        other = self.receive("V-2", price_line("25.00", number=2))
        self.send("V-2", price_line("25.00", number=2), price_line("10.00"))
        self.assertWaits(other)
        self.act(first, "action_acknowledge_missing")
        self.act(other, "action_keep_version")
        self.fetch()
        self.assertEqual(first.missing_state, "acknowledged")
        self.assertFalse(self.connection.activity_ids)
        self.assertEqual(self.billed, 35)
        return first, other

    def test_what_was_left_to_another_document_is_asked_about_when_it_is_gone(self):
        first, _other = self.leave_to_first()
        kept, added = price_line("25.00", number=2), price_line("5.00", number=3)
        for lines in ([kept], [kept, added], [price_line("10.00", number=9)]):
            with self.subTest(lines), self.undone():
                self.send("V-2", *lines)
                self.assertEqual(first.missing_state, "reported")
                self.assertIn("V-2", first.message_ids[0].body)
                self.assertIn("no longer", self.connection.activity_ids.summary)
        self.simulator.invoices.clear()
        self.fetch()
        self.assertEqual(first.missing_state, "reported")
        self.assertEqual(self.billed, 35)

    def test_what_was_declined_elsewhere_is_not_taken_off_in_silence(self):
        for row_hash in ("row-1", ""):
            moved = price_line("10.00", InvoiceRowHash=row_hash)
            kept, own = price_line("25.00", number=2), price_line("5.00", number=3)
            with self.subTest(row_hash), self.undone():
                self.simulator.invoices.clear()
                first = self.receive("V-1", moved, kept)
                other = self.receive("V-2", own)
                for lines in ([moved, kept], [kept]):
                    self.simulator.invoices.clear()
                    customer = {"CustomerNumber": "K-1"}
                    self.add_invoice("V-1", "A1", lines, customer=customer)
                    self.add_invoice("V-2", "A1", [own, moved], customer=customer)
                    self.fetch()
                    if other.state == "changed":
                        self.act(other, "action_keep_version")
                self.assertWaits(first)
                self.assertIn("declined on V-2", first.hold_message)
                self.assertEqual(self.billed, 40)
                self.act(first, "action_keep_version")
                self.assertEqual(self.billed, 40)

    def receive_moved(self, first_is_sent_alone=False):
        """Copaco moves a charge of 10.00 of V-1, which has 25.00 besides, to V-2."""
        kept, own = price_line("25.00", number=2), price_line("5.00", number=3)
        self.simulator.invoices.clear()
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice("V-1", "A1", [kept], customer=customer)
        if first_is_sent_alone:
            self.fetch()
        self.add_invoice("V-2", "A1", [price_line("10.00"), own], customer=customer)
        self.fetch()
        return self.find("V-2")

    def receive_first(self):
        self.simulator.invoices.clear()
        document = self.receive(
            "V-1", price_line("10.00"), price_line("25.00", number=2)
        )
        self.post(document)
        return document

    def test_what_is_excluded_while_it_waits_elsewhere_is_said_there(self):
        for first_is_sent_alone in (True, False):
            for decide in ("action_invoice_new_lines", "action_exclude_duplicates"):
                with self.subTest((first_is_sent_alone, decide)), self.undone():
                    first = self.receive_first()
                    moved = self.receive_moved(first_is_sent_alone)
                    self.assertWaits(first)
                    self.assertHeld(moved, "V-1")
                    self.act(moved, decide)
                    self.assertIn("excluded on V-2: keep", first.hold_message)
                    self.assertIn("excluded on V-2: keep", first.message_ids[0].body)

    def test_what_is_declined_while_it_waits_elsewhere_is_said_there(self):
        for is_posted in (True, False):
            with self.subTest(is_posted), self.undone():
                first, own = self.receive_first(), price_line("5.00", number=3)
                other = self.receive("V-2", own)
                if is_posted:
                    self.post(other)
                else:
                    first.move_id.button_draft()
                    other.move_id.invoice_line_ids[:1].name = "Edited"
                self.receive_moved()
                self.assertWaits(first)
                self.assertNotIn("declined", first.hold_message)
                self.assertWaits(other)
                self.assertIn("are on V-1", other.hold_message)
                with self.subTest("taken over first"), self.undone():
                    act = "action_correct" if is_posted else "action_use_new_version"
                    self.act(first, act)
                    self.assertIn("not on V-1", other.hold_message)
                    self.assertNotIn("are on V-1", other.hold_message)
                self.act(other, "action_keep_version")
                self.assertIn("declined on V-2: keep", first.hold_message)
                if is_posted:
                    self.get_correction(first).unlink()
                else:
                    first.move_id.with_context(force_delete=True).unlink()
                    self.assertIn("no invoice any more", first.hold_message)
                self.assertIn("declined on V-2: keep", first.hold_message)
                self.act(first, "action_keep_version")
                self.assertEqual(self.billed, 40)

    def test_what_is_excluded_is_so_while_its_change_waits(self):
        first = self.receive_first()
        moved = self.receive_moved()
        self.act(first, "action_keep_version")
        self.act(moved, "action_exclude_duplicates")
        self.simulator.invoices.clear()
        customer = {"CustomerNumber": "K-1"}
        for number, line in (
            ("V-1", price_line("25.00", number=2)),
            ("V-2", price_line("5.00", number=3)),
            ("V-3", price_line("10.00")),
        ):
            self.add_invoice(number, "A1", [line], customer=customer)
        self.fetch()
        self.assertEqual(moved.hold_reason, "source_changed")
        self.assertIn("excluded on V-2: keep", first.hold_message)
        self.get_correction(first)
        self.run_background()
        self.assertHeld(self.find("V-3"), "V-2 (excluded)")

    def receive_twice_billed(self):
        """:return: a document whose correction was deleted, and the one that its charge
        is billed on, too"""
        first = self.receive_first()
        moved = self.receive_moved()
        correction = self.get_correction(first)
        self.run_background()
        self.assertEqual(moved.state, "invoiced")
        correction.unlink()
        self.assertIn("billed twice: they are on V-2", first.hold_message)
        return first, moved

    def test_what_is_billed_twice_no_longer_is_not_said_to_be(self):
        first, moved = self.receive_twice_billed()
        with self.subTest("credited"), self.undone():
            self.post(moved)
            day = {"invoice_date": moved.move_id.invoice_date}
            moved.move_id._reverse_moves([day]).action_post()
            self.assertIn("which was credited", first.hold_message)
        moved.move_id.unlink()
        self.assertNotIn("billed twice", first.hold_message)
        self.act(moved, "action_retry")
        self.act(moved, "action_exclude_duplicates")
        self.assertNotIn("billed twice", first.hold_message)
        self.assertIn("excluded on V-2: keep", first.hold_message)

    def test_what_is_not_excluded_any_longer_is_not_said_to_be(self):
        first = self.receive_first()
        moved = self.receive_moved()
        self.act(moved, "action_exclude_duplicates")
        self.assertIn("excluded on V-2: keep", first.hold_message)
        self.act(moved, "action_include")
        self.assertHeld(moved, "V-1")
        self.assertNotIn("excluded on V-2", first.hold_message)

    def test_who_reverses_a_correction_is_told_where_its_charges_are(self):
        first = self.receive_first()
        moved = self.receive_moved()
        correction = self.get_correction(first)
        self.run_background()
        correction.action_post()
        self.assertFalse(moved.move_id.activity_ids)
        correction._reverse_moves([{"invoice_date": correction.date}]).action_post()
        self.assertEqual(self.billed, 50)
        self.assertIn(first.move_id.name, moved.move_id.activity_ids.note)

    def test_what_waits_as_a_duplicate_is_invoiced_when_it_is_none_any_more(self):
        first = self.receive_first()
        moved = self.receive_moved()
        self.assertHeld(moved, "V-1")
        self.get_correction(first)
        self.run_background()
        self.assertEqual(moved.state, "invoiced")
        self.assertEqual(self.billed, 40)

    def test_whoever_compares_duplicates_is_told_which_are_excluded(self):
        first, own = self.receive_first(), price_line("5.00", number=3)
        moved = self.receive("V-2", price_line("10.00"), own)
        self.assertHeld(moved, "on V-1 (invoice")
        first.move_id.button_draft()
        first.move_id.button_cancel()
        self.act(first, "action_exclude", "It is on V-2")
        self.run_background()
        self.assertHeld(moved, "on V-1 (excluded) already")
        self.act(moved, "action_invoice_anyway")
        self.assertEqual(self.billed, 15)

    def test_a_draft_that_was_cancelled_is_named_although_it_has_no_number(self):
        document = self.receive("V-1", price_line("10.00"))
        document.move_id.button_cancel()
        self.assertIn("was cancelled (A draft)", document.hold_message)

    def test_what_was_excluded_before_is_not_invoiced_unasked(self):
        first = self.receive_first()
        moved = self.receive_moved()
        self.act(moved, "action_exclude_duplicates")
        credit = first.move_id._reverse_moves(
            [{"invoice_date": first.move_id.invoice_date}]
        )
        credit.action_post()
        self.assertHeld(moved, self.billing_user.name, "credited")
        self.act(first, "action_correct")
        self.run_background()
        self.assertHeld(moved, self.billing_user.name, "credited")

    def test_what_moves_back_or_costs_something_else_is_not_gone(self):
        first, other = self.leave_to_first()
        kept = price_line("25.00", number=2)
        with self.undone():
            self.send("V-2", kept, price_line("12.00"))
            self.assertEqual(first.missing_state, "acknowledged")
        self.simulator.invoices.clear()
        for number, line in (("V-1", price_line("10.00")), ("V-2", kept)):
            customer = {"CustomerNumber": "K-1"}
            self.add_invoice(number, "A1", [line], customer=customer)
        self.fetch()
        self.assertFalse(first.missing_state)
        self.assertEqual((first | other).mapped("state"), ["invoiced"] * 2)
        self.assertFalse(self.connection.activity_ids)

    def test_a_line_that_was_left_out_elsewhere_is_asked_about_when_it_is_gone(self):
        first = self.receive("V-1", price_line("10.00"))
        lines = [price_line("10.00"), price_line("5.00", number=2)]
        moved = self.send("V-2", *lines)
        self.assertHeld(moved, "V-1")
        self.act(first, "action_acknowledge_missing")
        with self.subTest("before it was decided"), self.undone():
            self.send("V-2", lines[1])
            self.assertEqual(first.missing_state, "reported")
        for decide in ("action_invoice_new_lines", "action_exclude_duplicates"):
            with self.subTest(decide), self.undone():
                self.act(moved, decide)
                self.send("V-2", *lines)
                self.assertEqual(first.missing_state, "acknowledged")
                self.send("V-2", lines[1])
                self.assertEqual(first.missing_state, "reported")

    def test_a_change_that_was_declined_is_asked_about_when_its_reason_is_gone(self):
        first = self.send("V-1", price_line("10.00"), price_line("25.00", number=2))
        self.post(first)
        self.simulator.invoices.clear()
        self.receive("V-1", price_line("25.00", number=2))
        moved = self.receive("V-2", price_line("10.00"))
        self.assertEqual(moved.state, "excluded")
        self.act(first, "action_keep_version")
        self.send("V-1", price_line("25.00", number=2))
        self.assertWaits(first)
        self.assertIn("V-2", first.hold_message)
        self.assertEqual(self.get_correction(first).amount_untaxed, 10)
        self.run_background()
        self.assertHeld(moved, "Copaco no longer has it")
        self.assertEqual(self.billed, 25)
        with self.undone():
            self.act(moved, "action_exclude_duplicates")
            self.assertIn("no longer", moved.exclude_reason)
        self.act(moved, "action_invoice_anyway")
        self.assertEqual(self.billed, 35)

    def test_a_part_that_was_left_out_is_told_of_when_it_is_gone(self):
        document = self.send("V-1", price_line("10.00"))
        self.post(document)
        added = price_line("25.00", number=2)
        self.send("V-1", price_line("10.00"), added)
        self.act(document, "action_keep_version")
        with self.subTest("it is on another document"), self.undone():
            self.simulator.invoices.clear()
            customer = {"CustomerNumber": "K-1"}
            self.add_invoice("V-2", "A1", [added], customer=customer)
            self.receive("V-1", price_line("10.00"), added)
            self.assertHeld(self.find("V-2"), "V-1", "declined")
            self.simulator.invoices.pop()
            self.receive("V-1", price_line("10.00"))
            self.assertEqual(document.state, "invoiced")
        for lines in ([], [price_line("5.00", number=3)]):
            with self.subTest(lines), self.undone():
                self.send("V-1", price_line("10.00"), *lines)
                self.assertWaits(document)
                self.assertRegex(document.hold_message, "Service 2 [^.]*25.00")
                self.assertNotIn("Service 1", document.hold_message)
                self.assertTrue(document.run_id.is_balanced)
                self.assertTrue(document.version_ids[0].run_id.is_balanced)
                self.fetch()
                self.assertWaits(document)
                self.act(document, "action_keep_version")
                self.fetch()
                self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.billed, 10)

    def test_a_repetition_that_was_left_out_is_gone_without_a_question(self):
        line = price_line("10.00")
        document = self.send("V-1", line)
        self.post(document)
        self.send("V-1", line, line)
        self.act(document, "action_keep_version")
        self.send("V-1", line)
        self.assertEqual(document.state, "invoiced")
