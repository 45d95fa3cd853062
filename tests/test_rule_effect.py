from odoo.tests import Form, freeze_time, tagged

from .common import price_line
from .rules import RulesCommon
from .test_bill import CopacoBillCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRuleEffect(RulesCommon):
    """What a rule does to the lines of the last three months, before it is saved."""

    def setUp(self):
        super().setUp()
        self.general = self.add_rule(plan_category="Microsoft", sequence=50)
        self.document = self.book(
            self.subscription("M365", "1.00", "2.00", PlanCategoryName="Microsoft"),
            self.subscription("other", "4.00"),
        )

    def test_a_rule_says_how_many_lines_it_catches(self):
        self.assertEqual(self.general.line_count, 2)

    def test_what_is_shown_before_saving_is_what_an_import_does_after(self):
        product = self.add_product("Microsoft 365")
        with Form(self.env["copaco.rule"]) as form:
            form.plan_ref = "M365"
            form.product_id = product
            form.sequence = 5
            effect = form.effect
        rule = form.record
        for text in ("catches: <strong>2</strong>", "Microsoft 365"):
            self.assertIn(text, effect)
        self.assertIn("copaco_rule_changed", effect)
        self.assertNotIn("copaco_rule_changed", rule.effect, "it is saved")
        self.assertIn(self.general.display_name, rule.effect)
        self.assertEqual((rule.line_count, self.general.line_count), (2, 0))
        self.assertFalse(self.document.line_ids.rule_id & rule, "nothing was changed")
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(self.document.line_ids.mapped("rule_id"), rule)
        self.assertEqual(
            self.document.move_id.invoice_line_ids.product_id, product | self.product
        )

    def test_a_change_of_what_lines_become_is_shown_too(self):
        product = self.add_product("Azure")
        with Form(self.general) as form:
            form.product_id = product
            self.assertIn("Azure", form.effect)
            self.assertIn("copaco_rule_changed", form.effect)

    def test_only_the_drafts_that_a_rule_concerns_are_processed_again(self):
        posted = self.document
        posted.move_id.action_post()
        concerned = self.book(self.subscription("M365", "8.00"), number="INV-2")
        another = self.book(self.subscription("other", "8.00"), number="INV-3")
        rule = self.add_rule(plan_ref="M365", sequence=1)
        effect = self.env["copaco.rule.effect"]
        self.assertEqual(effect._get_documents(rule), concerned)
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        self.assertEqual(concerned.line_ids.rule_id, rule)
        self.assertFalse(another.line_ids.rule_id)
        rule.active = False
        self.assertEqual(effect._get_documents(rule), concerned, "it was its rule")
        result = self.general.browse().action_process_drafts()
        self.assertIn("No draft invoice", result["params"]["message"])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRuleEffectOnBills(CopacoBillCommon):
    def test_a_draft_bill_is_processed_again_too(self):
        self.add_purchase("P-1", {"A1": [price_line("8.00")]})
        self.fetch()
        account = self.company_data["default_account_expense"].copy()
        rule = self.env["copaco.rule"].create(
            {
                "company_id": self.company.id,
                "plan_ref": "plan",
                "expense_account_id": account.id,
            }
        )
        with self.committing(rule) as committing:
            committing.action_process_drafts()
        bill = self.purchases.move_id
        self.assertRecordValues(
            bill.invoice_line_ids, [{"account_id": account.id, "price_subtotal": 8.0}]
        )
        self.assertEqual(self.purchases.line_ids.rule_id, rule)
