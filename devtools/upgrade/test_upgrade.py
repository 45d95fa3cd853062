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
from odoo.orm.table_objects import Index
from odoo.tools import config, sql

from . import portal
from .before import fetch, get_documents
from .rows import TABLES, read_rows

DATABASE = os.environ["COPACO_DATABASE"]
# Written whenever something is.
STAMPS = {"write_date", "write_uid"}
DROPPED = {
    ("copaco_document", "amount_exact"),
    ("copaco_document", "is_unsent"),
    ("copaco_run", "name"),
    ("copaco_run", "seen_ids"),
    ("copaco_run", "seen_state"),
}
# Their names, what they call, and whether they are active.
CRONS = {
    "ir_cron_fetch": ("Our nightly fetch", "_cron_fetch", True),
    "ir_cron_run": ("Copaco: resume interrupted fetches", "_cron_execute", True),
    "ir_cron_process": ("Copaco: create invoices", "_cron_process", True),
    "ir_cron_send": ("Copaco: send invoices", "_cron_send", True),
    "ir_cron_verify_contacts": (
        *("Copaco: look contacts up for Peppol", "_cron_verify_contacts"),
        True,
    ),
    "ir_cron_check_alerts": ("Copaco: check alerts", "_cron_check_alerts", True),
    "ir_cron_weekly_digest": ("Copaco: weekly digest", "_cron_weekly_digest", False),
}
# Nobody may decide which of two accounts that differ only in capitals is right.
LACKING_INDEX = "copaco_customer_account_ref_unique"
TOLD = (
    r"INVOICED-USAGE .* was invoiced as 1\.00.*Their exact sum is 1\.40",
    r"TWINS .* tWIN .* and TWINS .* Twin .* have the same number",
    r"BRANCH .* of Branch and BRANCH .* of Reseller have the same number",
    r"These accounts differ only in capitals: Twin, tWIN\.",
    rf'could not create unique index "{LACKING_INDEX}"',
)


def setUpModule():
    global before, after
    config.parse_config(["-d", DATABASE])
    odoo.service.server.load_server_wide_modules()
    before = json.loads(Path(os.environ["COPACO_NOTES"]).read_text())
    with environment() as env:
        after = read_rows(env.cr)


@contextmanager
def environment():
    """Lend the block an environment of the superuser; its work is committed."""
    with Registry(DATABASE).cursor() as cr:
        yield api.Environment(cr, api.SUPERUSER_ID, {})


def get_connection(env, name="Reseller"):
    return env["copaco.connection"].search([("name", "=", name)])


def get_changes(old, new):
    """Return what is different between two results of ``read_rows``: a list of table,
    name of the record, column, and both values."""
    documents = old["copaco_document"].values()
    names = {row["id"]: row["invoice_number"] for row in documents}
    return [
        (
            table.removeprefix("copaco_"),
            names.get(row.get("document_id"))
            or row.get("invoice_number")
            or row.get("name"),
            column,
            row[column],
            new[table][row_id][column],
        )
        for table in TABLES
        for row_id, row in old[table].items()
        for column in sorted(row.keys() & new[table][row_id].keys() - STAMPS)
        if row[column] != new[table][row_id][column]
    ]


