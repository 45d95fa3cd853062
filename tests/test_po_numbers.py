from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


class PoNumberCommon(CopacoChangeCommon):
    """A customer that gets one invoice per PO number."""

    def setUp(self):
        super().setUp()
        self.customer = self.create_customer("A1", self.partner)
        self.customer.is_split_by_po = True

    def po_line(self, amount, po_number, number, **values):
        return price_line(amount, number=number, SubPONumber=po_number, **values)

    def get_part(self, po_number):
        return self.documents.filtered(
            lambda document: (document.po_part or "") == po_number
        )

    def assertBilled(self, **amounts):
        """:param amounts: of all invoices together without tax, by PO number"""
        self.env.invalidate_all()
        booked = {}
        for move in self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "like", "out_%")]
        ):
            booked.setdefault(move.ref or "none", 0)
            booked[move.ref or "none"] += move.amount_untaxed_in_currency_signed
        self.assertEqual(
            {key: round(amount, 2) for key, amount in booked.items()}, amounts
        )

    def send_moved_to_new(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("5", "P1", 2))
        self.documents.move_id.action_post()
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("5", "P2", 2),
            self.po_line("7", "P2", 3),
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoNumbers(PoNumberCommon):
    """Promises 1 to 4 where a customer gets one invoice per PO number."""

    def test_each_po_number_has_an_invoice(self):
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            self.po_line("5", "P1", 3),
        )
        self.assertRecordValues(
            self.documents,
            [
                {"po_part": "P1", "state": "invoiced", "move_amount_untaxed": 15},
                {"po_part": "P2", "state": "invoiced", "move_amount_untaxed": 20},
            ],
        )
        self.assertEqual(self.documents.move_id.mapped("ref"), ["P1", "P2"])
        self.assertEqual(self.documents[0].name, "INV-1 · PO P1 · Customer A1")
        self.assertBalanced()

    def test_it_is_fetched_again_and_nothing_is_new(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        known = self.send(*lines)
        self.send(*lines)
        self.assertEqual(self.documents, known)
        self.assertFalse(known.version_ids)
        self.assertBilled(P1=10, P2=20)
        run = self.env["copaco.run"].search([], limit=1)
        self.assertEqual(
            (run.received_count, run.unchanged_count, run.amount_received), (2, 2, 30)
        )
        self.assertBalanced()

    # === WHAT IS SPLIT === #

    def test_lines_without_a_po_number_have_an_invoice_of_their_own(self):
        self.send(self.po_line("10", "P1", 1), price_line("7", number=2))
        self.assertBilled(P1=10, none=7)
        self.assertEqual(self.get_part("").name, "INV-1 · Customer A1")
        self.assertBalanced()

    def test_it_is_the_po_number_of_the_line_before_that_of_the_subscription(self):
        self.simulator.invoices.clear()
        self.add_invoice(
            "INV-1",
            "A1",
            [],
            customer={
                "CustomerNumber": "K-1",
                "Subscriptions": [
                    {
                        "SubscriptionID": name,
                        "SubscriptionPONumber": po_number,
                        "PriceLines": lines,
                    }
                    for name, po_number, lines in (
                        ("S1", "P1", [price_line("10"), self.po_line("5", "P2", 2)]),
                        ("S2", "P2", [price_line("20", number=3)]),
                    )
                ],
            },
        )
        self.fetch()
        self.assertBilled(P1=10, P2=25)
        self.assertBalanced()

    def test_a_single_po_number_is_one_document(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P1", 2))
        self.assertEqual(len(self.documents), 1)
        self.assertBilled(P1=30)

    def test_other_customers_get_one_invoice(self):
        self.customer.is_split_by_po = False
        document = self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.assertRecordValues(document, [{"is_po_part": False, "po_part": False}])
        self.assertEqual(document.move_amount_untaxed, 30)

    def test_what_was_received_before_it_was_switched_on_stays_whole(self):
        self.customer.is_split_by_po = False
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        document = self.send(*lines)
        self.customer.is_split_by_po = True
        self.send(*lines, self.po_line("5", "P3", 3))
        self.assertEqual(self.documents, document)
        self.assertEqual(document.move_amount_untaxed, 35)
        self.send(self.po_line("1", "P1", 1), self.po_line("2", "P2", 2), number="I-2")
        self.assertEqual(len(self.documents - document), 2)
        self.assertBalanced()

    def test_what_was_received_before_it_was_switched_off_stays_split(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*lines)
        self.customer.is_split_by_po = False
        self.send(*lines, self.po_line("5", "P3", 3), self.po_line("6", "P2", 4))
        self.assertBilled(P1=10, P2=26, P3=5)
        self.assertBalanced()

    def test_the_po_number_of_an_e_invoice_is_that_of_the_part(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.documents.move_id.action_post()
        builder = self.env["account.edi.xml.ubl_bis3"]
        self.assertEqual(len(self.documents.move_id), 2)
        for move in self.documents.move_id:
            xml, _errors = builder._export_invoice(move)
            order = f"<cac:OrderReference><cbc:ID>{move.ref}</cbc:ID>"
            self.assertIn(order, xml.decode())

    def test_a_required_po_number_holds_the_lines_without_one_alone(self):
        self.customer.is_po_number_required = True
        self.send(self.po_line("10", "P1", 1), price_line("7", number=2))
        self.assertEqual(self.get_part("P1").state, "invoiced")
        self.assertEqual(self.get_part("").hold_reason, "po_number_missing")
        self.assertBilled(P1=10)
        self.assertBalanced()

    def test_what_was_unreadable_first_is_split_when_it_can_be_read(self):
        self.send(price_line("1", ExtendedPrice="x"))
        self.assertEqual(self.documents.hold_reason, "payload_invalid")
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    def test_parts_that_can_not_be_read_any_more_stay_and_the_run_says_so(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*lines)
        self.send(self.po_line("10", "P1", 1, ExtendedPrice="x"))
        run = self.env["copaco.run"].search([], limit=1)
        self.assertEqual((run.state, run.rejected_count), ("attention", 1))
        self.assertFalse(any(self.documents.mapped("missing_state")))
        self.assertBilled(P1=10, P2=20)
        self.send(*lines)
        self.assertBalanced()

    # === TOTALS === #

    def send_with_totals(self, *lines, **totals):
        self.simulator.invoices.clear()
        self.add_invoice("INV-1", "A1", lines, customer={"CustomerNumber": "K-1"})
        self.simulator.invoices[-1].content["Totals"] = totals
        self.fetch()

    def test_copacos_total_is_compared_with_all_parts(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send_with_totals(*lines, TotalExcludingVAT="30")
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    def test_where_copacos_total_differs_all_parts_are_held(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send_with_totals(*lines, TotalExcludingVAT="31")
        self.assertEqual(
            self.documents.mapped("hold_reason"), ["source_totals_differ"] * 2
        )
        run = self.documents.run_id
        found = self.env["copaco.reconciliation"]._reconcile_runs(run)[run]
        self.assertEqual(found.totals_difference, 1)
        self.send_with_totals(*lines, TotalExcludingVAT="30")
        self.process(self.documents)
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    def test_each_part_is_its_own_sum_to_the_cent(self):
        self.send_with_totals(
            self.po_line("1.004", "P1", 1),
            self.po_line("1.004", "P1", 2),
            self.po_line("1.004", "P2", 3),
            TotalExcludingVAT="3.01",
        )
        self.assertBilled(P1=2.01, P2=1)
        self.assertEqual(self.get_part("P1").amount_rounding, 0.01)
        self.assertBalanced()

    # === CHANGES === #

    def test_drafts_are_updated(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.send(self.po_line("11", "P1", 1), self.po_line("20", "P2", 2))
        self.assertBilled(P1=11, P2=20)
        self.assertBalanced()

    def test_a_new_po_number_is_a_new_invoice(self):
        self.send(self.po_line("10", "P1", 1))
        self.documents.move_id.action_post()
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.assertBilled(P1=10, P2=20)
        self.assertEqual(self.get_part("P1").state, "invoiced")
        self.assertBalanced()

    def test_a_line_moves_between_drafts(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        for first, second in (("P1", "P2"), ("P2", "P1")):
            with self.subTest(first=first), self.undone():
                self.send(*rest, self.po_line("5", first, 3))
                self.send(*rest, self.po_line("5", second, 3))
                amounts = {"P1": 10, "P2": 20}
                amounts[second] += 5
                self.assertBilled(**amounts)
                self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
                self.assertBalanced()

    def test_a_line_moves_to_a_new_po_number(self):
        rest = self.po_line("10", "P1", 1)
        self.send(rest, self.po_line("5", "P1", 2))
        self.send(rest, self.po_line("5", "P2", 2))
        self.assertBilled(P1=10, P2=5)
        self.assertBalanced()

    def test_a_corrected_po_number_is_corrected_on_the_draft(self):
        known = self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.send(self.po_line("10", "P9", 1), self.po_line("20", "P2", 2))
        self.assertEqual(self.documents, known)
        self.assertEqual(known.mapped("po_part"), ["P9", "P2"])
        self.assertBilled(P9=10, P2=20)
        self.assertBalanced()

    def test_a_line_that_moved_from_a_posted_part_is_not_billed_twice(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*rest, self.po_line("5", "P1", 3))
        self.get_part("P1").move_id.action_post()
        self.send(*rest, self.po_line("5", "P2", 3))
        self.assertBilled(P1=15, P2=20)
        self.assertWaits(self.get_part("P1"))
        self.assertWaits(self.get_part("P2"))
        self.assertIn("PO P1", self.get_part("P2").hold_message)
        self.assertBalanced()
        correction = self.get_correction(self.get_part("P1"))
        self.assertEqual(correction.amount_untaxed, 5)
        self.act(self.get_part("P2"), "action_use_new_version")
        self.assertBilled(P1=10, P2=25)
        self.assertBalanced()

    def test_a_moved_line_with_another_row_hash_is_not_billed_twice_either(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        moved = self.po_line("5", "P2", 3, InvoiceRowHash="other")
        new = self.po_line("5", "P3", 3, InvoiceRowHash="other")
        for line, number in ((moved, "P2"), (new, "P3")):
            with self.subTest(number=number), self.undone():
                self.send(*rest, self.po_line("5", "P1", 3))
                self.get_part("P1").move_id.action_post()
                self.send(*rest, line)
                self.assertBilled(P1=15, P2=20)
                self.assertIn("PO P1", self.get_part(number).hold_message)
                self.get_correction(self.get_part("P1"))
                if number == "P2":
                    self.act(self.get_part("P2"), "action_use_new_version")
                self.process(self.get_part(number))
                self.assertEqual(sum(self.documents.mapped("amount_source")), 35)
                total = sum(
                    self.env["account.move"]
                    .search([("company_id", "=", self.company.id)])
                    .mapped("amount_untaxed_in_currency_signed")
                )
                self.assertEqual(total, 35)
                self.assertBalanced()

    def test_drafts_follow_a_moved_line_with_another_row_hash(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*rest, self.po_line("5", "P1", 3))
        self.send(*rest, self.po_line("5", "P2", 3, InvoiceRowHash="other"))
        self.assertBilled(P1=10, P2=25)
        self.assertBalanced()

    def test_a_po_number_that_is_corrected_after_it_was_confirmed_is_credited(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.documents.move_id.action_post()
        self.send(self.po_line("10", "P9", 1), self.po_line("20", "P2", 2))
        self.assertBilled(P1=10, P2=20)
        self.assertWaits(self.get_part("P1"))
        self.assertEqual(self.get_part("P9").state, "excluded")
        self.assertBalanced()
        self.get_correction(self.get_part("P1"))
        self.process(self.get_part("P9"))
        self.assertBilled(P1=0, P2=20, P9=10)
        self.assertBalanced()

    def test_what_was_held_for_a_moved_line_goes_on_when_that_is_credited(self):
        self.send_moved_to_new()
        self.assertEqual(self.get_part("P2").hold_reason, "possible_double")
        self.assertBilled(P1=15)
        self.get_correction(self.get_part("P1"))
        self.assertEqual(self.get_part("P2").state, "new")
        self.process(self.get_part("P2"))
        self.assertBilled(P1=10, P2=12)
        self.assertBalanced()

    def test_a_po_number_that_vanishes_waits_for_a_person(self):
        rest = self.po_line("20", "P2", 2)
        self.send(self.po_line("10", "P1", 1), rest)
        self.send(rest)
        self.assertWaits(self.get_part("P1"))
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()
        self.get_part("P1").move_id.action_post()
        self.get_correction(self.get_part("P1"))
        self.assertBilled(P1=0, P2=20)
        self.assertBalanced()
        self.send(self.po_line("10", "P1", 1), rest)
        self.assertBalanced()

    def test_a_list_that_copaco_left_out_takes_nothing_off_a_part_unasked(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*rest, self.po_line("5", "P1", 3))
        self.simulator.invoices.clear()
        subscriptions = [
            {"SubscriptionID": "subscription-A1", "PriceLines": list(rest)},
            {"SubscriptionID": "other", "PriceLines": []},
        ]
        for line in rest:
            line["InvoiceRowHash"] += "-INV-1-A1"
        self.add_invoice(
            "INV-1",
            "A1",
            [],
            customer={"CustomerNumber": "K-1", "Subscriptions": subscriptions},
        )
        self.fetch()
        self.assertWaits(self.get_part("P1"))
        self.assertIn("without price lines", self.get_part("P1").hold_message)
        self.assertBilled(P1=15, P2=20)
        self.assertBalanced()

    def test_parts_that_look_alike_are_no_duplicates_of_each_other(self):
        alike = {"InvoiceRowHash": "", "Description": "Mailbox"}
        self.send(
            self.po_line("10", "P1", 1, **alike), self.po_line("10", "P2", 2, **alike)
        )
        self.assertBilled(P1=10, P2=10)
        self.assertBalanced()

    def test_the_same_row_hash_on_two_parts_waits_for_a_person(self):
        self.send(
            self.po_line("10", "P1", 1),
            self.po_line("10", "P2", 1),
        )
        self.assertBilled(P1=10)
        self.assertEqual(self.get_part("P2").hold_reason, "possible_double")
        self.assertBalanced()
