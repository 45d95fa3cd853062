"""This addon: the whole job, from bytes on the wire to checked invoices."""

import gzip
import hashlib
import json
import time
from datetime import date

from odoo.tools import split_every

from odoo.addons.account_copaco.const import BATCH_SIZE

from ..processes import workers
from .month import TODAY, VENDOR, WARM_UP_DAY, WARM_UP_INVOICES

# The month without the invoices to warm up with.
MONTH = (date(TODAY.year, TODAY.month, 20), TODAY)
WARM_UP = (WARM_UP_DAY, WARM_UP_DAY)


HISTORY_DOCUMENTS = """
    INSERT INTO copaco_document (
               connection_id, company_id, root_company_id, run_id, kind, state,
               invoice_number, account_key, customer_id, currency_id, move_id)
    SELECT connection_id, company_id, root_company_id, run_id, kind, state,
           concat(id, '-', month), account_key, customer_id, currency_id, move_id
      FROM copaco_document, generate_series(1, %(months)s) month"""
HISTORY_LINES = """
    INSERT INTO copaco_document_line (
               document_id, row_hash, subscription_ref, description, quantity,
               extended_price, date_start, date_end)
    SELECT history.id, concat(line.row_hash, '#', month),
           line.subscription_ref, line.description,
           line.quantity, line.extended_price,
           line.date_start - month * interval '1 month',
           line.date_end - month * interval '1 month'
      FROM copaco_document document
      JOIN copaco_document_line line ON line.document_id = document.id,
           generate_series(1, %(months)s) month
      JOIN copaco_document history ON true
     WHERE history.invoice_number = concat(document.id, '-', month)"""


