from decimal import Decimal

from odoo.tests import freeze_time, tagged

from ..client import parse_documents
from .common import copaco_invoice, price_line
from .properties import HealthCheck, Phase, examples, given, settings, st
from .simulator.encoding import dumps
from .varied import VariedCommon

TEXTS = ("line_section", "line_subsection", "line_note")
GROUPINGS = ("none", "category", "subscription", "consumer", "charge")
LAYOUT = {
    "section_by": st.sampled_from(GROUPINGS),
    "subsection_by": st.sampled_from(GROUPINGS),
    "line_order": st.sampled_from(["received", "copaco"]),
    "usage": st.sampled_from(["lines", "detail", "total"]),
    "zero_lines": st.sampled_from(["show", "total", "hide"]),
    "vendor_details": st.sampled_from(["text", "note", "none"]),
    "subscription_details": st.sampled_from(["printed", "all", "none"]),
    "has_number": st.booleans(),
    "line_text": st.sampled_from([False, "{plan}\n{vendor_details}", "Always this"]),
}
LINE = {
    "category": st.sampled_from(["Microsoft", "Acronis", None]),
    "subscription": st.sampled_from(["one", "two"]),
    "charge": st.sampled_from(["Usage Fee", "CycleFee", "Correction", "New Fee", ""]),
    "amount": st.sampled_from(
        ["0", "10", "12.345", "-3.335", "0.004", "7.77", "1234.5678"]
    ).map(Decimal),
    "quantity": st.sampled_from(["1", "3", "7", "0.25"]).map(Decimal),
    "details": st.sampled_from(["", "domain.example"]),
    "consumer": st.sampled_from([None, "Another company"]),
}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLayoutBooks(VariedCommon):
    """A layout touches no money: the same document books the same journal items,
    whatever its invoice looks like."""

    def setUp(self):
        super().setUp()
        self.seen = set()
        self.copaco_run = self.create_runs(self.connection)[:1]
        self.taxes = self.create_taxes()
        self.partner_values = self.create_partner_values(self.taxes)
        self.create_analytic_model()
        # Some lines have another tax and account.
        other = self._create_product(name="Other", taxes_id=self.taxes["two"])
        other.property_account_income_id = self.company_data[
            "default_account_revenue"
        ].copy()
        self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "plan_category": "Acronis",
                "product_id": other.id,
            }
        )

    def test_the_same_month_books_the_same_journal_items_in_every_layout(self):
        self.check_layouts()

    def test_headings_notes_and_totals_are_no_journal_items(self):
        line = {
            "category": "Microsoft",
            "subscription": "one",
            "charge": "Cycle Fee",
            "amount": Decimal("12.345"),
            "quantity": Decimal(3),
            "details": "domain.example",
            "consumer": None,
        }
        usage = {"charge": "Usage Fee", "amount": Decimal("0.004")}
        other = {"category": "Acronis", "amount": Decimal("-3.335")}
        lines = [line, line | usage, line | other, line | {"amount": Decimal(0)}]
        section = {"section_by": "category", "vendor_details": "note"}
        self.check(
            lines * 2,
            [
                section | {"subsection_by": "charge", "zero_lines": "hide"},
                section | {"usage": "total", "zero_lines": "total"},
                section | {"usage": "detail", "line_order": "copaco"},
            ],
            *("round_globally", "USD", "analytic"),
        )
        self.assertLessEqual(set(TEXTS), self.seen)

    @settings(
        max_examples=examples(3),
        # Each example takes a second or two.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        lines=st.lists(st.fixed_dictionaries(LINE), min_size=1, max_size=8),
        layouts=st.lists(st.fixed_dictionaries(LAYOUT), min_size=2, max_size=3),
        rounding=st.sampled_from(["round_per_line", "round_globally"]),
        currency=st.sampled_from(["EUR", "USD"]),
        partner=st.sampled_from(["plain", "analytic", "reverse charge"]),
    )
    def check_layouts(self, lines, layouts, rounding, currency, partner):
        self.check(lines, layouts, rounding, currency, partner)

    def check(self, lines, layouts, rounding, currency, partner):
        self.company.tax_calculation_rounding_method = rounding
        document = self.create_document(lines, currency, partner)
        expected = self.get_books(document)
        for values in layouts:
            layout = self.env["copaco.layout"].create({"name": "Any", **values})
            self.connection.layout_id = layout
            self.assertEqual(self.get_books(document), expected, values)
        self.connection.layout_id = False

    def get_books(self, document):
        """:return: the journal items of the invoice of a document, which is taken back,
        and what the reconciliation and Odoo say of it"""
        with self.undone():
            self.process(document)
            self.assertEqual(document.state, "invoiced", document.hold_message)
            move = document.move_id
            self.assertTrue(self.is_unedited_draft(document))
            self.seen |= set(move.line_ids.mapped("display_type"))
            edits = self.env["copaco.manual.edits"]
            before = self.read_items(move)
            # Once more, as when a draft is updated.
            self.env["copaco.draft.updater"]._update_draft(document)
            self.assertEqual(self.read_items(move), before)
            self.assertFalse(edits._get_edits(document).has_edits)
            self.assertFalse(edits._get_edits(document).is_reordered)
            if move.amount_total >= 0:
                move._post(soft=False)
            printed = move._get_move_lines_to_report()
            self.assertEqual(
                move.currency_id.round(
                    sum(
                        line.get_section_subtotal()
                        for line in printed
                        if line.display_type == "line_section"
                    )
                    + sum(
                        line.price_subtotal
                        for line in move.invoice_line_ids
                        if not line.parent_id
                    )
                ),
                move.amount_untaxed,
            )
            return self.read_items(move)

    def read_items(self, move):
        """:return: list of all that is booked, by kind in the order in which it was
        created"""
        self.env.invalidate_all()
        return [
            (
                line.display_type,
                line.account_id.id,
                line.product_id.id,
                line.quantity,
                line.price_unit,
                line.balance,
                line.amount_currency,
                line.tax_ids.ids,
                line.tax_tag_ids.ids,
                line.tax_line_id.id,
                line.tax_base_amount,
                str(line.analytic_distribution),
                sorted(line.analytic_line_ids.mapped("amount")),
                str(line.date_maturity),
                line.partner_id.id,
                line.copaco_line_id.id,
                line.copaco_is_rounding,
            )
            for line in move.line_ids.sorted(lambda line: (line.display_type, line.id))
            if line.display_type not in TEXTS
        ]

    def create_document(self, lines, currency, partner):
        number = next(self.numbers)
        customer = self.create_customer(
            f"A{number}", self.create_partner(**self.partner_values[partner])
        )
        invoice = copaco_invoice(
            f"INV-{number}", customer.account_ref, [], Currency=currency
        )
        subscriptions = {}
        for place, line in enumerate(lines, start=1):
            key = line["category"], line["subscription"]
            subscriptions.setdefault(key, []).append(
                price_line(
                    line["amount"],
                    number=place,
                    Quantity=line["quantity"],
                    UnitPrice=line["amount"] / line["quantity"],
                    ChargeType=line["charge"],
                    VendorDetails=line["details"],
                    ConsumerCompanyName=line["consumer"],
                    InvoiceRowHash=f"{number}-{place}",
                )
            )
        invoice["Customers"][0]["Subscriptions"] = [
            {
                "SubscriptionID": f"{category}-{name}-{number}",
                "SubscriptionName": name,
                "PlanName": f"Plan {name}",
                "PlanCategoryName": category,
                "PriceLines": own,
            }
            for (category, name), own in subscriptions.items()
        ]
        (source,) = parse_documents(dumps({"Invoices": [invoice]})).documents
        builder = self.env["copaco.document.builder"].sudo()
        vals = builder._prepare_document_values(
            source,
            self.copaco_run,
            {customer.account_ref: customer},
            builder._get_currency(source.currency),
        )
        return self.env["copaco.document"].sudo().create(vals)
