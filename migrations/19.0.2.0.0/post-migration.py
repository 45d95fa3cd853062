"""After the models are loaded. `CHANGELOG.rst` says what an upgrade changes."""

import logging
from contextlib import suppress

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, formatLang

from odoo.addons.account_copaco.client import (
    InvalidResponseError,
    get_origin,
    parse_payload,
)

_logger = logging.getLogger(__name__)

OLD_TOLERANCE, TOLERANCE = 1.0, 0.05


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    _write_origins_alike(env)
    _count_lines_of_totals(env)
    _lower_tolerance(env)
    _tell_of_amounts_below_a_cent(env)
    _read_amounts_again(env)
    _tell_of_same_documents(env)
    _tell_of_same_accounts(env)
    _list_what_was_not_sent(env)
    _keep_declined_charges(env)
    _note_declined_versions(env)


def _write_origins_alike(env):
    """The same server could be written with its usual port, or otherwise."""
    for table, column in (
        ("copaco_connection", "origin"),
        ("copaco_run", "origin"),
        ("copaco_document", "created_origin"),
    ):
        names = {"table": SQL.identifier(table), "column": SQL.identifier(column)}
        rows = env.execute_query(
            SQL("SELECT DISTINCT %(column)s FROM %(table)s", **names)
        )
        for (origin,) in rows:
            usual = get_origin(origin)
            if usual and usual != origin:
                env.execute_query(
                    SQL(
                        "UPDATE %(table)s SET %(column)s = %(usual)s "
                        "WHERE %(column)s = %(origin)s RETURNING id",
                        **names,
                        usual=usual,
                        origin=origin,
                    )
                )
    env.invalidate_all()


def _count_lines_of_totals(env):
    """What rounding explains of a difference depends on how many lines it is of. The
    documents that were received with a document under its number have them all."""
    env.cr.execute(
        """
        WITH whole AS (
            SELECT run_id, kind, invoice_number, sum(line_count) AS line_count
              FROM copaco_document
          GROUP BY run_id, kind, invoice_number
        )
        UPDATE copaco_document document
           SET totals_line_count = whole.line_count
          FROM whole
         WHERE whole.run_id = document.run_id
           AND whole.kind = document.kind
           AND whole.invoice_number = document.invoice_number
           AND document.totals_difference != 0
        """
    )
    env.cr.execute(
        """
        UPDATE copaco_document_version
           SET totals_line_count = line_count
         WHERE totals_difference != 0
        """
    )
    env.invalidate_all()


def _lower_tolerance(env):
    """Nobody can tell a person's choice from the old default, which hid differences
    that were real. What is held now, a person sees."""
    connections = env["copaco.connection"].with_context(active_test=False)
    for connection in connections.search([("totals_tolerance", "=", OLD_TOLERANCE)]):
        connection.totals_tolerance = TOLERANCE
        currency = connection.currency_id
        connection._message_log(
            body=env._(
                "The upgrade lowered the tolerance for totals from %(old)s to "
                "%(new)s, which is the default now.",
                old=formatLang(env, OLD_TOLERANCE, currency_obj=currency),
                new=formatLang(env, TOLERANCE, currency_obj=currency),
            )
        )


def _tell_of_amounts_below_a_cent(env):
    """What the roundings of the lines took off an invoice, or added to it, can't be
    seen any more afterwards."""
    rows = env.execute_query(
        SQL(
            "SELECT id, amount_exact FROM copaco_document "
            "WHERE state IN ('invoiced', 'changed') "
            "AND abs(amount_exact - amount_source) > %s",
            TOLERANCE,
        )
    )
    for document_id, exact in rows:
        document = env["copaco.document"].browse(document_id)
        _tell(
            document,
            env._(
                "%(document)s was invoiced as %(amount)s without tax, the sum of its "
                "rounded lines. Their exact sum is %(exact)s. If the difference has to "
                "be invoiced or credited, do so manually.",
                document=document.name,
                amount=document._format_amount(document.amount_source),
                exact=document._format_amount(exact),
            ),
        )


