from datetime import date

from odoo.tools.safe_eval import safe_eval

from ..tools import Joined, render_message
from .common import CopacoChangeCommon, price_line

DAYS = [date(2026, month, 23) for month in range(1, 12)]


def monthly(amount, number=1, **values):
    return price_line(
        amount, number=number, **{"BillingFrequency": "Monthly", **values}
    )


class EarnedCommon(CopacoChangeCommon):
    """Customers whose contacts are complete, and a connection that automates after two
    months."""

    def setUp(self):
        super().setUp()
        self.other = self.create_partner(name="Slager", ref="K-2")
        self.connection.write(
            {
                # Each month is fetched on the same day.
                "date_tolerance_days": 400,
                "invoice_policy": "post",
                "auto_policy_months": 2,
            }
        )
        self.month = 5

    def add(self, *lines, subscriptions=None, account="A1", customer="K-1", **values):
        """Let Copaco bill a customer in the month that it is.

        :param subscriptions: dict of lists of lines by id, instead of one
        :return: the number of the invoice
        """
        day = DAYS[self.month - 1]
        period = {"StartDate": f"{day:%Y%m}01", "EndDate": f"{day:%Y%m}28"}
        number = f"S-{self.month}-{len(self.simulator.invoices)}"
        subscriptions = subscriptions or {
            f"subscription-{account}": lines or [monthly("10.00")]
        }
        customer = {
            "CustomerNumber": customer,
            "Subscriptions": [
                {
                    "SubscriptionID": each.split(" ")[0],
                    "SubscriptionName": f"Name of {each}",
                    "PlanName": "Plan",
                    "PlanID": "plan",
                    "PriceLines": [
                        {**line, "InvoiceRowHash": f"{number}-{each}-{at}", **period}
                        for at, line in enumerate(own)
                    ],
                }
                for each, own in subscriptions.items()
            ],
        }
        self.add_invoice(
            number, account, [], customer=customer, **{"Date": f"{day:%Y%m%d}"} | values
        )
        return number

    def bill(self, *lines, **values):
        """Let Copaco bill a customer in the next month, and fetch that.

        :return: the document
        """
        self.month += 1
        number = self.add(*lines, **values)
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def earn(self, *lines, months=2, **values):
        """Let a person confirm the invoices of so many months, in the order of months.

        :return: the documents
        """
        numbers = []
        for _month in range(months):
            self.month += 1
            numbers.append(self.add(*lines, **values))
        self.fetch()
        documents = self.documents.filtered(lambda each: each.invoice_number in numbers)
        self.confirm(documents)
        return documents

    def confirm(self, documents):
        """Confirm invoices as a person does."""
        self.assertEqual(set(documents.move_id.mapped("state")), {"draft"})
        documents.move_id.with_user(self.billing_user).action_post()

    def count(self, document):
        """:return: how many months count, as the scheduled action does it"""
        automation = self.env["copaco.automation"].sudo()
        automation._count(document.customer_id, self.connection)
        return document.customer_id.unchanged_months

    def assertLeftAsDraft(self, document, *reasons):
        self.assertEqual(document.move_id.state, "draft")
        found = document.sudo().env["copaco.draft.checker"]._find(document.sudo())
        codes, texts = zip(*found[document], strict=True)
        self.assertEqual(codes, reasons)
        self.assertEqual(
            document.check_message, render_message(self.env, Joined(texts, "\n"))
        )
        self.assertEqual(document.draft_reason, reasons[0])
        lines = document.draft_message.split("\n")
        self.assertEqual(len(lines), len(reasons))
        self.assertFalse([line for line in lines if "%(" in line or "None" in line])
        to_do = self.env.ref("account_copaco.action_copaco_document_to_do")
        Document = self.env["copaco.document"]
        for domain in (to_do._get_action_dict()["domain"], None):
            domain = safe_eval(domain) if domain else Document._get_to_do_domain()
            self.assertIn(document, Document.search(domain))

    def assertConfirmed(self, document):
        self.assertRecordValues(
            document, [{"draft_reason": False, "check_message": False}]
        )
        self.assertEqual(document.move_id.state, "posted")
