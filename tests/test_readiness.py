from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user, tagged

from .common import CopacoCommon, price_line
from .test_peppol import ADDRESS, NLCIUS, PeppolCommon

LIST = "account_copaco.res_partner_view_list_readiness"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestReadiness(CopacoCommon):
    """What the next invoice of a customer lacks is seen, and mended, before."""

    def setUp(self):
        super().setUp()
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        self.partner = self.create_partner(
            name="Bakkerij", ref="K-1", email="info@bakkerij.example", lang="en_US"
        )
        self.add_known()
        self.fetch()

    def find(self, field, user=None):
        """:return: the contacts that a user finds by one of the filters"""
        Partner = self.env["res.partner"].with_user(user or self.billing_user)
        return Partner.search([(field, "=", True)]).with_env(self.env)

    def test_what_a_contact_lacks_is_listed_and_mended_in_the_list(self):
        self.assertEqual(self.find("is_copaco_billed"), self.partner)
        self.assertFalse(self.find("is_copaco_incomplete"))
        for field, label in {
            "street": "Street",
            "city": "City",
            "country_id": "Country",
            "email": "Email",
            "lang": "Language",
            "vat": "VAT",
        }.items():
            known = self.partner[field]
            self.partner[field] = False
            with self.subTest(field=field):
                self.assertEqual(self.find("is_copaco_incomplete"), self.partner)
                self.assertEqual(self.partner.copaco_missing, label)
                (row,) = self.partner.with_user(self.billing_user).web_save(
                    {field: known.id if field == "country_id" else known},
                    {"copaco_missing": {}},
                )
                self.assertFalse(row["copaco_missing"])
                self.assertFalse(self.find("is_copaco_incomplete"))

    def test_a_po_number_that_is_required_is_listed_and_mended_in_the_list(self):
        customer = self.documents.customer_id
        customer.with_user(self.billing_user).is_po_number_required = True
        self.assertEqual(self.find("is_copaco_incomplete"), self.partner)
        self.assertEqual(self.partner.copaco_missing, "PO Number")
        (row,) = self.partner.with_user(self.billing_user).web_save(
            {"copaco_po_number": "PO-7"}, {"copaco_missing": {}, "copaco_po_number": {}}
        )
        self.assertFalse(row["copaco_missing"])
        self.assertEqual(row["copaco_po_number"], "PO-7")
        self.assertEqual(customer.po_number, "PO-7")
        self.assertFalse(self.find("is_copaco_incomplete"))

    def test_a_po_number_that_copaco_sends_with_each_line_is_not_missing(self):
        self.documents.customer_id.is_po_number_required = True
        self.documents.line_ids[0].sudo().line_po = "PO-1"
        self.env.invalidate_all()
        self.assertEqual(self.partner.copaco_missing, "PO Number")
        self.documents.line_ids.sudo().line_po = "PO-1"
        self.env.invalidate_all()
        self.assertFalse(self.partner.copaco_missing)

    def test_customers_of_one_contact_keep_the_po_numbers_that_they_have(self):
        self.add_invoice("INV-2", "A2", [price_line("7")], receiver={"VATNumber": ""})
        self.fetch()
        first, second = self.documents.customer_id
        second.sudo().partner_id = self.partner
        first.po_number = "PO-1"
        self.env.invalidate_all()
        self.assertFalse(self.partner.copaco_po_number, "they differ")
        self.partner.with_user(self.billing_user).copaco_po_number = "PO-2"
        self.assertEqual((first + second).mapped("po_number"), ["PO-1", "PO-2"])
        self.assertFalse(self.partner.copaco_po_number)

    def test_several_that_are_missing_are_all_named(self):
        self.partner.write({"street": False, "vat": False, "email": False})
        self.assertEqual(self.partner.copaco_missing, "Street, VAT, Email")

    def test_who_is_sent_nothing_needs_no_email_address(self):
        self.partner.email = False
        self.partner.with_company(self.company).invoice_sending_method = "manual"
        self.assertFalse(self.find("is_copaco_incomplete"))

    def test_an_address_and_its_company_are_rows_of_their_own(self):
        self.partner.write({"email": False, "vat": False})
        address = self.env["res.partner"].create(
            {
                "name": "Administratie",
                "type": "invoice",
                "parent_id": self.partner.id,
                "street": "Straat 2",
                "city": "Plaats",
                "lang": "en_US",
            }
        )
        self.assertEqual(self.find("is_copaco_billed"), self.partner + address)
        self.assertEqual(address.copaco_missing, "Country, Email")
        self.assertEqual(self.partner.copaco_missing, "VAT")

    def test_who_was_not_billed_lately_is_not_listed(self):
        self.create_partner(name="Never billed", email=False)
        document = self.documents
        for values in (
            {"invoice_date": "2026-08-24"},
            {"state": "excluded"},
            {"kind": "purchase"},
        ):
            with self.subTest(values=values), self.undone():
                document.sudo().write(values)
                self.assertFalse(self.find("is_copaco_billed"))
        document.sudo().invoice_date = "2026-08-25"
        self.assertEqual(self.find("is_copaco_billed"), self.partner)

    def test_a_long_list_is_read_at_once(self):
        def count_queries():
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.find("is_copaco_incomplete")
            return self.cr.sql_log_count - before

        few = count_queries()
        for number in range(20):
            self.create_partner(ref=f"more-{number}", city=False)
            self.add_invoice(
                f"MORE-{number}",
                f"more-{number}",
                [price_line("1")],
                customer={"CustomerNumber": f"more-{number}"},
            )
        self.fetch()
        self.assertEqual(len(self.find("is_copaco_incomplete")), 20)
        self.assertLess(count_queries(), few + 20)

    def test_another_company_has_its_own_list(self):
        other_company = self.setup_other_company()["company"]
        other = new_test_user(
            self.env,
            "other",
            groups="base.group_user,account.group_account_invoice",
            company_id=other_company.id,
            company_ids=[(6, 0, other_company.ids)],
        )
        self.partner.email = False
        self.assertFalse(self.find("is_copaco_billed", other))
        self.assertEqual(self.find("is_copaco_incomplete"), self.partner)

    def test_who_may_not_invoice_learns_nothing(self):
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        for field in ("is_copaco_billed", "is_copaco_incomplete"):
            with self.subTest(field=field), self.assertRaises(AccessError):
                self.find(field, clerk)


