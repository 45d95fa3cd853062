from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestOdoosRules(CopacoChangeCommon):
    """Promise 5: what Odoo refuses by hand is refused here, with advice that can be
    followed."""

    def choose_date(self, documents, invoice_date=None):
        wizard = (
            self.env["copaco.invoice.date"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_ids=documents.ids)
            .create({"invoice_date": invoice_date} if invoice_date else {})
        )
        with self.committing(wizard) as committing:
            committing.action_invoice()
        return wizard.invoice_date

    def create_plan(self):
        """:return: an account of a plan that is mandatory on invoices"""
        plan = self.env["account.analytic.plan"].create(
            {
                "name": "Department",
                "applicability_ids": [
                    Command.create(
                        {"business_domain": "invoice", "applicability": "mandatory"}
                    )
                ],
            }
        )
        return self.env["account.analytic.account"].create(
            {"name": "Cloud", "plan_id": plan.id}
        )

    def test_a_mandatory_plan_holds_what_is_confirmed(self):
        account = self.create_plan()
        self.connection.invoice_policy = "post"
        for number in ("INV-1", "INV-2"):
            self.add_known(number)
        self.fetch()
        for document in self.documents:
            self.assertEqual(document.state, "held")
            self.assertIn("100% analytic distribution", document.hold_message)
        self.env["account.analytic.distribution.model"].create(
            {"analytic_distribution": {account.id: 100}, "company_id": self.company.id}
        )
        self.act(self.documents, "action_retry")
        self.assertEqual(set(self.documents.move_id.mapped("state")), {"posted"})

    def test_new_lines_of_a_correction_get_what_the_models_say(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        account = self.create_plan()
        self.env["account.analytic.distribution.model"].create(
            {"analytic_distribution": {account.id: 100}, "company_id": self.company.id}
        )
        self.send(price_line("12"), price_line("5", number=2))
        lines = self.get_correction(document).invoice_line_ids.sorted("price_unit")
        self.assertEqual(
            lines.mapped("analytic_distribution"), [False, {str(account.id): 100}]
        )

    def test_two_drafts_that_go_together_have_a_reason_of_their_own(self):
        for way in ("unlink", "button_cancel"):
            with self.subTest(way=way):
                self.simulator.invoices.clear()
                numbers = [f"{way}-1", f"{way}-2"]
                for number in numbers:
                    self.add_known(number)
                self.fetch()
                documents = self.documents.filtered(
                    lambda document, numbers=numbers: document.invoice_number in numbers
                )
                documents.move_id.invoice_line_ids[0].name = "A person's words"
                self.simulator.invoices.clear()
                self.add_known(numbers[0], lines=[price_line("99")])
                self.add_known(numbers[1])
                self.fetch()
                self.assertEqual(documents.mapped("state"), ["changed", "invoiced"])
                getattr(documents.move_id, way)()
                self.assertEqual(
                    documents.mapped("hold_reason"),
                    [
                        "source_changed",
                        "invoice_deleted" if way == "unlink" else "invoice_cancelled",
                    ],
                )

    def change_one_of_two(self, way):
        """:return: the documents of two edited drafts, of which Copaco changed one"""
        self.simulator.invoices.clear()
        numbers = [f"{way}-1", f"{way}-2"]
        self.add_known(numbers[0], Date="20261031")
        self.add_known(numbers[1])
        self.fetch()
        documents = self.documents.filtered(
            lambda document: document.invoice_number in numbers
        )
        documents.move_id.invoice_line_ids[0].name = "A person's words"
        self.simulator.invoices.clear()
        self.add_known(numbers[0], Date="20261031", lines=[price_line("99")])
        self.add_known(numbers[1])
        self.fetch()
        self.assertEqual(documents.mapped("state"), ["changed", "invoiced"])
        return documents

    def test_two_that_are_cancelled_together_have_reasons_of_their_own(self):
        for posted in ((True, False), (False, True), (True, True)):
            with self.subTest(posted=posted):
                documents = self.change_one_of_two(str(posted))
                for document, is_posted in zip(documents, posted, strict=True):
                    if is_posted:
                        document.move_id.action_post()
                moves = documents.move_id.with_user(self.billing_user)
                moves.filtered(lambda move: move.state == "posted").button_draft()
                moves.button_cancel()
                self.assertOwnReasons(documents, "invoice_cancelled")
                moves.unlink()
                self.assertOwnReasons(documents, "invoice_deleted")

    def test_where_one_is_in_a_locked_period_none_or_both_go(self):
        for way in ("unlink", "button_cancel"):
            with self.subTest(way=way):
                documents = self.change_one_of_two(way)
                self.company.sale_lock_date = "2026-11-15"
                moves = documents.move_id.with_user(self.billing_user)
                try:
                    getattr(moves, way)()
                except UserError:
                    self.assertEqual(documents.mapped("state"), ["changed", "invoiced"])
                else:
                    self.assertOwnReasons(
                        documents,
                        f"invoice_{'deleted' if way == 'unlink' else 'cancelled'}",
                    )
                self.company.sale_lock_date = False

    def test_drafts_of_two_companies_that_go_together_have_reasons_of_their_own(self):
        documents = self.change_one_of_two("mixed")
        other = self.setup_other_company()
        connection = self._create_connection(
            company_id=other["company"].id,
            product_id=self.product.id,
            base_url=self.simulator.url,
        )
        connection.api_key = "simulator-key"
        self.simulator.invoices.clear()
        self.add_known("other-1")
        self.fetch(connection)
        theirs = self.env["copaco.document"].search(
            [("company_id", "=", other["company"].id)]
        )
        self.assertTrue(theirs.move_id, theirs.hold_message)
        (documents.move_id | theirs.move_id).unlink()
        self.assertOwnReasons(documents, "invoice_deleted")
        self.assertEqual(theirs.hold_reason, "invoice_deleted")
        self.assertIn("other-1", theirs.hold_message)

    def test_what_was_decided_since_stays_when_a_cancelled_invoice_is_deleted(self):
        document = self.send(price_line("10"))
        cancelled = document.move_id
        cancelled.button_cancel()
        self.company.hard_lock_date = "2026-11-24"
        self.act(document, "action_retry")
        self.assertEqual(document.hold_reason, "period_locked")
        cancelled.unlink()
        self.assertEqual(document.hold_reason, "period_locked")

    def assertOwnReasons(self, documents, reason):
        self.assertEqual(documents.mapped("hold_reason"), ["source_changed", reason])
        for document in documents:
            self.assertIn(document.name, document.hold_message)
        self.assertIn("Choose which version", documents[0].hold_message)
        self.assertIn("etry", documents[1].hold_message)

    def test_a_hard_locked_period_is_left_by_another_date(self):
        self.company.hard_lock_date = "2026-11-24"
        self.add_known(Date="20261031")
        self.fetch()
        self.assertEqual(self.documents.hold_reason, "period_locked")
        self.assertNotIn("exception", self.documents.hold_message)
        self.assertIn("Invoice with another date", self.documents.hold_message)
        self.assertEqual(self.choose_date(self.documents), date(2026, 11, 25))
        move = self.documents.move_id
        self.assertRecordValues(
            move, [{"invoice_date": date(2026, 11, 25), "date": date(2026, 11, 25)}]
        )
        self.assertIn("Copaco dated this invoice 10/31/2026", move.narration)
        self.assertTrue(self.is_unedited_draft(self.documents))
        self.act(self.documents, "action_retry")
        self.assertEqual(move.invoice_date, date(2026, 11, 25), "it stays chosen")
        self.assertBalanced()

    def test_a_chosen_date_stays_when_a_change_of_the_date_is_not_taken_over(self):
        self.company.hard_lock_date = "2026-11-20"
        self.add_known(Date="20261031")
        self.fetch()
        document = self.documents
        self.choose_date(document, date(2026, 11, 24))
        document.move_id.invoice_line_ids[0].name = "A person's words"
        self.receive_again(Date="20261130")
        self.assertEqual(document.state, "changed")
        self.act(document, "action_keep_version")
        self.act(document, "action_retry")
        self.assertEqual(document.move_id.invoice_date, date(2026, 11, 24))
        document.move_id.unlink()
        self.act(document, "action_retry")
        self.assertEqual(document.move_id.invoice_date, date(2026, 11, 24))
        self.assertIn("Copaco dated this invoice", document.move_id.narration)

    def test_a_chosen_date_is_for_the_date_that_copaco_gave_then(self):
        self.company.hard_lock_date = "2026-11-20"
        self.add_known(Date="20261031")
        self.fetch()
        document = self.documents
        self.choose_date(document, date(2026, 11, 24))
        self.receive_again(Date="20261123")
        self.assertEqual(document.move_id.invoice_date, date(2026, 11, 23))
        self.assertNotIn("Copaco dated", document.move_id.narration or "")
        document.move_id.action_post()
        self.receive_again(Date="20261031")
        self.act(document, "action_correct")
        self.assertEqual(
            document.move_id.invoice_date, date(2026, 11, 24), "the same is decided"
        )

    def test_a_date_that_was_chosen_for_a_change_is_that_of_the_new_invoice(self):
        self.add_known(Date="20261120")
        self.fetch()
        document = self.documents
        document.move_id.action_post()
        self.receive_again(Date="20261031")
        self.company.hard_lock_date = "2026-11-15"
        self.choose_date(document, date(2026, 11, 18))
        self.assertEqual(document._get_invoice_date(), date(2026, 11, 20))
        self.act(document, "action_correct")
        self.assertEqual(document.move_id.invoice_date, date(2026, 11, 18))
        self.assertEqual(document.move_id.narration.count("10/31/2026"), 1)

    def receive_again(self, **header):
        self.simulator.invoices.clear()
        self.add_known(**header)
        self.fetch()

    def test_a_soft_lock_can_still_be_opened(self):
        self.company.fiscalyear_lock_date = "2026-11-24"
        self.add_known(Date="20261031")
        self.fetch()
        self.assertIn("make an exception", self.documents.hold_message)

    def test_dates_that_are_far_from_what_was_asked_for_are_held(self):
        for number, day, state in (
            ("INV-1", "20990101", "held"),
            ("INV-2", "20620101", "held"),
            ("INV-3", "19950101", "held"),
            ("INV-4", "20260901", "invoiced"),
            ("INV-5", "20270125", "invoiced"),
            ("INV-6", "20270131", "held"),
        ):
            with self.subTest(day=day):
                self.add_known(number, Date=day)
                self.fetch()
                document = self.documents[-1]
                self.assertEqual(document.state, state)
                if state == "held":
                    self.assertEqual(document.hold_reason, "date_unlikely")
                    self.assertIn("62 days", document.hold_message)
        self.assertEqual(self.choose_date(self.documents[0]), date(2026, 11, 25))
        self.assertFalse(self.documents[0].hold_reason)
        self.choose_date(self.documents[-1], date(2027, 1, 31))
        self.assertEqual(self.documents[-1].move_id.invoice_date, date(2027, 1, 31))
        self.assertFalse(self.documents[-1].move_id.narration, "it is Copaco's own")
        self.connection.date_tolerance_days = 40000
        self.act(self.documents[1], "action_retry")
        self.assertEqual(self.documents[1].state, "invoiced")

    def test_a_date_is_chosen_only_where_it_is_waited_for(self):
        self.add_known()
        self.fetch()
        with self.assertRaisesRegex(UserError, "not what they wait for"):
            self.choose_date(self.documents, date(2026, 11, 20))

    def test_a_currency_of_other_than_three_letters_is_unknown(self):
        for number, code in (("INV-1", "EURO"), ("INV-2", "EU"), ("INV-3", "EUR ")):
            self.add_known(number, Currency=code)
        self.fetch()
        self.assertEqual(
            self.documents.mapped("hold_reason"),
            ["currency_unknown", "currency_unknown", False],
        )
        self.assertIn("EURO", self.documents[0].hold_message)
