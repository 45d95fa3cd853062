from datetime import date

from odoo import fields
from odoo.tests import HttpCase, new_test_user
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line

# What each role may: a user without rights in accounting, one who may only look, a
# billing user, an accountant, an accounting administrator, a billing user of another
# company, a customer who looks at invoices on the web, and anyone at all.
GROUPS = {
    "clerk": "base.group_user",
    "audit": "base.group_user,account.group_account_readonly",
    "bill": "base.group_user,account.group_account_invoice",
    "book": "base.group_user,account.group_account_user",
    "admin": "base.group_user,account.group_account_manager",
    "other": "base.group_user,account.group_account_invoice",
    "portal": "base.group_portal",
    "public": None,
}
REFUSALS = {
    "odoo.exceptions.AccessError",
    "odoo.http.SessionExpiredException",
}
# What a person is told in words; anything else is a traceback.
TOLD = {"odoo.exceptions.UserError", "odoo.exceptions.ValidationError"}


class Refused(Exception):
    """This user may not do that, says the server."""


class RemoteCase(CopacoCommon, HttpCase):
    """What each role reaches over HTTP. There is one record of each of our models;
    "other" is a billing user of another company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company()["company"]
        cls.users = {
            role: new_test_user(
                cls.env, f"remote-{role}", groups=groups, **cls._get_company(role)
            )
            for role, groups in GROUPS.items()
            if groups
        }
        cls._receive()

    @classmethod
    def _get_company(cls, role):
        company = cls.other_company if role == "other" else cls.company
        return {"company_id": company.id, "company_ids": [(6, 0, company.ids)]}

    @classmethod
    def _receive(cls):
        """Receive a document that Copaco changed, and make the records about it."""
        # Time can't be frozen for the threads of the server.
        today = date.today()
        cls.connection.import_from = today
        # Fetching takes longer than many a test, so it is done once, and the simulator
        # stays: of another one, which has another origin, nothing was received.
        cls.simulator = cls.enterClassContext(cls._make_simulator())
        cls.connection.base_url = cls.simulator.url
        cls.connection.api_key = "simulator-key"
        case = cls("setUp")
        for amount in ("10", "11"):
            cls.simulator.invoices.clear()
            case.add_invoice("INV-1", "A1", [price_line(amount)], created=today)
            case.fetch()
        cls.received = list(cls.simulator.invoices)
        cls.document = case.documents
        cls.env["copaco.rule"].create({"company_id": cls.company.id})
        case.assertTrue(cls.document.version_ids, "Copaco changed it")
        cls.env["copaco.finding"].sudo().create(
            {
                "kind": "bill_differs",
                "company_id": cls.company.id,
                "connection_id": cls.connection.id,
                "date": today,
                "key": "1",
                "reason": "Agreed",
            }
        )
        cls.env["copaco.declined.charge"].sudo()._keep_declined(
            cls.document.version_ids.sudo(), cls.env.user, today
        )
        month = cls.document.invoice_date.replace(day=1)
        cls.env["copaco.margin"]._refresh(cls.company, month, today)
        move = cls.init_invoice("out_invoice", products=cls.product, post=True)
        cls.env["copaco.delivery"].sudo().create(
            {
                "move_id": move.id,
                "connection_id": cls.connection.id,
                "send_at": fields.Datetime.now(),
            }
        )

    def start_simulator(self):
        """Let the simulator of the class be as it was when it was received from."""
        self.simulator.behave()
        self.simulator.requests.clear()
        self.simulator.invoices[:] = self.received

    def become(self, role):
        """Log in as a user of this role; the public isn't logged in."""
        self.env.flush_all()
        user = self.users.get(role)
        self.authenticate(user and user.login, user and user.login)

    def call(self, model, method, *args, **kwargs):
        """Call a method as the web client does; `last_answer` is all that came back.

        :param args: ids first, unless the method is of the model
        :return: what the server answered; None when it told the user why not
        :raise Refused: when this user may not do that
        """
        self.env.flush_all()
        with mute_logger("odoo.http"):
            response = self.opener.post(
                f"{self.base_url()}/web/dataset/call_kw/{model}.{method}",
                json={
                    "jsonrpc": "2.0",
                    "method": "call",
                    "params": {
                        "model": model,
                        "method": method,
                        "args": args,
                        "kwargs": kwargs,
                    },
                },
                timeout=60,
            )
        self.env.invalidate_all()
        self.last_answer = response.text
        error = response.json().get("error")
        if not error:
            return response.json().get("result")
        if error["data"]["name"] in REFUSALS:
            raise Refused(error["data"]["message"])
        self.assertIn(error["data"]["name"], TOLD, error["data"]["debug"])
        return None
