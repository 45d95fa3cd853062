from psycopg2.errors import UniqueViolation

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMatch(CopacoCommon):
    """Promise 6: no guessing."""

    def fetch_customer(self, account="A1", receiver=None, **customer):
        self.simulator.invoices.clear()
        self.add_invoice(
            f"INV-{account}",
            account,
            [price_line("10")],
            customer=customer,
            receiver=receiver or {},
        )
        self.fetch()
        return self.env["copaco.customer"].search(
            [("account_ref", "=", account), ("company_id", "=", self.company.id)]
        )

    def test_a_contact_with_the_customer_number_is_linked(self):
        partner = self.create_partner(ref="K-7")
        customer = self.fetch_customer(CustomerNumber="K-7")
        self.assertRecordValues(
            customer,
            [
                {
                    "partner_id": partner.id,
                    "match_method": "customer_number",
                    "state": "matched",
                }
            ],
        )

    def test_a_contact_with_the_vat_number_is_linked_however_it_is_written(self):
        partner = self.create_partner(vat="NL123456782B90")
        customer = self.fetch_customer(receiver={"VATNumber": "nl 1234.56.782.B.90"})
        self.assertEqual(customer.partner_id, partner)
        self.assertEqual(customer.match_method, "vat")

    def test_the_receiver_is_not_the_customer_when_it_is_another_account(self):
        self.create_partner(vat="NL123456782B90")
        customer = self.fetch_customer(
            receiver={"AccountID": "RESELLER", "VATNumber": "NL123456782B90"}
        )
        self.assertFalse(customer.partner_id)

    def test_a_customer_number_that_two_contacts_have_decides_nothing(self):
        self.create_partner(name="One", ref="K-7")
        self.create_partner(name="Two", ref="K-7")
        customer = self.fetch_customer(CustomerNumber="K-7")
        self.assertFalse(customer.partner_id)
        self.assertRecordValues(
            self.documents, [{"state": "held", "hold_reason": "customer_ambiguous"}]
        )
        self.assertIn("One", self.documents.hold_message)
        self.assertIn("Two", self.documents.hold_message)

    def test_a_customer_number_that_two_customers_share_is_only_a_suggestion(self):
        partner = self.create_partner(ref="K-7")
        self.add_invoice(
            "I1", "A1", [price_line(1)], customer={"CustomerNumber": "K-7"}
        )
        self.add_invoice(
            "I2", "A2", [price_line(1)], customer={"CustomerNumber": "K-7"}
        )
        self.fetch()
        customers = self.documents.customer_id
        self.assertFalse(customers.partner_id)
        self.assertEqual(customers.suggested_partner_id, partner)
        with self.committing(customers) as committing:
            committing.action_accept()
        self.assertEqual(customers.mapped("match_method"), ["accepted", "accepted"])
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 2)

    def test_number_and_vat_that_point_to_different_contacts_decide_nothing(self):
        self.create_partner(name="By number", ref="K-7")
        self.create_partner(name="By VAT", vat="NL123456782B90")
        customer = self.fetch_customer(
            CustomerNumber="K-7", receiver={"VATNumber": "NL123456782B90"}
        )
        self.assertTrue(customer.is_ambiguous)
        self.assertEqual(self.documents.hold_reason, "customer_ambiguous")

    def test_an_empty_customer_number_never_matches_an_empty_reference(self):
        self.create_partner(ref="")
        self.assertFalse(self.fetch_customer(CustomerNumber="").partner_id)

    def test_the_same_name_is_a_suggestion_until_a_person_accepts_it(self):
        partner = self.create_partner(name="Café Noord BV")
        customer = self.fetch_customer(CompanyName="CAFE NOORD B.V.")
        self.assertFalse(customer.partner_id)
        self.assertEqual(customer.suggested_partner_id, partner)
        self.assertEqual(self.documents.hold_reason, "customer_unknown")
        self.assertIn("Café Noord", self.documents.hold_message)
        with self.committing(customer.with_user(self.billing_user)) as committing:
            committing.action_accept()
        self.assertEqual(customer.partner_id, partner)
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_alike_name_is_suggested_and_an_unlike_one_is_not(self):
        partner = self.create_partner(name="Jansen Techniek Utrecht")
        self.create_partner(name="Janssen Bouw")
        customer = self.fetch_customer(CompanyName="Jansen Technik Utrecht B.V.")
        self.assertEqual(customer.suggested_partner_id, partner)
        self.assertFalse(
            self.fetch_customer("A2", CompanyName="Jansen").suggested_partner_id
        )

    def test_an_email_domain_is_suggested_unless_anyone_may_have_it(self):
        partner = self.create_partner(name="X", email="info@voorbeeldbedrijf.example")
        self.create_partner(name="Y", email="someone@gmail.com")
        customer = self.fetch_customer(
            receiver={"Email": "boekhouding@voorbeeldbedrijf.example"}
        )
        self.assertEqual(customer.suggested_partner_id, partner)
        other = self.fetch_customer("A2", receiver={"Email": "other@gmail.com"})
        self.assertFalse(other.suggested_partner_id)

    def test_a_contact_of_another_company_is_never_linked(self):
        other = self.setup_other_company()["company"]
        self.create_partner(ref="K-7", company_id=other.id)
        self.assertFalse(self.fetch_customer(CustomerNumber="K-7").partner_id)

    def test_the_reseller_itself_is_never_linked(self):
        self.company.partner_id.vat = "NL123456782B90"
        customer = self.fetch_customer(receiver={"VATNumber": "NL123456782B90"})
        self.assertFalse(customer.partner_id)

    def test_a_link_that_a_person_made_is_kept(self):
        self.create_partner(ref="K-7")
        chosen = self.create_partner(name="Chosen")
        customer = self.fetch_customer(CustomerNumber="")
        customer.with_user(self.billing_user).partner_id = chosen
        customer = self.fetch_customer(CustomerNumber="K-7")
        self.assertEqual(customer.partner_id, chosen)
        self.assertEqual(customer.match_method, "manual")
        self.assertEqual(customer.customer_number, "K-7")

    def test_create_contact_makes_one_from_what_came(self):
        customer = self.fetch_customer(
            CustomerNumber="K-9",
            CompanyName="Nieuw B.V.",
            receiver={
                "VATNumber": "NL123456782B90",
                "Email": "info@nieuw.example",
                "City": "Utrecht",
                "CountryCode": "NL",
            },
        )
        with self.committing(customer) as committing:
            committing.action_create_contact()
        self.assertRecordValues(
            customer.partner_id,
            [
                {
                    "name": "Nieuw B.V.",
                    "ref": "K-9",
                    "vat": "NL123456782B90",
                    "city": "Utrecht",
                    "email": "info@nieuw.example",
                }
            ],
        )
        self.assertEqual(self.documents.state, "invoiced")

    def test_an_archived_contact_is_not_billed(self):
        partner = self.create_partner(ref="K-7")
        self.fetch_customer(CustomerNumber="K-7")
        partner.action_archive()
        self.add_invoice("INV-2", "A1", [price_line("5")])
        self.fetch()
        self.assertEqual(self.documents[1].hold_reason, "partner_archived")
        partner.action_unarchive()
        with self.committing(self.documents[1]) as document:
            document.action_retry()
        self.assertEqual(self.documents[1].state, "invoiced")

    def test_the_invoice_goes_to_the_invoice_address_of_the_contact(self):
        partner = self.create_partner(ref="K-7")
        address = self.env["res.partner"].create(
            {"name": "Invoices", "parent_id": partner.id, "type": "invoice"}
        )
        self.fetch_customer(CustomerNumber="K-7")
        self.assertEqual(self.documents.move_id.partner_id, address)

    def test_what_people_type_who_have_no_vat_number_links_nobody(self):
        partner = self.create_partner(name="Other")
        self.env.cr.execute(
            "UPDATE res_partner SET vat = 'NVT' WHERE id = %s", [partner.id]
        )
        self.assertFalse(self.fetch_customer(receiver={"VATNumber": "NVT"}).partner_id)

    def test_a_contact_that_gets_the_number_later_is_found_without_anybody(self):
        self.fetch_customer(CustomerNumber="K-7")
        self.assertEqual(self.documents.state, "held")
        self.create_partner(ref="K-7")
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.assertEqual(self.documents.state, "invoiced")

    def test_a_contact_chosen_in_the_list_lets_the_documents_go_on(self):
        customer = self.fetch_customer()
        customer.with_user(self.billing_user).partner_id = self.create_partner()
        self.assertEqual(self.documents.state, "new")

    def test_a_corrected_link_says_which_invoices_were_made_for_the_other(self):
        self.create_partner(ref="K-7")
        customer = self.fetch_customer(CustomerNumber="K-7")
        customer.partner_id = self.create_partner(name="Right one")
        self.assertIn("another contact", str(customer.message_ids.mapped("body")))

    def test_a_contact_of_another_company_is_held_with_the_reason(self):
        other = self.setup_other_company()["company"]
        partner = self.create_partner(ref="K-7")
        self.fetch_customer(CustomerNumber="K-7")
        partner.with_context(active_test=False).sudo().company_id = other
        self.add_invoice("INV-2", "A1", [price_line("5")])
        self.fetch()
        self.assertEqual(self.documents[1].hold_reason, "partner_company")

    def test_what_a_response_says_once_of_a_customer_is_not_lost(self):
        self.add_invoice(
            "I1", "A1", [price_line(1)], receiver={"VATNumber": "NL123456782B90"}
        )
        self.add_invoice("I2", "A1", [price_line(1)])
        self.fetch()
        self.assertEqual(self.documents.customer_id.vat, "NL123456782B90")

    def test_accounts_that_differ_in_capitals_are_one_customer(self):
        partner = self.create_partner(vat="NL123456782B90")
        for account, price in (("A1", "10"), ("a1", "10"), ("a1", "12")):
            self.simulator.invoices.clear()
            self.add_invoice(
                "INV-1",
                account,
                [price_line(price, InvoiceRowHash="row")],
                receiver={"VATNumber": partner.vat},
            )
            (customer,) = self.simulator.invoices[0].content["Customers"]
            customer["Subscriptions"][0]["SubscriptionID"] = "one"
            run = self.fetch()
            self.assertEqual(run.unchanged_count, (account, price) == ("a1", "10"))
        self.assertEqual(self.documents.customer_id.account_ref, "A1")
        self.assertEqual(self.documents.move_amount_untaxed, 12)
        self.assertTrue(run.is_balanced)

    def test_in_one_response_their_lines_are_those_of_one_document(self):
        for account, number in (("A1", 1), ("a1", 2)):
            self.add_invoice("INV-1", account, [price_line("10", number=number)])
        self.fetch()
        self.assertEqual(self.documents.amount_source, 20)
        self.assertEqual(len(self.documents.customer_id), 1)

    def test_in_one_response_the_same_lines_are_invoiced_by_nobody(self):
        receiver = {"VATNumber": "NL123456782B90"}
        self.create_partner(vat=receiver["VATNumber"])
        for account in ("A1", "a1"):
            line = price_line("10", InvoiceRowHash="row")
            self.add_invoice("INV-1", account, [line], receiver=receiver)
        self.fetch()
        self.assertEqual(self.documents.state, "held")

    def test_the_database_refuses_a_customer_in_other_capitals(self):
        customer = self.fetch_customer(CustomerNumber="K-7")
        with (
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
            mute_logger("odoo.sql_db"),
        ):
            customer.sudo().copy({"account_ref": customer.account_ref.lower()})
