import logging
import time

from psycopg2 import OperationalError
from psycopg2.errors import LockNotAvailable

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..const import BATCH_SIZE, BUTTON_SECONDS, CONCURRENCY_ATTEMPTS, KINDS
from ..exceptions import (
    CONCURRENCY_ERRORS,
    RETRYABLE_ERRORS,
    describe_system_error,
    get_message,
)
from ..hold_reasons import CUSTOMER_HOLD_REASONS, Hold
from ..tools import Pace, ask_for_whole_time, enumerate_names, notify, soft_reload
from .copaco_duplicate_finder import Exclusion

_logger = logging.getLogger(__name__)


class CopacoProcessor(models.AbstractModel):
    """From stored documents to invoices, in batches of which each is committed."""

    _name = "copaco.processor"
    _description = "Copaco Processor"

    # === WHILE A PERSON WAITS === #

    def _process_now(self, documents):
        """Process while a person waits; what takes longer goes on in the background.

        :param documents: `copaco.document` records
        :return: a notification with what became of these documents
        """
        if not documents:
            return False
        # What the person decided is kept, whatever happens to the invoices.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self._process_waiting(documents, time.monotonic() + BUTTON_SECONDS)
        counts = dict(
            documents.sudo()._read_group(
                [("id", "in", documents.ids)], ["state"], ["__count"]
            )
        )
        parts = [
            self.env._(
                "Invoiced: %(invoiced)s, held: %(held)s, excluded: %(excluded)s.",
                **{"invoiced": 0, "held": 0, "excluded": 0, **counts},
            )
        ]
        if counts.get("new"):
            parts.append(self.env["copaco.background"]._describe_rest())
        kind = "warning" if counts.get("held") else "success"
        return notify(kind, " ".join(parts), next=soft_reload())

    def _add_left_out(self, notification, reasons):
        """:param notification: of what was done, see `_process_now`, or False
        :param reasons: list of sentences: what was left out and why
        :return: a notification with both
        """
        if not reasons:
            return notification
        params = dict((notification or {}).get("params", {"next": soft_reload()}))
        message = "\n".join(filter(None, [params.pop("message", None), *reasons]))
        return notify(
            "warning", message, **(params | {"type": "warning", "sticky": True})
        )

    # === BATCHES === #

    def _process_waiting(self, documents, deadline=None):
        """Make the invoices of those of these documents that wait for it.

        Any number of workers may do this at once: a document that another one works on
        is passed over.

        :param documents: `copaco.document` records
        :param deadline: `time.monotonic()` after which the scheduled action goes on
        :raise UserError: when the database had an error of its own, such as a full
            disk; the documents that it concerns wait on, the others are done
        """
        self = self.sudo()
        waiting = self.env["copaco.document"].search(
            [*documents._get_waiting_domain(), ("id", "in", documents.ids)], order="id"
        )
        waiting |= self.env["copaco.invoice.grouper"]._find_others(waiting)
        # A rebuilt draft is counted with the run that received the change.
        runs = waiting.run_id | waiting._get_pending_version().run_id
        connections = waiting.connection_id
        planner, pace = self.env["copaco.batch.planner"], Pace()
        waiting = planner._sort(waiting)
        batch_size, conflicts, errors = BATCH_SIZE, 0, {}
        while waiting:
            if deadline and time.monotonic() > deadline:
                self.env["copaco.background"]._continue_invoicing()
                break
            batch = waiting.browse()
            try:
                locked = waiting.try_lock_for_update(limit=batch_size)
                # Another worker may have died since this one began.
                held = planner._hold_too_large(locked)
                batch = held or planner._choose(locked, pace, deadline)
                if not batch:
                    # Others are at all of them; or there is no time for the next one,
                    # which a worker that is woken at once has.
                    if locked or deadline:
                        ask_for_whole_time()
                        self.env["copaco.background"]._continue_invoicing()
                    break
                if not held:
                    self._process_batch(batch, pace)
                seconds_left = self.env["ir.cron"]._commit_progress(len(batch))
            except CONCURRENCY_ERRORS as error:
                # Another worker was in conflict: once more, with what it left.
                self.env.cr.rollback()
                conflicts += 1
                _logger.info("Copaco documents: concurrent update (%s)", type(error))
                if conflicts < CONCURRENCY_ATTEMPTS:
                    continue
                self.env["copaco.background"]._continue_invoicing()
                break
            except Exception as error:
                self.env.cr.rollback()
                if not batch:
                    raise
                if len(batch) > 1:
                    # Which one is it? It must not stop the others.
                    batch_size = 1
                    continue
                if isinstance(error, OperationalError):
                    errors[batch] = error
                else:
                    self._hold_for_error(batch, error)
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            conflicts = 0
            waiting -= batch
            if not seconds_left:
                break
        self.env["copaco.activity.monitor"]._refresh_progress(runs, connections)
        if errors:
            self._raise_database_error(errors)

    def _process_batch(self, batch, pace):
        """Make the invoices of locked documents; commits.

        :param pace: the `Pace` that learns how long that takes
        """
        started = time.monotonic()
        batch._begin_attempt()
        self.env.cr.commit()  # pylint: disable=invalid-commit # should it die now
        try:
            locked = batch.try_lock_for_update()
            self._process(locked.filtered_domain(locked._get_waiting_domain()))
            locked._end_attempt()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except Exception:
            self.env.cr.rollback()
            self._withdraw_attempt(batch)
            raise
        done = locked.filtered(lambda document: document.state == "invoiced")
        if done:
            pace.measure(done, time.monotonic() - started)

    def _withdraw_attempt(self, documents):
        """Note that an error is no death of the worker; commits."""
        try:
            documents._withdraw_attempt()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            # Others work on them and say how that ends.
            self.env.cr.rollback()

    def _raise_database_error(self, errors):
        """:param errors: dict of `OperationalError` by document"""
        error = next(iter(errors.values()))
        documents = self.env["copaco.document"].union(*errors)
        raise UserError(
            self.env._(
                "The invoices of %(documents)s could not be created, because the "
                "database reported an error: %(error)s. Ask your administrator to "
                "solve that. The documents are kept, and tried again every hour.",
                documents=", ".join(documents.mapped("name")),
                error=describe_system_error(error),
            )
        ) from error

    def _hold_for_error(self, document, error):
        """Hold a document for an error that undid its lock, unless another worker or a
        person has dealt with it since."""
        try:
            locked = document.try_lock_for_update()
            for each in locked.filtered_domain(locked._get_waiting_domain()):
                each._hold(
                    self.env["copaco.invoice.writer"]._get_error_hold(each, error)
                )
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            self.env.cr.rollback()

    def _process(self, documents):
        """Make the invoices of documents; each ends `invoiced`, `held` or `excluded`.
        The caller holds their locks and commits.

        :param documents: `copaco.document` records
        """
        groups = documents.grouped(lambda each: (each.connection_id, each.kind))
        for (_connection, kind), own in groups.items():
            own = self.env["copaco.background"]._with_own_context(own)
            own = own.with_context(copaco_refresh_later=True)
            own.env["copaco.document.builder"]._read_again(own)
            own.env[KINDS[kind].processor]._make(own)

    def _make(self, documents):
        """Make the invoices of documents of one connection, and of what waits for the
        same invoices."""
        env = documents.env
        waiting = env["copaco.invoice.grouper"]._find_waiting(documents)
        env["copaco.document.builder"]._read_again(waiting.added)
        documents = (documents | waiting.added) - waiting.left
        env["copaco.draft.updater"]._sync_drafts(documents.filtered("move_id"))
        own = documents.filtered(lambda document: document.state == "new")
        env["copaco.customer.linker"]._match(own.customer_id)
        own -= self._handle_duplicates(own)
        ready = {}
        matches = env["copaco.document.matcher"]._match_documents(own)
        for document, match in matches.items():
            if isinstance(match, Hold):
                document._hold(match)
            elif match is None:
                env["copaco.exclusion"]._exclude_with_customer(document)
            else:
                ready[document] = match
        invoices = env["copaco.invoice.grouper"]._group(ready)
        invoices = env["copaco.draft.joiner"]._join(invoices)
        env["copaco.invoice.writer"]._create_invoices(invoices)
        invoiced = own.filtered(lambda document: document.state == "invoiced")
        env["copaco.version.warnings"]._warn_of(invoiced)

    def _handle_duplicates(self, documents):
        """Hold or exclude those of these documents whose charges are elsewhere, and
        link those whose invoice is there already.

        :return: the documents that this was done with
        """
        handled = documents.browse()
        verdicts = self.env["copaco.duplicate.finder"]._find(documents)
        for document, verdict in verdicts.items():
            if document.state != "new":
                # It was linked with another one of these.
                handled |= document
                continue
            if isinstance(verdict, Hold) and not document.partner_id:
                # Whose it is comes first: it may be more, or less, of a duplicate then.
                continue
            if isinstance(verdict, Hold):
                document._hold(verdict)
            elif isinstance(verdict, Exclusion):
                self.env["copaco.exclusion"]._apply_exclusion(
                    document, verdict.reason, self.env["res.users"]
                )
            elif verdict.copaco_document_id:
                # It became that of another one of these, which looks the same.
                continue
            else:
                self._link(document, verdict)
            handled |= document
        return handled

    def _link(self, document, invoice):
        """Link an invoice to the document that it is of, or to all of them.

        :raise LockNotAvailable: when others have some of them
        """
        joint = self.env["copaco.invoice.finder"]._find_joint(document, invoice)
        if joint.try_lock_for_update() != joint:
            raise LockNotAvailable("Another worker has documents of an invoice")
        documents = joint or document
        invoice.copaco_document_id = documents[0]
        if joint:
            invoice.copaco_amount = sum(joint.mapped("amount_to_invoice"))
        documents._set_billed(invoice)
        for each in documents:
            each._message_log(
                body=self.env._(
                    "Linked to invoice %(invoice)s, which has Copaco's number as its "
                    "source, and this amount together with %(others)s.",
                    invoice=invoice.display_name,
                    others=enumerate_names(self.env, (joint - each).mapped("name")),
                )
                if joint
                else self.env._(
                    "Linked to invoice %(invoice)s, which has Copaco's number as its "
                    "source, and this amount.",
                    invoice=invoice.display_name,
                )
            )

    # === IN THE BACKGROUND === #

    def _process_all(self):
        """Make the invoices of everything that waits for it."""
        self._retry_held_for_customer()
        self.env["copaco.bill.finder"]._find_awaited().state = "new"
        self.env["copaco.automation"]._count_all()
        self._confirm_complete()
        Document = self.env["copaco.document"]
        documents = Document.search(Document._get_waiting_domain(), order="id")
        self.env["ir.cron"]._commit_progress(remaining=len(documents))
        if not self.env["copaco.job.queue"]._enqueue_waiting(documents):
            self._process_waiting(documents)
        # What a worker that was killed could not tell any more.
        runs = self.env["copaco.run"].search(
            [("state", "=", "running"), ("stored_at", "!=", False)]
        )
        self.env["copaco.activity.monitor"]._refresh_progress(runs)
        self._check_margins()

    def _confirm_complete(self):
        """Post the invoices of months that are complete now; commits."""
        for documents in self.env["copaco.completeness"]._find_complete():
            for batch in split_every(BATCH_SIZE, documents.ids, documents.browse):
                self._confirm(batch)
                self.env["ir.cron"]._commit_progress()

    def _confirm(self, documents):
        documents = self.env["copaco.background"]._with_own_context(
            documents.with_context(copaco_refresh_later=True)
        )
        documents.draft_reason = False
        drafts = documents.filtered(lambda each: each.move_id.state == "draft")
        # What counts is what customers have earned, and what is billed, by now.
        policies = self.env["copaco.automation"]._get_policies(drafts)
        drafts = drafts.filtered(lambda each: policies[each] != "draft")
        writer = documents.env["copaco.invoice.writer"]
        ready = self.env["copaco.draft.checker"]._split_off_unusual(drafts)
        for move, own in ready.grouped("move_id").items():
            own |= move._get_copaco_documents()
            if any(each.draft_reason or each.state != "invoiced" for each in own):
                continue
            try:
                with self.env.cr.savepoint():
                    writer._check_analytic(move)
                    writer._confirm({own: move})
            except UserError as error:
                own[0]._set_unconfirmed(get_message(error))

    def _check_margins(self):
        """Compare both sides of the months that changed; commits."""
        try:
            Connection = self.env["copaco.connection"]
            companies = Connection.search([("fetch_purchases", "=", True)]).company_id
            connections = Connection.search(
                [("company_id", "child_of", companies.root_id.ids)]
            )
            checked = self.env["copaco.margin.checker"]._check_changed(connections)
            self.env["copaco.activity.monitor"]._update_activity(checked)
            self.env["ir.cron"]._commit_progress()
        except RETRYABLE_ERRORS as error:
            # Someone checks them right now; the next time will do.
            self.env.cr.rollback()
            _logger.info("Copaco margins: concurrent update (%s)", type(error))

    def _retry_held_for_customer(self):
        """Look again for customers that were not known when their documents were
        received; commits."""
        documents = (
            self.env["copaco.document"]
            .with_context(copaco_refresh_later=True)
            .search(
                [
                    ("state", "=", "held"),
                    ("hold_reason", "in", CUSTOMER_HOLD_REASONS),
                ]
            )
        )
        try:
            linker = self.env["copaco.customer.linker"]
            linker._match(documents.customer_id, suggest=False)
            self._retry_for_customer(documents)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except RETRYABLE_ERRORS as error:
            # Someone is deciding about them right now; the next time will do.
            self.env.cr.rollback()
            _logger.info("Copaco customers: concurrent update (%s)", type(error))

    def _retry_for_customer(self, documents):
        """Process those of these documents in the background that were held until their
        customer was linked."""
        waiting = documents.filtered(
            lambda document: (
                document.state == "held"
                and document.is_customer_hold
                and document.customer_id.partner_id
            )
        )
        if waiting:
            waiting.state = "new"
            self.env["copaco.background"]._continue_invoicing()
