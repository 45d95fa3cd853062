from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import price_line
from .month_invoices import CopacoMonthInvoicesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesBooks(CopacoMonthInvoicesCommon):
    """What a bookkeeper does with an invoice of several documents by Odoo's own
    buttons: promises 1, 2, 4 and 7."""

    def reverse(self, move, is_modify=False, **lines):
        """Reverse an invoice by Odoo's own button.

        :param lines: the amount of the lines that are kept, by a word of their text
        :return: what was made
        """
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard = wizard.create({"journal_id": move.journal_id.id})
        action = wizard.modify_moves() if is_modify else wizard.refund_moves()
        made = self.env["account.move"].browse(action["res_id"])
        for line in made.invoice_line_ids if lines else ():
            word = next((word for word in lines if word in line.name), None)
            if line.display_type == "product" and word:
                line.write({"quantity": 1, "price_unit": lines[word]})
            else:
                line.unlink()
        return made

    # === CREDITED BY HAND === #

    def test_what_was_credited_of_one_is_not_credited_again(self):
        first, second = self.post(P1=["10"], P2=["5"])
        self.reverse(first.move_id, P2=3).action_post()
        self.receive(P2=["1"])
        self.assertEqual(self.correct(second).amount_untaxed, 1)
        self.assertEqual(self.get_billed(), 11)
        self.assertBalanced()
        self.receive(P1=["6"])
        self.assertEqual(self.correct(first).amount_untaxed, 4)
        self.assertEqual(self.get_billed(), 7)
        self.assertBalanced()

    def test_what_was_credited_of_a_correction_of_one_is_none_of_the_other(self):
        first, second = self.post(P1=["10"], P2=["5"])
        self.receive(P2=["7"])
        correction = self.correct(second)
        correction.action_post()
        self.reverse(correction).action_post()
        self.receive(P2=["5"])
        self.assertFalse(self.correct(second))
        self.assertEqual(self.get_billed(), 15)
        self.assertBalanced()
        self.reverse(first.move_id, P1=2).action_post()
        self.receive(P1=["8"])
        self.assertFalse(self.correct(first), "it was credited already")
        self.assertEqual(self.get_billed(), 13)
        self.assertBalanced()

    def test_what_is_the_same_text_on_both_is_credited_once(self):
        for number, amount in (("P1", "10"), ("P2", "5")):
            self.add_known(number, lines=[price_line(amount)])
        self.fetch()
        first, second = self.get("P1", "P2")
        move = first.move_id
        self.assertEqual(move, second.move_id)
        move.action_post()
        credit = self.reverse(move)
        credit.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.price_unit == 10
        ).unlink()
        credit.action_post()
        self.simulator.invoices.clear()
        for number, amount in (("P1", "8"), ("P2", "0")):
            self.add_known(number, lines=[price_line(amount)])
        self.fetch()
        self.correct(second)
        self.correct(first)
        self.assertEqual(self.get_billed(), 8)
        self.assertBalanced()

    def test_reversed_and_created_anew_each_is_corrected_there(self):
        first, second = self.post(P1=["10"], P2=["5"])
        anew = self.reverse(first.move_id, is_modify=True)
        anew.action_post()
        self.assertEqual(self.get_billed(), 15)
        self.assertBalanced()
        self.receive(P2=["7"])
        self.assertEqual(self.correct(second).amount_untaxed, 2)
        self.receive(P1=["4"])
        credit = self.correct(first)
        self.assertEqual(credit.amount_untaxed, 6)
        self.assertEqual(self.get_billed(), 11)
        self.assertBalanced()

    def test_credited_in_full_nothing_is_credited_again_of_any(self):
        first, second = self.post(P1=["10"], P2=["5"])
        self.reverse(first.move_id).action_post()
        self.receive(P1=["0"])
        self.assertFalse(self.correct(first))
        self.receive(P2=["0"])
        self.assertFalse(self.correct(second))
        self.assertEqual(self.get_billed(), 0)
        self.assertBalanced()

    def test_a_credit_note_that_is_cancelled_opens_the_change_that_it_settled(self):
        first, second = self.post(P1=["10"], P2=["5"])
        self.reverse(first.move_id, P1=2).action_post()
        self.receive(P1=["8"])
        self.assertFalse(self.correct(first))
        note = self.reverse(first.move_id, P2=1)
        note.action_post()
        self.receive(P2=["4"])
        self.assertFalse(self.correct(second))
        self.assertEqual(self.get_billed(), 12)
        note.button_draft()
        note.button_cancel()
        self.env.invalidate_all()
        self.assertWaits(second)
        self.assertEqual(first.state, "invoiced")
        self.assertEqual(self.correct(second).amount_untaxed, 1)
        self.assertEqual(self.get_billed(), 12)
        self.assertBalanced()

    def test_paid_it_is_corrected_to_the_cent(self):
        first, second = self.post(P1=["10.004", "0.004"], P2=["5.004", "0.002"])
        move = first.move_id
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.receive(P1=["10.004"])
        self.correct(first)
        self.receive(P2=["5.004", "0.002", "0.004"])
        self.correct(second)
        self.assertEqual(self.get_billed(), 15.01)
        self.assertBalanced()

    def test_a_change_of_month_invoices_both_anew(self):
        first, second = self.post(P1=["10"], P2=["5"])
        self.receive(header={"Date": "20261202"}, P2=["5"])
        self.correct(second)
        self.assertEqual(self.get_billed(), 15)
        self.assertNotEqual(first.move_id, second.move_id)
        self.assertBalanced()

    # === THE DRAFT === #

    def test_one_of_a_deleted_draft_is_excluded_and_included_again(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        first.move_id.unlink()
        self.press(first, "action_exclude", "Free")
        self.press(second, "action_retry")
        self.assertTogether(second, 5)
        self.press(first, "action_include")
        self.assertTogether(first | second, 15)

    def test_a_cancelled_one_is_not_used_again_when_one_was_excluded(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        for excluded in (first, second):
            with self.subTest(excluded=excluded.name), self.undone():
                move = first.move_id
                move.button_cancel()
                self.press(excluded, "action_exclude", "Free")
                with self.assertRaisesRegex(UserError, "was excluded"):
                    move.button_draft()
                self.press((first | second) - excluded, "action_retry")
                self.assertTogether(
                    (first | second) - excluded,
                    15 - excluded.amount_source,
                )

    def test_a_cancelled_one_is_used_again_and_what_changed_since_waits(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        for number, changed in (("P1", first), ("P2", second)):
            with self.subTest(changed=changed.name), self.undone():
                move = first.move_id
                move.button_cancel()
                self.receive(**{number: ["7"]})
                self.assertBalanced()
                move.button_draft()
                self.env.invalidate_all()
                self.assertWaits(changed)
                self.assertEqual(move.amount_untaxed, 15)
                self.assertBalanced()

    def test_relinked_the_draft_goes_to_the_other_contact(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        other = self.create_partner(name="Slagerij")
        first.customer_id.partner_id = other
        self.press(second, "action_retry")
        self.assertTogether(first | second, 15)
        self.assertEqual(first.move_id.partner_id, other)

    def test_of_two_accounts_one_is_relinked(self):
        first, second, other = self.receive_two_accounts()
        second.customer_id.partner_id = other
        self.press(second, "action_retry")
        self.assertIn("Delete the draft", second.hold_message)
        first.move_id.unlink()
        self.press(first | second, "action_retry")
        self.assertTogether(first, 10)
        self.assertTogether(second, 5)
        self.assertEqual(second.move_id.partner_id, other)

    def test_of_two_accounts_one_relinked_gets_what_comes_later(self):
        first, second, other = self.receive_two_accounts()
        second.customer_id.partner_id = other
        self.receive("A2", P3=["1"])
        self.assertEqual(self.get("P3").move_id.partner_id, other)
        self.receive("A1", P4=["2"])
        self.assertEqual(self.get("P4").move_id.partner_id, self.partner)
        self.assertBalanced()
        self.assertEqual(self.get_billed(), 18)

    def test_merged_contacts_keep_it_open(self):
        (first,) = self.receive(P1=["10"])
        other = self.create_partner(name="Bakker")
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((self.partner | other).ids, other)
        self.env.invalidate_all()
        self.receive(P2=["5"])
        self.assertTogether(self.get("P1", "P2"), 15)
        self.assertEqual(first.move_id.partner_id, other)

    def test_the_setting_goes_and_comes_back(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        self.connection.invoice_grouping = "document"
        self.receive(P2=["6"])
        self.assertTogether(first | second, 16)
        self.press(first, "action_retry")
        self.assertTogether(first | second, 16)
        self.receive(P3=["1"])
        self.assertTogether(self.get("P3"), 1)
        self.connection.invoice_grouping = "month"
        self.receive(P4=["2"])
        self.assertEqual(self.get_billed(), 19)
        self.assertBalanced()
        self.connection.invoice_grouping = "document"
        first.move_id.unlink()
        parts = self.get("P1", "P2", "P4")
        self.press(parts, "action_retry")
        self.assertEqual(len(parts.move_id), 3)
        self.assertEqual(self.get_billed(), 19)
        self.assertBalanced()

    def test_all_that_move_to_another_month_move_together(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        self.provide(header={"Date": "20261202"}, P1=["10"], P2=["5"])
        self.fetch()
        self.assertBalanced()
        self.assertEqual(self.get_billed(), 15)

    def test_what_becomes_less_than_nothing_is_decided_by_a_person(self):
        first, second = self.receive(P1=["10"], P2=["5"])
        self.receive(P2=["-20"])
        self.assertWaits(second)
        self.assertEqual(first.move_id.amount_untaxed, 15)
        self.receive(P3=["1"])
        self.assertEqual(self.get_billed(), 16)
        self.assertBalanced()
        first.move_id.unlink()
        self.press(second, "action_use_new_version")
        self.press(first, "action_retry")
        self.assertEqual(self.get_billed(), -9)
        self.assertBalanced()

    def test_moved_to_another_month_each_is_invoiced_there_once(self):
        documents = self.receive(P1=["10"], P2=["5"])
        self.provide(header={"Date": "20261202"}, P1=["10"], P2=["5"])
        self.fetch()
        documents.move_id.unlink()
        self.press(documents, "action_use_new_version")
        self.env.invalidate_all()
        self.assertTogether(documents, 15)
        self.assertEqual(str(documents.move_id.invoice_date), "2026-12-02")

    def test_many_of_a_month_are_one_invoice_to_the_cent(self):
        documents = self.receive(**{f"P{n}": ["0.334"] for n in range(300)})
        self.assertTogether(documents, 99)

    def test_reset_to_draft_it_takes_a_change_when_a_person_says_so(self):
        first, second = self.post(P1=["10"], P2=["5"])
        first.move_id.button_draft()
        self.receive(P2=["7"])
        self.assertWaits(second)
        self.press(second, "action_use_new_version")
        self.assertTogether(first | second, 17)
        self.receive(P3=["1"])
        self.assertNotEqual(self.get("P3").move_id, first.move_id)
        first.move_id.action_post()
        self.receive(P1=["9"])
        self.assertEqual(self.correct(first).amount_untaxed, 1)
        self.assertEqual(self.get_billed(), 17)
        self.assertBalanced()

    def test_what_is_added_with_a_later_date_is_sent_at_that_date(self):
        self.partner.email = "info@bakkerij.example"
        self.connection.write({"invoice_policy": "send", "auto_policy_months": 1})
        (first,) = self.receive(P1=["10"])
        move = first.move_id
        self.assertEqual(move.state, "draft")
        first.customer_id.invoice_policy = "connection"
        self.receive(header={"Date": "20261129"}, P2=["5"])
        self.assertTogether(self.get("P1", "P2"), 15)
        self.assertEqual(move.state, "posted")
        delivery = move.copaco_delivery_ids
        self.assertEqual((len(delivery), delivery.state), (1, "waiting"))
        self.assertFalse(delivery.sent_at)
        self.assertGreaterEqual(str(delivery.send_at), "2026-11-28 23")

    def test_what_is_not_to_be_sent_is_not_sent_with_what_it_is_added_to(self):
        self.link_accounts()
        self.connection.write({"invoice_policy": "send", "wait_for_month": True})
        self.provide("A1", header={"Date": "20261023"}, P0=["1"])
        self.provide("A2", header={"Date": "20261023"}, S0=["1"])
        self.receive("A1", P1=["10"])
        first = self.get("P1")
        move = first.move_id
        self.assertEqual((move.state, len(move.copaco_delivery_ids)), ("draft", 1))
        self.get("S0").customer_id.sudo().invoice_policy = "draft"
        self.receive("A2", P2=["5"])
        self.assertTogether(self.get("P1", "P2"), 15)
        self.assertEqual(move.state, "draft")
        self.assertFalse(move.with_context(active_test=False).copaco_delivery_ids)

    def test_a_manual_change_of_it_counts_for_each_of_its_customers(self):
        self.link_accounts()
        self.connection.write({"invoice_policy": "post", "auto_policy_months": 2})
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        documents = self.get("P1", "P2")
        customers = documents.customer_id
        automation = self.env["copaco.automation"].sudo()
        for is_edited in (False, True):
            with self.subTest(is_edited=is_edited), self.undone():
                move = documents.move_id
                if is_edited:
                    move.invoice_line_ids.filtered("price_unit")[0].price_unit = 9
                move.action_post()
                automation._count(customers, self.connection.sudo())
                self.assertEqual(
                    customers.mapped("unchanged_months"), [0 if is_edited else 1] * 2
                )
                self.reverse(move).action_post()
                automation._count(customers, self.connection.sudo())
                self.assertEqual(customers.mapped("unchanged_months"), [0, 0])

    def test_a_currency_that_a_person_chose_takes_all_off_each_of_them(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        first, second = self.receive(P1=["10"], P2=["5"])
        first.move_id.currency_id = usd
        self.assertEqual(self.get_amounts(first), {"edited": 15})
        self.assertBalanced()
        first.move_id.action_post()
        table = str(first.run_id.reconciliation)
        for document in first | second:
            self.assertIn(document.name, table)
        self.receive(P2=["7"])
        correction = self.correct(second)
        self.assertEqual(correction.amount_untaxed, 2)
        self.assertEqual(correction.currency_id, second.currency_id)
        self.assertBalanced()

    # === TWICE === #

    def test_the_same_charges_on_two_of_one_fetch_are_billed_once(self):
        for number in ("P1", "P2"):
            self.add_known(number, lines=[price_line("10", InvoiceRowHash="row-1")])
        self.fetch()
        first, second = self.get("P1", "P2")
        self.assertEqual(
            sorted((first | second).mapped("state")), ["excluded", "invoiced"]
        )
        self.assertEqual(self.get_billed(), 10)
