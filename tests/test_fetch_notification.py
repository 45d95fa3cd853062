from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import MUTED, CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestFetchNotification(CopacoCommon):
    """What a person is told who fetched, of each connection."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij", ref="K-1")
        self.add("INV-1", "A1", "10", CustomerNumber="K-1")
        self.add("INV-2", "A2", "1234.56")

    def add(self, number, account, amount, **customer):
        self.add_invoice(number, account, [price_line(amount)], customer=customer)

    def fetch_all(self):
        connections = self.env["copaco.connection"].with_user(self.billing_user)
        connections = connections.with_company(self.company)
        with self.committing(connections) as committing, mute_logger(*MUTED):
            return committing.action_fetch_all()

    def test_it_says_what_is_new_what_changed_and_what_waits_with_its_amount(self):
        message = self.fetch_all()["params"]["message"]
        self.assertIn("new: 2, changed by Copaco: 0, known already: 0", message)
        self.assertIn("decision in all: 1", message)
        self.assertIn("1,234.56", message)
        self.documents.move_id.action_post()
        self.simulator.invoices.clear()
        self.add("INV-1", "A1", "11", CustomerNumber="K-1")
        self.add("INV-2", "A2", "1234.56")
        message = self.fetch_all()["params"]["message"]
        self.assertIn("new: 0, changed by Copaco: 1, known already: 1", message)
        self.assertIn("decision in all: 2", message)

    def test_nothing_new_is_no_success_while_something_waits(self):
        self.fetch_all()
        params = self.fetch_all()["params"]
        self.assertEqual(params["type"], "warning")
        self.assertIn("decision in all: 1", params["message"])
        self.assertEqual(params["buttons"][0]["name"], "Show what waits")
        self.assertEqual(params["buttons"][0]["action"]["res_model"], "copaco.document")

    def test_what_waits_of_either_side_is_counted_with_its_own_amount(self):
        self.fetch_all()
        held = self.documents.filtered(lambda each: each.state == "held")
        held.sudo().kind = "purchase"
        self.env.invalidate_all()
        message = self.connection.waiting_message
        self.assertRegex(message, r"purchase invoices .* decision: 1 \(.*1,234\.56")
        self.assertNotIn("decision in all", message)

    def test_one_connection_that_fails_does_not_hide_what_the_others_brought(self):
        broken = self._create_connection(
            name="Broken", base_url="http://127.0.0.1:9/", api_key="key"
        )
        self.limit_client(first_wait=0)
        params = self.fetch_all()["params"]
        self.assertEqual((params["title"], params["type"]), ("Broken", "danger"))
        self.assertIn("Broken", params["message"])
        params = params["next"]["params"]
        self.assertEqual(params["title"], self.connection.name)
        self.assertIn("invoiced: 1", params["message"])
        self.connection.active = False
        with self.assertRaisesRegex(UserError, "Broken"):
            self.fetch_all()
        self.assertEqual(broken.last_run_state, "failed")
