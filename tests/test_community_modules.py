from datetime import date

from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line

LINES = [price_line("10.00"), price_line("5.00", number=2)]


@tagged("post_install", "-at_install", "-standard", "copaco_community")
@freeze_time("2026-11-25 10:00:00")
class TestCommunityModules(CopacoChangeCommon):
    """Promises 5 and 8 beside modules of the community that have a say about when an
    invoice may be confirmed. `make test` runs this where they are installed."""

    def setUp(self):
        super().setUp()
        self.connection.invoice_policy = "post"
        self.connection.product_id = self.env["product.product"].create(
            {"name": "Cloud", "type": "service", "must_have_dates": True}
        )

    def receive(self):
        self.add_known(lines=LINES)
        self.fetch()
        return self.documents

    def test_each_line_has_the_period_that_its_product_must_have(self):
        move = self.receive().move_id
        self.assertEqual(move.state, "posted")
        self.assertRecordValues(
            move.invoice_line_ids.filtered(lambda line: line.price_subtotal),
            [{"start_date": date(2026, 10, 1), "end_date": date(2026, 10, 31)}] * 2,
        )

    def test_a_line_without_a_period_is_held_by_what_the_product_asks_for(self):
        self.add_known(lines=[price_line("10.00", StartDate="", EndDate="")])
        self.fetch()
        document = self.documents
        self.assertEqual(document.move_id.state, "draft")
        self.assertIn("Missing Start Date", document.confirm_obstacle)

    def test_what_has_to_be_validated_first_stays_a_draft_until_it_is(self):
        self.env["tier.definition"].sudo().create(
            {
                "model_id": self.env.ref("account.model_account_move").id,
                "review_type": "individual",
                "reviewer_id": self.billing_user.id,
                "definition_domain": "[('move_type', '=', 'out_invoice')]",
            }
        )
        document = self.receive()
        self.assertEqual(document.move_id.state, "draft")
        self.assertTrue(document.confirm_obstacle)
        self.assertEqual(document.move_id.amount_untaxed, 15)
        self.assertBalanced()
        move = document.move_id.with_user(self.billing_user)
        move.request_validation()
        move.invalidate_recordset()
        move.validate_tier()
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertFalse(document.confirm_obstacle)
        self.assertBalanced()
