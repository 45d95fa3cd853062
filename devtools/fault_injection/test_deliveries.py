"""Confirm and send, against a mail server and an access point that misbehave."""

import json
import random
import time
from collections import Counter
from decimal import Decimal
from unittest.mock import patch

from fault_injection.figures import note, number, seed
from receivers import ACCEPT, DROP, LATE, REFUSE, SLOW, AccessPoint, MailServer

from odoo.addons.account_edi_proxy_client.models import account_edi_proxy_user
from odoo.addons.account_peppol.models import res_partner
from odoo.addons.account_peppol.tools.peppol_iap_connector import PEPPOL_PROXY_URLS
from odoo.addons.base.models import ir_mail_server

from ..processes.case import MultiprocessCase, start_simulator
from ..processes.reseller import create_contacts, price_lines
from ..processes.workers import (
    environment,
    have_jobs_due,
    jobs_are_due,
    press_send_again,
    work_as_scheduler,
)

CUSTOMERS = 6
BEHAVIOURS = (ACCEPT, REFUSE, DROP, SLOW, LATE)
# How long Odoo waits for an answer; a real server gets 10 to 60 seconds.
PATIENCE = 1.5
DELAYS = {SLOW: 0.2, LATE: 3}
MAX_TURNS = 50
DOCUMENT_TYPES = (
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0",
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
)
# Who has written lines of invoices and has not committed them yet.
UNCOMMITTED = """
    SELECT count(*) FROM pg_locks
     WHERE relation = 'account_move_line'::regclass AND mode = 'RowExclusiveLock'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
DELIVERIES = """
    SELECT delivery.id, move.name, delivery.state, coalesce(delivery.reason::text, '')
      FROM copaco_delivery delivery JOIN account_move move ON move.id = move_id
     WHERE delivery.company_id = %(company)s
"""
UNTOLD = """
    SELECT move.name FROM account_move move
     WHERE move.company_id = %(company)s AND move.state = 'posted'
       AND move.copaco_document_id IS NOT NULL AND move.amount_total != 0
       AND NOT EXISTS (SELECT 1 FROM copaco_delivery WHERE move_id = move.id)
"""
LET_HOURS_PASS = """
    UPDATE copaco_delivery
       SET send_at = send_at - interval '2 hours',
           tried_at = tried_at - interval '2 hours'
     WHERE company_id = %(company)s AND state IN ('waiting', 'sending')
