from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestSetup(CopacoCommon):
    """From an installed addon to the preview, one step after the other."""

    def setUp(self):
        super().setUp()
        self.connection.api_key = False
        self.connection.import_from = False

    def open(self):
        setup = self.env["copaco.setup"].with_company(self.company)
        return setup.browse(setup.action_open()["res_id"])

    def act(self, setup, action):
        with self.committing(setup) as committing:
            return getattr(committing, action)()

    def test_each_step_is_done_before_the_next_and_it_can_be_left(self):
        setup = self.open()
        self.assertEqual(setup.connection_id, self.connection)
        with self.assertRaisesRegex(UserError, "no API key yet"):
            setup.action_next()
        setup.api_key = "simulator-key"
        self.act(setup, "action_next")
        self.assertEqual(setup.step, "test")
        self.assertIn("the key may fetch them", setup.access_message)
        for step in ("books", "start"):
            self.assertEqual(self.act(setup, "action_next")["res_id"], setup.id)
            self.assertEqual(setup.step, step)
        setup = self.open()
        self.assertEqual(setup.step, "start", "it goes on where it was left")
        setup.import_from = "2026-11-01"
        self.act(setup, "action_next")
        self.assertEqual(setup.step, "preview")
        action = self.act(setup, "action_try_examples")
        self.assertEqual(action["res_model"], "copaco.preview")
        self.assertFalse(self.documents)

    def test_a_mistyped_host_is_named_and_stops_at_the_test(self):
        self.connection.base_url = "http://127.0.0.1:9/api/"
        self.limit_client(first_wait=0)
        setup = self.open()
        setup.api_key = "simulator-key"
        self.act(setup, "action_next")
        self.assertRegex(setup.test_error, "Check that the API URL http://127.0.0.1:9/")
        self.assertNotIn("Nothing has to be done", setup.test_error)
        with self.assertRaisesRegex(UserError, "can't fetch its source yet"):
            self.act(setup, "action_next")

    def test_the_key_of_another_server_is_kept_that_is_entered_with_it(self):
        self.connection.api_key = "key-of-the-old-server"
        setup = self.open()
        setup.write({"api_key": "simulator-key", "base_url": "http://127.0.0.1:9/"})
        self.assertEqual(self.connection.base_url, "http://127.0.0.1:9/")
        self.assertEqual(setup.api_key_hint, "-key")

    def test_a_connection_is_created_when_there_is_none(self):
        self.connection.active = False
        self.assertNotEqual(self.open().connection_id, self.connection)

    def test_another_companys_connection_is_neither_shown_nor_set_up(self):
        other = self.setup_other_company()["company"]
        manager = new_test_user(
            self.env,
            "manager of one company",
            groups="base.group_user,account.group_account_manager",
            company_id=self.company.id,
        )
        theirs = self._create_connection(company_id=other.id)
        setup = self.env["copaco.setup"].with_user(manager)
        with self.assertRaises(AccessError):
            setup.create({"connection_id": theirs.id})
        own = setup.create({"connection_id": self.connection.id})
        with self.assertRaises(AccessError):
            own.connection_id = theirs

    def test_fetch_opens_it_while_nothing_is_set_up(self):
        connections = self.env["copaco.connection"].with_company(self.company)
        action = connections.action_fetch_all()
        self.assertEqual(
            action["id"], self.env.ref("account_copaco.action_copaco_setup").id
        )
        with self.assertRaisesRegex(UserError, "administrator does that"):
            connections.with_user(self.billing_user).action_fetch_all()


@tagged("post_install", "-at_install")
class TestPeopleTours(CopacoCommon, HttpCase):
    """What a user clicks first, and most."""

    def test_from_fetch_to_the_preview(self):
        self.start_simulator(api_key="key-of-the-tour")
        self.connection.write({"api_key": False, "import_from": False})
        self.env.user.password = "manager-password"
        self.start_tour(
            "/odoo/customer-invoices", "copaco_setup", login=self.env.user.login
        )
        self.assertEqual(self.connection.setup_step, "preview")
        self.assertFalse(self.documents)

    def test_customers_are_decided_on_one_page_and_one_is_undone(self):
        self.billing_user.password = "billing-password"
        for number, name in enumerate(("Bakkerij", "Drukkerij", "Slagerij"), 1):
            self.create_partner(name=f"{name} B.V.")
            self.add_invoice(
                f"INV-{number}",
                f"A{number}",
                [price_line("10")],
                customer={"CompanyName": name},
            )
        self.connection.import_from = "2026-11-01"
        self.fetch()
        self.start_tour("/odoo/copaco-to-do", "copaco_decide_all", login="billing")
        self.assertEqual(
            self.documents.mapped("state"), ["invoiced", "held", "invoiced"]
        )
