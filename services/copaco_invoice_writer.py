import logging

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import LazyTranslate, float_compare

from ..const import KINDS
from ..exceptions import TotalsMismatchError, VatMismatchError, get_message
from ..hold_reasons import Hold
from ..tools import Amount, join_messages, list_names

_lt = LazyTranslate(__name__)

_logger = logging.getLogger(__name__)


class _TriedOutError(Exception):
    """Undoes what was only tried out."""


class CopacoInvoiceWriter(models.AbstractModel):
    """Creates the invoices of documents that are matched: whole, checked to the cent,
    or not at all."""

    _name = "copaco.invoice.writer"
    _description = "Copaco Invoice Writer"

    def _create_invoices(self, matches):
        """Create the invoices of documents, in one batch when Odoo takes all of them;
        a document that it refuses is held, and stops no other.

        :param matches: dict of `DocumentMatch` by the first `copaco.document` of each
            invoice
        """
        if not matches:
            return
        self._try_each(
            self.env["copaco.document"].union(*matches),
            lambda own: self._create_checked_invoices(
                {document: matches[document] for document in own}
            ),
            lambda document, hold: self._create_without_refused(
                matches[document], hold
            ),
        )

    def _create_without_refused(self, match, hold):
        """Odoo refused an invoice: hold the documents that it refuses by themselves,
        and create that of the others; if it refuses that, one of each.

        :param match: the `DocumentMatch` of the invoice
        :param hold: the `Hold` for what Odoo said
        """
        if len(match.documents) == 1:
            match.documents._hold(hold)
            return
        grouper = self.env["copaco.invoice.grouper"]
        parts = grouper._split(match)
        for document, part in list(parts.items()):
            if hold := self._try_out({document: part}):
                document._hold(hold)
                del parts[document]
        if len(parts) > 1:
            rest = grouper._merge(parts)
            step = self._create_checked_invoices
            if not self._try(rest.documents[0], step, {rest.documents[0]: rest}):
                return
        self._try_each(
            match.documents.browse().union(*parts),
            lambda own: self._create_checked_invoices(
                {document: parts[document] for document in own}
            ),
        )

    def _try_out(self, matches):
        """:param matches: dict of one `DocumentMatch` by document
        :return: the `Hold` for what Odoo says when its invoice is created; None when it
            takes it. Nothing of it is kept.
        """
        try:
            with self.env.cr.savepoint():
                self._create_drafts(matches)
                raise _TriedOutError
        except _TriedOutError:
            return None
        except OperationalError:
            raise
        except Exception as error:  # told to a person
            return self._get_error_hold(next(iter(matches)), error)

    def _try_each(self, documents, step, refuse=None):
        """Take a step of documents at once; if that fails, of one after the other, and
        hold those that it fails of.

        :param refuse: what is done with a document that it fails of, and its `Hold`
        """
        if len(documents) > 1:
            try:
                with self.env.cr.savepoint():
                    step(documents)
                return
            except OperationalError:
                # Conflicts with other transactions are no document's fault.
                raise
            except Exception as error:  # found below, one by one
                _logger.info("Copaco documents one by one (%s)", type(error))
        for document in documents:
            if hold := self._try(document, step, document):
                if refuse:
                    refuse(document, hold)
                else:
                    document._hold(hold)

    def _try(self, document, step, *arguments):
        """Take a step of a document; what it has written is undone if it fails.

        :return: the `Hold` for what Odoo said; None when it is done
        """
        try:
            with self.env.cr.savepoint():
                step(*arguments)
        except OperationalError:
            raise
        except Exception as error:  # told to a person
            return self._get_error_hold(document, error)
        return None

    def _create_checked_invoices(self, matches):
        """Create the invoices of documents, and post them if the policy says so; all or
        none.

        :param matches: dict of `DocumentMatch` by document
        :raise TotalsMismatchError: when Odoo would book another amount than Copaco's
        :raise VatMismatchError: when its tax is not the VAT that Copaco states
        :raise UserError: when Odoo refuses one
        """
        self._create_drafts(matches)
        self._automate(
            self.env["copaco.document"].union(
                *(match.documents for match in matches.values())
            )
        )

    def _create_drafts(self, matches, checks_vat=True):
        """See `_create_checked_invoices`.

        :param checks_vat: whether a difference from the VAT that Copaco states counts
        :return: `account.move` records, which the documents have now
        """
        created = self._create_moves(matches)
        for document, move in created.items():
            match = matches[document]
            self._check_totals(match.documents, move)
            for each in match.documents if checks_vat else ():
                self.env["copaco.vat.checker"]._check(
                    each, move, is_joint=len(match.documents) > 1
                )
            match.documents._set_billed(
                move, self.env["copaco.manual.edits"]._take_snapshot(move)
            )
            self.env["copaco.document.line"]._set_matches(match.lines)
        return self.env["account.move"].union(*created.values())

    def _automate(self, documents):
        """Post new invoices, and have them sent, if the policy says so.

        :param documents: all `copaco.document` records of these invoices
        """
        invoices = {own: move for move, own in documents.grouped("move_id").items()}
        policies = self.env["copaco.automation"]._get_policies(documents)
        automated = documents.filtered(lambda each: policies[each] != "draft")
        if automated:
            checker = self.env["copaco.contact.checker"]
            complete = checker._split_off_incomplete(automated)
            complete = self.env["copaco.completeness"]._split_off_waiting(complete)
            complete = self.env["copaco.draft.checker"]._split_off_unusual(complete)
            whole = {own: move for own, move in invoices.items() if own <= complete}
            self._check_analytic(self.env["account.move"].union(*whole.values()))
            self._confirm(whole)
        sent = documents.browse().union(
            *(
                own[0]
                for own, move in invoices.items()
                if all(policies[each] == "send" for each in own)
                # What was added to a draft is sent with it.
                and not (
                    len(own) > 1
                    and move.with_context(active_test=False).copaco_delivery_ids
                )
            )
        )
        if sent:
            self.env["copaco.sender"]._queue(sent)

    def _check_analytic(self, moves):
        """As Odoo's own Confirm button does: an analytic plan may be mandatory.

        :param moves: `account.move` records that are to be posted
        :raise UserError: when a line lacks it
        """
        moves.line_ids.with_context(
            validate_analytic=True
        )._validate_analytic_distribution()

    def _confirm(self, created):
        """Post invoices; one that may not be confirmed yet, such as before somebody has
        approved it, stays a draft with the reason.

        :param created: dict of `account.move` by the documents that it is of
        :raise TotalsMismatchError: see `_create_checked_invoices`
        """
        try:
            # The savepoint also lets Odoo finish what it tells of the creation: of what
            # is confirmed in the same step, it would tell nothing.
            with self.env.cr.savepoint():
                self.env["account.move"].union(*created.values())._post(soft=False)
        except (UserError, RedirectWarning) as error:
            if len(created) > 1:
                for documents, move in created.items():
                    self._confirm({documents: move})
                return
            (documents,) = created
            documents[0]._set_unconfirmed(get_message(error))
        for documents, move in created.items():
            self._check_totals(documents, move)

    def _create_moves(self, matches):
        """Create the invoices of documents by Odoo's own code, with its synchronising
        on.

        Lines that are created with their invoice are made twice by Odoo: in memory for
        what is computed of them, and to be inserted. So all lines of the batch are
        created after their invoices, at once; in the same step Odoo adds those of taxes
        and payment terms.

        :param matches: dict of `DocumentMatch` by `copaco.document`
        :return: dict of `account.move` by document
        :raise UserError: when Odoo refuses one
        """
        if self._get_automations():
            return self._create_moves_for_automations(matches)
        # An invoice without payment terms must be the last: while Odoo computes its due
        # date, it would give those behind it the same.
        matches = dict(
            sorted(
                matches.items(),
                key=lambda item: not item[1].partner.property_payment_term_id,
            )
        )
        vals_list = [
            self._get_builder(document)._prepare_invoice(
                document, match, add_computed=True
            )
            for document, match in matches.items()
        ]
        commands = [vals.pop("invoice_line_ids") for vals in vals_list]
        # To add lines to a new invoice is no edit.
        Move = self.env["account.move"].with_context(skip_is_manually_modified=True)
        moves = Move.create(vals_list)
        moves.line_ids.create(
            [
                {"move_id": move.id, **vals}
                for move, own in zip(moves, commands, strict=True)
                for _command, _id, vals in own
            ]
        )
        return dict(zip(matches, moves.with_env(self.env), strict=True))

    def _create_moves_for_automations(self, matches):
        """As `_create_moves`, one invoice at a time and with such values as a person
        would enter: an automation has to see what it would see of an invoice that was
        entered, never one without lines, or with a total that lacks its taxes.
        """
        return {
            document: self.env["account.move"].create(
                self._get_builder(document)._prepare_invoice(document, match)
            )
            for document, match in matches.items()
        }

    def _get_builder(self, document):
        return self.env[KINDS[document.kind].builder]

    def _get_automations(self):
        """:return: the automations of Odoo's that act on invoices or their lines"""
        if "base.automation" not in self.env:
            return ()
        return (
            self.env["base.automation"]
            .sudo()
            .search([("model_name", "in", ("account.move", "account.move.line"))])
        )

    def _check_totals(self, documents, move, edits=None):
        """:param documents: all `copaco.document` records of the invoice
        :param edits: the `ManualEdits` of the invoice, which count as right
        :raise TotalsMismatchError: see `_create_checked_invoices`"""
        sign = -1 if move.move_type == "out_refund" else 1
        booked = {
            line.copaco_line_id: sign * line.price_subtotal
            for line in move.invoice_line_ids
        }
        currency = documents.currency_id
        digits = (currency.decimal_places or 2) + 2
        lines = documents._get_billed_lines()
        if edits and edits.has_line_edits:
            lines -= edits.edited.copaco_line_id
            lines = lines.filtered(lambda line: line.id not in edits.removed)
        for line in lines:
            if float_compare(booked.get(line, 0.0), line.amount, digits):
                raise TotalsMismatchError(
                    self.env,
                    _lt(
                        "%(document)s was not booked, because line %(line)s would be "
                        "%(booked)s instead of %(amount)s. Check automations, "
                        "other addons, and the tax of the product (prices must not "
                        "include tax), then retry.",
                        document=line.document_id.name,
                        line=line.display_name,
                        booked=Amount(booked.get(line, 0.0), currency),
                        amount=Amount(line.amount, currency),
                    ),
                )
        if edits and edits.has_line_edits:
            return
        total = sign * move.amount_untaxed
        amount = sum(documents.mapped("amount_to_invoice"))
        if float_compare(total, amount, digits):
            raise TotalsMismatchError(
                self.env,
                _lt(
                    "%(document)s was not booked, because its total without tax would "
                    "be %(booked)s instead of %(amount)s. Check automations, other "
                    "addons, cash rounding, and the tax of the product (prices must "
                    "not include tax), then retry.",
                    document=list_names(documents.mapped("name")),
                    booked=Amount(total, currency),
                    amount=Amount(amount, currency),
                ),
            )

    def _get_mismatch_message(self, error):
        """:return: message of a `TotalsMismatchError`, with what may be the cause"""
        automations = self._get_automations()
        if not automations:
            return error.message
        hint = _lt(
            "These automations act on invoices: %(automations)s. One that adds a line "
            "or changes a price must leave out invoices whose Copaco document is set.",
            automations=", ".join(automations.mapped("name")),
        )
        return join_messages(error.message, hint)

    def _get_error_hold(self, document, error):
        """:return: the `Hold` for what Odoo said when an invoice was to be created"""
        if isinstance(error, TotalsMismatchError):
            return Hold("totals_differ", self._get_mismatch_message(error))
        if isinstance(error, VatMismatchError):
            return Hold("vat_differs", error.message)
        if isinstance(error, MemoryError):
            return self.env["copaco.batch.planner"]._get_too_large_hold(document)
        if isinstance(error, UserError | RedirectWarning):
            return Hold(
                "unexpected_error",
                _lt(
                    "Odoo refused the invoice of %(document)s: %(error)s Correct the "
                    "cause and retry.",
                    document=document.name,
                    error=get_message(error),
                ),
            )
        _logger.error(
            "Copaco document %s could not be invoiced", document.id, exc_info=error
        )
        return Hold(
            "unexpected_error",
            _lt(
                "The invoice of %(document)s could not be created because of an "
                "unexpected error (%(error)s). Retry; if it stays, send the server's "
                "log to whoever maintains this addon.",
                document=document.name,
                error=type(error).__name__,
            ),
        )
