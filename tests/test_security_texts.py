import csv
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Event
from unittest.mock import patch

import openpyxl
from lxml import html
from xlsxwriter import Workbook

from odoo.http import Request, Response
from odoo.tests import tagged

from odoo.addons.http_routing.tests.common import MockRequest
from odoo.addons.web.controllers.export import ExcelExport
from odoo.addons.web.controllers.pivot import TableExporter

from ..controllers.export_without_formulas import CopacoExcelExport, texts_only
from .common import price_line
from .remote import RemoteCase

SCRIPT = "<script>document.taken = 1</script><img src=x onerror='document.taken = 1'>"
FORMULA = "=cmd|' /C calc'!A0"
# What a spreadsheet would make a formula of, or a link.
ACTIVE_TEXTS = (
    *("=1+1", "{=1+1}", "https://x.example", "ftp://x.example", "mailto:x@x.example"),
    *("internal:Sheet1!A1", "external:x.xlsx", "file://x"),
)
TEXTS = (
    *("Description", "VendorDetails", "ConsumerCompanyName", "SubPONumber"),
    *("ChargeType", "BillingFrequency", "LineId", "InvoiceRowHash"),
)
# Opens pages, one after the other in one browser. Waits for a text to be shown, in a
# field or beside it, and looks whether it did any harm by then.
CHECK_PAGES = """
const isShown = (text) =>
    document.body.innerText.includes(text) ||
    [...document.querySelectorAll("input, textarea")].some((field) =>
        field.value.includes(text)
    );
const { action } = odoo.__WOWL_DEBUG__.root.env.services;
const isAt = (resId) => (action.currentController.props.resId || 0) === resId;
const check = async () => {
    for (const [name, resId, text] of %s) {
        await action.doAction(
            name,
            resId ? { viewType: "form", props: { resId } } : { viewType: "list" }
        );
        do {
            await new Promise((resolve) => setTimeout(resolve, 200));
        } while (!isAt(resId) || !isShown(text));
        if (document.taken || document.querySelector("img[src=x]")) {
            throw new Error(`A text became a part of the page of ${name}.`);
        }
    }
    console.log("test successful");
};
check();
"""
CUSTOMER_TEXTS = ("CompanyName", "CustomerNumber", "Email", "City", "Street", "Zip")


