from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


def subscription(category, name, *lines):
    """:return: an element of `Subscriptions`"""
    return {
        "SubscriptionID": f"s-{name}",
        "SubscriptionName": name,
        "PlanID": name,
        "PlanName": name,
        "PlanCategoryName": category,
        "PriceLines": list(lines),
    }


class LayoutCommon(CopacoChangeCommon):
    """One customer, whose invoices have a layout."""

    def send(self, *subscriptions, number="INV-1", **values):
        """Have Copaco send an invoice, and fetch it.

        :return: its document
        """
        self.simulator.invoices.clear()
        self.add_invoice(
            number,
            "A1",
            [],
            customer={"CustomerNumber": "K-1", "Subscriptions": list(subscriptions)},
            **values,
        )
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        self.assertNotEqual(document.state, "held", document.hold_message)
        return document

    def use_layout(self, **values):
        """Give the connection a layout.

        :return: the `copaco.layout`
        """
        layout = self.env["copaco.layout"].create({"name": "Test", **values})
        self.connection.layout_id = layout
        return layout

    def get_printed(self, move):
        """:return: list of what Odoo prints of an invoice: first rows of texts,
        headings with what they are"""
        signs = {"line_section": "# ", "line_subsection": "## ", "line_note": "* "}
        return [
            signs.get(line.display_type, "") + line.name.split("\n")[0]
            for line in move._get_move_lines_to_report()
        ]

    def get_subscriptions(self):
        usage = {"ChargeType": "Usage Fee"}
        return [
            subscription(
                "Microsoft",
                "Azure",
                price_line("1.25", **usage, Description="Disk"),
                price_line("2.50", number=2, **usage, Description="Memory"),
                price_line("9", number=3, ChargeType="Cycle Fee"),
            ),
            subscription(
                "Microsoft",
                "Exchange",
                price_line("4", number=4, ChargeType="CycleFee"),
                price_line("3", number=5, ChargeType="Purchase Fee"),
                price_line("-1", number=6, ChargeType="Correction"),
                price_line("0", number=7, ChargeType="Cycle Fee", Description="Gift"),
            ),
            subscription(
                "Acronis", "Backup", price_line("6", number=8, ChargeType="Item Fee")
            ),
        ]

    def get_heading(self, move, text):
        return move.invoice_line_ids.filtered(
            lambda line: line.name == text and line.display_type != "product"
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLayout(LayoutCommon):
    """What an invoice looks like in a layout, and that a person's work on it stays."""

    def send_two_categories(self, amount="10.00", more=()):
        return self.send(
            subscription("Microsoft", "Exchange", price_line(amount)),
            subscription("Acronis", "Backup", price_line("5.00", number=2)),
            subscription("Microsoft", "Teams", price_line("7.00", number=3)),
            *more,
        )

    def test_lines_are_under_sections_of_their_plan_category(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        move = document.move_id
        self.assertEqual(
            self.get_printed(move),
            [
                "# Microsoft",
                "Exchange – Service 1",
                "Teams – Service 3",
                "# Acronis",
                "Backup – Service 2",
            ],
        )
        sections = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "line_section"
        ).sorted("sequence")
        self.assertEqual(
            [section.get_section_subtotal() for section in sections], [17, 5]
        )
        self.assertEqual(move.amount_untaxed, 22)
        self.assertTrue(self.is_unedited_draft(document))
        self.assertEqual(len(document.line_ids.move_line_id), 3)
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_a_draft_is_laid_out_anew_when_copaco_changes_the_document(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        more = subscription("Adobe", "Acrobat", price_line("3.00", number=4))
        self.send_two_categories("11.00", [more])
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_untaxed, 26)
        self.assertEqual(
            self.get_printed(document.move_id),
            [
                "# Microsoft",
                "Exchange – Service 1",
                "Teams – Service 3",
                "# Acronis",
                "Backup – Service 2",
                "# Adobe",
                "Acrobat – Service 4",
            ],
        )
        self.assertTrue(self.is_unedited_draft(document))

    def test_headings_that_a_person_edited_or_removed_stay_so(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        move = document.move_id
        sections = move.invoice_line_ids.filtered("copaco_layout_key")
        sections[0].name = "Office"
        sections[1].unlink()
        # In the document it comes second.
        move.invoice_line_ids.sorted("sequence")[-1].name = "My own words"
        self.assertFalse(self.is_unedited_draft(document))
        for _time in range(2):
            self.act(document, "action_retry")
            self.assertEqual(
                self.get_printed(move),
                [
                    "# Office",
                    "Exchange – Service 1",
                    "Teams – Service 3",
                    "My own words",
                ],
            )
            edits = self.env["copaco.manual.edits"]._get_edits(document)
            self.assertFalse(edits.is_reordered)
        self.assertEqual(
            document.line_ids.mapped("invoice_line_state"), [False, "edited", False]
        )

    def test_what_a_person_added_stays_in_its_section(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        move = document.move_id
        own = move.invoice_line_ids.sorted("sequence")[2]
        for line in move.invoice_line_ids.filtered(
            lambda line: line.sequence > own.sequence
        ):
            line.sequence += 1
        values = {"name": "Mine", "quantity": 1, "price_unit": 1}
        move.invoice_line_ids = [
            Command.create({**values, "sequence": own.sequence + 1})
        ]
        more = subscription("Adobe", "Acrobat", price_line("3.00", number=4))
        self.send_two_categories("11.00", [more])
        self.act(document, "action_use_new_version")
        self.assertEqual(
            self.get_printed(move),
            [
                "# Microsoft",
                "Exchange – Service 1",
                "Teams – Service 3",
                "Mine",
                "# Acronis",
                "Backup – Service 2",
                "# Adobe",
                "Acrobat – Service 4",
            ],
        )

    def test_the_order_that_a_person_gave_the_sections_stays(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        move = document.move_id
        lines = move.invoice_line_ids.sorted("sequence")
        for sequence, line in enumerate([*lines[3:], *lines[:3]], start=1):
            line.sequence = sequence
        self.assertTrue(self.is_unedited_draft(document))
        more = subscription("Acronis", "Disk", price_line("3.00", number=4))
        for _time in range(2):
            self.send_two_categories("11.00", [more])
            self.assertEqual(document.state, "invoiced")
            self.assertEqual(
                self.get_printed(move),
                [
                    "# Acronis",
                    "Backup – Service 2",
                    "Disk – Service 4",
                    "# Microsoft",
                    "Exchange – Service 1",
                    "Teams – Service 3",
                ],
            )
            self.act(document, "action_retry")

    def test_a_new_connection_has_copacos_order(self):
        created = self.env["copaco.connection"].create({"base_url": "https://a.test/"})
        layout = self.env.ref("account_copaco.layout_copaco")
        self.assertEqual(created.layout_id, layout)
        # A customer may still have lines as they were received.
        self.connection.layout_id = layout
        plain = self.env.ref("account_copaco.layout_received")
        document = self.send_two_categories()
        self.assertIn("# Microsoft", self.get_printed(document.move_id))
        document.customer_id.layout_id = plain
        self.act(document, "action_retry")
        self.assertEqual(
            self.get_printed(document.move_id),
            ["Exchange – Service 1", "Backup – Service 2", "Teams – Service 3"],
        )

    def test_copacos_own_order_has_its_headings(self):
        self.use_layout(
            line_order="copaco", section_by="category", subsection_by="charge"
        )
        move = self.send(*self.get_subscriptions()).move_id
        self.assertEqual(
            self.get_printed(move),
            [
                "# Acronis",
                "## Recurring",
                "Backup – Service 8",
                "# Microsoft",
                "## First term",
                "Exchange – Service 5",
                "## Recurring",
                "Azure – Service 3",
                "Exchange – Service 4",
                "Exchange – Gift",
                "## Usage",
                "Azure – Disk",
                "Azure – Memory",
                "## Changes",
                "Exchange – Service 6",
            ],
        )

    def test_usage_is_one_total_of_its_subscription_and_booked_line_by_line(self):
        self.use_layout(section_by="category", usage="total")
        move = self.send(*self.get_subscriptions()).move_id
        printed = self.get_printed(move)
        self.assertIn("## Usage of Azure", printed)
        self.assertNotIn("Azure – Disk", printed)
        self.assertEqual(
            [
                (row["name"], row["quantity"], row["price_subtotal"])
                for row in self.get_heading(move, "Usage of Azure")._get_child_lines()
            ],
            [("Usage of Azure", 1, 3.75)],
        )
        self.assertEqual(move.amount_untaxed, 24.75)
        self.assertEqual(len(move.invoice_line_ids.copaco_line_id), 8)

    def test_the_lines_of_usage_can_be_below_its_total_without_prices(self):
        self.use_layout(usage="detail")
        move = self.send(*self.get_subscriptions()).move_id
        rows = self.get_heading(move, "Usage of Azure")._get_child_lines()
        self.assertEqual(
            [row["name"].split("\n")[0] for row in rows],
            ["Usage of Azure", "Azure – Disk", "Azure – Memory"],
        )
        self.assertEqual(rows[0]["price_subtotal"], 3.75)
        # What isn't usage comes first, or it would be below that total, too.
        self.assertEqual(self.get_printed(move)[-1], "# Usage of Azure")

    def test_lines_of_zero_are_one_line_or_not_printed_and_stay_in_the_books(self):
        self.use_layout(zero_lines="total")
        document = self.send(*self.get_subscriptions())
        move = document.move_id
        self.assertEqual(self.get_printed(move)[-1], "# Free of charge")
        self.connection.layout_id = False
        self.use_layout(zero_lines="hide", section_by="category")
        self.act(document, "action_retry")
        self.assertNotIn("Exchange – Gift", self.get_printed(move))
        self.assertNotIn("# Free of charge", self.get_printed(move))
        self.assertEqual(len(document.line_ids.move_line_id), 8)
        self.assertEqual(self.get_amounts(document), {"draft": 24.75})
        # As soon as it costs something, it is there.
        line = move.invoice_line_ids.filtered("copaco_is_hidden")[0]
        line.price_unit = 2
        self.assertIn("Exchange – Gift", self.get_printed(move))
        self.assertIn("# Free of charge", self.get_printed(move))

    def test_a_rounding_line_has_a_heading_of_its_own(self):
        self.use_layout(section_by="category")
        lines = [price_line("0.004", number=number) for number in range(3)]
        move = self.send(subscription("Microsoft", "Azure", *lines)).move_id
        self.assertEqual(
            self.get_printed(move)[-2:],
            ["# Rounding", "Rounding of amounts below a cent"],
        )
        self.assertEqual(move.amount_untaxed, 0.01)

    def test_what_costs_less_than_a_cent_is_not_free_of_charge(self):
        self.use_layout(zero_lines="total")
        lines = [price_line("0.004", number=number) for number in range(3)]
        move = self.send(subscription("Microsoft", "Azure", *lines)).move_id
        self.assertNotIn("# Free of charge", self.get_printed(move))
        self.assertEqual(len(self.get_printed(move)), 4)

    def test_a_credit_in_the_words_of_a_heading_settles_a_change(self):
        self.use_layout(section_by="category")
        lines = price_line("10"), price_line("4", number=2)
        document = self.send(subscription("Microsoft", "Azure", *lines))
        document.move_id.action_post()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=document.move_id.ids
        )
        wizard = wizard.create({"journal_id": document.move_id.journal_id.id})
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        products = credit.invoice_line_ids.filtered("product_id").sorted("id")
        products[0].unlink()
        products[1].name = "Microsoft"
        credit.action_post()
        self.send(subscription("Microsoft", "Azure", lines[0]))
        self.act(document, "action_correct")
        self.assertFalse(document.correction_ids)

    def test_consumers_have_sections_and_are_named_once(self):
        self.use_layout(section_by="consumer")
        move = self.send(
            subscription(
                "Microsoft",
                "Exchange",
                price_line(1),
                price_line(2, number=2, ConsumerCompanyName="Filiaal Zuid"),
            )
        ).move_id
        self.assertEqual(
            self.get_printed(move),
            [
                *("# Customer A1", "Exchange – Service 1"),
                *("# Filiaal Zuid", "Exchange – Service 2"),
            ],
        )
        self.assertNotIn("For:", str(move.invoice_line_ids.mapped("name")))

    def test_po_numbers_have_sections_with_their_totals_and_are_named_once(self):
        self.use_layout(section_by="po", zero_lines="total")
        move = self.send(
            subscription(
                "Microsoft",
                "Exchange",
                price_line(1, SubPONumber="PO-7"),
                price_line(2, number=2, SubPONumber="PO-8"),
                price_line(4, number=3, SubPONumber="PO-7"),
                price_line(8, number=4),
                price_line(0, number=5, SubPONumber="PO-9"),
            )
        ).move_id
        self.assertEqual(
            self.get_printed(move),
            [
                "# PO number: PO-7",
                *("Exchange – Service 1", "Exchange – Service 3"),
                *("# PO number: PO-8", "Exchange – Service 2"),
                *("# Other", "Exchange – Service 4"),
                "# Free of charge",
            ],
        )
        heading = self.get_heading(move, "PO number: PO-7")
        self.assertEqual(heading.get_section_subtotal(), 5)
        texts = "".join(move.invoice_line_ids.filtered("product_id").mapped("name"))
        self.assertNotIn("PO-7", texts)
        self.assertIn("PO-9", texts, "nobody would know it of what is free")

    def test_a_correction_of_an_invoice_with_headings_has_the_difference_alone(self):
        self.use_layout(section_by="category", subsection_by="charge", usage="total")
        document = self.send(*self.get_subscriptions())
        document.move_id.action_post()
        changed = self.get_subscriptions()
        changed[2]["PriceLines"][0].update(ExtendedPrice=8, UnitPrice=8)
        self.send(*changed)
        correction = self.get_correction(document)
        self.assertEqual(correction.amount_untaxed, 2)
        self.assertEqual(len(correction.invoice_line_ids), 1)
        self.assertEqual(self.get_amounts(document), {"posted": 24.75, "draft": 2})

    def test_a_credit_note_that_a_person_makes_has_the_headings_of_the_invoice(self):
        self.use_layout(section_by="category", usage="total")
        document = self.send(*self.get_subscriptions())
        document.move_id.action_post()
        reversal = document.move_id._reverse_moves([{"invoice_date": "2026-11-25"}])
        self.assertEqual(reversal.amount_untaxed, 24.75)
        self.assertEqual(self.get_printed(reversal), self.get_printed(document.move_id))
        self.assertFalse(any(reversal.invoice_line_ids.mapped("copaco_layout_key")))

    def test_a_customers_own_layout_comes_before_that_of_the_connection(self):
        self.use_layout(section_by="category")
        document = self.send_two_categories()
        plain = self.env["copaco.layout"].create({"name": "Plain"})
        document.customer_id.layout_id = plain
        self.act(document, "action_retry")
        self.assertEqual(
            self.get_printed(document.move_id),
            ["Exchange – Service 1", "Backup – Service 2", "Teams – Service 3"],
        )
