from odoo.tests import tagged

from .common import CopacoCommon, price_line


@tagged("post_install", "-at_install")
class TestDialogs(CopacoCommon):
    """Every dialog opens for what is ticked in a list."""

    def test_each_dialog_opens_in_the_web_client(self):
        for number in ("1", "2"):
            self.add_invoice(f"INV-{number}", f"A{number}", [price_line("10")])
        self.fetch()
        self.assertEqual(len(self.documents), 2)
        names = self.env["ir.model.data"].search(
            [("module", "=", "account_copaco"), ("model", "=", "ir.actions.act_window")]
        )
        actions = self.env["ir.actions.act_window"].browse(names.mapped("res_id"))
        for action in actions.filtered(lambda each: each.target == "new"):
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
