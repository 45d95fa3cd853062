"""Makes what each method finds in its database: a Dutch company, a product, contacts.

Odoo's shell runs it with ``env``; ``BENCHMARK_LINES`` is the size of the month.
"""

import os

from devtools.benchmark.month import VENDOR, make_customers

TAX_PERCENT = 21


def main(env):
    company = env.company
    company.country_id = env.ref("base.nl")
    env["account.chart.template"].try_loading("nl", company, install_demo=False)
    tax = company.account_sale_tax_id
    assert tax.amount == TAX_PERCENT, tax.name
    purchase_tax = company.account_purchase_tax_id
    if "unece_type_id" in purchase_tax._fields:
        # Without it, OCA's importer takes the tax of bills for a cost.
        purchase_tax.unece_type_id = env.ref("account_tax_unece.tax_type_vat")
    product = env["product.product"].create(
        {
            "name": "Cloud services",
            "type": "service",
            "taxes_id": tax.ids,
            "supplier_taxes_id": purchase_tax.ids,
        }
    )
    customers = make_customers(int(os.environ["BENCHMARK_LINES"]))
    partners = env["res.partner"].create(
        [
            {
                "name": customer.name,
                "is_company": True,
                "street": "Straat 1",
                "city": "Plaats",
                "vat": "/",
                "country_id": env.ref("base.nl").id,
                "ref": customer.customer_number,
            }
            for customer in customers
        ]
    )
    partners += env["res.partner"].create({"name": "Copaco", "is_company": True})
    names = [f"partner_{customer.account_ref}" for customer in customers]
    names.append(f"partner_{VENDOR}")
    env["ir.model.data"].create(
        [
            {
                "module": "benchmark",
                "name": name,
                "model": record._name,
                "res_id": record.id,
            }
            for name, record in zip(
                ["product", *names], [product, *partners], strict=True
            )
        ]
    )
    env.cr.commit()


main(env)  # noqa: F821 (the shell's own)
