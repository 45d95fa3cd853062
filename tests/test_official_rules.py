from odoo.tests import freeze_time, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from . import official_rules
from .common import TODAY, price_line
from .simulator import Simulator
from .test_e_invoice import EInvoiceCommon

# For each of the two companies, whose customers are billed for different things.
CUSTOMERS = 75
LINES = 750
DUTCH = "account.edi.xml.ubl_nl"
# Valid VAT numbers.
OTHER_COUNTRIES = {
    "DE": "DE123456788",
    "FR": "FR23334175221",
    "IE": "IE6388047V",
    "LU": "LU12345613",
    "PL": "PL1234567883",
}
ODD_LINES = (
    {"Description": "null \u0000 bell \u0007 escape \u001b unit \u001f delete \u007f"},
    {"VendorDetails": "\u0008\u000b\u000c ]]> & <b> \u2028 \ufffe \U0001f600"},
    {"SubPONumber": "PO \u0001 1", "ConsumerCompanyName": "A \u0002 & B <C>"},
    {"ChargeType": "\u0003", "Description": "\u0004"},
    {"StartDate": "20261031", "EndDate": "20261001"},
    {"StartDate": None, "EndDate": "20261001"},
    {"StartDate": "20270101", "EndDate": "20271231", "Description": "x" * 2000},
    {"Quantity": 0, "UnitPrice": 0, "ExtendedPrice": 0},
    {"Quantity": 3, "UnitPrice": 0, "ExtendedPrice": 0},
    {"Quantity": 100000, "UnitPrice": "0.0000123", "ExtendedPrice": "1.23"},
    {"Quantity": "0.333333", "UnitPrice": "9.99", "ExtendedPrice": "3.33"},
    {"Quantity": -2, "UnitPrice": "1.005", "ExtendedPrice": "-2.01"},
    {"Quantity": 5, "UnitPrice": "7.77", "ExtendedPrice": "-3.1415"},
)


