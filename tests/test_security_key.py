import gzip
import io
import json
import logging
from contextlib import contextmanager

from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.profiler import Profiler

from .remote import GROUPS, Refused, RemoteCase
from .simulator import Simulator

KEY = "geheim-0123456789/+sleutel"
# As it stands in a URL.
QUOTED = "geheim-0123456789%2F%2Bsleutel"


@tagged("post_install", "-at_install")
class TestSecurityKey(RemoteCase):
    """Promise 9: the key can be set and replaced, never read back."""

    def setUp(self):
        super().setUp()
        self.connection.api_key = KEY
        self.users["bill"].group_ids += self.env.ref("base.group_allow_export")
        self.users["admin"].group_ids += self.env.ref("base.group_allow_export")
        self.users["admin"].group_ids += self.env.ref("base.group_system")

    def assert_hidden(self, text):
        """Check that the key isn't in a text."""
        for form in (KEY, QUOTED):
            place = text.find(form)
            # Not the whole text: it may be megabytes.
            self.assertEqual(place, -1, text[max(place - 200, 0) : place + 60])

    @contextmanager
    def everything_logged(self):
        """Yield a stream that all that is logged goes to meanwhile, at any level."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        # Odoo's test runner notes every request that leaves.
        handler.addFilter(lambda record: not record.name.startswith("odoo.tests"))
        root = logging.getLogger()
        loggers = [root, *map(logging.getLogger, list(root.manager.loggerDict))]
        levels = [(logger, logger.level) for logger in loggers]
        usual_handlers, root.handlers = root.handlers, [handler]
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        try:
            yield stream
        finally:
            root.handlers = usual_handlers
            for logger, level in levels:
                logger.setLevel(level)

    def test_one_column_of_the_whole_database_has_it(self):
        for method in ("bearer", "query"):
            self.connection.write({"auth_method": method, "auth_name": "code"})
            self.fetch(expect_failure=True)
        self.env.cr.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm') ORDER BY 1"
        )
        tables = [name for (name,) in self.env.cr.fetchall()]
        self.assertIn("mail_message", tables)
        found = {}
        for table in tables:
            self.env.cr.execute(
                SQL(
                    "SELECT to_jsonb(t)::text FROM %s t WHERE to_jsonb(t)::text ~ %s",
                    SQL.identifier(table),
                    "geheim-0123456789",
                )
            )
            for (text,) in self.env.cr.fetchall():
                values = json.loads(text)
                names = [name for name in values if "geheim" in str(values[name])]
                found.setdefault(table, set()).update(names)
        self.assertEqual(found, {"copaco_connection": {"api_key_secret"}})

    def test_no_file_has_it(self):
        files = self.env["ir.attachment"].search([("res_model", "like", "copaco")])
        self.assertTrue(files)
        for attachment in files:
            self.assert_hidden(gzip.decompress(attachment.raw).decode())

    def test_no_role_reads_it_in_any_field_of_any_model(self):
        models = [name for name in self.registry if name.startswith("copaco.")]
        models += ["ir.attachment", "mail.message", "ir.model.fields", "ir.default"]
        answers = 0
        for role in GROUPS:
            self.become(role)
            for name in models:
                if self.env[name]._abstract:
                    continue
                domain = [] if name.startswith("copaco.") else [("id", "!=", 0)]
                fields = [
                    field.name
                    for field in self.env[name]._fields.values()
                    if field.type != "binary"
                ]
                for call in (
                    (name, "search_read", domain, fields),
                    (name, "fields_get"),
                    (name, "default_get", list(self.env[name]._fields)),
                ):
                    try:
                        self.call(*call)
                    except Refused:
                        continue
                    answers += 1
                    self.assert_hidden(self.last_answer)
        self.assertGreater(answers, 50)

    def test_no_export_has_it(self):
        names = list(self.connection._fields)
        for role in ("bill", "admin"):
            self.become(role)
            self.call("copaco.connection", "export_data", self.connection.ids, names)
            self.assert_hidden(self.last_answer)
            for fields in (names, ["api_key_secret"]):
                data = {
                    "model": "copaco.connection",
                    "fields": [{"name": name, "label": name} for name in fields],
                    "ids": self.connection.ids,
                    "domain": [],
                    "import_compat": False,
                }
                values = {
                    "data": json.dumps(data),
                    "csrf_token": Request.csrf_token(self),
                }
                with mute_logger("odoo.http", "odoo.addons.web.controllers.export"):
                    answer = self.url_open("/web/export/csv", data=values)
                self.assert_hidden(answer.text)

    def test_nobody_guesses_it_by_searching(self):
        """A search that finds more for a right guess than for a wrong one would tell
        the key letter by letter."""
        self.become("admin")
        for field in ("api_key", "api_key_secret"):
            for operator in ("=", "like", "=like", ">=", "in"):
                answers = []
                for guess in (KEY, "wrong"):
                    value = guess[:5] + "%" if "like" in operator else guess
                    value = [value] if operator == "in" else value
                    answers.append(self.search([(field, operator, value)]))
                with self.subTest(field=field, operator=operator):
                    self.assertEqual(*answers)
        for order in ("api_key", "api_key_secret"):
            self.assertEqual(self.search([], order=order), None)

    def search(self, domain, **options):
        """:return: ids; None when the server doesn't know such a search"""
        parameters = {
            "model": "copaco.connection",
            "method": "search",
            "args": [domain],
            "kwargs": options,
        }
        with mute_logger("odoo.http"):
            answer = self.url_open(
                "/web/dataset/call_kw", json={"params": parameters}
            ).json()
        return answer.get("result")

    def test_whoever_sets_it_is_not_told_it(self):
        self.become("admin")
        connection = {"connection_id": self.connection.id}
        specification = {
            "api_key": {},
            "duplicate_message": {},
            "connection_id": {"fields": {"api_key": {}}},
        }
        for key in (KEY, f"{KEY}\n\0", f"{KEY}é", f"{KEY} {KEY}", f"'{KEY}\\"):
            values = {"api_key": key}
            own = connection | values
            for call in (
                ("copaco.api.key", "web_save", [], own, specification),
                ("copaco.api.key", "onchange", [], own, ["api_key"], specification),
                (
                    *("copaco.api.key", "load", ["connection_id/.id", "api_key"]),
                    [list(own.values())],
                ),
                (
                    *("copaco.connection", "web_save", self.connection.ids, values),
                    {"api_key": {}, "api_key_hint": {}},
                ),
            ):
                with self.subTest(call=call), self.everything_logged() as log:
                    self.call(*call)
                    self.assert_hidden(self.last_answer)
                    self.assertTrue("call copaco." in log.getvalue(), "no log")
                    self.assert_hidden(log.getvalue())
        self.assertEqual(
            self.env["copaco.key.store"]._read(self.connection), f"'{KEY}\\"
        )

    def ask_about_key(self, connection, key):
        """Type a key into the dialog of a connection, and don't save it.

        :return: what the dialog warns of
        """
        specification = {"api_key": {}, "duplicate_message": {}, "connection_id": {}}
        values = {"connection_id": connection.id, "api_key": key}
        with self.everything_logged() as log:
            answer = self.call(
                *("copaco.api.key", "onchange", [], values, ["api_key"], specification)
            )
        self.assertIn("call copaco.api.key", log.getvalue())
        self.assertIn("SELECT id, api_key_secret", log.getvalue())
        self.assert_hidden(log.getvalue())
        self.assert_hidden(self.last_answer)
        return answer["value"].get("duplicate_message") or ""

    def test_a_key_that_another_connection_uses_is_warned_of_before_it_is_saved(self):
        second = self._create_connection(name="Second", base_url=self.simulator.url)
        self.become("admin")
        self.assertFalse(self.ask_about_key(second, "another-key-0123456789"))
        self.assertFalse(self.ask_about_key(second, KEY[:-1]))
        self.assertFalse(self.ask_about_key(second, "\ud800"), "what is no text")
        self.assertFalse(self.ask_about_key(self.connection, KEY), "its own")
        for active in (True, False):
            self.connection.active = active
            for key in (KEY, f" {KEY}\n"):
                message = self.ask_about_key(second, key)
                self.assertIn(f"Test ({self.company.name})", message)
        self.assertFalse(self.env["copaco.key.store"]._read(second), "nothing is saved")
        second.base_url = "https://test.copaco.example/"
        self.assertFalse(self.ask_about_key(second, KEY), "another server")

    def test_a_connection_that_the_user_does_not_see_is_not_named(self):
        hidden = self._create_connection(
            name="Hidden", company_id=self.other_company.id, base_url=self.simulator.url
        )
        hidden.api_key = "hidden-key-0123456789"
        second = self._create_connection(name="Second", base_url=self.simulator.url)
        self.become("admin")
        message = self.ask_about_key(second, "hidden-key-0123456789")
        self.assertIn("another company", message)
        self.assertNotIn("Hidden", message)
        self.assertNotIn(self.other_company.name, message)
        for role in ("bill", "book"):
            self.become(role)
            with self.assertRaises(Refused):
                self.ask_about_key(second, "hidden-key-0123456789")

    def test_whoever_saves_at_once_is_warned_too(self):
        second = self._create_connection(name="Second", base_url=self.simulator.url)
        for key, tag in ((KEY, "display_notification"), ("other-key", "soft_reload")):
            wizard = self.env["copaco.api.key"].create(
                {"connection_id": second.id, "api_key": key}
            )
            action = wizard.action_save()
            self.assertEqual(action["tag"], tag)
            self.assert_hidden(str(action))

    def test_a_server_where_another_connection_uses_the_key_is_warned_of(self):
        second = self._create_connection(
            name="Second", base_url="https://test.copaco.example/"
        )
        second.api_key = KEY
        for url, is_warned in (
            (self.simulator.url, True),
            ("https://elsewhere.copaco.example/", False),
        ):
            self.become("admin")
            with self.subTest(url=url), self.everything_logged() as log:
                answer = self.call(
                    *("copaco.connection", "onchange", second.ids, {"base_url": url}),
                    *(["base_url"], {"base_url": {}, "api_key": {}}),
                )
                self.assert_hidden(log.getvalue())
                self.assert_hidden(self.last_answer)
                message = answer.get("warning", {}).get("message", "")
                self.assertEqual("Test (" in message, is_warned)

    def test_no_profile_of_odoos_has_it(self):
        """Odoo's profiler keeps statements with their values, to be passed on."""
        with Profiler(collectors=["sql"], db=None) as profiler:
            self.connection.api_key = f"'{KEY}"
            self.connection.flush_recordset()
        entries = str(profiler.collectors[0].entries)
        self.assertIn("api_key_hint", entries)
        self.assert_hidden(entries)

    def test_no_log_at_any_level_has_it_when_it_is_used(self):
        # Some of these answers are asked for again and again.
        self.limit_client(first_wait=0)
        self.connection.write({"auth_name": "code"})
        self.become("admin")
        for method in ("bearer", "x_api_key", "header", "query"):
            self.connection.auth_method = method
            for fault, options in (
                (None, {}),
                ("status", {"status": 500}),
                ("redirect", {"location": f"/elsewhere?code={QUOTED}"}),
                ("drop", {"share": None}),
                ("html", {}),
            ):
                with Simulator(
                    customers=1, api_key=KEY, auth_method=method, auth_name="code"
                ) as simulator:
                    with self.undone():
                        # No write(): moving to another host forgets the key.
                        self.env.cr.execute(
                            "UPDATE copaco_connection SET base_url = %s",
                            [simulator.url],
                        )
                        self.env.invalidate_all()
                        if fault:
                            simulator.misbehave(fault, times=None, **options)
                        with self.subTest(method=method, fault=fault):
                            with self.everything_logged() as log:
                                for action in (
                                    "action_fetch",
                                    "action_test_connection",
                                ):
                                    self.call(
                                        "copaco.connection", action, self.connection.ids
                                    )
                                    self.assert_hidden(self.last_answer)
                            self.assertIn("GET customer-specifications", log.getvalue())
                            self.assertIn("SELECT api_key_secret", log.getvalue())
                            self.assert_hidden(log.getvalue())
                self.assertTrue(simulator.requests[0].authorized)

    def test_another_host_gets_nothing_and_is_not_even_asked(self):
        with Simulator(customers=1) as elsewhere:
            port = elsewhere.url.rsplit(":", 1)[1]
            for method in ("bearer", "header", "query"):
                self.connection.write({"auth_method": method, "auth_name": "code"})
                for location in (
                    elsewhere.url,
                    f"//127.0.0.1:{port}",
                    f"http://localhost:{port}",
                    f"{self.connection.base_url.rstrip('/')}@127.0.0.1:{port}",
                ):
                    for status in (301, 302, 303, 307, 308):
                        self.simulator.behave()
                        self.simulator.misbehave(
                            "redirect", times=None, location=location, status=status
                        )
                        with self.subTest(method=method, location=location):
                            self.assertEqual(
                                self.fetch(expect_failure=True).state, "failed"
                            )
            self.assertEqual(elsewhere.requests, [])
