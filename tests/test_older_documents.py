from odoo.tests import freeze_time, tagged

from .test_customer_evidence import A, B, EvidenceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestOlderDocuments(EvidenceCommon):
    """What a customer is called now is what its newest documents say."""

    def test_a_response_with_older_documents_alone_keeps_what_is_newer(self):
        self.send("I1", A, Date="20261105")
        self.fetch()
        garage = {**B, "receiver": {"EmailAddress": "new@garage.example"}}
        self.send("I2", garage, Date="20261120")
        self.fetch()
        bakery = {**A, "receiver": {"City": "Utrecht"}}
        self.simulator.invoices.clear()
        self.send("I3", bakery, Date="20261106")
        self.fetch()
        self.assertRecordValues(
            self.customer,
            [{"name": "Garage B", "customer_number": "K-2", "vat": B["vat"]}],
        )
        # What nobody said before is no contradiction.
        self.assertEqual(self.customer.city, "Utrecht")
        self.simulator.invoices.clear()
        self.send("I4", {**B, "name": "Garage C"}, Date="20261120")
        self.fetch()
        self.assertEqual(self.customer.name, "Garage C")

    def test_a_date_that_is_yet_to_come_does_not_keep_what_follows_away(self):
        self.send("I1", A, Date="20621123")
        self.fetch()
        self.receive("I2", B)
        self.assertEqual(self.customer.name, "Garage B")
