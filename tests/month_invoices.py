from .common import CopacoChangeCommon, price_line


class CopacoMonthInvoicesCommon(CopacoChangeCommon):
    """A connection that makes one invoice per customer and month."""

    def setUp(self):
        super().setUp()
        self.connection.invoice_grouping = "month"

    def receive(self, account="A1", number="K-1", header=None, **amounts):
        """Let Copaco have an invoice of a customer for each number, and fetch that.

        :param number: of the customer, by which its contact is found
        :param header: dict of keys
        :param amounts: lists of amounts by number
        :return: the documents of these numbers
        """
        self.provide(account, number, header, **amounts)
        self.fetch()
        return self.get(*amounts)

    def provide(self, account="A1", number="K-1", header=None, **amounts):
        """See `receive`, without the fetch."""
        customer = {"CustomerNumber": number}
        for name, own in amounts.items():
            lines = [
                price_line(amount, number=place, Description=f"{name} {place}")
                for place, amount in enumerate(own, start=1)
            ]
            self.simulator.invoices[:] = [
                stored
                for stored in self.simulator.invoices
                if stored.content["Header"]["InvoiceID"] != name
            ]
            self.add_invoice(name, account, lines, customer=customer, **(header or {}))

    def get(self, *numbers):
        """:return: the documents of these numbers, in this order"""
        documents = {each.invoice_number: each for each in self.documents}
        return self.documents.browse(documents[number].id for number in numbers)

    def link_accounts(self):
        """Let two accounts be billed to the same contact."""
        for account in ("A1", "A2"):
            self.create_customer(account, self.partner)

    def press(self, documents, action, *arguments):
        self.act(documents, action, *arguments)
        self.env.invalidate_all()

    def assertTogether(self, documents, amount):
        """They are on one invoice, which is of nothing else."""
        move = documents.move_id
        self.assertEqual(len(move), 1)
        self.assertEqual(documents.mapped("state"), ["invoiced"] * len(documents))
        self.assertEqual(move._get_copaco_documents().sorted("id"), documents)
        self.assertEqual(move.amount_untaxed, amount)
        self.assertBalanced()

    def post(self, **amounts):
        """:return: the documents of these numbers, whose invoice is confirmed"""
        documents = self.receive(**amounts)
        documents.move_id.action_post()
        return documents

    def correct(self, document):
        result = self.act(document, "action_correct")
        self.env.invalidate_all()
        return self.env["account.move"].browse(result.get("res_id", []))

    def get_billed(self):
        """:return: what all invoices say, less what the credit notes say"""
        self.env.invalidate_all()
        moves = self.env["account.move"].search(
            [
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "!=", "cancel"),
                ("company_id", "=", self.company.id),
            ]
        )
        return sum(moves.mapped("amount_untaxed_in_currency_signed"))

    def receive_two_accounts(self):
        """:return: two documents of different accounts, on one invoice; and a contact
        to whom they are not billed"""
        self.link_accounts()
        other = self.create_partner(name="Slagerij")
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        first, second = self.get("P1", "P2")
        return first, second, other
