import logging

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, new_test_user, tagged

from .common import CopacoCommon, price_line

KEY = "very-secret-0123456789-KEY"
MODELS = (
    "copaco.connection",
    "copaco.run",
    "copaco.document",
    "copaco.document.line",
    "copaco.document.version",
    "copaco.customer",
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestSecurity(CopacoCommon):
    """Promise 9 and section 10 of doc/how_it_works.rst: who may do what."""

    def fill(self):
        self.add_invoice("INV-1", "A1", [price_line("10")])
        self.fetch()

    def test_nobody_reads_the_key(self):
        self.connection.api_key = KEY
        administrator = self.env.ref("base.user_admin")
        administrator.company_ids += self.company
        for user in (self.env.user, administrator, self.billing_user):
            connection = self.connection.with_user(user).with_company(self.company)
            with self.subTest(user=user.login):
                # It is in no field, not even for the superuser.
                self.assertNotIn("api_key_secret", connection.fields_get())
                self.assertNotIn("api_key_secret", connection._fields)
                self.assertFalse(connection.api_key)
                self.assertFalse(connection.sudo().api_key)
                with self.assertRaises(ValueError):
                    connection.search([("api_key_secret", "like", "very%")])
                self.assertNotIn(KEY, str(connection.read()))
                self.assertEqual(connection.api_key_hint, "-KEY")
        self.assertNotIn(KEY, str(self.connection.copy_data()))

    def test_the_dialog_passes_the_key_on_and_keeps_nothing(self):
        wizard = self.env["copaco.api.key"].create(
            {"connection_id": self.connection.id, "api_key": KEY}
        )
        wizard.action_save()
        self.assertEqual(self.env["copaco.key.store"]._read(self.connection), KEY)
        self.assertFalse(wizard.api_key)
        self.env.cr.execute("SELECT * FROM copaco_api_key WHERE id = %s", [wizard.id])
        self.assertNotIn(KEY, str(self.env.cr.fetchall()))

    def test_billing_users_neither_set_the_key_nor_change_the_connection(self):
        connection = self.connection.with_user(self.billing_user)
        with self.assertRaises(AccessError):
            connection.api_key = KEY
        with self.assertRaises(AccessError):
            connection.base_url = "https://example.com/"
        with self.assertRaises(AccessError):
            self.env["copaco.api.key"].with_user(self.billing_user).create(
                {"connection_id": connection.id, "api_key": KEY}
            )

    def test_the_key_is_forgotten_when_the_address_moves_to_another_host(self):
        self.connection.api_key = KEY
        self.connection.sudo().fetched_until = "2026-11-20"
        self.connection.base_url = "https://api.copaco.example/v2/"
        self.assertFalse(self.connection.fetched_until, "another portal")
        self.assertFalse(self.env["copaco.key.store"]._read(self.connection))
        self.assertFalse(self.connection.api_key_hint)

    def test_the_key_is_in_no_log_line_and_no_message(self):
        records = []

        class Keep(logging.Handler):
            def emit(self, record):
                records.append(record.getMessage() + str(record.exc_info))

        handler = Keep(logging.DEBUG)
        loggers = [logging.getLogger(name) for name in ("odoo.addons", "urllib3")]
        for logger in loggers:
            level = logger.level
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            self.addCleanup(logger.removeHandler, handler)
            self.addCleanup(logger.setLevel, level)
        for method in ("bearer", "x_api_key", "query"):
            self.connection.write(
                {"api_key": KEY, "auth_method": method, "auth_name": "code"}
            )
            run = self.fetch(expect_failure=True)
            self.assertNotIn(KEY, self.failure + run.message)
        self.assertTrue(self.simulator.requests, "it was really sent")
        self.assertTrue(records, "it was really logged")
        self.assertNotIn(KEY, "\n".join(records))
        messages = self.env["mail.message"].search([("model", "like", "copaco")])
        self.assertNotIn(KEY, str(messages.mapped("body")))

    def test_only_https_except_to_this_machine(self):
        for address in (
            "http://api.copaco.cloud/",
            "ftp://api.copaco.cloud/",
            "file:///etc/passwd",
            "https://user:password@api.copaco.cloud/",
            "https://",
            "http://127.0.0.1.example.com/",
            "https://[",
            "https://api.copaco.cloud/?a=b",
        ):
            with self.subTest(address=address), self.assertRaises(ValidationError):
                self.connection.base_url = address
        for path in ("http://evil.example/", "@evil.example", "a?b", "a\r\nb", ""):
            with self.subTest(path=path), self.assertRaises(ValidationError):
                self.connection.specification_path = path

    def test_a_connection_with_documents_stays_with_its_company(self):
        self.fill()
        other = self.setup_other_company()
        with self.assertRaises(UserError):
            self.connection.write(
                {
                    "company_id": other["company"].id,
                    "journal_id": other["default_journal_sale"].id,
                }
            )

    def test_company_a_sees_nothing_of_company_b(self):
        self.fill()
        other = self.setup_other_company()["company"]
        user = new_test_user(
            self.env,
            "other",
            groups="base.group_user,account.group_account_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        for model in MODELS:
            with self.subTest(model=model):
                records = self.env[model].search([("company_id", "=", self.company.id)])
                self.assertTrue(records or model == "copaco.document.version")
                self.assertFalse(
                    self.env[model].with_user(user).search([("id", "in", records.ids)])
                )
                for record in records:
                    with self.assertRaises(AccessError):
                        record.with_user(user).read(["display_name"])
        for action in ("action_retry", "action_include"):
            with self.assertRaises(AccessError):
                getattr(self.documents.with_user(user), action)()
        with self.assertRaises(AccessError):
            self.connection.with_user(user).action_fetch()
        with self.assertRaises(AccessError):
            self.env["copaco.fetch"].with_user(user).create(
                {"connection_id": self.connection.id, "date_from": "2026-11-01"}
            )

    def test_without_accounting_rights_nothing_is_seen_or_done(self):
        self.fill()
        user = new_test_user(
            self.env, "clerk", groups="base.group_user", company_id=self.company.id
        )
        for model in MODELS:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(user).search([("id", "!=", 0)])
        for call in (
            self.connection.with_user(user).action_fetch,
            self.connection.with_user(user).action_fetch_all,
            self.connection.with_user(user).action_test_connection,
            self.env["account.move"].with_user(user).action_copaco_fetch,
            self.documents.with_user(user).action_retry,
            self.documents.customer_id.with_user(user).action_accept,
        ):
            with self.subTest(call=call.__name__), self.assertRaises(AccessError):
                call()

    def test_nobody_forges_the_link_between_invoice_and_document(self):
        self.create_partner(ref="K-1")
        self.add_invoice(
            "INV-1", "A1", [price_line("10")], customer={"CustomerNumber": "K-1"}
        )
        self.fetch()
        move = self.documents.move_id
        moves = self.env["account.move"].with_user(self.billing_user)
        with self.assertRaises(AccessError):
            move.with_user(self.billing_user).copaco_document_id = False
        values = {"move_type": "out_invoice", "partner_id": move.partner_id.id}
        with self.assertRaises(AccessError):
            moves.create({**values, "copaco_document_id": self.documents.id})
        line = move.with_user(self.billing_user).invoice_line_ids
        with self.assertRaises(AccessError):
            line.copaco_line_id = False
        field = "copaco_document_id"
        self.env["ir.default"].with_user(self.billing_user).set(
            "account.move", field, self.documents.id, user_id=True
        )
        move.button_cancel()
        self.assertFalse(moves.create(values).copaco_document_id)
        self.assertFalse(moves.sudo().create(values).copaco_document_id)
        with self.assertRaises(AccessError):
            moves.with_context(default_copaco_document_id=self.documents.id).create(
                values
            )

    def test_several_invoices_of_ones_own_are_made_in_one_call(self):
        values = {"move_type": "out_invoice", "partner_id": self.create_partner().id}
        moves = self.env["account.move"].with_user(self.billing_user)
        self.assertEqual(len(moves.create([values, values])), 2)

    def test_nobody_makes_deletes_or_forges_what_came(self):
        self.fill()
        for user in (self.billing_user, self.env.user):
            for model in MODELS[1:]:
                records = (
                    self.env[model]
                    .search([("company_id", "=", self.company.id)])
                    .with_user(user)
                    .sudo(False)
                )
                with self.subTest(user=user.login, model=model):
                    with self.assertRaises(AccessError):
                        records.create({})
                    if records:
                        with self.assertRaises(AccessError):
                            records.unlink()
                        with self.assertRaises(AccessError):
                            records.write({"company_id": self.company.id})
            document = self.documents.with_user(user).sudo(False)
            for forged in (
                {"state": "invoiced"},
                {"payload": "{}"},
                {"move_id": False},
                {"amount_source": 0},
            ):
                with self.assertRaises(AccessError):
                    document.write(forged)
            with self.assertRaises(AccessError):
                document.customer_id.write({"state": "matched"})
