"""Copaco's charges move between numbers, days, accounts and companies, are fetched in
any part, and a bookkeeper decides: in the end each is billed once, to the cent."""

import logging
import os
import time

from odoo.tests import freeze_time, tagged

from .common import CopacoCommon
from .content_copaco import FIRST_DAY
from .content_machine import ContentMachine
from .properties import (
    HealthCheck,
    Phase,
    run_state_machine_as_test,
    seed,
    settings,
)

_logger = logging.getLogger(__name__)

# More, or other ones, by the environment.
EXAMPLES = int(os.environ.get("COPACO_CONTENT_EXAMPLES", "4"))
STEPS = int(os.environ.get("COPACO_CONTENT_STEPS", "12"))
SEED = os.environ.get("COPACO_CONTENT_SEED")


@tagged("post_install", "-at_install")
class TestContentMachine(CopacoCommon):
    """Promises 1, 2, 4 and 8, whatever becomes of Copaco's charges. What it found is in
    `test_content_found`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls._create_company(name="Branch", parent_id=cls.company.id)
        cls.companies = cls.company | cls.branch
        cls.env.user.company_ids |= cls.branch
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.companies.ids}
        )
        cls.connection.import_from = FIRST_DAY
        cls.other_connection = cls._create_connection(
            name="Branch",
            company_id=cls.branch.id,
            import_from=FIRST_DAY,
        )
        cls.connections = (cls.connection | cls.other_connection).with_env(cls.env)
        cls.billing_user.company_ids |= cls.branch

    def begin_episode(self, policy, grouping, is_split):
        self.connections.invoice_policy = policy
        self.connections.invoice_grouping = grouping
        self.env["ir.default"].set("copaco.customer", "is_split_by_po", is_split)
        self.partners = [
            self.create_partner(name=f"Partner {number}", ref=f"K-{number}")
            for number in (0, 1)
        ]
        self.doubles = [
            self.create_partner(name=f"Partner {number} again") for number in (0, 1)
        ]

    def fetch_days(self, connection, date_from, date_to):
        wizard = self.env["copaco.fetch"].create(
            {
                "connection_id": connection.id,
                "date_from": date_from,
                "date_to": date_to,
            }
        )
        with self.committing(wizard) as committing:
            committing.action_fetch()

    def test_each_charge_is_billed_once(self):  # pylint: disable=missing-return
        case = self
        self.connections.base_url = self.simulator.url
        self.connections.api_key = "simulator-key"
        self.connections.flush_recordset()

        class Machine(ContentMachine):
            def __init__(self):
                super().__init__()
                self.case, self.frozen, self.copaco = case, frozen, None
                self.savepoint = case.env.cr.savepoint(flush=True)

            def teardown(self):
                try:
                    return super().teardown()
                finally:
                    self.savepoint.rollback()
                    self.savepoint.close(rollback=True)
                    case.env.invalidate_all()

        options = settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=SEED is None,
            print_blob=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        started = time.perf_counter()
        with freeze_time(f"{FIRST_DAY} 10:00:00") as frozen:
            machine = Machine if SEED is None else seed(int(SEED))(Machine)
            run_state_machine_as_test(machine, settings=options)
        _logger.info(
            "%s random steps, %.1f s", Machine.taken, time.perf_counter() - started
        )
