from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .rules import RulesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRulesUnmatched(RulesCommon):
    """A line without a rule is the connection's product, or holds its document."""

    def setUp(self):
        super().setUp()
        self.connection.unmatched_policy = "hold"

    def test_a_line_without_a_rule_holds_its_document_and_names_the_plan(self):
        self.add_rule(plan_ref="M365")
        document = self.book(
            self.subscription("M365", "10.00"), self.subscription("VOIP", "5.00")
        )
        self.assertRecordValues(
            document,
            [{"state": "held", "hold_reason": "product_missing", "move_id": False}],
        )
        self.assertIn("Plan VOIP", document.hold_message)
        self.assertNotIn("M365", document.hold_message)
        plans = self.env["copaco.plan"].search(document.action_view_plans()["domain"])
        self.assertEqual(
            [(plan.plan_ref, plan.is_mapped) for plan in plans],
            [("M365", False), ("VOIP", False)],
        )

    def test_once_the_plan_has_a_product_it_is_invoiced(self):
        product = self.add_product("Telecom")
        document = self.book(self.subscription("VOIP", "5.00"))
        plan = self.env["copaco.plan"].search([("plan_ref", "=", "VOIP")])
        plan.product_id = product
        with self.committing(plan) as committing:
            committing.action_process_drafts()
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.invoice_line_ids.product_id, product)

    def test_a_rule_from_the_line_catches_what_has_no_plan(self):
        document = self.book(
            self.subscription("", "5.00", PlanName="Domain", line={"Description": "x"})
        )
        self.assertEqual(document.hold_reason, "product_missing")
        action = document.line_ids.action_create_rule()
        rule = self.env["copaco.rule"].with_context(**action["context"]).create({})
        self.assertRecordValues(rule, [{"plan_ref": False, "text_contains": "Domain"}])
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(document.line_ids.rule_id, rule)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPlans(RulesCommon):
    """Plans: every plan ever seen, and the product that is filled in for it."""

    def get_plans(self):
        plans = self.env["copaco.plan"].search([("company_id", "=", self.company.id)])
        return {plan.plan_ref: plan for plan in plans}

    def test_the_list_says_what_each_plan_is_and_unmapped_ones_come_first(self):
        self.create_partner(name="Slager", ref="K-2")
        product = self.add_product("Microsoft 365")
        self.add_rule(plan_ref="M365", product_id=product.id)
        self.book(
            self.subscription("M365", "10.00", "5.00", PlanCategoryName="Microsoft"),
            self.subscription("small", "1.00"),
        )
        self.book(
            self.subscription("M365", "2.00", PlanName="Renamed"),
            self.subscription("large", "99.00"),
            number="INV-2",
            account="A2",
            customer_number="K-2",
        )
        plans = self.get_plans()
        self.assertEqual([*plans], ["large", "small", "M365"])
        self.assertRecordValues(
            plans["M365"],
            [
                {
                    "name": "Renamed",
                    "plan_category": "Microsoft",
                    "customer_count": 2,
                    "line_count": 3,
                    "amount": 17,
                    "product_id": product.id,
                    "used_product_ids": product.ids,
                }
            ],
        )

    def test_a_product_that_is_filled_in_makes_or_changes_a_rule(self):
        document = self.book(
            self.subscription("M365", "10.00"), self.subscription("other", "10.00")
        )
        products = [self.add_product(name) for name in ("One", "Two")]
        for product in products:
            self.get_plans()["M365"].web_save({"product_id": product.id}, {})
            rule = self.env["copaco.rule"].search([("plan_ref", "=", "M365")])
            self.assertEqual(rule.product_id, product)
            self.assertEqual(self.get_plans()["M365"].product_id, product)
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(
            document.move_id.invoice_line_ids.product_id, products[1] | self.product
        )
        self.get_plans()["M365"].product_id = False
        self.assertFalse(rule.product_id)

    def test_a_plans_rule_comes_before_general_ones_and_after_customers(self):
        document = self.book(self.subscription("M365", "10.00"))
        general = self.add_rule(text_contains="plan", sequence=7)
        special = self.add_rule(customer_id=document.customer_id.id, sequence=3)
        product = self.add_product("Microsoft 365")
        self.get_plans()["M365"].product_id = product
        rules = self.env["copaco.rule.engine"]._get_rules(self.company)
        self.assertEqual(rules.mapped("plan_ref"), [False, "M365", False])
        self.assertEqual((rules[0], rules[2]), (special, general))

    def test_a_shared_rule_is_not_changed_for_other_companies(self):
        shared = self.add_rule(company_id=False, plan_ref="M365")
        self.book(self.subscription("M365", "10.00"))
        product = self.add_product("Microsoft 365")
        plan = self.get_plans()["M365"]
        self.assertEqual(plan.rule_id, shared)
        plan.product_id = product
        self.assertFalse(shared.product_id)
        plan = self.get_plans()["M365"]
        self.assertEqual(plan.product_id, product)
        self.assertEqual(plan.rule_id.company_id, self.company)

    def test_a_product_of_the_same_reference_barcode_or_name_is_suggested(self):
        self.book(
            self.subscription("REF", "1.00"),
            self.subscription("BAR", "2.00"),
            self.subscription("X", "3.00", PlanName="By name"),
            self.subscription("Y", "4.00", PlanName="Twice"),
        )
        by_ref = self.add_product("a", default_code="REF")
        by_barcode = self.add_product("b", barcode="BAR")
        by_name = self.add_product("By name")
        for _number in range(2):
            self.add_product("Twice")
        plans = self.get_plans()
        suggestions = {ref: plan.suggested_product_id for ref, plan in plans.items()}
        self.assertEqual(
            suggestions,
            {
                "REF": by_ref,
                "BAR": by_barcode,
                "X": by_name,
                "Y": self.env["product.product"],
            },
        )
        self.env["copaco.plan"].union(*plans.values()).action_accept()
        self.assertEqual(
            {ref: plan.product_id for ref, plan in self.get_plans().items()},
            suggestions,
        )

    def test_nothing_else_of_a_plan_can_be_written(self):
        self.book(self.subscription("M365", "10.00"))
        with self.assertRaises(UserError):
            self.get_plans()["M365"].write({"name": "Another"})
        with self.assertRaises(AccessError):
            self.get_plans()["M365"].with_user(self.billing_user).product_id = False
