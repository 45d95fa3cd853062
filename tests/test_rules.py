from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .rules import RulesCommon


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

    def test_an_archived_tax_of_a_rule_is_held_and_no_other_is_taken(self):
        nine, five = self.percent_tax(9), self.percent_tax(5)
        rule = self.add_rule(tax_ids=(nine + five).ids)
        nine.active = False
        document = self.book(self.subscription("VOIP", "10.00"))
        self.assertEqual(document.hold_reason, "tax_missing")
        for name in (nine.name, "All lines"):
            self.assertIn(name, document.hold_message)
        rule.tax_ids = five
        self.process_again(document)
        self.assertEqual(document.move_id.invoice_line_ids.tax_ids, five)

    def test_a_purchase_tax_is_none_for_customers(self):
        purchase_tax = self.percent_tax(9, type_tax_use="purchase")
        for values in (
            {"tax_ids": purchase_tax.ids},
            {"purchase_tax_ids": self.tax.ids},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.add_rule(**values)

    def test_what_a_rule_says_cannot_be_deleted(self):
        revenue = self.company_data["default_account_revenue"]
        expense = self.company_data["default_account_expense"]
        results = {
            "product_id": self.add_product("Unused"),
            "account_id": revenue.copy(),
            "tax_ids": self.percent_tax(9),
            "expense_account_id": expense.copy(),
            "purchase_tax_ids": self.percent_tax(9, type_tax_use="purchase"),
        }
        self.add_rule(
            **{
                name: record.ids if name.endswith("ids") else record.id
                for name, record in results.items()
            }
        )
        for name, record in results.items():
            with self.subTest(name=name), mute_logger("odoo.sql_db"):
                with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                    record.unlink()

    def test_a_rule_is_also_that_of_the_connection_which_replaces_its_own(self):
        product = self.add_product("Rule")
        rule = self.add_rule(product_id=product.id, connection_id=self.connection.id)
        first = self.book(self.subscription("M365", "10.00"))
        self.connection.active = False
        values = {"base_url": self.simulator.url, "api_key": "simulator-key"}
        replacement = self._create_connection(name="New", **values)
        elsewhere = self._create_connection(name="Elsewhere")
        self.add_known("INV-2")
        self.fetch(replacement)
        second = self.documents - first
        self.assertEqual(second.connection_id, replacement)
        self.assertEqual(second.line_ids.rule_id, rule)
        self.assertEqual(rule.line_count, 3)
        effect = self.env["copaco.rule.effect"]
        self.assertEqual(effect._get_documents(rule), first + second)
        rule.connection_id = replacement
        self.process_again(self.documents)
        self.assertEqual(self.documents.line_ids.rule_id, rule, "they are the same")
        for other in (elsewhere, self.connection):
            # What counts again for itself is replaced by nothing.
            self.connection.active = True
            rule.connection_id = other
            self.process_again(second)
            self.assertFalse(second.line_ids.rule_id)

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

    def test_a_correction_decides_about_new_lines_and_leaves_the_others(self):
        known = self.subscription("M365", "10.00")
        document = self.book(known)
        document.move_id.action_post()
        rules = [
            self.add_rule(plan_ref=plan_ref, product_id=self.add_product(plan_ref).id)
            for plan_ref in ("M365", "VOIP")
        ]
        self.simulator.invoices.clear()
        self.book(known, self.subscription("VOIP", "5.00"))
        with self.committing(document) as committing:
            committing.action_correct()
        self.assertEqual(
            document.correction_ids.invoice_line_ids.product_id, rules[1].product_id
        )
        self.assertEqual(
            [line.rule_id for line in document.line_ids], [rules[1].browse(), rules[1]]
        )

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
