from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext

from .test_invoiced_anew import InvoicedAnewCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestReconciliationCurrencies(InvoicedAnewCommon):
    """Promises 2, 7 and 8 where a person, or Copaco, or both chose another currency."""

    def setUp(self):
        super().setUp()
        self.eur = self.company.currency_id
        self.usd, self.gbp = self.env.ref("base.USD"), self.env.ref("base.GBP")
        for currency in self.usd | self.gbp:
            currency.active = True
            self.env["res.currency.rate"].create(
                {"name": "2026-01-01", "rate": 1.1, "currency_id": currency.id}
            )

    def choose(self, currency):
        """Let a person choose a currency on the draft."""
        self.documents.move_id.with_user(self.billing_user).currency_id = currency

    def use(self, *amounts, **header):
        """Let Copaco change the document, and a person use that for the draft."""
        self.send_with(*amounts, **header)
        self.act(self.documents, "action_use_new_version")

    def change_amount(self, amount):
        """Let the invoice come to more although nobody changed it."""
        move = self.documents.move_id
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE account_move_line
               SET amount_currency = amount_currency - %(amount)s
             WHERE id = %(line)s;
            UPDATE account_move
               SET amount_untaxed_in_currency_signed =
                   amount_untaxed_in_currency_signed + %(amount)s
             WHERE id = %(move)s
            """,
            {"amount": amount, "line": move.invoice_line_ids.id, "move": move.id},
        )
        self.env.invalidate_all()

    def assertReconciled(self, others=(), **amounts):
        """:param others: what is named in another currency than Copaco's
        :param amounts: see `get_amounts`
        """
        self.assertEqual(self.get_amounts(self.documents), amounts)
        table = html2plaintext(self.documents.run_id.reconciliation)
        table = table.replace("\N{NO-BREAK SPACE}", " ")
        named = table.split("in another currency than Copaco's: ")[1:]
        self.assertEqual(len(named), len(others), table)
        for text, other in zip(named, others, strict=True):
            self.assertTrue(text.startswith(other), text)
        if "unexplained" not in amounts:
            self.assertBalanced()

    def test_a_currency_chosen_after_copaco_changed_its_own_is_named_once(self):
        old = self.invoice("12").move_id
        self.invoice_to(self.documents, self.other)
        self.choose(self.usd)
        self.assertReconciled(["$ 12.00"], posted=12, draft=-12, edited=12)
        self.use("9", Currency="USD")
        self.assertReconciled(draft=9)
        self.choose(self.eur)
        self.assertReconciled(["9.00 €"], edited=9)
        self.choose(self.gbp)
        self.assertReconciled(["£ 9.00"], edited=9)
        old.reversal_move_ids.unlink()
        self.assertReconciled(["12.00 €", "£ 9.00"], edited=9)

    def test_what_else_was_edited_is_named_when_copaco_chose_the_same_currency(self):
        self.send_with("10", "5")
        self.choose(self.usd)
        self.documents.move_id.invoice_line_ids[0].price_unit = 9
        self.assertReconciled(["$ 14.00"], edited=15)
        self.use("10", "6", Currency="USD")
        self.assertReconciled(draft=15, edited=1)

    def test_money_that_is_missing_stays_unexplained_in_the_currency_of_both(self):
        self.send_with("10")
        self.choose(self.usd)
        self.use("9", Currency="USD")
        self.change_amount(-3)
        self.assertReconciled(draft=6, unexplained=3)

    def test_an_invoice_in_another_currency_that_is_lost_is_unexplained(self):
        self.send_with("10")
        self.choose(self.usd)
        self.assertReconciled(["$ 10.00"], edited=10)
        move = self.documents.move_id
        self.documents.sudo().move_id = False
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM account_move WHERE id = %s", [move.id])
        self.assertReconciled(unexplained=10)

    def test_amounts_in_several_currencies_are_named_each_in_its_own(self):
        self.send_with("10")
        self.choose(self.usd)
        self.documents.move_id.action_post()
        credit, new = self.invoice_to(self.documents, self.other).sorted("id")
        self.choose(self.gbp)
        self.assertReconciled(["£ 10.00"], edited=10)
        credit.unlink()
        self.assertReconciled(["$ 10.00", "£ 10.00"], edited=10)
        new.action_switch_move_type()
        self.assertReconciled(["$ 10.00", "£ -10.00"], edited=10)

    def test_a_currency_that_a_person_chose_again_is_kept(self):
        self.send_with("10")
        self.choose(self.usd)
        self.use("10", Currency="USD")
        self.choose(self.eur)
        self.send_with("11", Currency="USD")
        self.assertWaits(self.documents)
        self.act(self.documents, "action_use_new_version")
        self.assertRecordValues(
            self.documents.move_id,
            [{"currency_id": self.eur.id, "amount_untaxed": 11}],
        )

    def test_a_date_that_a_person_chose_again_is_kept(self):
        self.send_with("10", Date="20261123")
        move = self.documents.move_id
        move.invoice_date = "2026-11-19"
        self.use("10", Date="20261120")
        self.assertEqual(str(move.invoice_date), "2026-11-19")
        move.invoice_date = "2026-11-23"
        self.use("11", Date="20261120")
        self.assertEqual(str(move.invoice_date), "2026-11-23")
