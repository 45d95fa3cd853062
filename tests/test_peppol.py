from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import DUTCH_COMPANY, price_line
from .receivers import DROP, REFUSE, AccessPoint
from .test_sending import SendingCommon

NLCIUS = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
ADDRESS = "0106:12345678"
OWN_ADDRESS = "0106:87654321"
PROXY_LOGGER = "odoo.addons.account_edi_proxy_client.models.account_edi_proxy_user"


class PeppolCommon(SendingCommon):
    """A Dutch company beside Odoo's Peppol, and an access point on this machine.
    `make test` runs this where Odoo's Peppol is installed."""

    def setUp(self):
        super().setUp()
        if "peppol_can_send" not in self.env["res.company"]._fields:
            self.skipTest("account_peppol is not installed")
        self.access_point = self.enterContext(AccessPoint())
        urls = dict.fromkeys(("prod", "test"), self.access_point.url)
        proxy_user = self.registry["account_edi_proxy_client.user"]
        self.patch(
            proxy_user,
            "_get_proxy_urls",
            lambda _self: {"peppol": {**urls, "demo": ""}},
        )
        self.env["ir.config_parameter"].sudo().set_param(
            "account_peppol.edi.mode", "test"
        )
        self.company.write(DUTCH_COMPANY)
        self.partner.write(
            {
                "street": "Laan 1",
                "zip": "1001 AA",
                "city": "Utrecht",
                "vat": "NL000099998B57",
                "peppol_eas": "0106",
                "peppol_endpoint": "12345678",
            }
        )
        self.connection.invalidate_recordset()

    def register(self):
        """Register the company for Peppol."""
        self.company.write(
            {
                "peppol_eas": "0106",
                "peppol_endpoint": "87654321",
                "account_peppol_proxy_state": "receiver",
            }
        )
        key = (
            self.env["certificate.key"]
            .sudo()
            ._generate_rsa_private_key(self.company, name="test.key")
        )
        # Who is registered is in the directory.
        self.access_point.participants[OWN_ADDRESS] = [NLCIUS]
        self.env["account_edi_proxy_client.user"].sudo().create(
            {
                "id_client": "test-client",
                "company_id": self.company.id,
                "proxy_type": "peppol",
                "edi_mode": "test",
                "edi_identification": OWN_ADDRESS,
                "private_key_id": key.id,
                "refresh_token": "dGVzdA==",
            }
        )

    def reach_by_peppol(self, method, **values):
        """Register the company, and have the customer in Peppol's directory, who
        prefers this sending method."""
        self.register()
        self.access_point.participants[ADDRESS] = [NLCIUS]
        self.prefer(method, **values)

    def prefer(self, method, **values):
        partner = self.partner.with_company(self.company)
        partner.write({"invoice_sending_method": method, **values})

    def count_lookups(self):
        """:return: how often the directory was asked for a contact"""
        return len(self.access_point.lookups) - self.access_point.lookups.count(
            OWN_ADDRESS
        )

    @property
    def verification(self):
        return self.partner.with_company(self.company).peppol_verification_state


