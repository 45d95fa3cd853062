from odoo import api, models
from odoo.fields import Command

from .account_move_line import KnownTotals

# What `_create_new` stands in for. An addon that extends one of them has a say in how
# the lines of an invoice are made, and is asked by creating them the usual way.
SYNCHRONISING = {
    "account.move": (
        "_get_rounded_base_and_tax_lines",
        "_get_sync_stack",
        "_prepare_product_base_line_for_taxes_computation",
        "_recompute_cash_rounding_lines",
        "_sync_dynamic_line",
        "_sync_dynamic_lines",
        "_sync_invoice",
        "_sync_non_deductible_base_lines",
        "_sync_rounding_lines",
        "_sync_tax_lines",
        "_sync_unbalanced_lines",
    ),
    "account.move.line": (
        "_compute_discount_allocation_needed",
        "_compute_epd_needed",
        "_compute_totals",
        "_sync_invoice",
    ),
}
# No tax depends on these of the values that Odoo computes taxes of.
NOT_COMPARED = {"record", "id", "name"}
# Set by other addons or a user's default, these make lines of their own.
LINE_MAKING_FIELDS = ("invoice_cash_rounding_id", "invoice_payment_term_id")


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
            document: self.env["copaco.mapper"]._prepare_invoice(document, match)
            for document, match in matches.items()
            if document not in moves
        }
        if usual:
            created = self.env["account.move"].create(list(usual.values()))
            moves.update(zip(usual, created, strict=True))
        return {document: moves[document] for document in matches}

    @api.model
    def _is_extended(self):
        return any(
            name in vars(definition)
            and definition._module not in ("account", "account_copaco")
            for model, names in SYNCHRONISING.items()
            for definition in type(self.env[model]).mro()
            if hasattr(definition, "_module")
            for name in names
        )

    @api.model
    def _has_defaults(self):
        return bool(self.env["account.move"].default_get(list(LINE_MAKING_FIELDS)))

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
            vals = self.env["copaco.mapper"]._prepare_invoice(document, match)
            base_lines.append(self._add_tax_lines(vals, match, known_totals))
            vals_list.append(vals)
        try:
            with self.env.cr.savepoint():
                moves = self._create_unsynchronised(vals_list, known_totals)
                if not all(map(self._is_as_prepared, moves, base_lines)):
                    raise _ChangedError
        except _ChangedError:
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
    def _create_unsynchronised(self, vals_list, known_totals):
        """Create invoices, and their payment term lines.

        :param vals_list: list of values, with all other lines in ``line_ids``
        :param known_totals: `KnownTotals` of these lines
        :return: `account.move`
        """
        unsynchronised = self.with_context(
            skip_invoice_sync=True,
            check_move_validity=False,
            copaco_known_totals=known_totals,
        )
        created = unsynchronised.env["account.move"].create(vals_list)
        # As `account.move._sync_dynamic_line` does.
        needed = created._sync_dynamic_line_needed_values(
            created.mapped("needed_terms")
        )
        unsynchronised.env["account.move.line"].create(
            [
                {**key, **values, "display_type": "payment_term"}
                for key, values in needed.items()
            ]
        )
        moves = created.with_env(self.env)
        with moves._check_balanced({"records": moves}):
            return moves

    @api.model
    def _is_as_prepared(self, move, base_lines):
        """Whether the lines of a new invoice are still those that it has to have.
        Another addon or an automation may have changed it while it was created, and
        Odoo was not to follow.

        :param base_lines: see `_add_tax_lines`
        """
        if move.invoice_cash_rounding_id or move.invoice_payment_term_id.early_discount:
            return False
        found = [
            move._prepare_product_base_line_for_taxes_computation(line)
            for line in move.invoice_line_ids.sorted("id")
        ]
        return len(found) == len(base_lines) and all(
            # Where a record has False, Odoo prepares None.
            (values[name] or None) == (prepared[name] or None)
            for values, prepared in zip(found, base_lines, strict=True)
            for name in values.keys() - NOT_COMPARED
        )
