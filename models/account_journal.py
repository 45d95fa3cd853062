from odoo import models
from odoo.fields import Domain

from ..const import PURCHASE_KINDS, SALES_KINDS
from ..tools import open_window


class AccountJournal(models.Model):
    _inherit = "account.journal"

    # === ACTION METHODS === #

    def action_view_copaco_to_do(self):
        """:return: the window action with what waits for a person in this journal"""
        self.ensure_one()
        return open_window(
            self.env,
            "action_copaco_document_to_do",
            domain=self._get_copaco_to_do_domain(),
        )

    def action_view_copaco_deliveries(self):
        """:return: the window action with what could not be sent of this journal"""
        self.ensure_one()
        action = open_window(self.env, "action_copaco_delivery")
        action["domain"] = self._get_copaco_delivery_domain()
        return action

    # === BUSINESS METHODS === #

    def _fill_sale_purchase_dashboard_data(self, dashboard_data):
        super()._fill_sale_purchase_dashboard_data(dashboard_data)
        Document = self.env["copaco.document"]
        if not Document.has_access("read"):
            return
        for journal in self.filtered(lambda each: each.type in ("sale", "purchase")):
            domain = journal._get_copaco_to_do_domain()
            count = Document.search_count(domain)
            failed = self.env["copaco.delivery"].search_count(
                journal._get_copaco_delivery_domain()
            )
            dashboard_data[journal.id] |= {
                "copaco_to_do_count": count,
                "copaco_to_do_amount": count and Document._describe_amounts(domain),
                "copaco_not_sent_count": failed,
            }

    def _get_copaco_to_do_domain(self):
        """:return: domain of the documents that wait for a person, of the connections
        that invoice, or bill, in this journal"""
        is_sale = self.type == "sale"
        field = "journal_id" if is_sale else "purchase_journal_id"
        kinds = SALES_KINDS if is_sale else PURCHASE_KINDS
        return (
            Domain(f"connection_id.{field}", "=", self.id)
            & Domain("kind", "in", kinds)
            & self.env["copaco.document"]._get_to_do_domain()
        )

    def _get_copaco_delivery_domain(self):
        """:return: domain of the invoices of this journal that could not be sent"""
        return Domain("move_id.journal_id", "=", self.id) & Domain(
            "is_unsent", "=", True
        )
