from odoo.tools import sql


def migrate(cr, version):
    """What stood out about a draft is kept under its new name."""
    if sql.column_exists(cr, "copaco_document", "draft_brakes"):
        sql.rename_column(cr, "copaco_document", "draft_brakes", "check_message")
