from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..const import BILLING_GROUP, ORIGIN_FIELDS
from ..tools import open_invoices

# Set by the import alone.
COPACO_LINKS = (
    "copaco_document_id",
    "copaco_version_id",
    "copaco_digest",
    "copaco_amount",
    "copaco_origin_id",
    "copaco_is_replaced",
)


class AccountMove(models.Model):
    _inherit = "account.move"

    copaco_document_id = fields.Many2one(
        "copaco.document",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        groups=BILLING_GROUP,
    )
    copaco_version_id = fields.Many2one(
        "copaco.document.version",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        groups=BILLING_GROUP,
        help="What this invoice corrects the invoice of a Copaco document for.",
    )
    copaco_digest = fields.Char(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="Of the content of the Copaco document that this was made of.",
    )
    copaco_amount = fields.Monetary(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="What the documents of an invoice of several come to, without tax.",
    )
    copaco_document_ids = fields.One2many(
        "copaco.document",
        "move_id",
        string="Copaco Documents",
        readonly=True,
        groups=BILLING_GROUP,
    )
    copaco_received_bill_id = fields.Many2one(
        "account.move",
        compute="_compute_copaco_received_bill_id",
        groups=BILLING_GROUP,
        help="The bill that the vendor sent of the same.",
    )
    copaco_origin_id = fields.Many2one(
        "account.move",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=BILLING_GROUP,
        help="The invoice of a Copaco document, or what was made of it, that was "
        "reversed when this was created.",
    )
    copaco_is_replaced = fields.Boolean(
        readonly=True,
        copy=False,
        groups=BILLING_GROUP,
        help="It was credited in full, and the Copaco document is invoiced anew.",
    )
    copaco_draft_message = fields.Text(
        compute="_compute_copaco_documents", groups=BILLING_GROUP
    )
    copaco_correction_count = fields.Integer(
        compute="_compute_copaco_documents", groups=BILLING_GROUP
    )

    copaco_delivery_ids = fields.One2many(
        "copaco.delivery", "move_id", readonly=True, copy=False, groups=BILLING_GROUP
    )
    copaco_unsent_message = fields.Text(
        related="copaco_delivery_ids.message", groups=BILLING_GROUP
    )

    # The last barrier of promise 1 in doc/how_it_works.rst. A cancelled invoice may
    # stay beside the one that replaced it, and can't be reset while that is there.
    _copaco_document_unique = models.UniqueIndex(
        "(copaco_document_id) WHERE copaco_document_id IS NOT NULL "
        "AND state != 'cancel' AND copaco_is_replaced IS NOT TRUE",
        "There already is an invoice of this Copaco document.",
    )
    _copaco_version_unique = models.UniqueIndex(
        "(copaco_version_id) WHERE copaco_version_id IS NOT NULL "
        "AND state != 'cancel' AND copaco_is_replaced IS NOT TRUE",
        "There already is a correction for this change of a Copaco document.",
    )

    # === COMPUTE METHODS === #

    @api.depends("copaco_document_id")
    def _compute_narration(self):
        # EXTENDS account: why an invoice has another date than Copaco's
        res = super()._compute_narration()
        for move in self.sudo().filtered("copaco_document_id"):
            document = move.copaco_document_id
            if document._get_chosen_date() and (
                move.invoice_date != document.invoice_date
            ):
                env = move.with_context(lang=move.partner_id.lang or self.env.lang).env
                text = env._(
                    "Copaco dated this invoice %(date)s.",
                    date=format_date(env, document.invoice_date),
                )
                move.narration = Markup("%s<p>%s</p>") % (move.narration or "", text)
        return res

    @api.depends(
        *("copaco_document_id.draft_message", "copaco_document_ids.draft_message"),
        *("copaco_document_id.correction_ids", "copaco_document_ids.correction_ids"),
    )
    @api.depends_context("lang")
    def _compute_copaco_documents(self):
        for move in self:
            documents = move.sudo()._get_copaco_documents()
            messages = filter(None, documents.mapped("draft_message"))
            move.copaco_draft_message = "\n".join(dict.fromkeys(messages))
            move.copaco_correction_count = len(documents.correction_ids)

    @api.depends("ref", "partner_id", "state", "copaco_document_id")
    def _compute_copaco_received_bill_id(self):
        finder = self.env["copaco.bill.finder"].sudo()
        for move in self:
            move.copaco_received_bill_id = finder._find_received(move.sudo())

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would also get past `sudo()`.
        return super().default_get(
            [name for name in fields if name not in COPACO_LINKS]
        )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any(
            self.env.context.get(f"default_{name}")
            or any(vals.get(name) for vals in vals_list)
            for name in COPACO_LINKS
        ):
            self._refuse_copaco_link()
        moves = super().create(vals_list)
        # A user's own default of the field is in neither.
        if not self.env.su and any(map(moves.sudo().filtered, COPACO_LINKS)):
            self._refuse_copaco_link()
        return moves

    def write(self, vals):
        if not self.env.su and not vals.keys().isdisjoint(COPACO_LINKS):
            self._refuse_copaco_link()
        if "state" not in vals:
            return super().write(vals)
        before = {move: move.state for move in self}
        if vals["state"] == "cancel":
            self.env["copaco.invoice.guard"]._check_removal(self)
        else:
            self.env["copaco.invoice.guard"]._check_reset(self)
        if vals["state"] == "posted":
            unposted = self.filtered(lambda move: before[move] != "posted")
            self.env["copaco.double.bill"]._check(unposted)
        res = super().write(vals)
        self.env["copaco.automation"]._on_state(before)
        if vals["state"] != "posted":
            unposted = self.filtered(lambda move: before[move] == "posted")
            self.env["copaco.sender"].sudo()._stop(unposted.sudo())
        cancelled = self.env["copaco.document"].sudo()
        for move in self.sudo().filtered("copaco_document_id"):
            if before[move] == move.state or move.copaco_is_replaced:
                continue
            if move.state == "cancel":
                cancelled |= move._get_copaco_documents()
            elif before[move] == "cancel":
                move._get_copaco_documents()._set_billed(move)
        if vals["state"] == "cancel":
            removed = self.filtered(lambda move: before[move] != "cancel")
            self.env["copaco.restored.charges"].sudo()._on_credits_removed(removed)
            removed._undo_copaco_corrections()
            self.env["copaco.corrector"]._reopen(removed._get_credited_documents())
        self.env["copaco.removed.invoice"]._handle(cancelled, "invoice_cancelled")
        if vals["state"] == "posted":
            documents = self.sudo()._get_copaco_documents().filtered("draft_reason")
            documents.write(documents._get_no_draft())
            self.env["copaco.activity.monitor"]._update_activity(
                documents.connection_id
            )
            confirmed = self.sudo().filtered(lambda move: before[move] != "posted")
            self.env["copaco.sender"].sudo()._start(confirmed)
            charges = self.env["copaco.restored.charges"].sudo()
            charges._on_credits_removed(confirmed.reversed_entry_id)
            charges._on_corrections_reversed(confirmed.reversed_entry_id)
            self.env["copaco.excluded.charges"].sudo()._on_credited(self.sudo())
        return res

    def unlink(self):
        guard = self.env["copaco.invoice.guard"]
        guard._check_removal(self)
        guard._check_origins(self)
        removed = self.filtered(lambda move: move.state != "cancel")
        self.env["copaco.restored.charges"].sudo()._on_credits_removed(removed)
        removed._undo_copaco_corrections()
        credited = removed._get_credited_documents()
        corrected = removed.sudo().copaco_version_id.document_id
        documents = (
            self.sudo()
            .filtered(lambda move: not move.copaco_is_replaced)
            ._get_copaco_documents()
        )
        # What was cancelled may have been decided about since.
        uninvoiced = documents.filtered(
            lambda document: (
                document._get_live_invoice() in removed
                or document.hold_reason == "invoice_cancelled"
            )
        )
        documents.filtered(lambda document: document.move_id in self).move_id = False
        res = super().unlink()
        # As long as the corrections were there, they were more than what was due.
        corrected.run_id._refresh_state()
        self.env["copaco.corrector"]._reopen(credited)
        self.env["copaco.removed.invoice"]._handle(uninvoiced, "invoice_deleted")
        return res

    # === ACTION METHODS === #

    def action_copaco_fetch(self):
        """The button above Odoo's customer invoices, whatever is ticked; see
        `copaco.connection`."""
        return self.env["copaco.connection"].action_fetch_all()

    def action_view_copaco_document(self):
        """:return: the form of the Copaco document that this invoice was made of, or
        corrects; the list of those that a bill is of"""
        self.ensure_one()
        documents = self._get_copaco_documents() or self._get_copaco_document()
        return documents._get_records_action(
            name=self.env._("Copaco Documents"), context={}
        )

    def action_view_copaco_corrections(self):
        """:return: the window action with what corrects these invoices"""
        return self._get_copaco_documents().action_view_corrections()

    def action_copaco_send_again(self):
        """Send these invoices that could not be sent once more.

        :return: see `action_send_again` of `copaco.delivery`
        """
        return self.copaco_delivery_ids.action_send_again()

    def action_copaco_use_received(self):
        """Link the bill that the vendor sent to the Copaco documents of this draft, and
        delete the draft; cancel it instead when someone edited it.

        :return: the form of the received bill
        :raise UserError: when there is none, or this one is confirmed
        """
        self.ensure_one()
        self.env["copaco.connection"]._check_billing_access()
        self.check_access("write")
        bill = self.sudo()
        received = self.env["copaco.bill.finder"].sudo()._find_received(bill)
        if not received or bill.state != "draft":
            raise UserError(
                self.env._(
                    "The received bill can't take the place of %(bill)s: there is none "
                    "of this vendor with this number, or %(bill)s is confirmed. Reset "
                    "it to draft first.",
                    bill=bill.display_name,
                )
            )
        self.env["copaco.bill.processor"].sudo()._use_received(bill, received)
        return received.with_env(self.env)._get_copaco_action()

    # === MAIL GATEWAY === #

    def _message_receive_bounce(self, email, partner):
        # EXTENDS mail, which notes it of contacts whose only address that still is
        proof = self.env["copaco.delivery.proof"].sudo()
        proof._note_bounce(self.sudo().copaco_delivery_ids, email, partner)
        return super()._message_receive_bounce(email, partner)

    # === BUSINESS METHODS === #

    def _get_copaco_document(self):
        """:return: the `copaco.document` that this invoice was made of, or corrects"""
        return self.copaco_document_id or self.copaco_version_id.document_id

    def _get_copaco_documents(self):
        """:return: the `copaco.document` records that these invoices were made of: of a
        vendor bill or a customer's invoice of a month, there may be several"""
        return self.copaco_document_id | self.copaco_document_ids

    def _get_copaco_roots(self):
        """:return: the invoices of Copaco documents, and their corrections, of which a
        person made these moves"""
        names = [name for name in ORIGIN_FIELDS if name in self._fields]
        roots = seen = self.browse().sudo()
        moves = self.sudo()
        while moves:
            roots |= moves.filtered(lambda move: move._get_copaco_document())
            seen |= moves
            moves = (moves - roots).mapped(lambda move: move._get_origins(names)) - seen
        return roots

    def _get_origins(self, names):
        return self.union(*(self[name] for name in names))

    def _get_credited_documents(self):
        """:return: the `copaco.document` records of whose invoices a person made these
        moves, with which Copaco's changes may have been settled"""
        roots = self._get_copaco_roots() - self.sudo()
        documents = roots._get_copaco_documents() | roots.copaco_version_id.document_id
        return documents.filtered(
            lambda document: any(document.version_ids.mapped("amount_credited"))
        )

    def _get_copaco_action(self):
        """:return: the window action with these invoices"""
        if len(self) == 1:
            return self._get_records_action(context={})
        return open_invoices(self.env, [("id", "in", self.ids)])

    def _fetch_duplicate_reference(self, matching_states=("draft", "posted")):
        # EXTENDS account, which warns of these, and confirms none of them unasked
        found = super()._fetch_duplicate_reference(matching_states)
        for move, others in self.env["copaco.double.bill"]._find(self).items():
            key = move._origin.with_env(self.env)
            found[key] = found.get(key, key.browse()) | others.filtered(
                lambda other, move=move: (
                    other.company_id == move.company_id
                    and other.state in matching_states
                )
            ).with_env(self.env)
        return found

    def _get_move_lines_to_report(self):
        # EXTENDS account
        lines = super()._get_move_lines_to_report()
        return lines.filtered(lambda line: line._is_copaco_printed())

    def _is_copaco_number_printed(self):
        """:return: whether the invoice shows its source, as Odoo's does"""
        document = self.sudo().copaco_document_id
        layout = document._get_layout()
        return not layout or layout.has_number

    def _refuse_copaco_link(self):
        raise AccessError(
            self.env._(
                "An invoice is linked to its Copaco document by the import alone. To "
                "have another invoice, cancel this one and retry the document."
            )
        )

    def _undo_copaco_corrections(self):
        """These corrections are removed: let a person decide anew."""
        for move in self.sudo().sorted("id", reverse=True):
            version = move.copaco_version_id
            if version.state == "replaced" and not move.copaco_is_replaced:
                version.env["copaco.versioning"]._on_correction_removed(version)
