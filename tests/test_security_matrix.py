import inspect
from datetime import date, timedelta
from functools import cached_property

from odoo import fields
from odoo.fields import Command
from odoo.models import BaseModel
from odoo.tests import tagged
from odoo.tools import mute_logger

from .remote import GROUPS, Refused, RemoteCase

# Section 10 of doc/how_it_works.rst. A model's row: what each role may do with its
# records (r: read and find, w: write, c: create, u: unlink). A method's row: who may
# call it. A dialog belongs to whoever opened it; about another company's records it
# does nothing. To create contacts takes Odoo's own right to, which nobody here has.
TABLE = """
                             clerk audit bill  book  admin other portal public
copaco.api.key               -     -     -     -     rwcu  -     -      -
    action_save              -     -     -     -     x     -     -      -
copaco.connection            -     -     r     r     rwcu  -     -      -
    action_accept_vendor     -     -     -     -     x     -     -      -
    action_fetch             -     -     x     x     x     -     -      -
    action_fetch_all         -     -     x     x     x     x     -      -
    action_test_connection   -     -     -     -     x     -     -      -
    action_use_customer_invoices - - -    -     x     -     -      -
    action_use_services      -     -     -     -     x     -     -      -
copaco.customer              -     -     rw    rw    rw    -     -      -
    action_accept            -     -     x     x     x     -     -      -
    action_accept_analytic_account - - x   x     x     -     -      -
    action_create_contact    -     -     -     -     -     -     -      -
    action_exclude           -     -     x     x     x     -     -      -
    action_include           -     -     x     x     x     -     -      -
    action_process           -     -     x     x     x     -     -      -
    action_undo              -     -     x     x     x     -     -      -
copaco.declined.charge       -     -     r     r     r     -     -      -
copaco.delivery              -     -     r     r     r     -     -      -
    action_send_again        -     -     x     x     x     -     -      -
    action_was_delivered     -     -     x     x     x     -     -      -
copaco.document              -     -     r     r     r     -     -      -
    action_accept_customer   -     -     x     x     x     -     -      -
    action_accept_lines      -     -     x     x     x     -     -      -
    action_accept_vat        -     -     x     x     x     -     -      -
    action_acknowledge_missing - -   x     x     x     -     -      -
    action_confirm_invoice   -     -     x     x     x     -     -      -
    action_correct           -     -     x     x     x     -     -      -
    action_exclude           -     -     x     x     x     -     -      -
    action_exclude_duplicates -    -     x     x     x     -     -      -
    action_fetch_again       -     -     x     x     x     -     -      -
    action_include           -     -     x     x     x     -     -      -
    action_invoice_anyway   -     -     x     x     x     -     -      -
    action_invoice_new_lines -     -     x     x     x     -     -      -
    action_keep_version      -     -     x     x     x     -     -      -
    action_link_bill         -     -     x     x     x     -     -      -
    action_retry             -     -     x     x     x     -     -      -
    action_use_new_version   -     -     x     x     x     -     -      -
copaco.document.line         -     -     r     r     r     -     -      -
    action_create_rule       -     -     -     -     x     -     -      -
copaco.document.version      -     -     r     r     r     -     -      -
copaco.exclude               -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_exclude           -     -     x     x     x     x     -      -
copaco.fetch                 -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_fetch             -     -     x     x     x     -     -      -
copaco.finding               -     -     rw    rw    rw    -     -      -
    action_accept            -     -     x     x     x     -     -      -
    action_check             -     -     x     x     x     x     -      -
    action_reopen            -     -     x     x     x     -     -      -
copaco.invoice.contact       -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_invoice           -     -     x     x     x     -     -      -
copaco.invoice.date          -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_invoice           -     -     x     x     x     x     -      -
copaco.layout                -     -     r     r     rwcu  r     -      -
copaco.mail.merge            -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_download          -     -     x     x     x     x     -      -
copaco.margin                -     -     r     r     r     -     -      -
copaco.margin.comparison     -     -     r     r     r     -     -      -
copaco.month                 -     -     r     r     r     -     -      -
    action_confirm_incomplete - -    x     x     x     -     -      -
    action_confirm_no_invoices - -   x     x     x     -     -      -
    action_fetch             -     -     x     x     x     -     -      -
copaco.overview              -     -     r     r     r     -     -      -
copaco.overview.line         -     -     r     r     r     -     -      -
copaco.plan                  -     -     r     r     rw    -     -      -
    action_accept            -     -     -     -     x     -     -      -
    action_process_drafts    -     -     x     x     x     -     -      -
copaco.preview               -     -     rwcu  rwcu  rwcu  -     -      -
    action_fetch             -     -     x     x     x     -     -      -
    action_import_file       -     -     x     x     x     -     -      -
    action_preview           -     -     x     x     x     -     -      -
    action_try_examples      -     -     x     x     x     -     -      -
copaco.preview.document      -     -     r     r     r     -     -      -
copaco.preview.line          -     -     r     r     r     -     -      -
copaco.preview.outcome       -     -     r     r     r     -     -      -
copaco.rule                  -     -     r     r     rwcu  -     -      -
    action_process_drafts    -     -     x     x     x     -     -      -
copaco.run                   -     -     r     r     r     -     -      -
    action_acknowledge       -     -     x     x     x     -     -      -
    action_download          -     -     x     x     x     -     -      -
    action_fetch             -     -     x     x     x     x     -      -
copaco.setup                 -     -     -     -     rwcu  -     -      -
    action_back              -     -     -     -     x     -     -      -
    action_next              -     -     -     -     x     -     -      -
    action_open              -     -     -     -     x     -     -      -
    action_preview           -     -     -     -     x     -     -      -
    action_test              -     -     -     -     x     -     -      -
    action_try_examples      -     -     -     -     x     -     -      -
    action_use_customer_invoices - - -    -     x     -     -      -
    action_use_services      -     -     -     -     x     -     -      -
copaco.upload                -     -     rwcu  rwcu  rwcu  rwu   -      -
    action_preview           -     -     x     x     x     -     -      -
    action_upload            -     -     x     x     x     -     -      -
"""
ROWS = [" ".join(row.split()) for row in TABLE.strip().splitlines()]


