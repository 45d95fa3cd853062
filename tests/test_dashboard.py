import json

from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import formatLang

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDashboard(CopacoCommon):
    """Odoo's accounting dashboard says what waits for a person."""

    def get_card(self, journal, user=None):
        journal = journal.with_user(user or self.env.user)
        journal.invalidate_recordset(["kanban_dashboard"])
        return json.loads(journal.kanban_dashboard)

    def test_a_journal_says_what_waits_and_opens_it(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1")
        for number, amount in (("INV-2", "12.50"), ("INV-3", "-2.25"), ("INV-4", "7")):
            self.add_invoice(number, f"unknown {number}", [price_line(amount)])
        self.fetch()
        self.env.cr.execute(
            """SELECT count(*), sum(amount_source) FROM copaco_document
                WHERE state = 'held' AND connection_id = %s""",
            [self.connection.id],
        )
        count, amount = self.env.cr.fetchone()
        self.assertEqual(count, 3)
        journal = self.connection.journal_id
        card = self.get_card(journal)
        self.assertEqual(card["copaco_to_do_count"], count)
        currency = self.documents[:1].currency_id
        self.assertEqual(
            card["copaco_to_do_amount"],
            formatLang(self.env, amount, currency_obj=currency),
        )
        action = journal.action_view_copaco_to_do()
        held = self.env["copaco.document"].search(action["domain"])
        self.assertEqual(
            held, self.documents.filtered(lambda each: each.state == "held")
        )

    def test_another_journal_says_nothing_of_it(self):
        self.add_invoice("INV-2", "unknown", [price_line("12.50")])
        self.fetch()
        other = self.connection.journal_id.copy()
        self.assertFalse(self.get_card(other)["copaco_to_do_count"])

    def test_a_journal_counts_what_the_list_has_that_could_not_be_sent(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1")
        self.fetch()
        move = self.documents.move_id
        delivery = self.create_delivery(move, "failed")
        journal = move.journal_id
        self.assertFalse(self.get_card(journal)["copaco_not_sent_count"])
        move.action_post()
        self.assertEqual(self.get_card(journal)["copaco_not_sent_count"], 1)
        delivery.state = "waiting"
        self.assertTrue(delivery.is_unsent)
        self.assertEqual(self.get_card(journal)["copaco_not_sent_count"], 1)
        action = journal.action_view_copaco_deliveries()
        self.assertEqual(self.env["copaco.delivery"].search(action["domain"]), delivery)

    def test_who_may_not_see_copacos_documents_is_told_nothing(self):
        self.add_invoice("INV-2", "unknown", [price_line("12.50")])
        self.fetch()
        reader = new_test_user(self.env, "reader", "account.group_account_readonly")
        card = self.get_card(self.connection.journal_id, reader)
        self.assertNotIn("copaco_to_do_count", card)

    def test_price_lines_add_up_to_the_documents(self):
        self.add_known("INV-1", lines=[price_line("10"), price_line("0.004", number=2)])
        self.add_invoice("INV-2", "unknown", [price_line("12.50", PlanName="Other")])
        self.fetch()
        Line = self.env["copaco.document.line"]
        for groupby in ("customer_id", "invoice_date:month", "plan_name", "kind"):
            groups = Line._read_group(
                [("document_id", "in", self.documents.ids)],
                [groupby],
                ["extended_price:sum"],
            )
            total = sum(amount for _group, amount in groups)
            self.assertAlmostEqual(total, 22.504, msg=groupby)
