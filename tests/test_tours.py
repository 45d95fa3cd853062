from datetime import date, timedelta

from odoo.tests import HttpCase, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestTours(CopacoCommon, HttpCase):
    """What a user clicks, in a real browser."""

    def setUp(self):
        super().setUp()
        self.connection.import_from = False
        self.add_invoice(
            "INV-1",
            "A1",
            [price_line("10")],
            customer={"CompanyName": "Café Noord"},
            created=date.today(),
        )

    def add_known_today(self, number="INV-2", amount="20", **values):
        """Add an invoice, created today, of the customer of contact K-2."""
        self.add_invoice(
            number,
            "A2",
            [price_line(amount)],
            customer={"CustomerNumber": "K-2"},
            created=date.today(),
            **values,
        )

    def test_the_button_on_the_invoice_list_fetches_and_shows_the_reconciliation(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        self.add_known_today()
        self.start_tour("/odoo/customer-invoices", "copaco_fetch", login="billing")
        self.assertEqual(self.documents.mapped("state"), ["held", "invoiced"])

    def test_the_reconciliation_leads_to_what_is_held_and_back(self):
        run = self.fetch()
        self.start_tour(
            f"/odoo/copaco-runs/{run.id}", "copaco_reconciliation", login="billing"
        )

    def test_the_dashboard_leads_to_what_waits_in_a_journal(self):
        self.fetch()
        self.start_tour("/odoo/accounting", "copaco_dashboard", login="billing")

    def test_a_suggestion_is_accepted_and_invoiced(self):
        partner = self.create_partner(name="Café Noord B.V.")
        self.fetch()
        self.start_tour("/odoo/copaco-to-do", "copaco_decide", login="billing")
        self.assertEqual(self.documents.move_id.partner_id, partner)

    def test_the_key_is_set_in_a_dialog_and_never_shown_back(self):
        self.start_simulator(
            api_key="simulator-key-of-the-tour", auth_method="x_api_key"
        )
        self.start_tour(
            "/odoo/copaco-connections", "copaco_set_key", login=self.env.user.login
        )
        self.assertEqual(self.connection.auth_method, "x_api_key")

    def test_what_copaco_did_not_release_is_said_when_a_connection_is_tested(self):
        self.simulator.permissions = ["customer-specifications", "example-invoices"]
        self.start_manager_tour("copaco_test_connection")

    def test_customer_invoices_are_proposed_used_and_fetched(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        self.add_known_today("CI-2", endpoint="customer-invoices")
        self.start_manager_tour("copaco_use_customer_invoices")
        self.assertEqual(self.connection.source, "customer_invoices")
        self.assertEqual(self.documents.invoice_number, "CI-2")

    def start_manager_tour(self, tour):
        self.start_tour("/odoo/copaco-connections", tour, login=self.env.user.login)

    def test_a_changed_invoice_is_corrected(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        self.simulator.invoices.clear()
        self.add_known_today()
        self.fetch()
        self.documents.move_id.action_post()
        self.simulator.invoices.clear()
        self.add_known_today(amount="22.50")
        self.fetch()
        self.start_tour("/odoo/copaco-to-do", "copaco_correct", login="billing")
        self.assertEqual(self.documents.correction_ids.amount_untaxed, 2.5)

    def test_an_invoice_of_the_wrong_contact_is_invoiced_to_another(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        self.simulator.invoices.clear()
        self.add_known_today()
        self.fetch()
        document = self.documents
        document.move_id.action_post()
        other = self.create_partner(name="Slagerij")
        document.customer_id.partner_id = other
        self.start_tour(
            f"/odoo/copaco-documents/{document.id}",
            "copaco_other_contact",
            login="billing",
        )
        self.assertEqual(document.move_id.partner_id, other)

    def test_a_correction_knows_what_was_credited(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        values = {"customer": {"CustomerNumber": "K-2"}, "created": date.today()}
        lines = [price_line("20"), price_line("9.99", number=2)]
        for sent in (lines, lines[:1]):
            self.simulator.invoices.clear()
            self.add_invoice("INV-2", "A2", sent, **values)
            self.fetch()
            if sent == lines:
                self.documents.move_id.action_post()
                credit = self.documents.move_id._reverse_moves()
                credit.invoice_line_ids[0].unlink()
                credit.invoice_line_ids.price_unit = 4
        self.start_tour(
            "/odoo/copaco-to-do", "copaco_correct_beside_credit", login="billing"
        )
        self.assertEqual(self.documents.correction_ids.amount_untaxed, 5.99)

    def test_of_a_possible_duplicate_only_what_is_new_is_invoiced(self):
        self.receive("V-1", self.price_line("10.00"))
        self.receive("V-2", self.price_line("10.00"), self.price_line("5.50", number=2))
        self.start_tour("/odoo/copaco-to-do", "copaco_duplicate", login="billing")
        self.assertEqual(self.documents[1].move_amount_untaxed, 5.5)

    def test_an_old_version_is_kept_when_a_person_says_that_both_have_to_be_paid(self):
        self.receive("V-1", self.price_line("10.00"), self.price_line("5", number=2))
        document = self.documents
        document.move_id.action_post()
        subscription = self.simulator.invoices[0].content["Customers"][0]
        del subscription["Subscriptions"][0]["PriceLines"][0]
        self.fetch()
        with self.committing(document) as committing:
            committing.action_correct()
        self.receive("V-2", self.price_line("10.00"))
        document.correction_ids.unlink()
        self.start_tour(
            f"/odoo/copaco-documents/{document.id}",
            "copaco_keep_old_version",
            login="billing",
        )
        self.assertEqual(document.state, "invoiced")

    def test_several_duplicates_are_excluded_at_once(self):
        for number, amount in {"V-1": "10.00", "V-2": "8.00", "V-3": "7.00"}.items():
            self.receive(number, self.price_line(amount))
        self.start_tour(
            "/odoo/copaco-to-do", "copaco_exclude_duplicates", login="billing"
        )
        self.assertEqual(
            self.documents.mapped("state"), ["invoiced", "excluded", "excluded"]
        )

    def test_a_preview_shows_the_figures_that_the_fetch_then_makes(self):
        self.connection.layout_id = self.env["copaco.layout"].create(
            {"name": "Test", "section_by": "charge"}
        )
        self.create_partner(name="Bakkerij", ref="K-2")
        self.add_known_today()
        self.start_tour("/odoo/copaco-connections", "copaco_preview", login="billing")
        previewed = self.env["copaco.preview.document"].sudo().search([])
        self.assertEqual(
            sorted(
                (each.invoice_number, each.outcome, each.amount_total)
                for each in previewed
            ),
            sorted(
                (each.invoice_number, each.state, each.move_id.amount_total)
                for each in self.documents
            ),
        )
        self.assertEqual(self.documents.move_id.amount_total, 24.2)

    def price_line(self, amount, number=1):
        return price_line(amount, number=number, InvoiceRowHash=f"row-{number}")

    def receive(self, number, *lines):
        """Fetch one invoice, of a customer that has a contact."""
        if number == "V-1":
            self.create_partner(name="Bakkerij", ref="K-2")
            self.simulator.invoices.clear()
        self.add_invoice(
            number,
            "A2",
            list(lines),
            customer={"CustomerNumber": "K-2"},
            created=date.today(),
        )
        self.fetch()

    def test_a_hole_is_found_and_filled(self):
        self.create_partner(name="Bakkerij", ref="K-2")
        last_month = date.today().replace(day=1) - timedelta(days=1)
        first_day = last_month.replace(day=1)
        self.connection.import_from = first_day
        self.simulator.invoices.clear()
        self.add_invoice(
            "INV-2",
            "A2",
            [price_line("10")],
            customer={"CustomerNumber": "K-2"},
            created=first_day + timedelta(days=3),
            Date=first_day.strftime("%Y%m%d"),
        )
        wizard = self.env["copaco.fetch"].create(
            {
                "connection_id": self.connection.id,
                "date_from": first_day + timedelta(days=9),
                "date_to": date.today(),
            }
        )
        with self.committing(wizard) as committing:
            committing.action_fetch()
        self.assertFalse(self.documents)
        self.start_tour("/odoo/copaco-months", "copaco_fill_hole", login="billing")
        self.assertEqual(self.documents.state, "invoiced")
        self.assertEqual(self.connection.fetched_until, date.today())
