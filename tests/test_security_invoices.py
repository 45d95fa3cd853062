from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .remote import Refused, RemoteCase

LINKS = {
    "account.move": {
        *("copaco_document_id", "copaco_version_id", "copaco_digest"),
        "copaco_correction_count",
    },
    "account.move.line": {"copaco_line_id"},
}


@tagged("post_install", "-at_install")
class TestSecurityInvoices(RemoteCase):
    """Who may read or write invoices and has no invoicing rights learns nothing more
    of Copaco than what is printed, and is kept from nothing either."""

    def make_invoice(self, partner):
        """:return: the draft invoice of the document"""
        self.document.customer_id.sudo().partner_id = partner
        with self.committing(self.document) as document:
            document.with_user(self.billing_user).action_retry()
        return self.document.move_id

    def create_clerk(self):
        """:return: a user who may do everything with invoices, by rights of another
        addon, such as Odoo's Purchase"""
        group = self.env["res.groups"].create({"name": "Invoices, not invoicing"})
        models = self.env["ir.model"].search([("model", "like", "account.%")])
        self.env["ir.model.access"].create(
            [
                {
                    "name": model.model,
                    "model_id": model.id,
                    "group_id": group.id,
                    "perm_read": True,
                    "perm_write": model.model.startswith("account.move"),
                    "perm_create": model.model.startswith("account.move"),
                    "perm_unlink": model.model.startswith("account.move"),
                }
                for model in models.filtered(lambda each: not each.transient)
            ]
        )
        user = new_test_user(self.env, "purchase", **self._get_company("clerk"))
        user.group_ids += group
        return user

    def test_a_customer_sees_nothing_of_copaco_but_what_is_printed(self):
        partner = self.users["portal"].partner_id
        partner.company_id = False
        move = self.make_invoice(partner)
        move.action_post()
        records = {"account.move": move, "account.move.line": move.invoice_line_ids}
        self.become("portal")
        for model, names in LINKS.items():
            ids = records[model].ids
            self.assertTrue(self.call(model, "read", ids, ["name"]), "it is their own")
            self.assertFalse(names & self.call(model, "fields_get").keys())
            for name in names:
                calls = [
                    ("read", ids, [name]),
                    ("search_read", [], [name]),
                    ("web_read", ids, {name: {}}),
                    ("search", [(name, "!=", False)]),
                ]
                if name != "copaco_correction_count":  # nobody can group by it
                    calls.append(("formatted_read_group", [], [name], ["__count"]))
                for call in calls:
                    with self.subTest(call=call), self.assertRaises(Refused):
                        self.call(model, *call)
        through = {"invoice_line_ids": {"fields": {"copaco_line_id": {}}}}
        with self.assertRaises(Refused):
            self.call("account.move", "web_read", move.ids, through)
        for method in ("action_view_copaco_document", "action_view_copaco_corrections"):
            with self.subTest(method=method), self.assertRaises(Refused):
                self.call("account.move", method, move.ids)

    def test_who_has_no_invoicing_rights_works_with_invoices_as_before(self):
        clerk = self.create_clerk()
        document = self.document
        move = self.make_invoice(self.create_partner()).with_user(clerk).sudo(False)
        line = move.invoice_line_ids
        self.assertTrue(line.read(["name", "copaco_vendor_details"]))
        copy = move.copy()
        self.assertFalse(copy.sudo().copaco_document_id)
        self.assertEqual(copy.amount_untaxed, move.amount_untaxed)
        move.invoice_line_ids = [
            Command.update(line.id, {"name": "Edited"}),
            Command.create({"name": "Added", "price_unit": 1, "tax_ids": False}),
        ]
        self.assertEqual(document.line_ids.invoice_line_state, "edited")
        move.button_cancel()
        self.assertEqual(document.hold_reason, "invoice_cancelled")
        move.button_draft()
        self.assertEqual(document.state, "invoiced")
        line.unlink()
        self.assertEqual(document.line_ids.invoice_line_state, "removed")
        move.unlink()
        self.assertEqual(document.hold_reason, "invoice_deleted")
