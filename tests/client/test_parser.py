"""A document is one customer's part of one invoice, whole, or says what is wrong."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from unittest.mock import patch

from ...client import InvalidResponseError, parse_documents, parse_payload, parser
from . import make
from .case import ClientCase
from .responses import parse, parse_line, parse_one

RECEIVER = {
    "AccountID": 100,
    "CompanyName": "Molen Holding",
    "CustomerNumber": "D-17",
    "Address": "Dijk 1",
    "Zip": "1234 AB",
    "City": "Voorbeelddam",
    "CountryCode": "nl",
    "VATNumber": "NL001234567B01",
    "Email": "facturen@molen.example",
    "Telephone": "+31 20 000 0000",
    "ContactFirstName": "Sam",
    "ContactMiddleName": "van",
    "ContactLastName": "Voorbeeld",
}


class TestDocuments(ClientCase):
    def test_each_customer_of_an_invoice_is_a_document(self):
        response = parse(
            make.invoice(make.customer(), make.customer(AccountID="200")),
            make.invoice(header={"InvoiceID": 2026002}),
        )
        self.assertEqual(
            [(each.invoice_number, each.account_ref) for each in response.documents],
            [("2026001", "100"), ("2026001", "200"), ("2026002", "100")],
        )

    def test_no_document_is_lost_to_an_error_of_ours(self):
        documents = parse(make.invoice()).documents
        with (
            patch.object(parser, "_make_document", side_effect=IndexError),
            self.assertRaises(IndexError),
        ):
            list(documents)

    def test_a_document_says_what_it_is(self):
        document = parse_one(make.invoice(header={"Currency": "eur"}))
        self.assertEqual(document.invoice_date, date(2026, 3, 23))
        self.assertEqual(document.currency, "EUR")
        self.assertEqual(document.amount, Decimal("10.00"))
        self.assertEqual(document.error, "")

    def test_elements_of_one_number_are_one_invoice_with_all_lines_in_order(self):
        second = make.subscription(make.line(LineId="L2", ExtendedPrice=2.5))
        document = parse_one(
            make.invoice(),
            make.invoice(
                make.customer(second, AccountID=100), header={"Date": "2026-03-25"}
            ),
        )
        self.assertEqual([line.line_ref for line in document.lines], ["L1", "L2"])
        self.assertEqual(document.amount, Decimal("12.5"))
        self.assertEqual(document.invoice_date, date(2026, 3, 25))

    def test_the_same_customer_twice_in_one_element_is_one_document(self):
        second = make.subscription(make.line(LineId="L2"))
        document = parse_one(make.invoice(make.customer(), make.customer(second)))
        self.assertEqual(len(document.lines), 2)

    def test_an_invisible_sign_makes_no_second_document(self):
        second = make.subscription(make.line(LineId="L2"))
        document = parse_one(
            make.invoice(),
            make.invoice(
                make.customer(second, AccountID="100\u200b"),
                header={"InvoiceID": "\ufeff2026001"},
            ),
        )
        self.assertEqual((document.account_ref, len(document.lines)), ("100", 2))
        self.assertEqual(document.customer.account_ref, "100")

    def test_the_same_part_twice_is_not_billed_twice(self):
        document = parse_one(make.invoice(), make.invoice())
        self.assertIn("the same lines twice", document.error)
        self.assertEqual(document.lines, [])

    def test_a_customer_may_stand_in_several_elements_without_lines(self):
        empty = make.invoice(make.customer(Subscriptions=[]))
        document = parse_one(empty, make.invoice(), empty)
        self.assertEqual((len(document.lines), document.error), (1, ""))

    def test_no_lines_is_no_error(self):
        for customer in (
            make.customer(Subscriptions=[]),
            make.customer(Subscriptions=None),
            make.customer(make.subscription(PriceLines=[])),
            make.customer(make.subscription(PriceLines=None)),
        ):
            document = parse_one(make.invoice(customer))
            self.assertEqual((document.lines, document.error), ([], ""))
            self.assertEqual(document.amount, 0)
        self.assertFalse(parse(make.invoice(Customers=[])).documents)

    def test_the_amount_is_the_exact_sum(self):
        prices = ["999999999999.99", "1e-40", "-0.00000000000000005", "7E+2"] * 500
        lines = (
            make.line(LineId=str(number), ExtendedPrice=price)
            for number, price in enumerate(prices)
        )
        document = parse_one(make.invoice(make.customer(make.subscription(*lines))))
        total = sum(map(Fraction, prices))
        self.assertEqual(Fraction(document.amount), total)


class TestLines(ClientCase):
    def test_a_line_has_everything_of_itself_and_its_subscription(self):
        subscription = make.full_subscription(
            line={
                "UnitPrice": 1.25,
                "Discount": 0,
                "ExtendedPrice": 7.5,
                "ConsumerCompanyNumber": 12,
                "QuantityType": "GB",
                "SKU": "M-1",
                "VAT": "1.58",
                "TaxPercentage": 21,
                "TaxZoneID": "NL",
            }
        )
        line = parse_one(make.invoice(make.customer(subscription))).lines[0]
        found = {name: getattr(line, name) for name in line.__slots__}
        self.assertEqual(
            found,
            {
                "line_ref": "7",
                "row_hash": "abc",
                "subscription_ref": "11",
                "subscription_name": "Mail",
                "plan_ref": "22",
                "plan_name": "Mail Plan 1",
                "plan_category": "Mail",
                "charge_type": "Cycle Fee",
                "billing_frequency": "Monthly",
                "description": "Seats",
                "quantity": Decimal(3),
                "unit_price": Decimal("1.25"),
                "discount": Decimal(0),
                "duration": Decimal(2),
                "extended_price": Decimal("7.5"),
                "date_start": date(2026, 2, 1),
                "date_end": date(2026, 2, 28),
                "vendor_details": "molen.example, renew, 2026",
                "subscription_po": "PO-9",
                "line_po": "4500",
                "consumer_name": "Molen Noord",
                "consumer_number": "12",
                "quantity_type": "GB",
                "sku": "M-1",
                "vat": Decimal("1.58"),
                "unread_vat": "",
                "tax_percentage": Decimal(21),
                "tax_zone": "NL",
                "details": (),
                "hidden_details": (),
            },
        )

    def test_what_is_optional_and_unreadable_condemns_nothing(self):
        line = parse_line(
            Duration="abc",
            Quantity="1,5",
            StartDate="20241341",
            EndDate={},
            VendorDetails=["x"],
            SubPONumber=None,
            SubscriptionDetails="none",
            ChargeType="UserCorrection",
        )
        self.assertEqual((line.duration, line.quantity), (None, None))
        self.assertEqual((line.date_start, line.date_end), (None, None))
        self.assertEqual((line.vendor_details, line.details), ("", ()))
        self.assertEqual(line.charge_type, "UserCorrection")

    def test_details_that_copaco_prints_are_kept_wherever_they_stand(self):
        def make_detail(name, value, **values):
            return {"Attribute": name, "AttributeValue": value} | values

        subscription = make.subscription(
            make.line(
                SubscriptionDetails=make_detail(
                    "ram", 8, AttributeDescription="Memory (GB)", noshow=0
                )
            ),
            make.line(LineId="L2"),
            SubscriptionDetails=[
                make_detail("disk", "80 GB", noshow="false"),
                make_detail("backup", True),
                make_detail("secret", "x", noshow="True"),
                make_detail("hidden", "x", NoShow=1),
                make_detail("empty", ""),
                "malformed",
            ],
        )
        lines = parse_one(make.invoice(make.customer(subscription))).lines
        shared = (("disk", "80 GB"), ("backup", "true"))
        self.assertEqual(lines[0].details, (*shared, ("Memory (GB)", "8")))
        self.assertEqual(lines[1].details, shared)
        self.assertEqual(
            [line.hidden_details for line in lines],
            [(("secret", "x"), ("hidden", "x"))] * 2,
        )


class TestCustomerInfo(ClientCase):
    def test_the_receiver_completes_the_customer_it_is(self):
        customer = make.customer(CustomerNumber="D-1", CostCenter="Sales")
        info = parse_one(
            make.invoice(customer, Receiver=RECEIVER, header={"LanguageCode": "nl"})
        ).customer
        self.assertEqual(
            {name: getattr(info, name) for name in info.__slots__},
            {
                "account_ref": "100",
                "customer_number": "D-1",
                "name": "Molen",
                "cost_center": "Sales",
                "vat": "NL001234567B01",
                "email": "facturen@molen.example",
                "phone": "+31 20 000 0000",
                "street": "Dijk 1",
                "zip": "1234 AB",
                "city": "Voorbeelddam",
                "country_code": "NL",
                "contact_name": "Sam van Voorbeeld",
                "language_code": "nl",
            },
        )

    def test_the_reseller_is_never_taken_for_the_customer(self):
        for receiver in (
            RECEIVER | {"AccountID": "70001"},
            {**RECEIVER, "AccountID": ""},
        ):
            document = parse_one(
                make.invoice(Receiver=receiver, header={"LanguageCode": "nl"})
            )
            info = document.customer
            self.assertEqual((info.vat, info.city, info.language_code), ("", "", ""))
            self.assertNotIn("Dijk", document.payload)
        nobody = make.invoice(make.customer(AccountID=""), Receiver={"AccountID": ""})
        self.assertEqual(parse_one(nobody).customer.account_ref, "")

    def test_an_unreadable_receiver_condemns_nothing(self):
        for receiver in (None, [], "x", {"AccountID": {}, "Zip": []}):
            self.assertEqual(parse_one(make.invoice(Receiver=receiver)).error, "")


class TestPayload(ClientCase):
    def assert_reads_back(self, document):
        again = parse_payload(document.payload)
        self.assertEqual(again, document)

    def test_every_document_reads_back_the_same(self):
        second = make.subscription(make.line(LineId="L2", ExtendedPrice=1e-7))
        for invoices in (
            [make.invoice(Receiver=RECEIVER)],
            [make.invoice(), make.invoice(make.customer(second))],
            [make.invoice(make.customer(), make.customer(second))],
            [make.invoice(make.bad_customer())],
            [make.invoice(make.bad_customer(), None, 5)],
            [make.invoice(Customers={"a": 1.10})],
            [make.invoice(Customers=None, header={"Date": "x"})],
            [make.invoice(header={"InvoiceID": "N\x00\ud800", "X\ud800\x00": None})],
        ):
            for document in parse(*invoices).documents:
                self.assert_reads_back(document)

    def test_it_holds_its_own_part_with_all_digits_and_unknown_fields(self):
        raw = make.raw(
            make.invoice(
                make.customer(Loyalty={"Points": "@"}),
                make.customer(AccountID="200", CompanyName="Sluis"),
                Sender={"CompanyName": "Reseller"},
            )
        ).replace(b'"@"', b"1.2300000000000000000000000000001")
        payload = parse_documents(raw).documents[0].payload
        self.assertIn("1.2300000000000000000000000000001", payload)
        self.assertNotIn("Sluis", payload)

    def test_who_bills_and_until_when_is_read_and_makes_no_other_document(self):
        sender = {"CompanyName": "Copaco Nederland B.V.", "VATNumber": "NL1"}
        header = {"ExpirationDate": "20260422"}
        plain = parse(make.invoice()).documents[0]
        document = parse(make.invoice(Sender=sender, header=header)).documents[0]
        self.assertEqual(document.sender.name, "Copaco Nederland B.V.")
        self.assertEqual(document.sender.vat, "NL1")
        self.assertEqual(document.due_date, date(2026, 4, 22))
        self.assertEqual(document.digest, plain.digest)
        self.assert_reads_back(document)

    def test_anything_else_is_not_a_stored_document(self):
        two = make.raw(make.invoice(), make.invoice(header={"InvoiceID": "2"}))
        for payload in ("", "{}", '{"Invoices": []}', two.decode()):
            with self.assertRaises(InvalidResponseError):
                parse_payload(payload)
