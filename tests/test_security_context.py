import re
from datetime import date

from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged

from .common import price_line
from .remote import RemoteCase

RUN_LINK = re.compile(r"copaco-runs/\d+|(?<=copaco-overview/)\d+/\d+")
# Has a number, a token or ids of its own each time.
VOLATILE = {
    "access_token",
    "move_snapshot",
    "payload_digest",
    "payload_id",
    "payload_size",
    "received_ids",
}


@tagged("post_install", "-at_install")
class TestSecurityContext(RemoteCase):
    """A button does what the scheduled action does, wherever it stands."""

    maxDiff = None

    def test_what_the_caller_whispers_changes_nothing_of_a_fetch(self):
        """The client sends a context with every call: the defaults of the list that the
        button stands above, or, on a contact's invoices, to look at archived contacts
        too."""
        for active in (True, False):
            self.create_partner(ref="K-2", active=active)
        self.add_invoice(
            "INV-2",
            "A2",
            [price_line("7")],
            customer={"CustomerNumber": "K-2"},
            created=date.today(),
        )
        self.add_invoice("INV-3", "A3", [price_line("8")], created=date.today())
        self.become("bill")
        forged = {
            "default_partner_id": self.create_partner(name="Wrong").id,
            "default_state": "done",
            "default_payload": "forged",
            "default_company_id": self.other_company.id,
            "default_is_excluded_by_customer": True,
            "default_is_no_double": True,
            "default_move_id": self.document.move_id.id,
            "default_narration": "forged",
            "default_move_type": "entry",
            "default_invoice_date_due": "2001-02-03",
            "default_discount": 50,
            "default_payload_digest": "forged",
            "default_received_ids": [0],
            "default_stored_at": "2001-02-03 04:05:06",
            "active_test": False,
            # A caller would switch Odoo's own code off.
            "skip_invoice_sync": True,
            "check_move_validity": False,
        }
        results = []
        for context in ({}, forged):
            with self.undone():
                self.call(
                    "copaco.connection",
                    "action_fetch",
                    self.connection.ids,
                    context=context,
                )
                results.append(self.describe())
                for run in self.connection.run_ids:
                    self.assertNotEqual(run.payload_digest, "forged")
                    self.assertNotEqual(run.received_ids, [0])
                    self.assertNotEqual(run.stored_at.year, 2001)
        self.assertEqual(results[1], results[0])

    def test_the_button_passes_archived_connections_over_on_a_contacts_invoices(self):
        archived = self._create_connection(name="Old", api_key="old-simulator-key")
        archived.active = False
        self.become("bill")
        self.call(
            "account.move", "action_copaco_fetch", [], context={"active_test": False}
        )
        self.assertIn("copaco_notification", self.last_answer)
        self.assertFalse(archived.run_ids)

    def get_value(self, record, field):
        value = record[field.name]
        if field.relational:
            return value.mapped("display_name")
        # Links to a run have its number.
        return RUN_LINK.sub("", value) if field.type == "html" and value else value

    def describe(self):
        """:return: dict by model of what can be read in its records, without what
        differs from one time to the next"""
        return {
            name: [
                {
                    field.name: self.get_value(record, field)
                    for field in record._fields.values()
                    if field.name not in MAGIC_COLUMNS
                    and field.type not in ("datetime", "one2many")
                    and (field.store or "account_copaco" in field._modules)
                    and field.name not in VOLATILE
                }
                for record in self.env[name].sudo().search([], order="id")
            ]
            for name in (
                *(each for each in self.registry if each.startswith("copaco.")),
                *("account.move", "account.move.line"),
            )
            if not self.env[name]._abstract and not self.env[name]._transient
        }
