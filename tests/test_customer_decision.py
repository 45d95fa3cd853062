from ast import literal_eval

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCustomerDecision(CopacoCommon):
    """Many customers are decided about on one page, and that can be undone."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij B.V.", city="Utrecht")
        for number, name in (("A1", "Bakkerij"), ("A2", "Slagerij")):
            self.add_invoice(
                f"INV-{number}",
                number,
                [price_line("10")],
                customer={"CompanyName": name, "City": "utrecht"},
            )
        self.fetch()
        self.customers = self.documents.customer_id
        self.bakery, self.butcher = self.customers

    def act(self, records, action, *args):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*args)

    def shown(self):
        """:return: the customers on the page"""
        action = self.env.ref("account_copaco.action_copaco_customer_decide")
        return self.customers.search(literal_eval(action.domain), order="name, id")

    def test_a_row_says_what_waits_and_what_will_become_of_it(self):
        self.assertEqual(self.shown(), self.customers)
        self.assertEqual(self.bakery.waiting_count, 1)
        self.assertIn("10.00", self.bakery.waiting_amount)
        self.assertEqual(self.bakery.consequence, "Draft invoices: 1")
        self.connection.invoice_policy = "post"
        self.env.invalidate_all()
        self.assertEqual(self.bakery.consequence, "Invoices to confirm: 1")

    def test_what_is_equal_is_marked_beside_the_suggested_contact(self):
        self.assertEqual(self.bakery.suggested_partner_id, self.partner)
        self.assertEqual(self.bakery.comparison.count("fa-check"), 2)
        self.assertNotIn("fa-check", self.butcher.comparison)

    def test_ticked_rows_do_what_they_can_and_say_what_was_left_out(self):
        message = self.act(self.customers, "action_accept")["params"]["message"]
        self.assertIn("Invoiced: 1", message)
        self.assertIn("without a suggestion: Slagerij (A2)", message)
        self.assertEqual(self.bakery.partner_id, self.partner)

    def test_ticked_rows_of_which_nothing_was_decided_are_named(self):
        self.act(self.bakery, "action_accept")
        message = self.act(self.customers, "action_undo")["params"]["message"]
        self.assertIn("no decision to undo: Slagerij (A2)", message)
        self.assertEqual(self.bakery.state, "suggested")

    def test_process_pending_is_offered_where_something_waits_for_the_customer(self):
        form = etree.fromstring(self.bakery.get_view(view_type="form")["arch"])
        (button,) = form.xpath("//button[@name='action_process']")

        def is_hidden():
            names = [name for name in self.bakery._fields if name in condition]
            values = {name: self.bakery[name] for name in names}
            return safe_eval(condition, values)

        condition = button.get("invisible")
        self.assertTrue(is_hidden(), "nobody has decided yet")
        self.partner.active = False
        self.act(self.bakery, "action_accept")
        self.assertEqual(self.documents[0].hold_reason, "partner_archived")
        self.assertFalse(is_hidden())
        self.partner.active = True
        self.connection.journal_id.active = False
        self.act(self.bakery, "action_process")
        self.assertEqual(self.documents[0].hold_reason, "account_missing")
        self.assertTrue(is_hidden(), "it waits for the journal")

    def test_a_draft_of_a_customer_that_is_excluded_is_named(self):
        self.act(self.bakery, "action_accept")
        Wizard = self.env["copaco.exclude"].with_context(
            active_model="copaco.customer", active_ids=self.customers.ids
        )
        wizard = Wizard.with_user(self.billing_user).create({"reason": "Own company"})
        params = self.act(wizard, "action_exclude")["params"]
        self.assertIn("INV-A1", params["message"])
        self.assertNotIn("INV-A2", params["message"])
        self.assertEqual(self.documents.mapped("state"), ["invoiced", "excluded"])

    def test_what_is_excluded_with_its_customer_is_not_offered_to_be_undone(self):
        self.act(self.butcher, "action_exclude", "Own company")
        document = self.documents[1]
        arch = document.get_view(view_type="form")["arch"]
        (button,) = etree.fromstring(arch).xpath("//button[@name='action_include']")
        self.assertIn("customer_state == 'excluded'", button.get("invisible"))
        message = self.act(document, "action_include")["params"]["message"]
        self.assertIn(document.name, message)
        self.assertEqual(document.state, "excluded")
        self.act(self.butcher, "action_include")
        self.assertEqual(document.hold_reason, "customer_unknown")

    def test_a_decided_row_stays_where_it_was(self):
        self.act(self.bakery, "action_accept")
        self.assertEqual(self.shown(), self.customers)
        self.assertFalse(self.bakery.waiting_count)
        with freeze_time("2026-11-27 10:00:00"):
            self.assertEqual(self.shown(), self.butcher)

    def test_an_accepted_suggestion_is_undone_with_its_draft(self):
        self.act(self.bakery, "action_accept")
        self.assertTrue(self.documents[0].move_id)
        self.act(self.bakery, "action_undo")
        self.assertFalse(self.documents[0].move_id)
        self.assertEqual(self.documents[0].hold_reason, "customer_unknown")
        self.assertRecordValues(
            self.bakery,
            [
                {
                    "state": "suggested",
                    "partner_id": False,
                    "suggested_partner_id": self.partner.id,
                    "is_undoable": False,
                }
            ],
        )

    def test_a_created_contact_is_undone_with_it(self):
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        self.act(self.butcher, "action_create_contact")
        created = self.butcher.partner_id
        self.assertEqual(self.documents[1].state, "invoiced")
        self.act(self.butcher, "action_undo")
        self.assertFalse(created.exists())
        self.assertEqual(self.documents[1].hold_reason, "customer_unknown")

    def test_a_chosen_contact_and_an_exclusion_are_undone(self):
        self.butcher.with_user(self.billing_user).partner_id = self.partner
        self.act(self.butcher, "action_process")
        self.act(self.bakery, "action_exclude", "Own use")
        self.assertEqual(self.documents.mapped("state"), ["excluded", "invoiced"])
        self.act(self.customers, "action_undo")
        self.assertEqual(self.documents.mapped("state"), ["held", "held"])
        self.assertEqual(self.customers.mapped("state"), ["suggested", "unmatched"])

    def test_what_is_confirmed_or_edited_is_not_taken_back(self):
        self.act(self.bakery, "action_accept")
        self.butcher.with_user(self.billing_user).partner_id = self.partner
        self.act(self.butcher, "action_process")
        self.documents[0].move_id.action_post()
        self.documents[1].move_id.invoice_line_ids[0].name = "My own words"
        with self.assertRaisesRegex(UserError, "can't be taken back(.|\n)*manually"):
            self.act(self.customers, "action_undo")
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)

    def test_what_was_invoiced_anew_since_is_not_taken_back(self):
        self.act(self.bakery, "action_accept")
        document = self.documents[0]
        document.move_id.action_post()
        other = self.create_partner(name="Slagerij")
        wizard = self.env["copaco.invoice.contact"].with_context(
            active_model="copaco.document", active_id=document.id
        )
        wizard.create({"partner_id": other.id}).action_invoice()
        with self.assertRaisesRegex(UserError, "can't be taken back"):
            self.act(self.bakery, "action_undo")
        self.assertEqual(self.bakery.partner_id, other)
        self.assertEqual(document.move_id.partner_id, other)

    def test_a_contact_that_is_gone_is_not_suggested_again(self):
        self.bakery.with_user(self.billing_user).partner_id = self.create_partner(
            name="Other"
        )
        self.partner.unlink()
        self.act(self.bakery, "action_undo")
        self.assertRecordValues(
            self.bakery,
            [
                {
                    "state": "unmatched",
                    "partner_id": False,
                    "suggested_partner_id": False,
                }
            ],
        )

    def test_a_created_contact_stays_that_another_customer_has(self):
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        self.act(self.butcher, "action_create_contact")
        created = self.butcher.partner_id
        self.bakery.with_user(self.billing_user).partner_id = created
        self.act(self.bakery, "action_process")
        self.act(self.butcher, "action_undo")
        self.assertTrue(created.exists().active)
        self.assertEqual(self.bakery.partner_id, created)
        self.assertFalse(self.butcher.partner_id)
