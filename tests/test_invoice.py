from datetime import date
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestInvoice(CopacoCommon):
    """Promises 3, 4 and 5: what an invoice says, and what stops it."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def book(self, lines, number="INV-1", **values):
        self.add_invoice(
            number, "A1", lines, customer={"CustomerNumber": "K-1"}, **values
        )
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def assertHeld(self, document, reason, *words):
        self.assertRecordValues(
            document, [{"state": "held", "hold_reason": reason, "move_id": False}]
        )
        self.assertIn(document.name, document.hold_message)
        for word in words:
            self.assertIn(word, document.hold_message)

    def retry(self, document):
        with self.committing(document) as committing:
            committing.action_retry()

    def test_tax_account_and_due_date_are_odoos(self):
        terms = self.create_payment_terms()
        self.partner.property_payment_term_id = terms
        move = self.book([price_line("100.00")]).move_id
        self.assertRecordValues(
            move,
            [
                {
                    "partner_id": self.partner.id,
                    "move_type": "out_invoice",
                    "state": "draft",
                    "invoice_date": date(2026, 11, 23),
                    "invoice_origin": "INV-1",
                    "invoice_payment_term_id": terms.id,
                    "amount_untaxed": 100,
                    "amount_tax": 21,
                    "amount_total": 121,
                }
            ],
        )
        self.assertEqual(
            move.invoice_line_ids.account_id,
            self.company_data["default_account_revenue"],
        )
        self.assertEqual(move.invoice_line_ids.tax_ids, self.tax)

    def test_due_dates_are_odoos_for_each_invoice_of_a_batch(self):
        # Odoo gives what follows an invoice without payment term the same due date.
        later = self.create_partner(
            ref="K-2", property_payment_term_id=self.create_payment_terms().id
        )
        for number, key in (("INV-1", "K-1"), ("INV-2", "K-2")):
            customer = {"CustomerNumber": key}
            self.add_invoice(number, f"A-{key}", [price_line("9")], customer=customer)
        self.fetch()
        moves = self.documents.move_id
        move = moves.filtered(lambda each: each.partner_id == later)
        self.assertEqual(move.invoice_date_due, date(2026, 12, 31))
        self.assertEqual((moves - move).invoice_date_due, date(2026, 11, 25))

    def test_half_a_cent_of_tax_is_that_of_the_exact_amounts(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        # No price makes 7 pieces cost exactly these.
        uneven = {"Quantity": 7, "UnitPrice": Decimal("14.3571")}
        less = {"Quantity": 7, "UnitPrice": Decimal("-2.8571"), "number": 2}
        more = {"Quantity": 7, "UnitPrice": Decimal("2.8571"), "number": 2}
        for number, lines in {
            "charge": [price_line("100.50", **uneven)],
            "with a credit": [price_line("120.50"), price_line("-20.00", **less)],
            "refund": [price_line("-120.50"), price_line("20.00", **more)],
        }.items():
            move = self.book(lines, number=number).move_id
            self.assertEqual(move.amount_untaxed, 100.5)
            self.assertEqual(move.amount_tax, 21.11, number)
            self.assertIn(7, map(abs, move.invoice_line_ids.mapped("quantity")))

    def test_the_journal_items_are_those_of_an_invoice_made_by_hand(self):
        move = self.book([price_line("100.05"), price_line("-0.05", number=2)]).move_id
        by_hand = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "journal_id": self.connection.journal_id.id,
                "invoice_date": move.invoice_date,
                "invoice_line_ids": [
                    (0, 0, {"product_id": self.product.id, "price_unit": 100.05}),
                    (
                        0,
                        0,
                        {
                            "product_id": self.product.id,
                            "quantity": -1,
                            "price_unit": 0.05,
                        },
                    ),
                ],
            }
        )

        def items(move):
            return sorted(
                (
                    line.display_type,
                    line.account_id.code,
                    line.balance,
                    line.amount_currency,
                    line.tax_line_id.id,
                    tuple(line.tax_ids.ids),
                    tuple(sorted(line.tax_tag_ids.ids)),
                    line.tax_repartition_line_id.id,
                    line.amount_residual,
                    str(line.date_maturity),
                    line.partner_id.id,
                )
                for line in move.line_ids
            )

        self.assertEqual(items(move), items(by_hand))
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_a_credit_month_becomes_a_credit_note_with_positive_prices(self):
        document = self.book([price_line("-30.00"), price_line("10.00", number=2)])
        move = document.move_id
        self.assertEqual(move.move_type, "out_refund")
        self.assertEqual(move.amount_untaxed, 20)
        self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), [30, -10])
        self.assertTrue(
            all(price >= 0 for price in move.invoice_line_ids.mapped("price_unit"))
        )
        self.assertEqual(document.move_amount_untaxed, -20)

    def test_the_sign_is_on_the_quantity_and_never_on_the_price(self):
        move = self.book(
            [
                price_line("50"),
                price_line("-12", number=2, Quantity=3, UnitPrice=-4),
                price_line("-9", number=3, Quantity=-3, UnitPrice=3),
            ]
        ).move_id
        self.assertEqual(
            move.invoice_line_ids.mapped(lambda line: (line.quantity, line.price_unit)),
            [(1, 50), (-3, 4), (-3, 3)],
        )

    def test_the_text_of_a_line_has_period_vendor_details_and_true_figures(self):
        details = "bäckerei.example; renewal <b>1 year</b>; 2026–2027 ✓"
        line = price_line(
            Decimal("0.0123456789"),
            Quantity=Decimal("0.246913578"),
            UnitPrice=Decimal("0.05"),
            VendorDetails=details,
            Description="Domain",
        )
        move_line = self.book(
            [line, price_line("5", number=2)]
        ).move_id.invoice_line_ids[0]
        self.assertEqual(move_line.copaco_vendor_details, details)
        self.assertEqual(move_line.price_subtotal, 0.01)
        self.assertEqual(move_line.quantity, 1)
        self.assertIn("Plan – Domain", move_line.name)
        self.assertIn("Period:", move_line.name)
        self.assertIn(details, move_line.name)
        self.assertIn("0.246913578", move_line.name)
        self.assertIn("0.05", move_line.name)

    def test_the_labels_are_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.partner.lang = "nl_NL"
        name = self.book([price_line("5")]).move_id.invoice_line_ids.name
        self.assertIn("01-10-2026 – 31-10-2026", name)

    def test_a_po_number_of_all_lines_is_the_reference_of_the_invoice(self):
        document = self.book(
            [
                price_line(1, SubPONumber="PO-9"),
                price_line(1, number=2, SubPONumber="PO-9"),
            ]
        )
        self.assertEqual(document.move_id.ref, "PO-9")
        self.assertNotIn("PO-9", document.move_id.invoice_line_ids[0].name)

    def test_different_po_numbers_are_in_the_text_of_their_lines(self):
        move = self.book(
            [price_line(1, SubPONumber="PO-8"), price_line(1, number=2, SubPONumber=9)]
        ).move_id
        self.assertFalse(move.ref)
        self.assertIn("PO-8", move.invoice_line_ids[0].name)
        self.assertIn("9", move.invoice_line_ids[1].name)

    def test_figures_that_do_not_explain_a_correction_are_left_out(self):
        line = price_line(
            "-67.89", Quantity=32, UnitPrice=Decimal("4.925"), ChargeType="Correction"
        )
        move_line = self.book([line, price_line("100", number=2)]).move_id
        move_line = move_line.invoice_line_ids[0]
        self.assertEqual((move_line.quantity, move_line.price_unit), (-1, 67.89))
        self.assertNotIn("4.925", move_line.name)

    def test_figures_in_the_text_are_written_as_the_customer_reads_them(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.partner.lang = "nl_NL"
        quantity, price = Decimal("1.2345"), Decimal("41.063")
        line = price_line(quantity * price, Quantity=quantity, UnitPrice=price)
        name = self.book([line]).move_id.invoice_line_ids.name
        self.assertIn("1,2345", name)
        self.assertIn("41,063", name)
        self.assertNotIn("41.063", name)

    def test_a_text_that_says_the_same_twice_says_it_once(self):
        line = price_line("5", Description="Plan: cancelled on 1 October")
        name = self.book([line]).move_id.invoice_line_ids.name
        self.assertTrue(name.startswith("Plan: cancelled on 1 October\n"))

    def test_twelve_months_keep_their_quantity(self):
        line = price_line("180", Quantity=3, UnitPrice=5, Duration="12")
        move_line = self.book([line]).move_id.invoice_line_ids
        self.assertEqual((move_line.quantity, move_line.price_unit), (3, 60))

    def test_policy_post_confirms_and_send_has_it_sent(self):
        self.connection.invoice_policy = "post"
        move = self.book([price_line("5")]).move_id
        self.assertEqual(move.state, "posted")
        self.assertFalse(move.copaco_delivery_ids)
        self.connection.invoice_policy = "send"
        move = self.book([price_line("6")], "INV-2").move_id
        self.assertEqual(move.state, "posted")
        self.assertEqual(move.copaco_delivery_ids.state, "waiting")

    def test_a_customer_abroad_gets_the_taxes_that_odoo_gives_by_hand(self):
        self.partner.write(
            {"country_id": self.env.ref("base.be").id, "vat": "BE0477472701"}
        )
        move = self.book([price_line("100.00")]).move_id
        by_hand = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [(0, 0, {"product_id": self.product.id})],
            }
        )
        self.assertNotEqual(move.invoice_line_ids.tax_ids, self.tax)
        self.assertEqual(
            move.invoice_line_ids.tax_ids, by_hand.invoice_line_ids.tax_ids
        )
        self.assertEqual(move.fiscal_position_id, by_hand.fiscal_position_id)
        self.assertEqual(
            move.invoice_line_ids.tax_tag_ids, by_hand.invoice_line_ids.tax_tag_ids
        )

    def test_an_unknown_currency_is_held(self):
        document = self.book([price_line("5.125")], Currency="XYZ")
        self.assertHeld(document, "currency_unknown", "XYZ")
        self.env["res.currency"].create(
            {
                "name": "XYZ",
                "symbol": "X",
                "rounding": 0.001,
                "rate_ids": [(0, 0, {"name": "2026-01-01", "rate": 2})],
            }
        )
        self.retry(document)
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_untaxed, 5.125)

    def test_an_inactive_currency_is_held_until_it_is_active_and_has_a_rate(self):
        currency = self.env.ref("base.JPY")
        currency.active = False
        currency.rate_ids.unlink()
        document = self.book([price_line("5.50")], Currency="JPY")
        self.assertHeld(document, "currency_inactive", "JPY")
        currency.active = True
        self.retry(document)
        self.assertHeld(document, "currency_rate_missing", "JPY")
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "name": "2026-01-01", "rate": 160}
        )
        self.retry(document)
        self.assertRecordValues(
            document.move_id,
            [{"currency_id": currency.id, "amount_untaxed": 6, "state": "draft"}],
        )

    def test_no_tax_is_held(self):
        self.product.taxes_id = False
        self.company_data["default_account_revenue"].tax_ids = False
        document = self.book([price_line("5")])
        self.assertHeld(document, "tax_missing", self.product.name)
        self.product.taxes_id = self.tax
        self.retry(document)
        self.assertEqual(document.state, "invoiced")

    def test_an_archived_account_is_held(self):
        self.company_data["default_account_revenue"].active = False
        document = self.book([price_line("5")])
        self.assertHeld(document, "account_missing", self.product.name)

    def test_an_archived_journal_is_held(self):
        self.connection.journal_id.active = False
        document = self.book([price_line("5")])
        self.assertHeld(document, "account_missing", self.connection.journal_id.name)

    def test_a_locked_period_is_held(self):
        self.company.sale_lock_date = date(2026, 11, 30)
        document = self.book([price_line("5")])
        self.assertHeld(document, "period_locked", "11/23/2026")
        self.company.sale_lock_date = False
        self.retry(document)
        self.assertEqual(document.move_id.date, date(2026, 11, 23))

    def test_a_tax_that_is_included_in_the_price_is_held_not_booked_wrong(self):
        self.tax.price_include_override = "tax_included"
        document = self.book([price_line("5")])
        self.assertHeld(document, "totals_differ", "5.00")

    def test_what_odoo_refuses_is_held_and_stops_no_other(self):
        self.connection.invoice_policy = "post"
        bank = self.env["res.partner.bank"].create(
            {
                "acc_number": "NL91ABNA0417164300",
                "partner_id": self.company.partner_id.id,
            }
        )
        bank.active = False
        good = self.create_partner(ref="K-2")
        self.add_invoice(
            "INV-2", "A2", [price_line("7")], customer={"CustomerNumber": "K-2"}
        )
        method = self.env.registry["account.move"].create

        def refuse(moves, vals_list):
            if self.partner.id in [vals["partner_id"] for vals in vals_list]:
                raise UserError(self.env._("Refused by a rule of this company."))
            return method(moves, vals_list)

        self.patch(self.env.registry["account.move"], "create", refuse)
        document = self.book([price_line("5")])
        self.assertHeld(document, "unexpected_error", "Refused by a rule")
        self.assertEqual(
            self.documents.filtered(lambda each: each != document).move_id.partner_id,
            good,
        )

    def test_an_unexpected_error_is_held_in_words_and_stops_no_other(self):
        good = self.create_partner(ref="K-2")
        self.add_invoice(
            "INV-2", "A2", [price_line("7")], customer={"CustomerNumber": "K-2"}
        )
        builder = self.env.registry["copaco.invoice.builder"]
        method = builder._prepare_invoice

        def fail(builder_, document, *options, **named):
            if document.customer_id.account_ref == "A1":
                raise ZeroDivisionError
            return method(builder_, document, *options, **named)

        self.patch(builder, "_prepare_invoice", fail)
        with mute_logger("odoo.addons.account_copaco.services.copaco_invoice_writer"):
            document = self.book([price_line("5")])
        self.assertHeld(document, "unexpected_error", "ZeroDivisionError")
        self.assertEqual(
            self.documents.filtered(lambda each: each != document).move_id.partner_id,
            good,
        )
