from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_margin import line
from .test_margin_lines import FIELDS


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginGrouped(CopacoBillCommon):
    """Margins where the invoices of a customer aren't those of Copaco: one for a month,
    or one per PO number."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    @property
    def sales(self):
        return self.documents - self.purchases

    def get_margins(self, moves):
        self.env.invalidate_all()
        lines = moves.invoice_line_ids.filtered("copaco_line_id").sorted("id")
        lines = lines.with_user(self.billing_user)
        return [tuple(round(each[name], 2) for name in FIELDS) for each in lines]

    def get_pairs(self):
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        margins = self.env["copaco.margin"].search(
            [("company_id", "=", self.company.id)], order="id"
        )
        return margins.mapped(lambda each: (each.match, each.sale, each.cost))

    def get_findings(self, state="open"):
        findings = self.env["copaco.finding"].search(
            [("connection_id", "=", self.connection.id), ("state", "=", state)]
        )
        return sorted(findings.mapped(lambda each: (each.kind, each.amount)))

    def credit(self, move):
        reversal = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id}
        )
        action = reversal.reverse_moves()
        return self.env["account.move"].browse(action["res_id"])

    # === ONE INVOICE FOR A MONTH === #

    def bill_month(self):
        """:return: an invoice of two documents, of which lines have the same text"""
        self.connection.invoice_grouping = "month"
        same = {"Description": "Same"}
        self.add_known("S-1", lines=[line("10", 1, **same), line("5", 3)])
        self.add_known("S-2", lines=[line("20", 2, **same)])
        self.add_purchase("P-1", {"A1": [line("8", 1), line("21", 2), line("4", 3)]})
        self.fetch()
        self.assertEqual(len(self.sales), 2)
        invoice = self.sales.move_id
        invoice.action_post()
        return invoice.ensure_one()

    def test_an_invoice_for_a_month_has_the_margin_of_each_document(self):
        invoice = self.bill_month()
        self.assertEqual(
            self.get_margins(invoice), [(8, 2, 20), (4, 1, 20), (21, -1, -5)]
        )
        self.assertEqual(
            self.get_pairs(), [("sure", 10, 8), ("sure", 5, 4), ("sure", 20, 21)]
        )
        self.assertEqual(self.get_findings(), [("below_cost", 1)])
        self.assertRecordValues(
            self.get_month(), [{"amount_sale": 35, "amount_cost": 33}]
        )

    def test_what_is_credited_of_a_month_counts_for_one_of_its_documents(self):
        invoice = self.bill_month()
        credit = self.credit(invoice)
        self.assertEqual(
            self.get_margins(invoice), [(8, -8, 0), (4, -4, 0), (21, -21, 0)]
        )
        credit.invoice_line_ids.filtered(
            lambda each: each.price_unit not in (10, 0)
        ).unlink()
        self.assertEqual(
            self.get_margins(invoice), [(8, -8, 0), (4, 1, 20), (21, -1, -5)]
        )

    def test_what_copaco_corrects_of_a_month_counts_on_its_line(self):
        invoice = self.bill_month()
        self.simulator.invoices.clear()
        self.add_known("S-1", lines=[line("10", 1, Description="Same"), line("5", 3)])
        self.add_known("S-2", lines=[line("24", 2, Description="Same")])
        self.fetch()
        changed = self.sales.filtered(lambda each: each.state == "changed")
        self.act(changed, "action_correct")
        self.assertEqual(
            self.get_margins(invoice), [(8, 2, 20), (4, 1, 20), (21, 3, 12.5)]
        )
        self.assertEqual(self.get_findings("solved"), [])
        self.run_crons()
        self.get_pairs()
        self.assertEqual(self.get_findings(), [])

    # === ONE INVOICE PER PO NUMBER === #

    def bill_parts(self, *sales):
        self.add_known("S-1", lines=list(sales))
        self.add_purchase(
            "P-1", {"A1": [line("8", 1), line("15", 2), line("6", 3), line("1", 4)]}
        )
        self.fetch()
        self.run_crons()

    def test_the_parts_of_an_invoice_have_the_cost_of_their_lines(self):
        self.create_customer("A1", self.partner).is_split_by_po = True
        # One line is sold below cost, one isn't billed on, one costs nothing.
        self.bill_parts(
            line("10", 1, SubPONumber="P1"),
            line("20", 2, SubPONumber="P2"),
            line("5", 3, SubPONumber="P1"),
            line("7", 5, SubPONumber="P2"),
        )
        first, second = self.sales
        self.assertEqual(self.get_margins(first.move_id), [(8, 2, 20), (6, -1, -20)])
        self.assertEqual(self.get_margins(second.move_id), [(15, 5, 25), (0, 0, 0)])
        expected = [("below_cost", 1), ("cost_without_sale", 1)]
        expected.append(("sale_without_cost", 7))
        self.assertEqual(self.get_findings(), expected)
        self.assertRecordValues(
            self.get_month(),
            [{"amount_sale": 42, "amount_cost": 30, "finding_count": 3}],
        )
        # It is another part's, and as it was.
        finding = self.env["copaco.finding"].search([("kind", "=", "below_cost")])
        finding.reason = "Agreed with the customer"
        finding.action_accept()
        self.simulator.invoices.clear()
        self.bill_parts(
            line("10", 1, SubPONumber="P2"),
            line("20", 2, SubPONumber="P2"),
            line("5", 3, SubPONumber="P1"),
            line("7", 5, SubPONumber="P2"),
        )
        self.assertEqual(
            sorted(self.get_pairs()),
            [
                ("cost", 0, 1),
                ("sale", 7, 0),
                ("sure", 5, 6),
                ("sure", 10, 8),
                ("sure", 20, 15),
            ],
        )
        self.assertEqual(self.get_findings(), expected[1:])
        self.assertEqual(self.get_findings("accepted"), expected[:1])

    def test_parts_without_row_hashes_are_likely_pairs(self):
        self.create_customer("A1", self.partner).is_split_by_po = True
        self.bill_parts(
            line("10", 1, SubPONumber="P1", InvoiceRowHash=""),
            line("20", 2, SubPONumber="P2", InvoiceRowHash=""),
            line("9", 3, SubPONumber="P2", InvoiceRowHash=""),
            line("2", 4, SubPONumber="P1", InvoiceRowHash=""),
        )
        self.assertEqual(
            sorted(self.get_pairs()),
            [("likely", 2, 1), ("likely", 9, 6), ("likely", 10, 8), ("likely", 20, 15)],
        )
        self.assertEqual(self.get_findings(), [])
