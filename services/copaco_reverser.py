from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import formatLang

from ..const import NOTHING_SETTLED, PURCHASE_KINDS
from ..tools import enumerate_names


class CopacoReverser(models.AbstractModel):
    """Credits what was invoiced of a document in full, and creates its invoice anew:
    for another contact, of another VAT period, or in another currency. Both are drafts;
    what was posted stays as it is (promise 5 in doc/how_it_works.rst)."""

    _name = "copaco.reverser"
    _description = "Copaco Reverser"

    def _invoice_to_contact(self, document, partner, invoice_date):
        """Link the customer of a document to another contact, and invoice the document
        to it.

        :param document: a `copaco.document` with a posted invoice
        :param partner: `res.partner`
        :param invoice_date: of the new invoice
        :return: the window action with the drafts
        :raise UserError: see `_invoice_anew`
        """
        document._check_billing_access()
        invoice = document.sudo()._get_live_invoice()
        if not invoice:
            raise UserError(
                self.env._(
                    "%(document)s has no invoice. Choose the contact on its customer, "
                    "and retry.",
                    document=document.name,
                )
            )
        if (
            invoice.commercial_partner_id == partner.commercial_partner_id
            and document.partner_id == partner
        ):
            raise UserError(
                self.env._(
                    "%(document)s is invoiced to %(partner)s already. Choose the "
                    "contact that it should have been invoiced to.",
                    document=document.name,
                    partner=partner.display_name,
                )
            )
        if document.kind in PURCHASE_KINDS:
            raise UserError(
                self.env._(
                    "%(document)s is part of a vendor bill: its vendor is chosen on "
                    "connection %(connection)s.",
                    document=document.name,
                    connection=document.connection_id.name,
                )
            )
        document.customer_id.check_access("write")
        document.sudo().lock_for_update()
        document = self.env["copaco.background"]._with_own_context(document)
        if invoice_date != document._get_invoice_date():
            for each in self._get_documents(document):
                each._choose_date(invoice_date)
        reverser = document.env["copaco.reverser"]
        drafts = reverser._invoice_anew(
            document, partner=partner.with_env(document.env)
        )
        reverser._readdress_drafts(document.customer_id)
        return drafts.with_env(self.env)._get_copaco_action()

    def _readdress_drafts(self, customer):
        """Other drafts of a customer are wrong, too: those that nobody edited go to the
        contact that it is linked to now, in the background.

        :param customer: a `copaco.customer`
        """
        updater = self.env["copaco.draft.updater"]
        documents = self.env["copaco.document"].search(
            [
                ("customer_id", "=", customer.id),
                ("kind", "not in", list(PURCHASE_KINDS)),
                ("state", "=", "invoiced"),
                ("move_id.state", "=", "draft"),
            ]
        )
        wrong = documents.filtered(
            lambda each: (
                each.move_partner_id.commercial_partner_id
                != customer.partner_id.commercial_partner_id
                and updater._is_unedited_draft(each)
            )
        )
        if wrong:
            wrong.state = "new"
            self.env["copaco.background"]._continue_invoicing()

    def _invoice_anew(self, document, version=None, partner=None):
        """Credit in full what was invoiced of a document, and create its invoice anew.
        An invoice is credited, and created anew, with all of its documents; those that
        no longer are one customer's get invoices of their own.

        :param document: a `copaco.document` with a posted invoice
        :param version: take over this `copaco.document.version` first, and what else is
            pending of the same invoice
        :param partner: link the customer to this `res.partner` first
        :return: `account.move` records: the drafts of the credit notes that were still
            needed, and of the invoices
        :raise UserError: when that can't be done now, or Odoo refuses
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        documents = self._get_documents(document)
        invoiced = document._get_live_invoice() | documents._get_live_corrections()
        credits = self._credit(self._get_uncredited(documents, invoiced))
        invoiced.copaco_is_replaced = True
        # Before the database sees another invoice of the document.
        invoiced.flush_recordset(["copaco_is_replaced"])
        self.env["copaco.sender"]._stop(invoiced)
        invoiced.filtered(lambda move: move.state == "draft").button_cancel()
        documents.version_ids.write(NOTHING_SETTLED)
        documents.write({"move_id": False, "move_snapshot": False})
        for pending in documents._get_pending_version() if version else ():
            self._check_version(pending.document_id, pending)
            pending._take_over()
        if partner and document.partner_id != partner:
            document.customer_id.partner_id = partner
        invoices = self._create(document, documents)
        self._log(documents, invoiced, credits, invoices)
        return credits | invoices

    def _check_version(self, document, version):
        """:raise UserError: when the version can't be compared with the document"""
        if version._is_unreadable():
            raise UserError(
                self.env._(
                    "%(document)s can't be corrected, because what Copaco sent can't "
                    "be read. Keep the old version and correct the invoice manually.",
                    document=document.name,
                )
            )
        if version.amount_source and not version.line_count:
            raise UserError(
                self.env._(
                    "%(document)s can't be corrected, because Copaco sent a total and "
                    "no lines. Keep the old version, and ask Copaco.",
                    document=document.name,
                )
            )
        if not version.currency_id:
            raise UserError(
                self.env._(
                    "%(document)s can't be corrected, because Copaco changed its "
                    "currency to one that Odoo does not know. Create the currency, or "
                    "keep the old version and correct the invoice manually.",
                    document=document.name,
                )
            )

    def _get_documents(self, document):
        """:return: the `copaco.document` records that are to be on the new invoice
        :raise UserError: when it isn't known yet which of its bill are
        """
        documents = document._get_joint_documents().filtered(
            lambda each: each.state != "excluded"
        )
        documents.lock_for_update()
        if document.kind not in PURCHASE_KINDS:
            return documents
        bill = document._get_live_invoice()
        undecided = documents.filtered(
            lambda each: each.move_id != bill and each.hold_reason != "bill_incomplete"
        )
        if undecided:
            raise UserError(
                self.env._(
                    "Bill %(bill)s can't be created anew before it is known whether "
                    "these documents are on it: %(documents)s. Decide about them "
                    "first.",
                    bill=bill.display_name,
                    documents=enumerate_names(self.env, undecided.mapped("name")),
                )
            )
        return documents

    def _create(self, document, documents):
        """:param documents: all that the invoice is of
        :return: `account.move` records, drafts
        :raise UserError: see `_invoice_anew`
        """
        if document.kind not in PURCHASE_KINDS:
            return self._create_invoices(documents)
        headers = documents.grouped(lambda each: (each.invoice_date, each.currency_id))
        if len(headers) > 1:
            own = documents.filtered(
                lambda each: (
                    (each.invoice_date, each.currency_id)
                    != (document.invoice_date, document.currency_id)
                )
            )
            raise UserError(
                self.env._(
                    "The bill of Copaco invoice %(number)s can't be created anew: "
                    "%(documents)s have another date or currency than %(document)s. "
                    "Fetch the day on which Copaco created it again, so that all of "
                    "its documents are received.",
                    number=document.invoice_number,
                    documents=enumerate_names(self.env, own.mapped("name")),
                    document=document.name,
                )
            )
        match = self.env["copaco.bill.matcher"]._get_match(document)
        return self.env["copaco.bill.processor"]._create(match)

    def _create_invoices(self, documents):
        matches = self.env["copaco.document.matcher"]._get_matches(documents)
        matches = self.env["copaco.invoice.grouper"]._group(matches)
        writer = self.env["copaco.invoice.writer"]
        invoices = writer._create_drafts(matches, checks_vat=False)
        automation = self.env["copaco.automation"]
        for first, match in matches.items():
            if all(
                automation._get_policy(each.customer_id, each.connection_id) == "send"
                for each in match.documents
            ):
                self.env["copaco.sender"]._queue(first)
        return invoices

    def _get_uncredited(self, documents, invoiced):
        """:param invoiced: the invoice of these documents, and its corrections
        :return: the posted ones of them, and of what was created anew of them, without
            those that were credited in full
        :raise UserError: when one was credited in part, or is no posted invoice
        """
        created = self.env["copaco.credit.finder"]._find_credits(invoiced)
        roots = invoiced | created.filtered("copaco_origin_id")
        drafts = roots.filtered(lambda move: move.state == "draft")
        if drafts - documents._get_live_corrections():
            raise UserError(
                self.env._(
                    "%(invoice)s of %(document)s is a draft, so nothing has to be "
                    "credited. Change the draft, or delete it and retry the document.",
                    invoice=drafts[:1].display_name,
                    document=documents[0].name,
                )
            )
        uncredited = roots.browse()
        for move in roots - drafts:
            left = self._get_amount_left(move)
            if move.currency_id.is_zero(left):
                continue
            if move.currency_id.compare_amounts(
                left, move.amount_untaxed_in_currency_signed
            ):
                raise UserError(
                    self.env._(
                        "%(invoice)s was credited in part. Credit the other %(amount)s "
                        "without tax, too, and try again.",
                        invoice=move.display_name,
                        amount=formatLang(
                            self.env, left, currency_obj=move.currency_id
                        ),
                    )
                )
            uncredited |= move
        return uncredited

    def _get_amount_left(self, move):
        """:return: what is left of an invoice, without tax, after its credit notes
        :raise UserError: when one of these is in another currency
        """
        notes = move.reversal_move_ids.filtered(
            lambda note: note.state != "cancel" and not note.copaco_version_id
        )
        other = notes.filtered(lambda note: note.currency_id != move.currency_id)
        if other:
            raise UserError(
                self.env._(
                    "%(invoice)s is in %(currency)s, and %(credit)s, which credits it, "
                    "is in %(other)s, so it is not certain what is left of it. Credit "
                    "it in %(currency)s instead, and try again.",
                    invoice=move.display_name,
                    currency=move.currency_id.name,
                    credit=other[0].display_name,
                    other=other[0].currency_id.name,
                )
            )
        return move.amount_untaxed_in_currency_signed + sum(
            map(self._get_amount_left, notes)
        )

    def _credit(self, moves):
        """:param moves: posted `account.move` records
        :return: the drafts of their credit notes, made by Odoo's own button
        """
        credits = moves.browse()
        for journal, own in moves.grouped("journal_id").items():
            wizard = self.env["account.move.reversal"].create(
                {
                    "move_ids": [Command.set(own.ids)],
                    "company_id": own.company_id.id,
                    "journal_id": journal.id,
                }
            )
            wizard.refund_moves()
            credits |= wizard.new_move_ids
        return credits

    def _log(self, documents, invoiced, credits, invoices):
        """:param invoiced: what was invoiced before
        :param credits: the drafts that credit it
        :param invoices: the drafts that replace it
        """
        links = Markup(", ").join(invoice._get_html_link() for invoice in invoices)
        for move in invoiced:
            move._message_log(
                body=self.env._(
                    "The Copaco document is invoiced anew: %(invoice)s. Manual edits "
                    "of this one are not on it.",
                    invoice=links,
                )
            )
        for old in invoiced.filtered("copaco_document_id"):
            for invoice in invoices:
                invoice._message_log(
                    body=self.env._(
                        "Replaces %(invoice)s, which is credited in full.",
                        invoice=old._get_html_link(),
                    )
                )
        for document in documents:
            invoice = document.move_id
            document._message_log(
                body=self.env._(
                    "Invoiced anew as %(invoice)s, to %(partner)s. Drafts of credit "
                    "notes: %(count)s. Confirm all of them together.",
                    invoice=invoice._get_html_link(),
                    partner=invoice.partner_id.display_name,
                    count=len(credits),
                )
            )
