from datetime import date
from operator import itemgetter

from odoo import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .figures import choose
from .refusal_case import CRONS, GOOD, RefusalCase


@tagged("post_install", "-at_install", "copaco_faults")
@freeze_time("2026-11-25 10:00:00")
class TestRefusals(RefusalCase):
    """What is archived, locked, missing or deleted in Odoo."""

    # What is wrong with one customer or one document

    def link_bad_partner(self):
        """Link the customer, so that what is spoilt later is not found otherwise."""
        self.connection.sudo().fetched_until = False
        customers = self.env["copaco.customer"].sudo()
        customers.create(
            {
                "company_id": self.company.id,
                "account_ref": "A-BAD",
                "partner_id": self.bad_partner.id,
                "match_method": "manual",
                "state": "matched",
            }
        )

    def test_an_archived_contact_holds_its_document_until_it_is_restored(self):
        self.link_bad_partner()
        with self.refused("partner_archived", "Bad", "Restore"):
            self.bad_partner.active = False
        self.bad_partner.active = True
        self.retry()

    def test_a_contact_of_another_company_holds_its_document(self):
        self.link_bad_partner()
        other = self.setup_other_company()["company"]
        with self.refused("partner_company", "Bad", other.name):
            self.env.cr.execute(
                "UPDATE res_partner SET company_id = %s WHERE id = %s",
                [other.id, self.bad_partner.id],
            )
            self.env.invalidate_all()
        self.bad_partner.company_id = False
        self.retry()

    def test_a_period_that_is_locked_in_any_way_holds_its_document(self):
        soft = ("fiscalyear_lock_date", "tax_lock_date", "sale_lock_date")
        # Nobody opens what is locked for good.
        cases = *((field, False) for field in soft), ("hard_lock_date", True)
        for field, for_good in choose(cases, kind=itemgetter(1)):
            with self.subTest(field=field), self.undone():
                self.add(Date="20261031")
                advice = "Invoice with another date" if for_good else "Open the period"
                with self.refused("period_locked", "10/31/2026", advice):
                    self.company.sudo()[field] = date(2026, 10, 31)
                if for_good:
                    self.invoice_on_the_first_open_day(date(2026, 11, 1))
                else:
                    self.company.sudo()[field] = False
                    self.retry()
                del self.simulator.invoices[len(GOOD) :]

    def invoice_on_the_first_open_day(self, day):
        wizard = (
            self.env["copaco.invoice.date"]
            .with_user(self.billing_user)
            .with_context(active_model=self.bad._name, active_ids=self.bad.ids)
            .create({})
        )
        with self.committing(wizard) as committing:
            committing.action_invoice()
        self.assert_all_invoiced()
        self.assertEqual(self.bad.move_id.invoice_date, day)

    def test_a_currency_that_can_not_be_used_holds_its_document(self):
        usd = self.env.ref("base.USD")
        cases = (
            ("USD", "currency_rate_missing", "exchange rate"),
            ("CHF", "currency_inactive", "Activate"),
            ("XYZ", "currency_unknown", "XYZ"),
            ("", "currency_unknown", "no currency"),
        )
        for code, reason, word in choose(cases, kind=itemgetter(1)):
            with self.subTest(code=code), self.undone():
                self.add(Currency=code)
                with self.refused(reason, word):
                    usd.active = True
                    usd.rate_ids.unlink()
                    self.env.ref("base.CHF").active = False
                if code == "USD":
                    usd.rate_ids = [Command.create({"name": "2026-01-01", "rate": 2})]
                    self.retry()
                del self.simulator.invoices[len(GOOD) :]

    def test_a_receivable_account_that_can_not_be_used_leaves_a_draft(self):
        self.connection.invoice_policy = "post"
        account = self.bad_partner.property_account_receivable_id.copy({"name": "X"})
        self.bad_partner.property_account_receivable_id = account
        with self.left_as_draft("account X", "archived"):
            account.active = False
        account.active = True
        self.confirm()

    # What is wrong with the set-up, so that nothing can be invoiced

    def test_an_archived_journal_holds_everything(self):
        with self.refused("account_missing", "archived", all_of_them=True):
            self.connection.journal_id.active = False
        self.connection.journal_id.active = True
        self.retry()

    def test_an_archived_product_holds_everything(self):
        with self.refused("account_missing", "Cloud", "archived", all_of_them=True):
            self.product.active = False
        self.product.active = True
        self.retry()

    def test_an_archived_income_account_holds_everything(self):
        account = self.product.product_tmpl_id.get_product_accounts()["income"]
        with self.refused("account_missing", "income account", all_of_them=True):
            account.active = False
        account.active = True
        self.retry()

    def test_an_archived_tax_holds_everything(self):
        with self.refused("tax_missing", "Cloud", all_of_them=True):
            self.tax.active = False
            self.strip_account_taxes()
        self.tax.active = True
        self.retry()

    def test_a_tax_that_was_deleted_holds_everything(self):
        tax = self.tax.copy({"name": "To be deleted"})
        self.product.taxes_id = tax
        with self.refused("tax_missing", "Cloud", all_of_them=True):
            tax.unlink()
            self.strip_account_taxes()
        self.product.taxes_id = self.tax
        self.retry()

    def strip_account_taxes(self):
        accounts = self.product.product_tmpl_id.get_product_accounts()
        accounts["income"].tax_ids = False

    def test_a_numbering_that_makes_no_sense_holds_everything(self):
        self.connection.invoice_policy = "post"
        journal = self.connection.journal_id
        # Odoo's own code fails of this, with each new invoice.
        with self.refused("unexpected_error", "AttributeError", all_of_them=True):
            journal.sequence_override_regex = (
                r"^(?P<prefix1>x)(?P<seq>\d+)(?P<suffix>y)$"
            )
        journal.sequence_override_regex = False
        self.retry()

    def test_a_numbering_that_odoo_refuses_leaves_drafts(self):
        self.connection.invoice_policy = "post"
        journal = self.connection.journal_id
        with self.left_as_draft("The sequence regex", all_of_them=True):
            journal.sequence_override_regex = r"^(?P<prefix1>.*?)(\d*)$"
        journal.sequence_override_regex = False
        self.confirm()

    # What is wrong with who does it, or is told

    def test_a_scheduled_user_without_rights_stops_nothing(self):
        self.connection.weekly_digest = True
        self.add(who="UNKNOWN")
        for groups in choose(("base.group_user", "base.group_portal")):
            with self.subTest(groups=groups), self.undone():
                user = new_test_user(
                    self.env, "clerk", groups=groups, company_id=self.company.id
                )
                for name in CRONS:
                    cron = self.env.ref(f"account_copaco.ir_cron_{name}")
                    cron.sudo().user_id = user
                self.run_schedule()
                self.assert_good_invoiced()
                self.assert_held(self.bad, "customer_unknown")

    def test_a_responsible_user_who_is_gone_stops_nothing(self):
        leaver = new_test_user(
            self.env,
            "leaver",
            groups="base.group_user,account.group_account_invoice",
            company_id=self.company.id,
        )
        self.connection.responsible_id = leaver
        leaver.sudo().active = False
        self.add(who="UNKNOWN")
        self.run_schedule()
        self.assert_good_invoiced()
        self.assert_held(self.bad, "customer_unknown")
        self.assertTrue(self.connection.activity_ids.user_id.active)

    def test_an_activity_type_that_was_deleted_stops_nothing(self):
        self.env.ref("account_copaco.mail_activity_type_attention").sudo().unlink()
        self.add(who="UNKNOWN")
        self.run_schedule()
        self.assert_good_invoiced()
        self.assertEqual(self.bad.state, "held")

    def test_scheduled_actions_that_were_deleted_do_not_stop_the_button(self):
        for name in CRONS[1:]:
            self.env.ref(f"account_copaco.ir_cron_{name}").sudo().unlink()
        self.fetch()
        self.assert_good_invoiced()
