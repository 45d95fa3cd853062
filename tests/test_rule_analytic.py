from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import price_line
from .rules import RulesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRulesAnalytic(RulesCommon):
    """Analytic distribution: a rule's, else the customer's, else Odoo's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls.env["account.analytic.plan"].create({"name": "Department"})
        cls.cloud, cls.sales, cls.third = cls.env["account.analytic.account"].create(
            [
                {"name": name, "code": name, "plan_id": plan.id}
                for name in ("Cloud", "Sales", "Third")
            ]
        )
        cls.plan = plan

    def get_distributions(self, document):
        lines = document.move_id.invoice_line_ids
        return [line.analytic_distribution for line in lines]

    def test_a_rule_comes_before_the_customer_and_the_customer_before_odoo(self):
        self.env["account.analytic.distribution.model"].create(
            {
                "partner_id": self.partner.id,
                "analytic_distribution": {self.third.id: 100},
            }
        )
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        subscriptions = (
            self.subscription("M365", "10.00"),
            self.subscription("other", "10.00"),
        )
        document = self.book(*subscriptions)
        self.assertEqual(
            self.get_distributions(document),
            [{str(self.cloud.id): 100}, {str(self.third.id): 100}],
        )
        customer = document.customer_id.with_user(self.billing_user)
        customer.analytic_distribution = {str(self.sales.id): 100}
        document = self.book_next()
        self.assertEqual(
            self.get_distributions(document),
            [{str(self.cloud.id): 100}, {str(self.sales.id): 100}],
        )

    def book_next(self):
        return self.book(
            self.subscription("M365", "11.00"),
            self.subscription("other", "11.00"),
            number="INV-2",
        )

    def add_region(self):
        """Another plan, of which a distribution model of Odoo's says what the partner
        has, and no other model.

        :return: its account
        """
        plan = self.env["account.analytic.plan"].create({"name": "Region"})
        north, south = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("North", "South")]
        )
        self.env["account.analytic.distribution.model"].create(
            [
                {
                    "partner_id": self.partner.id,
                    "analytic_distribution": {account.id: 100},
                }
                for account in (self.third, north)
            ]
        )
        self.south = south
        return north

    def rebook(self, *subscriptions):
        self.simulator.invoices.clear()
        return self.book(*subscriptions)

    def test_odoos_models_add_the_plans_of_which_a_rule_says_nothing(self):
        north = self.add_region()
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        document = self.book(
            self.subscription("M365", "10.00"), self.subscription("other", "10.00")
        )
        expected = [
            {str(self.cloud.id): 100, str(north.id): 100},
            {str(self.third.id): 100, str(north.id): 100},
        ]
        self.assertEqual(self.get_distributions(document), expected)
        line = document.move_id.invoice_line_ids[0]
        line.account_id = line.account_id.copy()
        self.assertEqual(self.get_distributions(document), expected)

    def test_a_customer_adds_the_plans_of_which_a_rule_says_nothing(self):
        self.add_region()
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        document = self.book(self.subscription("M365", "10.00"))
        document.customer_id.analytic_distribution = {str(self.south.id): 100}
        document = self.book_next()
        self.assertEqual(
            self.get_distributions(document),
            [
                {str(self.cloud.id): 100, str(self.south.id): 100},
                {str(self.south.id): 100, str(self.third.id): 100},
            ],
        )

    def test_a_rule_of_one_plan_leaves_a_mandatory_one_to_odoos_models(self):
        north = self.add_region()
        north.plan_id.applicability_ids = [
            Command.create({"business_domain": "invoice", "applicability": "mandatory"})
        ]
        self.connection.invoice_policy = "post"
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.move_id.state, "posted", document.hold_message)
        accounts = document.move_id.invoice_line_ids.analytic_line_ids.mapped(
            north.plan_id._column_name()
        )
        self.assertEqual(accounts, north)

    def test_an_updated_draft_and_a_correction_keep_both_plans(self):
        north = self.add_region()
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        both = {str(self.cloud.id): 100, str(north.id): 100}
        one, two, three = (
            self.subscription("M365", amount) for amount in ("10.00", "5.00", "7.00")
        )
        document = self.book(one)
        self.rebook(one, two)
        self.assertEqual(self.get_distributions(document), [both, both])
        document.move_id.action_post()
        self.rebook(one, two, three)
        with self.committing(document.with_user(self.billing_user)) as committing:
            result = committing.action_correct()
        correction = self.env["account.move"].browse(result["res_id"])
        self.assertEqual(correction.invoice_line_ids.analytic_distribution, both)

    def test_a_mandatory_plan_is_asked_for_when_no_rule_says_it(self):
        self.plan.applicability_ids = [
            Command.create({"business_domain": "invoice", "applicability": "mandatory"})
        ]
        self.add_rule(plan_ref="M365", analytic_distribution={str(self.cloud.id): 100})
        whole = self.book(self.subscription("M365", "10.00"))
        part = self.book(self.subscription("other", "10.00"), number="INV-2")
        whole.move_id.with_context(validate_analytic=True).action_post()
        with self.assertRaises(UserError):
            part.move_id.with_context(validate_analytic=True).action_post()

    def test_an_account_that_is_gone_holds_what_a_rule_distributes_to_it(self):
        """Odoo would distribute the rest, and nobody would see it."""
        rule = self.add_rule(plan_ref="M365")
        subscriptions = (
            self.subscription("M365", "10.00"),
            self.subscription("other", "10.00"),
        )
        for gone in ("unlink", "action_archive"):
            for distribution in (
                {str(self.third.id): 100},
                {str(self.third.id): 60, str(self.cloud.id): 40},
                {f"{self.cloud.id},{self.third.id}": 100},
            ):
                with self.subTest(gone=gone, distribution=distribution), self.undone():
                    self.simulator.invoices.clear()
                    rule.analytic_distribution = distribution
                    getattr(self.third, gone)()
                    document = self.book(*subscriptions)
                    self.assertEqual(document.state, "held")
                    self.assertEqual(document.hold_reason, "account_missing")
                    self.assertIn(rule.display_name, document.hold_message)
                    self.assertIn("analytic", document.hold_message)
                    rule.analytic_distribution = {str(self.cloud.id): 100}
                    self.act(rule, "action_process_drafts")
                    self.assertEqual(document.state, "invoiced")
                    self.assertEqual(
                        self.get_distributions(document),
                        [{str(self.cloud.id): 100}, False],
                    )

    def test_an_account_that_is_gone_holds_what_a_customer_distributes_to_it(self):
        document = self.book(self.subscription("other", "10.00"))
        customer = document.customer_id
        for gone in ("unlink", "action_archive"):
            with self.subTest(gone=gone), self.undone():
                self.simulator.invoices.clear()
                customer.analytic_distribution = {
                    str(self.third.id): 60,
                    str(self.cloud.id): 40,
                }
                getattr(self.third, gone)()
                held = self.book_next()
                self.assertEqual(held.hold_reason, "account_missing")
                self.assertIn(customer.display_name, held.hold_message)
                customer.analytic_distribution = {str(self.cloud.id): 100}
                self.act(held, "action_retry")
                self.assertEqual(
                    self.get_distributions(held), [{str(self.cloud.id): 100}] * 2
                )

    def test_an_account_that_is_gone_matters_only_where_it_is_distributed_to(self):
        rule = self.add_rule(
            plan_ref="else", analytic_distribution={str(self.third.id): 100}
        )
        self.third.unlink()
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.state, "invoiced")
        self.assertIn("Plan ID", rule._describe())

    def test_the_account_of_the_cost_centre_is_proposed(self):
        self.add_invoice(
            "INV-1",
            "A1",
            [price_line("10.00")],
            customer={"CustomerNumber": "K-1", "CostCenter": "Sales"},
        )
        self.fetch()
        customer = self.documents.customer_id.with_user(self.env.user)
        self.env.user.group_ids += self.env.ref("analytic.group_analytic_accounting")
        self.assertEqual(customer.suggested_analytic_account_id, self.sales)
        customer.action_accept_analytic_account()
        self.assertEqual(customer.analytic_distribution, {str(self.sales.id): 100})
        self.assertFalse(customer.suggested_analytic_account_id)

    def test_the_account_of_the_po_number_is_proposed(self):
        document = self.book(
            self.subscription("M365", "10.00", SubscriptionPONumber="Cloud")
        )
        customer = document.customer_id
        self.assertEqual(customer.suggested_analytic_account_id, self.cloud)
        self.book(
            self.subscription("M365", "10.00", SubscriptionPONumber="Third"),
            number="INV-2",
        )
        customer.invalidate_recordset()
        self.assertFalse(customer.suggested_analytic_account_id, "two would fit")