@tagged("post_install", "-at_install", "-standard", "copaco_peppol")
@freeze_time("2026-11-25 10:00:00")
class TestReadinessPeppol(PeppolCommon):
    """The same, beside Odoo's own Peppol."""

    def setUp(self):
        super().setUp()
        self.register()
        self.book("5")
        self.prefer("peppol", lang="en_US")
        self.customer = self.partner.with_company(self.company)

    def test_a_contact_that_peppol_can_not_reach_is_listed(self):
        for values, label in (
            ({"peppol_endpoint": False}, "Peppol Endpoint"),
            ({"peppol_endpoint": "12345678"}, "Peppol status"),
            ({"invoice_edi_format": "facturx"}, "eInvoice format"),
        ):
            with self.subTest(values=values):
                self.customer.write(values)
                self.customer.invalidate_recordset()
                self.assertEqual(self.customer.copaco_missing, label)
        self.access_point.participants[ADDRESS] = [NLCIUS]
        self.customer.invoice_edi_format = "nlcius"
        self.customer.button_account_peppol_check_partner_endpoint()
        self.customer.invalidate_recordset()
        self.assertFalse(self.customer.copaco_missing)

    def test_the_list_has_the_columns_of_peppol(self):
        view = self.env.ref(LIST)
        arch = self.env["res.partner"].get_view(view.id, "list")["arch"]
        for name in ("peppol_eas", "peppol_endpoint", "peppol_verification_state"):
            self.assertIn(f'name="{name}"', arch)
