"""A reseller in Odoo, and what its books must be, read with plain SQL."""

import gzip
import json
import zlib
from collections import Counter
from contextlib import suppress
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .invariants import BOOKS, FAULTS, FAULTS_AT_REST, HOLD_REASONS, STORED
from .workers import environment

CENT = Decimal("0.01")
VENDOR = "Copaco Nederland B.V."


class Reseller:
    """A Dutch company with two connections to the same portal.

    :param simulator: the portal
    :param policy: ``draft``, ``post`` or ``send``
    :param overlap_days: how far a fetch looks back at what was fetched before
    :param fetch_purchases: whether what Copaco bills becomes draft bills
    :param invoice_grouping: ``document`` or ``month``
    """

    def __init__(
        self,
        name,
        simulator,
        policy,
        overlap_days,
        fetch_purchases=False,
        invoice_grouping="document",
    ):
        self.simulator = simulator
        with environment() as env:
            # Without it Odoo would install what the country has, with a lock on all
            # modules that workers which were just killed may still hold.
            companies = env["res.company"].with_context(install_mode=True)
            company = companies.create(
                {
                    "name": name,
                    "country_id": env.ref("base.nl").id,
                    # It would be looked up at Odoo's maker.
                    "iap_enrich_auto_done": True,
                }
            )
            company = company.with_env(env)
            env["account.chart.template"].try_loading("nl", company, install_demo=False)
            env.ref("base.user_admin").company_ids |= company
            product = env["product.product"].create(
                {
                    "name": "Cloud",
                    "taxes_id": company.account_sale_tax_id.ids,
                    "supplier_taxes_id": company.account_purchase_tax_id.ids,
                }
            )
            # The same for all resellers, whose books are compared.
            contacts = env["res.partner"]
            vendor = contacts.search([("name", "=", VENDOR)]) or contacts.create(
                {"name": VENDOR}
            )
            connections = env["copaco.connection"].create(
                [
                    {
                        "name": f"{name}, {number} portal account",
                        "company_id": company.id,
                        "product_id": product.id,
                        "base_url": simulator.url,
                        "api_key": simulator.api_key,
                        "invoice_policy": policy,
                        "invoice_grouping": invoice_grouping,
                        "import_from": min(each.created for each in simulator.invoices),
                        "overlap_days": overlap_days,
                        "fetch_purchases": fetch_purchases,
                        "purchase_policy": "create",
                        "vendor_id": vendor.id,
                    }
                    for number in ("first", "second")
                ]
            )
            self.company_id = company.id
            self.connection_ids = connections.ids
        self._parameters = {
            "company": self.company_id,
            "connections": tuple(self.connection_ids),
            "hold_reasons": HOLD_REASONS,
            "move_state": "draft" if policy == "draft" else "posted",
        }

    def faults(self, at_rest=True, besides=()):
        """Return dict of what is wrong with the books and the rows that show it.

        :param at_rest: whether nothing is at work any more, so that all must be done
        :param besides: faults that may be there
        """
        queries = FAULTS | FAULTS_AT_REST if at_rest else FAULTS
        found = {
            fault: self.query(query)
            for fault, query in queries.items()
            if fault not in besides
        }
        found["a response can't be read"] = self._unreadable_responses()
        found["a run is out of balance"] = self._unbalanced_runs()
        return {fault: rows for fault, rows in found.items() if rows}

    def _unreadable_responses(self):
        with environment() as env:
            runs = env["copaco.run"].search(
                [("company_id", "=", self.company_id), ("payload_id", "!=", False)]
            )
            return [run.id for run in runs if not _is_readable(run)]

    def _unbalanced_runs(self):
        with environment() as env:
            runs = env["copaco.run"].search([("company_id", "=", self.company_id)])
            return [run.id for run in runs if not run.is_balanced]

    def figures(self, expected):
        """Count what went wrong with the documents that should be here.

        :param expected: as ``sent_by`` returns
        :return: dict of how many ``documents`` are here, how many were ``lost`` (not
            here, or said to be invoiced and not), ``doubled``, and stored or invoiced
            by ``half`` (not all lines, or another amount)
        """
        figures = {"documents": 0, "lost": 0, "doubled": 0, "half": 0}
        received = Counter()
        for number, account, is_invoiced, line_count, amount, *found in self.query(
            STORED
        ):
            lines, invoices, booked_lines, booked_amount = found
            received[number, account] += 1
            figures["lost"] += is_invoiced and not invoices
            figures["doubled"] += max(invoices - 1, 0)
            figures["half"] += (
                lines != line_count
                or Decimal(amount) != expected[number, account]
                or booked_lines != line_count * invoices
                or Decimal(booked_amount) != Decimal(amount) * invoices
            )
        figures["documents"] = received.total()
        figures["lost"] += len(expected.keys() - received.keys())
        figures["doubled"] += received.total() - len(received)
        return figures

    def books(self):
        """Return the rows of ``BOOKS``, where nothing may differ between two resellers
        who received the same."""
        return self.query(BOOKS)

    def received(self):
        """Return dict of the amounts by number and account, as ``sent_by`` does."""
        rows = self.query(
            "SELECT invoice_number, account_ref, amount_source::text"
            "  FROM copaco_document document"
            "  JOIN copaco_customer customer ON customer.id = document.customer_id"
            " WHERE document.company_id = %(company)s"
        )
        return {(number, account): Decimal(amount) for number, account, amount in rows}

    def query(self, query):
        """Return the rows of an SQL query as tuples."""
        with environment() as env:
            env.cr.execute(query, self._parameters)
            return env.cr.fetchall() if env.cr.description else []

    def fetched_until(self):
        """Return the day until which everything that customers pay is said to be
        stored."""
        return self._get_last("fetched_until")

    def purchases_fetched_until(self):
        """Return the day until which everything that Copaco bills is said to be."""
        return self._get_last("purchases_fetched_until")

    def _get_last(self, column):
        ((day,),) = self.query(
            f"SELECT max({column}) FROM copaco_connection"
            " WHERE company_id = %(company)s"
        )
        return day or date.min

    def forget_what_was_asked(self):
        """Have it that all days have to be asked for again."""
        self.query(
            "UPDATE copaco_run SET origin = NULL WHERE company_id = %(company)s;"
            "UPDATE copaco_connection"
            "   SET fetched_until = NULL, purchases_fetched_until = NULL"
            " WHERE company_id = %(company)s"
        )

    def states(self):
        """Return dict of the number of documents by state."""
        return dict(
            self.query(
                "SELECT state, count(*) FROM copaco_document"
                " WHERE company_id = %(company)s GROUP BY 1"
            )
        )

    def let_half_an_hour_pass(self):
        """Make the runs that were interrupted older, so that they begin again."""
        self.query(
            "UPDATE copaco_run SET started_at = started_at - interval '31 minutes'"
            " WHERE company_id = %(company)s"
        )

    def finish_activities(self):
        """Do what the responsible user does on having read them."""
        self.query(
            "DELETE FROM mail_activity WHERE res_model = 'copaco.connection'"
            " AND res_id IN %(connections)s"
        )

    def retire(self):
        """Archive the connections."""
        with environment() as env:
            env["copaco.connection"].browse(self.connection_ids).active = False


