from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

from odoo.tests import tagged

from ..client import parse_documents
from ..tools import round_amount
from .common import CopacoCommon, copaco_invoice, price_line
from .properties import HealthCheck, examples, given, settings, st
from .simulator.encoding import dumps

MONEY = st.decimals(
    min_value=Decimal("-99999"),
    max_value=Decimal("99999"),
    allow_nan=False,
    allow_infinity=False,
    places=None,
).filter(lambda number: abs(number.as_tuple().exponent) <= 12)
MONEY_LIKE = st.one_of(
    MONEY,
    st.decimals(min_value=-9999, max_value=9999, places=2),
    # Halves of a cent, where rounding is decided.
    st.integers(-99999, 99999).map(lambda number: Decimal(number) / 1000 * 5),
)
DURATION = st.sampled_from(["1", "3", "12", "0.5"])
QUANTITY = st.one_of(st.integers(-500, 500).map(Decimal), MONEY_LIKE)
# Quantity, price, duration and amount: by Copaco's formula, or not at all as with
# corrections.
LINE = st.tuples(QUANTITY, MONEY_LIKE, DURATION, MONEY_LIKE) | st.builds(
    lambda quantity, price, duration: (
        quantity,
        price,
        duration,
        quantity * price * Decimal(duration),
    ),
    QUANTITY,
    MONEY_LIKE,
    DURATION,
)


@tagged("post_install", "-at_install")
class TestAmounts(CopacoCommon):
    """Promise 4: to the cent, whatever the decimal settings."""

    @settings(
        max_examples=examples(30),
        deadline=None,
        # A machine that is busy with other tests is slow, and that is no fault.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )
    @given(
        lines=st.lists(LINE, min_size=1, max_size=6),
        quantity_digits=st.integers(0, 6),
        price_digits=st.integers(0, 6),
    )
    def check_amounts(self, lines, quantity_digits, price_digits):
        for name, digits in (
            ("Product Unit", quantity_digits),
            ("Product Price", price_digits),
        ):
            precision = self.env["decimal.precision"].search([("name", "=", name)])
            if precision.digits != digits:
                precision.digits = digits
        document, amounts = self._make_document(lines)
        self.process(document)
        self.assertEqual(document.state, "invoiced", document.hold_message)
        move = document.move_id
        sign = -1 if move.move_type == "out_refund" else 1

        def get_amount(amount):
            return Decimal(str(sign * amount)).quantize(Decimal("0.01"))

        lines = move.invoice_line_ids.sorted("sequence")
        self.assertEqual(
            lines.filtered("copaco_line_id").mapped("price_subtotal"),
            [float(sign * _round(amount)) for amount in amounts],
        )
        self.assertEqual(get_amount(move.amount_untaxed), _round(sum(amounts)))
        # All lines have the same tax: what their roundings add up to is one line.
        rounding = lines.filtered("copaco_is_rounding")
        self.assertEqual(
            list(map(get_amount, rounding.mapped("price_subtotal"))),
            [difference]
            if (difference := _round(sum(amounts)) - sum(map(_round, amounts)))
            else [],
        )
        self.assertTrue(all(price >= 0 for price in lines.mapped("price_unit")))

    def test_every_line_is_booked_at_copacos_amount(self):
        self.customer = (
            self.env["copaco.customer"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "account_ref": "A1",
                    "partner_id": self.create_partner().id,
                    "state": "matched",
                }
            )
        )
        self.copaco_run = self.create_runs(self.connection)[:1]
        self.check_amounts()

    def _make_document(self, lines):
        """:return: a waiting document, and the exact amounts of its lines"""
        price_lines = [
            price_line(
                amount,
                number=number,
                # Otherwise they would be the charges of the example before.
                InvoiceRowHash=str(uuid4()),
                Quantity=quantity,
                UnitPrice=price,
                Duration=duration,
            )
            for number, (quantity, price, duration, amount) in enumerate(lines)
        ]
        source = next(
            iter(
                parse_documents(
                    dumps({"Invoices": [copaco_invoice("INV", "A1", price_lines)]})
                ).documents
            )
        )
        Document = self.env["copaco.document"].sudo()
        builder = self.env["copaco.document.builder"].sudo()
        vals = builder._prepare_document_values(
            source,
            self.copaco_run,
            {"A1": self.customer},
            builder._get_currency(source.currency),
        )
        vals["invoice_number"] = str(uuid4())
        return Document.create(vals), [line["ExtendedPrice"] for line in price_lines]

    @given(amount=MONEY_LIKE)
    def check_rounding(self, amount):
        self.assertEqual(
            round_amount(amount, 0.01),
            amount.quantize(Decimal("0.01"), ROUND_HALF_UP),
        )
        self.assertEqual(round_amount(-amount, 0.01), -round_amount(amount, 0.01))

    def test_half_a_cent_goes_up_away_from_zero(self):
        self.assertEqual(round_amount(Decimal("0.005")), Decimal("0.01"))
        self.assertEqual(round_amount(Decimal("-0.005")), Decimal("-0.01"))
        self.assertEqual(round_amount(Decimal("0.00499999999999999999")), 0)
        self.assertEqual(round_amount(Decimal("1.23"), 0.05), Decimal("1.25"))
        nearly = Decimal("1.00499999999999999999999999999999999999")
        self.assertEqual(round_amount(nearly), 1, "is rounded once, not twice")
        self.check_rounding()


def _round(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
