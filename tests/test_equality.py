from contextlib import contextmanager
from decimal import Decimal
from functools import partialmethod, wraps
from itertools import product
from types import FunctionType
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import models
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..client.documents import parse_documents
from ..services.copaco_move_creator import COMPUTED_OF
from .common import copaco_invoice, price_line
from .simulator.encoding import dumps
from .varied import VariedCommon

# What says which invoice it is, or that the addon made it; x2many are compared apart.
IGNORED = {
    "account.move": {
        "id",
        "access_token",
        "copaco_digest",
        "copaco_document_id",
        "create_date",
        "create_uid",
        "name",
        "payment_reference",
        "sequence_number",
        "write_date",
        "write_uid",
    },
    "account.move.line": {
        "id",
        "copaco_line_id",
        "copaco_vendor_details",
        "create_date",
        "create_uid",
        "is_imported",
        "move_id",
        "move_name",
        "write_date",
        "write_uid",
    },
}
TAXES = (
    "21 %",
    "9 %",
    "0 %",
    "fixed",
    "two",
    "on top of another",
    "group",
    "on payment",
)
TERMS = ("none", "in parts", "included", "excluded", "mixed")
PARTNERS = ("plain", "reverse charge", "other account", "analytic")
CURRENCIES = ("EUR", "USD", "EUR")
# Functions of Odoo's that are called while an invoice is created, and where another
# addon may change it: one that is looked for in advance, and one that isn't.
PLACES = ("create", "_synchronize_business_models")
ROUNDINGS = ("round_per_line", "round_globally")
AMOUNT = st.one_of(
    st.integers(-9_999, 99_999).map(lambda cents: Decimal(cents) / 100),
    st.decimals(min_value=-999, max_value=999, places=4),
    st.just(Decimal(0)),
)
LINE = st.tuples(AMOUNT, st.sampled_from(["1", "3", "7", "-2", "0.5"]).map(Decimal))
DOCUMENT = st.fixed_dictionaries(
    {
        "partner": st.sampled_from(PARTNERS),
        "terms": st.sampled_from(TERMS),
        "currency": st.sampled_from(CURRENCIES),
        "sign": st.sampled_from([1, 1, -1]),
        "lines": st.lists(LINE, min_size=1, max_size=5),
    }
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEquality(VariedCommon):
    """Promise 5: the invoices that are created fast, with values that spare Odoo work,
    are those that Odoo makes of plain values, field by field."""

    def setUp(self):
        super().setUp()
        self.copaco_run = self.create_runs(self.connection)[:1]
        self.taxes = self.create_taxes()
        self.terms = self.create_terms()
        self.partner_values = self.create_partner_values(self.taxes)

    def test_each_kind_of_invoice_is_what_plain_values_make(self):
        lines = [(Decimal("10.50"), Decimal(7)), (Decimal("-2.345"), Decimal(1))]
        seen = set()
        # Analytic models are looked for with each invoice: without one, there are other
        # ways to make it.
        for number, (tax, partners) in enumerate(
            product(TAXES, (PARTNERS, PARTNERS[:-1]))
        ):
            documents = [
                {
                    "partner": partner,
                    "terms": TERMS[(number // 2 + place) % len(TERMS)],
                    "currency": CURRENCIES[place % len(CURRENCIES)],
                    "sign": -1 if (number // 2 + place) % 3 == 0 else 1,
                    "lines": [*lines, (Decimal(0), Decimal(place + 1))],
                }
                for place, partner in enumerate(partners)
            ]
            with self.subTest(tax=tax, partners=partners):
                rounding = ROUNDINGS[number // 2 % 2]
                for move in self.check_month(tax, rounding, documents):
                    seen |= set(move.line_ids.mapped("display_type"))
                    seen |= {move.currency_id.name, move.move_type}
                    seen |= set(
                        move.line_ids.tax_repartition_line_id.mapped("factor_percent")
                    )
        self.assertEqual(
            seen,
            {"product", "tax", "payment_term", "epd", "EUR", "USD", 100, -100}
            | {"out_invoice", "out_refund"},
        )

    def test_invoices_are_created_new_only_where_that_is_the_same(self):
        creator = type(self.env["copaco.move.creator"])
        create_new, made_new = creator._create_new, []

        def create_and_note(creator, matches):
            moves = create_new(creator, matches)
            made_new.extend(moves)
            return moves

        content = {"terms": "in parts", "currency": "EUR", "sign": 1}
        content = {**content, "lines": [(Decimal(5), Decimal(1))], "partner": "plain"}
        cases = [
            *((tax, True, {}) for tax in TAXES),
            ("21 %", True, {"partner": "reverse charge"}),
            ("21 %", False, {"partner": "analytic"}),
            ("21 %", False, {"terms": "mixed"}),
            ("21 %", False, {"currency": "USD"}),
        ]
        for tax, is_new, values in cases:
            made_new.clear()
            with (
                self.subTest(tax, **values),
                patch.object(creator, "_create_new", create_and_note),
            ):
                self.check_month(tax, "round_globally", [{**content, **values}])
                self.assertEqual(bool(made_new), is_new)

    def test_an_addon_that_changes_how_lines_are_made_is_asked(self):
        creator = self.env["copaco.move.creator"]
        self.assertFalse(creator._is_extended())

        function = _make_function_of_another_addon()
        for model, name in (
            ("account.move", "_sync_tax_lines"),
            ("account.move", "create"),
            ("account.move.line", "_sync_invoice"),
            ("account.move.line", "create"),
            ("account.tax", "_prepare_base_line_for_taxes_computation"),
        ):
            registry_class, *definitions = type(self.env[model]).mro()
            original = getattr(registry_class, name)
            for own in (function, wraps(original)(function), partialmethod(function)):
                extension = type("Extension", (), {name: own})
                mro = [registry_class, extension, *definitions]
                with patch.object(
                    registry_class.__class__, "mro", lambda _model, mro=mro: mro
                ):
                    self.assertTrue(creator._is_extended(), (model, name))

    def test_automations_are_asked(self):
        creator = self.env["copaco.move.creator"]
        for model in ("account.move", "account.move.line"):
            for name in ("create", "write", "_compute_field_value"):
                registry_class = type(self.env[model])
                # As `base.automation._register_hook` does.
                with patch.object(registry_class, name, getattr(registry_class, name)):
                    self.assertTrue(creator._is_extended(), (model, name))
        self.assertFalse(creator._is_extended())

    def test_defaults_are_asked(self):
        creator = self.env["copaco.move.creator"]
        self.assertFalse(creator._has_defaults())
        self.assertTrue(creator.with_context(default_ref="X")._has_defaults())
        for model, name, value in (
            ("account.move", "invoice_date_due", "2026-12-31"),
            ("account.move", "invoice_currency_rate", 3.0),
            ("account.move.line", "no_followup", True),
        ):
            with self.subTest(name):
                self.env["ir.default"].set(model, name, value)
                self.assertTrue(creator._has_defaults())
                for terms in ("none", "in parts"):
                    ours, usual = self.create_both_ways(terms=terms)
                    self.assertSameBooks(ours, usual)
                self.env["ir.default"].search([]).unlink()

    def test_all_that_taxes_are_computed_of_is_compared(self):
        ours, _usual = self.create_both_ways()
        line = ours.invoice_line_ids[0]
        base_line = ours._prepare_product_base_line_for_taxes_computation(line)
        # `hr_expense` adds one of its own.
        others = {"id", "name", "expense_id"}
        read = base_line.keys() & line._fields.keys() - others
        self.assertEqual(read | {"extra_tax_data"}, set(COMPUTED_OF))

    def test_what_others_change_while_it_is_created_is_followed(self):
        rounding = self.env["account.cash.rounding"].create(
            {"name": "Five cents", "rounding": 0.05, "strategy": "biggest_tax"}
        )
        other_partner = self.create_partner(name="Other")
        other_account = self.company_data["default_account_revenue"].copy()
        tag = self.env["account.account.tag"].create(
            {"name": "Other", "applicability": "taxes"}
        )
        receivable = self.company_data["default_account_receivable"]
        fiscal_position = self.env["account.fiscal.position"].create(
            {
                "name": "Other receivable",
                "account_ids": [
                    Command.create(
                        {
                            "account_src_id": receivable.id,
                            "account_dest_id": receivable.copy().id,
                        }
                    )
                ],
            }
        )
        line_changes = {
            "tax_ids": [Command.set(self.taxes["9 %"].ids)],
            "account_id": other_account.id,
            "product_id": self.product_b.id,
            "partner_id": other_partner.id,
            "tax_tag_ids": [Command.link(tag.id)],
            "analytic_distribution": {
                self.create_analytic_account().id: 100,
            },
        }
        move_changes = {
            "partner_id": other_partner.id,
            "invoice_cash_rounding_id": rounding.id,
            "invoice_payment_term_id": self.terms["mixed"].id,
            "currency_id": self.env.ref("base.USD").id,
            "fiscal_position_id": fiscal_position.id,
            "narration": "Thank you",
        }
        changes = [
            *((True, {name: value}) for name, value in line_changes.items()),
            *((False, {name: value}) for name, value in move_changes.items()),
            (False, {"invoice_payment_term_id": self.terms["none"].id}),
        ]
        for of_line, values in changes:
            for place in PLACES:
                with (
                    self.subTest(place, **values),
                    self.changing(place, of_line, values),
                ):
                    ours, usual = self.create_both_ways()
                    self.assertSameBooks(ours, usual)

    def test_what_others_make_of_amounts_is_not_booked(self):
        content = {"partner": "plain", "terms": "none", "currency": "EUR", "sign": 1}
        content["lines"] = [(Decimal("10.50"), Decimal(7))]
        fee = {"name": "Fee", "price_unit": 5, "product_id": self.product.id}
        for of_line, values in (
            (True, {"quantity": 3}),
            (True, {"price_unit": 4.44}),
            (True, {"discount": 50}),
            (False, {"invoice_line_ids": [Command.create(fee)]}),
        ):
            for place in PLACES:
                with (
                    self.subTest(place, **values),
                    self.changing(place, of_line, values),
                ):
                    document = self._create_document(**content)
                    self.process(document)
                    self.assertEqual(document.hold_reason, "totals_differ")
                    self.assertFalse(document.move_id)

    @contextmanager
    def changing(self, place, of_line, values):
        """Change each new invoice, or its first line, once in a function of Odoo's that
        others may extend."""
        model = type(self.env["account.move"])
        original, done = getattr(model, place), set()

        def call_and_change(moves, argument):
            result = original(moves, argument)
            for move in result or moves:
                if move.id not in done and move.invoice_line_ids:
                    done.add(move.id)
                    (move.invoice_line_ids[0] if of_line else move).write(values)
            return result

        with patch.object(model, place, call_and_change):
            yield
        self.assertTrue(done)

    def test_whatever_is_set_in_odoo_it_is_what_odoo_makes(self):
        thirds = self.env["account.payment.term"].create(
            {
                "name": "In thirds",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": part, "nb_days": days}
                    )
                    for part, days in ((33.33, 0), (33.33, 30), (33.34, 60))
                ],
            }
        )
        five, free = (Decimal(5), Decimal(1)), (Decimal(0), Decimal(3))
        receivable = self.company_data["default_account_receivable"].copy()
        address = {"type": "invoice", "name": "Invoices"}
        usd = self.env.ref("base.USD")
        cases = {
            "storno": (lambda: self.company.write({"account_storno": True}), {}),
            "thirds": (lambda: self.terms.update({"in parts": thirds}), {}),
            "other journal currency": (
                lambda: self.connection.journal_id.write({"currency_id": usd.id}),
                {},
            ),
            "other address and account": (
                lambda: self.partner_values["plain"].update(
                    child_ids=[Command.create(address)],
                    property_account_receivable_id=receivable.id,
                ),
                {},
            ),
            "rounded per line": (
                lambda: self.company.write(
                    {"tax_calculation_rounding_method": "round_per_line"}
                ),
                {},
            ),
            "nothing to pay": (None, {"lines": [five, (-five[0], five[1])]}),
            "free": (None, {"lines": [free]}),
            "refund": (None, {"sign": -1}),
        }
        for name, (set_up, content) in cases.items():
            if set_up:
                set_up()
            with self.subTest(name):
                ours, usual = self.create_both_ways(**content)
                self.assertSameBooks(ours, usual)
                (ours + usual)._post(soft=False)
                self.assertSameBooks(ours, usual)

    def test_a_draft_is_edited_as_any_other(self):
        others = {
            name: self.create_partner(**values)
            for name, values in self.partner_values.items()
            if name != "analytic"
        }

        def write_first_line(move, **values):
            line = move.invoice_line_ids.sorted("sequence")[0]
            move.write({"invoice_line_ids": [Command.update(line.id, values)]})

        def edit_in_form(move):
            with Form(move) as form:
                with form.invoice_line_ids.edit(0) as line:
                    line.price_unit = 17.77
                with form.invoice_line_ids.new() as line:
                    line.product_id = self.product
                    line.price_unit = 3.33

        def post_and_edit(move):
            move.action_post()
            move.button_draft()
            write_first_line(move, quantity=3)

        edits = {
            "price": lambda move: write_first_line(move, price_unit=99.99),
            "nothing is left of a line": lambda move: write_first_line(
                move, quantity=0
            ),
            "tax": lambda move: write_first_line(
                move, tax_ids=[Command.set(self.taxes["two"].ids)]
            ),
            "no tax": lambda move: write_first_line(move, tax_ids=[Command.clear()]),
            "a line goes": lambda move: move.invoice_line_ids[0].unlink(),
            "all lines go": lambda move: move.invoice_line_ids.unlink(),
            "in the form": edit_in_form,
            "after it was posted": post_and_edit,
            **{
                f"partner: {name}": lambda move, partner=partner: move.write(
                    {"partner_id": partner.id}
                )
                for name, partner in others.items()
            },
            **{
                f"terms: {name}": lambda move, terms=terms: move.write(
                    {"invoice_payment_term_id": terms.id}
                )
                for name, terms in self.terms.items()
            },
            "date": lambda move: move.write({"invoice_date": "2026-10-02"}),
            "currency": lambda move: move.write(
                {"currency_id": self.env.ref("base.USD").id}
            ),
            "refund": lambda move: move.action_switch_move_type(),
        }
        for number, (name, edit) in enumerate(edits.items()):
            self.product.taxes_id = self.taxes[TAXES[number % len(TAXES)]]
            with self.subTest(name):
                ours, usual = self.create_both_ways()
                self.assertSameBooks(ours, usual)
                for move in ours + usual:
                    self.env.invalidate_all()
                    edit(move)
                self.assertSameBooks(ours, usual)

    def test_any_month_is_what_plain_values_make(self):
        self.check_any_month()

    @settings(
        max_examples=12,
        # Each example takes a second or two.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        tax=st.sampled_from(TAXES),
        rounding=st.sampled_from(ROUNDINGS),
        documents=st.lists(DOCUMENT, min_size=1, max_size=4),
    )
    def check_any_month(self, tax, rounding, documents):
        self.check_month(tax, rounding, documents)

    def check_month(self, tax, rounding, documents):
        self.company.tax_calculation_rounding_method = rounding
        self.product.taxes_id = self.taxes[tax]
        model = self.env["account.analytic.distribution.model"]
        if any(document["partner"] == "analytic" for document in documents):
            model = self.create_analytic_model()
        ours = self._create_ours(documents)
        plain = self.env["account.move"].union(*map(self._create_plain, ours))
        self.assertSameBooks(ours, plain)
        self.env.invalidate_all()
        self.assertSameBooks(ours, plain)
        for moves in (ours, plain):
            # A fixed tax on negative quantities may be more than the amount.
            moves.filtered(lambda move: move.amount_total >= 0)._post(soft=False)
        self.assertSameBooks(ours, plain)
        model.unlink()
        return ours

    def assertSameBooks(self, ours, plain):
        for our_move, plain_move in zip(ours, plain, strict=True):
            self.assertEqual(_differ(_read(our_move), _read(plain_move)), {})
            our_lines, plain_lines = _read_lines(our_move), _read_lines(plain_move)
            self.assertEqual(len(our_lines), len(plain_lines))
            for our_line, plain_line in zip(our_lines, plain_lines, strict=True):
                self.assertEqual(_differ(our_line, plain_line), {})

    # === WHAT IS INVOICED === #

    def _create_ours(self, contents):
        documents = self.env["copaco.document"].sudo()
        for content in contents:
            documents += self._create_document(**content)
        self.process(documents)
        self.assertEqual(
            documents.mapped("state"),
            ["invoiced"] * len(documents),
            documents.mapped("hold_message"),
        )
        return documents.move_id.sorted("id")

    def _create_document(self, partner, terms, currency, sign, lines):
        number = next(self.numbers)
        customer = self.env["copaco.customer"].sudo()
        partner = self.create_partner(
            property_payment_term_id=self.terms[terms].id,
            **self.partner_values[partner],
        )
        customer = customer.create(
            {
                "company_id": self.company.id,
                "account_ref": f"A{number}",
                "partner_id": partner.id,
                "state": "matched",
            }
        )
        invoice = copaco_invoice(
            f"INV-{number}",
            customer.account_ref,
            [
                price_line(
                    sign * amount,
                    number=place,
                    Quantity=quantity,
                    UnitPrice=sign * amount / quantity,
                )
                for place, (amount, quantity) in enumerate(lines, start=1)
            ],
            Currency=currency,
        )
        (source,) = parse_documents(dumps({"Invoices": [invoice]})).documents
        Document = self.env["copaco.document"].sudo()
        importer = self.env["copaco.importer"].sudo()
        return Document.create(
            importer._prepare_document_values(
                source,
                self.copaco_run,
                {customer.account_ref: customer},
                importer._get_currency(source.currency),
            )
        )

    def create_both_ways(self, **content):
        """:return: an invoice that the addon made, and what Odoo makes of the values"""
        lines = [(Decimal("10.55"), Decimal(7)), (Decimal("-2.345"), Decimal(1))]
        plain = {"partner": "plain", "terms": "in parts", "currency": "EUR"}
        ours = self._create_ours([{**plain, "sign": 1, "lines": lines, **content}])
        document = self.env["copaco.processor"]._with_processing_context(
            ours.copaco_document_id
        )
        match = document.env["copaco.document.matcher"]._match_documents(document)[
            document
        ]
        vals = document.env["copaco.invoice.builder"]._prepare_invoice(document, match)
        del vals["copaco_document_id"]
        for _command, _id, line in vals["invoice_line_ids"]:
            del line["copaco_line_id"]
        return ours, document.env["account.move"].create(vals).with_env(self.env)

    def _create_plain(self, move):
        """Create an invoice as anybody would, with what ours is about."""
        return self.env["account.move"].create(
            {
                "move_type": move.move_type,
                "partner_id": move.partner_id.id,
                "journal_id": move.journal_id.id,
                "invoice_date": move.invoice_date,
                "invoice_origin": move.invoice_origin,
                "invoice_user_id": move.invoice_user_id.id,
                "currency_id": move.currency_id.id,
                "ref": move.ref,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": line.product_id.id,
                            "name": line.name,
                            "sequence": line.sequence,
                            "quantity": line.quantity,
                            "price_unit": line.price_unit,
                        }
                    )
                    for line in move.invoice_line_ids.sorted("sequence")
                ],
            }
        )


def _make_function_of_another_addon():
    def function(*args):
        return args

    names = {"__name__": "odoo.addons.other.models.account_move"}
    return FunctionType(function.__code__, names)


def _read(record):
    """:return: dict of what is stored of an invoice or of a line of it"""
    return {
        name: _plain(record[name])
        for name, field in record._fields.items()
        if field.store
        and field.type != "one2many"
        and name not in IGNORED[record._name]
    }


def _differ(ours, plain):
    """:return: dict of the two values, by the name of each field that differs"""
    return {
        name: (ours[name], plain[name]) for name in ours if ours[name] != plain[name]
    }


def _read_lines(move):
    lines = [
        {
            **_read(line),
            # The terms of a confirmed invoice have its number in it.
            "name": (line.name or "").replace(move.name or "/", "/"),
            "analytic": sorted(line.analytic_line_ids.mapped("amount")),
        }
        for line in move.line_ids
    ]
    return sorted(
        lines, key=lambda line: (line["display_type"], line["sequence"], str(line))
    )


def _plain(value):
    return sorted(value.ids) if isinstance(value, models.BaseModel) else value
