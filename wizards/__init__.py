from . import copaco_api_key_mixin

# What the others inherit from comes first.
# isort: split

from . import (
    account_move_reversal,
    copaco_api_key,
    copaco_connection_mixin,
    copaco_exclude,
    copaco_fetch,
    copaco_invoice_contact,
    copaco_invoice_date,
    copaco_mail_merge,
    copaco_preview,
    copaco_preview_document,
    copaco_preview_dry_run,
    copaco_preview_line,
    copaco_preview_outcome,
    copaco_preview_reader,
    copaco_setup,
    copaco_upload,
)
