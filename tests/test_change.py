import hashlib
import json

from odoo import models
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import CopacoChangeCommon, price_line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChange(CopacoChangeCommon):
    """What happens when Copaco changes what was invoiced: promises 1, 5 and 7."""

    def test_a_draft_that_nobody_edited_is_updated(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        move = document.move_id
        self.send(price_line("11"), price_line("7", number=3))
        self.assertRecordValues(
            document,
            [{"state": "invoiced", "hold_reason": False, "amount_source": 18}],
        )
        self.assertEqual(document.move_id, move)
        self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), [11, 7])
        self.assertEqual(move.amount_total, 21.78)
        self.assertEqual(document.version_ids.mapped("state"), ["replaced"])
        self.assertBalanced()
        self.send(price_line("12"), price_line("7", number=3))
        self.assertEqual(move.amount_untaxed, 19)

    def test_a_draft_that_a_person_edited_waits_and_keeps_what_was_edited(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        move = document.move_id
        move.invoice_line_ids[0].name = "My own words"
        self.send(price_line("11"), price_line("7", number=2))
        self.assertWaits(document)
        self.assertEqual(move.amount_untaxed, 15)
        self.act(document, "action_use_new_version")
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.amount_source, 18)
        self.assertRecordValues(
            move.invoice_line_ids.sorted("price_subtotal"),
            [
                {"price_subtotal": 7, "copaco_line_id": document.line_ids[1].id},
                {"price_subtotal": 10, "copaco_line_id": document.line_ids[0].id},
            ],
        )
        self.assertIn("My own words", move.invoice_line_ids.mapped("name"))
        self.assertEqual(
            document.line_ids.mapped("invoice_line_state"), ["edited", False]
        )
        self.assertBalanced()

    def test_each_thing_that_a_person_may_change_on_a_draft_is_noticed(self):
        other_tax = self.tax.copy({"name": "Other"})
        for number, (edit, values) in enumerate(
            [
                ("line", {"name": "Words"}),
                ("line", {"price_unit": 11}),
                ("line", {"quantity": 2}),
                ("line", {"discount": 10}),
                ("line", {"tax_ids": [(6, 0, other_tax.ids)]}),
                (
                    "line",
                    {
                        "account_id": self.company_data["default_account_revenue"]
                        .copy()
                        .id
                    },
                ),
                ("line", {"product_id": self._create_product().id}),
                ("line", {"copaco_vendor_details": "Theirs"}),
                ("move", {"ref": "Theirs"}),
                ("move", {"narration": "Dear customer"}),
                ("move", {"invoice_date": "2026-11-24"}),
                ("move", {"invoice_payment_term_id": self.create_payment_terms().id}),
                ("move", {"partner_id": self.create_partner().id}),
                (
                    "move",
                    {"invoice_line_ids": [(0, 0, {"name": "Mine", "price_unit": 1})]},
                ),
                (
                    "move",
                    {
                        "invoice_line_ids": [
                            (0, 0, {"name": "Note", "display_type": "line_note"})
                        ]
                    },
                ),
            ]
        ):
            with self.subTest(values=values):
                document = self.send(price_line("10"), number=f"INV-{number}")[-1]
                move = document.move_id
                self.assertTrue(self.is_unedited_draft(document))
                record = move.invoice_line_ids if edit == "line" else move
                record.write(values)
                self.assertFalse(self.is_unedited_draft(document))

    def test_vendor_details_that_a_person_wrote_survive_an_update(self):
        document = self.send(price_line("10", VendorDetails="example.com"))
        move = document.move_id
        move.invoice_line_ids.copaco_vendor_details = "example.org"
        self.act(document, "action_retry")
        self.assertEqual(move.invoice_line_ids.copaco_vendor_details, "example.org")
        self.assertEqual(document.line_ids.invoice_line_state, "edited")

    def test_a_stored_snapshot_stays_readable(self):
        document = self.send(
            price_line("10"), price_line("5", number=2), price_line("3", number=3)
        )
        move = document.move_id
        document.sudo().move_snapshot = self.take_stored_snapshot(move)
        self.assertTrue(self.is_unedited_draft(document))
        move.invoice_line_ids[0].price_unit = 9
        move.invoice_line_ids[1].unlink()
        for _time in range(2):
            self.env.invalidate_all()
            self.assertEqual(
                document.line_ids.mapped("invoice_line_state"),
                ["edited", "removed", False],
            )
            self.assertEqual(document.run_id.amount_edited, 6)
            self.assertBalanced()
            self.act(document, "action_retry")

    def take_stored_snapshot(self, move):
        """:return: what version 19.0.1.0.0 has stored of an invoice"""

        def plain(value):
            if isinstance(value, models.BaseModel):
                return sorted(value.ids)
            return f"{value:.10g}" if isinstance(value, float) else value

        def digest(record, *names):
            values = [plain(record[name]) or None for name in names]
            text = json.dumps(values, sort_keys=True, default=str)
            return hashlib.sha256(text.encode()).hexdigest()[:16]

        header = (
            *("partner_id", "journal_id", "fiscal_position_id", "currency_id"),
            *("invoice_date", "invoice_date_due", "invoice_payment_term_id"),
            *("invoice_user_id", "ref", "narration", "invoice_cash_rounding_id"),
        )
        line_fields = (
            *("name", "product_id", "product_uom_id", "account_id", "quantity"),
            *("price_unit", "discount", "tax_ids", "analytic_distribution"),
            "copaco_vendor_details",
        )
        return {
            "header": {name: digest(move, name) for name in header},
            "lines": {
                str(line.id): {
                    "line": line.copaco_line_id.id,
                    "amount": line.price_subtotal,
                    "hash": f"2:{digest(line, *line_fields)}",
                }
                for line in move.invoice_line_ids
            },
        }

    def get_order(self, move):
        """:return: what the lines of an invoice are of, in their order"""
        lines = move.invoice_line_ids.sorted("sequence")
        return [line.copaco_line_id.description or line.name for line in lines]

    def test_the_order_that_a_person_gave_the_lines_survives_an_update(self):
        document = self.send(*[price_line(n, number=n) for n in (1, 2, 3, 4)])
        move = document.move_id
        lines = move.invoice_line_ids.sorted("sequence")
        lines[3].name = "My own words"
        note = {"name": "Note", "display_type": "line_note", "sequence": 2}
        move.invoice_line_ids = [Command.create(note)]
        for line, sequence in zip(lines, (5, 4, 3, 1), strict=True):
            line.sequence = sequence
        self.assertEqual(
            document.line_ids.mapped("invoice_line_state"), [False] * 3 + ["edited"]
        )
        self.send(*[price_line(7 - n, number=n) for n in (5, 1, 2, 4)])
        self.act(document, "action_use_new_version")
        self.assertEqual(
            self.get_order(move),
            ["Service 4", "Note", "Service 2", "Service 1", "Service 5"],
        )
        self.act(document, "action_retry")
        self.assertEqual(self.get_order(move)[1:3], ["Note", "Service 2"])

    def test_moved_lines_are_not_edited_and_need_no_decision(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        move = document.move_id
        move.invoice_line_ids.sorted("sequence")[0].sequence = 9
        self.assertTrue(self.is_unedited_draft(document))
        self.send(price_line("11"), price_line("5", number=2), price_line(1, number=3))
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(self.get_order(move), ["Service 2", "Service 1", "Service 3"])
        self.assertFalse(any(document.line_ids.mapped("invoice_line_state")))

    def test_the_lines_of_a_draft_that_nobody_moved_are_in_the_order_of_copaco(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        move = document.move_id
        move.invoice_line_ids.sorted("sequence")[0].name = "My own words"
        for numbers in ((3, 1, 2), (2, 3, 1)):
            self.send(*[price_line(n + numbers[0], number=n) for n in numbers])
            self.act(document, "action_use_new_version")
            self.assertEqual(self.get_order(move), [f"Service {n}" for n in numbers])

    def test_a_line_that_a_person_removed_stays_removed(self):
        document = self.send(price_line("10"), price_line("5", number=2))
        move = document.move_id
        move.invoice_line_ids[0].unlink()
        self.assertEqual(
            document.line_ids.mapped("invoice_line_state"), ["removed", False]
        )
        self.act(document, "action_retry")
        self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), [5])
        self.assertEqual(document.state, "invoiced")

    def test_the_rounding_that_a_person_edited_or_removed_stays_so(self):
        for number, edit in enumerate(("edit", "remove")):
            with self.subTest(edit=edit):
                number = f"INV-{number}"
                document = self.send(
                    *[price_line("0.333", number=n) for n in range(3)], number=number
                )[-1]
                move = document.move_id
                rounding = move.invoice_line_ids.filtered("copaco_is_rounding")
                self.assertEqual(rounding.price_subtotal, 0.01)
                if edit == "edit":
                    rounding.name = "My own words"
                else:
                    rounding.unlink()
                self.send(
                    *[price_line("0.333", number=n) for n in range(5)], number=number
                )
                self.act(document, "action_use_new_version")
                for _time in range(2):
                    self.assertEqual(document.amount_source, 1.67)
                    amount = 1.66 if edit == "edit" else 1.65
                    self.assertEqual(move.amount_untaxed, amount)
                    self.assertEqual(
                        move.invoice_line_ids.filtered("copaco_is_rounding").mapped(
                            "name"
                        ),
                        ["My own words"] if edit == "edit" else [],
                    )
                    self.assertEqual(
                        document.run_id.amount_edited, round(1.67 - amount, 2)
                    )
                    self.assertBalanced()
                    self.act(document, "action_retry")

    def test_the_rounding_of_another_tax_stays_when_one_was_edited(self):
        document = self.send(*[price_line("0.333", number=n) for n in range(3)])
        move = document.move_id
        other = move.invoice_line_ids.filtered("copaco_is_rounding")
        other.sudo().copy({"name": "Theirs", "copaco_is_rounding": True})
        snapshot = self.env["copaco.manual.edits"]._take_snapshot(move)
        document.sudo().move_snapshot = snapshot
        other.name = "My own words"
        self.act(document, "action_retry")
        self.assertEqual(
            sorted(move.invoice_line_ids.filtered("copaco_is_rounding").mapped("name")),
            ["My own words", "Theirs"],
        )

    def test_processing_a_draft_again_follows_what_was_corrected(self):
        document = self.send(price_line("10"))
        move = document.move_id
        move.ref = "Theirs"
        other = self.create_partner(name="Right one")
        document.customer_id.partner_id = other
        self.product.taxes_id = self.tax.copy({"name": "9 %", "amount": 9})
        self.act(document, "action_retry")
        self.assertRecordValues(
            move,
            [
                {
                    "partner_id": other.id,
                    "ref": "Theirs",
                    "amount_untaxed": 10,
                    "amount_tax": 0.9,
                    "state": "draft",
                }
            ],
        )
        self.assertEqual(document.state, "invoiced")

    def test_a_draft_that_can_not_be_updated_is_as_it_was_and_says_why(self):
        document = self.send(price_line("10"))
        move = document.move_id
        self.product.taxes_id = False
        self.company_data["default_account_revenue"].tax_ids = False
        self.act(document, "action_retry")
        self.assertEqual(document.state, "invoiced")
        self.assertIn("sales tax", document.hold_message)
        self.assertEqual(move.amount_total, 12.1)
        self.send(price_line("11"))
        self.assertWaits(document)
        self.assertIn("sales tax", document.hold_message)
        self.assertEqual(document.amount_source, 10)
        self.assertBalanced()

    def test_a_draft_that_became_a_credit_waits_for_a_person(self):
        document = self.send(price_line("10"))
        self.send(price_line("-10"))
        self.assertWaits(document)
        self.assertEqual(document.move_id.amount_untaxed, 10)
        document.move_id.unlink()
        self.act(document, "action_use_new_version")
        self.assertEqual(document.move_id.move_type, "out_refund")

    def test_a_change_that_copaco_takes_back_leaves_the_draft_alone(self):
        document = self.send(price_line("10"))
        document.move_id.ref = "Theirs"
        self.send(price_line("11"))
        self.assertWaits(document)
        self.send(price_line("10"))
        self.assertEqual(document.state, "invoiced")
        self.assertEqual(document.move_id.amount_untaxed, 10)
