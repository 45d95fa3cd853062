import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.fields import Command

from ..models.account_move_line import KnownTotals

_logger = logging.getLogger(__name__)

# What of a line its taxes are computed of
# (`account.tax._prepare_base_line_for_taxes_computation`).
COMPUTED_OF = (
    "price_unit",
    "quantity",
    "discount",
    "tax_ids",
    "product_id",
    "product_uom_id",
    "currency_id",
    "account_id",
    "partner_id",
    "analytic_distribution",
    "is_refund",
    "extra_tax_data",
)
# What an invoice is given, and its lines and taxes depend on.
HEADER = (
    "move_type",
    "company_id",
    "journal_id",
    "partner_id",
    "fiscal_position_id",
    "currency_id",
    "invoice_date",
)
# What comes of the taxes, of the lines of products, taxes and payment terms alike.
BOOKED = (
    "display_type",
    "balance",
    "amount_currency",
    "tax_tag_ids",
    "tax_repartition_line_id",
)


class _ChangedError(Exception):
    """What was created is not what was to be created."""


class CopacoMoveCreator(models.AbstractModel):
    """Creates invoices as `account.move.create` does, with the same books in less time.

    Odoo finds the tax and payment term lines of an invoice by comparing all of it
    before and after its lines were inserted. Of a new invoice there is nothing before:
    the same functions of Odoo make these lines, and nothing is compared. Whatever might
    need more than that goes the usual way.
    """

    _name = "copaco.move.creator"
    _description = "Copaco Move Creator"

    @api.model
    def _create_moves(self, matches):
        """Create the invoices of documents.

        :param matches: dict of `DocumentMatch` by `copaco.document`
        :return: dict of `account.move` by document
        :raise UserError: when Odoo refuses one
        """
        is_usual = self._is_extended() or self._has_defaults()
        new = {
            document: match
            for document, match in matches.items()
            if not is_usual and self._has_plain_lines(match)
        }
        moves = self._create_new(new) if new else {}
        usual = {
            document: self.env["copaco.invoice.builder"]._prepare_invoice(
                document, match
            )
            for document, match in matches.items()
            if document not in moves
        }
        if usual:
            created = self.env["account.move"].create(list(usual.values()))
            moves.update(zip(usual, created, strict=True))
        return {document: moves[document] for document in matches}

    @api.model
    def _has_plain_lines(self, match):
        """Whether there are no other lines than those of products, taxes and payment
        terms, and Odoo has nothing to find out about them."""
        return (
            match.is_company_currency
            and not match.has_analytic_models
            and not match.partner.property_payment_term_id.early_discount
        )

    @api.model
    def _create_new(self, matches):
        """Create the invoices of documents that have plain lines.

        :param matches: dict of `DocumentMatch` by document
        :return: dict of `account.move` by document; empty, and nothing is created, when
            others had a say in it meanwhile
        """
        vals_list, base_lines, known_totals = [], [], KnownTotals()
        for document, match in matches.items():
            vals = self.env["copaco.invoice.builder"]._prepare_invoice(document, match)
            base_lines.append(self._add_tax_lines(vals, match, known_totals))
            self._add_term_lines(vals, match)
            vals_list.append(vals)
        try:
            with self.env.cr.savepoint():
                moves = self._create_unsynchronised(vals_list, known_totals)
                if not all(map(self._is_as_prepared, moves, vals_list, base_lines)):
                    raise _ChangedError
        except OperationalError:
            # Collisions among them; it is nothing that was created.
            raise
        except Exception:  # noqa: BLE001 # what is refused is refused again
            _logger.info(
                "Copaco invoices are created the usual way, which takes longer",
                exc_info=True,
            )
            return {}
        return dict(zip(matches, moves, strict=True))

    @api.model
    def _add_tax_lines(self, vals, match, known_totals):
        """As `account.move._sync_tax_lines` does.

        :param vals: of an invoice; all its lines, those of its taxes too, get into
            ``line_ids``, with the amounts that the taxes leave of their prices
        :param known_totals: `KnownTotals` that the lines are added to
        :return: list of what the taxes were computed of
        """
        Tax = self.env["account.tax"]
        company = self.env["res.company"].browse(vals["company_id"])
        commands = vals.pop("invoice_line_ids")
        lines = [line for _command, _id, line in commands]
        base_lines = [
            Tax._prepare_base_line_for_taxes_computation(
                None,
                price_unit=line["price_unit"],
                quantity=line["quantity"],
                discount=line["discount"],
                tax_ids=match.taxes,
                product_id=match.product,
                product_uom_id=match.product.uom_id,
                currency_id=company.currency_id,
                account_id=match.account,
                partner_id=match.partner.commercial_partner_id,
                analytic_distribution=False,
                is_refund=match.is_refund,
                # As `account.move.direction_sign`.
                sign=1 if match.is_refund else -1,
            )
            for line in lines
        ]
        Tax._add_tax_details_in_base_lines(base_lines, company)
        Tax._round_base_lines_tax_details(base_lines, company)
        Tax._add_accounting_data_in_base_lines_tax_details(base_lines, company)
        result = Tax._prepare_tax_lines(base_lines, company)
        amounts_of_lines = result["base_lines_to_update"]
        for line, (base_line, amounts) in zip(lines, amounts_of_lines, strict=True):
            line.update(amounts)
            known_totals.add(line["copaco_line_id"], base_line)
        vals["line_ids"] = commands + [
            Command.create({**tax_line, "display_type": "tax"})
            for tax_line in result["tax_lines_to_add"]
        ]
        return base_lines

    @api.model
    def _add_term_lines(self, vals, match):
        """As `account.move._compute_needed_terms` does, before there is an invoice.

        :param vals: of an invoice, with the lines of its products and taxes; those of
            its payment terms get into ``line_ids``
        """
        company = self.env["res.company"].browse(vals["company_id"])
        round_amount = company.currency_id.round
        amounts = {"product": 0.0, "tax": 0.0}
        for _command, _id, line in vals["line_ids"]:
            amounts[line["display_type"]] -= line["balance"]
        untaxed, tax = map(round_amount, amounts.values())
        balances = {}
        if payment_term := match.partner.property_payment_term_id:
            terms = payment_term._compute_terms(
                date_ref=vals["invoice_date"],
                currency=company.currency_id,
                company=company,
                untaxed_amount=untaxed,
                untaxed_amount_currency=untaxed,
                tax_amount=tax,
                tax_amount_currency=tax,
                sign=-1 if match.is_refund else 1,
            )
            for term in terms["line_ids"]:
                balance = balances.get(term["date"], 0.0)
                balances[term["date"]] = balance + term["company_amount"]
        else:
            # As `account.move._compute_invoice_date_due`, which may be too late.
            vals["invoice_date_due"] = fields.Date.context_today(self)
            balances[vals["invoice_date_due"]] = untaxed + tax
        vals["line_ids"] += [
            Command.create(
                {
                    "display_type": "payment_term",
                    "date_maturity": date_maturity,
                    "balance": round_amount(balance),
                    "amount_currency": round_amount(balance),
                }
            )
            for date_maturity, balance in balances.items()
        ]

    @api.model
    def _create_unsynchronised(self, vals_list, known_totals):
        """Create invoices.

        :param vals_list: list of values, with all lines in ``line_ids``
        :param known_totals: `KnownTotals` of these lines
        :return: `account.move`
        """
        unsynchronised = self.with_context(
            skip_invoice_sync=True,
            check_move_validity=False,
            copaco_known_totals=known_totals,
        )
        # Lines that come with their invoice would be made twice: for what of it is
        # computed of them, and to be inserted.
        created = unsynchronised.env["account.move"].create(
            [
                {name: value for name, value in vals.items() if name != "line_ids"}
                for vals in vals_list
            ]
        )
        Line = unsynchronised.env["account.move.line"]
        Line.create(
            [
                {"move_id": move.id, **line}
                for move, vals in zip(created, vals_list, strict=True)
                for _command, _id, line in vals["line_ids"]
            ]
        )
        # As `account.move.create` does at the end: some fields of lines write it.
        created.is_manually_modified = False
        # All that is computed is written at once.
        Line.flush_model()
        moves = created.with_env(self.env)
        with moves._check_balanced({"records": moves}):
            return moves

    @api.model
    def _is_as_prepared(self, move, vals, base_lines):
        """Whether a new invoice and its lines are still what they have to be. Another
        addon may have changed them while they were created, and Odoo was not to follow.

        :param vals: that it was created of, with all lines in ``line_ids``
        :param base_lines: see `_add_tax_lines`
        """
        lines = move.line_ids.sorted("id")
        given = [line for _command, _id, line in vals["line_ids"]]
        return (
            not move.invoice_cash_rounding_id
            and not move.invoice_payment_term_id.early_discount
            and move.invoice_currency_rate == 1
            and _is_as_given(move, vals, HEADER)
            and len(lines) == len(given)
            and all(
                _is_as_given(line, line_vals, BOOKED)
                for line, line_vals in zip(lines, given, strict=True)
            )
            and all(
                # Where a record has False, Odoo prepares None.
                (line[name] or None) == (prepared.get(name) or None)
                for line, prepared in zip(lines, base_lines, strict=False)
                for name in COMPUTED_OF
            )
            and self._has_needed_terms(move)
        )

    @api.model
    def _has_needed_terms(self, move):
        """Whether the payment term lines of an invoice are those that Odoo computes."""
        terms = move.line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        ).sorted("id")
        needed = move._sync_dynamic_line_needed_values([move.needed_terms])
        return len(terms) == len(needed) and all(
            (line._fields[name].convert_to_write(line[name], line) or None)
            == (value or None)
            for line, (key, values) in zip(terms, needed.items(), strict=True)
            for name, value in (*key.items(), *values.items())
        )


def _is_as_given(record, vals, names):
    """Whether a record has the values that it was created of."""
    for name in names:
        if name not in vals:
            continue
        value, given = record[name], vals[name]
        if isinstance(value, float):
            currency = record.company_currency_id
            is_same = value == given or not currency.compare_amounts(value, given)
        elif isinstance(value, models.BaseModel):
            ids = _get_ids(given)
            is_same = set(value.ids) == set(ids)
        else:
            is_same = (value or False) == (given or False)
        if not is_same:
            return False
    return True


def _get_ids(value):
    """:param value: of a many2one or a many2many, as it is given to `create`"""
    if isinstance(value, list):
        return [each for _command, _id, ids in value for each in ids]
    return [value] if value else []
