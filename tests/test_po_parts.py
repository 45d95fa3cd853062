import base64
from datetime import date

from lxml import etree

from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import copaco_invoice
from .simulator.encoding import dumps
from .simulator.server import CUSTOMER_INVOICES
from .test_po_numbers import PoNumberCommon


@tagged("post_install", "-at_install")
class TestPoParts(PoNumberCommon):
    """Promises 1 and 2 where the parts of a Copaco invoice are created on several days,
    or received otherwise than by a fetch of all days."""

    # === PARTS THAT ARE CREATED ON SEVERAL DAYS === #

    def add_part(self, *lines, day=23):
        self.add_invoice(
            "INV-1",
            "A1",
            list(lines),
            date(2026, 10, day),
            customer={"CustomerNumber": "K-1"},
        )

    def fetch_on(self, day):
        with freeze_time(f"{day} 10:00:00"):
            return self.fetch()

    def receive_two_days(self):
        self.connection.overlap_days = 0
        self.connection.import_from = date(2026, 10, 1)
        self.add_part(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.fetch_on("2026-10-23")
        self.add_part(self.po_line("5", "P2", 3), self.po_line("7", "P3", 4), day=25)
        self.fetch_on("2026-10-25")

    def test_what_is_created_later_is_added(self):
        self.receive_two_days()
        self.assertBilled(P1=10, P2=25, P3=7)
        self.assertBalanced()

    def test_a_response_with_some_days_takes_nothing_away(self):
        self.receive_two_days()
        for first, last in ((24, 26), (25, 25), (22, 24)):
            self.fetch_period(date(2026, 10, first), date(2026, 10, last))
            self.assertBilled(P1=10, P2=25, P3=7)
        self.assertFalse(any(self.documents.mapped("missing_state")))
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
        self.assertBalanced()

    def test_a_line_moves_in_a_response_with_some_days(self):
        self.receive_two_days()
        self.simulator.invoices.clear()
        self.add_part(self.po_line("20", "P2", 2), self.po_line("10", "P3", 1), day=23)
        self.add_part(self.po_line("5", "P2", 3), self.po_line("7", "P3", 4), day=25)
        self.fetch_period(date(2026, 10, 22), date(2026, 10, 24))
        self.assertBilled(P1=10, P2=25, P3=7)
        self.assertIn("PO P1", self.get_part("P3").hold_message)
        self.assertBalanced()

    def test_lines_that_look_alike_are_told_apart_by_their_po_number(self):
        self.connection.overlap_days = 0
        self.connection.import_from = date(2026, 10, 1)
        alike = {"InvoiceRowHash": "", "LineId": "", "Description": "Mailbox"}
        self.add_part(self.po_line("10", "P1", 1, **alike))
        self.fetch_on("2026-10-23")
        self.add_part(self.po_line("10", "P2", 1, **alike), day=25)
        self.fetch_on("2026-10-25")
        self.fetch_period(date(2026, 10, 25), date(2026, 10, 25))
        self.assertEqual(self.documents.mapped("line_count"), [1, 1])

    def test_a_whole_that_is_gone_is_reported_of_each_part(self):
        self.receive_two_days()
        self.simulator.invoices.clear()
        self.fetch_period(date(2026, 10, 1), date(2026, 10, 31))
        self.assertEqual(self.documents.mapped("missing_state"), ["reported"] * 3)
        self.assertBilled(P1=10, P2=25, P3=7)

    # === OTHER WAYS === #

    def upload(self, *lines):
        element = copaco_invoice(
            "INV-1", "A1", list(lines), customer={"CustomerNumber": "K-1"}
        )
        wizard = self.env["copaco.upload"].create(
            {
                "connection_id": self.connection.id,
                "kind": "specification",
                "content": base64.b64encode(dumps({"Invoices": [element]})),
                "file_name": "response.json",
            }
        )
        with self.committing(wizard) as committing:
            committing.action_upload()

    @freeze_time("2026-11-25 10:00:00")
    def test_a_file_is_split_too_and_known_when_it_is_fetched(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.upload(*lines)
        known = self.documents
        self.assertBilled(P1=10, P2=20)
        self.send(*lines)
        self.assertEqual(self.documents, known)
        self.assertFalse(known.version_ids)
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_an_old_file_bills_nothing_twice(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.send(self.po_line("20", "P2", 2), self.po_line("10", "P2", 1))
        before = self.get_part("P1") | self.get_part("P2")
        self.upload(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.assertEqual(self.documents, before)
        total = sum(self.documents.mapped("move_amount_untaxed"))
        self.assertEqual(total, 30)
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_another_endpoint_bills_nothing_twice(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        known = self.documents
        self.connection.source = "customer_invoices"
        self.add_invoice(
            "INV-1",
            "A1",
            [
                self.po_line("10", "P1", 1, InvoiceRowHash="other-1", LineId="1"),
                self.po_line("20", "P2", 2, InvoiceRowHash="other-2", LineId="2"),
            ],
            endpoint=CUSTOMER_INVOICES,
            customer={"CustomerNumber": "K-1"},
        )
        self.fetch()
        self.assertEqual(self.documents, known)
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_a_preview_shows_each_part(self):
        self.simulator.invoices.clear()
        lines = [self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)]
        self.add_invoice("INV-1", "A1", lines, customer={"CustomerNumber": "K-1"})
        preview = self.env["copaco.preview"].create(
            {"connection_id": self.connection.id, "date_from": date(2026, 11, 1)}
        )
        with self.committing(preview) as committing:
            committing.action_preview()
        self.assertRecordValues(
            preview.document_ids.sorted("invoice_number"),
            [
                {"invoice_number": "INV-1 · PO P1", "amount_untaxed": 10},
                {"invoice_number": "INV-1 · PO P2", "amount_untaxed": 20},
            ],
        )
        self.assertFalse(self.documents)

    @freeze_time("2026-11-25 10:00:00")
    def test_parts_are_decided_about_one_by_one(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*lines)
        first, second = self.documents
        first.move_id.unlink()
        self.assertEqual(first.hold_reason, "invoice_deleted")
        self.act(first, "action_exclude", "Paid otherwise")
        self.send(*lines)
        self.assertEqual(self.documents.mapped("state"), ["excluded", "invoiced"])
        self.assertBilled(P2=20)
        self.assertBalanced()
        self.act(first, "action_include")
        self.assertBilled(P1=10, P2=20)
        second.move_id.action_post()
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_parts_are_found_by_number_and_by_po_number(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        arch = self.env["copaco.document"].get_view(
            self.env.ref("account_copaco.copaco_document_view_search").id, "search"
        )["arch"]
        field = etree.fromstring(arch).find("field[@name='invoice_number']")
        for text, expected in (("INV-1", "P1P2"), ("P2", "P2")):
            domain = safe_eval(field.get("filter_domain"), {"self": text})
            found = self.documents.filtered_domain(domain)
            self.assertEqual("".join(found.mapped("po_part")), expected)

    @freeze_time("2026-11-25 10:00:00")
    def test_another_account_of_the_same_number_is_another_customer(self):
        self.create_partner(name="Other", ref="K-2")
        self.add_invoice(
            "INV-1",
            "A2",
            [self.po_line("3", "P1", 1), self.po_line("4", "P2", 2)],
            customer={"CustomerNumber": "K-2"},
        )
        self.add_invoice(
            "INV-1",
            "A1",
            [self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)],
            customer={"CustomerNumber": "K-1"},
        )
        self.fetch()
        self.assertEqual(sorted(self.documents.mapped("amount_source")), [7, 10, 20])
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_a_part_that_is_received_by_a_branch_stays_with_the_others(self):
        self.send(self.po_line("10", "P1", 1))
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids |= branch
        self.billing_user.company_ids |= branch
        other = self._create_connection(
            name="Branch", company_id=branch.id, base_url=self.simulator.url
        )
        other.api_key = "simulator-key"
        self.simulator.invoices.clear()
        self.add_invoice(
            "INV-1",
            "A1",
            [self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)],
            customer={"CustomerNumber": "K-1"},
        )
        self.fetch(other)
        self.assertEqual(self.documents.mapped("po_part"), ["P1", "P2"])
        self.assertEqual(self.documents.connection_id, self.connection)
        self.assertEqual(self.documents.move_id.company_id, self.company)
        self.assertBilled(P1=10, P2=20)
        self.assertBalanced()

    @freeze_time("2026-11-25 10:00:00")
    def test_purchase_invoices_are_never_split(self):
        self.connection.fetch_purchases = True
        self.add_invoice(
            "P-1",
            "A1",
            [self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)],
            endpoint="invoices",
        )
        self.fetch()
        purchases = self.documents.filtered(lambda each: each.invoice_number == "P-1")
        self.assertRecordValues(
            purchases, [{"kind": "purchase", "is_po_part": False, "line_count": 2}]
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoVat(PoNumberCommon):
    """The VAT that Copaco states is compared with the parts, and with all of them."""

    def setUp(self):
        super().setUp()
        self.connection.source = "customer_invoices"

    def send_taxed(self, *lines, **totals):
        self.simulator.customer_invoices.clear()
        self.add_invoice(
            "INV-1",
            "A1",
            lines,
            endpoint=CUSTOMER_INVOICES,
            customer={"CustomerNumber": "K-1"},
        )
        if totals:
            self.simulator.customer_invoices[-1].content["Totals"] = totals
        self.fetch()

    def test_the_vat_of_lines_is_compared_for_each_part(self):
        self.send_taxed(
            self.po_line("10", "P1", 1, VAT="2.10"),
            self.po_line("20", "P2", 2, VAT="1.80"),
        )
        self.assertEqual(self.get_part("P1").state, "invoiced")
        self.assertEqual(self.get_part("P2").hold_reason, "vat_differs")
        self.assertBalanced()

    def test_the_vat_of_totals_is_compared_with_all_parts(self):
        lines = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        for vat, state in (("6.30", "invoiced"), ("5.70", "held")):
            with self.subTest(vat=vat), self.undone():
                self.send_taxed(*lines, TotalVAT=vat, TotalExcludingVAT="30")
                self.assertEqual(self.get_part("P1").state, "invoiced")
                self.assertEqual(self.get_part("P2").state, state)
                self.assertBalanced()

    def test_it_is_known_of_what_copaco_changed(self):
        self.send_taxed(
            self.po_line("10", "P1", 1),
            self.po_line("20", "P2", 2),
            TotalVAT="6.30",
            TotalExcludingVAT="30",
        )
        self.send_taxed(
            self.po_line("11", "P1", 1),
            self.po_line("20", "P2", 2),
            TotalVAT="6.51",
            TotalExcludingVAT="31",
        )
        self.assertBilled(P1=11, P2=20)
        self.assertEqual(self.get_part("P1").whole_vat, 6.51)
        self.assertBalanced()
