from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import price_line
from .receivers import DROP, REFUSE, SLOW
from .test_peppol import ADDRESS, NLCIUS, OWN_ADDRESS, PeppolCommon

PARTNER_LOGGER = "odoo.addons.account_peppol.models.res_partner"


@tagged("post_install", "-at_install", "-standard", "copaco_peppol")
@freeze_time("2026-11-25 10:00:00")
class TestPeppolDirectory(PeppolCommon):
    """Peppol's directory is asked beforehand, and waited for by nobody."""

    def test_contacts_are_looked_up_beforehand_so_many_a_minute(self):
        self.register()
        partners = self.partner
        for number in range(2, 6):
            partners |= self.create_partner(
                name=f"Partner {number}",
                ref=f"K-{number}",
                peppol_eas="0106",
                peppol_endpoint=f"1234567{number}",
            )
        for number, partner in enumerate(partners, start=1):
            self.env["copaco.customer"].sudo().create(
                {
                    "company_id": self.company.id,
                    "account_ref": f"A{number}",
                    "name": partner.name,
                    "partner_id": partner.id,
                    "state": "matched",
                }
            )
        partners.with_company(self.company).peppol_verification_state = False
        self.access_point.lookups.clear()
        module = "odoo.addons.account_copaco.services.copaco_peppol"
        cron = self.registry["ir.cron"]
        with (
            patch(f"{module}.LOOKUPS_PER_MINUTE", 3),
            patch.object(cron, "_trigger") as again,
        ):
            self.trigger("ir_cron_verify_contacts")
            self.assertEqual(self.count_lookups(), 3)
            self.assertEqual(again.call_count, 1)
            self.trigger("ir_cron_verify_contacts")
            self.trigger("ir_cron_verify_contacts")
        self.assertEqual(self.count_lookups(), 5, "nobody twice")
        self.assertEqual(again.call_count, 1)

    def link_customer(self):
        self.env["copaco.customer"].sudo().create(
            {
                "company_id": self.company.id,
                "account_ref": "A1",
                "partner_id": self.partner.id,
                "state": "matched",
            }
        )

    def test_a_directory_that_does_not_respond_says_nothing_of_a_contact(self):
        self.register()
        self.link_customer()
        self.prefer("email", peppol_verification_state="not_verified")
        for behaviour in (REFUSE, DROP):
            with self.subTest(behaviour=behaviour), mute_logger(PARTNER_LOGGER):
                self.access_point.behave(behaviour)
                self.trigger("ir_cron_verify_contacts")
                self.access_point.behave()
                self.assertEqual(self.verification, "not_verified")
        self.trigger("ir_cron_verify_contacts")
        self.assertEqual(self.verification, "not_valid")

    def test_who_only_sends_knows_by_another_contact_that_the_directory_responds(self):
        self.register()
        self.company.account_peppol_proxy_state = "sender"
        del self.access_point.participants[OWN_ADDRESS]
        self.link_customer()
        self.access_point.participants["0106:11111111"] = [NLCIUS]
        known = self.create_partner(peppol_eas="0106", peppol_endpoint="11111111")
        known.with_company(self.company).peppol_verification_state = "valid"
        self.prefer("email", peppol_verification_state="not_verified")
        self.access_point.behave(REFUSE)
        with mute_logger(PARTNER_LOGGER):
            self.trigger("ir_cron_verify_contacts")
        self.access_point.behave()
        self.assertEqual(self.verification, "not_verified")
        self.trigger("ir_cron_verify_contacts")
        self.assertEqual(self.verification, "not_valid")

    def test_a_directory_that_does_not_respond_is_asked_for_one_contact_only(self):
        self.register()
        self.link_customer()
        self.env["copaco.customer"].sudo().create(
            {
                "company_id": self.company.id,
                "account_ref": "A2",
                "partner_id": self.create_partner(
                    peppol_eas="0106", peppol_endpoint="22222222"
                ).id,
                "state": "matched",
            }
        )
        partners = self.env["copaco.customer"].search([]).partner_id
        partners.with_company(self.company).peppol_verification_state = "not_verified"
        peppol = self.registry["copaco.peppol"]
        asked = []
        verify = peppol._verify

        def note(service, directory, partner, company):
            asked.append(partner)
            return verify(service, directory, partner, company)

        self.access_point.behave(REFUSE)
        with patch.object(peppol, "_verify", note), mute_logger(PARTNER_LOGGER):
            self.trigger("ir_cron_verify_contacts")
        self.access_point.behave()
        self.assertEqual(len(asked), 1)

    def prefer_as_belgian(self):
        """Odoo asks for such a contact by its enterprise and by its VAT number."""
        self.partner.write(
            {
                "country_id": self.env.ref("base.be").id,
                "vat": "BE0477472701",
                "peppol_eas": "0208",
                "peppol_endpoint": "0477472701",
                "invoice_edi_format": "ubl_bis3",
            }
        )
        self.prefer("email", peppol_verification_state="not_verified")

    def test_one_contact_is_waited_for_once_whatever_odoo_asks_for_it(self):
        self.register()
        self.link_customer()
        self.prefer_as_belgian()
        requests = []
        for name, sending, count in (
            ("beforehand", lambda: self.trigger("ir_cron_verify_contacts"), 1),
            ("with its invoice", self.send_one, 1),
            ("and left alone for ten minutes", self.send_one, 0),
        ):
            requests.clear()
            with self.subTest(name), self.silent_directory(requests):
                sending()
            self.assertEqual(len(requests), count, name)
            self.assertEqual(self.verification, "not_verified")
        requests.clear()
        self.access_point.on_request = lambda: requests.append(1)
        self.trigger("ir_cron_verify_contacts")
        self.assertEqual(self.verification, "not_valid")
        self.assertEqual(len(requests), 3, "both addresses, and one that is known")

    def test_odoo_itself_waits_for_one_contact_once_while_it_sends(self):
        self.prefer_as_belgian()
        self.register_nobody()
        requests = []
        for count in (1, 0):
            requests.clear()
            with self.silent_directory(requests):
                self.send_one()
            self.assertEqual(len(requests), count)
            self.assertEqual(self.verification, "not_verified")

    def test_a_directory_responds_although_the_company_is_not_in_it_yet(self):
        self.register()
        self.link_customer()
        del self.access_point.participants[OWN_ADDRESS]
        known = self.create_partner(peppol_eas="0106", peppol_endpoint="11111111")
        known.with_company(self.company).peppol_verification_state = "valid"
        self.access_point.participants["0106:11111111"] = [NLCIUS]
        self.prefer("email", peppol_verification_state="not_verified")
        self.trigger("ir_cron_verify_contacts")
        self.assertEqual(self.verification, "not_valid")

    def send_one(self):
        delivery = self.book("5", number=f"INV-{len(self.documents) + 1}")
        self.send()
        self.assertSent(delivery)

    @contextmanager
    def silent_directory(self, requests):
        """Let nobody answer in time; what is asked for is noted."""
        module = "odoo.addons.account_copaco.services.copaco_peppol"
        self.access_point.on_request = lambda: requests.append(1)
        self.access_point.behave(SLOW, 2)
        with (
            patch(f"{PARTNER_LOGGER}.TIMEOUT", 0.2),
            patch(f"{module}.SILENT_SECONDS", 0.2),
            freeze_time("2026-11-25 10:00:00", tick=True),
        ):
            yield
        self.access_point.behave()
        self.access_point.on_request = lambda: None

    def test_who_was_not_on_peppol_is_asked_for_again_with_the_next_invoice(self):
        self.register()
        self.prefer("email", peppol_verification_state="not_valid")
        self.access_point.participants[ADDRESS] = [NLCIUS]
        delivery = self.book("5")
        self.send()
        self.assertSent(delivery)
        self.assertEqual(self.verification, "valid")
        self.assertEqual(len(self.access_point.documents), 1)

    def book_for_many(self, **methods):
        """Let customers have an invoice each who were never looked up.

        :param methods: how many want which sending method
        :return: dict of their deliveries by method
        """
        partners = {}
        for method, count in methods.items():
            for number in range(count):
                ref = f"{method}-{number}"
                partner = self.create_partner(
                    name=ref,
                    ref=ref,
                    email=f"{ref}@example.com",
                    zip="1001 AA",
                    vat="NL000099998B57",
                    peppol_eas="0106",
                    peppol_endpoint=f"{20000000 + len(partners)}",
                )
                own = partner.with_company(self.company)
                own.write(
                    {
                        "invoice_sending_method": method,
                        "peppol_verification_state": "not_verified",
                    }
                )
                partners[own] = method
                self.add_invoice(
                    f"INV-{ref}",
                    ref,
                    [price_line("5")],
                    customer={"CustomerNumber": ref},
                )
        self.fetch()
        found = self.env["copaco.delivery"].search([])
        self.assertEqual(len(found), len(partners))
        return found.grouped(
            lambda each: partners[each.move_id.partner_id.with_company(self.company)]
        )

    def test_a_silent_directory_is_waited_for_once_and_then_left_alone(self):
        self.register()
        deliveries = self.book_for_many(peppol=6, email=6)
        verified = deliveries["peppol"][-1]
        verified.partner_id.with_company(
            self.company
        ).peppol_verification_state = "valid"
        self.access_point.participants[
            f"0106:{verified.partner_id.peppol_endpoint}"
        ] = [NLCIUS]
        waiting = deliveries["peppol"] - verified
        requests = []
        self.access_point.on_request = lambda: requests.append(1)
        cron = self.registry["ir.cron"]
        with (
            patch(f"{PARTNER_LOGGER}.TIMEOUT", 0.2),
            patch.object(cron, "_trigger", autospec=True) as trigger,
        ):
            self.access_point.behave(SLOW, 5)
            # The access point is another server; only the directory is slow.
            with patch.object(
                self.registry["account_edi_proxy_client.user"],
                "_call_peppol_proxy",
                lambda *_arguments, **_options: {
                    "messages": [{"message_uuid": "accepted"}]
                },
            ):
                # Odoo has a scheduled action begin anew, again and again.
                for _pass in range(3):
                    self.send()
        self.assertLessEqual(len(requests), 3, "one contact, and two who are known")
        for delivery in deliveries["email"] | verified:
            self.assertSent(delivery)
        for delivery in waiting:
            self.assertRecordValues(
                delivery, [{"state": "waiting", "is_unsent": False}]
            )
            self.assertIn(delivery.move_id.name, delivery.message)
            self.assertIn("directory", delivery.message)
        states = self.env["res.partner"].union(*waiting.mapped("partner_id"))
        states = states.with_company(self.company).mapped("peppol_verification_state")
        self.assertEqual(set(states), {"not_verified"})
        self.assertIn(
            datetime(2026, 11, 25, 10, 10),
            [call.args[1] for call in trigger.call_args_list if len(call.args) > 1],
        )
        with (
            freeze_time("2026-11-25 10:11:00"),
            patch(f"{PARTNER_LOGGER}.TIMEOUT", 0.2),
        ):
            self.send()
        self.assertIn(len(requests), (4, 5, 6), "asked once more after ten minutes")
        self.assertEqual(waiting.mapped("state"), ["waiting"] * 5)
        with freeze_time("2026-11-25 11:01:00"):
            self.env.invalidate_all()
            self.assertEqual(waiting.mapped("is_unsent"), [True] * 5)
            self.env["copaco.activity.monitor"]._update_activity(self.connection)
            self.assertIn("could not be sent: 5", self.connection.activity_ids.summary)
            self.access_point.behave()
            for delivery in waiting:
                endpoint = delivery.partner_id.peppol_endpoint
                self.access_point.participants[f"0106:{endpoint}"] = [NLCIUS]
            self.send()
        for delivery in waiting:
            self.assertSent(delivery)

    def test_a_company_that_is_not_registered_waits_for_no_directory_either(self):
        deliveries = self.book_for_many(email=6)["email"]
        requests = []
        self.access_point.on_request = lambda: requests.append(1)
        self.access_point.behave(REFUSE)
        with mute_logger(PARTNER_LOGGER):
            self.register_nobody()
            self.send()
        self.assertLessEqual(len(requests), 2)
        for delivery in deliveries:
            self.assertSent(delivery)

    def register_nobody(self):
        """Have somebody in the directory by whom it is known that it answers."""
        known = self.create_partner(peppol_eas="0106", peppol_endpoint="11111111")
        known.with_company(self.company).peppol_verification_state = "valid"

    def test_a_slow_directory_has_its_time_and_the_others_wait_their_turn(self):
        self.register()
        deliveries = self.book_for_many(peppol=3, email=3)
        for delivery in deliveries["peppol"] | deliveries["email"]:
            endpoint = delivery.partner_id.peppol_endpoint
            self.access_point.participants[f"0106:{endpoint}"] = [NLCIUS]
        self.access_point.lookups.clear()
        module = "odoo.addons.account_copaco.services.copaco_peppol"
        for passed in range(1, 7):
            with patch(f"{module}.LOOKUP_SECONDS", 0), self.looking_up_slowly():
                self.send()
            states = self.env["copaco.delivery"].search([]).mapped("state")
            self.assertEqual(states.count("sent"), passed)
            self.assertEqual(states.count("waiting"), 6 - passed)
        self.assertEqual(len(self.access_point.documents), 6)

    def looking_up_slowly(self):
        """Let each look-up take a second."""
        peppol = self.registry["copaco.peppol"]
        look_up = peppol._look_up

        def look_up_slowly(service, directory, partner, company):
            is_known = look_up(service, directory, partner, company)
            if is_known:
                directory.seconds += 1
            return is_known

        return patch.object(peppol, "_look_up", look_up_slowly)

    def test_a_failed_look_up_keeps_no_mail_from_being_sent(self):
        self.register()
        self.prefer("email", peppol_verification_state="not_verified")
        delivery = self.book("5")
        self.access_point.behave(REFUSE)
        with mute_logger(PARTNER_LOGGER):
            self.send()
        self.access_point.behave()
        self.assertSent(delivery)
        self.assertEqual(len(self.mail_server.mails), 1)
        self.assertEqual(self.verification, "not_verified")