def _is_readable(run):
    with suppress(OSError, EOFError, zlib.error):
        return len(gzip.decompress(run.payload_id.raw)) == run.payload_size
    return False


def create_contacts(customers, company_id=False):
    """Make the contacts of the simulator's customers, for one company or all."""
    with environment() as env:
        countries = {
            code: env["res.country"].search([("code", "=", code)]).id
            for code in ("NL", "BE")
        }
        env["res.partner"].create(
            [
                {
                    "name": customer.name,
                    "is_company": True,
                    "vat": customer.vat or "/",
                    "street": customer.street,
                    "city": customer.city,
                    "ref": "" if customer.vat else customer.customer_number,
                    "country_id": countries[customer.country_code],
                    "company_id": company_id,
                }
                for customer in customers
            ]
        )


def sent_by(simulator, until=date.max, purchases_until=date.min):
    """Return dict of what each customer must pay, and of what Copaco bills for it, by
    Copaco's number and account.

    :param until: the last creation date that counts
    :param purchases_until: that of what Copaco bills
    """
    amounts = Counter()
    sent = [each for each in simulator.invoices if each.created <= until]
    sent += [each for each in simulator.purchases if each.created <= purchases_until]
    for stored in sent:
        invoice = json.loads(stored.encode(), parse_float=Decimal)
        number = str(invoice["Header"]["InvoiceID"])
        for customer in invoice["Customers"]:
            for line in price_lines(customer):
                key = number, str(customer["AccountID"])
                amounts[key] += Decimal(line["ExtendedPrice"])
    return {
        key: amount.quantize(CENT, ROUND_HALF_UP) for key, amount in amounts.items()
    }


def price_lines(customer):
    """Return the price lines of an element of ``Customers``."""
    return [
        line
        for subscription in customer["Subscriptions"]
        for line in subscription["PriceLines"]
    ]
