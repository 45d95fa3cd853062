from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged

from .common import price_line
from .test_bill import CopacoBillCommon

OCTOBER = date(2026, 10, 23)


def line(amount, number=1, **values):
    return price_line(
        amount,
        number=number,
        **{"InvoiceRowHash": f"row-{number}", "BillingFrequency": "Monthly", **values},
    )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMargin(CopacoBillCommon):
    """What Copaco bills beside what is billed on, line by line."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def bill(self, sales, costs, number="1"):
        """Let Copaco send both sides of a month, and fetch them."""
        if sales:
            self.add_known(f"S-{number}", lines=sales)
        if costs:
            self.add_purchase(f"P-{number}", {"A1": costs})
        self.fetch()
        self.run_crons()

    @property
    def margins(self):
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        return self.env["copaco.margin"].search(
            [("company_id", "=", self.company.id)], order="id"
        )

    def get_findings(self, state="open"):
        findings = self.env["copaco.finding"].search(
            [("connection_id", "=", self.connection.id), ("state", "=", state)]
        )
        return sorted(findings.mapped(lambda each: (each.kind, each.amount)))

    # === PAIRS === #

    def test_lines_of_both_sides_are_paired_by_row_hash(self):
        self.bill([line("10", 1), line("20", 2)], [line("8", 1), line("15", 2)])
        self.assertRecordValues(
            self.margins,
            [
                {"match": "sure", "sale": 10, "cost": 8, "margin": 2},
                {"match": "sure", "sale": 20, "cost": 15, "margin": 5},
            ],
        )
        self.assertEqual(self.margins.mapped("margin_percent"), [20, 25])
        self.assertEqual(self.get_findings(), [])

    def test_the_percent_of_many_is_that_of_their_sums(self):
        self.bill([line("10", 1), line("90", 2)], [line("5", 1), line("81", 2)])
        self.assertEqual(len(self.margins), 2)
        ((percent,),) = self.env["copaco.margin"]._read_group(
            [("company_id", "=", self.company.id)], [], ["margin_percent:avg"]
        )
        self.assertEqual(percent, 14)

    def test_without_a_hash_the_same_charge_is_likely(self):
        self.bill([line("10", InvoiceRowHash="")], [line("8")])
        self.assertRecordValues(
            self.margins, [{"match": "likely", "sale": 10, "cost": 8}]
        )
        self.assertEqual(self.get_findings(), [])

    def test_two_hashes_are_never_likely_the_same(self):
        self.bill([line("10", InvoiceRowHash="a")], [line("8", InvoiceRowHash="b")])
        self.assertEqual(self.margins.mapped("match"), ["sale", "cost"])

    def test_what_is_not_one_to_one_is_a_group_and_not_told_apart(self):
        self.bill(
            [line("10")],
            [line("4"), line("5", 2, InvoiceRowHash="row-1", Description="Rest")],
        )
        self.act(
            self.purchases.filtered(lambda each: each.state == "held"),
            "action_invoice_anyway",
        )
        self.assertRecordValues(
            self.margins,
            [{"match": "group", "sale": 10, "cost": 9, "cost_count": 2}],
        )
        sale = self.documents.filtered(lambda each: each.kind == "specification")
        self.assertEqual(sale.line_ids.cost, 0)

    def test_another_currency_is_converted_at_the_rate_of_its_date(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", usd.id)]).unlink()
        for day, rate in (("2026-01-01", 2), ("2026-11-24", 4)):
            self.env["res.currency.rate"].create(
                {
                    "currency_id": usd.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
            )
        self.add_known(lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("8")]}, Currency="USD")
        self.fetch()
        self.assertRecordValues(
            self.margins, [{"sale": 10, "cost": 4, "is_converted": True}]
        )

    def test_renumbered_lines_cost_once_where_only_the_margin_is_computed(self):
        self.connection.purchase_policy = "off"
        self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        self.add_purchase("P-2", {"A1": [line("8"), line("15", 2)]})
        self.fetch()
        first, second = self.purchases
        self.assertTrue(first.is_margin_only)
        self.assertRecordValues(
            second, [{"state": "excluded", "is_margin_only": False}]
        )
        self.assertIn("P-1", second.exclude_reason)
        self.assertEqual(self.margins.mapped("cost"), [8, 15])
        self.assertEqual(self.get_findings(), [])
        self.assertBalanced()

    def test_what_may_be_a_duplicate_is_asked_where_only_the_margin_is_computed(self):
        self.connection.purchase_policy = "off"
        self.bill([line("10"), line("20", 2)], [line("8")])
        both = [line("8"), line("15", 2)]
        self.add_purchase("P-2", {"A1": both, "A2": [line("3", 3)]})
        self.fetch()
        asked, other = self.purchases[1:]
        self.assertEqual(asked.hold_reason, "possible_double")
        self.assertTrue(other.is_margin_only, "each is a document of its own")
        self.act(asked, "action_invoice_new_lines")
        self.assertTrue(asked.is_margin_only)
        self.assertEqual(self.margins.mapped("cost"), [8, 15, 3])
        self.assertBalanced()

    def test_what_copaco_changes_counts_where_only_the_margin_is_computed(self):
        self.connection.purchase_policy = "off"
        self.bill([line("10")], [line("8")])
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("9")]})
        self.fetch()
        self.assertRecordValues(
            self.purchases, [{"state": "excluded", "is_margin_only": True}]
        )
        self.assertEqual(self.margins.mapped("cost"), [9])
        self.assertBalanced()

    def test_what_is_unreadable_is_told_where_only_the_margin_is_computed(self):
        self.connection.purchase_policy = "off"
        bad = line("1")
        del bad["ExtendedPrice"]
        self.add_purchase("P-1", {"A1": [line("8")], "A2": [bad]})
        self.fetch()
        self.assertEqual(
            self.purchases.mapped("hold_reason"), [False, "payload_invalid"]
        )
        self.assertEqual(self.purchases.mapped("is_margin_only"), [True, False])

    def test_a_bill_of_what_was_kept_for_the_margin_is_asked_about(self):
        self.connection.purchase_policy = "off"
        self.bill([], [line("8")])
        self.connection.purchase_policy = "create"
        self.add_purchase("P-2", {"A1": [line("8")]})
        self.fetch()
        self.assertEqual(self.purchases[1].hold_reason, "possible_double")

    # === ON LINES === #

    def test_an_invoice_line_has_its_cost_for_who_sees_documents_alone(self):
        self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        sale = self.documents.filtered(lambda each: each.kind == "specification")
        invoice_line = sale.move_id.invoice_line_ids[0]
        self.assertRecordValues(
            invoice_line,
            [{"copaco_cost": 8, "copaco_margin": 2, "copaco_margin_percent": 20}],
        )
        self.assertRecordValues(
            sale.line_ids[0], [{"cost": 8, "margin": 2, "margin_percent": 20}]
        )
        names = ["copaco_cost", "copaco_margin", "copaco_margin_percent"]
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        fields = self.env["account.move.line"].with_user(clerk).fields_get()
        self.assertFalse(set(names) & set(fields))
        fields = self.env["account.move.line"].fields_get(names)
        self.assertEqual({fields[name]["exportable"] for name in names}, {False})

    def test_the_margin_follows_what_copaco_changes(self):
        self.bill([line("10")], [line("8")])
        sale = self.documents.filtered(lambda each: each.kind == "specification")
        self.assertEqual(sale.line_ids.margin, 2)
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("9")]})
        self.fetch()
        sale.line_ids.invalidate_recordset()
        self.assertEqual(sale.line_ids.margin, 1)

    # === FINDINGS === #

    def test_each_fault_of_a_month_is_found_and_none_is_invented(self):
        self.connection.margin_threshold = 10
        sales = [
            line("10", 1),
            line("20", 2),
            line("30", 3),
            line("40", 4),
            line("50", 5, Quantity=5, UnitPrice="10"),
            line("60", 6),
        ]
        costs = [
            line("8", 1),
            line("21", 2),
            line("28", 3),
            line("30", 4),
            line("40", 5, Quantity=4, UnitPrice="10"),
            line("70", 7),
        ]
        self.bill(sales, costs)
        self.assertEqual(
            self.get_findings(),
            [
                ("below_cost", 1),
                ("cost_without_sale", 70),
                ("low_margin", 2),
                ("quantity_differs", 10),
                ("sale_without_cost", 60),
            ],
        )
        self.assertIn("Findings", self.connection.activity_ids.summary)

    def test_a_rule_has_a_threshold_of_its_own(self):
        self.connection.margin_threshold = 10
        self.env["copaco.rule"].create(
            [
                {"text_contains": "Service 1", "margin_threshold": 5},
                {"text_contains": "Service 2", "margin_threshold": 60},
                {"text_contains": "Service 3"},
            ]
        )
        sales = [line("100", number) for number in (1, 2, 3, 4)]
        costs = [
            line(cost, number)
            for number, cost in enumerate(("93", "50", "92", "91"), start=1)
        ]
        self.bill(sales, costs)
        self.assertEqual(
            self.get_findings(),
            [("low_margin", 8), ("low_margin", 9), ("low_margin", 50)],
        )

    def test_a_finding_is_named_in_words(self):
        self.connection.margin_threshold = 10
        self.bill([line("100")], [line("92")])
        finding = self.env["copaco.finding"].search([("kind", "=", "low_margin")])
        self.assertEqual(finding.display_name, "Margin below threshold")

    def test_the_rule_of_a_sale_that_is_not_invoiced_is_that_of_its_cost(self):
        self.connection.margin_threshold = 10
        self.env["copaco.rule"].create({"margin_threshold": 5})
        self.partner.ref = False
        self.bill([line("100")], [line("92")])
        self.assertEqual(self.get_findings(), [])

    def test_months_are_compared_with_the_month_and_the_year_before(self):
        for number, (created, cost) in enumerate(
            ((date(2025, 11, 24), "4"), (OCTOBER, "7"), (date(2026, 11, 23), "8"))
        ):
            values = {"created": created, "Date": created.strftime("%Y%m%d")}
            own = {"InvoiceRowHash": f"of-{number}", "SubscriptionID": f"{number}"}
            self.add_known(f"S-{number}", lines=[line("10", **own)], **values)
            self.add_purchase(f"P-{number}", {"A1": [line(cost, **own)]}, **values)
        self.connection.import_from = date(2025, 11, 1)
        self.bill([], [])
        figures = [
            f"{period}{name}:sum"
            for period in ("", "last_month_", "last_year_")
            for name in ("sale", "cost", "margin")
        ]
        november = self.env["copaco.margin.comparison"]._read_group(
            [("date", ">=", date(2026, 11, 1)), ("date", "<=", date(2026, 11, 30))],
            ["date:month"],
            [*figures, "margin_percent:avg"],
        )
        day = date(2026, 11, 1)
        self.assertEqual(november, [(day, 10, 8, 2, 10, 7, 3, 10, 4, 6, 20)])
        self.assertRecordValues(
            self.get_month(),
            [{"amount_margin": 2, "last_month_margin": 3, "last_year_margin": 6}],
        )

    def test_a_possible_duplicate_counts_with_its_new_lines_alone(self):
        self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        costs = [line("8"), line("3", 3)]
        self.add_purchase("P-2", {"A1": costs})
        self.fetch()
        self.run_crons()
        held = self.purchases.filtered(lambda each: each.state == "held")
        self.assertEqual(held.hold_reason, "possible_double")
        self.assertEqual(self.margins.mapped("cost"), [8, 15, 3])
        self.assertEqual(self.get_findings(), [("cost_without_sale", 3)])

    def test_pairs_that_stay_as_they_are_are_not_written_again(self):
        self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])

        def get_versions():
            self.env.cr.execute("SELECT id, xmin::text FROM copaco_margin")
            return dict(self.env.cr.fetchall())

        before = get_versions()
        self.assertEqual(len(self.margins), 2)
        self.assertEqual(get_versions(), before)
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("8"), line("16", 2)]})
        self.fetch()
        self.assertEqual(self.margins.mapped("margin"), [2, 4])
        changed = {key for key, value in get_versions().items() if before[key] != value}
        self.assertEqual(changed, {max(before)})

    def test_a_month_of_one_side_alone_has_no_findings(self):
        self.bill([line("10")], [])
        self.assertEqual(self.get_findings(), [])

    def test_what_changed_against_the_month_before_is_found(self):
        period = {"StartDate": "20260901", "EndDate": "20260930"}
        sub = {"InvoiceRowHash": "old", **period}
        self.add_known(
            "S-0", lines=[line("10", **sub)], created=OCTOBER, Date="20261023"
        )
        self.add_purchase(
            "P-0", {"A1": [line("8", **sub)]}, created=OCTOBER, Date="20261023"
        )
        self.connection.import_from = OCTOBER
        self.bill([line("11")], [line("8")])
        self.assertEqual(self.get_findings(), [("price_changed", 8)])

    def test_what_rounding_explains_is_no_change_of_a_price(self):
        period = {"StartDate": "20260901", "EndDate": "20260930"}
        # 14.0345 for one: 140.35 and 154.38 are 14.035 and 14.0345, rounded to cents.
        before = line("140.35", InvoiceRowHash="old", Quantity=10, **period)
        values = {"created": OCTOBER, "Date": "20261023"}
        self.add_known("S-0", lines=[before], **values)
        self.add_purchase("P-0", {"A1": [before]}, **values)
        self.connection.import_from = OCTOBER
        now = line("154.38", Quantity=11)
        self.bill([now], [now])
        self.assertEqual(self.get_findings(), [])

    def test_new_and_vanished_subscriptions_are_found(self):
        for number, created in (("0", OCTOBER), ("1", date(2026, 11, 23))):
            day = created.strftime("%Y%m%d")
            own = {"InvoiceRowHash": f"row-{number}"}
            customer = {
                "Subscriptions": [
                    {
                        "SubscriptionID": f"sub-{number}",
                        "PlanName": "Plan",
                        "PriceLines": [line("10", **own)],
                    }
                ]
            }
            self.add_invoice(
                f"S-{number}", "A1", [], created, Date=day, customer=customer
            )
            self.add_purchase(
                f"P-{number}", {"A1": []}, created, Date=day, customer=customer
            )
        self.connection.import_from = OCTOBER
        self.bill([], [])
        self.assertEqual(
            self.get_findings(), [("subscription_gone", 10), ("subscription_new", 10)]
        )

    def test_a_month_shows_both_sides_and_what_lies_between(self):
        self.bill([line("10"), line("20", 2)], [line("8"), line("15", 2)])
        month = self.env["copaco.month"].search(
            [("connection_id", "=", self.connection.id), ("date", "=", "2026-11-01")]
        )
        self.assertRecordValues(
            month, [{"amount_sale": 30, "amount_cost": 23, "amount_margin": 7}]
        )
        self.assertIn("30.00", month.reconciliation)
        self.assertIn("23.00", month.purchase_reconciliation)
        for action, count in (
            (month.action_view_margins(), 2),
            (month.action_view_findings(), 0),
            (month.action_view_purchases(), 2),
            (month.action_view_sales(), 2),
            (month.action_view_waiting(), 0),
            (month.action_view_excluded(), 0),
        ):
            found = self.env[action["res_model"]].search_count(action["domain"])
            self.assertEqual(found, count)

    def test_the_cost_of_an_excluded_customer_is_found(self):
        self.bill([line("10")], [line("8")])
        sale = self.documents.filtered(lambda each: each.kind == "specification")
        sale.move_id.unlink()
        self.act(sale, "action_exclude", "A gift")
        self.run_crons()
        self.assertEqual(self.get_findings(), [("customer_excluded", 8)])

    def test_a_cost_without_sale_of_an_excluded_customer_is_told_as_that(self):
        self.env["copaco.customer"].sudo().create(
            {"company_id": self.company.id, "account_ref": "A1", "state": "excluded"}
        )
        self.bill([line("10")], [line("8")])
        self.assertEqual(self.get_findings(), [("customer_excluded", 8)])

    def test_a_bill_that_is_not_what_its_lines_are_is_found(self):
        self.bill([line("10")], [line("8")])
        self.purchases.move_id.invoice_line_ids[0].price_unit = 9
        self.env["copaco.finding"].action_check()
        self.assertEqual(self.get_findings(), [("bill_differs", 1)])

    def test_what_was_accepted_stays_so_until_its_figures_change(self):
        self.bill([line("10")], [line("11")])
        finding = self.env["copaco.finding"].search(
            [("connection_id", "=", self.connection.id)]
        )
        finding = finding.with_user(self.billing_user)
        with self.assertRaises(UserError):
            finding.action_accept()
        with self.assertRaises(AccessError):
            finding.state = "solved"
        finding.reason = "Agreed with the customer"
        finding.action_accept()
        self.env["copaco.finding"].action_check()
        self.assertEqual(self.get_findings("accepted"), [("below_cost", 1)])
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("12")]})
        self.fetch()
        self.run_crons()
        self.assertEqual(self.get_findings(), [("below_cost", 2)])
        self.simulator.purchases.clear()
        self.add_purchase("P-1", {"A1": [line("7")]})
        self.fetch()
        self.run_crons()
        self.assertEqual(self.get_findings("solved"), [("below_cost", 2)])
