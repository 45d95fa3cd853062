from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo.tests import freeze_time, tagged

from .common import price_line
from .month_invoices import CopacoMonthInvoicesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoices(CopacoMonthInvoicesCommon):
    """Documents of a customer that are put on one invoice for a month: promises 1 to 4
    and 7."""

    # === WHAT IS PUT TOGETHER === #

    def test_documents_of_a_customer_are_one_draft_to_the_cent(self):
        first, second = self.receive(P1=["10.004", "0.004"], P2=["5.004", "0.002"])
        move = first.move_id
        self.assertRecordValues(
            move,
            [
                {
                    "state": "draft",
                    "move_type": "out_invoice",
                    "invoice_origin": "P1, P2",
                    "copaco_document_id": first.id,
                    "copaco_amount": 15.02,
                }
            ],
        )
        self.assertTogether(first | second, 15.02)
        self.assertEqual(self.get_amounts(first), {"draft": 15.02})

    def test_one_that_is_free_counts_nothing_twice(self):
        documents = self.receive(P1=["0"], P2=["5"], P3=["10", "-10"])
        self.assertTogether(documents, 5)
        self.assertEqual(self.get_amounts(documents[0]), {"draft": 5})
        documents.move_id.action_post()
        self.assertBalanced()

    def test_what_adds_up_to_nothing_is_balanced_when_edited(self):
        documents = self.receive(P1=["10"], P2=["5"])
        self.receive(P2=["-10"])
        self.assertTogether(documents, 0)
        lines = documents.move_id.invoice_line_ids.filtered("price_unit")
        lines[0].price_unit = 12
        self.assertEqual(
            self.get_amounts(documents[0]), {"draft": 12, "edited": -2, "replaced": 5}
        )

    def test_a_cost_center_that_changes_parts_no_draft_that_is_there(self):
        self.link_accounts()
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        documents = self.get("P1", "P2")
        documents[1].customer_id.sudo().cost_center = "Shop"
        self.receive("A1", P1=["11"])
        self.assertTogether(documents, 16)

    def test_without_the_setting_each_has_its_own(self):
        self.connection.invoice_grouping = "document"
        first, second = self.receive(P1=["10"], P2=["5"])
        self.assertNotEqual(first.move_id, second.move_id)
        self.assertEqual(first.move_id.invoice_origin, "P1")
        self.assertFalse(first.move_id.copaco_amount)

    def test_the_customer_overrules_the_connection(self):
        (first,) = self.receive(P1=["10"])
        first.customer_id.invoice_grouping = "document"
        second, third = self.receive(P2=["5"], P3=["6"])
        self.assertEqual(len((first | second | third).move_id), 3)
        self.connection.invoice_grouping = "document"
        first.customer_id.invoice_grouping = "month"
        fourth, fifth = self.receive(P4=["1"], P5=["2"])
        self.assertEqual(fourth.move_id, fifth.move_id)

    def test_each_month_and_each_currency_has_its_own(self):
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "currency_id": self.env.ref("base.USD").id}
        )
        self.env.ref("base.USD").active = True
        self.provide(P1=["10"], P2=["1"])
        self.provide(header={"Date": "20261031"}, P3=["5"], P4=["6"])
        self.provide(header={"Currency": "USD"}, P5=["7"])
        self.fetch()
        self.assertTogether(self.get("P1", "P2"), 11)
        self.assertTogether(self.get("P3", "P4"), 11)
        self.assertTogether(self.get("P5"), 7)

    def test_a_credit_note_stays_one_of_its_own(self):
        self.receive(P1=["10"], P2=["-4"], P3=["5"])
        self.assertTogether(self.get("P1", "P3"), 15)
        credit = self.get("P2").move_id
        self.assertEqual(credit.move_type, "out_refund")
        self.assertEqual(credit.amount_untaxed, 4)

    def test_accounts_of_one_contact_share_it_unless_their_cost_centers_differ(self):
        self.link_accounts()
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        self.assertTogether(self.get("P1", "P2"), 15)
        self.get("P1").customer_id.sudo().cost_center = "Shop"
        self.provide("A1", P3=["1"])
        self.provide("A2", P4=["2"])
        self.fetch()
        self.assertNotEqual(self.get("P3").move_id, self.get("P4").move_id)

    def test_the_order_is_named_only_when_all_agree(self):
        lines = {"P1": "PO-1", "P2": "PO-1"}
        for number, order in lines.items():
            self.add_known(number, lines=[price_line(1, PurchaseOrderNumber=order)])
        self.fetch()
        move = self.get("P1").move_id
        self.assertEqual(move, self.get("P2").move_id)
        common = self.get("P1").line_ids._get_po_number()
        self.assertEqual(move.ref or "", common)
        self.get("P1").customer_id.po_number = "PO-2"
        self.receive(P3=["3"])
        self.assertTogether(self.get("P1", "P2", "P3"), 5)

    def test_a_batch_that_has_one_of_them_makes_the_invoice_of_all(self):
        self.provide(P1=["10"], P2=["5"], P3=["1"])
        with self.undone():
            self.fetch()
            self.assertTogether(self.get("P1", "P2", "P3"), 16)
        self.patch(self.registry["copaco.processor"], "_process_waiting", _do_nothing)
        self.fetch()
        documents = self.get("P1", "P2", "P3")
        self.process(documents[1])
        self.assertTogether(documents, 16)

    def test_what_another_worker_has_is_left_to_who_has_the_first_one(self):
        self.provide(P1=["10"], P2=["5"])
        self.patch(self.registry["copaco.processor"], "_process_waiting", _do_nothing)
        self.fetch()
        first, second = self.get("P1", "P2").sudo()
        Document = self.registry["copaco.document"]
        lock = Document.try_lock_for_update
        with patch.object(
            Document,
            "try_lock_for_update",
            lambda records, **options: (
                lock(records - taken, **options) if taken else lock(records, **options)
            ),
        ):
            taken = second
            with self.assertRaises(LockNotAvailable), self.env.cr.savepoint():
                self.process(first)
            taken = first
            self.process(second)
            self.assertEqual((first | second).mapped("state"), ["new", "new"])
            taken = None
            self.process(first)
        self.assertTogether(first | second, 15)

    def test_another_date_that_a_person_chose_is_that_of_all(self):
        self.company.sale_lock_date = "2026-11-23"
        documents = self.receive(P1=["10"], P2=["5"])
        self.assertEqual(documents.mapped("hold_reason"), ["period_locked"] * 2)
        wizard = self.env["copaco.invoice.date"].with_user(self.billing_user)
        wizard = wizard.with_context(
            active_model="copaco.document", active_ids=documents.ids
        )
        with self.committing(wizard.create({})) as committing:
            committing.action_invoice()
        self.env.invalidate_all()
        self.assertTogether(documents, 15)
        self.assertGreater(str(documents.move_id.invoice_date), "2026-11-23")
        self.assertIn("11/23/2026", documents.move_id.narration)

    # === WHAT COMES LATER === #

    def test_what_comes_later_is_added_to_the_draft_that_nobody_edited(self):
        (first,) = self.receive(P1=["10"])
        move = first.move_id
        (second,) = self.receive(P2=["5"])
        self.assertEqual(second.move_id, move)
        self.assertTogether(first | second, 15)
        self.receive(P3=["1"])
        self.assertTogether(self.get("P1", "P2", "P3"), 16)
        self.assertEqual(move.invoice_origin, "P1, P2, P3")
        self.assertTrue(self.is_unedited_draft(first))
        self.assertEqual(
            self.get_amounts(first) | self.get_amounts(second), {"draft": 5}
        )

    def test_what_was_edited_stays_and_what_comes_later_shares_another(self):
        (first,) = self.receive(P1=["10"])
        first.move_id.invoice_line_ids.filtered("price_unit")[0].name = "Mine"
        self.receive(P2=["5"])
        self.receive(P3=["1"])
        self.assertTogether(self.get("P2", "P3"), 6)
        self.assertTogether(first, 10)

    def test_what_was_confirmed_stays_and_what_comes_later_shares_another(self):
        first, _second = self.receive(P1=["10"], P2=["1"])
        first.move_id.action_post()
        self.receive(P3=["5"])
        self.receive(P4=["1"])
        self.assertTogether(self.get("P3", "P4"), 6)
        self.assertEqual(first.move_id.amount_untaxed, 11)

    def test_what_was_confirmed_and_reset_is_not_added_to(self):
        (first,) = self.receive(P1=["10"])
        first.move_id.action_post()
        first.move_id.button_draft()
        (second,) = self.receive(P2=["5"])
        self.assertNotEqual(first.move_id, second.move_id)

    def test_one_that_is_held_holds_only_itself_and_joins_when_decided(self):
        self.provide(P1=["1"], P2=["4"], P3=["10"])
        self.simulator.invoices[1].content["Totals"] = {"TotalExcludingVAT": 99}
        self.fetch()
        held = self.get("P2")
        self.assertRecordValues(
            held, [{"state": "held", "hold_reason": "source_totals_differ"}]
        )
        self.assertTogether(self.get("P1", "P3"), 11)
        with self.undone():
            self.get("P1").move_id.ref = "Mine"
            self.press(held, "action_accept_lines")
            self.assertTogether(held, 4)
        self.press(held, "action_accept_lines")
        self.assertTogether(self.get("P1", "P2", "P3"), 15)

    # === CONFIRMED ON IMPORT === #

    def test_those_of_one_fetch_are_put_together_and_then_confirmed(self):
        self.connection.invoice_policy = "post"
        first, second = self.receive(P1=["10"], P2=["5"])
        self.assertTogether(first | second, 15)
        self.assertEqual(first.move_id.state, "posted")
        (third,) = self.receive(P3=["1"])
        self.assertNotEqual(third.move_id, first.move_id)
        self.assertEqual(third.move_id.state, "posted")

    def test_a_draft_that_a_person_is_to_confirm_is_not_confirmed_by_what_is_added(
        self,
    ):
        (first,) = self.receive(P1=["10"])
        self.connection.invoice_policy = "post"
        (second,) = self.receive(P2=["5"])
        self.assertTogether(first | second, 15)
        self.assertEqual(first.move_id.state, "draft")

    def test_they_are_sent_as_one(self):
        self.partner.email = "info@bakkerij.example"
        self.connection.invoice_policy = "send"
        first, second = self.receive(P1=["10"], P2=["5"])
        self.assertTogether(first | second, 15)
        self.assertEqual(len(first.move_id.copaco_delivery_ids), 1)
        self.assertEqual(second.is_unsent, first.is_unsent)

    def test_what_keeps_one_a_draft_keeps_all_and_is_told_on_the_invoice(self):
        self.link_accounts()
        self.connection.write({"invoice_policy": "post", "auto_policy_months": 1})
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        move = self.get("P1").move_id
        self.assertEqual(move.state, "draft")
        self.get("P1").sudo().draft_reason = False
        self.assertEqual(move.copaco_draft_message, self.get("P2").draft_message)
        move.action_post()
        self.assertFalse(any((self.get("P1") | self.get("P2")).mapped("draft_reason")))

    def test_a_draft_is_confirmed_once_its_month_is_complete(self):
        self.connection.write({"invoice_policy": "post", "wait_for_month": True})
        self.create_partner(name="Slager", ref="K-2")
        october = {"Date": "20261023"}
        self.provide("A2", "K-2", october, S0=["1"])
        self.receive(P1=["10"])
        first = self.get("P1")
        (second,) = self.receive(P2=["5"])
        self.assertEqual(first.move_id, second.move_id)
        self.assertEqual(first.move_id.state, "draft")
        self.receive("A2", "K-2", S1=["1"])
        documents = (first | second).sudo()
        with self.undone():
            self.env["copaco.processor"].sudo()._confirm(documents[0])
            self.assertEqual(first.move_id.state, "draft", "the other one waits")
        self.env["copaco.processor"].sudo()._confirm(documents)
        self.assertEqual(first.move_id.state, "posted")
        self.assertTogether(first | second, 15)

    # === LAYOUT === #

    def get_texts(self, move):
        lines = move.invoice_line_ids.sorted(lambda line: (line.sequence, line.id))
        return [
            line.name.split("\n")[0]
            if line.display_type == "product"
            else f"{line.display_type}: {line.name}"
            for line in lines
        ]

    def test_the_lines_of_each_stand_under_its_number(self):
        first, _second = self.receive(P1=["10", "1.004"], P2=["5"])
        texts = self.get_texts(first.move_id)
        self.assertEqual(texts[0], "line_section: P1")
        self.assertEqual(texts[3], "line_section: P2")
        self.assertEqual(len(texts), 5)

    def test_sections_of_a_layout_stand_under_the_numbers(self):
        layout = self.env["copaco.layout"].create(
            {"name": "Own", "section_by": "charge", "company_id": self.company.id}
        )
        self.connection.layout_id = layout
        first, _second = self.receive(P1=["10"], P2=["5"])
        texts = [text for text in self.get_texts(first.move_id) if "section" in text]
        self.assertEqual(
            texts,
            [
                "line_section: P1",
                "line_subsection: Recurring",
                "line_section: P2",
                "line_subsection: Recurring",
            ],
        )
        layout.subsection_by = "subscription"
        self.press(first, "action_retry")
        texts = [text for text in self.get_texts(first.move_id) if "section" in text]
        self.assertEqual(
            texts,
            [
                "line_section: P1 · Recurring",
                "line_subsection: Subscription",
                "line_section: P2 · Recurring",
                "line_subsection: Subscription",
            ],
        )
        layout.has_number = False
        self.press(first, "action_retry")
        texts = [text for text in self.get_texts(first.move_id) if "section" in text]
        self.assertEqual(
            texts, ["line_section: Recurring", "line_subsection: Subscription"]
        )
        self.assertTogether(self.get("P1", "P2"), 15)

    # === COST === #

    def test_more_documents_cost_no_more_queries(self):
        def count(prefix, number):
            self.patch(processor, "_process_waiting", _do_nothing)
            self.receive(**{f"{prefix}{n}": ["10"] for n in range(number)})
            documents = self.documents.filtered(
                lambda each: each.invoice_number.startswith(prefix)
            )
            self.env.flush_all()
            self.env.invalidate_all()
            self.cr.execute("SELECT 1")
            before = self.cr.sql_log_count
            self.process(documents)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        processor = self.registry["copaco.processor"]
        with self.undone():
            few = count("P", 4)
        many = count("Q", 16)
        self.assertLessEqual(many, few + 12)


def _do_nothing(*_args, **_kwargs):
    """In the place of what would create the invoices right away."""
