from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestAuditTrail(CopacoCommon):
    """What an invoice tells of itself is what one tells that was made by hand."""

    def setUp(self):
        super().setUp()
        self.connection.invoice_policy = "post"
        self.seller = new_test_user(self.env, "seller", groups="base.group_user")
        self.partner = self.create_partner(ref="K-1", user_id=self.seller.id)

    def enter(self, move):
        """Make the same invoice by hand, and confirm it."""
        # Tests have it off.
        context = {"allowed_company_ids": self.env.companies.ids}
        Move = self.env(context=context)["account.move"]
        entered = Move.create(
            {
                "move_type": move.move_type,
                "partner_id": move.partner_id.id,
                "invoice_date": move.invoice_date,
                "invoice_user_id": self.seller.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": line.name,
                            "product_id": line.product_id.id,
                            "quantity": line.quantity,
                            "price_unit": line.price_unit,
                        }
                    )
                    for line in move.invoice_line_ids
                ],
            }
        )
        self.env.cr.flush()
        entered.action_post()
        self.env.cr.flush()
        return entered

    def get_trail(self, move):
        """:return: list of what each message tells: subtype, text, changed fields"""
        return [
            (
                message.subtype_id.get_external_id()[message.subtype_id.id],
                message.preview,
                sorted(message.sudo().tracking_value_ids.field_id.mapped("name")),
            )
            for message in move.message_ids.sorted("id")
        ]

    def check(self, *lines):
        self.add_known(lines=list(lines))
        self.fetch()
        move = self.documents.move_id
        self.assertEqual(move.state, "posted")
        entered = self.enter(move)
        self.assertGreater(len(self.get_trail(entered)), 1)
        self.assertEqual(self.get_trail(move), self.get_trail(entered))
        self.assertEqual(
            move.message_partner_ids,
            entered.message_partner_ids - self.env.user.partner_id,
        )

    def test_a_confirmed_invoice_tells_what_one_made_by_hand_tells(self):
        self.check(price_line("10"), price_line("2.50", number=2))

    def test_a_confirmed_credit_note_tells_what_one_made_by_hand_tells(self):
        self.check(price_line("-10"))

    def test_followers_hear_of_the_confirmation(self):
        follower = self.create_partner(name="Follower")
        subscribe = self.registry["account.move"]._message_auto_subscribe

        def subscribe_follower(move, *arguments, **options):
            move.message_subscribe(follower.ids)
            return subscribe(move, *arguments, **options)

        self.patch(
            self.registry["account.move"],
            "_message_auto_subscribe",
            subscribe_follower,
        )
        validated = self.env.ref("account.mt_invoice_validated")
        validated.default = True
        self.add_known()
        self.fetch()
        messages = self.documents.move_id.message_ids
        told = messages.filtered(lambda message: message.subtype_id == validated)
        self.assertIn(follower, told.notified_partner_ids)

    def test_a_document_does_not_repeat_what_its_invoice_and_customer_tell(self):
        self.check(price_line("10"))
        tracked = self.documents.message_ids.sudo().tracking_value_ids
        self.assertFalse(tracked.field_id.mapped("name"))
