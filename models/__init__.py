# Before what extends it, wherever that is.
from . import copaco_run

# isort: split
from . import (
    account_move,
    account_move_line,
    copaco_connection,
    copaco_connection_coverage,
    copaco_connection_fetch,
    copaco_connection_key,
    copaco_connection_watch,
    copaco_customer,
    copaco_document,
    copaco_document_change,
    copaco_document_content,
    copaco_document_correct,
    copaco_document_decide,
    copaco_document_double,
    copaco_document_job,
    copaco_document_line,
    copaco_document_missing,
    copaco_document_version,
    copaco_month,
    copaco_run_execute,
    copaco_run_proof,
    copaco_run_store,
    key_log,
    res_partner,
)
