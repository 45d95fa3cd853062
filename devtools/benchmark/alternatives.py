"""The same invoices made without this addon, as a good integrator would."""

from odoo.fields import Command


def create_each(books, invoices):
    """`account.move.create` for each invoice."""
    for invoice in invoices:
        books.env["account.move"].create(_prepare_plain(books, invoice))


def create_batch(books, invoices):
    """`account.move.create` for all invoices at once."""
    books.env["account.move"].create(
        [_prepare_plain(books, invoice) for invoice in invoices]
    )


def load(books, invoices):
    """Odoo's import of a CSV file, with the lines as sub-records."""
    header = (
        "move_type",
        "partner_id/.id",
        "invoice_date",
        "invoice_origin",
        "invoice_line_ids/product_id/.id",
        "invoice_line_ids/name",
        "invoice_line_ids/quantity",
        "invoice_line_ids/price_unit",
        "invoice_line_ids/tax_ids/.id",
    )
    rows = []
    for invoice in invoices:
        own = (
            "out_refund" if invoice.is_refund else "out_invoice",
            str(books.partner_ids[invoice.account_ref]),
            str(invoice.day),
            invoice.number,
        )
        sign = -1 if invoice.is_refund else 1
        for line in invoice.lines:
            rows.append(
                [
                    *own,
                    str(books.product.id),
                    line.name,
                    str(sign * line.quantity),
                    str(line.price),
                    str(books.tax.id),
                ]
            )
            own = [""] * len(own)
    result = books.env["account.move"].load(header, rows)
    assert result["ids"], result["messages"]


def import_by_oca(books, invoices):
    """OCA's `account_invoice_import`, given the records that it would search for."""
    importer = books.env["account.invoice.import"]
    for invoice in invoices:
        importer.create_invoice(
            _prepare_pivot(books, invoice), {"company": books.company}, "benchmark"
        )


def import_bill_by_oca(books, bills):
    """The same for vendor bills."""
    importer = books.env["account.invoice.import"]
    for bill in bills:
        values = {
            **_prepare_pivot(books, bill),
            "type": "in_refund" if bill.is_refund else "in_invoice",
            "invoice_number": bill.number,
            "amount_total": float(abs(bill.amount + bill.stated_tax)),
        }
        importer.create_invoice(values, {"company": books.company}, "benchmark")


def _prepare_plain(books, invoice):
    sign = -1 if invoice.is_refund else 1
    return {
        "move_type": "out_refund" if invoice.is_refund else "out_invoice",
        "partner_id": books.partner_ids[invoice.account_ref],
        "invoice_date": invoice.day,
        "invoice_origin": invoice.number,
        "invoice_line_ids": [
            Command.create(
                {
                    "product_id": books.product.id,
                    "name": line.name,
                    "quantity": float(sign * line.quantity),
                    "price_unit": float(line.price),
                    "tax_ids": [Command.set(books.tax.ids)],
                }
            )
            for line in invoice.lines
        ],
    }


def _prepare_pivot(books, invoice):
    sign = -1 if invoice.is_refund else 1
    partner_id = books.partner_ids[invoice.account_ref]
    return {
        "type": "out_refund" if invoice.is_refund else "out_invoice",
        "partner": {"recordset": books.env["res.partner"].browse(partner_id)},
        "currency": {"recordset": books.company.currency_id},
        "date": str(invoice.day),
        "origin": invoice.number,
        "amount_untaxed": float(sign * invoice.amount),
        "lines": [
            {
                "product": {"recordset": books.product},
                "name": line.name,
                "qty": float(sign * line.quantity),
                "price_unit": float(line.price),
            }
            for line in invoice.lines
        ],
    }
