from datetime import date

from dateutil.relativedelta import relativedelta

from odoo.tests import HttpCase, tagged

from .common import CopacoCommon
from .earned import monthly


@tagged("post_install", "-at_install")
class TestEarnedTours(CopacoCommon, HttpCase):
    """Automation that is earned, in a real browser."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij", ref="K-1")
        self.connection.write(
            {
                "import_from": False,
                "date_tolerance_days": 400,
                "invoice_policy": "post",
                "auto_policy_months": 2,
            }
        )
        # Time can't be frozen for the threads of the server.
        for back in (2, 1):
            self.add_month(back, "10.00")
        self.fetch()
        self.documents.move_id.action_post()
        self.count()

    def add_month(self, back, amount):
        day = date.today() - relativedelta(months=back)
        period = {"StartDate": f"{day:%Y%m}01", "EndDate": f"{day:%Y%m}28"}
        self.add_known(
            f"INV-{back}",
            lines=[monthly(amount, **period)],
            created=date.today(),
            Date=f"{day:%Y%m%d}",
        )

    def count(self):
        automation = self.env["copaco.automation"].sudo()
        automation._count(self.documents.customer_id, self.connection)

    def test_an_unusual_invoice_says_why_and_is_confirmed_where_it_is_listed(self):
        self.add_month(0, "30.00")
        self.fetch()
        self.start_tour("/odoo/copaco-to-do", "copaco_unusual_invoice", login="billing")
        self.assertEqual(set(self.documents.move_id.mapped("state")), {"posted"})

    def test_an_administrator_sees_who_earned_what_and_overrules_it(self):
        self.start_tour(
            "/odoo/copaco-connections", "copaco_overrule", login=self.env.user.login
        )
        self.assertEqual(self.documents.customer_id.invoice_policy, "draft")
