"""What `test_content_machine` found, in its shortest form."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .test_duplicates import DuplicateCase, price_line


class ContentCase(DuplicateCase):
    def send(self, number, *lines, **values):
        """Let Copaco have this invoice only, and fetch it.

        :return: the document
        """
        self.simulator.invoices.clear()
        return self.receive(number, *lines, **values)

    def run_background(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestContentFound(ContentCase):
    def test_what_another_connection_misses_is_told_of(self):
        document = self.send("V-1", price_line("10.00"))
        other = self._create_connection(
            name="Other",
            base_url=self.connection.base_url,
            import_from=self.connection.import_from,
        )
        other.api_key = "simulator-key"
        self.simulator.invoices.clear()
        self.fetch(other)
        self.assertEqual(document.missing_state, "reported")
        self.assertIn("no longer", self.connection.activity_ids.summary)
        self.receive("V-1", price_line("10.00"))
        self.assertFalse(self.connection.activity_ids)

    def test_a_change_that_repeats_a_line_waits(self):
        document = self.send("V-1", price_line("10.00"))
        line = price_line("5.00", number=2)
        self.send("V-1", price_line("10.00"), line, line)
        self.assertWaits(document)
        self.assertIn("more than once", document.hold_message)
        self.assertEqual(self.billed, 10)

    def test_a_month_that_is_there_twice_besides_another_is_asked_about(self):
        november = {"StartDate": "20261101", "EndDate": "20261130"}
        document = self.send(
            "V-1",
            price_line("10.00"),
            price_line("10.00", **november),
            price_line("10.00", **november),
        )
        self.assertHeld(document, "more than once")
        self.act(document, "action_invoice_new_lines")
        self.assertEqual(self.billed, 20)

    def test_new_lines_alone_are_billed_at_their_own_exact_sum(self):
        self.send("V-1", price_line("10.004"))
        mixed = self.receive(
            "V-2",
            price_line("10.004"),
            price_line("12.0049", number=2),
            price_line("0.004", number=3),
        )
        self.act(mixed, "action_invoice_new_lines")
        # 12.0089; all three are 22.0129.
        self.assertRecordValues(
            mixed,
            [{"state": "invoiced", "amount_source": 22.01, "amount_excluded": 10}],
        )
        self.assertEqual(mixed.move_amount_untaxed, 12.01)
        self.assertTrue(mixed.run_id.is_balanced)

    def test_whose_a_document_is_comes_before_what_it_repeats(self):
        line = price_line("10.00", InvoiceRowHash="")
        self.send("V-1", line, price_line("25.00", number=2))
        # The same number with Copaco, so it is only suggested who it is.
        subscription = {"SubscriptionID": "subscription-A1", "PlanID": "plan"}
        moved = self.send(
            "V-2",
            account="A-new",
            customer={
                "Subscriptions": [
                    {
                        **subscription,
                        "PriceLines": [
                            line,
                            price_line("25.00", number=2),
                            price_line("5.00", number=3),
                        ],
                    }
                ]
            },
        )
        self.assertEqual(moved.hold_reason, "customer_unknown")
        self.act(moved.customer_id, "action_accept")
        self.assertHeld(moved, "2 of the 3 lines", "V-1")
        self.act(moved, "action_invoice_new_lines")
        self.assertEqual(self.billed, 40)

    def test_an_account_in_other_capitals_is_the_same_on_a_new_document(self):
        first = self.send("V-1", price_line("10.00"), account="acc-1")
        second = self.send("V-2", price_line("5.00", number=2), account="ACC-1")
        self.assertFalse(second)
        second = self.find("V-2", "acc-1")
        self.assertEqual(second.customer_id, first.customer_id)
        self.assertEqual(second.state, "invoiced")

    def test_lines_that_come_after_a_decision_may_be_duplicates_too(self):
        self.receive("V-1", price_line("10.00"))
        lines = [price_line("25.00", number=2), price_line("25.00", number=2)]
        moved = self.receive("V-2", *lines)
        for decide in ("action_invoice_new_lines", "action_invoice_anyway"):
            with self.subTest(decide), self.undone():
                self.act(moved, decide)
                moved.move_id.unlink()
                self.send("V-2", *lines, price_line("10.00"))
                self.act(moved, "action_use_new_version")
                self.assertHeld(moved)
                self.assertEqual(self.billed, 10)

    def test_what_was_invoiced_anyway_is_compared_again_after_it_was_not(self):
        first = self.receive("V-1", price_line("10.00"))
        first.move_id.unlink()
        again = self.receive("V-2", price_line("10.00"))
        self.act(again, "action_invoice_anyway")
        again.move_id.unlink()
        self.act(first, "action_retry")
        self.act(again, "action_retry")
        self.assertIn("V-1", again.exclude_reason)
        self.act(again, "action_invoice_anyway")
        again.move_id.unlink()
        self.act(again, "action_exclude", "Not this one")
        self.act(again, "action_include")
        self.assertFalse(again.excluded_by_id)
        self.assertIn("V-1", again.exclude_reason)
        self.assertEqual(self.billed, 10)

    def test_what_is_to_be_invoiced_anyway_comes_before_what_only_waits(self):
        first = self.receive("V-1", price_line("10.00"))
        first.move_id.unlink()
        again = self.receive("V-2", price_line("10.00"))
        self.partner.active = False
        self.act(again, "action_invoice_anyway")
        self.assertEqual(again.hold_reason, "partner_archived")
        self.partner.active = True
        self.act(first, "action_retry")
        self.assertIn("V-2", first.exclude_reason)
        self.act(again, "action_retry")
        self.assertEqual(self.billed, 10)

    def test_a_charge_that_was_left_out_elsewhere_is_not_lost_in_silence(self):
        first = self.receive("V-1", price_line("10.00"), price_line("25.00", number=2))
        other = self.receive("V-2", price_line("10.00"), price_line("5.00", number=3))
        for decide in ("action_invoice_new_lines", "action_exclude_duplicates"):
            with self.subTest(decide), self.undone():
                self.act(other, decide)
                self.send("V-1", price_line("25.00", number=2))
                self.assertWaits(first)
                self.assertIn("excluded on V-2", first.hold_message)
                self.assertEqual(first.move_amount_untaxed, 35)

    def test_a_charge_that_was_left_out_here_is_not_changed_in_silence(self):
        self.post(self.receive("V-1", price_line("10.00")))
        lines = [price_line("10.00"), price_line("25.00", number=2)]
        second = self.receive("V-2", *lines)
        self.act(second, "action_invoice_new_lines")
        for received in (lines[1:], [price_line("8.00"), lines[1]]):
            with self.undone():
                self.send("V-2", *received)
                self.assertWaits(second)
                self.assertIn("excluded because the charges", second.hold_message)
        lines.append(price_line("5.00", number=3))
        self.send("V-2", *lines)
        self.assertEqual(second.state, "invoiced")
        self.assertEqual(self.billed, 40)

    def test_another_month_that_was_left_out_lets_a_draft_be_updated(self):
        november = {"StartDate": "20261101", "EndDate": "20261130"}
        line = price_line("10.00", InvoiceRowHash="")
        first = self.receive("V-1", line)
        following = self.receive("V-2", {**line, **november})
        following.move_id.unlink()
        self.act(following, "action_exclude", "Not in November")
        self.send("V-1", {**line, "ExtendedPrice": 12})
        self.assertEqual(first.state, "invoiced")
        self.assertEqual(self.billed, 12)

    def test_what_a_rule_excluded_is_looked_at_again_when_its_lines_are_gone(self):
        lines = [price_line("10.00"), price_line("25.00", number=2)]
        first = self.receive("V-1", *lines)
        both = self.receive("81100", *lines)
        self.assertEqual(both.state, "excluded")
        with self.subTest("Copaco changed it"), self.undone():
            self.send("V-1", lines[1])
            self.run_background()
            self.assertEqual(first.move_amount_untaxed, 25)
            self.assertHeld(both, "1 of the 2 lines", "V-1")
        with self.subTest("a person excluded it"), self.undone():
            first.move_id.unlink()
            self.act(first, "action_exclude", "Moved to 81100")
            self.run_background()
            self.assertHeld(both, "2 of the 2 lines", "V-1")

    def test_what_a_rule_excluded_is_asked_about_when_the_invoice_is_credited(self):
        first = self.receive("V-1", price_line("10"))
        self.post(first)
        again = self.receive("V-2", price_line("10"))
        self.assertEqual(again.state, "excluded")
        credit = first.move_id._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        credit.action_post()
        self.run_background()
        self.assertHeld(again, "V-1", "which was credited")

    def test_what_a_rule_excluded_is_asked_about_when_a_correction_is_credited(self):
        first = self.send("V-1", price_line("10"))
        self.post(first)
        self.send("V-1", price_line("10"), price_line("25", number=2))
        self.act(first, "action_correct")
        first.correction_ids.action_post()
        again = self.receive("V-2", price_line("25", number=2))
        self.assertEqual(again.state, "excluded")
        credit = first.correction_ids._reverse_moves(
            [{"invoice_date": date(2026, 11, 25)}]
        )
        credit.action_post()
        self.run_background()
        self.assertEqual(again.state, "held")

    def test_a_change_says_when_its_charges_were_invoiced_elsewhere_since(self):
        first = self.send("V-1", price_line("10"))
        self.post(first)
        lines = [price_line("10"), price_line("25", number=2)]
        self.send("V-1", *lines)
        self.assertWaits(first)
        both = self.send("81100", *lines)
        self.assertHeld(both, "1 of the 2 lines", "V-1")
        self.act(both, "action_invoice_new_lines")
        self.assertEqual(self.billed, 35)
        self.assertWaits(first)
        self.assertIn("81100", first.hold_message)

    def test_what_rests_on_lines_that_are_left_out_is_looked_at_again(self):
        self.receive("V-1", price_line("10.00"))
        mixed = self.receive("V-2", price_line("8.00"), price_line("5.00", number=2))
        again = self.receive("V-3", price_line("8.00"))
        self.assertEqual(again.state, "excluded")
        self.act(mixed, "action_invoice_new_lines")
        self.run_background()
        self.assertHeld(again, "V-1")

    def test_a_total_without_lines_takes_nothing_off_what_is_posted(self):
        document = self.send("V-1", price_line("10.00"))
        self.post(document)
        (stored,) = self.simulator.invoices
        stored.content["Customers"][0]["Subscriptions"] = None
        stored.content["Totals"] = {"TotalExcludingVAT": 10}
        self.fetch()
        self.assertWaits(document)
        with self.assertRaisesRegex(UserError, "a total and no lines"):
            self.act(document, "action_correct")
        self.assertEqual(self.billed, 10)

    def test_a_part_of_what_a_person_did_not_take_over_changes_nothing(self):
        document = self.send("V-1", price_line("10.00"))
        self.post(document)
        self.simulator.invoices.clear()
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice("V-1", "A1", [price_line("12.00")], customer=customer)
        self.receive("V-1", price_line("5.00", number=2), created=date(2026, 11, 24))
        self.act(document, "action_keep_version")
        self.fetch_period(date(2026, 11, 24), date(2026, 11, 25))
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.billed, 10)

    def test_a_change_after_one_that_a_person_did_not_take_over_waits(self):
        document = self.send("V-1", price_line("10.00"))
        document.move_id.ref = "Edited"
        self.send("V-1", price_line("12.00"))
        self.act(document, "action_keep_version")
        document.move_id.ref = False
        self.send("V-1", price_line("12.00"), price_line("5.00", number=2))
        self.assertWaits(document)
        self.assertEqual(self.billed, 10)

    def test_what_was_not_taken_over_is_asked_about_when_it_comes_again(self):
        document = self.send("V-1", price_line("10.00"))
        self.post(document)
        self.send("V-1", price_line("12.00"))
        self.act(document, "action_keep_version")
        self.send("V-1", price_line("10.00"))
        self.send("V-1", price_line("12.00"))
        self.assertWaits(document)

    def test_what_comes_back_otherwise_after_it_was_acknowledged_missing_waits(self):
        document = self.send("V-1", price_line("10.00"), price_line("25.00", number=2))
        self.simulator.invoices.clear()
        self.fetch()
        self.act(document, "action_acknowledge_missing")
        self.send("V-1", price_line("25.00", number=2))
        self.assertWaits(document)
        self.assertEqual(self.billed, 35)

    def test_the_very_same_response_takes_away_what_all_days_were_asked_for(self):
        line, day = price_line("10.00"), date(2026, 11, 24)
        self.receive("V-1", line, price_line("25.00", number=2), created=day)
        self.simulator.invoices.clear()
        added = price_line("5.00", number=3)
        self.add_invoice(
            "V-1", "A1", [line, added], day, customer={"CustomerNumber": "K-1"}
        )
        self.fetch_period(day, date(2026, 11, 25))
        self.assertEqual(self.billed, 40)
        self.fetch_period(date(2026, 11, 1), date(2026, 11, 25))
        self.assertEqual(self.billed, 15)

    def test_what_was_left_out_stays_out_when_a_correction_is_deleted(self):
        line = price_line("10.00")
        document = self.send("V-1", line, line)
        self.act(document, "action_invoice_new_lines")
        self.post(document)
        self.send("V-1", price_line("25.00", number=2))
        self.get_correction(document)
        self.assertEqual(self.billed, 25)
        document.correction_ids.unlink()
        self.assertWaits(document)
        self.assertEqual(document.line_ids.mapped("is_excluded"), [False, True])
        self.assertEqual(document.amount_to_invoice, 10)
        self.assertTrue(document.run_id.is_balanced)
        self.assertEqual(self.billed, 10)
