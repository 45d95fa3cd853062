from ast import literal_eval
from datetime import date

from lxml import etree

from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestToDo(CopacoCommon):
    """What waits says what helps, and is found by what people know."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def add(self, number, account, amount="10", line=None, **customer):
        self.add_invoice(
            number, account, [price_line(amount, **line or {})], customer=customer
        )

    def act(self, records, action, *args):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*args)

    def test_a_failure_is_told_no_more_when_a_document_of_another_one_is_changed(self):
        self.add("INV-1", "A2")
        self.fetch()
        self.connection.active = False
        connection = self._create_connection(base_url=self.simulator.url)
        connection.api_key = "simulator-key"
        self.simulator.misbehave("status", status=403)
        self.fetch(connection, expect_failure=True)
        self.assertIn("failed", connection.activity_ids.summary)
        self.simulator.invoices.clear()
        self.add("INV-1", "A2", "11")
        self.assertEqual(self.fetch(connection), self.documents.run_id)
        self.assertFalse(connection.activity_ids)
        self.assertIn("decision: 1", self.connection.activity_ids.summary)

    def test_a_failure_is_told_no_more_when_nobody_can_fetch_again(self):
        self.add("INV-1", "A2")
        self.fetch()
        self.simulator.misbehave("status", status=403)
        self.fetch(expect_failure=True)
        self.assertIn("failed", self.connection.activity_ids.summary)
        self.connection.active = False
        self.assertNotIn("failed", self.connection.activity_ids.summary)
        self.assertIn("decision: 1", self.connection.activity_ids.summary)
        self.act(self.documents, "action_exclude", "Own use")
        self.assertFalse(self.connection.activity_ids)

    def test_a_job_tells_of_documents_that_are_another_connections(self):
        self.add("INV-1", "A2")
        self.fetch()
        self.connection.active = False
        connection = self._create_connection(base_url=self.simulator.url)
        connection.api_key = "simulator-key"
        self.simulator.invoices.clear()
        self.add("INV-1", "A2", "11")
        run = self.fetch(connection)
        self.assertEqual(self.documents.connection_id, self.connection)
        self.connection.activity_ids.unlink()
        self.env["copaco.job"].sudo()._refresh(run.sudo())
        self.assertIn("decision: 1", self.connection.activity_ids.summary)

    def test_it_waits_since_the_first_day_however_often_it_is_tried(self):
        self.add("INV-1", "A2")
        self.fetch()
        self.assertEqual(self.documents.waiting_since, date(2026, 11, 25))
        with freeze_time("2026-11-27 10:00:00"):
            self.act(self.documents, "action_retry")
            self.assertEqual(self.documents.state, "held")
            self.assertEqual(self.documents.waiting_since, date(2026, 11, 25))
        self.act(self.documents, "action_exclude", "Own use")
        self.assertFalse(self.documents.waiting_since)

    def test_whatever_waits_is_under_a_heading_that_says_why(self):
        self.connection.invoice_policy = "post"
        other = self.create_partner(name="Slager", ref="K-2", street=False)
        self.add("INV-1", "A1", CustomerNumber="K-9")
        self.add("INV-2", "A2", CustomerNumber="K-2")
        self.add("INV-3", "A3", CustomerNumber="K-1")
        self.fetch()
        self.documents[-1].sudo().missing_state = "reported"
        self.assertEqual(
            self.get_headings(),
            {
                "customer_unknown": "INV-1",
                "contact_incomplete": "INV-2",
                "missing": "INV-3",
            },
        )
        other.street = "Straat 1"
        draft = self.documents[1]
        draft.move_id.action_post()
        self.assertNotIn("contact_incomplete", self.get_headings())
        draft.sudo().missing_state = "reported"
        self.assertEqual(draft.to_do_reason, "missing")

    def get_headings(self):
        """:return: dict of the numbers below each heading of the page"""
        action = self.env.ref("account_copaco.action_copaco_document_to_do")
        arch = self.env["copaco.document"].get_view(
            self.env.ref("account_copaco.copaco_document_view_search").id, "search"
        )["arch"]
        (heading,) = etree.fromstring(arch).xpath("//filter[@name='group_reason']")
        group_by = safe_eval(heading.get("context"))["group_by"]
        domain = safe_eval(action._get_action_dict()["domain"])
        found = self.env["copaco.document"].search(domain).grouped(group_by)
        return {
            name: ", ".join(each.mapped("invoice_number"))
            for name, each in found.items()
        }

    def test_what_is_to_do_is_counted_as_it_is_listed(self):
        self.connection.invoice_policy = "post"
        self.create_partner(name="Slager", ref="K-2", street=False)
        self.add("INV-1", "A1", CustomerNumber="K-9")
        self.add("INV-2", "A2", CustomerNumber="K-2")
        self.add("INV-3", "A3", CustomerNumber="K-1")
        self.fetch()
        self.assertEqual(self.connection.to_do_count, 2, "one is held, one a draft")
        self.documents[-1].sudo().missing_state = "reported"
        listed = self.documents.filtered_domain(self.documents._get_to_do_domain())
        self.assertEqual(len(listed), 3)
        self.assertEqual(self.connection.to_do_count, 3)
        self.assertEqual(self.connection.held_count, 1, "the first one")

    def test_the_activity_tells_of_each_document_once_as_the_list_has_it(self):
        self.connection.write({"invoice_grouping": "month", "invoice_policy": "post"})
        self.partner.street = False
        for number in ("INV-1", "INV-2", "INV-3"):
            self.add(number, "A1", CustomerNumber="K-1")
        self.add("INV-4", "A9")
        self.fetch()
        first, second, *_others = self.documents
        self.assertEqual(len(self.documents.move_id), 1)
        first.move_id.ref = "Entered"
        self.simulator.invoices.clear()
        self.add("INV-1", "A1", "11", CustomerNumber="K-1")
        self.fetch()
        (second | self.documents[-1]).sudo().missing_state = "reported"
        self.env["copaco.activity.monitor"]._update_activity(self.connection)
        self.assertEqual(
            self.get_headings(),
            {
                "source_changed": "INV-1",
                "contact_incomplete": "INV-3, INV-2",
                "customer_unknown": "INV-4",
            },
        )
        self.assertEqual(
            self.connection.activity_ids.summary,
            "Documents waiting for a decision: 2; see Copaco, To Do. "
            "Documents whose invoices were left as drafts: 2; see Copaco, To Do.",
        )

    def test_retry_is_offered_where_it_can_help(self):
        self.add("INV-1", "A2")
        self.add("INV-2", "A1", CustomerNumber="K-1")
        self.connection.journal_id.active = False
        self.fetch()
        self.assertEqual(
            {each.hold_reason: each.is_retryable for each in self.documents},
            {"customer_unknown": False, "account_missing": True},
        )

    def test_the_text_of_a_row_does_not_repeat_its_number_and_customer(self):
        self.add("INV-1", "A2", CompanyName="Slagerij")
        self.add("INV-2", "A1", CustomerNumber="K-1")
        self.connection.journal_id.active = False
        self.fetch()
        self.assertEqual(len(self.documents), 2)
        for document in self.documents:
            self.assertTrue(document.next_step)
            self.assertNotIn(document.invoice_number, document.next_step)
            self.assertNotIn(document.customer_id.name, document.next_step)

    def test_an_incomplete_contact_is_opened_from_its_row(self):
        self.connection.invoice_policy = "post"
        contact = self.create_partner(name="Customer A1", ref="K-3", vat=False)
        self.add("INV-1", "A1", CustomerNumber="K-3")
        self.fetch()
        document = self.documents
        for step in ("lacks VAT", "complete now"):
            self.assertEqual(document.to_do_reason, "contact_incomplete")
            self.assertIn(step, document.next_step)
            self.assertNotIn(document.invoice_number, document.next_step)
            self.assertNotIn(contact.name, document.next_step)
            contact.vat = "/"
            document.invalidate_recordset()
        view = self.env.ref("account_copaco.copaco_document_view_list_to_do")
        arch = self.env["copaco.document"].get_view(view.id, "list")["arch"]
        (button,) = etree.fromstring(arch).xpath(
            "//button[@name='action_view_contact']"
        )
        self.assertEqual(
            button.get("invisible"), "to_do_reason != 'contact_incomplete'"
        )
        self.assertEqual(document.action_view_contact()["res_id"], contact.id)

    def test_ticked_documents_are_excluded_and_those_with_an_invoice_named(self):
        self.add("INV-1", "A2")
        self.add("INV-2", "A1", CustomerNumber="K-1")
        self.fetch()
        result = self.act(self.documents, "action_exclude", "Own use")
        self.assertIn("INV-2", result["params"]["message"])
        self.assertEqual(self.documents.mapped("state"), ["excluded", "invoiced"])

    def test_what_is_ticked_and_does_not_wait_for_a_button_is_named(self):
        self.connection.invoice_policy = "post"
        self.create_partner(name="Slager", ref="K-2", street=False)
        twice = [price_line("10", number=at, InvoiceRowHash="X") for at in (1, 2)]
        self.add_invoice("INV-1", "A1", twice, customer={"CustomerNumber": "K-1"})
        self.add("INV-2", "A2", CustomerNumber="K-2")
        self.add("INV-3", "A9")
        self.fetch()
        unknown = self.documents[-1]
        message = self.act(unknown, "action_invoice_new_lines")["params"]["message"]
        self.assertIn(f"do not wait for this: {unknown.name}", message)
        for action in (
            "action_exclude_duplicates",
            "action_confirm_invoice",
            "action_include",
        ):
            message = self.act(self.documents, action)["params"]["message"]
            self.assertIn(unknown.name, message, action)
            self.assertEqual(unknown.hold_reason, "customer_unknown")
        customers = self.documents.customer_id
        self.act(customers[0], "action_exclude", "Own use")
        message = self.act(customers, "action_include")["params"]["message"]
        self.assertIn("not excluded", message)
        self.assertIn(unknown.customer_id.display_name, message)

    def test_an_invoice_that_is_still_to_be_sent_is_not_called_delivered(self):
        self.connection.invoice_policy = "post"
        for number in ("INV-1", "INV-2"):
            self.add(number, "A1", CustomerNumber="K-1")
        self.fetch()
        failed, waiting = (
            self.create_delivery(document.move_id, state)
            for document, state in zip(
                self.documents, ("failed", "waiting"), strict=True
            )
        )
        waiting.send_at = "2026-11-25 09:50:00"
        result = self.act(failed | waiting, "action_was_delivered")
        self.assertIn(waiting.move_id.name, result["params"]["message"])
        self.assertNotIn(failed.move_id.name, result["params"]["message"])
        self.assertEqual((failed | waiting).mapped("state"), ["sent", "waiting"])

    def test_a_document_is_found_by_whatever_people_know_of_it(self):
        self.add(
            "INV-1",
            "616382",
            line={"VendorDetails": "voorbeeld.example", "SubPONumber": "PO-6213"},
            CustomerNumber="K-1",
            CompanyName="De Korenaar",
            VATNumber="NL001234567B01",
        )
        self.fetch()
        self.documents.move_id.action_post()
        for term in (
            *("INV-1", "616382", "K-1", "Korenaar", "Bakkerij"),
            *(self.documents.move_id.name, "PO-6213", "voorbeeld.example"),
            *("subscription-616382", "Service 1"),
        ):
            self.assertEqual(self.search("copaco.document", term), self.documents, term)
        self.assertFalse(self.search("copaco.document", "nothing like it"))
        for term in ("INV-1", "616382", "PO-6213", "voorbeeld.example"):
            found = self.search("account.move", term, "copaco_document_ids")
            self.assertEqual(found, self.documents.move_id, term)

    def test_a_document_is_found_by_what_copaco_changed_in_its_lines(self):
        self.add("INV-1", "A1", CustomerNumber="K-1")
        self.fetch()
        self.simulator.invoices.clear()
        self.add("INV-1", "A1", "12", CustomerNumber="K-1", line={"SubPONumber": "N-7"})
        self.fetch()
        self.assertEqual(self.search("copaco.document", "N-7"), self.documents)
        self.assertFalse(self.search("copaco.document", "nothing like it"))

    def test_lines_are_found_by_their_own_texts(self):
        self.add("INV-1", "A1", line={"VendorDetails": "voorbeeld.example"})
        self.add("INV-2", "A2", line={"VendorDetails": "other.example"})
        self.fetch()
        found = self.search("copaco.document.line", "voorbeeld", "plan_name")
        self.assertEqual(found.document_id.invoice_number, "INV-1")

    def search(self, model, term, name="invoice_number"):
        """:return: what the search field of a model's list finds"""
        view = {
            "copaco.document": "account_copaco.copaco_document_view_search",
            "copaco.document.line": "account_copaco.copaco_document_line_view_search",
            "account.move": "account.view_account_invoice_filter",
        }[model]
        arch = self.env[model].get_view(self.env.ref(view).id, "search")["arch"]
        (field,) = etree.fromstring(arch).xpath(f"//field[@name='{name}']")
        domain = safe_eval(field.get("filter_domain"), {"self": term})
        return self.env[model].search(domain)

    def test_the_filter_from_copaco_includes_corrections(self):
        self.add("INV-1", "A1", CustomerNumber="K-1")
        self.fetch()
        self.documents.move_id.action_post()
        self.simulator.invoices.clear()
        self.add("INV-1", "A1", "12", CustomerNumber="K-1", line={"Quantity": 2})
        self.fetch()
        self.act(self.documents, "action_correct")
        moves = self.documents.move_id + self.documents.correction_ids
        view = self.env.ref("account.view_account_invoice_filter")
        arch = self.env["account.move"].get_view(view.id, "search")["arch"]
        (filter_,) = etree.fromstring(arch).xpath("//filter[@name='copaco']")
        self.assertEqual(
            self.env["account.move"].search(literal_eval(filter_.get("domain"))), moves
        )
        self.assertEqual(
            self.env["account.move"].search(
                self.connection.action_view_invoices()["domain"]
            ),
            moves,
        )
        name = self.documents.correction_ids.invoice_line_ids.name
        self.assertIn("Period: 10/01/2026 – 10/31/2026", name)
        self.assertIn("Quantity: 1 → 2", name)
        self.assertIn(f"Correction of {self.documents.move_id.name}", name)

    def test_a_contact_leads_to_its_documents(self):
        self.add("INV-1", "A1", CustomerNumber="K-1")
        self.fetch()
        partner = self.partner.with_user(self.billing_user)
        self.assertEqual(partner.copaco_document_count, 1)
        self.assertEqual(
            partner.action_view_copaco_documents()["res_model"], "copaco.document"
        )

    def test_runs_count_each_document_once(self):
        self.add("INV-1", "A1", CustomerNumber="K-1")
        runs = self.fetch() + self.fetch()
        self.assertEqual(runs.mapped("amount_brought"), [10, 0])
        self.assertEqual(runs.mapped("brought_count"), [1, 0])
