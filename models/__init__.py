from . import (
    copaco_difference_mixin,
    copaco_invoice_mixin,
    copaco_limits_mixin,
    copaco_presence_mixin,
)

# isort: split

from . import (
    account_move,
    account_move_line,
    copaco_connection,
    copaco_customer,
    copaco_document,
    copaco_document_line,
    copaco_document_version,
    copaco_month,
    copaco_run,
    key_log,
    res_partner,
)
