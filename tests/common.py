from contextlib import contextmanager, nullcontext
from datetime import date
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user
from odoo.tools import mute_logger

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from ..client import CopacoClient
from .simulator import Simulator

TODAY = date(2026, 11, 25)
CREATED = date(2026, 11, 23)
MUTED = (
    "odoo.addons.account_copaco.services.copaco_run_scheduler",
    "odoo.addons.account_copaco.client.client",
)


# What a company needs to send e-invoices in the Netherlands.
DUTCH_COMPANY = {
    "street": "Kade 1",
    "zip": "1000 AA",
    "city": "Amsterdam",
    "vat": "NL123456782B90",
    "company_registry": "87654321",
    "bank_ids": [(0, 0, {"acc_number": "NL91ABNA0417164300"})],
}


def price_line(amount, **values):
    """:return: a price line as Copaco sends it, for one piece at `amount`"""
    number = values.pop("number", 1)
    return {
        "LineId": f"line-{number}",
        "UID": f"uid-{number}",
        "InvoiceRowHash": f"hash-{number}",
        "Description": f"Service {number}",
        "Quantity": 1,
        "UnitPrice": Decimal(str(amount)),
        "Discount": 0,
        "ExtendedPrice": Decimal(str(amount)),
        "StartDate": "20261001",
        "EndDate": "20261031",
        "Duration": "1",
        "DurationType": "Month",
        "ChargeType": "Cycle Fee",
        **values,
    }


def copaco_invoice(number, account, lines, **values):
    """:return: one `Invoices` element for one customer, as Copaco sends it

    :param lines: list of `price_line`; a row hash that nobody gave becomes one of this
        invoice and account
    :param values: keys of the header; `customer` and `receiver` are dicts of keys
    """
    customer = values.pop("customer", {})
    receiver = values.pop("receiver", {})
    lines = [
        {**line, "InvoiceRowHash": f"{line['InvoiceRowHash']}-{number}-{account}"}
        if str(line.get("InvoiceRowHash")).startswith("hash-")
        else line
        for line in lines
    ]
    return {
        "Header": {
            "InvoiceID": number,
            "Date": "20261123",
            "Currency": "EUR",
            "Type": "INVOICE",
            **values,
        },
        "Receiver": {"AccountID": account, **receiver},
        "Sender": {"CompanyName": "Voorbeeld Reseller B.V."},
        "Customers": [
            {
                "AccountID": account,
                "CustomerNumber": "",
                "CompanyName": f"Customer {account}",
                "Subscriptions": [
                    {
                        "SubscriptionID": f"subscription-{account}",
                        "SubscriptionName": "Subscription",
                        "PlanID": "plan",
                        "PlanName": "Plan",
                        "PriceLines": lines,
                    }
                ],
                **customer,
            }
        ],
    }


def enter_lines(form, move):
    """Enter in Odoo's form of an invoice the lines of another one."""
    for line in move.invoice_line_ids.sorted("sequence"):
        with form.invoice_line_ids.new() as form_line:
            form_line.product_id = line.product_id
            form_line.name = line.name
            form_line.quantity = line.quantity
            form_line.price_unit = line.price_unit


