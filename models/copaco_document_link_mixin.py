from odoo import models

from ..tools import open_window


class CopacoDocumentLinkMixin(models.AbstractModel):
    """From a document to what belongs to it."""

    _name = "copaco.document.link.mixin"
    _description = "Links of a Copaco Document"

    # === ACTION METHODS === #

    def action_view_invoice(self):
        """:return: the form of the invoice"""
        return self.move_id._get_records_action()

    def action_view_customer(self):
        """:return: the form of the Copaco customer"""
        return self.customer_id._get_records_action()

    def action_view_plans(self):
        """:return: the window action with the plans of these documents"""
        return open_window(
            self.env,
            "action_copaco_plan",
            domain=[
                ("company_id", "in", self.company_id.ids),
                ("plan_ref", "in", list(set(self.line_ids.mapped("plan_ref")))),
            ],
        )

    def action_view_corrections(self):
        """:return: the window action with the corrections of these documents"""
        return self.correction_ids._get_copaco_action()
