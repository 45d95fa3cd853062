from contextlib import contextmanager
from functools import wraps
from itertools import product
from operator import itemgetter
from unittest.mock import patch

import psycopg2

from odoo.exceptions import (
    AccessError,
    MissingError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.tests import freeze_time, tagged

from .figures import choose
from .refusal_case import GOOD, RefusalCase

# What another module may raise, and what of it a person must be told.
MESSAGE = "This customer needs a project code."
TOLD = [
    (UserError(MESSAGE), MESSAGE),
    (ValidationError(MESSAGE), MESSAGE),
    (MissingError(MESSAGE), MESSAGE),
    (AccessError(MESSAGE), MESSAGE),
    (RedirectWarning(MESSAGE, 1, "Go there"), MESSAGE),
]
UNFORESEEN = [
    (error("x"), error.__name__)
    for error in (
        *(psycopg2.IntegrityError, psycopg2.DataError, psycopg2.ProgrammingError),
        *(KeyError, TypeError, ZeroDivisionError, RecursionError),
        *(StopIteration, AssertionError, NotImplementedError, UnicodeError, Exception),
    )
]


@tagged("post_install", "-at_install", "copaco_faults")
@freeze_time("2026-11-25 10:00:00")
class TestOtherModules(RefusalCase):
    """What another module says when an invoice is made or confirmed."""

    def test_any_exception_of_another_module_holds_only_its_document(self):
        errors = [
            *((error, "unexpected_error", words) for error, words in TOLD),
            *((error, "unexpected_error", words) for error, words in UNFORESEEN),
            (MemoryError("x"), "too_large", "limit_memory_hard"),
        ]
        operations = ("draft", "create"), ("post", "create"), ("post", "_post")
        cases = [
            (*operation, *error)
            for operation, error in product(operations, errors)
            # See test_an_invoice_that_may_not_be_confirmed_yet_stays_a_draft.
            if operation != ("post", "_post") or MESSAGE not in error
        ]
        chosen = choose(cases, kind=itemgetter(1, 3))
        for policy, method, error, reason, words in chosen:
            with self.raised(policy, method, error):
                with self.refused(reason, words), self.raising(method, error):
                    self.run_schedule()
                self.retry()

    def test_an_invoice_that_may_not_be_confirmed_yet_stays_a_draft(self):
        for error, words in choose(TOLD):
            with self.raised("post", "_post", error):
                with self.left_as_draft(words), self.raising("_post", error):
                    self.run_schedule()
                self.confirm()

    @contextmanager
    def raised(self, policy, method, error):
        with self.subTest(policy=policy, method=method, error=error):
            with self.undone():
                self.connection.invoice_policy = policy
                yield
            del self.simulator.invoices[len(GOOD) :]

    @contextmanager
    def raising(self, method, error):
        """Let a method of invoices raise an error for the bad contact's, after it has
        done its work."""
        original = getattr(self.registry["account.move"], method)
        bad_id = self.bad_partner.id

        @wraps(original)
        def raise_afterwards(moves, *args, **kwargs):
            result = original(moves, *args, **kwargs)
            if bad_id in (result or moves).partner_id.ids:
                raise error
            return result

        with patch.object(self.registry["account.move"], method, raise_afterwards):
            yield

    def test_a_constraint_of_the_database_holds_only_its_document(self):
        self.env.cr.execute(
            "ALTER TABLE account_move ADD CONSTRAINT someone_elses "
            "CHECK (invoice_origin <> 'BAD-1') NOT VALID"
        )
        with self.refused("unexpected_error", "CheckViolation"):
            pass
        self.env.cr.execute("ALTER TABLE account_move DROP CONSTRAINT someone_elses")
        self.retry()

    def test_an_error_while_looking_for_the_customer_holds_only_its_document(self):
        matcher = self.registry["copaco.customer.matcher"]
        original = matcher._match_customer

        def spoilt(self, customer, *args):
            if customer.account_ref == "A-BAD":
                raise KeyError("x")
            return original(self, customer, *args)

        with (
            self.refused("unexpected_error", "KeyError"),
            patch.object(matcher, "_match_customer", spoilt),
        ):
            self.run_schedule()
        self.retry()
