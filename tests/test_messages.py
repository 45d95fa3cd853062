from odoo.tests import freeze_time, new_test_user, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMessages(CopacoCommon):
    """What is stored of a message is no sentence: everybody reads it in a language of
    their own, whoever's action wrote it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("nl_NL")
        cls.dutch_user = new_test_user(
            cls.env,
            "dutch",
            groups="base.group_user,account.group_account_invoice",
            company_id=cls.company.id,
            lang="nl_NL",
        )

    def read_as_both(self, record, name):
        """:return: (what an English user reads of a field, what a Dutch one does)"""
        self.env.flush_all()
        texts = []
        for user in (self.billing_user, self.dutch_user):
            own = record.with_user(user).with_context(lang=user.lang)
            own.invalidate_recordset()
            (values,) = own.read([name])
            self.assertEqual(values[name], own[name])
            texts.append(values[name])
        return texts

    def hold(self, number="INV-1", **values):
        """:return: the document with this number, which is held"""
        self.add_invoice(number, "A1", [price_line("1234.50")], **values)
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def test_who_holds_a_document_decides_no_language(self):
        document = self.hold()
        self.assertEqual(document.hold_reason, "customer_unknown")
        self.assertEqual(
            self.read_as_both(document, "hold_message"),
            [
                "INV-1 · Customer A1: this customer (account A1) is not linked to a "
                "contact yet. Choose or create the contact on the customer.",
                "INV-1 · Customer A1: deze klant (account A1) is nog niet aan een "
                "contact gekoppeld. Kies of maak het contact op de klant.",
            ],
        )
