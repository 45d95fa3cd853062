"""What several folders have to agree on: kinds, sources, limits, groups."""

from typing import NamedTuple

# === KINDS AND SOURCES === #


class Kind(NamedTuple):
    """What becomes of what one of Copaco's endpoints has."""

    endpoint: str = ""  # of `client.ENDPOINTS`; none: the connection's source says it
    # `account.move.move_type` of an amount to pay and of a credit.
    move_type: str = ""
    refund_type: str = ""
    tax_use: str = ""  # `account.tax.type_tax_use`
    product_taxes: str = ""  # field of `product.product`
    product_account: str = ""  # of `product.template.get_product_accounts`
    # Fields of `copaco.rule`.
    rule_taxes: str = ""
    rule_account: str = ""
    # Fields of `copaco.connection`.
    journal: str = ""
    fetched_until: str = ""
    # Services: what makes invoices of documents, what finds what they need, what has
    # their values, and what creates them.
    processor: str = ""
    matcher: str = ""
    builder: str = ""
    writer: str = ""
    # What Odoo signs as a sale, such as `amount_untaxed_signed`, times this is what the
    # document says.
    sign: int = 1

    def get_move_type(self, amount):
        """:param amount: without tax, below zero for a credit
        :return: what a document of this kind and amount becomes
        """
        return self.refund_type if amount < 0 else self.move_type

    def get_endpoint(self, source):
        """:param source: a value of `copaco.connection.source`
        :return: one of `client.ENDPOINTS`
        """
        return self.endpoint or SOURCES[source]


KINDS = {
    "specification": Kind(
        move_type="out_invoice",
        refund_type="out_refund",
        tax_use="sale",
        product_taxes="taxes_id",
        product_account="income",
        rule_taxes="tax_ids",
        rule_account="account_id",
        journal="journal_id",
        fetched_until="fetched_until",
        processor="copaco.processor",
        matcher="copaco.document.matcher",
        builder="copaco.invoice.builder",
        writer="copaco.invoice.writer",
    ),
    "purchase": Kind(
        "purchase",
        move_type="in_invoice",
        refund_type="in_refund",
        tax_use="purchase",
        product_taxes="supplier_taxes_id",
        product_account="expense",
        rule_taxes="purchase_tax_ids",
        rule_account="expense_account_id",
        journal="purchase_journal_id",
        fetched_until="purchases_fetched_until",
        processor="copaco.bill.processor",
        matcher="copaco.bill.matcher",
        builder="copaco.bill.builder",
        writer="copaco.bill.writer",
        sign=-1,
    ),
}
KIND_SELECTION = [
    ("specification", "Customer Invoice or Specification"),
    ("purchase", "Purchase Invoice"),
]
# Where nobody says otherwise.
DEFAULT_KIND = "specification"
SALES_KINDS = tuple(name for name, kind in KINDS.items() if kind.sign > 0)
PURCHASE_KINDS = tuple(name for name, kind in KINDS.items() if kind.sign < 0)


def get_side(kind):
    """:return: list of the kinds on the same side, sales or purchase"""
    tax_use = KINDS[kind].tax_use
    return [name for name, other in KINDS.items() if other.tax_use == tax_use]


# Where what customers have to pay is fetched from: `client.ENDPOINTS` by
# `copaco.connection.source`.
SOURCES = {
    "customer_invoices": "customer_invoice",
    "customer_specifications": "specification",
}

# === DOCUMENTS === #

# What is known of Copaco's totals of the whole invoice that a document is part of:
# what is kept of the document alone doesn't tell them.
TOTALS_FIELDS = (
    "totals_difference",
    "totals_line_count",
    "unread_total",
    "whole_vat",
)

# What of the change in a version is known to be settled otherwise than by a correction.
NOTHING_SETTLED = {"credited": False, "amount_credited": 0, "amount_taken_off": 0}

# === INVOICES === #

# How far the invoices of a connection or customer go by themselves, in this order.
INVOICE_POLICY_SELECTION = [
    ("draft", "Leave as draft"),
    ("post", "Confirm"),
    ("send", "Confirm and send"),
]
INVOICE_POLICIES = tuple(name for name, _label in INVOICE_POLICY_SELECTION)

# By which a person's invoice or credit note tells what it was made of: Odoo's own
# button to credit, that to credit and create anew, and `account_debit_note`'s.
ORIGIN_FIELDS = ("reversed_entry_id", "copaco_origin_id", "debit_origin_id")
# Odoo's e-invoices of Peppol's kind, from which the Dutch one inherits.
E_INVOICE_BUILDER = "account.edi.xml.ubl_bis3"

# === LIMITS === #

# Batches of 10 to 50 invoices get nearly all of the gain of creating in batches.
BATCH_SIZE = 40
# Fewer when their lines would take longer: others wait for what a batch locks, and what
# it has done when its worker is stopped is lost.
BATCH_SECONDS = 5
# The button may keep a person waiting for 30 s; the last step that was begun before
# this many seconds has the rest of them to end.
BUTTON_SECONDS = 18
# How much later than that the last step may end, as far as can be told when it begins.
BUTTON_GRACE_SECONDS = 5
# Invoices are created and sent within minutes: what waits for longer is told.
OVERDUE_HOURS = 1
# How many months back is checked daily whether all adds up.
CHECKED_MONTHS = 3
# How often a step is tried again that another worker's transaction conflicted with.
CONCURRENCY_ATTEMPTS = 5

# === GROUPS === #

BILLING_GROUP = "account.group_account_invoice"
MANAGER_GROUP = "account.group_account_manager"

# What a text of an invoice layout may have, in braces.
LINE_PLACEHOLDERS = (
    "title",
    "plan",
    "subscription",
    "subscription_id",
    "description",
    "period",
    "vendor_details",
    "subscription_details",
    "consumer",
    "po_number",
    "figures",
)
HEADING_PLACEHOLDERS = ("plan", "subscription", "subscription_id")
