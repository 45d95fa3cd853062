from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line

MONTHS = [date(2026, month, 23) for month in range(1, 12)]


class EarnedCommon(CopacoChangeCommon):
    """A customer whose address is complete, and a connection that automates after two
    months."""

    def setUp(self):
        super().setUp()
        self.connection.write(
            {
                # Each month is fetched on the same day.
                "date_tolerance_days": 400,
                "invoice_policy": "send",
                "auto_policy_months": 2,
            }
        )
        self.month = 5

    def bill(self, *lines, account="A1", customer="K-1", **values):
        """Let Copaco bill a customer in the next month, and fetch that.

        :return: the document
        """
        if not values.pop("same_month", False):
            self.month += 1
        day = MONTHS[self.month - 1]
        number = f"S-{self.month}-{len(self.documents)}"
        period = {
            "StartDate": f"{day:%Y%m}01",
            "EndDate": f"{day:%Y%m}28",
        }
        self.add_invoice(
            number,
            account,
            [{**line, **period} for line in lines or [price_line("10.00")]],
            Date=f"{day:%Y%m%d}",
            **{"customer": {"CustomerNumber": customer}, **values},
        )
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def confirm(self, document):
        """Confirm an invoice as a person does."""
        move = document.move_id.with_user(self.billing_user)
        move.action_post()

    def bill_and_confirm(self, *lines, months=1, **values):
        for _month in range(months):
            document = self.bill(*lines, **values)
            self.assertEqual(document.move_id.state, "draft")
            self.confirm(document)
        return document

    def count(self):
        """What the scheduled action does."""
        self.env["copaco.automation"].sudo()._count_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestEarned(EarnedCommon):
    """A customer earns that its invoices are confirmed without a person."""

    def test_after_two_unchanged_months_an_invoice_is_confirmed(self):
        self.bill_and_confirm(months=2)
        third = self.bill()
        self.assertEqual(third.customer_id.unchanged_months, 2)
        self.assertEqual(third.move_id.state, "posted")
        self.assertFalse(third.draft_reason)

    def test_a_total_that_jumps_leaves_the_invoice_a_draft_and_says_why(self):
        self.bill_and_confirm(months=2)
        third = self.bill(price_line("15.00"))
        self.assertEqual(third.move_id.state, "draft")
        self.assertEqual(third.draft_reason, "total_differs")
        self.assertIn("15.00", third.draft_message)
        self.assertIn("10.00", third.draft_message)
        self.confirm(third)
        self.assertEqual(third.move_id.state, "posted")
        self.assertFalse(third.draft_reason)
