from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


def old_line(amount, **values):
    """:return: a price line from before Copaco had row hashes"""
    return price_line(amount, InvoiceRowHash="", **values)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeParts(CopacoChangeCommon):
    """Promises 2 and 7: which lines are still there when a document comes again, and
    what may be a second part of it instead."""

    def assertReplaced(self, document, amount):
        self.assertRecordValues(
            document, [{"state": "invoiced", "amount_source": amount}]
        )
        self.assertEqual(document.move_id.amount_untaxed, amount)
        self.assertBalanced()

    def assertFirstPartStays(self, document, amount):
        self.assertWaits(document)
        self.assertIn("second part", document.hold_message)
        self.assertEqual(document.amount_source, amount)
        self.assertEqual(document.move_id.amount_untaxed, amount)
        self.assertBalanced()

    def test_a_second_part_that_numbers_its_lines_alike_replaces_nothing(self):
        document = self.send(price_line("10", LineId="1"))
        self.send(price_line("20", LineId="1", InvoiceRowHash="another"))
        self.assertFirstPartStays(document, 10)

    def test_a_second_part_of_what_is_held_replaces_nothing(self):
        self.partner.ref = "Someone else"
        document = self.send(price_line("10", LineId="1"))
        self.assertEqual(document.hold_reason, "customer_unknown")
        self.send(price_line("20", LineId="1", InvoiceRowHash="another"))
        self.assertRecordValues(
            document,
            [{"state": "held", "hold_reason": "source_changed", "amount_source": 10}],
        )
        self.assertIn("second part", document.hold_message)

    def test_a_second_part_of_what_is_posted_is_told_to_be_possible(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("20", number=2))
        self.assertFirstPartStays(document, 10)

    def test_a_line_number_alone_is_no_evidence_where_there_are_no_row_hashes(self):
        document = self.send(old_line("10", LineId="1", Description="Backup"))
        self.send(old_line("20", LineId="1", Description="Office"))
        self.assertFirstPartStays(document, 10)

    def test_what_contradicts_in_line_or_charge_may_be_a_second_part(self):
        for number, name in enumerate(("LineId", "ChargeType")):
            with self.subTest(name=name):
                sent = {"number": f"INV-{number}"}
                line = {"Description": f"Service of {number}"}
                document = self.send(old_line("10", **line), **sent)[-1]
                self.send(old_line("20", **{**line, name: "Another"}), **sent)
                self.assertFirstPartStays(document, 10)

    def test_what_says_nothing_of_its_service_is_not_known_again(self):
        document = self.send(old_line("10", Description="", LineId="1"))
        self.send(old_line("20", Description="", LineId="1"))
        self.assertFirstPartStays(document, 10)

    def test_a_line_that_got_a_row_hash_since_is_the_same(self):
        document = self.send(old_line("10"))
        self.send(price_line("11"))
        self.assertReplaced(document, 11)

    def test_a_line_without_row_hash_and_number_is_known_by_its_service(self):
        document = self.send(old_line("10", LineId=""), old_line("5", number=2))
        self.send(old_line("11", LineId=""), old_line("7", number=3))
        self.assertReplaced(document, 18)

    def test_what_a_person_edited_does_not_hide_another_line_of_that_number(self):
        lines = (
            old_line("10", LineId="1", Description="Backup"),
            old_line("3", LineId="2", Description="Mail"),
        )
        document = self.send(*lines)
        document.move_id.invoice_line_ids[0].price_unit = 9
        self.send(lines[1], old_line("20", LineId="1", Description="Office"))
        self.assertWaits(document)
        self.act(document, "action_use_new_version")
        self.assertEqual(
            sorted(document.move_id.invoice_line_ids.mapped("price_subtotal")),
            [3, 9, 20],
        )

    def test_what_became_of_a_line_is_not_told_of_another_one_of_that_number(self):
        document = self.send(
            price_line("10", LineId="1"), price_line("3", number=2, LineId="2")
        )
        document.move_id.action_post()
        self.send(
            price_line("20", LineId="1", InvoiceRowHash="another"),
            price_line("3", number=2, LineId="2"),
        )
        correction = self.get_correction(document)
        self.assertEqual(
            sorted(correction.invoice_line_ids.mapped("price_subtotal")), [-10, 20]
        )

    def test_a_number_is_not_taken_for_a_row_hash(self):
        document = self.send(price_line("10", InvoiceRowHash="1", LineId=""))
        self.send(old_line("20", LineId="1", Description="Office"))
        self.assertFirstPartStays(document, 10)

    def test_of_lines_that_are_alike_the_one_that_costs_the_same_stays(self):
        document = self.send(old_line("10", LineId=""), old_line("5", LineId=""))
        document.move_id.action_post()
        self.send(old_line("5", LineId=""), old_line("12", LineId=""))
        self.assertRecordValues(
            self.get_correction(document).invoice_line_ids, [{"price_subtotal": 2}]
        )

    def test_what_changed_is_shown_of_a_currency_that_nobody_knows(self):
        for number in (1, 2):
            self.simulator.invoices.clear()
            lines = [price_line("10", number=number)]
            self.add_invoice("INV-1", "A1", lines, Currency="XXX")
            self.fetch()
        self.assertEqual(self.documents.hold_reason, "source_changed")
        self.assertIn("Service 2", self.documents.pending_difference)
