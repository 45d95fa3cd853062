"""What `test_content_machine` found, in its shortest form."""

from odoo.tests import freeze_time, tagged

from .test_duplicates import DuplicateCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestContentFound(DuplicateCase):
    def send(self, number, *lines, **values):
        """Let Copaco have this invoice only, and fetch it.

        :return: the document
        """
        self.simulator.invoices.clear()
        return self.receive(number, *lines, **values)

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