class Job:
    """A connection to the portal, warmed up.

    :param portal: a ``Portal``
    :param undecidable: the customers that a person had to link
    """

    def __init__(self, books, portal, policy, undecidable):
        self.env = books.env
        self.books = books
        self.portal = portal
        self._link(books, undecidable)
        self.connection = self.env["copaco.connection"].create(
            {
                "name": "Benchmark",
                "product_id": books.product.id,
                "base_url": portal.url,
                "api_key": "simulator-key",
                "invoice_policy": policy,
                "import_from": MONTH[0],
                "fetch_purchases": False,
                # Others put no headings among the lines.
                "layout_id": False,
                "purchase_policy": "create",
                "vendor_id": books.partner_ids[VENDOR],
            }
        )
        self.create_invoices(self.fetch(WARM_UP))
        assert self.run.invoiced_count == WARM_UP_INVOICES

    def fetch(self, window=MONTH, kind="specification"):
        """Fetch and store; return the documents that were received."""
        self.run = self.connection.env["copaco.run.scheduler"]._create_runs(
            self.connection, "manual", *window, [kind]
        )
        self.env.cr.commit()
        self.run.env["copaco.run.scheduler"]._execute(self.run)
        return self.run.document_ids

    def create_invoices(self, documents):
        """Make the invoices of these documents."""
        documents.env["copaco.processor"]._process_waiting(documents)
        assert self.run.is_balanced, self.run.name

    def read_barely(self):
        """Do with the bytes of the response what nobody can do without."""
        raw = self.get_answer()
        json.loads(raw)
        hashlib.sha256(raw).hexdigest()

    def get_answer(self):
        """Return the bytes that Copaco sent."""
        return gzip.decompress(self.run.payload_id.raw)

    def remember_years(self, years):
        """Have the month's documents in the database for all months of so many years
        before: the same subscriptions at the same prices, with row hashes of their
        own, as Copaco's are of the lines of an invoice."""
        self.env.flush_all()
        months = {"months": 12 * years}
        self.env.cr.execute(HISTORY_DOCUMENTS, months)
        self.env.cr.execute(HISTORY_LINES, months)
        self.env.cr.execute("ANALYZE copaco_document, copaco_document_line")
        self.env.cr.commit()
        self.env.invalidate_all()

    def find_duplicates(self):
        """Look for the charges of the month elsewhere, batch by batch, as it is done
        before invoices are made of them."""
        documents = self.env["copaco.document"].search(
            [("connection_id", "=", self.connection.id), ("payload", "!=", False)]
        )
        finder = self.env["copaco.duplicate.finder"]
        for batch in split_every(BATCH_SIZE, documents.ids, documents.browse):
            assert not finder._find(batch)

    def compare_margins(self):
        """Pair the lines of both sides, and look for findings."""
        self.env["copaco.margin.checker"]._check_changed(self.connection)
        self.env.cr.commit()

    def find_in_month(self):
        """Pair the lines of the month, and look for findings, as if nobody had yet;
        return how many there are."""
        month = MONTH[0].replace(day=1)
        self.env.cr.execute("DELETE FROM copaco_finding WHERE date = %s", [month])
        self.env["copaco.margin.checker"]._check_months(self.connection, [month])
        self.env.cr.commit()
        return self.env["copaco.finding"].search_count([("date", "=", month)])

    def add_rules(self, count):
        """Make so many rules of the month's plans, and of texts, charge types and
        customers; all of them say the same product."""
        lines = self.run.document_ids.line_ids
        plans = sorted(set(filter(None, lines.mapped("plan_ref"))))
        customers = self.run.document_ids.customer_id
        conditions = [
            lambda at: {"plan_ref": plans[at % len(plans)], "charge_type": f"Fee {at}"},
            lambda at: {"plan_ref": plans[at % len(plans)]},
            lambda at: {"text_contains": f"Plan * number {at}"},
            lambda at: {"customer_id": customers[at % len(customers)].id},
        ]
        self.env["copaco.rule"].create(
            [
                {
                    "company_id": self.books.company.id,
                    "product_id": self.books.product.id,
                    **conditions[at % len(conditions)](at),
                }
                for at in range(count)
            ]
        )
        self.env.cr.commit()

    def decide_by_rules(self):
        """Let rules decide about the lines of the month, batch by batch, as it is done
        before invoices are made of them."""
        engine = self.env["copaco.rule.engine"]
        position = self.env["account.fiscal.position"]
        documents = self.run.document_ids
        for batch in split_every(BATCH_SIZE, documents.ids, documents.browse):
            book = engine._get_rule_book(batch.company_id)
            matches = {}
            for document in batch:
                matches |= engine._match_lines(document, position, book)
            self.env["copaco.document.line"]._set_matches(matches)
            self.env.flush_all()

    def press_fetch(self):
        """Do what the button does; return the progress that its user can see."""
        user = self.env.ref("base.user_admin")
        self.connection.with_user(user).action_fetch()
        return self.progress()

    def go_on(self, seconds=None):
        """Do what the scheduled action does, for so long (none: until the end); return
        the progress."""
        deadline = seconds and time.monotonic() + seconds
        waiting = self.env["copaco.document"].search([("state", "=", "new")])
        waiting.env["copaco.processor"]._process_waiting(waiting, deadline)
        return self.progress()

    def progress(self):
        """Return how far the run is that brought the month, in percent."""
        self.env.invalidate_all()
        return max(self.connection.run_ids, key=lambda run: run.received_count).progress

    def _link(self, books, customers):
        self.env["copaco.customer"].create(
            [
                {
                    "company_id": books.company.id,
                    "account_ref": customer.account_ref,
                    "customer_number": customer.customer_number,
                    "partner_id": books.partner_ids[customer.account_ref],
                    "state": "matched",
                }
                for customer in customers
            ]
        )


def share_work(count, log):
    """Let so many processes make the invoices of all documents that wait.

    :return: the seconds that it took
    """
    workers.PATIENCE = 3600
    started = time.monotonic()
    codes = workers.Workers(log).run_together(*[workers.process] * count)
    assert codes == [0] * count, log.read_text()
    return time.monotonic() - started
