from itertools import count

from .common import CopacoCommon, price_line


class RulesCommon(CopacoCommon):
    """One customer with a contact, and subscriptions of several plans."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = count(1)

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def add_rule(self, **values):
        return self.env["copaco.rule"].create({"company_id": self.company.id, **values})

    def add_product(self, name, **values):
        return self._create_product(name=name, **{"taxes_id": self.tax, **values})

    def subscription(self, plan, *amounts, line=None, **values):
        """:return: a subscription as Copaco sends it, with a line for each amount

        :param line: dict of keys of its lines
        """
        numbers = [next(self.numbers) for _amount in amounts]
        return {
            "SubscriptionID": f"subscription-{plan}-{numbers[0]}",
            "SubscriptionName": f"Subscription {plan}",
            "PlanID": plan,
            "PlanName": f"Plan {plan}",
            "PriceLines": [
                price_line(
                    amount,
                    number=number,
                    **{"InvoiceRowHash": f"r-{number}"},
                    **line or {},
                )
                for number, amount in zip(numbers, amounts, strict=True)
            ],
            **values,
        }

    def book(self, *subscriptions, number="INV-1", account="A1", customer_number="K-1"):
        """Fetch an invoice with these subscriptions.

        :return: the document
        """
        self.add_invoice(
            number,
            account,
            [],
            customer={
                "CustomerNumber": customer_number,
                "Subscriptions": list(subscriptions),
            },
        )
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def act(self, records, action):
        """Press a button, as a bookkeeper."""
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)()

    def process_again(self, documents):
        documents.sudo().state = "new"
        self.process(documents)
        self.env.flush_all()
