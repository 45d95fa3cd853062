from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import SQL, mute_logger

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
        action = document.with_user(self.billing_user).action_view_plans()
        self.assertEqual(action["res_model"], "copaco.document.line")
        self.assertEqual(action["res_id"], document.line_ids.id)
        action = document.line_ids.action_create_rule()
        rule = self.env["copaco.rule"].with_context(**action["context"]).create({})
        self.assertRecordValues(rule, [{"plan_ref": False, "text_contains": "Domain"}])
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(document.line_ids.rule_id, rule)

    def test_a_rule_from_a_line_catches_it_whatever_caught_it_before(self):
        document = self.book(
            self.subscription("M365", "5.00"),
            self.subscription("", "5.00", PlanName="Domain"),
        )
        Rule = self.env["copaco.rule"]
        self.add_rule(text_contains="plan", sequence=2)
        self.add_rule(text_contains="domain", sequence=1)
        self.add_rule(customer_id=document.customer_id.id, sequence=0)
        for line in document.line_ids:
            for _time in range(2):
                action = line.action_create_rule()
                rule = Rule.with_context(**action["context"]).create({})
                self.process_again(document)
                self.assertEqual(line.rule_id, rule)
                self.assertEqual(rule.customer_id, document.customer_id)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                rule.unlink()
        rule.active = False
        self.assertEqual(line.rule_id, rule, "it is known what decided")


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

    def test_a_product_that_is_filled_in_is_what_the_lines_become(self):
        """Though a rule for many plans was put before that of the plan."""
        document = self.book(self.subscription("M365", "10.00"))
        first, second, other = (
            self.add_product(name) for name in ("One", "Two", "Other")
        )
        self.get_plans()["M365"].product_id = first
        self.add_rule(text_contains="plan", sequence=1, product_id=other.id)
        self.assertEqual(self.get_plans()["M365"].used_product_ids, other)
        self.get_plans()["M365"].product_id = second
        plan = self.get_plans()["M365"]
        self.assertEqual(plan.used_product_ids, second)
        self.process_again(document)
        self.assertEqual(document.line_ids.product_id, second)
        sequence = plan.rule_id.sequence
        plan.product_id = first
        self.assertEqual(plan.rule_id.sequence, sequence, "it is before the others")

    def test_what_is_processed_again_has_lines_of_the_plans_that_are_ticked(self):
        documents = [
            self.book(self.subscription(plan, "10.00"), number=plan)
            for plan in ("M365", "VOIP")
        ]
        product = self.add_product("One")
        rule = self.add_rule(product_id=product.id)
        with self.committing(self.get_plans()["VOIP"]) as committing:
            committing.action_process_drafts()
        self.assertEqual(documents[1].line_ids.rule_id, rule)
        self.assertFalse(documents[0].line_ids.rule_id)
        with self.committing(self.env["copaco.plan"]) as committing:
            committing.action_process_drafts()
        self.assertEqual(documents[0].line_ids.rule_id, rule)

    def test_a_plan_without_a_product_is_as_if_it_had_no_rule(self):
        self.connection.unmatched_policy = "hold"
        document = self.book(self.subscription("M365", "10.00"))
        product = self.add_product("One")
        self.get_plans()["M365"].product_id = product
        rule = self.get_plans()["M365"].rule_id
        self.get_plans()["M365"].product_id = False
        self.process_again(document)
        self.assertEqual(document.hold_reason, "product_missing")
        rule.write({"active": True, "product_id": product.id, "tax_ids": self.tax.ids})
        self.get_plans()["M365"].product_id = False
        self.process_again(document)
        self.assertEqual(document.line_ids.rule_id, rule, "it says the taxes")

    def test_lines_that_are_not_billed_are_not_in_the_amount(self):
        document = self.book(self.subscription("M365", "10.00", "4.00"))
        document.sudo().line_ids[1].is_excluded = True
        self.env.flush_all()
        self.assertEqual(self.get_plans()["M365"].amount, 10)

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

    def test_the_product_of_a_shared_rule_is_not_taken_off_for_one_company(self):
        product = self.add_product("Microsoft 365")
        self.add_rule(company_id=False, plan_ref="M365", product_id=product.id)
        self.book(self.subscription("M365", "10.00"))
        with self.assertRaisesRegex(UserError, "M365"):
            self.get_plans()["M365"].product_id = False

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
        result = self.env["copaco.plan"].union(*plans.values()).action_accept()
        self.assertIn(f"suggested: {plans['Y'].name}.", result["params"]["message"])
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

    def test_who_works_for_a_branch_gives_its_plans_products(self):
        self.add_rule(plan_ref="M365")
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "country_id": self.nl.id}
        )
        self.book(self.subscription("M365", "10.00"))
        self.env.flush_all()
        for table in ("copaco_document", "copaco_document_line", "copaco_customer"):
            # Copaco's documents of a branch come by a connection of its own.
            self.env.cr.execute(
                SQL("UPDATE %s SET company_id = %s", SQL.identifier(table), branch.id)
            )
        self.env.invalidate_all()
        manager = new_test_user(
            self.env,
            "branch",
            groups="base.group_user,account.group_account_manager",
            company_id=branch.id,
            company_ids=[(6, 0, branch.ids)],
        )
        product = self.add_product("Microsoft 365")
        plan = self.env["copaco.plan"].with_user(manager).search([])
        self.assertEqual(plan.rule_id.display_name, "Plan ID: M365")
        plan.product_id = product
        self.assertEqual(plan.rule_id.company_id, branch)
        self.assertEqual(plan.used_product_ids.with_env(self.env), product)
