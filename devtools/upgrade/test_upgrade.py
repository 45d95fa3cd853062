"""What became of a database of an earlier revision, see `before`."""

import json
import os
import re
import unittest
from contextlib import contextmanager
from pathlib import Path

import odoo.service.server
from odoo import api
from odoo.modules.registry import Registry
from odoo.tools import config

from . import portal
from .before import fetch, get_documents
from .rows import TABLES, read_rows

DATABASE = os.environ["COPACO_DATABASE"]
# Written whenever something is.
STAMPS = {"write_date", "write_uid"}
# Columns of fields that are gone.
DROPPED = {("copaco_document", "amount_exact")} | {
    ("copaco_run", name) for name in ("seen_ids", "seen_state")
}
CRONS = {
    "ir_cron_fetch": ("Our nightly fetch", "model._cron_fetch()", True),
    "ir_cron_run": (
        "Copaco: resume interrupted fetches",
        "model._cron_execute()",
        True,
    ),
    "ir_cron_process": ("Copaco: create invoices", "model._cron_process()", True),
    "ir_cron_check_alerts": (
        "Copaco: check alerts",
        "model._cron_check_alerts()",
        True,
    ),
    "ir_cron_weekly_digest": (
        "Copaco: weekly digest",
        "model._cron_weekly_digest()",
        False,
    ),
}


def setUpModule():
    global before, after
    config.parse_config(["-d", DATABASE])
    odoo.service.server.load_server_wide_modules()
    before = json.loads(Path(os.environ["COPACO_NOTES"]).read_text())
    with environment() as env:
        after = json.loads(json.dumps(read_rows(env.cr)))


@contextmanager
def environment():
    """Lend the block an environment of the superuser; its work is committed."""
    with Registry(DATABASE).cursor() as cr:
        yield api.Environment(cr, api.SUPERUSER_ID, {})


class TestStored(unittest.TestCase):
    """Right after the upgrade."""

    maxDiff = None

    def test_no_row_comes_or_goes(self):
        for table in TABLES:
            self.assertEqual(before[table].keys(), after[table].keys(), table)

    def test_only_what_has_to_be_is_different(self):
        documents = {row["id"]: row for row in before["copaco_document"].values()}
        changes = []
        for table in TABLES:
            for row_id, row in before[table].items():
                now = after[table][row_id]
                changes += [
                    (table, self._get_name(table, row, documents), name, row[name], now[name])
                    for name in sorted(row.keys() & now.keys() - STAMPS)
                    if row[name] != now[name]
                ]
        self.assertEqual(changes, [])

    def _get_name(self, table, row, documents):
        document = documents.get(row.get("document_id"), row)
        return document.get("invoice_number") or row.get("name")

    def test_columns_of_fields_that_are_gone_are_dropped(self):
        dropped = {
            (table, name)
            for table in TABLES
            for name in next(iter(before[table].values())).keys()
            - next(iter(after[table].values())).keys()
        }
        self.assertEqual(dropped, DROPPED)

    def test_the_log_tells_of_nothing_but_the_same_documents_and_accounts(self):
        log = Path(os.environ["COPACO_UPGRADE_LOG"]).read_text()
        problems = re.findall(r" (?:WARNING|ERROR|CRITICAL) \S+ (.*)", log)
        self.assertEqual(problems, [])

    def test_scheduled_actions_call_what_is_there(self):
        with environment() as env:
            for xml_id, expected in CRONS.items():
                cron = env.ref(f"account_copaco.{xml_id}")
                self.assertEqual((cron.name, cron.code, cron.active), expected)

    def test_what_the_models_want_of_the_database_is_there(self):
        with environment() as env:
            lacking = []
            for model in env.values():
                pass

    def test_manual_edits_are_known(self):
        with environment() as env:
            documents = get_documents(
                env["copaco.connection"].search([("name", "=", "Reseller")])
            )
            edits = env["copaco.manual.edits"]
            self.assertFalse(edits._get_edits(documents["DRAFT"]).has_edits)
            found = edits._get_edits(documents["EDITED"])
            self.assertEqual(found.edited.mapped("name"), ["What a person wrote"])
            self.assertEqual(len(found.added), 1)
            self.assertFalse(found.header)


class TestFetch(unittest.TestCase):
    """The same response is fetched again."""
