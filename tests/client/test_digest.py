"""A document is recognised by what matters for the bill, and by nothing else."""

from . import make
from .case import ClientCase
from .responses import parse_one


class TestDigest(ClientCase):
    LINES = (
        make.line(LineId="1", Quantity=1, ExtendedPrice=10),
        make.line(LineId="2", Quantity=2, ExtendedPrice=2.5),
    )

    def make_digest(self, *lines, customer=None, **values):
        subscription = make.subscription(*(lines or self.LINES))
        invoice = make.invoice(make.customer(subscription, **customer or {}), **values)
        return parse_one(invoice).digest

    def test_it_is_known_by_version(self):
        # Stored digests depend on it: another one here needs another version there.
        digest = "1:5071d6cfa8769b9730e4ea007fb2369c7bee1c8f4ef2538bd8438c14c57a278c"
        self.assertEqual(self.make_digest(), digest)

    def test_every_field_is_where_it_was(self):
        details = {"Attribute": "ram", "AttributeValue": 8, "noshow": 0}
        subscription = make.full_subscription(
            make.line(),
            line={"SubscriptionDetails": details},
            SubscriptionDetails=[{"Attribute": "disk", "AttributeValue": "80 GB"}],
        )
        # As stored in databases: see `test_it_is_known_by_version`.
        for customer, digest in (
            (
                make.customer(subscription),
                "1:fa5690ed5249b264382c99fff861df615188f26616f1e07b8887457c70867cb4",
            ),
            (
                make.bad_customer(),
                "1:a78362a96de2950e8353dadd3ed5c2e1f522b093c431b76c1ccc8d902df754ee",
            ),
        ):
            self.assertEqual(parse_one(make.invoice(customer)).digest, digest)

    def test_what_does_not_matter_for_the_bill_changes_nothing(self):
        digest = self.make_digest()
        first, second = self.LINES
        reordered = dict(reversed(first.items()))
        for other in (
            self.make_digest(second, first),
            self.make_digest(reordered, second),
            self.make_digest(first | {"NewField": {"a": [1]}, "VAT": 2.1}, second),
            self.make_digest(first | {"Quantity": "1.00"}, second),
            self.make_digest(first | {"ExtendedPrice": "1.0E1"}, second),
            self.make_digest(first | {"LineId": 1, "StartDate": ""}, second),
            self.make_digest(customer={"CompanyName": "Molen Groep", "AccountID": 100}),
            self.make_digest(header={"Date": "2026-03-23T00:00:00", "Currency": "eur"}),
            self.make_digest(
                Receiver={"AccountID": 100}, Sender={}, Totals={"TotalVAT": 1}
            ),
        ):
            self.assertEqual(other, digest)

    def test_everything_that_matters_for_the_bill_changes_it(self):
        first, second = self.LINES
        subscription = {"SubscriptionID": "S1", "PriceLines": list(self.LINES)}
        changes = [
            *(
                self.make_digest(first | {name: value}, second)
                for name, value in {
                    "LineId": "3",
                    "InvoiceRowHash": "h",
                    "ChargeType": "Correction",
                    "BillingFrequency": "Yearly",
                    "Description": "Other",
                    "Quantity": 1.5,
                    "UnitPrice": 1,
                    "Discount": 1,
                    "Duration": "2",
                    "ExtendedPrice": 10.01,
                    "StartDate": "20260301",
                    "EndDate": "20260331",
                    "VendorDetails": "x",
                    "SubPONumber": "1",
                    "ConsumerCompanyName": "x",
                    "SubscriptionDetails": {"Attribute": "a", "AttributeValue": 1},
                }.items()
            ),
            *(
                parse_one(
                    make.invoice(make.customer(subscription | {name: "x"}))
                ).digest
                for name in (
                    "SubscriptionID",
                    "SubscriptionName",
                    "PlanID",
                    "PlanName",
                    "PlanCategoryName",
                    "SubscriptionPONumber",
                )
            ),
            self.make_digest(first),
            self.make_digest(first, second, second),
            self.make_digest(customer={"AccountID": "101"}),
            self.make_digest(header={"InvoiceID": "2026002"}),
            self.make_digest(header={"Date": "20260324"}),
            self.make_digest(header={"Currency": "USD"}),
            self.make_digest(header={"Date": "x"}),
            self.make_digest(first | {"ExtendedPrice": None}, second),
            self.make_digest(),
        ]
        self.assertEqual(len(set(changes)), len(changes))

    def test_one_field_cannot_pass_for_another(self):
        digests = {
            self.make_digest(make.line(**values))
            for values in (
                {"LineId": "ab", "InvoiceRowHash": ""},
                {"LineId": "a", "InvoiceRowHash": "b"},
                {"LineId": "", "InvoiceRowHash": "ab"},
                {"LineId": 'a", "b', "InvoiceRowHash": ""},
            )
        }
        self.assertEqual(len(digests), 4)

    def test_an_unreadable_document_is_recognised_whatever_its_key_order(self):
        customer = make.bad_customer()
        other = dict(reversed(customer.items()))
        one, two = parse_one(make.invoice(customer)), parse_one(make.invoice(other))
        self.assertEqual(one.digest, two.digest)
        self.assertNotEqual(one.payload, two.payload)
