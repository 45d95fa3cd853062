from ast import literal_eval
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user, tagged

from .common import price_line
from .test_sending import SendingCommon
from .test_source import SourceCommon

RECEIVER = {
    "CompanyName": "Brasserie Voorbeeld",
    "VATNumber": "BE0477472701",
    "Email": "facturen@brasserie.example",
    "Telephone": "+32 2 000 0000",
    "Address": "Rue du Sud 16",
    "Zip": "4500",
    "City": "Huy",
    "CountryCode": "BE",
    "ContactFirstName": "Zoé",
    "ContactLastName": "Exemple",
}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestContacts(SourceCommon):
    """Contacts are matched with and created from what Customer-Invoices say, and an
    invoice to an incomplete one stays a draft."""

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("fr_BE")
        self.terms = self.env.ref("account.account_payment_term_30days")
        self.connection.write(
            {"payment_term_id": self.terms.id, "invoice_policy": "post"}
        )
        self.manager = new_test_user(
            self.env,
            "contacts",
            groups="base.group_user,account.group_account_invoice,"
            "base.group_partner_manager",
            company_id=self.company.id,
        )

    def add_unknown(self, account="A9", **receiver):
        self.add_invoice(
            f"CI-{account}",
            account,
            [price_line("10")],
            endpoint="customer-invoices",
            LanguageCode="fr",
            receiver={**RECEIVER, **receiver},
        )
        self.fetch()
        return self.documents[-1]

    def create_contact(self, customers):
        with self.committing(customers.with_user(self.manager)) as committing:
            committing.action_create_contact()
        return customers.partner_id

    def test_the_vat_number_of_the_receiver_finds_the_contact(self):
        partner = self.create_partner(name="Other name", vat="BE0477472701")
        self.assertEqual(self.add_unknown().partner_id, partner)

    def test_a_created_contact_has_everything_that_copaco_said(self):
        document = self.add_unknown()
        partner = self.create_contact(document.customer_id)
        self.assertRecordValues(
            partner,
            [
                {
                    "lang": "fr_BE",
                    "vat": "BE0477472701",
                    "street": "Rue du Sud 16",
                    "zip": "4500",
                    "city": "Huy",
                    "country_id": self.env.ref("base.be").id,
                    "email": "facturen@brasserie.example",
                }
            ],
        )
        self.assertEqual(partner.child_ids.name, "Zoé Exemple")
        own = partner.with_company(self.company)
        self.assertEqual(own.property_payment_term_id, self.terms)
        self.assertEqual(document.move_id.state, "posted")
        self.assertEqual(document.move_id.invoice_payment_term_id, self.terms)

    def test_without_a_country_code_the_vat_number_says_the_country(self):
        partner = self.create_contact(self.add_unknown(CountryCode=None).customer_id)
        self.assertEqual(partner.country_id.code, "BE")

    def test_a_greek_vat_number_says_greece(self):
        customer = self.add_unknown(CountryCode=None, VATNumber="EL047747270")
        partner = self.create_contact(customer.customer_id)
        self.assertEqual(partner.country_id.code, "GR")

    def test_one_that_odoo_refuses_stops_no_other(self):
        wrong = self.add_unknown("A8", VATNumber="BE0477472702").customer_id
        right = self.add_unknown("A9").customer_id
        customers = (wrong | right).with_user(self.manager)
        with self.committing(customers) as committing:
            result = committing.action_create_contact()
        self.assertFalse(wrong.partner_id)
        self.assertTrue(right.partner_id)
        self.assertIn("0477472702", result["params"]["message"])

    def test_several_are_created_at_once(self):
        first = self.add_unknown("A8", VATNumber="", CompanyName="One").customer_id
        second = self.add_unknown("A9").customer_id
        self.assertEqual(len(self.create_contact(first | second)), 2)

    def test_an_invoice_to_an_incomplete_contact_stays_a_draft(self):
        for lacking, label in (
            ({"VATNumber": ""}, "VAT"),
            ({"CountryCode": "", "VATNumber": ""}, "Country"),
            ({"Address": ""}, "Street"),
        ):
            with self.subTest(lacking=lacking), self.undone():
                self.simulator.customer_invoices.clear()
                document = self.add_unknown(**lacking)
                partner = self.create_contact(document.customer_id)
                self.assertEqual(document.state, "invoiced")
                self.assertEqual(document.move_id.state, "draft")
                self.assertIn(label, document.draft_message)
                (message,) = document.move_id.message_ids.filtered(
                    lambda message: "stays a draft" in message.body
                )
                self.assertIn(f'data-oe-id="{partner.id}"', message.body)
                partner.write(
                    {"vat": "/", "street": "Street", "country_id": self.nl.id}
                )
                self.env.invalidate_all()
                self.assertIn("complete now", document.draft_message)

    def test_no_number_is_none_for_a_business_in_another_eu_country(self):
        self.company_data["company"].account_fiscal_country_id = self.nl
        for country, state in ((self.env.ref("base.be"), "draft"), (self.nl, "posted")):
            with self.subTest(country=country.code), self.undone():
                self.simulator.customer_invoices.clear()
                self.partner.write({"vat": "/", "country_id": country.id})
                self.add("CI-1")
                self.fetch()
                self.assertEqual(self.documents.move_id.state, state)

    def test_a_private_person_needs_no_vat_number(self):
        self.partner.write({"is_company": False, "vat": False})
        self.add("CI-1")
        self.fetch()
        self.assertEqual(self.documents.move_id.state, "posted")

    def test_the_complete_ones_of_the_same_batch_are_confirmed(self):
        other = self.create_partner(name="Other", ref="K-2", vat=False)
        self.add("CI-1")
        self.add_invoice(
            "CI-2",
            "A2",
            [price_line("20")],
            endpoint="customer-invoices",
            customer={"CustomerNumber": "K-2"},
        )
        self.fetch()
        states = {each.partner_id: each.move_id.state for each in self.documents}
        self.assertEqual(states, {self.partner: "posted", other: "draft"})
        draft = self.documents[1]
        self.assertEqual(draft.draft_reason, "contact_incomplete")
        self.assertIn("left as drafts: 1", self.connection.activity_ids.summary)
        action = self.env.ref("account_copaco.action_copaco_document_to_do")
        to_do = self.documents.search(literal_eval(action.domain))
        self.assertEqual(to_do, draft)
        self.assertIn("Other lacks", draft.draft_message)
        self.assertIn("lacks VAT", draft.next_step)
        self.assertEqual(draft.action_view_contact()["res_id"], other.id)
        other.vat = "/"
        draft.invalidate_recordset()
        self.assertIn("complete now", draft.next_step)
        draft.move_id.action_post()
        self.assertFalse(draft.draft_reason)
        self.assertFalse(self.connection.activity_ids)
        draft.move_id.button_draft()
        self.assertFalse(draft.next_step, "that is a person's own draft")

    def test_nobody_without_the_right_creates_contacts(self):
        customer = self.add_unknown().customer_id
        with self.assertRaises(AccessError):
            customer.with_user(self.billing_user).action_create_contact()


