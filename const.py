"""What several rooms have to agree on: kinds, hold reasons, limits and groups."""

from typing import NamedTuple

# === KINDS === #


class Kind(NamedTuple):
    """What becomes of the documents of one of Copaco's endpoints."""

    endpoint: str  # of `client.ENDPOINTS`
    # `account.move.move_type` of an amount to pay and of a credit; none: documents of
    # this kind are stored, and nothing is made of them.
    move_type: str = ""
    refund_type: str = ""
    tax_use: str = ""  # `account.tax.type_tax_use`

    def get_move_type(self, amount):
        """:param amount: without tax, below zero for a credit
        :return: what a document of this kind and amount becomes
        """
        return self.refund_type if amount < 0 else self.move_type


KINDS = {
    "specification": Kind(
        "specification",
        move_type="out_invoice",
        refund_type="out_refund",
        tax_use="sale",
    ),
    "purchase": Kind("purchase"),
}
KIND_SELECTION = [
    ("specification", "Customer Specification"),
    ("purchase", "Purchase Invoice"),
]
INVOICED_KINDS = tuple(name for name, kind in KINDS.items() if kind.move_type)

# === HOLD REASONS === #


class Hold(NamedTuple):
    """Why a document can't be invoiced yet."""

    reason: str  # a value of `copaco.document.hold_reason`
    message: str  # what happened, to which record, and what to do next


HOLD_REASONS = [
    ("customer_unknown", "Customer unknown"),
    ("customer_ambiguous", "Customer ambiguous"),
    ("possible_double", "Possible duplicate"),
    ("partner_archived", "Contact archived"),
    ("partner_company", "Contact of another company"),
    ("currency_unknown", "Currency unknown"),
    ("currency_inactive", "Currency inactive"),
    ("currency_rate_missing", "Exchange rate missing"),
    ("tax_missing", "Tax missing"),
    ("account_missing", "Account missing"),
    ("period_locked", "Period locked"),
    ("date_unlikely", "Date unlikely"),
    ("totals_differ", "Totals differ"),
    ("source_totals_differ", "Copaco's totals differ"),
    ("payload_invalid", "Not readable"),
    ("source_changed", "Changed by Copaco"),
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
)

# === INVOICES === #

# By which a person's invoice or credit note tells what it was made of: Odoo's own
# button to credit, that to credit and create anew, and `account_debit_note`'s.
ORIGIN_FIELDS = ("reversed_entry_id", "copaco_origin_id", "debit_origin_id")

# === LIMITS === #

# Batches of 10 to 50 invoices get nearly all of the gain of creating in batches.
BATCH_SIZE = 40
# The button may keep a person waiting for 30 s; the last step that was begun before
# this many seconds has the rest of them to end.
BUTTON_SECONDS = 18
# How often a step is tried again that another worker's transaction conflicted with.
CONCURRENCY_ATTEMPTS = 5

# === GROUPS === #

BILLING_GROUP = "account.group_account_invoice"
MANAGER_GROUP = "account.group_account_manager"
