from datetime import date
from decimal import Decimal

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CREATED, CopacoCommon, copaco_invoice, price_line


class CopacoBillCommon(CopacoCommon):
    """A connection that also fetches what Copaco bills the reseller."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purchase_tax = cls.company_data["default_tax_purchase"]
        cls.product.supplier_taxes_id = cls.purchase_tax
        cls.vendor = cls.env["res.partner"].create(
            {"name": "Copaco Nederland B.V.", "is_company": True}
        )
        cls.connection.write({"fetch_purchases": True, "vendor_id": cls.vendor.id})

    def start_simulator(self, **options):
        result = super().start_simulator(**options)
        self.simulator.purchases.clear()
        return result

    def add_purchase(self, number, amounts, created=CREATED, **values):
        """Give the simulator a purchase invoice of several customers.

        :param amounts: dict of lists of `price_line` by account
        """
        invoices = [
            copaco_invoice(number, account, lines, **values)
            for account, lines in amounts.items()
        ]
        invoice = invoices[0]
        invoice["Receiver"] = {"AccountID": "reseller"}
        invoice["Sender"] = {"CompanyName": "Copaco Nederland B.V."}
        invoice["Customers"] = [each["Customers"][0] for each in invoices]
        return self.simulator.add_invoice(invoice, created, "invoices")

    def act(self, records, action, *arguments):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*arguments)

    def get_month(self):
        return self.env["copaco.month"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("date", "=", date(2026, 11, 1)),
            ]
        )

    def run_crons(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()

    def enter_bill(self, ref, amount, **values):
        return self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.vendor.id,
                "ref": ref,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Cloud",
                            "price_unit": amount,
                            "tax_ids": self.purchase_tax.ids,
                        }
                    )
                ],
                **values,
            }
        )

    @property
    def purchases(self):
        return self.documents.filtered(lambda each: each.kind == "purchase")

    def assertBalanced(self):
        for run in self.env["copaco.run"].search([]):
            self.assertTrue(run.is_balanced, run.balance_problem)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestBill(CopacoBillCommon):
    """Copaco's purchase invoices become vendor bills."""

    def test_what_customers_ordered_by_a_number_of_their_own_is_not_on_bills(self):
        self.connection.bill_layout = "line"
        self.env["copaco.customer"].sudo().create(
            {"company_id": self.company.id, "account_ref": "A1", "po_number": "PO-1"}
        )
        self.add_purchase("P-1", {"A1": [price_line("8.00")]})
        self.fetch()
        self.assertNotIn("PO-1", self.purchases.move_id.invoice_line_ids.name)

    def test_all_documents_of_a_purchase_invoice_become_one_draft_bill(self):
        self.add_known()
        self.add_purchase(
            "P-1",
            {
                "A1": [
                    price_line("8.00", VAT="1.68"),
                    price_line("2", number=2, VAT="0.42"),
                ],
                "A2": [price_line("5.005", VAT="1.05")],
                "A3": [price_line("-1.004", VAT="-0.21")],
            },
        )
        self.fetch()
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 3)
        bill = self.purchases.move_id
        self.assertRecordValues(
            bill,
            [
                {
                    "move_type": "in_invoice",
                    "state": "draft",
                    "ref": "P-1",
                    "partner_id": self.vendor.id,
                    "journal_id": self.connection.purchase_journal_id.id,
                    "invoice_date": date(2026, 11, 23),
                    "amount_untaxed": 14.0,
                    "amount_tax": 2.94,
                    "amount_total": 16.94,
                }
            ],
        )
        self.assertEqual(
            bill.invoice_line_ids.account_id,
            self.product.product_tmpl_id.get_product_accounts()["expense"],
        )
        self.assertBalanced()
        self.fetch()
        self.assertEqual(self.purchases.move_id, bill)
        self.assertEqual(
            self.env["account.move"].search_count(
                [("move_type", "=", "in_invoice"), ("ref", "=", "P-1")]
            ),
            1,
        )

    # === LAYOUTS AND VAT === #

    def test_the_total_is_copacos_in_each_layout_and_so_are_accounts_and_taxes(self):
        amounts = {
            "A1": [
                price_line("10.004", VAT="2.10"),
                price_line("3.333", number=2, VAT="0.70"),
            ],
            "A2": [
                price_line("5.005", VAT="1.05"),
                price_line("-2", number=2, VAT="-0.42"),
            ],
        }
        expected = {"line": 4, "subscription": 2, "customer": 2, "product": 1, "one": 1}
        totals = set()
        for position, (layout, count) in enumerate(expected.items()):
            self.connection.bill_layout = layout
            self.add_purchase(f"P-{position}", amounts)
            self.fetch()
            bill = self.purchases.move_id.filtered(
                lambda move, number=f"P-{position}": move.ref == number
            )
            lines = bill.invoice_line_ids
            self.assertEqual(
                len(lines.filtered(lambda line: not line.copaco_is_rounding)), count
            )
            self.assertEqual(bill.amount_total, 19.77)
            totals.add(
                tuple(
                    sorted(
                        (line.account_id.id, round(line.balance, 2))
                        for line in bill.line_ids
                        if line.display_type != "product"
                    )
                )
            )
            self.assertAlmostEqual(sum(lines.mapped("balance")), 16.34)
        self.assertEqual(len(totals), 1)
        self.assertBalanced()

    def test_tax_that_copaco_states_is_booked_where_rounding_explains_it(self):
        self.add_purchase("P-1", {"A1": [price_line("10", VAT="2.12")]})
        self.fetch()
        bill = self.purchases.move_id
        self.assertEqual((bill.amount_tax, bill.amount_total), (2.12, 12.12))
        bill.action_post()
        self.assertEqual(bill.amount_total, 12.12)

    def test_another_tax_than_copaco_states_is_held_with_both_figures(self):
        self.add_purchase("P-1", {"A1": [price_line("10", VAT="0", TaxZoneID="NL")]})
        self.fetch()
        self.assertRecordValues(
            self.purchases,
            [{"state": "held", "hold_reason": "vat_differs", "move_id": False}],
        )
        for figure in ("2.10", "0.00"):
            self.assertIn(figure, self.purchases.hold_message)
        self.assertBalanced()

    def test_a_bill_is_held_with_the_exact_figures_because_of_which_it_is(self):
        for vat, totals, figures in (
            ("2.15", {}, None),
            ("2.16", {}, ("2.16", "2.10", "0.055")),
            ("2.10", {"TotalExcludingVAT": Decimal("10.055")}, None),
            ("2.10", {"TotalExcludingVAT": Decimal("10.0551")}, ("0.0551", "0.055")),
        ):
            with self.subTest(vat=vat, totals=totals), self.undone():
                self.simulator.purchases.clear()
                self.add_purchase("P-1", {"A1": [price_line("10", VAT=vat)]})
                self.simulator.purchases[-1].content["Totals"] = totals
                self.fetch()
                if not figures:
                    self.assertEqual(self.purchases.state, "invoiced")
                    continue
                self.assertEqual(self.purchases.state, "held")
                for figure in figures:
                    self.assertRegex(
                        self.purchases.hold_message, rf"(?<![\d.]){figure}(?!\d)"
                    )

    def test_fractions_of_vat_of_several_customers_add_up(self):
        self.add_purchase(
            "P-1",
            {
                account: [price_line("10", VAT="2.104", number=number)]
                for number, account in enumerate(("A1", "A2", "A3"))
            },
        )
        self.fetch()
        self.assertEqual(self.purchases.move_id.amount_tax, 6.31)

    def test_a_credit_becomes_a_vendor_credit_note(self):
        self.add_purchase("P-1", {"A1": [price_line("-10", VAT="-2.10")]})
        self.fetch()
        self.assertRecordValues(
            self.purchases.move_id,
            [{"move_type": "in_refund", "amount_untaxed": 10, "amount_total": 12.1}],
        )
        self.assertRecordValues(
            self.purchases, [{"amount_vat": -2.1, "move_amount_tax": -2.1}]
        )
        self.assertBalanced()

    def test_the_bill_is_due_when_copaco_says_so(self):
        self.vendor.property_supplier_payment_term_id = self.env.ref(
            "account.account_payment_term_30days"
        )
        self.add_purchase("P-1", {"A1": [price_line("10")]}, ExpirationDate="20261207")
        self.add_purchase("P-2", {"A1": [price_line("11")]})
        self.fetch()
        bills = self.purchases.move_id.sorted("ref")
        self.assertEqual(
            bills.mapped("invoice_date_due"), [date(2026, 12, 7), date(2026, 12, 23)]
        )

    def test_a_bill_is_not_due_before_its_date(self):
        self.add_purchase("P-1", {"A1": [price_line("10")]}, ExpirationDate="20200101")
        self.fetch()
        bill = self.purchases.move_id
        self.assertGreaterEqual(bill.invoice_date_due, bill.invoice_date)

    # === THE VENDOR === #

    def test_the_vendor_is_found_by_vat_number_and_suggested_by_name(self):
        self.connection.vendor_id = False
        self.add_purchase("P-1", {"A1": [price_line("10")], "A2": [price_line("1")]})
        self.fetch()
        self.assertEqual(set(self.purchases.mapped("hold_reason")), {"vendor_unknown"})
        self.assertEqual(self.connection.suggested_vendor_id, self.vendor)
        self.assertIn("Copaco Nederland", self.purchases[0].hold_message)
        self.connection.action_accept_vendor()
        self.run_crons()
        self.assertEqual(self.purchases.move_id.partner_id, self.vendor)

    def test_the_vendor_is_who_has_the_senders_vat_number(self):
        self.connection.vendor_id = False
        self.vendor.write({"name": "Distributeur", "vat": "NL001234567B01"})
        stored = self.add_purchase("P-1", {"A1": [price_line("10")]})
        stored.content["Sender"]["VATNumber"] = "NL 001234567 B01"
        self.fetch()
        self.assertEqual(self.connection.vendor_id, self.vendor)
        self.assertEqual(self.purchases.move_id.partner_id, self.vendor)

    def test_a_connection_may_keep_purchase_invoices_for_the_margin_only(self):
        self.connection.purchase_policy = "off"
        self.add_purchase("P-1", {"A1": [price_line("10")]})
        self.fetch()
        self.assertRecordValues(
            self.purchases, [{"state": "excluded", "move_id": False}]
        )
        self.assertBalanced()

    # === NEVER TWO BILLS === #

    def test_a_bill_that_is_there_is_linked_letters_and_leading_zeros_aside(self):
        for number, ref in (("00123", "TN123"), ("CP-45", "45"), ("X", "x")):
            with self.subTest(number=number, ref=ref), self.undone():
                bill = self.enter_bill(ref, 15)
                self.add_purchase(
                    number,
                    {
                        "A1": [price_line("10", VAT="2.10")],
                        "A2": [price_line("5", VAT="1.05")],
                    },
                )
                self.fetch()
                self.assertEqual(self.purchases.move_id, bill)
                self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 2)
                self.assertBalanced()
                self.simulator.purchases.clear()

    def test_a_bill_of_another_amount_is_held_and_linked_when_a_person_says_so(self):
        bill = self.enter_bill("P-1", 14)
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        self.assertEqual(self.purchases.hold_reason, "bill_differs")
        for figure in ("14.00", "15.00"):
            self.assertIn(figure, self.purchases.hold_message)
        self.act(self.purchases, "action_link_bill")
        self.assertEqual(self.purchases.move_id, bill)
        self.assertBalanced()

    def test_a_purchase_receipt_that_is_there_is_no_reason_for_a_second_bill(self):
        receipt = self.enter_bill("P-1", 15, move_type="in_receipt")
        self.add_purchase("P-1", {"A1": [price_line("10", VAT="2.10")]})
        (content,) = [stored.content for stored in self.simulator.purchases]
        lines = content["Customers"][0]["Subscriptions"][0]["PriceLines"]
        with self.subTest("another amount"), self.undone():
            self.fetch()
            self.assertEqual(self.purchases.hold_reason, "bill_differs")
            self.assertIn(receipt.display_name, self.purchases.hold_message)
            self.act(self.purchases, "action_link_bill")
            self.assertEqual(self.purchases.move_id, receipt)
            self.assertBalanced()
        lines.append(price_line("5", number=2, VAT="1.05"))
        with self.subTest("it is confirmed"), self.undone():
            receipt.action_post()
            self.fetch()
            self.assertEqual(self.purchases.move_id, receipt)
        self.fetch()
        self.assertRecordValues(
            self.purchases,
            [{"state": "invoiced", "move_id": receipt.id, "move_amount_untaxed": 15}],
        )
        self.assertEqual(self.purchases.move_amount_tax, 3.15)
        self.assertBalanced()
        receipt.action_post()
        lines[1]["ExtendedPrice"] = 3
        self.fetch()
        self.act(self.purchases, "action_correct")
        self.assertEqual(self.purchases.correction_ids.move_type, "in_refund")
        self.assertEqual(self.purchases.correction_ids.amount_untaxed, 2)
        self.assertBalanced()

    def test_a_purchase_receipt_that_is_entered_later_takes_the_drafts_place(self):
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        draft = self.purchases.move_id
        receipt = self.enter_bill("P-1", 15, move_type="in_receipt")
        self.assertEqual(draft.copaco_received_bill_id, receipt)
        draft.action_copaco_use_received()
        self.assertEqual(self.purchases.move_id, receipt)
        self.assertBalanced()

    def test_of_several_received_bills_the_one_with_the_total_takes_the_place(self):
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        draft = self.purchases.move_id
        self.enter_bill("P-1", 99)
        right = self.enter_bill("P-1", 15)
        self.enter_bill("P-1", 98)
        draft.invalidate_recordset(["copaco_received_bill_id"])
        self.assertEqual(draft.copaco_received_bill_id, right)

    def test_a_bill_that_is_gone_since_is_not_linked(self):
        bill = self.enter_bill("P-1", 14)
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        bill.unlink()
        with self.assertRaisesRegex(UserError, "No bill can be linked"):
            self.act(self.purchases, "action_link_bill")

    def test_a_bill_in_another_currency_is_not_linked_and_says_so(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.enter_bill("P-1", 10, currency_id=usd.id)
        self.add_purchase("P-1", {"A1": [price_line("10")]})
        self.fetch()
        self.assertEqual(self.purchases.hold_reason, "bill_differs")
        self.assertIn("$", self.purchases.hold_message)
        with self.assertRaisesRegex(UserError, "in EUR"):
            self.act(self.purchases, "action_link_bill")

    def test_bills_of_connections_of_several_people_are_linked_at_once(self):
        bills = self.enter_bill("P-1", 14) | self.enter_bill("P-2", 24)
        for number, amount in (("P-1", "15"), ("P-2", "25")):
            self.add_purchase(number, {"A1": [price_line(amount)]})
        self.fetch()
        # One of them came by a connection that another one answers for.
        other = self.connection.copy({"responsible_id": self.billing_user.id})
        self.purchases[0].sudo().connection_id = other
        self.act(self.purchases, "action_link_bill")
        self.assertEqual(self.purchases.move_id, bills)

    def test_a_bill_that_is_received_later_is_awaited_and_linked(self):
        self.connection.purchase_policy = "link"
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        self.assertEqual(set(self.purchases.mapped("hold_reason")), {"bill_awaited"})
        bill = self.enter_bill("P1", 16)
        self.run_crons()
        self.assertEqual(self.purchases.move_id, bill)
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 2)
        self.assertBalanced()

    def test_a_bill_that_is_received_after_the_draft_takes_its_place(self):
        self.add_purchase("P-1", {"A1": [price_line("15")], "A2": [price_line("1")]})
        self.fetch()
        draft = self.purchases.move_id
        self.assertFalse(draft.copaco_received_bill_id)
        received = self.enter_bill("P-1", 16)
        draft.invalidate_recordset(["copaco_received_bill_id"])
        self.assertEqual(draft.copaco_received_bill_id, received)
        self.env["copaco.activity.monitor"]._update_activity(self.connection)
        self.assertIn("Use the received one", self.connection.activity_ids.summary)
        draft.action_copaco_use_received()
        self.assertFalse(draft.exists())
        self.assertEqual(self.purchases.move_id, received)
        self.assertEqual(self.purchases.mapped("state"), ["invoiced"] * 2)
        self.assertBalanced()

    def test_an_edited_draft_is_kept_cancelled_beside_the_received_bill(self):
        self.add_purchase("P-1", {"A1": [price_line("15")]})
        self.fetch()
        draft = self.purchases.move_id
        draft.invoice_line_ids[0].name = "Entered by a person"
        received = self.enter_bill("P-1", 15)
        draft.action_copaco_use_received()
        self.assertEqual(draft.state, "cancel")
        self.assertEqual(self.purchases.move_id, received)
        self.assertEqual(self.purchases.state, "invoiced")
