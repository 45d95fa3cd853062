from odoo.tests import freeze_time, tagged

from .month_invoices import CopacoMonthInvoicesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMonthInvoicesFoundAgain(CopacoMonthInvoicesCommon):
    """An invoice of several documents is theirs again after the addon was uninstalled
    (promise 1)."""

    def test_it_is_linked_when_the_addon_is_installed_anew(self):
        documents = self.post(P1=["10", "0.004"], P2=["5"], P3=["0"])
        move = documents.move_id
        self.forget(documents)
        again = self.receive(P1=["10", "0.004"], P2=["5"], P3=["0"])
        self.assertEqual(again.move_id, move)
        self.assertTogether(again, 15)
        self.assertEqual(self.get_billed(), 15)
        self.assertEqual(self.get_amounts(again[0]), {"posted": 15})
        self.receive(P2=["7"])
        self.assertEqual(self.correct(again[1]).amount_untaxed, 2)
        self.assertBalanced()

    def test_it_is_linked_once_all_of_its_documents_are_known(self):
        self.link_accounts()
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"])
        self.fetch()
        documents = self.get("P1", "P2")
        move = documents.move_id
        move.action_post()
        self.forget(documents)
        self.env["copaco.customer"].sudo().search([]).unlink()
        self.create_customer("A1", self.partner)
        self.connection.invoice_grouping = "document"
        self.provide("A1", P1=["10"])
        self.provide("A2", P2=["5"], number="K-9")
        self.fetch()
        first, second = self.get("P1", "P2")
        self.assertEqual(first.hold_reason, "possible_double")
        self.assertIn(move.name, first.hold_message)
        second.customer_id.partner_id = self.partner
        self.press(second, "action_retry")
        self.assertTogether(first | second, 15)
        self.assertEqual(self.get_billed(), 15)

    def test_of_two_with_the_numbers_and_the_amount_none_is_linked(self):
        documents = self.post(P1=["10"], P2=["5"])
        move = documents.move_id
        move.copy({"invoice_origin": move.invoice_origin})
        self.forget(documents)
        for document in self.receive(P1=["10"], P2=["5"]):
            self.assertEqual(document.hold_reason, "possible_double")
            self.assertIn("Several invoices", document.hold_message)
        self.assertEqual(self.get_billed(), 30)

    def test_another_amount_is_asked_about_when_the_addon_is_installed_anew(self):
        documents = self.post(P1=["10"], P2=["5"])
        move = documents.move_id
        self.forget(documents)
        for document in self.receive(P1=["10"], P2=["6"]):
            self.assertEqual(document.hold_reason, "possible_double")
            self.assertIn(move.name, document.hold_message)
        self.assertEqual(self.get_billed(), 15)

    def forget(self, documents):
        """Remove all that the addon knows of documents, as uninstalling it does."""
        documents = documents.sudo()
        documents.move_id.write(
            {"copaco_document_id": False, "copaco_digest": False, "copaco_amount": 0}
        )
        documents.write({"move_id": False})
        documents.unlink()
        self.env["copaco.run"].sudo().search([]).unlink()
        self.simulator.invoices.clear()
