from odoo import fields, models
from odoo.fields import Command

from ..client import parse_payload
from ..const import NOTHING_SETTLED, TOTALS_FIELDS
from ..tools import pair_lines, render_message


class CopacoDocumentVersion(models.Model):
    """What a known document said before, or says now in Copaco and not yet here.

    A document's own payload is the one that counts; every other one that was ever
    received is kept here, so that nothing is lost.
    """

    _name = "copaco.document.version"
    _inherit = ["copaco.difference.mixin", "copaco.payload.mixin"]
    _description = "Copaco Document Version"
    _order = "id desc"

    document_id = fields.Many2one(
        "copaco.document", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="document_id.company_id", store=True, index=True
    )
    run_id = fields.Many2one(
        "copaco.run", required=True, ondelete="restrict", index=True
    )
    state = fields.Selection(
        [
            ("pending", "Waiting for a decision"),
            ("replaced", "Replaced"),
            ("declined", "Declined"),
        ],
        required=True,
    )
    declined_by_id = fields.Many2one("res.users")
    currency_id = fields.Many2one("res.currency")
    amount_source = fields.Monetary(string="Amount", help="Without tax.")
    totals_difference = fields.Float(help="See the field of the document.")
    totals_line_count = fields.Integer(help="See the field of the document.")
    unread_total = fields.Char(
        string="Unreadable Total", help="See the field of the document."
    )
    whole_vat = fields.Float(
        string="VAT of All Parts", help="See the field of the document."
    )
    line_count = fields.Integer(string="Lines")
    payload = fields.Text(required=True)
    payload_digest = fields.Char(required=True)
    excluded_lines = fields.Json(
        help="The positions of its lines that a person had excluded when it was the "
        "document's own content."
    )
    move_ids = fields.One2many(
        "account.move",
        "copaco_version_id",
        string="Corrections",
        help="What corrects the invoice of the older content, when this one was taken "
        "over.",
    )
    move_snapshot = fields.Json(
        help="What the addon put on the correction, to find manual edits, and which "
        "lines of the document were on the invoice before."
    )
    credited = fields.Json(
        help="What of this change a person had credited before it was corrected: "
        "amounts without tax by the text of the invoice line."
    )
    amount_credited = fields.Monetary(help="The sum of them.")
    amount_taken_off = fields.Monetary(
        string="Taken Off",
        help="What of this change a person had taken off the lines of the invoice, so "
        "that it is not credited.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals and not self.env.context.get("copaco_refresh_later"):
            self.run_id._refresh_state()
        return res

    # === BUSINESS METHODS: WHAT BECOMES OF A VERSION === #

    def _get_declined(self):
        """:return: what Copaco said last, where a person kept what it said before"""
        return self.filtered(lambda version: version.state == "declined")

    def _end_declined(self):
        """Copaco no longer says what was declined, or something newer was decided."""
        self.write({"state": "replaced", "declined_by_id": False})

    def _request_decision(self, *obstacles):
        """Let a person decide about this pending version.

        :param obstacles: messages: why what would have been done by itself can't be
        """
        self.ensure_one()
        document = self.document_id
        invoice = document._get_live_invoice()
        warnings = self.env["copaco.version.warnings"]._get_group(self)
        said = render_message(self.env, warnings)
        others = (
            each for each in obstacles if render_message(self.env, each) not in said
        )
        message = self._get_decision_message(*others, warnings)
        text = render_message(self.env, message)
        is_said = document.hold_message == text
        document.write(
            {
                "state": "changed" if invoice else "held",
                "hold_reason": "source_changed",
                "hold_message": message,
            }
        )
        if not is_said:
            document._message_log(body=text)

    def _take_over(self):
        """What Copaco changed counts from now on."""
        self.ensure_one()
        document, charges = self.document_id, self.env["copaco.declined.charge"]
        excluded_by = document.excluded_by_id
        if excluded_by and not document.is_excluded_by_customer:
            lost = self._get_lost_lines()
            charges._keep_lost(document, lost, "excluded", excluded_by)
        self._swap_content()
        charges._end_own(document, document.line_ids)
        # It was declined in favour of what is replaced now.
        document.version_ids._get_declined()._end_declined()
        document._message_log(body=self.env._("Took over what Copaco changed."))

    def _swap_content(self):
        """Swap the document's own content and that of this version."""
        document, new_run = self.document_id, self.run_id
        source = parse_payload(self.payload)
        builder = self.env["copaco.document.builder"]
        vals = builder._prepare_document_values(
            source,
            new_run,
            {document.customer_id.account_ref: document.customer_id},
            builder._get_currency(source.currency),
            document,
        )
        vals |= {name: self[name] for name in TOTALS_FIELDS}
        finder = self.env["copaco.duplicate.finder"]
        if document.is_no_double and finder._get_version_warning(self):
            # A person said that of the lines that it had.
            vals["is_no_double"] = False
        if document.state == "excluded":
            vals["state"] = "excluded"
            vals.pop("exclude_reason", None)
        else:
            vals = {"exclude_reason": False, "excluded_by_id": False, **vals}
        # Who the document is for was decided when it was first received.
        for name in (
            "company_id",
            "root_company_id",
            "connection_id",
            "customer_id",
            "account_key",
            "invoice_number",
        ):
            vals.pop(name)
        lost_lines = self._get_lost_lines()
        lost = document._get_charge_names(lost_lines)
        self.env["copaco.exclusion"]._retry_others(document, lost_lines)
        vals["line_ids"] = self._keep_lines(source.lines, vals["line_ids"])
        old_run = document.run_id
        was_excluded = self.excluded_lines or []
        excluded = document.line_ids.filtered("is_excluded")
        self.write(
            {
                "run_id": old_run.id,
                "state": "replaced",
                "currency_id": document.currency_id.id,
                "amount_source": document.amount_source,
                **{name: document[name] for name in TOTALS_FIELDS},
                "line_count": document.line_count,
                "payload": document.payload,
                "payload_digest": document.payload_digest,
                "excluded_lines": excluded.mapped("sequence"),
                **NOTHING_SETTLED,
            }
        )
        document.write(vals)
        document.line_ids.filtered(
            lambda line: line.sequence in was_excluded
        ).is_excluded = True
        document._update_amount_excluded()
        (old_run | new_run)._refresh_state()
        document._retry_parts(lost)
        self.env["copaco.version.warnings"]._warn_of_lost(document, lost)

    def _keep_lines(self, lines, commands):
        """Let a line that is still there keep its record, and so its invoice line.

        :param lines: list of the new `DocumentLine`
        :param commands: list of the `Command.create` of each
        :return: list of commands that replace the lines of the document by them
        """
        creations = iter(commands)
        result = []
        for old, new in pair_lines(self.document_id.line_ids, lines):
            if not new:
                result.append(Command.delete(old.id))
                continue
            creation = next(creations)
            result.append(Command.update(old.id, creation[2]) if old else creation)
        return result