class TestStored(unittest.TestCase):
    """Right after the upgrade."""

    maxDiff = None

    def test_no_row_was_added_or_removed(self):
        for table in TABLES:
            self.assertEqual(before[table].keys(), after[table].keys(), table)

    def test_only_what_had_to_be_changed_was(self):
        (connection, *_others) = before["copaco_connection"].values()
        (run, *_others) = before["copaco_run"].values()
        twin, branch = (
            next(
                row["id"]
                for row in reversed(before["copaco_document"].values())
                if row["invoice_number"] == number
            )
            for number in ("TWINS", "BRANCH")
        )
        portals = ("https://api.example.com:443", "https://api.example.com")
        documents = before["copaco_document"].values()
        numbers = {row["id"]: row["invoice_number"] for row in documents}
        row_hashes = {
            (numbers[row["document_id"]], row["row_hash"], row["id"])
            for row in before["copaco_document_line"].values()
            if row["row_hash"] and row["row_hash"] != row["row_hash"].lower()
        }
        self.assertCountEqual(
            get_changes(before, after),
            [
                ("connection", "Another portal", "origin", *portals),
                ("connection", "Another portal", "totals_tolerance", 1.0, 0.05),
                ("connection", "Reseller", "totals_tolerance", 1.0, 0.05),
                ("document", "USAGE", "amount_source", 0.0, 0.4),
                ("document", "TWINS", "account_key", "twin", f"twin #{twin}"),
                ("document", "TWINS", "created_origin", connection["origin"], None),
                ("document", "BRANCH", "account_key", "up-1", f"up-1 #{branch}"),
                ("document", "BRANCH", "created_origin", connection["origin"], None),
                (
                    *("run", run["name"], "amount_received", run["amount_received"]),
                    round(run["amount_received"] + 0.4, 2),
                ),
                *(
                    ("document_line", number, "row_hash", row_hash, row_hash.lower())
                    for number, row_hash, _id in row_hashes
                ),
            ],
        )

    def test_columns_of_fields_that_are_gone_were_dropped(self):
        def get_columns(rows):
            return {
                (table, column)
                for table in TABLES
                for row in rows[table].values()
                for column in row
            }

        self.assertEqual(get_columns(before) - get_columns(after), DROPPED)

    def test_the_database_is_as_that_of_a_new_installation(self):
        with environment() as env:
            models = [
                model
                for name, model in env.items()
                if name.startswith("copaco.") and model._auto and not model._abstract
            ]
            for model in models:
                self._check_columns(model)
                self._check_indexes(model)

    def _check_columns(self, model):
        columns = {
            name
            for name, field in model._fields.items()
            if field.store and field.column_type
        }
        if model._name == "copaco.connection":
            columns.add("api_key_secret")
        self.assertEqual(sql.table_columns(model.env.cr, model._table).keys(), columns)

    def _check_indexes(self, model):
        cr = model.env.cr
        query = "SELECT indexname FROM pg_indexes WHERE tablename = %s"
        cr.execute(query, [model._table])
        found = {name for (name,) in cr.fetchall()}
        objects = {
            each.full_name(model): each for each in model._table_objects.values()
        }
        fields = {
            sql.make_index_name(model._table, name)
            for name, field in model._fields.items()
            if field.index and field.store
            # Odoo leaves these out where the database has no trigrams.
            if field.index != "trigram" or model.pool.has_trigram
        }
        indexes = {name for name, each in objects.items() if isinstance(each, Index)}
        others = {f"{model._table}_pkey"}
        if "analytic_distribution" in model._fields:
            # Odoo's mixin creates it whenever the model is initialised.
            others.add(f"{model._table}_analytic_distribution_accounts_gin_index")
        self.assertEqual(found - others, fields | indexes - {LACKING_INDEX})
        for name in objects.keys() - {LACKING_INDEX}:
            definition = objects[name].get_definition(model.pool)
            current = (
                sql.index_definition(cr, name)[1]
                if name in indexes
                else sql.constraint_definition(cr, model._table, name)
            )
            self.assertEqual(current, definition, name)

    def test_documents_have_the_texts_of_their_lines(self):
        # Not found before Odoo knows where addons are.
        from odoo.addons.account_copaco.services.copaco_document_builder import (
            SEARCHED_FIELDS,
        )

        with environment() as env:
            documents = env["copaco.document"].search([("line_ids", "!=", False)])
            self.assertTrue(documents)
            for document in documents:
                texts = {
                    line[name]
                    for line in document.line_ids
                    for name in SEARCHED_FIELDS
                    if line[name]
                }
                self.assertEqual({*document.search_text.split("\n")}, texts)

    def test_the_log_warns_of_what_a_person_has_to_know(self):
        log = Path(os.environ["COPACO_UPGRADE_LOG"]).read_text()
        problems = re.findall(r" (?:WARNING|ERROR|CRITICAL) \S+ (.*)", log)
        for problem, expected in zip(problems, TOLD, strict=True):
            self.assertRegex(problem, expected)
        self.assertNotRegex(log, " (?:ERROR|CRITICAL) ")

    def test_messages_are_on_the_records(self):
        with environment() as env:
            documents = get_documents(get_connection(env))
            for record in (
                documents["INVOICED-USAGE"],
                documents["TWINS"].sorted("id")[1],
                documents["TWIN-1"].customer_id,
                documents["TWIN-2"].customer_id,
                get_connection(env),
            ):
                self.assertRegex(
                    record.message_ids[0].body,
                    "exact sum|have the same|differ only|lowered the tolerance",
                )

    def test_scheduled_actions_call_what_is_there(self):
        with environment() as env:
            crons = env["ir.model.data"].search(
                [("module", "=", "account_copaco"), ("model", "=", "ir.cron")]
            )
            self.assertEqual(set(crons.mapped("name")), set(CRONS))
            for xml_id, (name, method, is_active) in CRONS.items():
                cron = env.ref(f"account_copaco.{xml_id}")
                self.assertEqual(
                    (cron.name, cron.code, cron.active),
                    (name, f"model.{method}()", is_active),
                )

    def test_links_go_both_ways(self):
        with environment() as env:
            documents = env["copaco.document"].search([("move_id", "!=", False)])
            self.assertEqual(documents.move_id.copaco_document_id, documents)
            for document in documents:
                lines = document.line_ids.move_line_id
                self.assertEqual(lines.move_id, document.move_id)

    def test_customers_know_what_linked_them(self):
        linked = {
            (row["match_method"], row["match_evidence"] == row[row["match_method"]])
            for row in after["copaco_customer"].values()
            if row["match_method"]
        }
        self.assertEqual(linked, {("customer_number", True), ("vat", True)})

    def test_manual_edits_are_known(self):
        with environment() as env:
            documents = get_documents(get_connection(env))
            manual_edits = env["copaco.manual.edits"]
            for number in ("DRAFT", "CORRECTED"):
                self.assertFalse(manual_edits._get_edits(documents[number]).has_edits)
            edits = manual_edits._get_edits(documents["EDITED"])
            self.assertEqual(edits.edited.mapped("name"), ["What a person wrote"])
            self.assertEqual((len(edits.added), edits.header), (1, frozenset()))

    def test_runs_are_balanced(self):
        with environment() as env:
            runs = env["copaco.run"].search([])
            self.assertEqual(runs.filtered("is_balanced"), runs)


