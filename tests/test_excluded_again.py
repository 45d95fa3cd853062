from odoo.tests import freeze_time, tagged

from .test_content_found import ContentCase, price_line

FIRST = price_line("10.00")
# Without a row hash nothing is excluded by a rule.
MOVED = price_line("25.00", number=2, InvoiceRowHash="")
LATER = price_line("5.00", number=3)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestExcludedAgain(ContentCase):
    """What a person excluded because another document billed the same charges is asked
    about again when that one does no longer (promise 2)."""

    def have(self, **lines):
        """Let Copaco have these invoices only, and fetch them."""
        self.simulator.invoices.clear()
        for number, own in lines.items():
            self.add_invoice(
                f"V-{number[1:]}", "A1", own, customer={"CustomerNumber": "K-1"}
            )
        self.fetch()

    def leave_to_correction(self, *lines, decide="action_exclude_duplicates"):
        """:return: a document whose draft correction bills 25.00, and another one of
        these lines that was therefore not invoiced, or only in part"""
        first = self.receive("V-1", FIRST)
        self.post(first)
        self.have(v1=[FIRST, MOVED])
        self.act(first, "action_correct")
        self.have(v1=[FIRST, MOVED], v2=lines)
        other = self.find("V-2")
        self.assertHeld(other, "V-1")
        self.act(other, decide)
        return first, other

    def test_an_excluded_document_is_asked_about_when_the_correction_goes(self):
        first, other = self.leave_to_correction(MOVED)
        self.have(v1=[FIRST, LATER], v2=[MOVED])
        self.act(first, "action_keep_version")
        for remove in ("unlink", "button_cancel"):
            with self.subTest(remove), self.undone():
                getattr(first.correction_ids, remove)()
                self.assertHeld(other, "V-1", self.billing_user.name)
                self.assertIn("V-2", other.message_ids[0].body)
                self.assertTrue(self.connection.activity_ids)
                self.assertEqual(self.billed, 10)
                with self.undone():
                    self.act(other, "action_exclude_duplicates")
                    self.assertEqual(other.state, "excluded")
                self.act(other, "action_invoice_anyway")
                self.assertEqual(self.billed, 35)

    def test_what_still_waits_on_the_other_document_is_not_asked_about_twice(self):
        first, other = self.leave_to_correction(MOVED)
        first.correction_ids.unlink()
        self.assertWaits(first)
        self.assertEqual(other.state, "excluded")

    def test_what_a_third_document_bills_is_not_asked_about(self):
        first, other = self.leave_to_correction(MOVED)
        self.have(v1=[FIRST, MOVED], v2=[MOVED], v3=[MOVED])
        self.act(self.find("V-3"), "action_invoice_anyway")
        self.have(v1=[FIRST, LATER], v2=[MOVED], v3=[MOVED])
        self.act(first, "action_keep_version")
        first.correction_ids.unlink()
        self.assertEqual(other.state, "excluded")

    def test_an_excluded_line_is_named_when_the_correction_goes(self):
        first, other = self.leave_to_correction(
            MOVED, LATER, decide="action_invoice_new_lines"
        )
        self.have(v1=[FIRST, price_line("7.00", number=4)], v2=[MOVED, LATER])
        self.act(first, "action_keep_version")
        first.correction_ids.unlink()
        self.assertWaits(first)
        self.assertIn("excluded on V-2", first.hold_message)
        self.assertEqual(other.state, "invoiced")

    def test_an_excluded_document_is_asked_about_when_the_other_one_is_credited(self):
        first = self.receive("V-1", MOVED)
        self.post(first)
        other = self.receive("V-2", MOVED, FIRST)
        self.act(other, "action_exclude", "It is on V-1")
        credit = first.move_id._reverse_moves()
        self.assertEqual(other.state, "excluded")
        credit.action_post()
        self.assertHeld(other, "It is on V-1")
        self.act(other, "action_exclude_duplicates")
        self.assertEqual(other.state, "excluded")