class OfficialRulesCommon(EInvoiceCommon):
    """A company whose invoices are checked by the official rules. `make test` runs this
    where those are installed."""

    seed = 0
    builders = ()
    own_values = {}
    own_address = ()

    def setUp(self):
        super().setUp()
        if not official_rules.ARE_INSTALLED:
            self.skipTest("the official rules of e-invoices are not installed")
        self.company.write(self.own_values)
        eas, endpoint = self.own_address
        self.company.partner_id.write({"peppol_eas": eas, "peppol_endpoint": endpoint})

    def assertValid(self, moves):
        """No fatal rule is broken by the e-invoices of these invoices."""
        for move in moves:
            for name in self.get_builders(move):
                with self.subTest(move=move.name, builder=name):
                    content, errors = self.env[name]._export_invoice(move)
                    self.assertFalse(errors)
                    self.assertFalse(official_rules.find_violations(content))

    def get_builders(self, move):
        is_dutch = move.commercial_partner_id.country_code == "NL"
        return self.builders if is_dutch else self.builders[:1]

    # Customers

    def fetch_month(self):
        """Fetch a generated month, create the contacts, and invoice everything.

        :return: the documents
        """
        simulator = self.enterContext(
            Simulator(
                seed=self.seed, customers=CUSTOMERS, months=1, today=TODAY, lines=LINES
            )
        )
        self.connection.base_url = simulator.url
        self.connection.api_key = "simulator-key"
        self.fetch()
        while self.env["copaco.run"].search_count([("state", "=", "running")]):
            with self.enter_registry_test_mode():
                self.env.ref("account_copaco.ir_cron_execute").method_direct_trigger()
            self.env.invalidate_all()
        by_account = {each.account_ref: each for each in simulator.customers}
        for customer in self.documents.customer_id.sorted("account_ref"):
            self.link(customer, by_account[customer.account_ref])
        documents = self.documents.sudo()
        documents.filtered(lambda document: document.state == "held").state = "new"
        while waiting := documents.filtered(lambda each: each.state == "new"):
            # Odoo asks for the payments of invoices by a query that takes minutes until
            # the database knows how many lines this transaction has.
            self.env.cr.execute("ANALYZE account_move, account_move_line")
            self.process(waiting[:40])
        return documents

    def link(self, customer, source):
        """:param customer: a `copaco.customer`
        :param source: that of the simulator"""
        values = {
            "name": source.name,
            "is_company": True,
            "ref": source.customer_number,
            "street": source.street or "Straat 1",
            "zip": source.zip or "1234",
            "city": source.city or "Plaats",
            **self.get_address(source),
        }
        partner = self.env["res.partner"].create(values)
        customer._link(partner, "manual")
        if any(document.amount_source < 0 for document in customer.document_ids):
            # A credit note belongs to an invoice.
            self.init_invoice(
                "out_invoice", partner, "2026-01-31", products=self.product, post=True
            )
        if source.index % 4 == 0:
            customer.buyer_reference = f"Afdeling {source.index} & \u0007"
        if source.index % 5 == 0:
            customer.po_number = f"PO-{source.index}"

    def get_address(self, source):
        """:return: country, VAT number and electronic address of a contact"""
        number = f"{10_000_000 + source.index}"
        if source.index % 3 == 2:
            codes = sorted(OTHER_COUNTRIES)
            code = codes[source.index // 3 % len(codes)]
            values = {"vat": OTHER_COUNTRIES[code]}
        elif source.country_code == "BE":
            code = "BE"
            vat = source.vat or "BE0477472701"
            values = {"vat": vat, "peppol_eas": "0208", "peppol_endpoint": vat[2:]}
        else:
            code = "NL"
            # To Odoo a business with "/" has a number, so abroad it would pay no tax.
            is_domestic = self.company.country_code == code
            values = {
                "vat": source.vat or ("/" if is_domestic else "NL000099998B57"),
                "peppol_eas": "0106",
                "peppol_endpoint": number,
            }
        return {**values, "country_id": self.env.ref(f"base.{code.lower()}").id}


class AnyCompany:
    """What is the same for each company."""

    allow_inherited_tests_method = True

    def test_a_generated_month_breaks_no_fatal_rule(self):
        documents = self.fetch_month()
        self.assertEqual(len(documents), CUSTOMERS)
        held = documents.filtered(lambda document: not document.move_id)
        self.assertFalse(held.mapped("hold_message"))
        moves = documents.move_id
        countries = set(moves.commercial_partner_id.mapped("country_code"))
        self.assertEqual(countries, {"NL", "BE", *OTHER_COUNTRIES})
        self.assertEqual(set(moves.mapped("move_type")), {"out_invoice", "out_refund"})
        self.assertValid(moves)

    def test_odd_texts_periods_and_amounts_break_no_fatal_rule(self):
        lines = [
            price_line("4.00", number=number, **values)
            for number, values in enumerate(ODD_LINES, start=1)
        ]
        move = self.book(*lines)
        credit = self.book(
            price_line("-99", number=50),
            *({**line, "InvoiceRowHash": f"again-{line['LineId']}"} for line in lines),
            number="INV-2",
        )
        free = self.book(price_line("0", number=60), number="INV-3")
        self.assertEqual(credit.move_type, "out_refund")
        self.assertFalse(free.amount_total)
        self.assertValid(move + credit + free)

    def test_a_correction_breaks_no_fatal_rule(self):
        move = self.book(price_line("5.00"), price_line("9.00", number=2))
        for amount in ("2.00", "11.00"):
            document = move.copaco_document_id
            self.simulator.invoices.clear()
            self.book(price_line(amount), price_line("9.00", number=2))
            correction = self.env["copaco.corrector"].sudo()._correct(document.sudo())
            correction.action_post()
            self.assertValid(correction)

    def test_a_damaged_e_invoice_is_found(self):
        content, _errors = self.env[self.builders[0]]._export_invoice(
            self.book(price_line("5.00"))
        )
        self.assertFalse(official_rules.find_violations(content))
        for damage, rule in (
            ((b"<cbc:Name>Plan</cbc:Name>", b""), "[BR-25]"),
            ((b"<cbc:EndDate>2026-10-31", b"<cbc:EndDate>2026-09-30"), "[BR-30]"),
            ((b"<cac:InvoicePeriod>", b"<cac:Period>"), "XSD: "),
            ((b">130<", b">13<"), "[PEPPOL-EN16931-R101]"),
        ):
            damaged = content.replace(*damage)
            if rule == "XSD: ":
                damaged = damaged.replace(b"</cac:InvoicePeriod>", b"</cac:Period>")
            violations = official_rules.find_violations(damaged)
            with self.subTest(rule=rule):
                self.assertTrue(
                    [text for text in violations if text.startswith(rule)], violations
                )


@tagged("post_install", "-at_install", "-standard", "copaco_e_invoice")
@freeze_time("2026-11-25 10:00:00")
class TestDutchRules(AnyCompany, OfficialRulesCommon):
    seed = 1
    builders = ("account.edi.xml.ubl_bis3", DUTCH)
    own_address = ("0106", "87654321")


@tagged("post_install", "-at_install", "-standard", "copaco_e_invoice")
@freeze_time("2026-11-25 10:00:00")
class TestBelgianRules(AnyCompany, OfficialRulesCommon):
    seed = 2
    builders = ("account.edi.xml.ubl_bis3", DUTCH)
    own_values = {"vat": "BE0477472701", "company_registry": "0477472701"}
    own_address = ("0208", "0477472701")

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("be_comp")
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.be")
