from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeOrder(CopacoChangeCommon):
    """Promises 1, 2 and 7 when Copaco and people do things in an unusual order."""

    def get_billed(self, document):
        moves = document.move_id | document.correction_ids
        return sum(moves.mapped("amount_untaxed_in_currency_signed"))

    def test_a_draft_that_has_a_correction_is_not_rebuilt_as_well(self):
        document = self.send(price_line("10"))
        document.move_id.action_post()
        self.send(price_line("12"))
        self.get_correction(document).action_post()
        document.move_id.button_draft()
        with self.assertRaisesRegex(UserError, "corrected since"):
            self.act(document, "action_retry")
        self.assertEqual(self.get_billed(document), 12)
        self.send(price_line("15"))
        with self.assertRaisesRegex(UserError, "has a correction"):
            self.act(document, "action_use_new_version")
        self.get_correction(document)
        self.assertEqual(self.get_billed(document), 15)
