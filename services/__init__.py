from . import (
    copaco_corrector,
    copaco_customer_matcher,
    copaco_document_matcher,
    copaco_draft_updater,
    copaco_invoice_builder,
    copaco_invoice_writer,
    copaco_manual_edits,
    copaco_monitor,
    copaco_move_creator,
    copaco_move_creator_extended,
    copaco_reconciliation,
)
