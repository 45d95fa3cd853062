from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..client import parse_payload
from ..tools import (
    get_charge_key,
    get_row_hash,
    get_text_key,
    may_be_same_charge,
    name_line,
    round_amount,
)

_lt = LazyTranslate(__name__)


class CopacoDeclinedCharge(models.Model):
    """A charge that a person decided not to invoice, and that is on no document that
    tells of that: a change that had it was declined; or Copaco took it off a document
    that was excluded, or of which it had been removed from the draft invoice. It may
    come on another document (promise 1 in doc/how_it_works.rst)."""

    _name = "copaco.declined.charge"
    _description = "Declined Copaco Charge"
    _order = "id"

    name = fields.Char(required=True)
    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    decision = fields.Selection(
        [
            ("declined", "The change that had it was declined"),
            ("excluded", "Its document was excluded"),
            ("removed", "It was removed from the invoice"),
        ],
        required=True,
    )
    user_id = fields.Many2one("res.users", string="Decided by")
    declined_on = fields.Date()
    row_hash = fields.Char(string="Row hash")
    subscription_ref = fields.Char(string="Subscription")
    description = fields.Char()
    date_start = fields.Date()
    date_end = fields.Date()
    quantity = fields.Float(min_display_digits=0)
    currency_id = fields.Many2one("res.currency")
    extended_price = fields.Float(min_display_digits="Product Price")
    amount = fields.Float(min_display_digits=2)

    _row_hash_idx = models.Index("(row_hash) WHERE row_hash != ''")
    _extended_price_idx = models.Index("(extended_price)")

    # === BUSINESS METHODS === #

    @api.model
    def _keep_declined(self, version, user, declined_on):
        """Remember what a version has, and its document doesn't.

        :param version: a `copaco.document.version` that was declined
        :param user: `res.users` who did that
        :param declined_on: date
        """
        document = version.document_id
        own = {_get_content(line) for line in document.line_ids}
        lines = [
            line
            for line in parse_payload(version.payload).lines
            if _get_content(line) not in own
        ]
        self._keep(
            document,
            lines,
            decision="declined",
            user_id=user.id,
            declined_on=declined_on,
            run_id=version.run_id.id,
            currency_id=version._get_currency().id,
        )

    @api.model
    def _keep_lost(self, document, lines, decision, user=None):
        """Remember lines that a document is about to lose.

        :param lines: `copaco.document.line` records
        :param decision: why they are not invoiced
        :param user: `res.users` who decided that, if it is known
        """
        self._keep(
            document,
            list(lines),
            decision=decision,
            user_id=user and user.id,
            run_id=document.run_id.id,
            currency_id=document.currency_id.id,
        )

    @api.model
    def _keep_removed(self, version, edits):
        """Remember what a document is about to lose of what a person had removed from
        its invoice.

        :param version: the `copaco.document.version` that is taken over
        :param edits: the `ManualEdits` of the invoice
        """
        lost = version._get_lost_lines()
        lost = lost.filtered(lambda line: line.id in edits.removed)
        self._keep_lost(version.document_id, lost, "removed")

    @api.model
    def _keep(self, document, lines, **vals):
        """Remember charges, without those that the invoices of other documents bill."""
        finder = self.env["copaco.duplicate.finder"]
        billed = {
            id(pair.line)
            for pair in finder._find_lines({document: lines})[document]
            if pair.other.document_id._get_live_invoice()
        }
        lines = [line for line in lines if id(line) not in billed]
        self._end_own(document, lines)
        currency = self.env["res.currency"].browse(vals["currency_id"])
        self.create(
            [
                {
                    "name": name_line(line) or line.line_ref or "–",
                    "document_id": document.id,
                    "company_id": document.company_id.id,
                    "row_hash": get_row_hash(line),
                    "subscription_ref": line.subscription_ref or "",
                    "description": line.description,
                    "date_start": line.date_start,
                    "date_end": line.date_end,
                    "quantity": float(line.quantity or 0),
                    "extended_price": float(line.extended_price),
                    "amount": float(
                        round_amount(
                            Decimal(str(line.extended_price)), currency.rounding
                        )
                    ),
                    **vals,
                }
                for line in lines
            ]
        )

    @api.model
    def _end_own(self, document, lines):
        """What was declined of a document is decided anew.

        :param lines: list of its lines, or of a version's
        """
        self.search([("document_id", "=", document.id)]).filtered(
            lambda charge: any(charge._may_be(line, document) for line in lines)
        ).unlink()

    @api.model
    def _end(self, asked):
        """A person decided that these lines are invoiced, whatever was declined of
        other documents.

        :param asked: dict of lists of lines by `copaco.document`
        """
        found = self.env["copaco.declined.finder"]._find(asked)
        self.union(
            *(charge for pairs in found.values() for _line, charge in pairs)
        ).unlink()

    @api.model
    def _end_pending(self, documents):
        """As `_end`, of what Copaco changed in documents. What has no invoice is asked
        about when it is to be invoiced.

        :param documents: `copaco.document` records
        """
        self._end(
            {
                document: document._get_pending_version()._get_new_lines()
                for document in documents
                if document.has_pending_version and document._get_live_invoice()
            }
        )

    def _may_be(self, line, document):
        """Whether this may be the same charge as a line, by the rule of
        `copaco.duplicate.finder`.

        :param line: of a `copaco.document`, or of a version of it
        """
        self.ensure_one()
        is_same_endpoint = self.run_id.endpoint == document.run_id.endpoint
        if not may_be_same_charge(line, self, is_same_endpoint):
            return False
        is_hash = self.row_hash and self.row_hash == get_row_hash(line)
        return bool(is_hash or self.currency_id == document.currency_id)

    def _describe(self):
        """:return: message with the document, and who decided what about it"""
        self.ensure_one()
        user = self.user_id.name or _lt("Somebody")
        values = {"document": self.document_id.name, "user": user}
        if self.decision == "removed":
            return _lt("%(document)s (removed from its invoice)", **values)
        if self.decision == "excluded":
            return _lt("%(document)s (excluded by %(user)s)", **values)
        return _lt(
            "%(document)s (change declined by %(user)s on %(date)s)",
            date=self.declined_on,
            **values,
        )


def _get_content(line):
    # With a row hash, another text makes no other charge.
    return get_charge_key(line), "" if line.row_hash else get_text_key(line.description)
