import re
from datetime import date
from decimal import Decimal

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestReconciliation(CopacoCommon):
    """Promises 2 and 4: everything that was received is somewhere, and it is shown
    where."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Bakkerij", ref="K-1")

    def send(self, number, *lines, **values):
        self.add_invoice(
            number, "A1", list(lines), customer={"CustomerNumber": "K-1"}, **values
        )

    def act(self, records, action, *args):
        with self.committing(records.with_user(self.billing_user)) as committing:
            return getattr(committing, action)(*args)

    def get_row(self, run, label):
        """:return: the texts of a row of the reconciliation"""
        self.env.invalidate_all()
        rows = str(run.reconciliation).split("<tr")[1:]
        (row,) = [row for row in rows if label in row]
        return row

    def test_draft_posted_held_and_excluded_are_told_apart_with_their_reasons(self):
        self.send("INV-1", price_line("10"))
        self.send("INV-2", price_line("20"))
        self.add_invoice("INV-3", "A3", [price_line("3"), price_line("4", number=2)])
        self.add_invoice("INV-4", "A4", [price_line("5.5")])
        run = self.fetch()
        self.documents[0].move_id.action_post()
        self.act(self.documents[3], "action_exclude", "Own use")
        self.assertIn("10.00", self.get_row(run, "Invoiced: posted"))
        self.assertIn("20.00", self.get_row(run, "Invoiced: draft"))
        self.assertIn("7.00", self.get_row(run, "Customer unknown"))
        row = self.get_row(run, f"{self.billing_user.name}: Own use")
        self.assertIn("5.50", row)
        self.assertIn("42.50", self.get_row(run, "Received"))
        self.assertTrue(run.is_balanced)

    def get_documents_behind(self, run, label):
        """:return: the documents that the link in a row of the reconciliation opens"""
        path = re.search(
            rf'href="/odoo/copaco-runs/{run.id}/([^"]+)"', self.get_row(run, label)
        ).group(1)
        action = self.env["ir.actions.act_window"].search([("path", "=", path)])
        return self.documents.search(safe_eval(action.domain, {"active_id": run.id}))

    def test_each_row_leads_to_the_documents_that_it_counts(self):
        self.send("INV-1", price_line("10"))
        self.send("INV-2", price_line("20"))
        self.send("INV-3", price_line("30"))
        self.add_invoice("INV-4", "A3", [price_line("3")])
        self.add_invoice("INV-5", "A4", [price_line("5.5")])
        run = self.fetch()
        posted, draft, changed, held, excluded = self.documents
        (posted | changed).move_id.action_post()
        self.act(excluded, "action_exclude", "Own use")
        self.simulator.invoices.clear()
        self.send("INV-3", price_line("31"))
        newer = self.fetch()
        rows = {
            "Invoiced: posted": posted | changed,
            "Invoiced: draft": draft,
            "Held for a decision": held,
            "Excluded": excluded,
        }
        for label, documents in rows.items():
            self.assertEqual(self.get_documents_behind(run, label), documents)
        label = "Held for a decision"
        self.assertEqual(self.get_documents_behind(newer, label), changed)
        self.assertNotIn("href", self.get_row(newer, "Excluded"))

    def test_what_a_person_took_off_an_invoice_is_shown_and_not_called_invoiced(self):
        self.send("INV-1", price_line("10"), price_line("5", number=2))
        run = self.fetch()
        self.documents.move_id.invoice_line_ids[1].unlink()
        self.documents.move_id.invoice_line_ids.price_unit = 12
        self.assertEqual(run.amount_invoiced, 12)
        self.assertEqual(run.amount_edited, 3)
        self.assertIn("3.00", self.get_row(run, "Edited manually"))
        self.assertTrue(run.is_balanced)

    def test_a_correction_is_part_of_what_is_invoiced(self):
        self.send("INV-1", price_line("10"))
        first = self.fetch()
        self.documents.move_id.action_post()
        self.simulator.invoices.clear()
        self.send("INV-1", price_line("12"))
        second = self.fetch()
        self.assertEqual((second.amount_held, second.amount_invoiced), (12, 0))
        self.act(self.documents, "action_correct")
        self.env.invalidate_all()
        self.assertEqual((second.amount_invoiced, second.amount_edited), (12, 0))
        self.assertEqual((first.amount_invoiced, first.amount_replaced), (0, 10))
        self.assertTrue(first.is_balanced and second.is_balanced)

    def credit(self, move):
        """:return: the draft credit note of Odoo's own button"""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard = wizard.create({"journal_id": move.journal_id.id})
        return self.env["account.move"].browse(wizard.refund_moves()["res_id"])

    def assertCredited(self, run, invoiced, credited):
        self.env.invalidate_all()
        self.assertRecordValues(
            run,
            [
                {
                    "amount_invoiced": invoiced,
                    "amount_credited": credited,
                    "amount_edited": 0,
                    "is_balanced": True,
                }
            ],
        )

    def test_what_a_person_credited_is_not_called_invoiced(self):
        self.send("INV-1", price_line("10"), price_line("5", number=2))
        run = self.fetch()
        move = self.documents.move_id
        move.action_post()
        credit = self.credit(move)
        self.assertCredited(run, 0, 15)
        self.assertIn("-15.00", self.get_row(run, "Invoiced: draft"))
        credit.invoice_line_ids[1].unlink()
        credit.action_post()
        self.assertCredited(run, 5, 10)
        self.assertIn("10.00", self.get_row(run, "Credited manually"))
        month = self.env["copaco.month"].search([("document_count", ">", 0)])
        self.assertIn("Credited manually", month.reconciliation)
        self.assertEqual(run.state, "done")
        credit.button_draft()
        credit.button_cancel()
        self.assertCredited(run, 15, 0)
        self.assertNotIn("Credited manually", run.reconciliation)

    def test_a_credit_note_that_was_itself_reversed_credits_nothing(self):
        self.send("INV-1", price_line("10"))
        run = self.fetch()
        move = self.documents.move_id
        move.action_post()
        credit = self.credit(move)
        credit.action_post()
        credit._reverse_moves().action_post()
        self.assertCredited(run, 10, 0)

    def test_a_correction_that_a_person_credited_is_told_from_one_that_credits(self):
        self.send("INV-1", price_line("10"))
        self.fetch()
        self.documents.move_id.action_post()
        for amount, invoiced, credited in (("8", 8, 0), ("12", 8, 4)):
            self.simulator.invoices.clear()
            self.send("INV-1", price_line(amount))
            run = self.fetch()
            result = self.act(self.documents, "action_correct")
            correction = self.env["account.move"].browse(result["res_id"])
            correction.action_post()
            if credited:
                self.credit(correction).action_post()
            self.assertCredited(run, invoiced, credited)

    def test_a_credit_note_of_an_invoice_that_is_gone_is_still_counted(self):
        self.send("INV-1", price_line("10"))
        run = self.fetch()
        move = self.documents.move_id
        move.action_post()
        self.credit(move).action_post()
        move.button_draft()
        move.button_cancel()
        self.assertEqual(run.amount_held, 10)
        self.assertCredited(run, -10, 10)

    def test_the_rounding_of_lines_is_on_the_invoice_and_nowhere_else(self):
        self.send("INV-1", *[price_line("0.333", number=n) for n in range(3)])
        run = self.fetch()
        self.assertEqual(run.amount_received, 1.0)
        self.assertEqual(run.amount_invoiced, 1.0)
        self.assertTrue(run.is_balanced)

    def test_documents_of_an_invoice_whose_totals_differ_wait(self):
        self.send("INV-1", price_line("10"), price_line("5", number=2))
        self.simulator.invoices[0].content["Totals"] = {
            "TotalExcludingVAT": Decimal("25.50")
        }
        self.send("INV-2", price_line("10"))
        self.simulator.invoices[1].content["Totals"] = {
            "TotalExcludingVAT": Decimal("10.04")
        }
        run = self.fetch()
        held, good = self.documents
        self.assertEqual(good.state, "invoiced", "within the tolerance")
        self.assertEqual(held.hold_reason, "source_totals_differ")
        self.assertIn("10.50", held.hold_message)
        self.assertTrue(run.is_balanced)
        self.act(held, "action_retry")
        self.assertEqual(held.state, "held")
        self.act(held, "action_accept_lines")
        self.assertEqual(held.move_id.amount_untaxed, 15)

    def test_the_difference_of_an_invoice_of_several_customers_is_counted_once(self):
        self.connection.totals_tolerance = 1
        self.send("INV-1", price_line("10"))
        content = self.simulator.invoices[0].content
        (customer,) = content["Customers"]
        content["Customers"] += [
            {**customer, "AccountID": account} for account in ("A2", "A3")
        ]
        content["Totals"] = {"TotalExcludingVAT": Decimal("30.50")}
        run = self.fetch()
        self.assertEqual(self.documents.mapped("totals_difference"), [0.5, 0.5, 0.5])
        row = self.get_row(run, "less the sum of its lines")
        self.assertIn("0.50", row)
        month = self.env["copaco.month"].search([("document_count", ">", 0)])
        self.assertIn("0.50", month.reconciliation)
        self.assertNotIn("1.50", month.reconciliation)

    def test_totals_that_copaco_corrects_release_what_waited_for_them(self):
        self.send("INV-1", price_line("10"))
        totals = {"TotalExcludingVAT": Decimal("25.50")}
        self.simulator.invoices[0].content["Totals"] = totals
        self.fetch()
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")
        totals["TotalExcludingVAT"] = Decimal("20")
        self.fetch()
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertIn("10.00", self.documents.hold_message, "still differs, by less")
        totals["TotalExcludingVAT"] = Decimal("10")
        self.fetch()
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(self.documents.state, "invoiced")

    def test_totals_that_differ_are_not_forgotten_when_a_document_is_read_again(self):
        self.send("INV-1", price_line("10"), Currency="XYZ")
        totals = {"TotalExcludingVAT": Decimal("25.50")}
        self.simulator.invoices[0].content["Totals"] = totals
        self.fetch()
        self.assertEqual(self.documents.totals_difference, 15.5)
        self.env["res.currency"].create(
            {
                "name": "XYZ",
                "symbol": "X",
                "rate_ids": [Command.create({"name": "2026-01-01", "rate": 2})],
            }
        )
        self.act(self.documents, "action_retry")
        self.assertEqual(self.documents.hold_reason, "source_totals_differ")

    def test_a_larger_tolerance_lets_it_pass(self):
        self.connection.totals_tolerance = 11
        self.send("INV-1", price_line("10"))
        self.simulator.invoices[0].content["Totals"] = {"TotalExcludingVAT": 20}
        self.fetch()
        self.assertEqual(self.documents.state, "invoiced")

    def test_no_query_of_a_few_rows_is_compiled_first(self):
        self.send("INV-1", price_line("10"))
        run = self.fetch()
        for ask in (
            lambda: self.env["copaco.reconciliation"]._reconcile_runs(run),
            lambda: self.env["copaco.duplicate.finder"]._find_lines(
                {self.documents: self.documents.line_ids}
            ),
            lambda: self.env["copaco.margin"]._refresh(
                self.company, date(2026, 10, 1), date(2026, 11, 30)
            ),
        ):
            self.env.cr.execute("SET LOCAL jit = on")
            ask()
            self.env.cr.execute("SHOW jit")
            self.assertEqual(self.env.cr.fetchone(), ("off",))
