from psycopg2.errors import LockNotAvailable

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..hold_reasons import Hold
from ..tools import Amount, list_names, name_invoice
from .copaco_duplicate_finder import Exclusion

_lt = LazyTranslate(__name__)

# A bill is not made unasked of documents that are held for these, because another one
# of it waits: a person removed it, or the server was stopped while it was made.
_UNTIL_RETRY = ("invoice_deleted", "invoice_cancelled", "too_large")


class CopacoBillProcessor(models.AbstractModel):
    """From the documents of a Copaco purchase invoice, one for each customer, to one
    vendor bill: created, or linked when it is there already."""

    _name = "copaco.bill.processor"
    _description = "Copaco Bill Processor"

    def _make(self, documents):
        """Make the bills of documents of one connection. A bill is made by who has the
        first document of it that waits."""
        billed = documents.browse()
        for own in documents.grouped("invoice_number").values():
            found = self._lock_others(own)
            if found:
                self._make_bill(found)
                billed |= found.filtered(lambda each: each.state == "invoiced")
        self.env["copaco.version.warnings"]._warn_of(billed)

    def _lock_others(self, own):
        """:param own: documents of one Copaco invoice that are locked
        :return: all documents of it; none when another worker has its first one
        :raise LockNotAvailable: when others have some of them
        """
        found = own[0]._get_bill_documents()
        waiting = found.filtered(lambda document: document.state == "new")
        if not waiting or waiting[0] not in own:
            return own.browse()
        others = found - own
        if others.try_lock_for_update() != others:
            raise LockNotAvailable("Another worker has documents of the same bill")
        return found

    def _make_bill(self, documents):
        """Make, link or update the bill of a Copaco invoice; its documents end
        `invoiced`, `changed`, `held` or `excluded`.

        :param documents: all `copaco.document` records of it
        """
        self.env["copaco.document.builder"]._read_again(documents)
        live = documents.filtered(lambda document: document.state != "excluded")
        if bill := self._get_bill(live):
            self._update_bill(bill, live)
            return
        if live.connection_id[:1].purchase_policy == "off":
            self._keep_for_margin(live)
            return
        hold = self._check_documents(live)
        live = live.filtered(lambda document: document.state != "excluded")
        if not live:
            return
        self._set_vendor(live[0])
        match = hold or self.env["copaco.bill.matcher"]._match(live)
        if isinstance(match, Hold):
            self._hold(live, match)
            return
        writer = self.env["copaco.bill.writer"]
        if error_hold := writer._try(live[0], self._find_or_create, match):
            self._hold(live, error_hold)

    def _find_or_create(self, match):
        """:raise UserError: when Odoo refuses the bill
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        """
        document = match.documents[0]
        found = self.env["copaco.bill.finder"]._find(match)
        if isinstance(found, Hold):
            self._hold(match.documents, found)
        elif found:
            self._link(match, found)
        elif document.connection_id.purchase_policy == "link":
            self._hold(match.documents, self._get_awaited_hold(match))
        elif hold := self.env["copaco.bill.matcher"]._check_lock_dates(
            document,
            match.lines,
            match.documents._get_chosen_date() or document.invoice_date,
        ):
            self._hold(match.documents, hold)
        else:
            self._create(match)

    def _create(self, match):
        """:param match: a `BillMatch`
        :return: the `account.move` that its documents have now, a draft
        :raise UserError: see `copaco.bill.writer._create_bill`
        """
        move = self.env["copaco.bill.writer"]._create_bill(match)
        snapshot = self.env["copaco.manual.edits"]._take_snapshot(move)
        match.documents._set_billed(move, snapshot)
        self.env["copaco.document.line"]._set_matches(match.lines)
        return move

    # === DOCUMENTS === #

    def _keep_for_margin(self, documents):
        """Make no bill of documents, of which each is for itself then; what is on
        others already is not counted twice."""
        kept = documents - self._get_undecided(documents)
        verdicts = self.env["copaco.duplicate.finder"]._find(kept)
        for document, verdict in verdicts.items():
            kept -= document
            if isinstance(verdict, Exclusion):
                self._exclude(document, verdict.reason)
            else:
                document._hold(verdict)
        self._exclude(kept, _lt("Purchase invoices are kept for the margin only."))
        kept.is_margin_only = True

    def _get_undecided(self, documents):
        """:return: those of these documents that a person has to decide about first"""
        return documents.filtered(
            lambda document: (
                document.has_pending_version
                or document.hold_reason == "payload_invalid"
                or document.state == "held"
                and document.hold_reason in _UNTIL_RETRY
            )
        )

    def _get_bill(self, documents):
        """:return: the bill of these documents that was not cancelled"""
        moves = documents.move_id.filtered(lambda move: move.state != "cancel")
        return moves[:1]

    def _check_documents(self, documents):
        """Exclude documents whose charges are all on others, when that is all of them.

        :return: a `Hold` when some documents of a bill can't be on it, or None
        """
        waiting = self._get_undecided(documents)
        verdicts = self.env["copaco.duplicate.finder"]._find(documents - waiting)
        exclusions = {
            document: verdict.reason
            for document, verdict in verdicts.items()
            if isinstance(verdict, Exclusion)
        }
        if len(exclusions) == len(documents):
            for document, reason in exclusions.items():
                self._exclude(document, reason)
            return None
        for document, verdict in verdicts.items():
            if document in exclusions:
                verdict = Hold(
                    "possible_double",
                    _lt(
                        "%(document)s: %(reason)s Exclude it, or press Invoice anyway.",
                        document=document.name,
                        reason=exclusions[document],
                    ),
                )
            document._hold(verdict)
            waiting |= document
        if not waiting:
            return None
        return Hold(
            "bill_incomplete",
            _lt(
                "The bill of Copaco invoice %(number)s waits for %(documents)s. Decide "
                "about that first.",
                number=documents[0].invoice_number,
                documents=list_names(waiting.mapped("name")),
            ),
        )

    def _hold(self, documents, hold):
        """Hold documents that have no reason of their own."""
        own_reasons = ("payload_invalid", "possible_double", "source_changed")
        own_reasons += _UNTIL_RETRY
        if hold.reason == "bill_incomplete":
            documents = documents.filtered(
                lambda document: (
                    document.state != "held" or document.hold_reason not in own_reasons
                )
            )
        documents.write(documents._prepare_hold_values(hold))

    def _exclude(self, documents, reason):
        self.env["copaco.exclusion"]._apply_exclusion(
            documents, reason, self.env["res.users"]
        )

    # === BILLS === #

    def _set_vendor(self, document):
        """Take who has the sender's VAT number for the vendor; suggest who has its
        name."""
        connection = document.connection_id
        if connection.vendor_id:
            return
        vendor, suggestion = self.env["copaco.bill.finder"]._find_vendor(document)
        if vendor:
            connection.vendor_id = vendor
            connection._message_log(
                body=self.env._(
                    "Vendor %(vendor)s was found by the VAT number that Copaco sends.",
                    vendor=vendor.display_name,
                )
            )
        elif connection.suggested_vendor_id != suggestion:
            connection.suggested_vendor_id = suggestion

    def _get_awaited_hold(self, match):
        return Hold(
            "bill_awaited",
            _lt(
                "The bill of Copaco invoice %(number)s, %(amount)s without tax, was "
                "not received yet. It is linked when it is there: as a bill of "
                "%(vendor)s with this number.",
                number=match.documents[0].invoice_number,
                amount=Amount(match.amount, match.documents.currency_id),
                vendor=match.partner.display_name,
            ),
        )

    def _link(self, match, bill):
        """Link a bill that was not created from its documents."""
        bill.write(
            {
                "copaco_document_id": match.documents[0].id,
                "copaco_amount": match.amount,
                "copaco_digest": match.documents._get_digest(),
            }
        )
        match.documents._set_billed(bill)
        bill._message_log(
            body=self.env._(
                "Linked to Copaco invoice %(number)s.",
                number=match.documents[0].invoice_number,
            )
        )

    # === BILLS THAT ARE THERE === #

    def _update_bill(self, bill, documents):
        """Let the draft of a Copaco invoice follow what changed, unless it was edited
        or confirmed: then a person decides.

        :param bill: `account.move`
        :param documents: the `copaco.document` records of the invoice
        """
        first = bill.copaco_document_id
        updater = self.env["copaco.draft.updater"]
        pending = documents.filtered("has_pending_version")
        added = documents.filtered(
            lambda document: document.state == "new" and document.move_id != bill
        )
        obstacle = ""
        if updater._is_unedited_draft(first):
            writer = self.env["copaco.bill.writer"]
            hold = writer._try(first, self._update_draft, first, pending)
            if not hold:
                return
            obstacle = hold.message
        for version in pending._get_pending_version():
            version._request_decision(obstacle)
        self._hold(
            added,
            Hold(
                "bill_incomplete",
                obstacle
                or _lt(
                    "Bill %(bill)s of Copaco invoice %(number)s does not have these "
                    "charges, and was edited or confirmed. Delete or cancel the bill "
                    "and retry, or exclude the document.",
                    bill=name_invoice(bill),
                    number=first.invoice_number,
                ),
            ),
        )
        for document in (documents - pending - added).filtered(
            lambda document: document.state == "new"
        ):
            document._set_invoiced()

    def _update_draft(self, first, pending):
        """Take over what Copaco changed of a bill's documents, and rebuild its draft.

        :param first: the `copaco.document` that stands for them
        :param pending: those that Copaco changed
        """
        for version in pending._get_pending_version():
            version._take_over()
        self.env["copaco.draft.updater"]._update_draft(first)

    def _link_anyway(self, documents):
        """Link the bill that differs from its documents, because a person said so.

        :raise UserError: when it isn't there any more, or isn't the only one
        """
        for own in documents.grouped("invoice_number").values():
            match = self.env["copaco.bill.matcher"]._get_match(own[0])
            bill = self.env["copaco.bill.finder"]._search(
                match.partner,
                own[0].invoice_number,
                own[0]._get_companies(),
                match.amount,
            )
            if len(bill) != 1 or bill.currency_id != match.documents.currency_id:
                raise UserError(
                    self.env._(
                        "No bill can be linked to %(document)s: there has to be one "
                        "bill of %(vendor)s with its number, in %(currency)s. Correct "
                        "that, then retry.",
                        document=own[0].name,
                        vendor=match.partner.display_name,
                        currency=match.documents.currency_id.name,
                    )
                )
            self._link(match, bill)

    def _use_received(self, ours, received):
        """Let the bill that the vendor sent take the place of the draft that was made
        of its documents, which is kept, cancelled, when someone edited it.

        :param ours: `account.move`, a draft
        :param received: `account.move`
        """
        documents = ours._get_copaco_documents()
        is_edited = self.env["copaco.manual.edits"]._compare(ours).has_edits
        values = {
            name: ours[name]
            for name in ("copaco_document_id", "copaco_amount", "copaco_digest")
        }
        ours.copaco_document_id = False
        documents.write({"move_id": received.id, "move_snapshot": False})
        received.write(
            {**values, "copaco_document_id": values["copaco_document_id"].id}
        )
        body = self.env._(
            "%(user)s used the received bill instead of the draft that was made of "
            "Copaco's lines.",
            user=self.env.user.name,
        )
        received._message_log(body=body)
        if is_edited:
            ours._message_log(body=body)
            ours.button_cancel()
        else:
            ours.unlink()