class CopacoCommon(AccountTestInvoicingCommon):
    """A Dutch company with a connection to a simulator that holds no invoices yet."""

    @classmethod
    @AccountTestInvoicingCommon.setup_country("nl")
    def setUpClass(cls):
        # What Odoo's own tests of invoices begin with besides takes longer than many a
        # test here; its helpers need these two.
        super(AccountTestInvoicingCommon, cls).setUpClass()
        cls.tax_number, cls.partner_a = 0, cls.partner
        cls.company_data = cls.collect_company_accounting_data(cls.env.company)
        cls.company = cls.company_data["company"]
        cls.tax = cls.tax_sale_a = cls.company_data["default_tax_sale"]
        cls.product = cls._create_product(name="Cloud", taxes_id=cls.tax)
        cls.connection = cls._create_connection()
        cls.billing_user = new_test_user(
            cls.env,
            "billing",
            groups="base.group_user,account.group_account_invoice",
            company_id=cls.company.id,
        )

    @classmethod
    def _create_company(cls, **create_values):
        # EXTENDS account: what it would create may be there (`devtools.instance`)
        Company = cls.env["res.company"].sudo()
        prepared = Company.search([("name", "=", create_values.get("name"))], limit=1)
        is_dutch = cls.country_code == "NL" and cls.chart_template in (False, "nl")
        if prepared and is_dutch and create_values.keys() == {"name"}:
            cls.env.user.company_ids |= prepared
            return prepared.with_env(cls.env)
        # The name is that of the one which is created now.
        prepared.name = "Prepared company"
        return super()._create_company(**create_values)

    def setUp(self):
        super().setUp()
        self.start_simulator()
        self.connection.api_key = "simulator-key"

    def start_simulator(self, **options):
        """Point the connection at a new simulator that holds no invoices yet."""
        self.simulator = self.enterContext(self._make_simulator(**options))
        self.connection.base_url = self.simulator.url

    @classmethod
    def _make_simulator(cls, **options):
        simulator = Simulator(customers=1, months=1, today=TODAY, **options)
        simulator.invoices.clear()
        simulator.customer_invoices.clear()
        return simulator

    def create_runs(self, connection, trigger="manual", date_from=None):
        """:return: the runs of the next fetch of a connection, waiting"""
        scheduler = self.env["copaco.run.scheduler"].sudo()
        return scheduler._create_runs(connection.sudo(), trigger, date_from)

    def process(self, documents):
        """Make the invoices of documents, without committing."""
        self.env["copaco.processor"]._process(documents)

    def is_unedited_draft(self, document):
        """Whether the invoice of a document is a draft that would be rebuilt."""
        return self.env["copaco.draft.updater"]._is_unedited_draft(document)

    def limit_client(self, **limits):
        """Let the client have other limits, such as `first_wait`, in this test."""
        defaults = CopacoClient.__init__.__kwdefaults__
        self.patch(CopacoClient.__init__, "__kwdefaults__", defaults | limits)

    @classmethod
    def _create_connection(cls, **values):
        return cls.env["copaco.connection"].create(
            {
                "name": "Test",
                "company_id": cls.company.id,
                "product_id": cls.product.id,
                "base_url": "http://127.0.0.1/",
                "import_from": date(2026, 11, 1),
                "fetch_purchases": False,
                # Most tests are about lines, and not about headings among them.
                "layout_id": False,
                **values,
            }
        )

    @contextmanager
    def committing(self, records):
        """Let the code under test commit: give it a cursor of its own.

        :param records: what to give in that cursor
        """
        # A browser test is in that mode from the beginning.
        self.env.flush_all()
        is_browser_test = isinstance(self, HttpCase)
        mode = nullcontext() if is_browser_test else self.enter_registry_test_mode()
        with mode, self.registry.cursor() as cr:
            yield records.with_env(records.env(cr=cr))
        self.env.invalidate_all()

    def get_refusal(self, records, action, *arguments):
        """Press a button, as a request that commits.

        :return: why it was refused, or ""
        """
        try:
            with self.committing(records) as committing:
                getattr(committing, action)(*arguments)
        except UserError as error:
            self.env.invalidate_all()
            return str(error)
        return ""

    @contextmanager
    def undone(self):
        """Take back what is done in this block."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def add_invoice(
        self,
        number,
        account,
        lines,
        created=CREATED,
        endpoint="customer-specifications",
        **values,
    ):
        """Give the simulator an invoice; see `copaco_invoice`."""
        self.simulator.add_invoice(
            copaco_invoice(number, account, lines, **values),
            created=created,
            endpoint=endpoint,
        )

    def add_known(self, number="INV-1", account="A1", lines=None, **values):
        """Give the simulator an invoice of a customer with the number K-1."""
        self.add_invoice(
            number,
            account,
            lines or [price_line("10.00"), price_line("2.50", number=2)],
            customer={"CustomerNumber": "K-1"},
            **values,
        )

    def fetch(self, connection=None, expect_failure=False):
        """Press the button.

        :return: the newest run
        """
        connection = connection or self.connection
        with self.committing(connection) as committing, mute_logger(*MUTED):
            # Not assertRaises: Odoo's takes back what was committed before.
            try:
                committing.action_fetch()
            except UserError as error:
                if not expect_failure:
                    raise
                self.failure = str(error)
            else:
                self.assertFalse(expect_failure, "the fetch did not fail")
        return self.env["copaco.run"].search(
            [("connection_id", "=", connection.id)], limit=1
        )

    def fetch_period(self, date_from, date_to):
        """Fetch a period by its dialog."""
        wizard = self.env["copaco.fetch"].create(
            {
                "connection_id": self.connection.id,
                "date_from": date_from,
                "date_to": date_to,
            }
        )
        with self.committing(wizard) as committing:
            committing.action_fetch()

    @classmethod
    def create_partner(cls, **values):
        return cls.env["res.partner"].create(
            {
                "name": "Partner",
                "is_company": True,
                "street": "Straat 1",
                "city": "Plaats",
                "country_id": cls.env.ref("base.nl").id,
                "vat": "/",
                **values,
            }
        )

    def create_delivery(self, move, state):
        """:return: a `copaco.delivery` of an invoice, which nobody is sending"""
        return (
            self.env["copaco.delivery"]
            .sudo()
            .create(
                {
                    "move_id": move.id,
                    "connection_id": self.connection.id,
                    "state": state,
                    "send_at": "2026-11-25 08:00:00",
                }
            )
        )

    def create_customer(self, account_ref, partner):
        """:return: a `copaco.customer` that is linked to a contact"""
        return (
            self.env["copaco.customer"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "account_ref": account_ref,
                    "partner_id": partner.id,
                    "state": "matched",
                }
            )
        )

    @classmethod
    def create_payment_terms(cls):
        """:return: `account.payment.term`: 30 % at once, the rest at the end of the
        next month"""
        return cls.env["account.payment.term"].create(
            {
                "name": "30% Advance End of Following Month",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": 30, "nb_days": 0}
                    ),
                    Command.create(
                        {
                            "value": "percent",
                            "value_amount": 70,
                            "delay_type": "days_after_end_of_next_month",
                            "nb_days": 0,
                        }
                    ),
                ],
            }
        )

    @property
    def nl(self):
        return self.env.ref("base.nl")

    @property
    def documents(self):
        return self.env["copaco.document"].search(
            [("company_id", "=", self.company.id)], order="id"
        )


class CopacoChangeCommon(CopacoCommon):
    """One customer, whose invoice Copaco sends again with other content."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def get_amounts(self, document):
        """:return: what the reconciliation says of each bucket that is not empty"""
        self.env.invalidate_all()
        found = self.env["copaco.reconciliation"]._reconcile_runs(document.run_id)
        return {
            part.bucket: round(part.amount, 2)
            for part in found[document.run_id].parts
            if part.amount
        }

    def send(self, *lines, number="INV-1"):
        """Let Copaco send these lines, and nothing else any more, and fetch that.

        :return: the document
        """
        self.simulator.invoices.clear()
        self.add_invoice(number, "A1", list(lines), customer={"CustomerNumber": "K-1"})
        self.fetch()
        return self.documents

    def act(self, records, action, *arguments):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*arguments)

    def get_correction(self, document):
        result = self.act(document, "action_correct")
        return self.env["account.move"].browse(result["res_id"])

    def assertWaits(self, document):
        self.assertRecordValues(
            document, [{"state": "changed", "hold_reason": "source_changed"}]
        )

    def assertBalanced(self):
        for run in self.env["copaco.run"].search([]):
            self.assertTrue(run.is_balanced, run.name)
