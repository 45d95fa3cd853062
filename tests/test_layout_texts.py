import subprocess
from decimal import Decimal
from tempfile import TemporaryDirectory

from lxml import html
from PIL import Image

from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools.misc import find_in_path

from .common import price_line
from .test_layout import LayoutCommon, subscription


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLayoutTexts(LayoutCommon):
    """What an invoice says in a layout, in the language of the customer."""

    def test_what_the_vendor_says_is_in_the_text_a_note_or_not_shown(self):
        layout = self.use_layout()
        details = "bakkerij.example; renewal"
        document = self.send(
            subscription("InterNetX", "Domain", price_line(5, VendorDetails=details))
        )
        move = document.move_id
        self.assertIn(details, move.invoice_line_ids.name)
        layout.vendor_details = "note"
        self.act(document, "action_retry")
        self.assertEqual(self.get_printed(move), ["Domain – Service 1", f"* {details}"])
        line = move.invoice_line_ids.filtered("copaco_line_id")
        self.assertNotIn(details, line.name)
        layout.vendor_details = "none"
        self.act(document, "action_retry")
        self.assertNotIn(details, str(move.invoice_line_ids.mapped("name")))
        line = move.invoice_line_ids
        self.assertEqual(line.copaco_vendor_details, details)

    def test_details_of_a_subscription_are_those_that_copaco_prints_all_or_none(self):
        layout = self.use_layout()
        details = [
            {"AttributeDescription": "Memory", "AttributeValue": "8 GB"},
            {"Attribute": "Host", "AttributeValue": "x1", "noshow": "true"},
        ]
        document = self.send(
            subscription("A", "Server", price_line(5, SubscriptionDetails=details))
        )
        for shown, expected in (
            ("printed", ["Memory: 8 GB"]),
            ("all", ["Memory: 8 GB", "Host: x1"]),
            ("none", []),
        ):
            layout.subscription_details = shown
            self.act(document, "action_retry")
            rows = document.move_id.invoice_line_ids.name.split("\n")
            self.assertEqual(rows[2:], expected)

    def test_a_note_that_a_person_edited_stays_below_its_line(self):
        self.use_layout(vendor_details="note")
        lines = [
            price_line(amount, number=amount, VendorDetails=f"details {amount}")
            for amount in (1, 2)
        ]
        document = self.send(subscription("InterNetX", "Domain", *lines))
        move = document.move_id
        note = move.invoice_line_ids.filtered(lambda line: line.name == "details 1")
        note.name = "Mine"
        self.send(subscription("InterNetX", "Domain", *lines, price_line(3, number=3)))
        self.act(document, "action_use_new_version")
        self.assertEqual(
            self.get_printed(move),
            [
                *("Domain – Service 1", "* Mine"),
                *("Domain – Service 2", "* details 2", "Domain – Service 3"),
            ],
        )

    def test_texts_are_those_of_the_layout_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.partner.lang = "nl_NL"
        layout = self.use_layout(
            section_by="charge",
            usage="total",
            line_text="{plan}: {description}\nFrom {period}\nBy {vendor_details}",
            heading_recurring="Subscriptions",
            heading_total="Used of {subscription}",
        )
        layout.with_context(lang="nl_NL").write(
            {
                "line_text": "{plan}: {description}\nVan {period}",
                "heading_recurring": "Abonnementen",
                "heading_total": "Verbruik van {subscription}",
            }
        )
        document = self.send(*self.get_subscriptions())
        move = document.move_id
        printed = self.get_printed(move)
        self.assertIn("# Abonnementen", printed)
        self.assertIn("## Verbruik van Azure", printed)
        line = move.invoice_line_ids.filtered(
            lambda line: line.copaco_line_id.description == "Service 4"
        )
        self.assertEqual(line.name, "Exchange: Service 4\nVan 01-10-2026 – 31-10-2026")
        self.partner.lang = "en_US"
        self.act(document, "action_retry")
        line = move.invoice_line_ids.filtered(
            lambda line: line.copaco_line_id.description == "Service 4"
        )
        # There is no vendor, so there is no row about one.
        self.assertEqual(line.name, "Exchange: Service 4\nFrom 10/01/2026 – 10/31/2026")

    def test_a_text_tells_po_numbers_and_true_figures_without_being_asked(self):
        self.use_layout(line_text="{plan}")
        document = self.send(
            subscription(
                "Microsoft",
                "Azure",
                price_line(
                    Decimal("0.0123456789"),
                    Quantity=Decimal("0.246913578"),
                    UnitPrice=Decimal("0.05"),
                    SubPONumber="PO-1",
                ),
                price_line(1, number=2, SubPONumber="PO-2"),
            )
        )
        name = document.move_id.invoice_line_ids.sorted("sequence")[0].name
        self.assertEqual(name.split("\n")[0], "Azure")
        self.assertIn("PO-1", name)
        self.assertIn("0.246913578", name)

    def test_placeholders_that_are_not_known_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "vendor.*vendor_details"):
            self.use_layout(line_text="{title} {vendor}")

    def test_braces_that_a_vendor_sends_stay_braces(self):
        self.use_layout(line_text="{title}\n{vendor_details}")
        details = "{title} {period} %s {0.env}"
        document = self.send(
            subscription("Acme", "Plan", price_line(1, VendorDetails=details))
        )
        self.assertEqual(
            document.move_id.invoice_line_ids.name, f"Plan – Service 1\n{details}"
        )

    def test_copacos_number_is_printed_unless_the_layout_says_no(self):
        layout = self.use_layout()
        move = self.send(*self.get_subscriptions(), number="82610001").move_id
        self.assertIn("82610001", self.print_html(move))
        layout.has_number = False
        self.assertNotIn("82610001", self.print_html(move))
        # It is still known, should the addon be installed anew.
        self.assertEqual(move.invoice_origin, "82610001")

    def test_a_text_without_blanks_stays_on_the_page(self):
        for where in ("text", "note"):
            self.use_layout(vendor_details=where, section_by="category")
            line = price_line("1234.56", VendorDetails="W" * 120, InvoiceRowHash=where)
            move = self.send(subscription("A", "B", line), number=where).move_id
            self.assertEqual(self.get_printed_width(move, 800), 800, where)

    def get_printed_width(self, move, width):
        """:param width: of the page, in pixels
        :return: that of the printed lines of an invoice, which is more when they don't
        fit"""
        page = html.fromstring(self.print_html(move))
        (table,) = page.xpath("//table[contains(@class, 'o_main_table')]")
        with TemporaryDirectory() as folder:
            source, image = f"{folder}/lines.html", f"{folder}/lines.png"
            with open(source, "w") as file:
                file.write(html.tostring(table, encoding="unicode"))
            subprocess.run(
                [
                    *(find_in_path("wkhtmltoimage"), "--quiet", "--format", "png"),
                    *("--width", str(width), source, image),
                ],
                check=True,
                capture_output=True,
            )
            with Image.open(image) as printed:
                return printed.width

    def print_html(self, move):
        report = self.env["ir.actions.report"]
        page, _type = report._render_qweb_html("account.account_invoices", move.ids)
        return page.decode()
