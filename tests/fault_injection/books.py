"""What was sent, against what is in the books; not by the addon's reconciliation."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal


def read_sent(invoices):
    """Add up what Copaco sent.

    :param invoices: elements of ``Invoices`` that can be read
    :return: dict of (number of lines, amount in cents) by (invoice, account)
    """
    sent = {}
    for invoice in invoices:
        for customer in invoice["Customers"]:
            key = str(invoice["Header"]["InvoiceID"]), str(customer["AccountID"])
            lines = [
                line
                for subscription in customer["Subscriptions"]
                for line in subscription["PriceLines"]
            ]
            count, amount = sent.get(key, (0, Decimal(0)))
            amount += sum(Decimal(str(line["ExtendedPrice"])) for line in lines)
            sent[key] = count + len(lines), amount
    return {
        key: (count, round_half_up(amount)) for key, (count, amount) in sent.items()
    }


def round_half_up(amount):
    """:return: Decimal in cents"""
    return Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def compare(env, company, sent):
    """Look for what was sent in the documents of a company and in their invoices.

    :param sent: see `read_sent`
    :return: dict of the numbers of documents that were sent, that are lost, that are
        invoiced more than once, and whose invoice is not what was sent
    """
    documents = env["copaco.document"].search([("company_id", "=", company.id)])
    moves = env["account.move"].search(
        [("copaco_document_id", "in", documents.ids), ("state", "!=", "cancel")]
    )
    found = Counter(
        (each.invoice_number, each.customer_id.account_ref) for each in documents
    )
    invoiced = Counter(moves.copaco_document_id.ids and moves.mapped(_get_key))
    half = 0
    for move in moves:
        document = move.copaco_document_id
        lines = move.invoice_line_ids.filtered(lambda line: not line.copaco_is_rounding)
        sign = -1 if move.move_type == "out_refund" else 1
        booked = len(lines), round_half_up(sign * move.amount_untaxed)
        half += booked != sent.get(_get_key(move)) or len(document.line_ids) != len(
            lines
        )
    return {
        "documents": len(sent),
        "lost": sum(not found[key] for key in sent),
        "doubled": sum(count > 1 for count in (*found.values(), *invoiced.values())),
        "half": half,
    }


def _get_key(move):
    document = move.copaco_document_id
    return document.invoice_number, document.customer_id.account_ref
