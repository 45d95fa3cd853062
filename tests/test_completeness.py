from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_margin import OCTOBER, line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCompleteness(CopacoBillCommon):
    """Where a connection asks for it, a month is confirmed when it is complete."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def send_incomplete_month(self):
        """Let Copaco send all of October, and of November one of two customers."""
        self.partner.write({"street": "Markt 1", "city": "Lent", "vat": "/"})
        self.create_partner(
            name="Slager", ref="K-2", street="Markt 2", city="Lent", vat="/"
        )
        self.connection.write(
            {
                "import_from": OCTOBER,
                "invoice_policy": "post",
                "wait_for_month": True,
                "fetch_purchases": False,
            }
        )
        self.add_known("S-0", lines=[line("10", 1)], created=OCTOBER, Date="20261023")
        self.add_invoice(
            "S-00",
            "A2",
            [line("10", 2)],
            OCTOBER,
            Date="20261023",
            customer={"CustomerNumber": "K-2", "CompanyName": "Slagerij De Worst"},
        )
        self.add_known("S-1", lines=[line("10", 3)])
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == "S-1")

    def test_invoices_of_an_incomplete_month_wait_until_it_is_complete(self):
        document = self.send_incomplete_month()
        self.assertEqual(document.move_id.state, "draft")
        self.assertEqual(self.get_month().missing_names, "Slagerij De Worst")
        self.run_crons()
        self.assertEqual(document.move_id.state, "draft")
        self.add_invoice(
            "S-2", "A2", [line("10", 4)], customer={"CustomerNumber": "K-2"}
        )
        self.fetch()
        self.run_crons()
        self.assertEqual(document.move_id.state, "posted")
        self.assertFalse(self.get_month().missing_names)

    def test_customers_of_one_name_are_awaited_each(self):
        self.connection.wait_for_month = True
        self.connection.import_from = OCTOBER
        for number, account in enumerate(("A1", "A2")):
            self.add_invoice(
                f"S-0{number}",
                account,
                [line("10", number)],
                OCTOBER,
                Date="20261023",
                customer={"CompanyName": "Bakker"},
            )
        self.add_invoice(
            "S-1", "A1", [line("10", 3)], customer={"CompanyName": "Bakker"}
        )
        self.fetch()
        self.assertIn("Bakker", self.get_month().missing_names or "")

    def test_a_customer_without_a_name_is_listed_by_its_account(self):
        self.send_incomplete_month()
        customers = self.env["copaco.customer"].sudo().search([])
        customers.filtered(lambda each: each.account_ref == "A2").name = False
        self.env.flush_all()
        self.assertEqual(self.get_month().missing_names, "A2")

    def test_a_person_may_confirm_an_incomplete_month(self):
        document = self.send_incomplete_month()
        self.act(self.get_month(), "action_confirm_incomplete")
        self.run_crons()
        self.assertEqual(document.move_id.state, "posted")

    def test_what_copaco_changed_meanwhile_is_not_confirmed_before_a_decision(self):
        document = self.send_incomplete_month()
        document.move_id.ref = "Entered by a person"
        self.simulator.invoices.clear()
        self.add_known("S-1", lines=[line("12", 3)])
        self.fetch()
        self.assertEqual(document.state, "changed")
        self.act(self.get_month(), "action_confirm_incomplete")
        self.run_crons()
        self.assertEqual(document.move_id.state, "draft")
        self.act(document, "action_use_new_version")
        self.run_crons()
        self.assertRecordValues(
            document.move_id, [{"state": "posted", "amount_untaxed": 12}]
        )

    def test_what_waited_is_confirmed_only_with_its_mandatory_analytic_plan(self):
        document = self.send_incomplete_month()
        plan = self.env["account.analytic.plan"].create(
            {
                "name": "Department",
                "applicability_ids": [
                    Command.create(
                        {"business_domain": "invoice", "applicability": "mandatory"}
                    )
                ],
            }
        )
        self.env["account.analytic.account"].create(
            {"name": "Cloud", "plan_id": plan.id}
        )
        self.act(self.get_month(), "action_confirm_incomplete")
        self.run_crons()
        self.assertEqual(document.move_id.state, "draft")
        self.assertIn("analytic distribution", document.confirm_obstacle)

    def test_an_incomplete_month_is_waited_for_so_many_days(self):
        document = self.send_incomplete_month()
        self.connection.wait_days = 0
        self.run_crons()
        self.assertEqual(document.move_id.state, "posted")
