from odoo.tests import tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestPages(CopacoCommon):
    """Every dialog opens, and every list has cards."""

    def setUp(self):
        super().setUp()
        names = self.env["ir.model.data"].search(
            [("module", "=", "account_copaco"), ("model", "=", "ir.actions.act_window")]
        )
        self.actions = self.env["ir.actions.act_window"].browse(names.mapped("res_id"))

    def test_each_dialog_opens_in_the_web_client(self):
        for number in ("1", "2"):
            self.add_invoice(f"INV-{number}", f"A{number}", [price_line("10")])
        self.fetch()
        self.assertEqual(len(self.documents), 2)
        dialogs = self.actions.filtered(lambda each: each.target == "new")
        self.assertTrue(dialogs)
        for action in dialogs:
            with self.subTest(action=action.name):
                self.open_dialog(action.res_model)

    def open_dialog(self, name):
        """Ask for what a dialog shows when it opens, as the web client does."""
        dialog = self.env[name].with_context(
            active_model="copaco.document",
            active_id=self.documents[:1].id,
            active_ids=self.documents.ids,
        )
        names = dialog.get_view(view_type="form")["models"][name]
        dialog.onchange({}, [], {name: self.show(dialog, name) for name in names})

    def show(self, dialog, name):
        is_list = dialog._fields[name].type in ("one2many", "many2many")
        return {"fields": {"display_name": {}}} if is_list else {}

    def test_each_list_has_cards_that_a_phone_shows(self):
        lists = self.actions.filtered(lambda each: "list" in each.view_mode)
        self.assertTrue(lists)
        self.assertFalse(
            lists.filtered(lambda each: "kanban" not in each.view_mode).mapped("name")
        )
        models = set(lists.mapped("res_model"))
        cards = self.env["ir.ui.view"].search([("type", "=", "kanban")])
        self.assertFalse(models - set(cards.mapped("model")))
