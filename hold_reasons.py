"""Why a document is held, and which reasons are solved where."""

from typing import NamedTuple


class Hold(NamedTuple):
    """Why a document can't be invoiced yet."""

    reason: str  # a value of `copaco.document.hold_reason`
    # What happened, to which record, and what to do next, see `tools.Message`.
    message: object


HOLD_REASONS = [
    ("customer_unknown", "Customer unknown"),
    ("customer_ambiguous", "Customer ambiguous"),
    ("possible_double", "Possible duplicate"),
    ("partner_archived", "Contact archived"),
    ("partner_company", "Contact of another company"),
    ("po_number_missing", "PO number missing"),
    ("currency_unknown", "Currency unknown"),
    ("currency_inactive", "Currency inactive"),
    ("currency_rate_missing", "Exchange rate missing"),
    ("product_missing", "No product for plan"),
    ("tax_missing", "Tax missing"),
    ("account_missing", "Account missing"),
    ("period_locked", "Period locked"),
    ("date_unlikely", "Date unlikely"),
    ("too_large", "Too large"),
    ("credit_without_invoice", "No invoice to credit"),
    ("totals_differ", "Totals differ"),
    ("source_totals_differ", "Copaco's totals differ"),
    ("vat_differs", "Copaco's VAT differs"),
    ("payload_invalid", "Not readable"),
    ("source_changed", "Changed by Copaco"),
    ("vendor_unknown", "Vendor unknown"),
    ("bill_incomplete", "Bill incomplete"),
    ("bill_awaited", "Waits for the bill"),
    ("bill_differs", "Bill differs"),
    ("invoice_deleted", "Invoice deleted"),
    ("invoice_cancelled", "Invoice cancelled"),
    ("unexpected_error", "Unexpected error"),
]
# Those that are solved on the customer of the document.
CUSTOMER_HOLD_REASONS = (
    "customer_unknown",
    "customer_ambiguous",
    "partner_archived",
    "partner_company",
    "po_number_missing",
)
# Those that are solved by what a rule says of the lines.
RULE_HOLD_REASONS = (
    "product_missing",
    "tax_missing",
    "account_missing",
    "vat_differs",
)
# Those for which something is decided about the document itself: processed again, it
# would be held again.
DECIDED_HOLD_REASONS = (
    "customer_unknown",
    "customer_ambiguous",
    "po_number_missing",
    "possible_double",
    "date_unlikely",
    "source_totals_differ",
)
