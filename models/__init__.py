from . import (
    account_move,
    account_move_line,
    copaco_connection,
    copaco_customer,
    copaco_document,
    copaco_document_line,
    copaco_document_version,
    copaco_mapper,
    copaco_matcher,
    copaco_run,
    res_partner,
)
