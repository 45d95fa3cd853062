from . import (
    copaco_analytic_mixin,
    copaco_bill_mixin,
    copaco_content_mixin,
    copaco_decide_mixin,
    copaco_difference_mixin,
    copaco_document_link_mixin,
    copaco_invoice_mixin,
    copaco_invoicing_mixin,
    copaco_journal_mixin,
    copaco_limits_mixin,
    copaco_month_margin_mixin,
    copaco_po_mixin,
    copaco_presence_mixin,
    copaco_product_mixin,
    copaco_purchase_mixin,
    copaco_sending_mixin,
    copaco_source_mixin,
)

# isort: split

from . import (
    account_move,
    account_move_line,
    copaco_connection,
    copaco_customer,
    copaco_delivery,
    copaco_document,
    copaco_document_line,
    copaco_document_version,
    copaco_finding,
    copaco_month,
    copaco_plan,
    copaco_rule,
    copaco_run,
    key_log,
    res_partner,
)
