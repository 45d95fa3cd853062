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
        self.assertFalse(self.is_unedited_draft(document))
        for _time in range(2):
            self.act(document, "action_retry")
            self.assertEqual(
                self.get_printed(move),
                [
                    "# Office",
                    "Exchange – Service 1",
                    "Teams – Service 3",
                    "Backup – Service 2",
                ],
            )
        self.assertFalse(any(document.line_ids.mapped("invoice_line_state")))

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
