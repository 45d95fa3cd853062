from odoo.tests import freeze_time, tagged

from .test_content_found import ContentCase, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDeclinedCharges(ContentCase):
    """What a person decided not to invoice is not invoiced unasked as part of another
    document (promises 1 and 7)."""

    def decline(self, number="V-1", amount="25.00", **values):
        """:return: a confirmed document of 10.00, of which a person declined a charge
        that Copaco added, and has no longer there"""
        kept, added = price_line("10.00"), price_line(amount, number=2, **values)
        document = self.send(number, kept)
        self.post(document)
        self.send(number, kept, added)
        self.assertWaits(document)
        self.act(document, "action_keep_version")
        self.send(number, kept)
        return document

    def assertDeclined(self, document, count="1 of the 1 lines"):
        user = self.billing_user.name
        texts = ("V-1", "declined", user, "11/25/2026")
        self.assertHeld(document, count, *texts)
        self.assertIn(f"Declined by {user} on 11/25/2026", document.duplicate_table)

    def test_what_was_declined_is_asked_about_under_another_number(self):
        self.decline()
        moved = self.receive("V-2", price_line("25.00", number=2))
        self.assertDeclined(moved)
        self.assertEqual(self.billed, 10)
        self.act(moved, "action_exclude_duplicates")
        self.assertIn("V-1", moved.exclude_reason)
        self.assertEqual(moved.excluded_by_id, self.billing_user)
        again = self.receive("V-3", price_line("25.00", number=2))
        self.assertHeld(again, "V-2")
        self.assertEqual(self.billed, 10)
