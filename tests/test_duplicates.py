from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .common import CopacoChangeCommon, copaco_invoice
from .common import price_line as make_price_line


def price_line(amount, number=1, **values):
    """:return: a price line, with the same row hash on whatever invoice it is"""
    row_hash = {"InvoiceRowHash": f"row-{number}"}
    return make_price_line(amount, number=number, **{**row_hash, **values})


class DuplicateCase(CopacoChangeCommon):
    """Charges that were received under one number, and come again under another."""

    def receive(self, number, *lines, account="A1", **values):
        """Fetch one more invoice, of customer K-1."""
        customer = {"CustomerNumber": "K-1", **values.pop("customer", {})}
        self.add_invoice(number, account, list(lines), customer=customer, **values)
        self.fetch()
        return self.find(number, account)

    def find(self, number, account="A1"):
        return self.documents.filtered(
            lambda document: (
                document.invoice_number == number
                and document.customer_id.account_ref == account
            )
        )

    def post(self, *documents):
        for document in documents:
            document.move_id.action_post()

    @property
    def billed(self):
        """What all invoices say, less what the credit notes say."""
        moves = self.env["account.move"].search(
            [
                ("company_id", "child_of", self.company.id),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "!=", "cancel"),
            ]
        )
        return round(sum(moves.mapped("amount_untaxed_in_currency_signed")), 2)

    def assertHeld(self, document, *texts):
        self.assertRecordValues(
            document,
            [{"state": "held", "hold_reason": "possible_double", "move_id": False}],
        )
        for text in texts:
            self.assertIn(text, document.hold_message)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDuplicates(DuplicateCase):
    def test_lines_that_moved_to_a_consolidated_number_are_not_billed_again(self):
        first = self.receive("V-1", price_line("10.00"))
        second = self.receive("V-2", price_line("25.00", number=2))
        self.post(first, second)
        both = self.receive("81100", price_line("10.00"), price_line("25.00", number=2))
        self.assertRecordValues(
            both, [{"state": "excluded", "move_id": False, "excluded_by_id": False}]
        )
        for name in ("V-1", "V-2", first.move_id.name):
            self.assertIn(name, both.exclude_reason)
        self.assertEqual(self.billed, 35)
        self.assertEqual(both.run_id.state, "done")
        self.assertTrue(both.run_id.is_balanced)

    def test_they_are_not_billed_again_when_they_come_in_one_response(self):
        for number, lines in {
            "V-1": [price_line("10.00")],
            "V-2": [price_line("25.00", number=2)],
            "81100": [price_line("10.00"), price_line("25.00", number=2)],
        }.items():
            customer = {"CustomerNumber": "K-1"}
            self.add_invoice(number, "A1", lines, customer=customer)
        self.fetch()
        self.assertEqual(self.find("81100").state, "excluded")
        self.assertEqual(self.billed, 35)

    def test_what_a_rule_excluded_can_be_invoiced_anyway(self):
        self.receive("V-1", price_line("10.00"))
        again = self.receive("81100", price_line("10.00"))
        self.assertEqual(again.state, "excluded")
        self.act(again, "action_invoice_anyway")
        self.assertEqual(again.state, "invoiced")
        self.assertEqual(self.billed, 20)
        self.fetch()
        self.assertEqual(again.state, "invoiced")

    def test_a_known_row_hash_with_another_amount_is_asked_about(self):
        self.receive("V-1", price_line("10.00"))
        cheaper = self.receive("P-9", price_line("8.00"))
        self.assertHeld(cheaper, "V-1", "1 of the 1 lines")
        self.assertEqual(self.billed, 10)

    def test_the_next_month_of_a_line_is_another_charge(self):
        self.receive("V-1", price_line("10.00"))
        following = self.receive(
            "V-2", price_line("10.00", StartDate="20261101", EndDate="20261130")
        )
        self.assertEqual(following.state, "invoiced")
        self.assertEqual(self.billed, 20)

    def test_a_year_that_starts_when_the_last_one_ended_is_another_charge(self):
        self.receive(
            "V-1", price_line("10.00", StartDate="20250901", EndDate="20260901")
        )
        year = {"StartDate": "20260901", "EndDate": "20270901"}
        following = self.receive("V-2", price_line("10.00", **year))
        self.assertEqual(following.state, "invoiced")
        self.assertEqual(self.billed, 20)
        overlapping = {"StartDate": "20260831", "EndDate": "20270831"}
        self.assertHeld(self.receive("V-3", price_line("10.00", **overlapping)))

    def test_a_number_in_other_capitals_is_asked_about(self):
        self.receive("INV-9", price_line("10.00"))
        self.assertHeld(self.receive("inv-9", price_line("10.00")), "INV-9")

    def test_without_a_row_hash_the_same_service_is_asked_about(self):
        line = price_line("10.00", InvoiceRowHash="")
        self.receive("V-1", line)
        self.assertHeld(self.receive("V-2", line), "V-1")
        other = self.receive("V-3", {**line, "Description": "Another service"})
        self.assertEqual(other.state, "invoiced")

    def test_a_line_that_gets_its_row_hash_later_is_asked_about(self):
        self.receive("V-1", price_line("10.00", InvoiceRowHash=None))
        self.assertHeld(self.receive("V-2", price_line("10.00")), "V-1")

    def test_without_a_period_a_row_hash_is_only_asked_about(self):
        line = price_line("10.00", StartDate=None, EndDate=None)
        self.receive("V-1", line)
        self.assertHeld(self.receive("V-2", line), "V-1")

    def test_the_same_lines_of_another_account_are_recognised(self):
        self.receive("V-1", price_line("10.00"))
        self.add_invoice(
            "V-1", "A-new", [price_line("10.00")], customer={"CustomerNumber": "K-1"}
        )
        (customer,) = self.simulator.invoices[-1].content["Customers"]
        customer["Subscriptions"][0]["SubscriptionID"] = "subscription-A1"
        self.fetch()
        moved = self.find("V-1", "A-new")
        self.assertEqual(moved.state, "excluded")
        self.assertEqual(self.billed, 10)

    def test_a_part_that_is_known_can_be_left_out(self):
        self.receive("V-1", price_line("10.00"))
        mixed = self.receive("V-2", price_line("10.00"), price_line("5.50", number=2))
        self.assertHeld(mixed, "1 of the 2 lines", "V-1")
        self.act(mixed, "action_invoice_new_lines")
        self.assertRecordValues(
            mixed,
            [
                {
                    "state": "invoiced",
                    "amount_source": 15.5,
                    "amount_excluded": 10,
                    "move_amount_untaxed": 5.5,
                }
            ],
        )
        self.assertEqual(self.billed, 15.5)
        self.assertTrue(mixed.run_id.is_balanced)
        self.assertEqual(mixed.run_id.amount_excluded, 10)
        self.fetch()
        self.assertEqual(mixed.state, "invoiced")
        self.act(mixed, "action_retry")
        self.assertEqual(self.billed, 15.5)

    def test_without_a_new_line_nothing_can_be_left_out(self):
        self.receive("V-1", price_line("10.00"))
        again = self.receive("V-2", price_line("8.00"))
        with self.assertRaisesRegex(UserError, "no line that is not"):
            again.with_user(self.billing_user).action_invoice_new_lines()

    def test_those_without_a_new_line_go_on_waiting(self):
        self.receive("V-1", price_line("10.00"))
        cheaper = self.receive("V-2", price_line("8.00"))
        mixed = self.receive("V-3", price_line("7.00"), price_line("5.50", number=2))
        self.assertFalse(cheaper.has_new_lines)
        self.assertTrue(mixed.has_new_lines)
        self.act(cheaper + mixed, "action_invoice_new_lines")
        self.assertEqual(cheaper.state, "held")
        self.assertEqual(mixed.move_amount_untaxed, 5.5)

    def test_many_are_decided_at_once(self):
        self.receive("V-1", price_line("10.00"))
        self.receive("V-2", price_line("8.00"))
        self.receive("V-3", price_line("7.00"))
        held = self.documents.filtered(lambda each: each.state == "held")
        self.assertEqual(len(held), 2)
        self.act(held, "action_exclude_duplicates")
        self.assertEqual(set(held.mapped("state")), {"excluded"})
        self.assertEqual(held.excluded_by_id, self.billing_user)
        self.assertIn("V-1", held[0].exclude_reason)

    def test_what_was_said_of_one_that_waits_ends_when_another_is_invoiced(self):
        self.receive("V-1", price_line("10.00"))
        self.add_known("V-2", lines=[price_line("10.00")])
        self.simulator.invoices[-1].content["Totals"] = {"TotalExcludingVAT": 50}
        self.fetch()
        waiting = self.find("V-2")
        self.act(waiting, "action_invoice_anyway")
        self.assertEqual(waiting.hold_reason, "source_totals_differ")
        self.act(self.receive("V-3", price_line("10.00")), "action_invoice_anyway")
        self.act(waiting, "action_accept_lines")
        self.assertEqual(waiting.state, "excluded")
        self.assertEqual(self.billed, 20)
        self.act(waiting, "action_invoice_anyway")
        self.assertEqual(self.billed, 30)

    def test_what_is_said_of_two_at_once_is_said_of_both(self):
        self.receive("V-1", price_line("10.00"))
        both = self.receive("V-2", price_line("10.00"))
        both |= self.receive("V-3", price_line("10.00"))
        self.act(both, "action_invoice_anyway")
        self.assertEqual(self.billed, 30)

    def test_what_a_person_excluded_is_asked_about_under_another_number(self):
        first = self.receive("V-1", price_line("10.00"))
        first.move_id.unlink()
        first.with_user(self.billing_user).action_exclude("Own use")
        self.assertHeld(self.receive("V-2", price_line("10.00")), "V-1")

    def test_what_was_credited_is_asked_about_under_another_number(self):
        first = self.receive("V-1", price_line("10.00"))
        self.post(first)
        first.move_id._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        self.assertHeld(self.receive("V-2", price_line("10.00")), "V-1")

    def invoice_credited(self):
        """:return: the credit note of an invoice, and the document whose invoice a
        person had created because of it"""
        first = self.receive("V-1", price_line("10.00"))
        self.post(first)
        credit = first.move_id._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        credit.action_post()
        second = self.receive("V-2", price_line("10.00"))
        self.act(second, "action_invoice_anyway")
        self.assertEqual(self.billed, 10)
        return credit, second

    def test_a_credit_note_that_goes_bills_its_charges_again_and_is_asked_about(self):
        for how in ("cancelled", "deleted", "reversed"):
            with self.subTest(how=how), self.undone():
                self.simulator.invoices.clear()
                credit, second = self.invoice_credited()
                invoice = self.find("V-1").move_id
                self.assertFalse(second.move_id.activity_ids)
                if how == "reversed":
                    credit._reverse_moves().action_post()
                else:
                    credit.button_draft()
                if how == "cancelled":
                    credit.button_cancel()
                elif how == "deleted":
                    credit.unlink()
                self.assertEqual(self.billed, 20)
                activity = second.move_id.activity_ids
                self.assertIn(invoice.name, activity.note)
                self.assertEqual(activity.user_id, self.connection.responsible_id)

    def test_a_credit_note_that_is_not_the_reason_is_not_asked_about(self):
        first = self.receive("V-1", price_line("10.00"))
        second = self.receive("V-2", price_line("10.00", InvoiceRowHash="row-2"))
        self.post(first)
        both = first | second
        credit = first.move_id._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        other = second.move_id._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        credit.unlink()
        other.unlink()
        self.assertFalse(both.move_id.activity_ids)

    def test_one_of_two_credit_notes_that_goes_is_not_asked_about(self):
        credit, second = self.invoice_credited()
        invoice = self.find("V-1").move_id
        invoice._reverse_moves([{"invoice_date": date(2026, 11, 25)}])
        credit.button_draft()
        credit.unlink()
        self.assertFalse(second.move_id.activity_ids)

    def test_a_row_hash_twice_in_a_document_is_asked_about(self):
        twice = self.receive("V-1", price_line("10.00"), price_line("10.00"))
        self.assertHeld(twice, "more than once")
        self.act(twice, "action_invoice_new_lines")
        self.assertEqual(self.billed, 10)

    def test_the_same_customer_twice_in_an_element_is_asked_about(self):
        invoice = copaco_invoice(
            "V-1", "A1", [price_line("100")], customer={"CustomerNumber": "K-1"}
        )
        (first,) = invoice["Customers"]
        line = price_line("100.00")
        line["ExtendedPrice"] = "100.00"
        subscription = {**first["Subscriptions"][0], "PriceLines": [line]}
        invoice["Customers"].append(
            {**first, "Unknown": 1, "Subscriptions": [subscription]}
        )
        self.simulator.add_invoice(invoice, date(2026, 11, 23))
        self.fetch()
        self.assertHeld(self.documents, "more than once")

    def test_another_part_with_lines_of_its_own_is_added_up(self):
        for line in (price_line("10.00"), price_line("5.00", number=2)):
            customer = {"CustomerNumber": "K-1"}
            self.add_invoice("V-1", "A1", [line], customer=customer)
        self.fetch()
        self.assertEqual(self.documents.move_amount_untaxed, 15)

    def test_a_row_hash_in_other_letters_is_the_same(self):
        first = self.receive("V-1", price_line("40.00", InvoiceRowHash="9FAB03"))
        self.post(first)
        again = self.receive("V-2", price_line("40.00", InvoiceRowHash="9fab03"))
        self.assertEqual(again.state, "excluded")
        self.simulator.invoices.clear()
        self.receive(
            "V-1",
            price_line("40.00", InvoiceRowHash="9fAb03"),
            price_line("1.50", number=2),
        )
        self.assertWaits(first)
        self.assertNotIn("second part", first.hold_message)
        self.assertEqual(self.get_correction(first).amount_untaxed, 1.5)
        self.assertEqual(self.billed, 41.5)

    def test_a_version_with_a_charge_of_another_document_waits_for_a_person(self):
        first = self.receive("V-1", price_line("10.00"))
        self.receive("V-2", price_line("25.00", number=2))
        self.simulator.invoices.clear()
        self.receive("V-1", price_line("10.00"), price_line("25.00", number=2))
        self.assertEqual(first.state, "changed")
        self.assertIn("V-2", first.hold_message)
        self.assertEqual(self.billed, 35)

    def connect(self, company):
        """:return: a connection of a company to the same portal with the same key"""
        self.env.user.company_ids |= company
        connection = self._create_connection(
            name=company.name,
            company_id=company.id,
            product_id=self.env["product.product"].create({"name": "Cloud"}).id,
            base_url=self.connection.base_url,
            import_from=self.connection.import_from,
        )
        connection.api_key = "simulator-key"
        return connection

    def test_a_branch_does_not_invoice_what_its_parent_has(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "country_id": self.nl.id}
        )
        first = self.receive("V-1", price_line("10.00"))
        run = self.fetch(self.connect(branch))
        self.assertRecordValues(run, [{"received_count": 1, "unchanged_count": 1}])
        self.assertTrue(run.is_balanced)
        self.simulator.invoices.clear()
        self.add_invoice(
            "V-2", "A1", [price_line("10.00")], customer={"CustomerNumber": "K-1"}
        )
        run = self.fetch(run.connection_id)
        self.assertEqual(run.document_ids.state, "excluded")
        self.assertIn("V-1", run.document_ids.exclude_reason)
        self.assertEqual(self.billed, 10)
        self.assertEqual(first.state, "invoiced")

    def test_of_another_companys_document_only_the_company_is_shown(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "country_id": self.nl.id}
        )
        first = self.receive("V-1", price_line("10.00"))
        self.add_invoice(
            "V-2", "A1", [price_line("8.00")], customer={"CustomerNumber": "K-1"}
        )
        held = self.fetch(self.connect(branch)).document_ids
        self.assertEqual(held.hold_reason, "possible_double")
        table = held.with_user(self.billing_user).duplicate_table
        self.assertIn(f"/{first.id}", table)
        self.assertIn("10.00", table)
        user = new_test_user(
            self.env,
            "branch",
            groups="base.group_user,account.group_account_invoice",
            company_id=branch.id,
            company_ids=[Command.set(branch.ids)],
        )
        table = held.with_user(user).duplicate_table
        self.assertIn(self.company.name, table)
        self.assertNotIn(f"/{first.id}", table)
        self.assertNotIn("10.00", table)

    def test_another_company_has_books_of_its_own(self):
        other = self.setup_other_company()["company"]
        self.receive("V-1", price_line("10.00"))
        run = self.fetch(self.connect(other))
        self.assertEqual(run.document_ids.company_id, other)
        self.assertNotEqual(run.document_ids.state, "excluded")

    def test_looking_for_duplicates_takes_as_many_queries_for_many(self):
        for number in range(1, 13):
            self.create_partner(ref=f"K-{number + 10}")
            customer = {"CustomerNumber": f"K-{number + 10}"}
            line = price_line("10.00", InvoiceRowHash=f"row of {number}")
            self.add_invoice(f"V-{number}", f"A{number}", [line], customer=customer)
        self.fetch()
        finder, counts = self.env["copaco.duplicate.finder"], []
        for count in (2, 2, 12):
            self.env.invalidate_all()
            documents = self.documents[:count]
            before = self.cr.sql_log_count
            self.assertFalse(finder._find(documents))
            counts.append(self.cr.sql_log_count - before)
        # The first one fills the caches that others share.
        self.assertEqual(*counts[1:])
