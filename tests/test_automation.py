from collections import Counter

from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .common import CopacoChangeCommon, enter_lines, price_line

# What a rule tells about the record that it acts on, as names of partner categories.
TELL = """
move = record if record._name == 'account.move' else record.move_id
env['res.partner.category'].create({'name': repr(
    (record._name, move.state, move.amount_untaxed, move.amount_tax,
     len(move.invoice_line_ids), len(move.line_ids))
)})
"""
NO_TAX_YET = "[('amount_tax', '=', 0), ('amount_total', '>', 100)]"
LINES = [price_line("150.00"), price_line("-7.33", number=2)]


@tagged("post_install", "-at_install", "-standard", "copaco_automation")
@freeze_time("2026-11-25 10:00:00")
class TestAutomation(CopacoChangeCommon):
    """Promise 5: automation rules see of our invoices what they see of invoices that a
    person enters in Odoo's form. `make test` runs this where Odoo's automation rules
    are installed."""

    def setUp(self):
        super().setUp()
        if "base.automation" not in self.env:
            self.skipTest("base_automation is not installed")
        self.addCleanup(self.env["base.automation"]._unregister_hook)

    def test_a_rule_on_creation_sees_the_whole_invoice(self):
        self.add_rule("on_create")
        ours, entered = self.compare()
        self.assertEqual(ours, entered)
        self.assertEqual(
            list(ours), [str(("account.move", "draft", 142.67, 29.96, 2, 4))]
        )

    def test_a_rule_on_creation_with_a_condition_on_amounts(self):
        self.add_rule("on_create", filter_domain="[('amount_total', '>', 172)]")
        self.add_rule("on_create", filter_domain="[('amount_total', '>', 173)]")
        self.add_rule("on_create", filter_domain="[('amount_tax', '=', 29.96)]")
        self.add_rule("on_create", filter_domain=NO_TAX_YET)
        ours, entered = self.compare()
        self.assertEqual(ours, entered)
        self.assertEqual(ours.total(), 2)

    def test_a_rule_on_creation_and_update_never_sees_a_total_without_tax(self):
        self.add_rule("on_create_or_write", filter_domain=NO_TAX_YET)
        ours, entered = self.compare()
        self.assertEqual((ours.total(), entered.total()), (0, 0))

    def test_a_rule_on_creation_and_update_with_a_condition_on_amounts(self):
        amounts = self.get_field("amount_total") + self.get_field("amount_tax")
        self.add_rule(
            "on_create_or_write",
            filter_domain="[('amount_tax', '>', 0)]",
            trigger_field_ids=[Command.set(amounts.ids)],
        )
        ours, entered = self.compare()
        self.assertEqual(ours, entered)
        self.assertTrue(ours)

    def test_a_rule_on_creation_and_any_update_sees_the_same(self):
        self.add_rule("on_create_or_write", filter_domain="[('amount_tax', '>', 0)]")
        ours, entered = self.compare()
        # How often depends on what else the form sends, and Odoo need not compute.
        self.assertEqual(ours.keys(), entered.keys())
        self.assertTrue(ours)

    def test_a_rule_on_confirmation(self):
        posted = self.env["ir.model.fields.selection"].search(
            [
                ("field_id", "=", self.get_field("state").id),
                ("value", "=", "posted"),
            ]
        )
        self.add_rule(
            "on_state_set",
            trg_selection_field_id=posted.id,
            trigger_field_ids=[Command.set(self.get_field("state").ids)],
        )
        ours, entered = self.compare(post=True)
        self.assertEqual(ours, entered)
        self.assertEqual(
            list(ours), [str(("account.move", "posted", 142.67, 29.96, 2, 4))]
        )

    def test_a_rule_on_lines(self):
        self.add_rule("on_create", model="account.move.line")
        ours, entered = self.compare()
        self.assertEqual(ours.total(), entered.total())
        self.assertEqual(ours, entered)

    def test_what_a_rule_writes_has_the_same_effect(self):
        terms = self.create_payment_terms()
        self.add_rule(
            "on_create",
            code=f"record.write({{'invoice_payment_term_id': {terms.id}}})",
        )
        (document,) = self.send(*LINES)
        move, entered = document.move_id, self.enter(document.move_id)
        for each in (move, entered):
            self.assertEqual(each.invoice_payment_term_id, terms)
        self.assertEqual(self.get_terms(move), self.get_terms(entered))
        self.assertEqual(len(self.get_terms(move)), 2)

    def test_what_a_rule_makes_of_amounts_is_not_booked(self):
        self.add_rule(
            "on_create", code="record.invoice_line_ids[0].write({'price_unit': 1})"
        )
        (document,) = self.send(*LINES)
        self.assertEqual(document.hold_reason, "totals_differ")
        self.assertFalse(document.move_id)
        (rule,) = self.env["base.automation"].search([])
        self.assertIn(f"act on invoices: {rule.name}.", document.hold_message)
        self.assertIn("other addons", document.hold_message)

    def test_each_invoice_of_a_batch_is_seen_once(self):
        self.add_rule("on_create", filter_domain="[('amount_tax', '>', 0)]")
        later = self.create_partner(
            ref="K-2", property_payment_term_id=self.create_payment_terms().id
        )
        self.add_invoice(
            "INV-2", "A2", [price_line("9")], customer={"CustomerNumber": "K-2"}
        )
        self.add_invoice(
            "INV-3", "A1", [price_line("8")], customer={"CustomerNumber": "K-1"}
        )
        self.fetch()
        self.assertEqual(set(self.documents.mapped("state")), {"invoiced"})
        self.assertEqual(self.take_told().total(), 2)
        by_partner = self.documents.move_id.grouped("partner_id")
        self.assertEqual(str(by_partner[later].invoice_date_due), "2026-12-31")
        self.assertEqual(str(by_partner[self.partner].invoice_date_due), "2026-11-25")

    def test_a_draft_that_is_rebuilt_never_has_a_total_without_tax(self):
        self.send(*LINES)
        self.add_rule("on_create_or_write", filter_domain=NO_TAX_YET)
        (document,) = self.send(price_line("250.00"), price_line("3", number=2))
        self.assertEqual(document.move_id.amount_untaxed, 253)
        self.assertFalse(self.take_told())

    # === WHAT RULES TELL === #

    def get_field(self, name):
        return self.env["ir.model.fields"]._get("account.move", name)

    def add_rule(self, trigger, model="account.move", code=TELL, **values):
        model_id = self.env["ir.model"]._get_id(model)
        self.env["base.automation"].create(
            {
                "name": trigger,
                "model_id": model_id,
                "trigger": trigger,
                "action_server_ids": [
                    Command.create(
                        {
                            "name": trigger,
                            "model_id": model_id,
                            "state": "code",
                            "code": code,
                        }
                    )
                ],
                **values,
            }
        )

    def compare(self, post=False):
        """Let the addon and a person make the same invoice.

        :return: (what rules told of ours, what they told of the one that was entered),
            as Counter
        """
        self.take_told()
        if post:
            self.connection.invoice_policy = "post"
        (document,) = self.send(*LINES)
        ours = self.take_told()
        entered = self.enter(document.move_id)
        if post:
            entered.action_post()
        self.assertEqual(document.move_id.amount_total, entered.amount_total)
        return ours, self.take_told()

    def take_told(self):
        categories = self.env["res.partner.category"].search([("name", "=like", "(%)")])
        told = Counter(categories.mapped("name"))
        categories.unlink()
        return told

    def enter(self, move):
        """:return: the same invoice, entered in Odoo's form"""
        context = {"default_move_type": move.move_type}
        with Form(self.env["account.move"].with_context(**context)) as form:
            form.partner_id = move.partner_id
            form.invoice_date = move.invoice_date
            enter_lines(form, move)
        return form.record

    def get_terms(self, move):
        lines = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        return sorted(lines.mapped(lambda line: (line.date_maturity, line.balance)))
