import io
from datetime import date, datetime
from unittest.mock import patch

import openpyxl
from lxml import html

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfReader

from .common import CopacoCommon, price_line
from .test_peppol import PeppolCommon

WIZARD = "odoo.addons.account_copaco.wizards.copaco_mail_merge"
PDF = "odoo.addons.account_copaco.services.copaco_invoice_pdf"
FORMULAS = ("=1+1", "{=1+1}", "+1", "@SUM(A1)", "https://x.example", "-1")


@tagged("post_install", "-at_install")
class TestMailMerge(CopacoCommon, HttpCase):
    """A sheet for letters of one's own, with a link to each invoice for its customer
    alone."""

    def setUp(self):
        super().setUp()
        # Time can't be frozen for the threads of the server.
        self.connection.write({"import_from": False, "invoice_policy": "post"})
        self.bakery = self.create_partner(
            name="Bakkerij", ref="K-1", email="info@bakkerij.example"
        )
        self.florist = self.create_partner(
            name="Fleuriste", ref="K-2", email="info@fleuriste.example", lang="en_US"
        )
        self.moves = self.book("INV-1", "K-1", "10") + self.book("INV-2", "K-2", "-2.5")

    def book(self, number, customer_number, amount):
        """:return: the confirmed invoice of a new document"""
        self.add_invoice(
            number,
            f"account-{customer_number}",
            [price_line(amount)],
            customer={"CustomerNumber": customer_number},
            created=date.today(),
            Date=f"{date.today():%Y%m%d}",
        )
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        self.assertEqual(document.move_id.state, "posted")
        return document.move_id

    def open_dialog(self, records, **values):
        """:return: the dialog about these invoices or months, of the billing user"""
        Wizard = self.env["copaco.mail.merge"].with_user(self.billing_user)
        return Wizard.with_context(
            active_model=records._name, active_ids=records.ids
        ).create(values)

    def press_download(self, dialog):
        with self.committing(dialog) as committing:
            return committing.action_download()

    def download(self, dialog):
        """:return: the only sheet of the file, opened again"""
        self.env.flush_all()
        self.authenticate("billing", "billing")
        action = self.make_jsonrpc_request(
            "/web/dataset/call_kw",
            {
                "model": dialog._name,
                "method": "action_download",
                "args": dialog.ids,
                "kwargs": {},
            },
            # The first PDF of a database waits until Odoo has bundled its styles.
            timeout=60,
        )
        self.env.invalidate_all()
        answer = self.url_open(action["url"])
        self.assertEqual(answer.status_code, 200)
        self.assertIn(".xlsx", answer.headers["Content-Disposition"])
        (sheet,) = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
        return sheet

    def get_rows(self, sheet):
        """:return: list of dicts by the names in the first row"""
        names, *rows = sheet.iter_rows(values_only=True)
        self.assertEqual(len({*names}), len(names), "a letter refers to them by name")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def print_pdfs(self):
        """Have real PDFs printed; without this Odoo prints HTML in tests. One by one:
        not every wkhtmltopdf prints several at once."""
        self.enterContext(patch(f"{PDF}.PDFS_AT_ONCE", 1))
        report = self.registry["ir.actions.report"]
        printing = report._pre_render_qweb_pdf

        def print_really(report, *args, **kwargs):
            report = report.with_context(force_report_rendering=True)
            return printing(report, *args, **kwargs)

        self.patch(report, "_pre_render_qweb_pdf", print_really)

    def follow(self, link):
        """:return: what anybody gets who follows a link and is not logged in"""
        self.authenticate(None, None)
        return self.url_open(link)

    def test_each_link_opens_its_invoice_without_login_and_no_other(self):
        dialog = self.open_dialog(self.moves, column_names="fixed")
        rows = self.get_rows(self.download(dialog))
        self.assertEqual(
            [row["number"] for row in rows], self.moves.mapped("name"), "by customer"
        )
        for row, other in (rows, rows[::-1]):
            answer = self.follow(row["link"])
            self.assertEqual(answer.headers["Content-Type"], "application/pdf")
            text = html.fromstring(answer.text).text_content()
            self.assertIn(row["number"], text)
            self.assertIn(row["customer"], text)
            self.assertNotIn(other["customer"], text)
            self.assertNotIn("Proforma", text)
            own_token = row["link"].partition("?")[2]
            path = other["link"].partition("?")[0]
            for link in (f"{path}?{own_token}", path):
                refused = self.follow(link)
                self.assertIn("/web/login", refused.url)
                self.assertNotIn(other["customer"], refused.text)

    def test_a_link_opens_a_pdf(self):
        self.print_pdfs()
        (row,) = self.get_rows(self.download(self.open_dialog(self.moves[0])))
        answer = self.follow(row["Link"])
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        name = self.moves[0].name.replace("/", "_")
        self.assertIn(f"{name}.pdf", answer.headers["Content-Disposition"])
        self.assertEqual(len(PdfReader(io.BytesIO(answer.content)).pages), 1)

    def test_a_sheet_is_a_source_of_a_mail_merge(self):
        """Names in the first row, a row for each invoice, numbers and dates as such."""
        sheet = self.download(self.open_dialog(self.moves, column_names="fixed"))
        first, second = self.get_rows(sheet)
        today = datetime.combine(date.today(), datetime.min.time())
        self.assertEqual(
            {name: value for name, value in first.items() if name != "link"},
            {
                "customer": "Bakkerij",
                "contact": None,
                "email": "info@bakkerij.example",
                "language": self.bakery.lang,
                "salutation": "Dear Sir or Madam,",
                "number": self.moves[0].name,
                "date": today,
                "due_date": today,
                "amount": 12.1,
                "currency": "EUR",
            },
        )
        self.assertEqual(second["amount"], -3.03, "a credit note")
        self.assertFalse(sheet.merged_cells.ranges)

    def test_columns_are_named_in_the_language_of_the_user(self):
        (fixed,) = self.get_rows(
            self.download(self.open_dialog(self.moves[0], column_names="fixed"))
        )
        translated = self.download(self.open_dialog(self.moves[0]))
        (row,) = self.get_rows(translated)
        self.assertEqual([*row.values()], [*fixed.values()])
        self.assertIn("Due Date", row)
        sheet = self.registry["copaco.mail.merge.sheet"]
        with patch.object(sheet, "_get_columns", lambda _self: {"number": "Nummer"}):
            (row,) = self.get_rows(self.download(self.open_dialog(self.moves[0])))
        self.assertEqual(row, {"Nummer": self.moves[0].name})

    def test_a_person_is_saluted_by_name(self):
        person = self.env["res.partner"].create(
            {"name": "Jo Bakker", "parent_id": self.bakery.id, "type": "contact"}
        )
        dialog = self.open_dialog(self.moves[0], column_names="fixed")
        (row,) = self.get_rows(self.download(dialog))
        self.assertEqual(row["contact"], "Jo Bakker")
        self.assertEqual(row["salutation"], "Dear Jo Bakker,")
        person.copy({"name": "Mo Bakker"})
        (row,) = self.get_rows(self.download(dialog))
        self.assertEqual(row["salutation"], "Dear Sir or Madam,", "either of the two")

    def test_texts_are_no_formulas_and_no_links(self):
        for text in FORMULAS:
            self.bakery.name = text
            sheet = self.download(self.open_dialog(self.moves[0], column_names="fixed"))
            with self.subTest(text=text):
                self.assertEqual(self.get_rows(sheet)[0]["customer"], text)
                for cells in sheet.iter_rows():
                    for cell in cells:
                        self.assertIn(cell.data_type, ("s", "n", "d"))
                        self.assertIsNone(cell.hyperlink)

    def test_a_month_has_its_invoices_and_corrections(self):
        month = self.env["copaco.month"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("date", "=", date.today().replace(day=1)),
            ]
        )
        other = self.init_invoice("out_invoice", products=self.product, post=True)
        self.simulator.invoices.clear()
        self.add_invoice(
            "INV-1",
            "account-K-1",
            [price_line("11")],
            customer={"CustomerNumber": "K-1"},
            created=date.today(),
            Date=f"{date.today():%Y%m%d}",
        )
        self.fetch()
        document = self.moves[0].copaco_document_id
        with self.committing(document.with_user(self.billing_user)) as committing:
            committing.action_correct()
        correction = document.correction_ids
        dialog = self.open_dialog(month)
        self.assertEqual(dialog.move_ids, self.moves)
        self.assertEqual(dialog.left_out_count, 1, "the correction is a draft")
        correction.action_post()
        dialog = self.open_dialog(month)
        self.assertEqual(dialog.move_ids, self.moves + correction)
        self.assertNotIn(other, dialog.selected_move_ids)

    def test_a_month_lacks_what_was_credited_in_full_and_invoiced_anew(self):
        document = self.moves[0].copaco_document_id.sudo()
        reverser = self.env["copaco.reverser"].sudo()
        drafts = reverser._invoice_anew(document, partner=self.florist)
        drafts.action_post()
        month = self.env["copaco.month"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("date", "=", date.today().replace(day=1)),
            ]
        )
        dialog = self.open_dialog(month)
        self.assertEqual(dialog.move_ids, document.move_id + self.moves[1])

    def test_what_is_no_confirmed_customer_invoice_is_left_out(self):
        draft = self.init_invoice("out_invoice", products=self.product)
        bill = self.init_invoice("in_invoice", products=self.product, post=True)
        self.bakery.email = False
        dialog = self.open_dialog(self.moves + draft + bill)
        self.assertEqual(dialog.move_ids, self.moves)
        self.assertEqual(dialog.left_out_count, 2)
        self.assertEqual(dialog.no_email_count, 1)
        with self.assertRaisesRegex(UserError, "confirmed customer invoice"):
            self.press_download(self.open_dialog(draft + bill))

    def test_a_sheet_sends_nothing_and_marks_nothing_as_sent(self):
        self.press_download(self.open_dialog(self.moves))
        self.assertNotIn(False, self.moves.mapped("invoice_pdf_report_id.mimetype"))
        self.assertNotIn(True, self.moves.mapped("is_move_sent"))
        self.assertFalse(self.moves.message_ids.mail_ids)

    def test_a_pdf_that_odoo_can_not_create_is_told(self):
        def refuse(_self, invoice, invoice_data):
            if invoice == self.moves[1]:
                invoice_data["error"] = {
                    "error_title": "The street is missing.",
                    "errors": [],
                }

        sender = self.registry["account.move.send"]
        hook = "_hook_invoice_document_before_pdf_report_render"
        with (
            patch.object(sender, hook, refuse),
            self.assertRaisesRegex(UserError, self.moves[1].name),
        ):
            self.press_download(self.open_dialog(self.moves))
        self.assertIn("The street", str(self.moves[1].message_ids.mapped("body")))

    def test_a_system_that_prints_one_document_at_a_time_prints_all(self):
        sender = self.registry["account.move.send"]
        printing, counts = sender._prepare_invoice_pdf_report, []

        def print_one(sender, invoices_data):
            counts.append(len(invoices_data))
            if len(invoices_data) > 1:
                raise UserError(sender._name)
            return printing(sender, invoices_data)

        with patch.object(sender, "_prepare_invoice_pdf_report", print_one):
            action = self.press_download(self.open_dialog(self.moves))
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertEqual(counts, [2, 1, 1])

    def test_more_pdfs_than_a_person_waits_for_are_created_step_by_step(self):
        dialog = self.open_dialog(self.moves)
        with patch(f"{WIZARD}.BUTTON_SECONDS", 0):
            action = self.press_download(dialog)
        self.assertIn("of 2 invoices", action["params"]["message"])
        self.assertFalse(dialog.content)
        self.assertEqual(self.press_download(dialog)["type"], "ir.actions.act_url")


@tagged("post_install", "-at_install", "-standard", "copaco_peppol")
class TestMailMergePeppol(PeppolCommon, HttpCase):
    """The same, beside Odoo's e-invoices."""

    def test_a_link_opens_the_pdf_of_an_e_invoice_too(self):
        self.connection.import_from = False
        self.prefer("email", invoice_edi_format="nlcius")
        today = date.today()
        move = self.book("5", created=today, Date=f"{today:%Y%m%d}").move_id
        dialog = self.env["copaco.mail.merge"].create(
            {"selected_move_ids": [(6, 0, move.ids)]}
        )
        with self.committing(dialog) as committing:
            committing.action_download()
        self.assertTrue(move.ubl_cii_xml_id)
        row = self.env["copaco.mail.merge.sheet"]._get_row(move)
        self.authenticate(None, None)
        answer = self.url_open(row["link"])
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        self.assertIn(move.name, html.fromstring(answer.text).text_content())
