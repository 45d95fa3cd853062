from itertools import count

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .common import CopacoCommon, price_line


class RulesCommon(CopacoCommon):
    """One customer with a contact, and subscriptions of several plans."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = count(1)

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def add_rule(self, **values):
        return self.env["copaco.rule"].create({"company_id": self.company.id, **values})

    def add_product(self, name, **values):
        return self._create_product(name=name, **{"taxes_id": self.tax, **values})

    def subscription(self, plan, *amounts, line=None, **values):
        """:return: a subscription as Copaco sends it, with a line for each amount

        :param line: dict of keys of its lines
        """
        numbers = [next(self.numbers) for _amount in amounts]
        return {
            "SubscriptionID": f"subscription-{plan}-{numbers[0]}",
            "SubscriptionName": f"Subscription {plan}",
            "PlanID": plan,
            "PlanName": f"Plan {plan}",
            "PriceLines": [
                price_line(
                    amount,
                    number=number,
                    **{"InvoiceRowHash": f"r-{number}"},
                    **line or {},
                )
                for number, amount in zip(numbers, amounts, strict=True)
            ],
            **values,
        }

    def book(self, *subscriptions, number="INV-1", account="A1", customer_number="K-1"):
        """Fetch an invoice with these subscriptions.

        :return: the document
        """
        self.add_invoice(
            number,
            account,
            [],
            customer={
                "CustomerNumber": customer_number,
                "Subscriptions": list(subscriptions),
            },
        )
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def process_again(self, documents):
        documents.sudo().state = "new"
        self.process(documents)
        self.env.flush_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestRules(RulesCommon):
    """Each line its own product, account, taxes and analytic distribution."""

    def test_a_rule_of_a_plan_chooses_the_product(self):
        product = self.add_product("Microsoft 365")
        rule = self.add_rule(plan_ref="M365", product_id=product.id)
        document = self.book(
            self.subscription("M365", "10.00"), self.subscription("other", "5.00")
        )
        self.assertEqual(
            document.move_id.invoice_line_ids.mapped("product_id.name"),
            ["Microsoft 365", "Cloud"],
        )
        self.assertRecordValues(
            document.line_ids,
            [
                {"rule_id": rule.id, "product_id": product.id},
                {"rule_id": False, "product_id": self.product.id},
            ],
        )

    def test_without_rules_all_lines_are_the_connections_product(self):
        document = self.book(self.subscription("M365", "10.00", "5.00"))
        self.assertEqual(document.move_id.invoice_line_ids.product_id, self.product)
        self.assertFalse(document.line_ids.rule_id)

    def test_each_condition_has_to_be_met(self):
        subscription = {
            "plan_ref": "M365",
            "plan_category": "Microsoft Modern Work",
            "text_contains": "business*premium",
            "charge_type": "cycle fee",
            "billing_frequency": "month-ly",
            "connection_id": self.connection.id,
        }
        others = {
            "plan_ref": "M36",
            "plan_category": "Microsoft",
            "text_contains": "premium*business",
            "charge_type": "Cycle",
            "billing_frequency": "Yearly",
            "connection_id": self._create_connection(name="Other").id,
        }
        product = self.add_product("Rule")
        rule = self.add_rule(product_id=product.id, **subscription)
        document = self.book(
            self.subscription(
                "M365",
                "10.00",
                PlanName="Microsoft 365 Business Yearly Premium",
                PlanCategoryName="microsoft  Modern-work",
                line={"ChargeType": "CycleFee", "BillingFrequency": "Monthly"},
            )
        )
        self.assertEqual(document.line_ids.rule_id, rule)
        for name, value in others.items():
            with self.subTest(name=name), self.undone():
                rule[name] = value
                self.process_again(document)
                self.assertFalse(document.line_ids.rule_id)
                self.assertEqual(document.line_ids.product_id, self.product)
        rule.write(dict.fromkeys(subscription, False))
        self.process_again(document)
        self.assertEqual(document.line_ids.rule_id, rule)

    def test_a_customers_rule_is_for_that_customer_alone(self):
        self.create_partner(name="Slager", ref="K-2")
        first = self.book(self.subscription("M365", "10.00"))
        product = self.add_product("Bakkerij's own")
        self.add_rule(product_id=product.id, customer_id=first.customer_id.id)
        own = self.book(self.subscription("M365", "10.00"), number="INV-2")
        other = self.book(
            self.subscription("M365", "10.00"),
            number="INV-3",
            account="A2",
            customer_number="K-2",
        )
        self.assertEqual(own.move_id.invoice_line_ids.product_id, product)
        self.assertEqual(other.move_id.invoice_line_ids.product_id, self.product)

    def test_the_first_rule_wins_whatever_others_say(self):
        products = [self.add_product(name) for name in ("first", "second")]
        second, first = (
            self.add_rule(sequence=sequence, product_id=product.id, **conditions)
            for sequence, product, conditions in (
                (20, products[1], {"plan_ref": "M365"}),
                (5, products[0], {"text_contains": "subscription"}),
            )
        )
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.line_ids.rule_id, first)
        first.active = False
        self.process_again(document)
        self.assertEqual(document.line_ids.rule_id, second)
        self.assertEqual(document.move_id.invoice_line_ids.product_id, products[1])

    def test_a_rule_of_another_company_does_nothing(self):
        other = self.setup_other_company()["company"]
        self.add_rule(company_id=other.id)
        shared = self.add_rule(company_id=False, sequence=99)
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.line_ids.rule_id, shared)

    def test_a_rule_of_the_parent_company_is_for_its_branches_too(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "country_id": self.nl.id}
        )
        rule = self.add_rule(plan_ref="M365")
        engine = self.env["copaco.rule.engine"]
        self.assertIn(rule, engine._get_rules(branch))

    def test_account_and_taxes_of_a_rule_go_through_the_fiscal_position(self):
        revenue = self.company_data["default_account_revenue"]
        telecom, reversed_account = revenue.copy(), revenue.copy()
        nine, reverse = self.percent_tax(9), self.percent_tax(0)
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Reverse charge",
                "account_ids": [
                    Command.create(
                        {
                            "account_src_id": telecom.id,
                            "account_dest_id": reversed_account.id,
                        }
                    )
                ],
            }
        )
        reverse.write(
            {"fiscal_position_ids": position.ids, "original_tax_ids": nine.ids}
        )
        self.add_rule(plan_ref="VOIP", account_id=telecom.id, tax_ids=nine.ids)
        lines = self.book(
            self.subscription("VOIP", "10.00"), self.subscription("M365", "10.00")
        ).move_id.invoice_line_ids
        self.assertRecordValues(
            lines,
            [
                {"account_id": telecom.id, "tax_ids": nine.ids},
                {"account_id": revenue.id, "tax_ids": self.tax.ids},
            ],
        )
        self.partner.property_account_position_id = position
        (line,) = self.book(
            self.subscription("VOIP", "10.00"), number="INV-2"
        ).move_id.invoice_line_ids
        self.assertRecordValues(
            line, [{"account_id": reversed_account.id, "tax_ids": reverse.ids}]
        )

    def test_a_rules_own_product_brings_its_account_and_taxes(self):
        account = self.company_data["default_account_revenue"].copy()
        nine = self.percent_tax(9)
        product = self.add_product(
            "Telecom", taxes_id=nine, property_account_income_id=account.id
        )
        self.add_rule(plan_ref="VOIP", product_id=product.id)
        (line,) = self.book(self.subscription("VOIP", "10.00")).move_id.invoice_line_ids
        self.assertRecordValues(line, [{"account_id": account.id, "tax_ids": nine.ids}])

    def test_what_a_rule_cannot_book_is_held(self):
        product = self.add_product("Old")
        rule = self.add_rule(plan_ref="M365", product_id=product.id)
        product.active = False
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.hold_reason, "account_missing")
        self.assertIn("Old", document.hold_message)
        product.write({"active": True, "taxes_id": False})
        self.process_again(document)
        self.assertEqual(document.hold_reason, "tax_missing")
        rule.tax_ids = self.tax
        self.process_again(document)
        self.assertEqual(document.state, "invoiced")

    def test_the_connections_product_is_not_needed_where_rules_say_all(self):
        product = self.add_product("Microsoft 365")
        self.add_rule(product_id=product.id)
        self.product.taxes_id = False
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.move_id.invoice_line_ids.product_id, product)

    def test_an_archived_account_of_a_rule_is_held(self):
        account = self.company_data["default_account_revenue"].copy()
        self.add_rule(account_id=account.id)
        account.active = False
        document = self.book(self.subscription("M365", "10.00"))
        self.assertEqual(document.hold_reason, "account_missing")
        self.assertIn("All lines", document.hold_message)

    def test_copacos_own_invoices_have_accounts_and_taxes_of_their_own(self):
        expense = self.company_data["default_account_expense"]
        own_account = expense.copy()
        own_tax = self.percent_tax(9, type_tax_use="purchase")
        rule = self.add_rule(
            plan_ref="VOIP",
            expense_account_id=own_account.id,
            purchase_tax_ids=own_tax.ids,
            account_id=self.company_data["default_account_revenue"].id,
        )
        document = self.env["copaco.document"].new(
            {
                "connection_id": self.connection.id,
                "company_id": self.company.id,
                "kind": "purchase",
            }
        )
        engine = self.env["copaco.rule.engine"]
        position = self.env["account.fiscal.position"]
        with_rule, without = (
            engine._match_product(document, each, position)
            for each in (rule, rule.browse())
        )
        self.assertEqual((with_rule.account, with_rule.taxes), (own_account, own_tax))
        self.assertEqual(without.account, expense)
        self.assertEqual(without.taxes, self.product.supplier_taxes_id)

    def test_queries_depend_on_neither_rules_nor_lines(self):
        products = [self.add_product(f"Product {number}") for number in range(12)]
        for number, product in enumerate(products):
            self.add_rule(plan_ref=f"P{number}", product_id=product.id)
        documents = [
            self.book(
                *(self.subscription(f"P{number}", "1.00") for number in range(count)),
                number=f"INV-{count}",
            )
            for count in (2, 12)
        ]
        engine = self.env["copaco.rule.engine"]
        position = self.env["account.fiscal.position"]
        counts = []
        # The first time, Odoo fills its caches.
        for document in documents[:1] + documents:
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            book = engine._get_rule_book(document.company_id)
            self.assertEqual(
                len(set(engine._match_lines(document, position, book).values())),
                document.line_count,
            )
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts[1:])

    def test_roundings_are_a_line_per_tax_of_the_rules(self):
        nine = self.percent_tax(9)
        self.add_rule(plan_ref="VOIP", tax_ids=nine.ids)
        document = self.book(
            self.subscription("VOIP", "0.333", "0.333", "0.333"),
            self.subscription("M365", "10.00"),
        )
        rounding = document.move_id.invoice_line_ids.filtered("copaco_is_rounding")
        self.assertEqual(rounding.tax_ids, nine)
        self.assertEqual(document.move_id.amount_untaxed, document.amount_source)


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
        document = self.book(
            self.subscription("M365", "11.00"),
            self.subscription("other", "11.00"),
            number="INV-2",
        )
        self.assertEqual(
            self.get_distributions(document),
            [{str(self.cloud.id): 100}, {str(self.sales.id): 100}],
        )

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
