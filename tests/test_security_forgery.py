from datetime import date

from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import price_line
from .remote import Refused, RemoteCase

CUSTOMER_FIELDS = {
    *("partner_id", "layout_id", "invoice_grouping"),
    *("buyer_reference", "po_number", "is_po_number_required", "is_split_by_po"),
}
# What a person decides; everything else that is stored is Copaco's or ours. The
# dialogs are the user's own, so they are no part of this.
WRITABLE = {
    "copaco.connection": {
        "admin": {
            # Not its company, and no address, journal or overlap that makes no sense.
            *("name", "active", "responsible_id", "product_id", "invoice_policy"),
            *("specification_path", "purchase_path", "example_path"),
            # It has fetched, so not where that began.
            *("auth_method", "auth_name", "api_key_expiry", "retention_months"),
            *("totals_tolerance", "weekly_digest", "send_zero_totals"),
            *("source", "customer_invoice_path", "vat_check", "payment_term_id"),
            *("unmatched_policy", "fetch_purchases", "purchase_policy"),
            *("purchase_journal_id", "bill_layout", "margin_threshold"),
            *("wait_for_month", "wait_days", "date_tolerance_days", "layout_id"),
            *("jump_limit", "jump_amount", "setup_step", "invoice_grouping"),
        }
    },
    "copaco.layout": {
        "admin": {
            *("name", "sequence", "active", "company_id", "section_by"),
            *("subsection_by", "line_order", "usage", "zero_lines"),
            *("vendor_details", "subscription_details", "has_number"),
            *("line_text", "heading_first", "heading_recurring", "heading_once"),
            *("heading_usage", "heading_change", "heading_other", "heading_total"),
            "heading_zero",
        }
    },
    "copaco.plan": {"admin": {"product_id"}},
    "copaco.rule": {
        "admin": {
            *("sequence", "active", "company_id", "connection_id", "customer_id"),
            *("plan_ref", "plan_category", "text_contains", "charge_type"),
            *("billing_frequency", "product_id", "account_id", "expense_account_id"),
            "margin_threshold",
        }
    },
    "copaco.customer": {
        **dict.fromkeys(("bill", "book"), CUSTOMER_FIELDS),
        "admin": CUSTOMER_FIELDS | {"invoice_policy"},
    },
    "copaco.finding": dict.fromkeys(("bill", "book", "admin"), {"reason"}),
    "account.move.line": dict.fromkeys(
        ("bill", "book", "admin"), {"copaco_vendor_details"}
    ),
}
# What the promises are about: no forged value may show in any of it.
TABLES = (
    *("copaco_run", "copaco_document", "copaco_document_line"),
    *("copaco_document_version", "copaco_declined_charge", "copaco_customer"),
)


