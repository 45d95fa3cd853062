from odoo.tests import freeze_time, tagged

from .test_po_numbers import PoNumberCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPoDecisions(PoNumberCommon):
    """What a person decides about one part of a Copaco invoice is about the others,
    too."""

    def send_moved(self, *lines):
        """A line leaves a confirmed part for another one, which has more lines then."""
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*rest, self.po_line("5", "P1", 3))
        self.get_part("P1").move_id.action_post()
        self.send(*rest, self.po_line("5", "P2", 3), *lines)

    def test_what_was_left_to_another_part_is_asked_again_when_it_is_credited(self):
        self.send_moved()
        self.act(self.get_part("P2"), "action_keep_version")
        self.assertEqual(self.get_part("P2").state, "invoiced")
        self.get_correction(self.get_part("P1"))
        self.assertBilled(P1=10, P2=20)
        self.assertWaits(self.get_part("P2"))
        self.assertIn("PO P1", self.get_part("P2").hold_message)
        self.assertBalanced()
        self.act(self.get_part("P2"), "action_use_new_version")
        self.assertBilled(P1=10, P2=25)
        self.assertBalanced()

    def test_what_has_nothing_to_do_with_it_is_not_asked_again(self):
        rest = self.po_line("10", "P1", 1), self.po_line("20", "P2", 2)
        self.send(*rest, self.po_line("5", "P1", 3))
        self.documents.move_id.action_post()
        self.send(*rest, self.po_line("7", "P2", 4))
        self.act(self.get_part("P2"), "action_keep_version")
        self.get_correction(self.get_part("P1"))
        self.assertEqual(self.get_part("P2").state, "invoiced")
        self.assertBalanced()

    def test_who_credits_a_line_is_told_that_it_is_excluded_where_it_went(self):
        for action in ("action_invoice_new_lines", "action_exclude_duplicates"):
            with self.subTest(action=action), self.undone():
                self.send_moved_to_new()
                self.assertNotIn("excluded", self.get_part("P1").hold_message)
                self.act(self.get_part("P2"), action)
                self.assertWaits(self.get_part("P1"))
                self.assertIn("excluded on", self.get_part("P1").hold_message)
                self.assertIn("PO P2", self.get_part("P1").hold_message)
                self.assertBalanced()

    def test_a_draft_whose_lines_all_went_is_deleted_by_a_person(self):
        self.send(self.po_line("10", "P1", 1), self.po_line("20", "P2", 2))
        self.send(self.po_line("10", "P2", 1), self.po_line("20", "P2", 2))
        self.assertBilled(P1=10, P2=20)
        for part in (self.get_part("P1"), self.documents):
            refusal = self.get_refusal(
                part.with_user(self.billing_user), "action_use_new_version"
            )
            self.assertIn("Delete the draft, then use the new version", refusal)
        self.get_part("P1").move_id.unlink()
        self.act(self.documents, "action_use_new_version")
        self.assertEqual(self.get_part("P1").state, "excluded")
        self.assertBilled(P2=30)
        self.assertBalanced()

    def test_drafts_go_to_the_contact_that_one_is_invoiced_to_instead(self):
        lines = [self.po_line(10, f"P{number}", number) for number in (1, 2, 3)]
        self.send(*lines)
        sent, edited = self.get_part("P1"), self.get_part("P3")
        sent.move_id.action_post()
        edited.move_id.invoice_line_ids[0].name = "Edited"
        other = self.create_partner(name="Slagerij")
        self.billing_user.group_ids += self.env.ref("base.group_partner_manager")
        wizard = (
            self.env["copaco.invoice.contact"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_id=sent.id)
            .create({"partner_id": other.id})
        )
        wizard.action_invoice()
        with self.committing(self.documents) as committing:
            committing.sudo()._cron_process()
        self.assertEqual(self.documents.mapped("state"), ["invoiced"] * 3)
        for number, partner in (("P1", other), ("P2", other), ("P3", self.partner)):
            self.assertEqual(self.get_part(number).move_id.partner_id, partner)
        self.assertBalanced()
