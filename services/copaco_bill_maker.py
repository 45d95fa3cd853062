from psycopg2 import OperationalError
from psycopg2.errors import LockNotAvailable

from odoo import api, models

from ..const import Hold


class CopacoBillMaker(models.AbstractModel):
    """From the documents of a Copaco purchase invoice, one for each customer, to one
    vendor bill."""

    _name = "copaco.bill.maker"
    _description = "Copaco Bill Maker"

    @api.model
    def _make(self, documents):
        """Make the bills of documents of one connection. A bill is made by who has the
        first document of it that waits."""
        for own in documents.grouped("invoice_number").values():
            found = self._lock_others(own)
            if found:
                self._make_bill(found)

    @api.model
    def _lock_others(self, own):
        """:param own: documents of one Copaco invoice that are locked
        :return: all documents of it; none when another worker has its first one
        :raise LockNotAvailable: when others have some of them
        """
        found = own.search(
            [
                ("root_company_id", "=", own.root_company_id.id),
                ("kind", "=", own[0].kind),
                ("invoice_number", "=", own[0].invoice_number),
            ],
            order="id",
        )
        waiting = found.filtered(lambda document: document.state == "new")
        if not waiting or waiting[0] not in own:
            return own.browse()
        others = found - own
        if others.try_lock_for_update() != others:
            raise LockNotAvailable("Another worker has documents of the same bill")
        return found

    @api.model
    def _make_bill(self, documents):
        """Make the bill of a Copaco invoice; its documents end `invoiced`, `held` or
        `excluded`.

        :param documents: all `copaco.document` records of it
        """
        self.env["copaco.document.builder"]._read_again(documents)
        live = documents.filtered(lambda document: document.state != "excluded")
        if live.connection_id[:1].purchase_policy == "off":
            self._exclude(live)
            return
        hold = self._check_documents(live)
        match = hold or self.env["copaco.bill.matcher"]._match(live)
        if isinstance(match, Hold):
            self._hold(live, match)
            return
        try:
            with self.env.cr.savepoint():
                move = self.env["copaco.bill.writer"]._create_bill(match)
                self._set_billed(match, move)
        except OperationalError:
            # Conflicts with other transactions are no document's fault.
            raise
        except Exception as error:  # noqa: BLE001 # told to a person
            writer = self.env["copaco.bill.writer"]
            self._hold(live, writer._get_error_hold(live[0], error))

    @api.model
    def _check_documents(self, documents):
        """:return: a `Hold` when some documents of a bill can't be on it, or None"""
        unreadable = documents.filtered(
            lambda document: document.hold_reason == "payload_invalid"
        )
        if not unreadable:
            return None
        return Hold(
            "bill_incomplete",
            self.env._(
                "The bill of Copaco invoice %(number)s waits for %(documents)s, which "
                "can't be read. Fetch it again, or exclude it.",
                number=documents[0].invoice_number,
                documents=", ".join(unreadable.mapped("name")),
            ),
        )

    @api.model
    def _hold(self, documents, hold):
        """Hold documents that have no reason of their own."""
        documents.filtered(
            lambda document: document.hold_reason != "payload_invalid"
        ).write(documents._prepare_hold_values(hold))

    @api.model
    def _exclude(self, documents):
        self.env["copaco.decision"]._apply_exclusion(
            documents,
            self.env._("Purchase invoices are kept for the margin only."),
            self.env["res.users"],
        )

    @api.model
    def _set_billed(self, match, move):
        """:param move: the `account.move` that is the bill of a match"""
        snapshot = self.env["copaco.manual.edits"]._take_snapshot(move)
        for document in match.documents:
            document._set_invoiced(move, snapshot)
            document.amount_billed = document.amount_to_invoice
            snapshot = None
