from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestNewTotal(CopacoChangeCommon):
    """Copaco states another total for the very lines that are invoiced: what may be
    missing waits for a person (promise 2)."""

    def state(self, total, *others):
        """Let Copaco state a total for a line of 10.00, and fetch that."""
        self.simulator.invoices.clear()
        self.add_known(lines=[price_line("10.00"), *others])
        element = self.simulator.invoices[0].content
        if total:
            element["Totals"] = {"TotalExcludingVAT": total}
        (customer,) = element["Customers"]
        # A list that .NET did not fill.
        customer["Subscriptions"].append({"SubscriptionID": "S-2", "PriceLines": None})
        return self.fetch()

    def assertAsked(self, run):
        self.env.invalidate_all()
        self.assertWaits(self.documents)
        self.assertIn(
            "differs from the sum of its lines by", self.documents.hold_message
        )
        self.assertIn("5.00", self.documents.hold_message)
        self.assertEqual(run.state, "attention")
        self.assertTrue(self.connection.activity_ids)
        self.assertBalanced()

    def each_before(self):
        for total in ("10.00", None):
            for is_posted in (False, True):
                with self.subTest(total=total, posted=is_posted), self.undone():
                    self.state(total)
                    if is_posted:
                        self.documents.move_id.action_post()
                    yield
                    self.simulator.invoices.clear()

    def test_it_is_asked_about_once(self):
        for _each in self.each_before():
            self.assertAsked(self.state("15.00"))
            self.state("15.00")
            self.assertWaits(self.documents)
            self.act(self.documents, "action_keep_version")
            self.state("15.00")
            self.assertEqual(self.documents.state, "invoiced")
            self.assertEqual(self.documents.move_amount_untaxed, 10)
            self.assertBalanced()

    def test_it_ends_when_copaco_corrects_the_total(self):
        for _each in self.each_before():
            self.assertAsked(self.state("15.00"))
            run = self.state("10.00")
            self.assertEqual(self.documents.state, "invoiced")
            self.assertFalse(self.documents.has_pending_version)
            self.assertEqual(run.state, "done")
            self.assertBalanced()

    def test_it_is_a_change_when_copaco_sends_the_line(self):
        for _each in self.each_before():
            self.state("15.00")
            self.state("15.00", price_line("5.00", number=2))
            if self.documents.state == "changed":
                action = "action_correct"
                if self.documents.move_id.state == "draft":
                    action = "action_use_new_version"
                self.act(self.documents, action)
            moves = self.documents.move_id | self.documents._get_live_corrections()
            self.assertEqual(sum(moves.mapped("amount_untaxed")), 15)
            self.assertBalanced()

    def test_who_accepted_the_lines_is_not_asked_again(self):
        self.state("15.00")
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        self.act(self.documents, "action_accept_lines")
        for _time in range(2):
            self.state("15.00")
            self.assertEqual(self.documents.state, "invoiced")
        self.state("20.00")
        self.assertWaits(self.documents)
        self.assertIn("10.00", self.documents.hold_message)

    def test_what_rounding_explains_is_no_other_total(self):
        self.state(None)
        self.state("10.01")
        self.assertEqual(self.documents.state, "invoiced")
