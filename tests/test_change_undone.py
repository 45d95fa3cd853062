from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .test_duplicates import DuplicateCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeUndone(DuplicateCase):
    """Promises 1 and 7 when what a document said before counts again: a correction goes
    away, the old version is kept, a cancelled invoice comes back."""

    def remove(self, move, way="unlink"):
        if way == "reset":
            move.action_post()
            move.button_draft()
            way = "unlink"
        getattr(move, way)()

    def send(self, number, *lines):
        """Let Copaco have this invoice only, and fetch it."""
        self.simulator.invoices.clear()
        return self.receive(number, *lines)

    def send_amounts(self, number, *amounts):
        """Post an invoice, and correct it for each further amount.

        :return: (document, list of the corrections, of which the last one is a draft)
        """
        document = self.send(number, price_line(amounts[0]))
        self.post(document)
        corrections = []
        for amount in amounts[1:]:
            if corrections:
                corrections[-1].action_post()
            self.send(number, price_line(amount))
            corrections.append(self.get_correction(document))
        return document, corrections

    def decline(self, document, *lines):
        self.send(document.invoice_number, *lines)
        self.assertWaits(document)
        self.act(document, "action_keep_version")

    def assertDeclined(self, document, amount, declined):
        """Nothing waits, what was declined still is, and the difference is told."""
        for _time in range(2):
            self.assertRecordValues(
                document,
                [
                    {
                        "state": "invoiced",
                        "hold_reason": False,
                        "amount_source": amount,
                        "has_pending_version": False,
                    }
                ],
            )
            self.assertEqual(
                document.version_ids._get_declined().mapped("amount_source"),
                [declined],
            )
            notes = self.env["copaco.reconciliation"]._reconcile_runs(document.run_id)
            texts = [text for text, _ in notes[document.run_id].notes]
            self.assertIn("kept the old version", " ".join(texts))
            self.fetch()
        self.assertBalanced()

    def assertAsked(self, document, *texts):
        """The old version was to be kept, and that is asked about."""
        self.assertRecordValues(
            document, [{"state": "changed", "hold_reason": "possible_double"}]
        )
        for text in texts:
            self.assertIn(text, document.hold_message)

    # What was declined

    def test_what_was_declined_stays_so_however_a_correction_goes(self):
        for way in ("unlink", "button_cancel", "reset"):
            with self.subTest(way=way), self.undone():
                document, corrections = self.send_amounts("V-1", "10", "12")
                self.decline(document, price_line("14"))
                self.remove(corrections[0], way)
                self.assertDeclined(document, 10, 14)

    def test_what_was_declined_stays_so_when_several_corrections_go(self):
        document, corrections = self.send_amounts("V-1", "10", "12", "15")
        self.decline(document, price_line("20"))
        self.remove(corrections[1])
        self.assertDeclined(document, 12, 20)
        corrections[0].button_draft()
        self.remove(corrections[0])
        self.assertDeclined(document, 10, 20)

    def test_what_was_declined_stays_so_when_corrections_go_together(self):
        document, corrections = self.send_amounts("V-1", "10", "12", "15")
        self.decline(document, price_line("20"))
        corrections[0].button_draft()
        self.remove(corrections[0] + corrections[1])
        self.assertDeclined(document, 10, 20)

    def test_what_was_declined_stays_so_when_the_invoice_goes_as_well(self):
        document, corrections = self.send_amounts("V-1", "10", "12")
        self.decline(document, price_line("14"))
        document.move_id.button_draft()
        (document.move_id + corrections[0]).button_cancel()
        self.assertRecordValues(
            document,
            [
                {
                    "state": "held",
                    "hold_reason": "invoice_cancelled",
                    "amount_source": 10,
                    "has_pending_version": False,
                }
            ],
        )
        self.act(document, "action_retry")
        self.assertDeclined(document, 10, 14)

    def test_what_nobody_declined_of_what_copaco_says_now_waits(self):
        one, two, three = (price_line("10", number=number) for number in (1, 2, 3))
        for number, (old, corrected, newest) in enumerate(
            (
                ([one, two], [one], [price_line("11")]),
                ([one], [one, two], [price_line("11"), two]),
                ([one], [price_line("12")], [price_line("12"), three]),
            )
        ):
            with self.subTest(number=number), self.undone():
                document = self.send("V-1", *old)
                self.post(document)
                self.send("V-1", *corrected)
                correction = self.get_correction(document)
                self.decline(document, *newest)
                self.remove(correction)
                for _time in range(2):
                    self.assertWaits(document)
                    self.assertEqual(
                        document._get_pending_version().line_count, len(newest)
                    )
                    self.fetch()

    def test_nothing_is_left_of_what_was_declined_when_it_counts_again(self):
        document, corrections = self.send_amounts("V-1", "10", "12")
        self.decline(document, price_line("10"))
        self.remove(corrections[0])
        self.assertRecordValues(
            document, [{"state": "invoiced", "amount_source": 10, "hold_reason": False}]
        )
        self.assertEqual(set(document.version_ids.mapped("state")), {"replaced"})
        self.fetch()
        self.assertEqual(document.state, "invoiced")

    def test_what_was_declined_before_does_not_wait_instead_of_what_copaco_says(self):
        document, _corrections = self.send_amounts("V-1", "10")
        self.decline(document, price_line("9"))
        self.send("V-1", price_line("12"))
        correction = self.get_correction(document)
        self.remove(correction)
        self.assertWaits(document)
        self.assertEqual(document._get_pending_version().amount_source, 12)

    def test_what_waits_is_what_copaco_says_now_and_nothing_that_was_declined(self):
        document, corrections = self.send_amounts("V-1", "10", "12")
        self.decline(document, price_line("14"))
        self.send("V-1", price_line("16"))
        self.remove(corrections[0])
        self.assertWaits(document)
        self.assertEqual(document._get_pending_version().amount_source, 16)
        self.send("V-1", price_line("14"))
        self.assertDeclined(document, 10, 14)

    # Charges that another document bills by now

    def move_charge(self):
        """Let Copaco move a charge to another number, where it is invoiced.

        :return: (the document that had it, the draft that credits it, the other one)
        """
        document = self.send("V-1", price_line("10"), price_line("5", number=2))
        self.post(document)
        self.send("V-1", price_line("5", number=2))
        credit = self.get_correction(document)
        other = self.receive("V-2", price_line("10"))
        self.assertEqual(other.state, "invoiced")
        self.assertEqual(self.billed, 15)
        return document, credit, other

    def test_an_old_version_is_not_kept_unasked_when_its_charges_moved(self):
        document, credit, other = self.move_charge()
        self.post(other)
        self.remove(credit)
        self.assertWaits(document)
        self.assertIn(f"V-2 (invoice {other.move_id.name})", document.hold_message)
        notification = self.act(document, "action_keep_version")
        self.assertEqual(notification["params"]["message"], document.hold_message)
        self.assertAsked(document, "1 of the 2 lines", "V-2", other.move_id.name)
        self.assertIn("V-2", document.duplicate_table)
        self.fetch()
        self.assertAsked(document)
        self.get_correction(document)
        self.assertRecordValues(document, [{"state": "invoiced", "hold_reason": False}])
        self.assertEqual(self.billed, 15)
        self.assertBalanced()

    def test_an_old_version_is_kept_besides_another_document_when_a_person_says_so(
        self,
    ):
        document, credit, _other = self.move_charge()
        self.remove(credit)
        self.act(document, "action_keep_version")
        self.act(document, "action_invoice_anyway")
        self.assertDeclined(document, 15, 5)
        self.assertTrue(document.is_no_double)
        self.assertEqual(self.billed, 25)

    def test_what_was_said_of_a_charge_is_asked_again_when_it_counts_again(self):
        document = self.send("V-1", price_line("10"), price_line("5", number=2))
        self.post(document)
        other = self.receive("V-2", price_line("10"), price_line("7", number=3))
        self.act(other, "action_invoice_anyway")
        self.send("V-1", price_line("5", number=2))
        credit = self.get_correction(document)
        self.remove(credit)
        self.act(document, "action_keep_version")
        self.assertAsked(document, "V-2")

    def test_what_was_said_of_charges_that_stayed_is_not_asked_again(self):
        document = self.send("V-1", price_line("10"), price_line("5", number=2))
        self.post(document)
        other = self.receive("V-2", price_line("10"), price_line("7", number=3))
        self.act(other, "action_invoice_anyway")
        self.send("V-1", price_line("10"))
        self.remove(self.get_correction(document))
        self.assertNotIn("V-2", document.hold_message)
        self.act(document, "action_keep_version")
        self.assertEqual(document.state, "invoiced")

    def test_an_old_version_is_kept_once_the_other_invoice_is_gone(self):
        document, credit, other = self.move_charge()
        self.remove(credit)
        self.act(document, "action_keep_version")
        self.assertAsked(document)
        other.move_id.unlink()
        self.act(document, "action_keep_version")
        self.assertEqual(document.state, "invoiced")
        self.act(other, "action_retry")
        self.assertEqual(self.billed, 15)

    def test_what_was_declined_waits_again_when_charges_would_be_billed_twice(self):
        document, credit, _other = self.move_charge()
        self.decline(document, price_line("6", number=2))
        self.remove(credit)
        self.assertWaits(document)
        self.assertIn("V-2", document.hold_message)
        self.assertEqual(document._get_pending_version().amount_source, 6)
        self.act(document, "action_keep_version")
        self.assertAsked(document, "V-2")

    def test_charges_that_came_back_are_asked_about_while_another_bills_them(self):
        """Whether Copaco said so before or after the correction was removed."""
        old = price_line("10"), price_line("5", number=2)
        for is_before in (True, False):
            with self.subTest(is_before=is_before), self.undone():
                document, credit, other = self.move_charge()
                self.post(other)
                if is_before:
                    self.send("V-1", *old)
                    self.remove(credit)
                else:
                    self.remove(credit)
                    self.send("V-1", *old)
                for _time in range(2):
                    self.assertWaits(document)
                    self.assertIn("V-2", document.hold_message)
                    self.fetch()
                with self.assertRaisesRegex(UserError, "V-2"):
                    self.act(document, "action_correct")
                self.act(document, "action_keep_version")
                self.assertAsked(document, "V-2")
                self.send("V-2", price_line("1", number=4))
                self.get_correction(other)
                self.act(document, "action_keep_version")
                self.assertEqual(document.state, "invoiced")
                self.assertEqual(self.billed, 16)
                self.assertBalanced()

    def test_a_cancelled_invoice_does_not_come_back_beside_another_of_its_charges(self):
        document = self.send("V-1", price_line("10"), price_line("5", number=2))
        move = document.move_id
        move.button_cancel()
        other = self.receive("V-2", price_line("10"))
        self.act(other, "action_invoice_anyway")
        with self.assertRaisesRegex(UserError, r"V-2 \(invoice"):
            move.button_draft()
        self.act(document, "action_retry")
        self.assertEqual(document.hold_reason, "possible_double")
        self.act(document, "action_invoice_new_lines")
        self.assertEqual(self.billed, 15)
