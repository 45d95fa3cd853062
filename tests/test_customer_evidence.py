from datetime import date

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CopacoCommon, price_line
from .preview import PreviewCommon

A = {"name": "Bakkerij A", "number": "K-1", "vat": "NL123456782B90"}
B = {"name": "Garage B", "number": "K-2", "vat": "NL004495445B01"}


class EvidenceCommon(CopacoCommon):
    """An account of Copaco's, and whom its documents say they are for."""

    def send(self, number, who, account="710", **values):
        self.add_invoice(
            number,
            account,
            [price_line("10")],
            customer={
                "CustomerNumber": who.get("number", ""),
                "CompanyName": who["name"],
            },
            receiver={"VATNumber": who.get("vat", ""), **who.get("receiver", {})},
            **values,
        )

    def receive(self, number, who, account="710", is_alone=True):
        """Let Copaco have one document, and fetch it.

        :param is_alone: whether Copaco no longer has the others
        :return: the document
        """
        if is_alone:
            self.simulator.invoices.clear()
        self.send(number, who, account)
        self.fetch()
        return self.documents.filtered(lambda each: each.invoice_number == number)

    def create_contact(self, who, **values):
        vals = {"name": who["name"], "ref": who.get("number"), "vat": who.get("vat")}
        return self.create_partner(**{**vals, **values})

    @property
    def customer(self):
        return self.env["copaco.customer"].search(
            [("account_ref", "=", "710"), ("company_id", "=", self.company.id)]
        )

    def process_again(self):
        """Let the scheduled action look for customers again."""
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()

    def get_told(self, text):
        """:return: how many messages on the customer have this text"""
        bodies = self.customer.message_ids.mapped("body")
        return sum(text in str(body) for body in bodies)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCustomerEvidence(EvidenceCommon):
    """Promise 6: what linked a customer may contradict that later."""

    def setUp(self):
        super().setUp()
        self.baker = self.create_contact(A)
        self.garage = self.create_contact(B)

    def assertContradicted(self, documents, suggestion):
        for document in documents:
            self.assertRecordValues(
                document, [{"state": "held", "hold_reason": "customer_ambiguous"}]
            )
        self.assertRecordValues(
            self.customer,
            [
                {
                    "partner_id": False,
                    "match_method": False,
                    "state": "suggested",
                    "suggested_partner_id": suggestion.id,
                    "is_ambiguous": True,
                }
            ],
        )

    def test_an_account_that_is_another_company_now_waits_for_a_person(self):
        before = self.receive("INV-1", A)
        self.assertEqual(before.move_id.partner_id, self.baker)
        document = self.receive("INV-2", B)
        self.assertContradicted(document, self.garage)
        for text in (self.baker.name, A["vat"], B["vat"], "INV-2"):
            self.assertIn(text, self.customer.suggestion_reason)
            self.assertIn(text, document.hold_message)
        self.assertEqual(self.get_told(B["vat"]), 1)
        self.assertEqual(before.state, "invoiced")
        self.assertEqual(before.move_id.partner_id, self.baker)
        self.process_again()
        later = self.receive("INV-3", B, is_alone=False)
        self.assertContradicted(document + later, self.garage)
        with self.committing(self.customer.with_user(self.billing_user)) as customer:
            customer.action_accept()
        self.assertEqual((document + later).mapped("state"), ["invoiced"] * 2)
        self.assertEqual((document + later).move_id.partner_id, self.garage)
        self.assertEqual(before.move_id.partner_id, self.baker)
        self.assertEqual(self.customer.match_method, "accepted")
        self.assertEqual(self.receive("INV-4", B).state, "invoiced")

    def test_a_customer_number_that_is_another_one_now_contradicts_too(self):
        self.receive("INV-1", {**A, "vat": ""})
        self.assertEqual(self.customer.match_method, "customer_number")
        document = self.receive("INV-2", {**B, "vat": ""})
        self.assertContradicted(document, self.garage)
        for text in (self.baker.name, "K-1", "K-2"):
            self.assertIn(text, document.hold_message)

    def test_of_two_companies_in_one_response_the_newest_is_suggested(self):
        old, new = (("INV-1", A, {"Date": "20261110"}), ("INV-2", B, {}))
        for is_known in (False, True):
            for order in ((old, new), (new, old)):
                with self.subTest(is_known=is_known, order=order), self.undone():
                    self.simulator.invoices.clear()
                    if is_known:
                        self.send(*old[:2], **old[2])
                        self.fetch()
                        self.simulator.invoices.clear()
                    for number, who, values in order:
                        self.send(number, who, **values)
                    self.fetch()
                    waiting = self.documents.filtered(lambda each: not each.move_id)
                    self.assertEqual(len(waiting), 1 if is_known else 2)
                    self.assertContradicted(waiting, self.garage)
                    self.assertEqual(self.customer.vat, B["vat"])
                    self.fetch()
                    self.assertEqual(self.customer.suggested_partner_id, self.garage)

    def test_the_contact_of_before_may_be_chosen_again(self):
        self.receive("INV-1", A)
        document = self.receive("INV-2", B)
        self.customer.with_user(self.billing_user).partner_id = self.baker
        self.process_again()
        self.assertEqual(document.move_id.partner_id, self.baker)
        self.assertFalse(self.customer.is_ambiguous)
        self.assertEqual(self.receive("INV-3", B).move_id.partner_id, self.baker)

    def test_the_contact_of_before_is_suggested_when_no_other_one_fits(self):
        self.receive("INV-1", A)
        self.garage.write({"vat": False, "ref": False, "name": "Someone else"})
        document = self.receive("INV-2", B)
        self.assertContradicted(document, self.baker)
        with self.committing(self.customer) as customer:
            customer.action_accept()
        self.assertEqual(document.move_id.partner_id, self.baker)

    def test_a_contact_that_fits_later_is_suggested_and_not_linked(self):
        self.receive("INV-1", A)
        self.garage.action_archive()
        document = self.receive("INV-2", B)
        self.assertContradicted(document, self.baker)
        self.garage.action_unarchive()
        self.process_again()
        self.assertContradicted(document, self.garage)

    def test_whoever_takes_the_contact_off_links_nobody_else_either(self):
        self.receive("INV-1", A)
        document = self.receive("INV-2", B)
        self.customer.with_user(self.billing_user).partner_id = False
        self.process_again()
        self.assertContradicted(document, self.garage)
        self.assertIn(B["vat"], self.customer.suggestion_reason)

    def test_when_the_old_data_come_back_a_person_still_decides(self):
        self.receive("INV-1", A)
        self.receive("INV-2", B)
        document = self.receive("INV-3", A)
        self.assertContradicted(document, self.baker)

    def test_documents_of_two_companies_that_came_together_wait(self):
        self.send("INV-1", A)
        self.send("INV-2", B)
        self.fetch()
        self.assertEqual(self.documents.mapped("state"), ["held"] * 2)
        self.assertFalse(self.customer.partner_id)
        self.assertTrue(self.customer.is_ambiguous)

    def test_documents_of_two_companies_from_a_first_fetch_wait(self):
        self.connection.import_from = date(2026, 9, 1)
        for number, who, month in (("INV-1", A, 9), ("INV-2", A, 10), ("INV-3", B, 11)):
            day = date(2026, month, 23)
            self.send(number, who, created=day, Date=day.strftime("%Y%m%d"))
        self.fetch()
        self.assertEqual(self.documents.mapped("state"), ["held"] * 3)
        self.assertEqual(
            set(self.documents.mapped("hold_reason")), {"customer_ambiguous"}
        )

    def test_a_link_that_a_person_made_stays_and_says_once_what_changed(self):
        chosen = self.create_partner(name="Chosen")
        self.receive("INV-1", {**A, "vat": "NL002455799B11", "number": "K-9"})
        self.customer.with_user(self.billing_user).partner_id = chosen
        self.process_again()
        document = self.receive("INV-2", B)
        self.assertEqual(document.move_id.partner_id, chosen)
        self.assertEqual(self.customer.match_method, "manual")
        for old, new in (("NL002455799B11", B["vat"]), ("K-9", B["number"])):
            self.assertEqual(self.get_told(f"from {old} to {new}"), 1)
        self.assertEqual(self.get_told("Chosen"), 2)
        self.fetch()
        self.receive("INV-3", {**B, "name": "Garage B B.V."})
        self.assertEqual(self.get_told("Chosen"), 2)

    def test_an_exclusion_stays_and_says_once_what_changed(self):
        self.receive("INV-1", A)
        self.customer.with_user(self.billing_user).action_exclude("Own use")
        document = self.receive("INV-2", B)
        self.assertEqual(document.state, "excluded")
        self.assertEqual(self.get_told(f"from {A['vat']} to {B['vat']}"), 1)
        with self.committing(self.customer) as customer:
            customer.action_include()
        self.assertContradicted(document, self.garage)

    def test_what_is_only_written_otherwise_contradicts_nothing(self):
        self.receive("INV-1", A)
        for number, who in (
            ("INV-2", {**A, "vat": "btw nl 1234.56.782.B.90", "number": "k-1"}),
            ("INV-3", {**A, "vat": "123456782B90"}),
        ):
            self.assertEqual(self.receive(number, who).state, "invoiced")
        self.assertFalse(self.get_told("changed"))

    def test_what_is_no_evidence_of_the_link_contradicts_nothing(self):
        self.receive("INV-1", A)
        for number, who in (
            ("INV-2", {**A, "number": "", "vat": ""}),
            ("INV-3", {**A, "name": "Banketbakkerij A"}),
            ("INV-4", {**A, "receiver": {"City": "Elsewhere"}}),
        ):
            self.assertEqual(self.receive(number, who).state, "invoiced", number)
        self.assertFalse(self.get_told("changed"))
        self.assertEqual(
            self.receive("INV-5", {**A, "number": "K-2"}).state, "invoiced"
        )
        self.assertEqual(self.customer.partner_id, self.baker)
        self.assertEqual(self.get_told("from K-1 to K-2"), 1)

    def test_what_was_changed_in_odoo_too_contradicts_nothing(self):
        self.receive("INV-1", A)
        self.baker.vat = "NL002455799B11"
        document = self.receive("INV-2", {**A, "vat": "NL002455799B11"})
        self.assertEqual(document.move_id.partner_id, self.baker)
        document = self.receive("INV-3", A)
        self.assertEqual(document.move_id.partner_id, self.baker)

    def test_a_contact_with_another_number_since_is_still_the_one(self):
        self.receive("INV-1", {**A, "vat": ""})
        self.baker.ref = "DEB0001"
        document = self.receive("INV-2", {**A, "vat": ""})
        self.assertEqual(document.move_id.partner_id, self.baker)

    def test_a_contact_that_was_merged_into_another_is_still_the_one(self):
        self.receive("INV-1", {**A, "vat": ""})
        merged = self.create_partner(name="Merged", ref="K-8")
        wizard = self.env["base.partner.merge.automatic.wizard"]
        with mute_logger("odoo.addons.base.partner.merge"):
            wizard._merge((self.baker + merged).ids, merged, extra_checks=False)
        self.env.invalidate_all()
        document = self.receive("INV-2", {**A, "vat": ""})
        self.assertEqual(document.move_id.partner_id, merged)

    def test_a_contact_that_was_archived_is_still_the_one(self):
        self.receive("INV-1", A)
        self.baker.action_archive()
        self.assertEqual(self.receive("INV-2", A).hold_reason, "partner_archived")
        self.assertEqual(self.customer.partner_id, self.baker)

    def test_a_draft_of_an_earlier_month_is_left_alone(self):
        before = self.receive("INV-1", A)
        self.receive("INV-2", B)
        with self.committing(before.with_user(self.billing_user)) as document:
            document.action_retry()
        self.assertEqual(before.state, "invoiced")
        self.assertEqual(before.move_id.partner_id, self.baker)
        self.assertIn(B["vat"], before.hold_message)

    def test_another_companys_customer_with_that_account_is_left_alone(self):
        other = self.setup_other_company()["company"]
        customer = (
            self.env["copaco.customer"]
            .sudo()
            .create({"account_ref": "710", "company_id": other.id, "vat": A["vat"]})
        )
        self.env["copaco.customer.linker"]._match(customer)
        self.assertEqual(customer.partner_id, self.baker)
        self.receive("INV-1", A)
        self.receive("INV-2", B)
        self.assertFalse(self.customer.partner_id)
        self.assertEqual(customer.partner_id, self.baker)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestCustomerEvidencePreview(EvidenceCommon, PreviewCommon):
    def test_a_preview_shows_what_would_be_held(self):
        baker = self.create_contact(A)
        self.create_contact(B)
        self.receive("INV-1", A)
        self.send("INV-2", B)
        preview = self.preview()
        document = preview.document_ids.filtered(
            lambda each: each.invoice_number == "INV-2"
        )
        self.assertRecordValues(
            document, [{"outcome": "held", "hold_reason": "customer_ambiguous"}]
        )
        self.assertIn(baker.name, document.message)
        self.assertEqual(self.customer.partner_id, baker, "nothing is left behind")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestLikeEvidence(EvidenceCommon):
    """What is only written otherwise is suggested, and never linked unasked."""

    def assertSuggested(self, document, partner, text):
        customer = document.customer_id
        self.assertFalse(customer.partner_id)
        self.assertEqual(customer.suggested_partner_id, partner)
        self.assertIn(text, customer.suggestion_reason)
        self.assertEqual(document.hold_reason, "customer_unknown")
        self.assertIn(text, document.hold_message)

    def write_vat(self, partner, vat):
        """As an import of before Odoo checked it."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET vat = %s WHERE id = %s", [vat, partner.id]
        )
        self.env.invalidate_all()

    def test_a_vat_number_that_is_written_otherwise_is_suggested(self):
        partner = self.create_partner(name="Garage")
        for account, (known, sent, country) in enumerate(
            (
                ("NL004495445B01", "BTW NL 0044.95.445.B.01", ""),
                ("NL004495445B01", "btw-nr: nl4495445b01", ""),
                ("NL004495445B01", "4495445B01", "NL"),
                ("NL004495445B01", "4495445B01", ""),
                ("BE0477472701", "BTW BE 0477.472.701", ""),
                ("BE0477472701", "be 477.472.701", ""),
                ("BE0477472701", "TVA BE-0477 472 701", ""),
                ("BE0477472701", "0477472701 BTW", "BE"),
                ("BTW BE 0477.472.701", "BE0477472701", ""),
                ("477 472 701", "BE0477472701", "BE"),
            )
        ):
            partner.vat = False
            partner.country_id = self.env.ref("base.be") if country == "BE" else self.nl
            self.write_vat(partner, known)
            with self.subTest(known=known, sent=sent, country=country):
                document = self.receive(
                    f"INV-{account}",
                    {
                        "name": f"Customer {account}",
                        "vat": sent,
                        "receiver": {"CountryCode": country},
                    },
                    f"A{account}",
                )
                self.assertSuggested(document, partner, sent)

    def test_a_number_that_is_written_otherwise_is_suggested(self):
        partner = self.create_partner(name="Garage")
        for account, (known, sent) in enumerate(
            (("K-7", "k-7"), ("K 7", "K7"), ("k7", " K\u00a07 "), (" deb 07", "DEB07"))
        ):
            partner.ref = known
            with self.subTest(known=known, sent=sent):
                document = self.receive(
                    f"INV-{account}",
                    {"name": f"Customer {account}", "number": sent},
                    f"A{account}",
                )
                self.assertSuggested(document, partner, "customer number")

    def test_it_is_billed_once_a_person_accepts_it(self):
        partner = self.create_partner(name="Garage", ref="k 7")
        document = self.receive("INV-1", {"name": "Unlike", "number": "K7"})
        with self.committing(self.customer.with_user(self.billing_user)) as customer:
            customer.action_accept()
        self.assertEqual(document.move_id.partner_id, partner)
        self.assertEqual(self.receive("INV-2", A).move_id.partner_id, partner)

    def test_what_fits_several_contacts_is_not_suggested(self):
        self.create_partner(name="One", ref="k 7")
        self.create_partner(name="Two", ref="k-7")
        two = self.create_partner(name="Three", ref="K7 ")
        document = self.receive("INV-1", {"name": "Unlike", "number": "K7"}, "A1")
        self.assertFalse(document.customer_id.suggested_partner_id)
        two.ref = "K-9"
        document = self.receive("INV-2", {"name": "Unlike", "number": "k7"}, "A2")
        self.assertEqual(document.customer_id.suggested_partner_id.name, "One")

    def test_number_and_vat_number_that_fit_different_contacts_suggest_nobody(self):
        self.create_partner(name="One", ref="k 7")
        self.create_partner(name="Two", vat="NL004495445B01")
        document = self.receive(
            "INV-1", {"name": "Unlike", "number": "K7", "vat": "NL4495445B01"}
        )
        self.assertFalse(document.customer_id.suggested_partner_id)

    def test_nobody_else_is_suggested(self):
        other = self.setup_other_company()["company"]
        self.create_partner(name="Of another company", ref="k 7", company_id=other.id)
        self.create_partner(name="Archived", ref="k 7", active=False)
        self.company.partner_id.ref = "k 7"
        abroad = self.create_partner(name="Of another country")
        self.write_vat(abroad, "DE477472701")
        document = self.receive(
            "INV-1", {"name": "Unlike", "number": "K7", "vat": "BE477472701"}
        )
        self.assertFalse(document.customer_id.suggested_partner_id)

    def test_what_people_type_who_have_none_suggests_nobody(self):
        partner = self.create_partner(name="One", ref="  ")
        for vat in ("NVT", "BTW", "0", "000000000", "BE"):
            self.write_vat(partner, vat)
            with self.subTest(vat=vat):
                document = self.receive(
                    f"INV-{vat}", {"name": "Unlike", "vat": vat}, f"A-{vat}"
                )
                self.assertFalse(document.customer_id.suggested_partner_id)