@tagged("post_install", "-at_install")
class TestSecurityMatrix(RemoteCase):
    """The rights over HTTP: exactly what the table says, for every model and every
    method that there is."""

    maxDiff = None

    def test_each_role_may_what_the_table_says_and_nothing_else(self):
        found = {}
        for role in GROUPS:
            self.become(role)
            for name in self.get_models():
                record = self.get_record(name, role)
                self.assertTrue(record, f"There is no {name} to try it with.")
                cell = self.find_operations(name, record)
                found.setdefault(name, []).append(cell or "-")
                for method in self.get_methods(name):
                    cells = found.setdefault(f"{name} {method}", [])
                    cells.append("x" if self.is_callable(record, method) else "-")
        rows = [" ".join(GROUPS)]
        rows += [" ".join([name.split()[-1], *cells]) for name, cells in found.items()]
        self.assertEqual(rows, ROWS)

    def test_a_dialog_and_what_is_in_it_are_seen_by_who_opened_it_alone(self):
        """An uploaded file has the prices of a whole company."""
        dialogs = [
            self.get_record(name, "bill")
            for name in self.get_models()
            if self.env[name]._transient
        ]
        for role in ("book", "admin", "other"):
            self.become(role)
            for dialog in dialogs:
                for call in (
                    ("read", dialog.ids, ["display_name"]),
                    ("write", dialog.ids, {}),
                    ("unlink", dialog.ids),
                ):
                    with self.subTest(role=role, model=dialog._name, call=call):
                        with self.undone(), self.assertRaises(Refused):
                            self.call(dialog._name, *call)
            (upload,) = (each for each in dialogs if each._name == "copaco.upload")
            url = f"/web/content/copaco.upload/{upload.id}/content"
            self.assertEqual(self.url_open(url).status_code, 404)

    def test_a_dialog_about_another_companys_records_does_nothing(self):
        self.become("other")
        dialog = self.get_record("copaco.exclude", "other")
        self.call("copaco.exclude", "action_exclude", dialog.ids)
        self.assertEqual(self.document.state, "held")

    def test_whoever_asks_for_a_window_is_told_nothing_that_is_in_it(self):
        for role in GROUPS:
            self.become(role)
            for name in self.get_models():
                record = self.get_record(name, role)
                for method in self.get_methods(name, windows=True):
                    try:
                        window = self.call(name, method, record.ids)
                    except Refused:
                        continue
                    self.assertEqual(window["type"], "ir.actions.act_window")
                    self.assertNotIn("Customer A1", str(window))
                    self.assertNotIn("INV-1", str(window))

    def test_a_key_of_odoos_own_opens_no_other_door(self):
        """Odoo's newer interface for programs, with a key for each user."""
        for role, user in self.users.items():
            key = (
                self.env["res.users.apikeys"]
                .with_user(user)
                .sudo()
                ._generate(None, "test", fields.Datetime.now() + timedelta(days=1))
            )
            self.authenticate(None, None)
            for name in self.get_models():
                record = self.get_record(name, role)
                readers = next(row for row in ROWS if row.split()[0] == name)
                may_read = "r" in readers.split()[list(GROUPS).index(role) + 1]
                for method, values in (
                    ("read", {"ids": record.ids, "fields": ["display_name"]}),
                    ("write", {"ids": record.ids, "vals": {"state": "done"}}),
                ):
                    with self.subTest(role=role, model=name, method=method):
                        with self.undone(), mute_logger("odoo.http"):
                            status = self.url_open(
                                f"/json/2/{name}/{method}",
                                json=values,
                                headers={"Authorization": f"Bearer {key}"},
                            ).status_code
                        if method == "read":
                            self.assertEqual(status, 200 if may_read else 403)
                        elif "state" in record._fields:
                            self.assertEqual(status, 403)
        self.authenticate(None, None)
        answer = self.url_open("/json/2/copaco.document/search", json={"domain": []})
        self.assertEqual(answer.status_code, 401)

    # What there is

    def get_models(self):
        """:return: sorted list of the names of our models that have records"""
        return sorted(
            name
            for name, model in self.registry.items()
            if model._original_module == "account_copaco" and not model._abstract
        )

    def get_methods(self, name, windows=False):
        """:param windows: those that only say where to look; else: all others
        :return: sorted list of our own methods of a model that can be called remotely
        """
        return sorted(
            method
            for cls in self.registry[name].mro()
            if cls.__module__.startswith("odoo.addons.account_copaco")
            for method, function in vars(cls).items()
            if inspect.isfunction(function)
            and not method.startswith("_")
            and method.startswith("action_view_") == windows
            and not hasattr(BaseModel, method)
        )

    @cached_property
    def preview(self):
        return (
            self.env["copaco.preview"]
            .sudo()
            .create(
                {
                    "connection_id": self.connection.id,
                    "date_from": date.today(),
                    "document_ids": [Command.create({"outcome": "held"})],
                }
            )
        )

    def get_values(self, name):
        """:return: values with which a record of this model can be created"""
        connection = {"connection_id": self.connection.id}
        return {
            "copaco.connection": {
                "name": "Another",
                "company_id": self.company.id,
                "product_id": self.product.id,
            },
            "copaco.api.key": connection,
            "copaco.layout": {"name": "Another"},
            "copaco.setup": connection,
            "copaco.fetch": {**connection, "date_from": str(date.today())},
            "copaco.preview": {**connection, "date_from": str(date.today())},
            "copaco.preview.outcome": {
                "preview_id": self.preview.id,
                "outcome": "held",
            },
            "copaco.preview.document": {
                "preview_id": self.preview.id,
                "outcome": "held",
            },
            "copaco.preview.line": {
                "preview_document_id": self.preview.document_ids[:1].id
            },
            "copaco.exclude": {
                "reason": "By hand",
                "document_ids": [(6, 0, self.document.ids)],
            },
            "copaco.invoice.contact": {
                "document_id": self.document.id,
                "partner_id": self.partner_a.id,
                "invoice_date": str(date.today()),
            },
            "copaco.invoice.date": {
                "invoice_date": str(date.today()),
                "document_ids": [(6, 0, self.document.ids)],
            },
            "copaco.mail.merge": {
                "selected_move_ids": [
                    (6, 0, self.env["copaco.delivery"].sudo().search([]).move_id.ids)
                ]
            },
            "copaco.upload": {
                **connection,
                "kind": "specification",
                "content": "eyJJbnZvaWNlcyI6IFtdfQ==",
            },
        }.get(name, {})

    def get_record(self, name, role):
        """:return: the record that is there already, or a dialog of this user"""
        Model = self.env[name].sudo()
        if Model._transient:
            user = self.users.get(role, self.env.user)
            return Model.with_user(user).sudo().create(self.get_values(name))
        return Model.search([], limit=1)

    # What is possible

    def find_operations(self, name, record):
        """:return: the letters of what the user may do, whichever way it is tried"""
        ids, values = record.ids, self.get_values(name)
        domain = [("id", "in", ids)]
        ways = {
            "r": [
                ("read", ids, ["display_name"]),
                ("search_read", domain, ["display_name"]),
                ("web_read", ids, {"display_name": {}}),
            ],
            "w": [("write", ids, {}), ("web_save", ids, {}, {})],
            "c": [("create", values), ("web_save", [], values, {})],
            "u": [("unlink", ids)],
        }
        if not record._transient:
            ways["c"].append(("copy", ids))
        found = ""
        for letter, calls in ways.items():
            answers = {call[0]: self.is_allowed(name, *call) for call in calls}
            self.assertEqual(len({*answers.values()}), 1, f"{name}: {answers}")
            found += letter * answers.popitem()[1]
        return found

    def is_callable(self, record, method):
        is_model = getattr(getattr(record, method), "_api_model", False)
        return self.is_allowed(
            record._name, method, *([] if is_model else [record.ids])
        )

    def is_allowed(self, name, method, *arguments):
        with self.undone(), mute_logger("odoo.sql_db", "odoo.addons.account_copaco"):
            try:
                answer = self.call(name, method, *arguments)
            except Refused:
                return False
        return bool(answer) if method == "search_read" else True