class TestWork(unittest.TestCase):
    """People and Copaco go on."""

    maxDiff = None

    def test_what_is_received_again_is_known(self):
        with environment() as env, portal.open_portal() as server:
            portal.add_twins(server)
            portal.change(server)
            old = read_rows(env.cr)
            for name in ("Reseller", "Branch"):
                fetch(get_connection(env, name))
            new = read_rows(env.cr)
            runs = env["copaco.run"].search([], limit=2, order="id desc")
            known = [run.received_count - run.unchanged_count for run in runs]
            self.assertEqual([run.is_balanced for run in runs], [True, True])
        for table in ("account_move", "account_move_line", "copaco_document"):
            self.assertEqual(old[table].keys(), new[table].keys())
        # What was two documents by their capitals is read as one: a person has to look.
        self.assertEqual(
            {
                (table, name, column)
                for table, name, column, *_values in get_changes(old, new)
                # The language was not read before.
                if table not in ("run", "connection") and column != "language_code"
            },
            {
                ("document", "TWINS", column)
                for column in (
                    *("state", "hold_reason", "hold_message", "waiting_since"),
                    "to_do_reason",
                )
            },
        )
        self.assertEqual(known, [0, 1])

    def test_what_waited_is_invoiced(self):
        with environment() as env:
            documents = get_documents(get_connection(env))
            documents["HELD"].customer_id.action_create_contact()
            for number, amount in (("HELD", 20.0), ("USAGE", 0.4)):
                document = documents[number]
                self.assertEqual(document.state, "invoiced", document.hold_message)
                self.assertEqual(document.move_id.amount_untaxed, amount)
            self.assertEqual(documents["EXCLUDED"].state, "excluded")

    def test_what_copaco_changed_is_corrected(self):
        with environment() as env:
            document = get_documents(get_connection(env))["CHANGED"]
            document.action_correct()
            self.assertEqual(document.state, "invoiced")
            self.assertEqual(document.correction_ids.amount_untaxed, 2.0)
