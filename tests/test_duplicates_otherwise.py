from odoo.tests import freeze_time, tagged

from .test_duplicates import DuplicateCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDuplicatesOtherwise(DuplicateCase):
    """The same charge on other roads than another number alone."""

    def add_with_totals(self, number, totals, *lines):
        self.add_known(number, lines=list(lines))
        self.simulator.invoices[-1].content["Totals"] = totals

    def test_what_copacos_total_has_besides_known_charges_is_not_lost(self):
        self.receive("V-1", price_line("10.00"))
        for number, total in (("V-2", 500), ("V-3", "unreadable")):
            totals = {"TotalExcludingVAT": total}
            self.add_with_totals(number, totals, price_line("10.00"))
            run = self.fetch()
            document = self.find(number)
            self.assertEqual(document.hold_reason, "source_totals_differ", number)
            self.assertEqual(run.state, "attention")
            self.assertTrue(run.is_balanced)
            self.act(document, "action_accept_lines")
            self.assertEqual(document.state, "excluded")
        self.assertEqual(self.billed, 10)

    def test_a_smaller_difference_than_is_allowed_is_excluded_too(self):
        self.receive("V-1", price_line("10.00"))
        self.add_with_totals("V-2", {"TotalExcludingVAT": "10.04"}, price_line("10.00"))
        self.fetch()
        self.assertEqual(self.find("V-2").state, "excluded")

    def test_an_invoice_of_before_is_not_linked_where_copacos_total_differs(self):
        self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date="2026-11-20",
            amounts=[10.0],
            company=self.company,
        ).invoice_origin = "V-1"
        self.add_with_totals("V-1", {"TotalExcludingVAT": 500}, price_line("10.00"))
        self.fetch()
        document = self.find("V-1")
        self.assertEqual(document.hold_reason, "source_totals_differ")
        self.act(document, "action_accept_lines")
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.billed, 10)

    def test_an_address_of_the_same_company_is_the_same_contact(self):
        line = price_line("10.00", InvoiceRowHash="")
        self.receive("V-1", line)
        branch = self.create_partner(parent_id=self.partner.id, is_company=False)
        self.create_customer("A2", branch)
        self.add_invoice("V-2", "A2", [line])
        (customer,) = self.simulator.invoices[-1].content["Customers"]
        customer["Subscriptions"][0]["SubscriptionID"] = "subscription-A1"
        self.fetch()
        self.assertHeld(self.find("V-2", "A2"), "V-1")
        self.assertEqual(self.billed, 10)

    def test_a_line_with_and_one_without_row_hash_are_asked_about_in_one_document(self):
        for row_hashes in (("row-1", ""), ("", "row-1"), ("", "row-1", "row-2")):
            with self.subTest(row_hashes=row_hashes), self.undone():
                document = self.receive(
                    "V-1",
                    *(price_line("10.00", InvoiceRowHash=each) for each in row_hashes),
                )
                self.assertHeld(document, "more than once")

    def test_lines_that_look_alike_are_two_charges_by_their_row_hashes(self):
        document = self.receive(
            "V-1",
            price_line("10.00", InvoiceRowHash="row-1"),
            price_line("10.00", InvoiceRowHash="row-2"),
        )
        self.assertEqual(document.move_amount_untaxed, 20)
