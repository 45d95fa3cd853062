import logging
import time
from contextlib import contextmanager

from dateutil.relativedelta import relativedelta
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..models.copaco_document import BATCH_SIZE
from ..models.copaco_run import COLLISIONS

_logger = logging.getLogger(__name__)

# How often it begins again when another worker stores the same at that moment.
ATTEMPTS = 3


class CopacoPreviewDryRun(models.AbstractModel):
    """Carries the real import out in a transaction that can't be kept, and tells in
    plain values what it made there."""

    _name = "copaco.preview.dry.run"
    _description = "Copaco Dry Run"

    @api.model
    def _import(self, connection, kind, responses, deadline, lend_contacts=False):
        """Store answers and make their invoices, read what came of it, undo it all.

        Nothing is left in the database and nothing leaves it; only the ids that its
        records had are not given out again, as after any transaction that failed.

        :param connection: `copaco.connection`
        :param kind: a value of `copaco.run.kind`
        :param responses: list of `ParsedResponse`, oldest first
        :param deadline: `time.monotonic()` after which no batch is begun any more
        :param lend_contacts: whether customers that nobody knows get a contact, too
        :return: list of values for `copaco.preview.document`; lists of values for its
            lines are under `line_ids`
        :raise UserError: when others were storing the same all the time
        """
        for _attempt in range(ATTEMPTS):
            try:
                with rolled_back(self.env) as env:
                    dry_run = env[self._name]
                    connection = env["copaco.connection"].browse(connection.id)
                    if connection.invoice_policy != "draft":
                        # Confirming may make other addons talk to the outside.
                        connection.invoice_policy = "draft"
                    runs, documents = dry_run._store(connection, kind, responses)
                    if lend_contacts:
                        dry_run._lend_contacts(documents.customer_id)
                    waiting = documents.search(
                        [*documents._get_waiting_domain(), ("run_id", "in", runs.ids)],
                        order="id",
                    )
                    dry_run._process(waiting, deadline)
                    return dry_run._read(runs, documents) + [
                        {
                            "outcome": "unreadable",
                            "message": rejected.reason,
                            "payload": rejected.payload,
                        }
                        for response in responses
                        for rejected in response.rejected
                    ]
            except (*COLLISIONS, UniqueViolation) as error:
                _logger.info("Copaco preview collided: %s", type(error))
        raise UserError(
            self.env._(
                "The preview of connection %(connection)s was in the way of others who "
                "are storing the same documents. Wait a minute, then preview again.",
                connection=connection.name,
            )
        )

    # === BUSINESS METHODS: WHAT THE IMPORT DOES === #

    @api.model
    def _store(self, connection, kind, responses):
        """:return: (the runs, every document that the answers hold, as they came)"""
        runs, documents = self.env["copaco.run"], self.env["copaco.document"]
        for response in responses:
            # Without a window: it would move the connection's watermark.
            run = runs.create(
                {
                    "connection_id": connection.id,
                    "kind": kind,
                    "started_at": fields.Datetime.now(),
                }
            )
            run._store(response)
            runs += run
            documents |= self._get_documents(run, response)
        return runs, documents

    @api.model
    def _get_documents(self, run, response):
        Document = self.env["copaco.document"]
        customers = {
            customer.account_ref: customer
            for customer in self.env["copaco.customer"].search(
                [
                    ("company_id", "=", run.company_id.id),
                    ("account_ref", "in", [s.account_ref for s in response.documents]),
                ]
            )
        }
        stored = Document._get_known(
            run.company_id, run.kind, response.documents, customers
        )
        return Document.union(
            *(
                stored[Document._get_source_key(source, customers)]
                for source in response.documents
            )
        )

    @api.model
    def _lend_contacts(self, customers):
        """Give customers that nobody knows a contact of the same name, so that there
        is an invoice to be seen. It has nothing else: addons look numbers up outside.
        """
        customers._match()
        for customer in customers.filtered(
            lambda each: each.state in ("unmatched", "suggested")
        ):
            vals = customer._prepare_contact()
            names = ("name", "is_company", "country_id", "company_id")
            partner = self.env["res.partner"].create(
                {name: vals[name] for name in names}
            )
            customer._link(partner, "created")

    @api.model
    def _process(self, documents, deadline):
        """As `copaco.document._process_waiting`, which commits."""
        for batch in split_every(BATCH_SIZE, documents.ids, documents.browse):
            if time.monotonic() > deadline:
                return
            self._process_batch(batch)

    @api.model
    def _process_batch(self, batch):
        try:
            with self.env.cr.savepoint():
                batch._process()
        except COLLISIONS:
            raise
        except Exception as error:  # noqa: BLE001 # found below, one by one
            if len(batch) == 1:
                batch._hold(self.env["copaco.invoicer"]._get_error_hold(batch, error))
                return
            for document in batch:
                self._process_batch(document)

    # === BUSINESS METHODS: WHAT IT MADE === #

    @api.model
    def _read(self, runs, documents):
        # Account codes are those of a company.
        documents = documents.with_company(documents.company_id)
        months = self._get_months(documents)
        return [
            self._prepare_document(document, runs, months) for document in documents
        ]

    @api.model
    def _prepare_document(self, document, runs, months):
        """:param months: see `_get_months`
        :return: values for `copaco.preview.document`
        """
        change = document.version_ids.filtered(
            lambda version: version.state == "pending" and version.run_id in runs
        )[:1]
        outcome = self._get_outcome(document, runs, change)
        has_move = outcome != "changed" and document.state in ("invoiced", "changed")
        move = document.move_id if has_move else None
        vals = {
            "outcome": outcome,
            "document_id": document.id,
            "invoice_number": document.invoice_number,
            "customer_name": document.customer_id.name,
            "partner_name": (move or document).partner_id.display_name,
            "invoice_date": document.invoice_date,
            "currency_id": document.currency_id.id,
            "line_count": (change or document).line_count,
            "amount_untaxed": (change or document).amount_source,
            "hold_reason": document.hold_reason,
            "message": document.hold_message or document.exclude_reason,
            "difference": change.difference,
            **self._compare_months(document, months),
        }
        if move:
            vals.update(
                move_type=move.move_type,
                amount_untaxed=move.amount_untaxed,
                amount_tax=move.amount_tax,
                amount_total=move.amount_total,
            )
        if outcome == "invoiced":
            vals["line_ids"] = self._prepare_invoice_lines(move)
        elif outcome != "known":
            vals["line_ids"] = self._prepare_source_lines(document)
        return vals

    @api.model
    def _get_outcome(self, document, runs, change):
        if change:
            return "changed"
        if document.run_id not in runs:
            return "known"
        return "not_computed" if document.state == "new" else document.state

    @api.model
    def _prepare_invoice_lines(self, move):
        return [
            {
                "sequence": sequence,
                "name": line.name,
                "vendor_details": line.copaco_vendor_details,
                "quantity": line.quantity,
                "price_unit": line.price_unit,
                "discount": line.discount,
                "taxes": ", ".join(line.tax_ids.mapped("name")),
                "account": line.account_id.display_name,
                "price_subtotal": line.price_subtotal,
                "price_total": line.price_total,
            }
            for sequence, line in enumerate(
                move.invoice_line_ids.sorted(lambda line: (line.sequence, line.id)), 1
            )
        ]

    @api.model
    def _prepare_source_lines(self, document):
        """The lines of a document without an invoice, as Copaco sent them."""
        return [
            {
                "sequence": line.sequence,
                "name": self.env["copaco.mapper"]._get_line_text(line, True, False),
                "vendor_details": line.vendor_details,
                "quantity": line.quantity,
                "price_unit": line.unit_price,
                "discount": 0.0,
                "price_subtotal": line.amount,
            }
            for line in document.line_ids
        ]

    @api.model
    def _get_months(self, documents):
        """Add up what customers pay without tax, by month of invoice date.

        :return: dict of amounts by (customer, currency, first day of the month)
        """
        dates = list(filter(None, documents.mapped("invoice_date")))
        if not dates:
            return {}
        return {
            tuple(group): amount
            for *group, amount in documents._read_group(
                [
                    ("customer_id", "in", documents.customer_id.ids),
                    ("kind", "=", "specification"),
                    ("state", "!=", "excluded"),
                    ("invoice_date", ">=", _get_month(min(dates), -1)),
                ],
                ["customer_id", "currency_id", "invoice_date:month"],
                ["amount_source:sum"],
            )
        }

    @api.model
    def _compare_months(self, document, months):
        if not (document.customer_id and document.invoice_date):
            return {}
        owner = document.customer_id, document.currency_id
        return {
            f"{name}_amount": months.get(
                (*owner, _get_month(document.invoice_date, distance)), 0.0
            )
            for name, distance in (("month", 0), ("last_month", -1))
        }


@contextmanager
def rolled_back(env):
    """Open a transaction of its own that always ends as if it had never been.

    Committing in it raises, so that a mistake is an error and never an invoice.

    :return: context manager; gives the environment of the same user there, with the
        rights of the import, in which nobody is told anything
    """
    cr = env.registry.cursor()
    try:
        cr.commit = _refuse_commit
        yield env(
            cr=cr,
            su=True,
            context={
                **env.context,
                "copaco_refresh_later": True,
                "mail_activity_automation_skip": True,
            },
        )
    finally:
        cr.rollback()
        cr.close()


def _refuse_commit():
    raise RuntimeError("A preview is never committed.")


def _get_month(day, distance):
    """:return: the first day of the month that is so many months away"""
    return day.replace(day=1) + relativedelta(months=distance)
