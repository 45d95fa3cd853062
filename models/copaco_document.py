import logging
import time

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import (
    BATCH_SIZE,
    BUTTON_SECONDS,
    CONCURRENCY_ATTEMPTS,
    CUSTOMER_HOLD_REASONS,
    Hold,
)
from ..exceptions import CONCURRENCY_ERRORS, describe_system_error

_logger = logging.getLogger(__name__)


class CopacoDocument(models.Model):
    """The inbox: one customer's part of one Copaco invoice.

     new ──▶ invoiced ──▶ changed (Copaco altered it since)
      │ ▲        │
      ▼ │        ▼ invoice deleted or cancelled
     held ◀──────┘
      │ ▲
      ▼ │
    excluded
    """

    _name = "copaco.document"
    _inherit = ["mail.thread"]
    _description = "Copaco Document"
    _mail_post_access = "read"
    _order = "invoice_date desc, id desc"
    _rec_name = "invoice_number"
    _rec_names_search = ["invoice_number", "customer_id.name"]
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    connection_id = fields.Many2one(
        "copaco.connection", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    kind = fields.Selection(
        [
            ("specification", "Customer specification"),
            ("purchase", "Purchase invoice"),
        ],
        required=True,
        default="specification",
    )
    invoice_number = fields.Char(required=True, help="Copaco's InvoiceID.")
    customer_id = fields.Many2one(
        "copaco.customer", ondelete="restrict", index=True, check_company=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", related="customer_id.partner_id"
    )
    invoice_date = fields.Date()
    currency_id = fields.Many2one("res.currency")
    currency_code = fields.Char(help="As Copaco sent it.")
    amount_source = fields.Monetary(
        string="Amount",
        help="Without tax: the extended prices of the lines, each rounded to the "
        "currency.",
    )
    amount_exact = fields.Float(
        digits=(24, 10),
        help="Without tax: the sum of the extended prices as Copaco sent them.",
    )
    totals_difference = fields.Monetary(
        help="What Copaco says is the total without tax of the invoice that this is "
        "part of, less the sum of all its lines."
    )
    line_count = fields.Integer(string="Lines")
    state = fields.Selection(
        [
            ("new", "New"),
            ("held", "Held"),
            ("invoiced", "Invoiced"),
            ("changed", "Changed"),
            ("excluded", "Excluded"),
        ],
        required=True,
        default="new",
        index=True,
    )
    hold_reason = fields.Selection(
        string="Reason",
        selection=[
            ("customer_unknown", "Customer unknown"),
            ("customer_ambiguous", "Customer ambiguous"),
            ("possible_double", "Perhaps a double"),
            ("partner_archived", "Contact archived"),
            ("partner_company", "Contact of another company"),
            ("currency_unknown", "Currency unknown"),
            ("currency_inactive", "Currency inactive"),
            ("currency_rate_missing", "Exchange rate missing"),
            ("tax_missing", "Tax missing"),
            ("account_missing", "Account missing"),
            ("period_locked", "Period locked"),
            ("totals_differ", "Totals differ"),
            ("source_totals_differ", "Copaco's totals differ"),
            ("payload_invalid", "Not readable"),
            ("source_changed", "Changed by Copaco"),
            ("invoice_deleted", "Invoice was deleted"),
            ("invoice_cancelled", "Invoice was cancelled"),
            ("unexpected_error", "Unexpected error"),
        ],
        index="btree_not_null",
    )
    hold_message = fields.Text(string="What to Do")
    is_unsent = fields.Boolean(
        string="Could Not Be Sent",
        help="The invoice was to be sent, and the customer can't be reached.",
    )
    exclude_reason = fields.Char()
    excluded_by_id = fields.Many2one("res.users")
    is_excluded_by_customer = fields.Boolean(
        help="Excluded because all documents of its customer are."
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", index="btree_not_null", ondelete="restrict"
    )
    match_method = fields.Selection(related="customer_id.match_method")
    move_partner_id = fields.Many2one(
        related="move_id.partner_id", string="Invoiced To"
    )
    move_state = fields.Selection(related="move_id.state", string="Invoice Status")
    move_amount_untaxed = fields.Monetary(
        string="Invoice Amount", compute="_compute_move_amount_untaxed"
    )
    # As long as all else together: not read unless it is asked for.
    payload = fields.Text(prefetch=False, help="What Copaco sent of this document.")
    payload_digest = fields.Char()
    line_ids = fields.One2many("copaco.document.line", "document_id")
    version_ids = fields.One2many("copaco.document.version", "document_id")

    # The connection is no part of it: a second one to the same portal doubles nothing.
    _identity_unique = models.UniqueIndex(
        "(company_id, kind, invoice_number, customer_id)",
        "This document was already received.",
    )
    # A document whose customer can't be read is known by its content alone.
    _unread_identity_unique = models.UniqueIndex(
        "(company_id, kind, invoice_number, payload_digest) WHERE customer_id IS NULL",
        "This document was already received.",
    )

    # === COMPUTE METHODS === #

    @api.depends("invoice_number", "customer_id.name")
    def _compute_name(self):
        for document in self:
            document.name = " · ".join(
                filter(None, [document.invoice_number, document.customer_id.name])
            )

    @api.depends("name")
    def _compute_display_name(self):
        for document in self:
            document.display_name = document.name

    @api.depends("move_id.amount_untaxed", "move_id.move_type")
    def _compute_move_amount_untaxed(self):
        for document in self:
            sign = -1 if document.move_id.move_type == "out_refund" else 1
            document.move_amount_untaxed = sign * document.move_id.amount_untaxed

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
            self.connection_id._update_activity()
        return res

    # === BUSINESS METHODS: FROM DOCUMENTS TO INVOICES === #

    @api.model
    def _get_waiting_domain(self):
        return [("state", "=", "new"), ("kind", "=", "specification")]

    def _process_now(self):
        """Process while a person waits; what takes longer goes on in the background.

        :return: a notification with what became of these documents
        """
        if not self:
            return False
        # What the person decided is kept, whatever gets in the way of the invoices.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self._process_waiting(time.monotonic() + BUTTON_SECONDS)
        counts = dict(
            self.sudo()._read_group([("id", "in", self.ids)], ["state"], ["__count"])
        )
        message = self.env._(
            "Invoiced: %(invoiced)s, held: %(held)s, excluded: %(excluded)s.",
            invoiced=counts.get("invoiced", 0),
            held=counts.get("held", 0),
            excluded=counts.get("excluded", 0),
        )
        if counts.get("new"):
            message += " " + self.env._("The rest goes on in the background.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if counts.get("held") else "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _process_waiting(self, deadline=None):
        """Make the invoices of those of these documents that wait for it, in batches
        of which each is committed.

        Any number of workers may do this at once: a document that another one works on
        is passed over.

        :param deadline: `time.monotonic()` after which the scheduled action goes on
        :raise UserError: when the database had trouble of its own, such as a full disk;
            the documents that met with it wait on, the others are done
        """
        waiting = self.sudo().search(
            [*self._get_waiting_domain(), ("id", "in", self.ids)], order="id"
        )
        # A rebuilt draft is counted with the run that brought the change.
        runs = waiting.run_id | waiting._get_pending_version().run_id
        connections = waiting.connection_id
        batch_size, collisions, trouble = BATCH_SIZE, 0, {}
        while waiting:
            if deadline and time.monotonic() > deadline:
                self.env.ref("account_copaco.ir_cron_process")._trigger()
                break
            batch = self.browse()
            try:
                batch = waiting.try_lock_for_update(limit=batch_size)
                batch.filtered_domain(self._get_waiting_domain())._process()
                seconds_left = self.env["ir.cron"]._commit_progress(len(batch))
            except CONCURRENCY_ERRORS as error:
                # Another worker was in the way: once more, with what it left.
                self.env.cr.rollback()
                collisions += 1
                _logger.info("Copaco documents collided: %s", type(error))
                if collisions < CONCURRENCY_ATTEMPTS:
                    continue
                self.env.ref("account_copaco.ir_cron_process")._trigger()
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
                    trouble[batch] = error
                else:
                    batch._hold_for_error(error)
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            collisions = 0
            waiting -= batch
            if not batch or not seconds_left:
                break
        self._refresh_progress(runs, connections)
        if trouble:
            self._raise_trouble(trouble)

    @api.model
    def _raise_trouble(self, trouble):
        """:param trouble: dict of `OperationalError` by document"""
        error = next(iter(trouble.values()))
        raise UserError(
            self.env._(
                "The invoices of %(documents)s could not be made, because the database "
                "had trouble: %(error)s. Ask your administrator to mend that. The "
                "documents are kept, and tried again every hour.",
                documents=", ".join(self.union(*trouble).mapped("name")),
                error=describe_system_error(error),
            )
        ) from error

    def _process_in_background(self):
        """Make the invoices of those of these documents that wait for it, while nobody
        does; see `copaco_document_job.py`."""
        self._process_waiting()

    def _hold_for_error(self, error):
        """Hold this document for an error that undid its lock, unless another worker
        or a person has dealt with it since."""
        try:
            locked = self.try_lock_for_update()
            for document in locked.filtered_domain(self._get_waiting_domain()):
                document._hold(
                    self.env["copaco.invoice.writer"]._get_error_hold(document, error)
                )
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except CONCURRENCY_ERRORS:
            self.env.cr.rollback()

    @api.model
    def _refresh_progress(self, runs, connections):
        """Tell runs and responsible users what became of the documents; commits.

        It has a transaction of its own: workers that share a run would otherwise
        undo each other's invoices over its state.
        """
        for _attempt in range(CONCURRENCY_ATTEMPTS):
            try:
                runs._refresh_state()
                connections._update_activity()
                self.env["ir.cron"]._commit_progress()
                return
            except (*CONCURRENCY_ERRORS, UniqueViolation) as error:
                self.env.cr.rollback()
                _logger.info("Copaco runs collided: %s", type(error))
        self.env.ref("account_copaco.ir_cron_process")._trigger()

    def _process(self):
        """Make the invoices of these documents; each ends `invoiced`, `held` or
        `excluded`. The caller holds their locks and commits."""
        for connection, documents in self.grouped("connection_id").items():
            documents = documents._for_processing(connection).with_context(
                copaco_refresh_later=True
            )
            documents._reload()
            documents.filtered("move_id")._bring_in_line()
            documents = documents.filtered(lambda document: document.state == "new")
            documents.customer_id._match()
            ready = {}
            matches = documents.env["copaco.document.matcher"]._match_documents(
                documents
            )
            for document, match in matches.items():
                if isinstance(match, Hold):
                    document._hold(match)
                elif match is None:
                    document._exclude_with_customer()
                else:
                    ready[document] = match
            documents.env["copaco.invoice.writer"]._create_invoices(ready)

    def _for_processing(self, connection):
        """:return: these documents of a connection, the same whoever asks: on a
        contact's invoices, for one, the client asks to see archived contacts too"""
        context = {
            "lang": connection.responsible_id.lang,
            # The invoices tell where they come from; nobody follows a draft.
            "mail_create_nosubscribe": True,
            "tracking_disable": True,
        }
        # pylint: disable-next=context-overridden # nothing of the caller's is to stay
        documents = self.sudo().with_context(context)
        return documents.with_company(connection.company_id)

    # === CRON METHODS === #

    @api.model
    def _cron_process(self):
        """Make the invoices of everything that waits for it."""
        self = self.sudo()
        self._wake_up()
        documents = self.search(self._get_waiting_domain(), order="id")
        self.env["ir.cron"]._commit_progress(remaining=len(documents))
        documents._process_in_background()
        # What a worker that was killed could not tell any more.
        runs = self.env["copaco.run"].search(
            [("state", "=", "running"), ("stored_at", "!=", False)]
        )
        self._refresh_progress(runs, runs.connection_id)

    @api.model
    def _wake_up(self):
        """Look again for customers that were not known when their documents came."""
        documents = self.with_context(copaco_refresh_later=True).search(
            [("state", "=", "held"), ("hold_reason", "in", CUSTOMER_HOLD_REASONS)]
        )
        try:
            documents.customer_id._match(suggest=False)
            documents._wake_up_held()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except (*CONCURRENCY_ERRORS, UniqueViolation) as error:
            # Someone is deciding about them right now; the next time will do.
            self.env.cr.rollback()
            _logger.info("Copaco customers collided: %s", type(error))

    def _wake_up_held(self):
        """Take those of these documents up again that waited for their customer."""
        waiting = self.filtered(
            lambda document: (
                document.state == "held"
                and document.hold_reason in CUSTOMER_HOLD_REASONS
                and document.customer_id.partner_id
            )
        )
        if waiting:
            waiting.state = "new"
            self.env.ref("account_copaco.ir_cron_process")._trigger()