def _read_amounts_again(env):
    """What has no invoice yet is invoiced as its exact sum, rounded, and no longer as
    the sum of rounded lines. Invoices, and what they were made for, stay."""
    get_amount = env["copaco.document.builder"]._get_amount
    rows = env.execute_query(
        SQL(
            "SELECT id FROM copaco_document "
            "WHERE state IN ('new', 'held', 'excluded') "
            "AND amount_exact != amount_source"
        )
    )
    waiting = env["copaco.document"].browse(document_id for (document_id,) in rows)
    waiting = waiting.filtered(lambda document: not document._get_live_invoice())
    pending = env["copaco.document.version"].search([("state", "=", "pending")])
    for record in (*waiting, *pending):
        # What can't be read has no amount.
        with suppress(InvalidResponseError):
            amount = get_amount(parse_payload(record.payload), record.currency_id)
            record.run_id.amount_received += amount - record.amount_source
            record.amount_source = amount


def _tell_of_same_documents(env):
    """See `pre-migration.py`."""
    rows = env.execute_query(
        SQL(
            """
            SELECT document.id, first.id
              FROM copaco_document document
              JOIN copaco_document first
                ON first.root_company_id = document.root_company_id
               AND first.kind = document.kind
               AND first.invoice_number = document.invoice_number
             WHERE document.account_key = concat(first.account_key, ' #', document.id)
          ORDER BY document.id
            """
        )
    )
    describe = env["copaco.duplicate.finder"]._describe
    for ids in rows:
        document, first = env["copaco.document"].browse(ids)
        _tell(
            document,
            env._(
                "%(document)s of %(company)s and %(other)s of %(other_company)s have "
                "the same number, and the same account whatever its capitals. Only the "
                "latter is updated from now on. Compare their invoices, and credit "
                "what was invoiced twice.",
                document=describe(document, first),
                company=document.company_id.name,
                other=describe(first, document),
                other_company=first.company_id.name,
            ),
        )


def _tell_of_same_accounts(env):
    rows = env.execute_query(
        SQL(
            "SELECT array_agg(id ORDER BY id) FROM copaco_customer "
            "GROUP BY company_id, lower(account_ref) HAVING count(*) > 1"
        )
    )
    for (ids,) in rows:
        customers = env["copaco.customer"].browse(ids)
        _tell(
            customers,
            env._(
                "These accounts differ only in capitals: %(accounts)s. Each keeps its "
                "own contact and documents. If they are the same customer, link them "
                "to the same contact.",
                accounts=", ".join(customers.mapped("account_ref")),
            ),
        )


def _list_what_was_not_sent(env):
    """It was only marked on the document."""
    env.cr.execute(
        """
        SELECT document.move_id, document.connection_id
          FROM copaco_document document
          JOIN account_move move ON move.id = document.move_id
         WHERE document.is_unsent
           AND move.state = 'posted'
           AND move.is_move_sent IS NOT TRUE
        """
    )
    for move_id, connection_id in env.cr.fetchall():
        move = env["account.move"].browse(move_id)
        env["copaco.delivery"].create(
            {
                "move_id": move_id,
                "connection_id": connection_id,
                "state": "failed",
                "send_at": move.create_date,
                "last_message_id": max(move.message_ids.ids, default=0),
                "reason": env._(
                    "%(invoice)s was not sent: %(partner)s had no e-mail address, or "
                    "preferred to be sent nothing. Correct that on the contact, then "
                    "send it again.",
                    invoice=move.name,
                    partner=move.partner_id.display_name,
                ),
            }
        )
    env.cr.execute("ALTER TABLE copaco_document DROP COLUMN is_unsent")


def _tell(records, message):
    _logger.warning("%s %s: %s", records._name, records.ids, message)
    for record in records:
        record._message_log(body=message)


def _keep_declined_charges(env):
    """What was declined is asked about when it comes on another document."""
    Version = env["copaco.document.version"]
    for version in Version.search([("state", "=", "declined")], order="id"):
        env["copaco.declined.charge"]._keep_declined(
            version, version.declined_by_id, version.write_date.date()
        )


def _note_declined_versions(env):
    """What a person declined last is what Copaco said last, as far as can be told."""
    env.cr.execute(
        """
        UPDATE copaco_document_version
           SET state = 'replaced'
         WHERE state = 'declined'
           AND id NOT IN (
               SELECT max(id) FROM copaco_document_version
                WHERE state = 'declined'
             GROUP BY document_id
         )
        """
    )
    env.invalidate_all()