@tagged("post_install", "-at_install")
class TestSecurityForgery(RemoteCase):
    """Nobody makes, deletes or forges what was received, what became of it, or the
    links between them, by whatever door."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Rightful")
        self.document.customer_id.sudo().partner_id = self.partner
        with self.committing(self.document) as document:
            document.with_user(self.billing_user).action_retry()
        self.assertEqual(self.document.state, "invoiced")
        self.move = self.document.move_id

    def take_snapshot(self):
        """:return: dict of all rows of our tables by table"""
        self.env.flush_all()
        rows = {}
        for table in TABLES:
            self.env.cr.execute(
                SQL("SELECT * FROM %s ORDER BY id", SQL.identifier(table))
            )
            rows[table] = self.env.cr.fetchall()
        self.env.cr.execute(
            "SELECT id, copaco_document_id, state FROM account_move "
            "WHERE copaco_document_id IS NOT NULL ORDER BY id"
        )
        rows["account_move"] = self.env.cr.fetchall()
        return rows

    def try_to(self, *call, **values):
        """Call a method, whatever comes of it."""
        with mute_logger("odoo.sql_db", "odoo.addons.account_copaco"):
            try:
                return self.call(*call, **values)
            except Refused:
                return None

    def get_fields(self):
        """Yield a record and a field for each stored field that this addon has, on
        whichever model."""
        for name, Model in sorted(self.registry.items()):
            if Model._abstract or Model._transient:
                continue
            record = {
                "account.move": self.move,
                "account.move.line": self.move.invoice_line_ids[:1],
                "res.partner": self.partner,
            }.get(name)
            is_ours = Model._original_module == "account_copaco"
            for field in Model._fields.values():
                if (
                    "account_copaco" in field._modules
                    and field.name not in MAGIC_COLUMNS
                    and (field.store or field.inverse)
                    and (is_ours or record)
                ):
                    yield record or self.env[name].search([], limit=1), field

    def forge(self, record, field):
        """:return: values that differ from what the field has"""
        value = record.sudo()[field.name]
        if field.type in ("one2many", "many2many"):
            forged = {"state": "excluded"} if "state" in value._fields else {"name": 1}
            return [
                *([[Command.update(value[:1].id, forged)]] if value else []),
                *([[Command.delete(value[:1].id)]] if value else []),
                [Command.clear()],
                [Command.create({})],
            ]
        if field.type == "many2one":
            others = self.env[field.comodel_name].sudo().search([], limit=5) - value
            return [False, *others[:1].ids]
        if field.type == "selection":
            keys = field.get_values(self.env)
            return [key for key in keys if key != value] + [False]
        return {
            "boolean": [not value],
            "integer": [424242],
            "float": [4242.42],
            "monetary": [4242.42],
            "date": ["2001-02-03"],
            "datetime": ["2001-02-03 04:05:06"],
        }.get(field.type, ["forged", False])

    def test_only_what_a_person_decides_can_be_written(self):
        tried = 0
        for role in ("bill", "book", "admin"):
            self.become(role)
            found = {}
            for record, field in self.get_fields():
                before = record.sudo()[field.name]
                for forged in self.forge(record, field):
                    tried += 1
                    with self.undone():
                        vals = {field.name: forged}
                        self.try_to(record._name, "write", record.ids, vals)
                        if record.sudo().exists()[field.name] != before:
                            found.setdefault(record._name, set()).add(field.name)
            expected = {name: roles.get(role) for name, roles in WRITABLE.items()}
            self.assertEqual(found, {k: v for k, v in expected.items() if v}, role)
        self.assertGreater(tried, 500)

    def test_a_new_connection_does_not_say_what_was_never_done(self):
        self.become("admin")
        values = {
            "name": "Another",
            "company_id": self.company.id,
            "product_id": self.product.id,
        }
        for name, forged in (
            ("fetched_until", "2001-02-03"),
            ("api_key_hint", "forg"),
            ("origin", "https://forged.example"),
            ("months_without_invoices", ["2001-02-01"]),
        ):
            with self.subTest(field=name), self.undone():
                with self.assertRaisesRegex(Refused, name):
                    self.call("copaco.connection", "create", {**values, name: forged})
                with self.assertRaisesRegex(Refused, name):
                    self.call(
                        *("copaco.connection", "copy", self.connection.ids),
                        {name: forged},
                    )
                self.env["ir.default"].with_user(self.users["admin"]).set(
                    "copaco.connection", name, forged, user_id=True
                )
                for context in ({}, {f"default_{name}": forged}):
                    connection_id = self.call(
                        *("copaco.connection", "create", values), context=context
                    )
                    connection = self.env["copaco.connection"].browse(connection_id)
                    self.assertNotEqual(str(connection[name]), str(forged))
                    self.assertEqual(connection.origin, "https://api.copaco.cloud")

    def test_where_fetching_began_can_not_be_changed_afterwards(self):
        before = self.connection.import_from
        self.become("admin")
        for forged in ("2001-02-03", False):
            self.call(
                *("copaco.connection", "write", self.connection.ids),
                {"import_from": forged},
            )
            self.assertIn("Fetch period", self.last_answer)
            self.assertEqual(self.connection.import_from, before)
        self.call(
            *("copaco.connection", "write", self.connection.ids),
            {"import_from": str(before), "name": "Renamed"},
        )
        self.assertEqual(self.connection.name, "Renamed")

    def test_no_other_door_leads_to_what_came(self):
        document, move = self.document, self.move
        line = move.invoice_line_ids
        invoice = {"move_type": "out_invoice", "partner_id": self.partner.id}
        forged = {"state": "excluded", "payload": "{}", "amount_source": 1}
        link = {"copaco_document_id": document.id}
        line_link = {"copaco_line_id": document.line_ids.id}
        values = {
            "run_id": document.run_id.id,
            "connection_id": self.connection.id,
            "company_id": self.company.id,
            "invoice_number": "FORGED",
        }
        doors = [
            ("copaco.document", "web_save", document.ids, forged, {}),
            ("copaco.document", "create", [values]),
            ("copaco.document", "copy", document.ids),
            ("copaco.document", "load", [".id", "state"], [[document.id, "held"]]),
            ("copaco.document", "name_create", "FORGED"),
            ("copaco.document", "unlink", document.ids),
            ("copaco.document", "_set_invoiced", document.ids),
            ("copaco.run", "_store", document.run_id.ids, None),
            ("account.move", "create", [{**invoice, **link}]),
            ("account.move", "copy", move.ids, link),
            ("account.move", "web_save", move.ids, link | {"ref": "x"}, {}),
            (
                "account.move",
                "create",
                [{**invoice, "invoice_line_ids": [[0, 0, line_link]]}],
            ),
            (
                "account.move",
                "web_save",
                move.ids,
                {"invoice_line_ids": [[1, line.id, {"copaco_line_id": False}]]},
                {},
            ),
            ("account.move.line", "create", [{"move_id": move.id, **line_link}]),
            ("account.move.line", "copy", line.ids, line_link),
            (
                "res.partner",
                "write",
                self.partner.ids,
                {
                    "copaco_customer_ids": [
                        [1, document.customer_id.id, {"state": "excluded"}],
                        [0, 0, {"account_ref": "FORGED"}],
                    ]
                },
            ),
            *(
                ("copaco.connection", "write", self.connection.ids, {name: [command]})
                for name in ("document_ids", "run_ids")
                for command in (
                    [0, 0, values],
                    [1, self.connection[name][0].id, {"state": "done"}],
                    [2, self.connection[name][0].id],
                    [5],
                )
            ),
        ]
        for role in ("bill", "admin"):
            self.become(role)
            for door in doors:
                with self.subTest(role=role, door=door), self.undone():
                    before = self.take_snapshot()
                    self.try_to(*door)
                    self.assertEqual(self.take_snapshot(), before)

    def test_what_is_no_contact_links_nobody(self):
        customer = self.document.customer_id.sudo()
        self.become("bill")
        for value in ("x", str(self.partner.id), {"id": self.partner.id}, False):
            with self.subTest(value=value), self.undone():
                self.call(
                    "copaco.customer", "write", customer.ids, {"partner_id": value}
                )
                self.assertRecordValues(
                    customer,
                    [
                        {
                            "partner_id": False,
                            "state": "unmatched",
                            "match_method": False,
                        }
                    ],
                )

    def test_a_default_makes_no_link_either(self):
        for model, field, record in (
            ("account.move", "copaco_document_id", self.document),
            ("account.move.line", "copaco_line_id", self.document.line_ids),
        ):
            for role in ("bill", "admin"):
                self.become(role)
                for context in ({}, {f"default_{field}": record.id}):
                    with self.subTest(role=role, field=field, context=context):
                        with self.undone():
                            if not context:
                                self.call(
                                    *("ir.default", "set", model, field, record.id),
                                    user_id=True,
                                )
                            self.try_to(
                                "account.move",
                                "create",
                                {
                                    "move_type": "out_invoice",
                                    "partner_id": self.partner.id,
                                    "invoice_line_ids": [[0, 0, {"name": "Own"}]],
                                },
                                context=context,
                            )
                            self.assertEqual(record.search_count([]), 1)
                            links = self.env[model].search([(field, "=", record.id)])
                            self.assertEqual(len(links), 1)

    def test_a_default_makes_no_link_in_an_import(self):
        for model, field, record in (
            ("account.move", "copaco_document_id", self.document),
            ("account.move.line", "copaco_line_id", self.document.line_ids),
        ):
            self.env["ir.default"].with_user(self.users["bill"]).set(
                model, field, record.id, user_id=True
            )
        self.add_invoice("INV-2", "A1", [price_line("8")], created=date.today())
        self.become("bill")
        self.call("copaco.connection", "action_fetch", self.connection.ids)
        move = (self.documents - self.document).move_id
        self.assertEqual(len(move.line_ids), 3)
        self.assertEqual(len(move.line_ids.filtered("copaco_line_id")), 1)

    def test_the_response_stays_as_it_was_received(self):
        answer = self.document.run_id.payload_id
        before = answer.raw
        for role in ("bill", "book", "admin", "other", "clerk"):
            self.become(role)
            for method, arguments in (
                ("write", [{"raw": "forged"}]),
                ("write", [{"res_model": False, "res_id": False}]),
                ("write", [{"public": True}]),
                ("unlink", []),
            ):
                with self.subTest(role=role, method=method, values=arguments):
                    with self.assertRaises(Refused):
                        self.call("ir.attachment", method, answer.ids, *arguments)
                    self.assertEqual(answer.raw, before)
        for role in ("other", "clerk", "audit", "portal", "public"):
            self.become(role)
            with self.subTest(role=role):
                with self.assertRaises(Refused):
                    self.call("ir.attachment", "read", answer.ids, ["raw"])
                status = self.url_open(f"/web/content/{answer.id}").status_code
                self.assertEqual(status, 404)