"""


class TestDeliveries(MultiprocessCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(f"{seed()} {self.id()}")
        self.attack = "before the first attack"
        self.mail_server = self.enterContext(MailServer())
        self.access_point = self.enterContext(AccessPoint())
        self.uncommitted = 0
        self.arrived_before = Counter()
        for receiver in self.receivers:
            receiver.on_request = self._note_uncommitted
        urls = dict.fromkeys(PEPPOL_PROXY_URLS, self.access_point.url)
        self.enterContext(patch.dict(PEPPOL_PROXY_URLS, urls))
        for module, name in (
            (ir_mail_server, "SMTP_TIMEOUT"),
            (account_edi_proxy_user, "DEFAULT_TIMEOUT"),
            (res_partner, "TIMEOUT"),
        ):
            self.enterContext(patch.object(module, name, PATIENCE))
        self.simulator = start_simulator(customers=CUSTOMERS, months=1, lines=60)
        self.patterns = [invoice.encode() for invoice in self.simulator.invoices]
        create_contacts(self.simulator.customers)
        self.reseller = self.make_reseller(self.simulator, "send", 5)
        self._prepare_contacts()
        self._register()

    @property
    def receivers(self):
        return self.mail_server, self.access_point

    def test_nothing_counts_as_sent_that_did_not_arrive(self):
        figures, started = Counter(), time.monotonic()
        for attempt in range(number("DELIVERIES")):
            self._deliver(attempt)
            behaviours = [self.random.choice(BEHAVIOURS) for _ in self.receivers]
            for receiver, behaviour in zip(self.receivers, behaviours, strict=True):
                receiver.behave(behaviour, DELAYS.get(behaviour, 0))
            self.attack = f"round {attempt}, {behaviours}"
            if self.random.random() < 0.3:
                self.attack += ", killed"
                have_jobs_due()
                self.workers.kill(work_as_scheduler, seconds=self.random.uniform(1, 9))
            self._work()
            figures["times"] += 1
            self.assertProved()
            self.assertArrivedOnce()
            self._mend()
        self.assertTrue(self.mail_server.mails)
        self.assertTrue(self.access_point.documents)
        figures["documents"] = len(self.reseller.query(DELIVERIES))
        seconds = time.monotonic() - started
        note("receivers misbehave, send", lost=0, seconds=seconds, **figures)

    def assertProved(self):
        """What is said to be sent arrived, and all else is told, with its reason."""
        arrived = self._count_arrived()
        self.assertEqual(self.reseller.query(UNTOLD), [])
        self.assertEqual(self.uncommitted, 0, "requests while books were uncommitted")
        self.reseller.query(LET_HOURS_PASS)
        with environment() as env:
            deliveries = env["copaco.delivery"].search(
                [("company_id", "=", self.reseller.company_id)]
            )
            self.assertTrue(deliveries)
            for delivery in deliveries:
                if delivery.state == "sent":
                    self.assertTrue(arrived[delivery.move_id.name])
                    continue
                self.assertTrue(delivery.is_unsent, delivery.state)
                self.assertIn(delivery.move_id.name, delivery.message)
            unsent = deliveries.filtered("is_unsent")
            env["copaco.activity.monitor"]._update_activity(unsent.connection_id)
            for connection in unsent.connection_id:
                self.assertIn("could not be sent", connection.activity_ids.summary)

    def assertArrivedOnce(self):
        """Nothing is sent twice unless a person says so."""
        arrived = self._count_arrived() - self.arrived_before
        twice = {name for name, count in arrived.items() if count > 1}
        self.assertEqual(twice, set())

    def _mend(self):
        """The servers recover, and a person sends again all that could not be sent."""
        for receiver in self.receivers:
            receiver.behave()
        codes = self.workers.run_together(press_send_again(self.reseller.company_id))
        self.assertEqual(codes, [0], self.workers.problems())
        self._work()
        rows = self.reseller.query(DELIVERIES)
        self.assertEqual([row for row in rows if row[2] != "sent"], [])
        arrived = self._count_arrived()
        self.assertEqual([row for row in rows if not arrived[row[1]]], [])
        self.arrived_before = arrived

    def _count_arrived(self):
        """Return how often each invoice arrived, by Peppol or else by e-mail."""
        names = {row[1] for row in self.reseller.query(DELIVERIES)}
        contents = [content.decode() for _to, content in self.access_point.documents]
        return Counter(
            {
                name: sum(f">{name}<" in content for content in contents)
                + self.mail_server.count(name)
                for name in names
            }
        )

    def _work(self):
        have_jobs_due()
        for _turn in range(MAX_TURNS):
            self.assertEqual(
                self.workers.run_together(work_as_scheduler),
                [0],
                self.workers.problems(),
            )
            if not jobs_are_due():
                return
        self.fail("the scheduler comes to no end")

    def _deliver(self, attempt):
        """Let the portal have a new invoice for each customer."""
        self.simulator.invoices.clear()
        for pattern in self.patterns:
            content = json.loads(pattern, parse_float=Decimal)
            content["Header"]["InvoiceID"] += f"-{attempt}"
            for line in price_lines(content["Customers"][0]):
                line["InvoiceRowHash"] += f"-{attempt}"
            self.simulator.add_invoice(content, self.simulator.today)
        self.reseller.forget_what_was_asked()

    def _note_uncommitted(self):
        ((count,),) = self.reseller.query(UNCOMMITTED)
        self.uncommitted += count

    def _prepare_contacts(self):
        """Half of them want invoices by e-mail, the others by Peppol."""
        with environment() as env:
            company = env["res.company"].browse(self.reseller.company_id)
            names = [customer.name for customer in self.simulator.customers]
            partners = env["res.partner"].search([("name", "in", names)])
            for position, partner in enumerate(partners, start=10):
                partner = partner.with_company(company)
                address = f"123456{position}"
                values = {
                    "email": f"customer{position}@example.com",
                    "invoice_sending_method": "email",
                }
                if position % 2:
                    values = {
                        "country_id": env.ref("base.nl").id,
                        "street": "Laan 1",
                        "zip": "1000 AA",
                        "city": "Utrecht",
                        "peppol_eas": "0106",
                        "peppol_endpoint": address,
                        "invoice_sending_method": "peppol",
                        "invoice_edi_format": "nlcius",
                    }
                    participant = f"0106:{address}"
                    self.access_point.participants[participant] = DOCUMENT_TYPES
                partner.write(values)

    def _register(self):
        """Register the company for Peppol, and give it the mail server."""
        with environment() as env:
            env["ir.config_parameter"].set_param("account_peppol.edi.mode", "test")
            env["ir.mail_server"].search([]).unlink()
            env["ir.mail_server"].create(
                {
                    "name": "Test",
                    "smtp_host": "127.0.0.1",
                    "smtp_port": self.mail_server.port,
                }
            )
            company = env["res.company"].browse(self.reseller.company_id)
            self.access_point.participants["0106:87654321"] = DOCUMENT_TYPES
            company.write(
                {
                    "street": "Kade 1",
                    "zip": "1000 AA",
                    "city": "Amsterdam",
                    "email": "reseller@example.com",
                    "peppol_eas": "0106",
                    "peppol_endpoint": "87654321",
                    "account_peppol_proxy_state": "receiver",
                    "bank_ids": [(0, 0, {"acc_number": "NL91ABNA0417164300"})],
                }
            )
            key = env["certificate.key"]._generate_rsa_private_key(company, name="key")
            env["account_edi_proxy_client.user"].create(
                {
                    "id_client": f"client-{company.id}",
                    "company_id": company.id,
                    "proxy_type": "peppol",
                    "edi_mode": "test",
                    "edi_identification": "0106:87654321",
                    "private_key_id": key.id,
                    "refresh_token": "dGVzdA==",
                }
            )

    def _formatMessage(self, msg, standardMsg):
        message = super()._formatMessage(msg, standardMsg)
        return f"{message}\nSEED={seed()}, {self.attack}"
