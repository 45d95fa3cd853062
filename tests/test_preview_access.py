import base64
import json
from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import SQL

from ..client import CopacoClient
from .preview import RESULTS, PreviewCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestPreviewAccess(PreviewCommon):
    """Who sees a preview and what it is of; what goes wrong with it."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij De Korenaar", ref="K-1")

    def test_a_file_is_previewed_as_it_would_be_uploaded(self):
        self.add_known("INV-1")
        raw = json.dumps(
            {"Invoices": [each.content for each in self.simulator.invoices]},
            default=str,
        )
        upload = (
            self.env["copaco.upload"]
            .with_user(self.billing_user)
            .create(
                {
                    "connection_id": self.connection.id,
                    "kind": "specification",
                    "content": base64.b64encode(raw.encode()),
                    "file_name": "november.json",
                }
            )
        )
        before = self.look_at_everything()
        with self.committing(upload) as committing:
            action = committing.action_preview()
        self.assertEqual(self.look_at_everything(), before)
        preview = self.env["copaco.preview"].sudo().browse(action["res_id"])
        self.assertRecordValues(
            preview.document_ids, [{"outcome": "invoiced", "amount_untaxed": 12.5}]
        )
        self.assertIn("november.json", preview.display_name)
        upload.content = base64.b64encode(b"{")
        with self.assertRaisesRegex(UserError, "november.json"):
            with self.committing(upload) as committing:
                committing.action_preview()

    def test_what_goes_wrong_with_copaco_is_told_in_words(self):
        self.simulator.misbehave("status", status=403)
        with self.assertRaisesRegex(
            UserError, "Test, Customer Specifications at path .*permission"
        ):
            self.preview()
        with self.assertRaisesRegex(UserError, "future"):
            self.preview(date_from=date(2027, 1, 1), date_to=date(2027, 1, 2))
        with self.assertRaisesRegex(UserError, "Swap"):
            self.preview(date_from=date(2026, 2, 1), date_to=date(2026, 1, 2))
        self.connection.api_key = False
        with self.assertRaisesRegex(UserError, "no API key"):
            self.preview("action_try_examples")

    def test_no_transaction_is_open_while_the_network_is_waited_for(self):
        states = []
        fetch = CopacoClient.fetch
        wizard = self.env["copaco.preview"].create(
            {"connection_id": self.connection.id}
        )
        with self.committing(wizard) as committing:
            self.patch(
                CopacoClient,
                "fetch",
                lambda client, *request: (
                    states.append(committing.env.cr._savepoint),
                    fetch(client, *request),
                )[1],
            )
            committing.action_preview()
        # A test's transaction is a savepoint; there is none after a commit until the
        # next statement.
        self.assertEqual(states, [None])

    def test_a_preview_is_seen_by_its_owner_only_and_changed_by_nobody(self):
        self.add_known()
        preview = self.preview()
        colleague = new_test_user(
            self.env,
            "colleague",
            groups="base.group_user,account.group_account_invoice",
            company_id=self.company.id,
        )
        for records in (
            preview,
            preview.outcome_ids,
            preview.document_ids,
            preview.document_ids.line_ids,
        ):
            self.assertTrue(records)
            self.assertTrue(records.with_user(self.billing_user).read())
            theirs = records.with_user(colleague)
            self.assertFalse(theirs.search([]))
            with self.assertRaises(AccessError):
                theirs.read()
            with self.assertRaises(AccessError):
                theirs.unlink()
        with self.assertRaises(AccessError):
            preview.document_ids.with_user(self.billing_user).amount_untaxed = 1

    def test_only_who_may_fetch_may_preview(self):
        employee = new_test_user(
            self.env, "employee", groups="base.group_user", company_id=self.company.id
        )
        with self.assertRaises(AccessError):
            self.preview(user=employee)
        other_company = self.env["res.company"].create({"name": "Another"})
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="base.group_user,account.group_account_invoice",
            company_id=other_company.id,
            company_ids=[(6, 0, other_company.ids)],
        )
        with self.assertRaises(AccessError):
            self.preview(user=stranger)

    def test_previews_are_vacuumed(self):
        self.add_known()
        preview = self.preview()
        self.env.flush_all()
        for table in RESULTS:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET create_date = '2026-01-01',"
                    " write_date = '2026-01-01'",
                    SQL.identifier(table),
                )
            )
        self.env.invalidate_all()
        preview.sudo()._transient_vacuum()
        for table in RESULTS:
            model = self.env[table.replace("_", ".")].sudo()
            self.assertFalse(model.search_count([]), table)
