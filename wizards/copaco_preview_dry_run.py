import logging
import time
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..client import ParsedResponse
from ..const import BATCH_SIZE
from ..exceptions import RETRYABLE_ERRORS, describe_system_error

_logger = logging.getLogger(__name__)

# How often it begins again when another worker stores the same at that moment.
ATTEMPTS = 3


class Response(NamedTuple):
    """What Copaco sent, or a file holds."""

    parsed: ParsedResponse
    date_from: date | None = None  # the first creation date that was asked for
    date_to: date | None = None  # the last


class Imported(NamedTuple):
    """What a dry run made; all of it is undone with its transaction."""

    runs: models.BaseModel
    documents: models.BaseModel  # every `copaco.document` that matters, as received
    invoiced: models.BaseModel  # those that had an invoice before
    missing: models.BaseModel  # those no longer at Copaco, which wasn't known
    contacts: models.BaseModel  # which it created, without an address


class CopacoPreviewDryRun(models.AbstractModel):
    """Carries the real import out in a transaction that can't be kept, and tells in
    plain values what it made there."""

    _name = "copaco.preview.dry.run"
    _description = "Copaco Dry Run"

    @api.model
    def _import(self, connection, kind, responses, deadline, create_contacts=False):
        """Store responses and create their invoices, read what became of it, and undo
        all of it.

        Nothing is left in the database and nothing leaves it; only the ids that its
        records had are not given out again, as after any transaction that failed.

        :param connection: `copaco.connection`
        :param kind: a value of `copaco.run.kind`
        :param responses: list of `Response`, oldest first
        :param deadline: `time.monotonic()` after which no batch is begun any more
        :param create_contacts: whether customers that nobody knows get a contact, too
        :return: list of values for `copaco.preview.document`; lists of values for its
            lines are under `line_ids`
        :raise UserError: when others were storing the same all the time, or the
            database had an error of its own
        """
        for _attempt in range(ATTEMPTS):
            try:
                with rolled_back(self.env) as env:
                    dry_run = env[self._name]
                    connection_there = env["copaco.connection"].browse(connection.id)
                    if connection_there.invoice_policy != "draft":
                        # Confirming may make other addons talk to the outside.
                        connection_there.invoice_policy = "draft"
                    imported = dry_run._store(connection_there, kind, responses)
                    if create_contacts:
                        imported = imported._replace(
                            contacts=dry_run._create_contacts(
                                imported.documents.customer_id
                            )
                        )
                    dry_run._process(imported.runs, deadline)
                    return env["copaco.preview.reader"]._read(imported, responses)
            except RETRYABLE_ERRORS as error:
                _logger.info("Copaco preview: concurrent update (%s)", type(error))
            except OperationalError as error:
                raise UserError(
                    self.env._(
                        "The preview of connection %(connection)s could not be "
                        "computed, because the database reported an error: %(error)s. "
                        "Ask your administrator to solve that. Nothing was changed.",
                        connection=connection.name,
                        error=describe_system_error(error),
                    )
                ) from error
        raise UserError(
            self.env._(
                "The preview of connection %(connection)s could not be computed, "
                "because others are storing the same documents. Wait a minute, then "
                "preview again.",
                connection=connection.name,
            )
        )

    @api.model
    def _store(self, connection, kind, responses):
        """:return: `Imported`"""
        Document = self.env["copaco.document"]
        numbers = {
            head.invoice_number
            for response in responses
            for head in response.parsed.heads
        }
        own = [("company_id", "=", connection.company_id.id), ("kind", "=", kind)]
        invoiced = Document.search(
            [
                *own,
                ("invoice_number", "in", list(numbers)),
                ("move_id", "!=", False),
            ]
        )
        known_missing = Document.search([*own, *Document._get_missing_domain()])
        runs, documents = self.env["copaco.run"], Document
        for response in responses:
            run = runs.create(
                {
                    "connection_id": connection.id,
                    "kind": kind,
                    "origin": connection.origin,
                    "date_from": response.date_from,
                    "date_to": response.date_to,
                    "started_at": fields.Datetime.now(),
                }
            )
            self.env["copaco.importer"]._import(run, response.parsed)
            runs += run
            documents |= self.env["copaco.importer"]._get_documents(
                run, response.parsed
            )
        missing = Document.search([*own, *Document._get_missing_domain()])
        missing -= known_missing
        contacts = self.env["res.partner"]
        return Imported(runs, documents | missing, invoiced, missing, contacts)

    @api.model
    def _create_contacts(self, customers):
        """Give customers that nobody knows a contact of the same name, so that there
        is an invoice to be seen. It has nothing else: addons look numbers up outside.

        :return: these contacts
        """
        contacts = self.env["res.partner"]
        self.env["copaco.customer.linker"]._match(customers)
        for customer in customers.filtered(
            lambda each: each.state in ("unmatched", "suggested")
        ):
            vals = self.env["copaco.contact.builder"]._prepare_contact(customer)
            names = ("name", "is_company", "country_id", "company_id")
            partner = self.env["res.partner"].create(
                {name: vals[name] for name in names}
            )
            customer._link(partner, "created")
            contacts += partner
        return contacts

    @api.model
    def _process(self, runs, deadline):
        """As `copaco.run.scheduler._finish_now`, whose batches are committed."""
        documents = runs.document_ids | runs.version_ids.document_id
        waiting = documents.filtered_domain(documents._get_waiting_domain())
        for batch in split_every(BATCH_SIZE, sorted(waiting.ids), documents.browse):
            if time.monotonic() > deadline or self._blocks_others():
                return
            self.env["copaco.invoice.writer"]._try_each(
                batch, self.env["copaco.processor"]._process
            )

    @api.model
    def _blocks_others(self):
        """Whether another transaction waits for this one, such as a fetch that stores
        the same documents: a preview must keep nobody from working."""
        self.env.cr.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return self.env.cr.fetchone()[0]


@contextmanager
def rolled_back(env):
    """Open a transaction of its own that always ends as if it had never been.

    Committing in it raises, so that a mistake is an error and never an invoice; a hook
    of Odoo's before commits would also run at each savepoint.

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
