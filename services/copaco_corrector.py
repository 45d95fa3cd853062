from functools import cache

from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare, formatLang

from ..const import KINDS
from ..tools import join_different


class CopacoCorrector(models.AbstractModel):
    """Prepares the draft of exactly the difference when Copaco changes what was
    invoiced. The invoice itself is left alone (promises 5 and 7 in
    doc/how_it_works.rst)."""

    _name = "copaco.corrector"
    _description = "Copaco Corrector"

    def _correct(self, document):
        """Prepare the draft of what Copaco changed in a document since it was invoiced.

        :param document: a `copaco.document` with an invoice and a pending version
        :return: `account.move`, empty when there is nothing left to correct
        :raise UserError: see `_create_correction`
        """
        self.env["copaco.restored.charges"]._check_use(document)
        self._remove_drafts(document)
        version = document._get_pending_version()
        correction = self.env["account.move"]
        if version and version._is_invoiced_anew():
            correction = self.env["copaco.reverser"]._invoice_anew(document, version)
        elif version:
            correction = self._create_correction(document, version)
            document._set_invoiced()
        document._message_log(body=self._get_result(document, version, correction))
        return correction

    def _get_result(self, document, version, correction):
        """:return: what was done, for the chatter of the document"""
        if correction:
            return self.env._(
                "Correction prepared: %(correction)s",
                correction=Markup(", ").join(
                    move._get_html_link() for move in correction
                ),
            )
        if version.amount_taken_off:
            return self.env._(
                "Nothing is left to correct: %(amount)s of what Copaco changed was "
                "taken off the invoice manually.",
                amount=document._format_amount(version.amount_taken_off),
            )
        if version.amount_credited > 0:
            return self.env._(
                "Nothing is left to correct: %(amount)s of what Copaco changed was "
                "credited manually.",
                amount=document._format_amount(version.amount_credited),
            )
        if version.amount_credited:
            return self.env._(
                "Nothing is left to correct: %(amount)s of what Copaco changed was "
                "invoiced manually.",
                amount=document._format_amount(-version.amount_credited),
            )
        return self.env._("No amount changed, so there is nothing to correct.")

    def _remove_drafts(self, document):
        """Remove the drafts of earlier changes that nobody confirmed or edited: there
        is one for all of them. A person's work is kept."""
        for draft in document._get_live_corrections().sorted("id", reverse=True):
            if (
                draft.state != "draft"
                or draft.posted_before
                or self.env["copaco.manual.edits"]._compare(draft).has_edits
            ):
                break
            draft.unlink()

    def _reopen(self, documents):
        """Credit notes with which changes of documents were settled are gone: where
        nothing else corrects them, a person decides anew.

        :param documents: `copaco.document` records
        """
        finder = self.env["copaco.credit.finder"]
        # Of those on one invoice, the one first whose change was settled with it.
        for document in documents.sorted(lambda each: not finder._lacks_credit(each)):
            billed = finder._get_billed(document)
            version = document.version_ids.filtered("amount_credited")[:1]
            if not billed or version.move_ids & billed:
                continue
            available = finder._get_available(document)
            left = document.currency_id.round(sum(available.values()))
            if left * version.amount_credited < 0:
                version.env["copaco.versioning"]._on_correction_removed(version)

    def _create_correction(self, document, version):
        """Take over a version of a document, and make a draft of the difference.

        :param document: a `copaco.document` with an invoice
        :param version: its pending `copaco.document.version`
        :return: `account.move`, empty when there is nothing left to correct
        :raise UserError: when it can't be corrected by a draft of the difference
        """
        invoice = document._get_live_invoice()
        self.env["copaco.reverser"]._check_version(document, version)
        changes = [
            difference
            for difference in version._get_differences()
            if not (difference.is_only_text or difference.is_excluded)
        ]
        finder = self.env["copaco.credit.finder"]
        changes, taken_off = finder._settle_edits(document, changes)
        differences, credited, credits = finder._settle(document, changes)
        booked = self._get_booked(document)
        manual_edits = self.env["copaco.manual.edits"]
        positions = manual_edits._get_positions(document)
        currency = document.currency_id
        kind = KINDS[document.kind]
        rounder = self.env["copaco.correction.rounding"]
        billed = rounder._take_billed(document)
        self.env["copaco.declined.charge"]._keep_removed(
            version, manual_edits._get_edits(document)
        )
        version._take_over()
        # What has no lines may be in any: it takes away what is in that of before.
        document.currency_id = currency
        version.write({"credited": credited, "amount_taken_off": taken_off})
        differences = [
            difference
            for difference in differences
            if not currency.is_zero(difference.now - difference.was)
        ]
        date = self.env["copaco.document.matcher"]._get_first_open_day(
            document, fields.Date.context_today(self)
        )

        @cache
        def get_match():
            return self.env[kind.matcher]._get_match(document, correction_date=date)

        roundings = rounder._get_roundings(document, billed, booked, get_match)
        roundings = rounder._settle(document, version, roundings)
        # A credit note that settled it may go.
        version.move_snapshot = {"positions": positions}
        if not differences and not roundings:
            return invoice.browse()
        match = get_match()
        amount = currency.round(
            document.amount_to_invoice
            - billed.amount
            + version.amount_credited
            + version.amount_taken_off
        )
        is_refund = amount < 0
        # Where a person had the invoice created anew, for another contact perhaps.
        anew = credits.filtered(
            lambda move: move.copaco_origin_id and move.move_type == kind.move_type
        )
        invoice = anew.sorted("id")[-1:] or invoice
        texts = self
        if invoice.is_sale_document():
            texts = self.with_context(lang=invoice.partner_id.lang or self.env.lang)
        correction = self.env["account.move"].create(
            {
                "move_type": kind.get_move_type(amount),
                "company_id": invoice.company_id.id,
                "journal_id": invoice.journal_id.id,
                "partner_id": invoice.partner_id.id,
                "fiscal_position_id": invoice.fiscal_position_id.id,
                "currency_id": currency.id,
                "invoice_date": date,
                "invoice_origin": document.invoice_number,
                "ref": invoice.ref,
                "invoice_user_id": invoice.invoice_user_id.id,
                "copaco_version_id": version.id,
                # Odoo settles a credit note with the invoice that it is of.
                "reversed_entry_id": is_refund
                and invoice.state == "posted"
                and invoice.move_type == kind.move_type
                and invoice.currency_id == currency
                and invoice.id,
                "invoice_line_ids": [
                    Command.create(
                        texts._prepare_line(
                            document, difference, booked, match, is_refund
                        )
                    )
                    for difference in differences
                ]
                + [
                    texts._prepare_rounding(
                        document, rounding, booked, match, is_refund
                    )
                    for rounding in roundings
                ],
            }
        )
        self._check_amount(document, correction, amount)
        self.env["copaco.document.line"]._set_matches(
            {line: own for line, own in match.lines.items() if line.id not in booked}
        )
        version.move_snapshot = {
            **manual_edits._take_snapshot(correction),
            "positions": positions,
        }
        self._log_correction(invoice, correction, version, credits)
        return correction

    def _log_correction(self, invoice, correction, version, credits):
        """:param credits: `account.move` that a person made of what is corrected"""
        correction._message_log(
            body=self.env._(
                "Corrects %(invoice)s, which Copaco changed since.",
                invoice=invoice._get_html_link(),
            )
        )
        if version.amount_credited:
            correction._message_log(
                body=self.env._(
                    "%(amount)s of what Copaco changed is not on it, because a person "
                    "credited or invoiced that: %(credits)s.",
                    amount=version.document_id._format_amount(
                        abs(version.amount_credited)
                    ),
                    credits=Markup(", ").join(
                        move._get_html_link() for move in credits
                    ),
                )
            )
        if version.amount_taken_off:
            correction._message_log(
                body=self.env._(
                    "%(amount)s of what Copaco changed is not on it, because a person "
                    "had taken that off the invoice.",
                    amount=version.document_id._format_amount(version.amount_taken_off),
                )
            )
        currency = version.document_id.currency_id
        if other := credits.filtered(lambda move: move.currency_id != currency):
            correction._message_log(
                body=self.env._(
                    "What was credited or invoiced in another currency is not taken "
                    "off it: %(credits)s. Check what is left to correct.",
                    credits=Markup(", ").join(move._get_html_link() for move in other),
                )
            )
        invoice._message_log(
            body=self.env._(
                "Copaco changed this since. Correction: %(correction)s",
                correction=correction._get_html_link(),
            )
        )

    def _get_booked(self, document):
        """:return: dict of the `account.move.line` that a line of a document was booked
        as first, on the invoice or a correction, by its id; empty for none
        """
        corrected = document._get_live_corrections().invoice_line_ids
        added = {
            line.copaco_line_id: line for line in corrected.sorted("id", reverse=True)
        }
        return {
            line.id: line.move_line_id or added.get(line, line.move_line_id)
            for line in document.line_ids
        }

    def _prepare_rounding(self, document, rounding, booked, match, is_refund):
        """:param rounding: a `Rounding`
        :param booked: see `_prepare_line`
        :return: the command for the line of a correction with it
        """
        builder = self.env[KINDS[document.kind].builder]
        return Command.create(
            {
                **builder._prepare_rounding_line(
                    rounding.amount, 1000, match._replace(is_refund=is_refund), True
                ),
                **self._prepare_booking(rounding.line, booked, match),
            }
        )

    def _prepare_line(self, document, difference, booked, match, is_refund):
        """:param difference: a `LineDifference`
        :param booked: dict of `account.move.line` by id of `copaco.document.line`
        :return: values for `account.move.line.create`
        """
        line = document.line_ids.filtered(
            lambda line: line.sequence == difference.sequence
        )
        original = booked.get(difference.line_id, self.env["account.move.line"])
        booking = self._prepare_booking(line, {line.id: original}, match)
        amount = difference.now - difference.was
        sign = -1 if is_refund else 1
        currency = document.currency_id

        def show(value):
            return formatLang(self.env, value, currency_obj=currency)

        text = self._get_text(difference, show, original.move_id)
        return {
            **booking,
            "display_type": "product",
            "name": text,
            # The sign goes on the quantity: e-invoices forbid negative prices.
            "quantity": sign * (1 if amount > 0 else -1),
            "price_unit": abs(amount),
            "copaco_line_id": line.id,
            "copaco_vendor_details": line.vendor_details,
        }

    def _prepare_booking(self, line, booked, match):
        """:param line: a `copaco.document.line`, empty for one that is gone
        :param booked: see `_prepare_line`
        :return: values of a line of a correction: as what it corrects was booked
        """
        original = booked.get(line.id, self.env["account.move.line"])
        line_match = match.lines.get(line, match.default)
        builder = self.env["copaco.invoice.builder"]
        product = original.product_id or line_match.product
        return {
            "product_id": product.id,
            "product_uom_id": (original.product_uom_id or product.uom_id).id,
            "account_id": (original.account_id or line_match.account).id,
            "tax_ids": [
                Command.set((original.tax_ids if original else line_match.taxes).ids)
            ],
            **(
                {"analytic_distribution": original.analytic_distribution}
                if original
                else builder._prepare_analytic(match, line_match)
            ),
            "is_imported": True,
        }

    def _get_text(self, difference, show, invoice):
        """:param difference: a `LineDifference`
        :param show: writes an amount
        :param invoice: that is corrected, if the line is on one
        :return: the text of a line of a correction, in the language of the context
        """
        formats = self.env["copaco.line.text"]._get_formats()
        rows = [difference.text]
        if difference.period:
            period = " – ".join(formats.day(day) for day in difference.period)
            rows.append(self.env._("Period: %(period)s", period=period))
        if len(set(difference.quantities)) > 1:
            quantity = join_different(map(formats.number, difference.quantities))
            rows.append(self.env._("Quantity: %(quantity)s", quantity=quantity))
        amounts = {"now": show(difference.now), "was": show(difference.was)}
        if invoice.state == "posted":
            correction = self.env._(
                "Correction of %(invoice)s: %(now)s instead of %(was)s",
                invoice=invoice.name,
                **amounts,
            )
        else:
            correction = self.env._("Correction: %(now)s instead of %(was)s", **amounts)
        return "\n".join([*rows, correction])

    def _check_amount(self, document, correction, amount):
        """:param amount: without tax, below zero for a credit note
        :raise UserError: when Odoo would book another amount
        """
        booked = document._get_sign() * correction.amount_untaxed_in_currency_signed
        if float_compare(booked, amount, 4):
            currency = document.currency_id
            raise UserError(
                self.env._(
                    "The correction of %(document)s was not created, because Odoo "
                    "would book %(booked)s instead of %(amount)s. Check the tax of the "
                    "product (prices must not include tax) and cash rounding.",
                    document=document.name,
                    booked=formatLang(self.env, booked, currency_obj=currency),
                    amount=formatLang(self.env, amount, currency_obj=currency),
                )
            )