@tagged("post_install", "-at_install", "-standard", "copaco_peppol")
@freeze_time("2026-11-25 10:00:00")
class TestPeppol(PeppolCommon):
    """Promises 8 and 10, beside Odoo's own Peppol."""

    def test_posting_asks_the_directory_nothing(self):
        self.register()
        self.prefer("peppol", peppol_verification_state="not_verified")
        self.access_point.lookups.clear()
        self.book("5")
        self.assertFalse(self.access_point.lookups)

    def test_an_invoice_is_sent_by_peppol(self):
        self.reach_by_peppol("peppol")
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        ((receiver, content),) = self.access_point.documents
        self.assertEqual(receiver, ADDRESS)
        self.assertIn(delivery.move_id.name.encode(), content)
        self.assertFalse(self.mail_server.mails)

    def test_a_contact_that_is_not_found_is_told(self):
        self.register()
        self.prefer("peppol")
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, ADDRESS, "directory")
        self.assertFalse(self.mail_server.mails, "by Peppol means not by e-mail")

    def test_a_contact_that_takes_another_format_is_told(self):
        self.register()
        self.access_point.participants[ADDRESS] = ["another"]
        self.prefer("peppol")
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, ADDRESS, "format")

    def test_a_contact_with_a_format_that_peppol_does_not_take_is_told(self):
        self.register()
        self.prefer("peppol", invoice_edi_format="facturx")
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "format")

    def test_a_contact_without_an_address_is_told(self):
        self.register()
        self.prefer("peppol", peppol_endpoint=False)
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "no Peppol address")

    def test_mended_and_sent_again(self):
        self.register()
        self.prefer("peppol")
        delivery = self.book("5")
        self.send()
        self.access_point.participants[ADDRESS] = [NLCIUS]
        self.assertIn("Sent: 1", self.send_again(delivery))
        self.assertSent(delivery)

    def test_a_company_that_is_not_registered_sends_the_others_and_says_so(self):
        self.access_point.participants[ADDRESS] = [NLCIUS]
        self.prefer("email")
        found = self.book("5")
        self.add_invoice(
            "INV-2", "A2", [price_line("6")], customer={"CustomerNumber": "K-2"}
        )
        wants = self.create_partner(ref="K-2", email="wants@peppol.example")
        wants.with_company(self.company).invoice_sending_method = "peppol"
        self.fetch()
        second = self.documents.move_id.copaco_delivery_ids - found
        self.send()
        self.assertEqual(self.verification, "valid")
        self.assertSent(found)
        self.assertUnsent(second, "not registered")
        self.assertIn("not registered", self.connection.peppol_warning)
        self.connection.invoice_policy = "post"
        self.assertFalse(self.connection.peppol_warning)
        self.connection.invoice_policy = "send"
        self.register()
        self.assertFalse(self.connection.peppol_warning)

    def test_an_e_invoice_that_odoo_refuses_is_told(self):
        self.reach_by_peppol("peppol", zip=False)
        delivery = self.book("5")
        self.send()
        self.assertUnsent(delivery, "Zip", "Bakkerij")
        self.assertFalse(self.access_point.documents)
        self.partner.zip = "1001 AA"
        self.send_again(delivery)
        self.assertSent(delivery)

    def test_an_access_point_that_does_not_respond_is_told(self):
        self.reach_by_peppol("peppol")
        self.partner.with_company(self.company).peppol_verification_state = "valid"
        for number, behaviour in {"INV-1": REFUSE, "INV-2": DROP}.items():
            with self.subTest(behaviour=behaviour), mute_logger(PROXY_LOGGER):
                delivery = self.book("5", number=number)
                self.access_point.behave(behaviour)
                self.send()
                self.access_point.behave()
                self.assertEqual(delivery.state, "failed")
                self.assertIn("nobody knows", delivery.message)
                self.assertIn("Bakkerij", delivery.message)
                self.send_again(delivery)
                self.assertSent(delivery)

    def test_what_peppol_refuses_later_is_told(self):
        self.reach_by_peppol("peppol")
        delivery = self.book("5")
        self.send()
        delivery.move_id.peppol_move_state = "error"
        self.send()
        self.assertUnsent(delivery, "Peppol")
        self.send_again(delivery)
        self.assertSent(delivery)

    def test_a_customer_on_peppol_who_prefers_mail_gets_both(self):
        self.reach_by_peppol("email")
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        self.assertEqual(len(self.access_point.documents), 1)
        self.assertEqual(len(self.mail_server.mails), 1)

    def test_what_is_confirmed_again_after_peppol_had_it_is_not_called_sent(self):
        self.reach_by_peppol("peppol")
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        delivery.move_id.button_draft()
        delivery.move_id.invoice_line_ids.price_unit = 7
        delivery.move_id.action_post()
        self.send()
        self.assertUnsent(delivery, "confirmed again")
        self.send_again(delivery)
        self.assertSent(delivery)
        self.assertEqual(len(self.access_point.documents), 2)

    def test_a_conflict_when_peppol_may_have_it_invites_nobody_to_send_it_twice(self):
        self.reach_by_peppol("peppol")
        delivery = self.book("5")
        with patch.object(
            self.registry["account.move.send"],
            "_generate_and_send_invoices",
            side_effect=SerializationFailure,
        ):
            self.send()
        self.assertUnsent(delivery, "nobody knows", "Bakkerij")

    def test_a_company_that_leaves_peppol_at_that_moment_is_told(self):
        self.reach_by_peppol("peppol")
        delivery = self.book("5")
        method = self.registry["copaco.sending.method"]
        choose = method._choose

        def leave(service, move, directory):
            methods = choose(service, move, directory)
            self.company.sudo().account_peppol_edi_user.unlink()
            self.company.account_peppol_proxy_state = "not_registered"
            return methods

        with (
            patch.object(method, "_choose", leave),
            mute_logger("odoo.addons.account_copaco.services.copaco_sender"),
        ):
            self.send()
        self.assertFalse(self.access_point.documents)
        self.assertUnsent(delivery)
