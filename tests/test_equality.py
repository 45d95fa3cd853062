from decimal import Decimal
from unittest.mock import patch

from odoo import models
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..client import parse_documents
from .common import copaco_invoice, enter_lines, price_line
from .properties import HealthCheck, Phase, examples, given, settings, st
from .simulator.encoding import dumps
from .varied import VariedCommon

# What says which invoice it is, or that the addon created it. Lines are compared apart.
IGNORED = {
    "account.move": {
        "id",
        "access_token",
        "copaco_digest",
        "copaco_document_id",
        "create_date",
        "create_uid",
        # Nobody can enter it.
        "invoice_origin",
        "name",
        "payment_reference",
        "sequence_number",
        "write_date",
        "write_uid",
    },
    "account.move.line": {
        "id",
        "copaco_is_rounding",
        "copaco_line_id",
        "copaco_vendor_details",
        "create_date",
        "create_uid",
        "is_imported",
        "move_id",
        "move_name",
        # The form counts lines its own way; their order is compared.
        "sequence",
        "write_date",
        "write_uid",
    },
}
PARTNERS = ("plain", "reverse charge", "other account", "analytic")
TERMS = ("none", "in parts", "included", "excluded", "mixed")
CURRENCIES = ("EUR", "EUR", "USD")
ROUNDINGS = ("round_per_line", "round_globally")
LINES = (
    (Decimal("10.50"), Decimal(7)),
    (Decimal("-2.345"), Decimal(1)),
    (Decimal(0), Decimal(3)),
)
AMOUNT = st.one_of(
    st.integers(-9_999, 99_999).map(lambda cents: Decimal(cents) / 100),
    st.decimals(min_value=-999, max_value=999, places=4),
)
QUANTITY = st.sampled_from(["1", "3", "7", "-2", "0.5"]).map(Decimal)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEquality(VariedCommon):
    """Promise 5: an invoice of this addon is, field by field and in each journal item,
    the one that Odoo makes of what a person enters in its form."""

    def setUp(self):
        super().setUp()
        self.copaco_run = self.create_runs(self.connection)[:1]
        self.taxes = self.create_taxes()
        self.terms = self.create_terms()
        self.partner_values = self.create_partner_values(self.taxes)

    def test_each_kind_of_tax(self):
        self.create_analytic_model()
        seen = set()
        for number, tax in enumerate(self.taxes):
            # Next to each other in a batch: other partners, terms, currencies, signs.
            contents = [
                {
                    "partner": PARTNERS[(number + place) % len(PARTNERS)],
                    "terms": TERMS[(number + 2 * place) % len(TERMS)],
                    "currency": CURRENCIES[(number + place) % len(CURRENCIES)],
                    "sign": -1 if (number + place) % 3 == 0 else 1,
                }
                for place in range(2)
            ]
            self.company.tax_calculation_rounding_method = ROUNDINGS[number % 2]
            self.product.taxes_id = self.taxes[tax]
            with self.subTest(tax=tax):
                moves = self.check(*contents)
                seen |= set(moves.line_ids.mapped("display_type"))
                seen |= set(
                    moves.mapped("move_type") + moves.currency_id.mapped("name")
                )
        self.assertEqual(
            seen,
            {"product", "tax", "payment_term", "epd", "EUR", "USD"}
            | {"out_invoice", "out_refund"},
        )

    def test_without_analytic_models(self):
        self.check({}, {"partner": "reverse charge", "currency": "USD"}, {"sign": -1})

    def test_whatever_is_set_in_odoo(self):
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
        no_taxes = self.env["account.fiscal.position"].create({"name": "No taxes"})
        five, free = (Decimal(5), Decimal(1)), (Decimal(0), Decimal(3))
        receivable = self.company_data["default_account_receivable"].copy()
        address = {"type": "invoice", "name": "Invoices"}
        cases = {
            "storno": (lambda: self.company.write({"account_storno": True}), {}),
            "thirds": (lambda: self.terms.update({"in parts": thirds}), {}),
            "other address and account": (
                lambda: self.partner_values["plain"].update(
                    child_ids=[Command.create(address)],
                    property_account_receivable_id=receivable.id,
                ),
                {},
            ),
            "no taxes": (
                lambda: self.partner_values["plain"].update(
                    property_account_position_id=no_taxes.id
                ),
                {},
            ),
            "nothing to pay": (None, {"lines": [five, (-five[0], five[1])]}),
            "free": (None, {"lines": [free]}),
        }
        for name, (set_up, content) in cases.items():
            if set_up:
                set_up()
            with self.subTest(name):
                self.check(content)

    def test_what_users_set_as_defaults(self):
        for model, name, value in (
            ("account.move", "invoice_date_due", "2026-12-31"),
            ("account.move", "narration", "Thank you"),
            ("account.move.line", "no_followup", True),
        ):
            with self.subTest(name), self.undone():
                self.env["ir.default"].set(model, name, value)
                self.check({"terms": "none"}, {})

    def test_a_discount_that_is_the_default_is_not_given(self):
        self.env["ir.default"].set("account.move.line", "discount", 50.0)
        (ours,) = self.create_ours({})
        self.assertEqual(ours.amount_untaxed, 8.16)

    def test_a_draft_is_edited_as_any_other(self):
        ours = self.create_ours({})
        entered = self.enter(ours)
        for move in ours + entered:
            with Form(move) as form:
                with form.invoice_line_ids.edit(0) as line:
                    line.price_unit = 17.77
                with form.invoice_line_ids.new() as line:
                    line.product_id = self.product
                    line.price_unit = 3.33
        self.assertSameBooks(ours, entered)

    def test_a_step_that_an_update_adds_is_taken(self):
        model = type(self.env["account.move"])
        original = model._sync_tax_lines

        def sync_and_thank(moves, container):
            manager = original(moves, container)
            container["records"].narration = "Thank you"
            return manager

        with patch.object(model, "_sync_tax_lines", sync_and_thank):
            (ours,) = self.create_ours({})
        self.assertIn("Thank you", ours.narration)

    def test_any_amounts(self):
        self.check_any_amounts()

    @settings(
        max_examples=examples(4),
        # Each example takes a second or two.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        lines=st.lists(st.tuples(AMOUNT, QUANTITY), min_size=1, max_size=4),
        tax=st.sampled_from(["21 %", "two", "fixed"]),
        rounding=st.sampled_from(ROUNDINGS),
        currency=st.sampled_from(CURRENCIES),
    )
    def check_any_amounts(self, lines, tax, rounding, currency):
        self.company.tax_calculation_rounding_method = rounding
        self.product.taxes_id = self.taxes[tax]
        self.check({"lines": lines, "currency": currency})

    # === COMPARING === #

    def check(self, *contents):
        """Compare the invoices of documents, created as one batch, with what is
        entered; then both once more when they are posted.

        :return: our invoices
        """
        ours = self.create_ours(*contents)
        entered = self.enter(ours)
        self.assertSameBooks(ours, entered)
        for moves in (ours, entered):
            # A fixed tax on negative quantities may be more than the amount.
            moves.filtered(lambda move: move.amount_total >= 0)._post(soft=False)
        self.assertSameBooks(ours, entered)
        return ours

    def assertSameBooks(self, ours, entered):
        self.env.invalidate_all()
        for our_move, entered_move in zip(ours, entered, strict=True):
            self.assertEqual(_differ(_read(our_move), _read(entered_move)), {})
            our_lines, entered_lines = map(_read_lines, (our_move, entered_move))
            self.assertEqual(len(our_lines), len(entered_lines))
            for our_line, entered_line in zip(our_lines, entered_lines, strict=True):
                self.assertEqual(_differ(our_line, entered_line), {})

    def enter(self, moves):
        """:return: these invoices, entered in Odoo's form, in the same order"""
        return self.env["account.move"].union(*map(self._enter, moves))

    def _enter(self, move):
        context = {"default_move_type": move.move_type}
        with Form(self.env["account.move"].with_context(**context)) as form:
            form.partner_id = move.partner_id
            form.invoice_date = move.invoice_date
            form.invoice_user_id = move.invoice_user_id
            form.currency_id = move.currency_id
            form.ref = move.ref
        # Saved before there are lines: else the form sends the due date of an invoice
        # without lines, and Odoo keeps that. To go on is no edit.
        record = form.record.with_context(skip_is_manually_modified=True)
        with Form(record) as form:
            enter_lines(form, move)
        return record.with_env(self.env)

    # === OUR INVOICES === #

    def create_ours(self, *contents):
        documents = self.env["copaco.document"].sudo()
        for content in contents:
            documents += self._create_document(**content)
        self.process(documents)
        self.assertEqual(
            documents.mapped("state"),
            ["invoiced"] * len(documents),
            documents.mapped("hold_message"),
        )
        return self.env["account.move"].browse(documents.move_id.ids)

    def _create_document(
        self, partner="plain", terms="in parts", currency="EUR", sign=1, lines=LINES
    ):
        number = next(self.numbers)
        partner = self.create_partner(
            property_payment_term_id=self.terms[terms].id,
            **self.partner_values[partner],
        )
        customer = self.create_customer(f"A{number}", partner)
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
        builder = self.env["copaco.document.builder"].sudo()
        return (
            self.env["copaco.document"]
            .sudo()
            .create(
                builder._prepare_document_values(
                    source,
                    self.copaco_run,
                    {customer.account_ref: customer},
                    builder._get_currency(source.currency),
                )
            )
        )


def _read(record):
    """:return: dict of what is stored of an invoice or of a line of it"""
    return {
        name: _plain(record[name])
        for name, field in record._fields.items()
        if field.store
        and field.type != "one2many"
        and name not in IGNORED[record._name]
    }


def _differ(ours, entered):
    """:return: dict of the two values, by the name of each field that differs"""
    return {
        name: (ours[name], entered[name])
        for name in ours
        if ours[name] != entered[name]
    }


def _read_lines(move):
    return [
        {
            **_read(line),
            # The terms of a confirmed invoice have its number in it.
            "name": (line.name or "").replace(move.name or "/", "/"),
            "analytic": sorted(line.analytic_line_ids.mapped("amount")),
        }
        for line in move.line_ids.sorted(
            lambda line: (
                line.display_type,
                str(line.date_maturity),
                line.tax_repartition_line_id.id,
                line.display_type != "product" and line.balance,
                line.sequence,
                line.id,
            )
        )
    ]


def _plain(value):
    return sorted(value.ids) if isinstance(value, models.BaseModel) else value