@tagged("post_install", "-at_install")
class TestSecurityTexts(RemoteCase):
    """What comes from Copaco is text, wherever it is shown or written."""

    def add_texts(self, number, text, amount="10"):
        """Give the simulator an invoice with this text wherever there can be one."""
        line = price_line(amount, **dict.fromkeys(TEXTS, text))
        self.add_invoice(
            number,
            f"{number} {text}",
            [line],
            created=date.today(),
            customer=dict.fromkeys(CUSTOMER_TEXTS, text),
        )
        content = self.simulator.invoices[-1].content
        content["Customers"][0]["Subscriptions"][0] |= dict.fromkeys(
            ("SubscriptionName", "PlanName", "PlanCategoryName"), text
        ) | {"SubscriptionDetails": [{"Attribute": text, "AttributeValue": text}]}
        return content

    def invoice_texts(self, text):
        """:return: the document with this text, and a version that waits"""
        self.simulator.invoices.clear()
        content = self.add_texts("INV-9", text)
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == "INV-9")
        partner = self.create_partner(name="Careless", email="a@example.com")
        document.customer_id.sudo().partner_id = partner
        with self.committing(document) as committing:
            committing.with_user(self.users["bill"]).action_retry()
        document.move_id.sudo().action_post()
        content["Customers"][0]["Subscriptions"][0]["PriceLines"].append(
            price_line("5", number=2, Description=text)
        )
        self.fetch()
        self.assertEqual(document.state, "changed")
        return document

    def assert_text_only(self, page, text=SCRIPT):
        """Check that a page shows a text, and is not changed by it."""
        tree = html.fromstring(str(page))
        # Not assertIn: it would print the whole page.
        self.assertTrue(text in tree.text_content(), "The text isn't shown.")
        self.assertFalse(tree.xpath("//img[@src='x']"))
        self.assertNotIn("document.taken", str(tree.xpath("//script/text()")))

    def test_no_text_becomes_a_part_of_a_page(self):
        document = self.invoice_texts(SCRIPT)
        self.assert_text_only(document.pending_difference)
        self.assert_text_only(document.version_ids.difference)
        bodies = [
            *document.message_ids.mapped("body"),
            *document.run_id.message_ids.mapped("body"),
            *document.move_id.message_ids.mapped("body"),
            *document.customer_id.message_ids.mapped("body"),
        ]
        shown = [body for body in bodies if "document.taken" in body]
        self.assertTrue(shown, "some note names the customer")
        for body in shown:
            self.assert_text_only(body)
        report, _type = self.env["ir.actions.report"]._render_qweb_html(
            "account.account_invoices", document.move_id.ids
        )
        self.assert_text_only(report.decode())
        self.authenticate(None, None)
        url = document.move_id.get_portal_url(report_type="html")
        self.assert_text_only(self.url_open(url).text)

    def test_the_client_shows_texts_as_texts(self):
        document = self.invoice_texts(SCRIPT)
        pages = [
            ("account_copaco.action_copaco_document_to_do", 0, "INV-9"),
            ("account_copaco.action_copaco_document", document.id, "<script>"),
            ("account_copaco.action_copaco_run", document.run_id.id, "<script>"),
            (
                "account_copaco.action_copaco_customer",
                document.customer_id.id,
                "<script>",
            ),
            ("account.action_move_out_invoice", document.move_id.id, "<script>"),
        ]
        self.browser_js(
            "/odoo/copaco-to-do",
            CHECK_PAGES % json.dumps(pages),
            "Boolean(document.querySelector('.o_list_view'))",
            login="remote-bill",
        )

    def test_a_text_of_ours_stays_a_text_in_a_sheet(self):
        document = self.invoice_texts(FORMULA)
        self.become_exporter()
        for records, names in (
            (document, ["line_ids/description", "customer_id/name"]),
            (document.line_ids, ["description", "vendor_details", "plan_name"]),
            (document.customer_id, ["name", "customer_number", "city"]),
        ):
            for grouped_by in ([], ["plan_name"]):
                if grouped_by and grouped_by[0] not in records._fields:
                    continue
                with self.subTest(records=records, grouped_by=grouped_by):
                    cells = self.export_sheet(records, names, groupby=grouped_by)
                    self.assert_inactive(cells)
                    texts = [cell.value for cell in cells if "cmd" in str(cell.value)]
                    self.assertGreaterEqual(len(texts), len(names))
                    groups = [f"{FORMULA} ({len(records)})"] * len(grouped_by)
                    self.assertEqual(set(texts), {FORMULA, *groups})

    def test_whatever_a_text_begins_with_it_stays_a_text(self):
        customer = self.document.customer_id.sudo()
        self.become_exporter()
        for text in ACTIVE_TEXTS:
            with self.subTest(text=text):
                customer.name = text
                cells = self.export_sheet(customer, ["name"])
                self.assert_inactive(cells)
                self.assertEqual([cell.value for cell in cells], ["name", text])

    def test_a_text_stays_a_text_in_a_pivot_of_ours(self):
        self.become("bill")
        cells = self.export_pivot(self.make_table("copaco.document"))
        self.assert_inactive(cells)
        self.assertEqual(
            [cell.value for cell in cells if cell.value],
            [
                *(FORMULA, "{=1+1}", "external:x.xlsx", "https://x.example", 12.5),
                *("     a=b", FORMULA),
            ],
        )

    def test_a_sheet_of_another_model_is_odoos_own(self):
        move = self.invoice_texts(FORMULA).move_id
        partner = self.create_partner(
            name=FORMULA, ref="'x", street="{=1+1}", website="https://x.example"
        )
        self.become_exporter()
        for records, names, grouped_by in (
            (move, ["name", "invoice_line_ids/name"], []),
            (move.invoice_line_ids, ["name", "copaco_vendor_details"], []),
            (move.invoice_line_ids, ["copaco_vendor_details", "name"], ["name"]),
            (partner, ["name", "ref", "street", "website"], []),
            (partner, ["ref", "name", "website"], ["name"]),
        ):
            with self.subTest(records=records, grouped_by=grouped_by):
                ours = self.export("xlsx", records, names, groupby=grouped_by)
                with patch.object(CopacoExcelExport, "base", ExcelExport.base):
                    odoos = self.export("xlsx", records, names, groupby=grouped_by)
                self.assertEqual(self.read_parts(ours), self.read_parts(odoos))
                self.assertIn("f", [cell.data_type for cell in self.read_sheet(ours)])

    def test_a_pivot_of_another_model_is_odoos_own(self):
        self.become("bill")
        table = self.make_table("account.move")
        ours = self.post_pivot(table)
        with MockRequest(self.env) as request:
            request.make_response = Response
            odoos = TableExporter().export_xlsx(json.dumps(table)).data
        self.assertEqual(self.read_parts(ours), self.read_parts(odoos))
        self.assertIn("f", [cell.data_type for cell in self.read_sheet(ours)])

    def test_no_text_becomes_a_formula_in_a_csv_file(self):
        document = self.invoice_texts(FORMULA)
        self.become_exporter()
        for records, name in (
            (document.line_ids, "description"),
            (document.move_id.invoice_line_ids, "name"),
        ):
            (_header, *rows) = self.export_rows(records, [name])
            self.assertTrue(rows)
            for (text,) in rows:
                self.assertTrue(text.startswith("'="), text)

    def test_an_export_of_ours_changes_no_workbook_of_anybody_else(self):
        init = Workbook.__init__
        with ThreadPoolExecutor() as pool:
            with self.assertRaises(ZeroDivisionError), texts_only("copaco.document"):
                self.assertFalse(Workbook().strings_to_formulas)
                workbook = pool.submit(Workbook).result()
                self.assertTrue(workbook.strings_to_formulas)
                self.assertTrue(workbook.strings_to_urls)
                raise ZeroDivisionError
        self.assertIs(Workbook.__init__, init)

    def test_two_exports_of_ours_at_once_are_both_texts_only(self):
        init = Workbook.__init__
        is_second, first_ended = Event(), Event()

        def export_second():
            with texts_only("copaco.run"):
                is_second.set()
                first_ended.wait(60)
                return Workbook()

        with ThreadPoolExecutor() as pool:
            with texts_only("copaco.document"):
                second = pool.submit(export_second)
                is_second.wait(0.2)
                self.assertFalse(Workbook().strings_to_formulas)
            first_ended.set()
            self.assertFalse(second.result().strings_to_formulas)
        self.assertIs(Workbook.__init__, init)

    def become_exporter(self):
        self.users["bill"].group_ids += self.env.ref("base.group_allow_export")
        self.become("bill")

    def assert_inactive(self, cells):
        self.assertNotIn("f", [cell.data_type for cell in cells])
        self.assertFalse([cell.hyperlink for cell in cells if cell.hyperlink])

    def make_table(self, model):
        """:return: what the client sends of a pivot of this model"""
        return {
            "model": model,
            "title": "=Documents",
            "measure_count": 1,
            "col_group_headers": [
                [{"title": FORMULA, "width": 1, "height": 1}],
                [{"title": "{=1+1}", "width": 1, "height": 1}],
            ],
            "measure_headers": [{"title": "external:x.xlsx", "is_bold": True}],
            "rows": [
                {
                    "indent": 0,
                    "title": "https://x.example",
                    "values": [{"value": 12.5}],
                },
                {"indent": 1, "title": "a=b", "values": [{"value": FORMULA}]},
            ],
        }

    def export_sheet(self, records, names, **options):
        """:return: list of the cells of the xlsx file that a user gets"""
        return self.read_sheet(self.export("xlsx", records, names, **options))

    def export_pivot(self, table):
        """:return: list of the cells of the xlsx file of a pivot"""
        return self.read_sheet(self.post_pivot(table))

    def post_pivot(self, table):
        """:return: bytes of the xlsx file of a pivot"""
        response = self.url_open(
            "/web/pivot/export_xlsx",
            data={"csrf_token": Request.csrf_token(self)},
            # As the client sends it.
            files={"data": ("blob", json.dumps(table), "application/json")},
        )
        self.assertEqual(response.status_code, 200)
        return response.content

    def read_parts(self, content):
        """:return: dict of what an xlsx file consists of, but the time it was made"""
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return {
                name: parts.read(name)
                for name in parts.namelist()
                if name != "docProps/core.xml"
            }

    def read_sheet(self, content):
        book = openpyxl.load_workbook(io.BytesIO(content))
        return [cell for row in book.active for cell in row]

    def export_rows(self, records, names):
        """:return: list of the rows of the csv file that a user gets"""
        content = self.export("csv", records, names)
        return list(csv.reader(io.StringIO(content.decode())))

    def export(self, file_type, records, names, **options):
        data = {
            "model": records._name,
            "fields": [
                {"name": name, "label": name, "type": "char", "store": True}
                for name in names
            ],
            "ids": records.ids,
            "domain": [],
            "import_compat": False,
            **options,
        }
        self.env.flush_all()
        response = self.url_open(
            f"/web/export/{file_type}",
            data={"data": json.dumps(data), "csrf_token": Request.csrf_token(self)},
        )
        self.assertEqual(response.status_code, 200)
        return response.content