@tagged("post_install", "-at_install")
class TestIncompleteContactIsSentLater(SendingCommon):
    def test_an_invoice_of_an_incomplete_contact_is_sent_once_it_is_confirmed(self):
        self.partner.vat = False
        self.add_known()
        self.fetch()
        move = self.documents.move_id
        self.assertEqual(move.state, "draft")
        self.send()
        self.assertFalse(move.is_move_sent)
        self.assertFalse(self.get_mails(move.copaco_delivery_ids))
        self.partner.vat = "/"
        move.action_post()
        self.send()
        self.assertSent(move.copaco_delivery_ids)

    def test_what_was_written_about_a_draft_does_not_count_as_sending_it(self):
        self.partner.vat = False
        self.add_known()
        self.fetch()
        move = self.documents.move_id
        delivery = move.copaco_delivery_ids.sudo()
        delivery.send_at -= timedelta(days=2)
        form = self.env["ir.attachment"].create({"name": "Form", "raw": b"Form"})
        question = move.message_post(
            body="Which is your VAT number?",
            partner_ids=self.partner.ids,
            attachment_ids=form.ids,
        )
        question.sudo().notification_ids.notification_status = "sent"
        self.partner.vat = "/"
        move.action_post()
        self.assertFalse(delivery.is_unsent, "it was confirmed just now")
        self.send()
        self.assertSent(delivery)
        self.assertTrue(move.is_move_sent)
