"""Work with an earlier revision of the addon, and note what its database holds.

``COPACO_ADDONS`` names the folder of addons with that revision, and ``COPACO_NOTES``
the file to write. Only what people script against is used of it.
"""

import json
import os

import odoo.service.server
from odoo import api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import config

from . import portal
from .rows import read_rows

DATABASE = os.environ["COPACO_DATABASE"]
API_KEY = "simulator-key"


def main():
    config.parse_config(["-d", DATABASE, "--addons-path", os.environ["COPACO_ADDONS"]])
    odoo.service.server.load_server_wide_modules()
    registry = Registry.new(
        DATABASE, update_module=True, install_modules=["account_copaco"]
    )
    with registry.cursor() as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        work(env)
        env.cr.commit()
        with open(os.environ["COPACO_NOTES"], "w") as notes:
            json.dump(read_rows(cr), notes)


def work(env):
    with portal.open_portal() as server:
        connection, branch_connection = set_up(env, server)
        fetch(connection)
        portal.add_twins(server)
        fetch(connection)
        documents = get_documents(connection)
        documents["TWINS"].filtered(
            lambda each: each.hold_reason == "possible_double"
        ).action_invoice_as_well()
        documents["EXCLUDED"].action_exclude("Nobody pays that.")
        portal.change(server)
        connection.invoice_policy = "draft"
        fetch(connection)
        documents = get_documents(connection)
        documents["CORRECTED"].action_correct()
        invoice = documents["EDITED"].move_id
        invoice.invoice_line_ids[0].name = "What a person wrote"
        invoice.invoice_line_ids = [Command.create({"name": "x", "price_unit": 1})]
        fetch(branch_connection, portal.BRANCH_DAY, portal.BRANCH_DAY)
    env.ref("account_copaco.ir_cron_weekly_digest").active = False
    env.ref("account_copaco.ir_cron_fetch").name = "Our nightly fetch"


def set_up(env, server):
    """:return: the connections of a company and of its branch"""
    # Without it Odoo would install what the country has.
    companies = env["res.company"].with_context(install_mode=True)
    company = companies.create(
        {
            "name": "Reseller",
            "country_id": env.ref("base.nl").id,
            "iap_enrich_auto_done": True,
        }
    )
    env["account.chart.template"].try_loading("nl", company, install_demo=False)
    branch = companies.create(
        {"name": "Branch", "parent_id": company.id, "iap_enrich_auto_done": True}
    )
    admin = env.ref("base.user_admin")
    admin.company_ids |= company | branch
    # What an invoice must have, or it stays a draft.
    address = {
        "is_company": True,
        "street": "Straat 1",
        "city": "Plaats",
        "country_id": env.ref("base.nl").id,
    }
    env["res.partner"].create(
        [
            {**address, "name": f"Contact {number}", "ref": number, "vat": "/"}
            for number in portal.NUMBERS.values()
        ]
        + [
            {**address, "name": customer.name, "vat": customer.vat}
            for customer in server.customers[:-1]
            if customer.vat
        ]
    )
    product = env["product.product"].create(
        {"name": "Cloud", "taxes_id": company.account_sale_tax_id.ids}
    )
    values = {
        "product_id": product.id,
        "base_url": server.url,
        "api_key": API_KEY,
        "invoice_policy": "post",
        "responsible_id": admin.id,
    }
    connections = env["copaco.connection"].create(
        [
            {**values, "name": "Reseller", "company_id": company.id},
            {
                **values,
                "name": "Branch",
                "company_id": branch.id,
                "totals_tolerance": 2,
            },
        ]
    )
    env["copaco.connection"].create(
        {
            "name": "Another portal",
            "company_id": company.id,
            "product_id": product.id,
            "base_url": "https://API.example.com:443/api/v1",
            "active": False,
        }
    )
    return connections


def fetch(connection, date_from=None, date_to=None):
    """Fetch a period, by default all that there is."""
    connection.env["copaco.fetch"].create(
        {
            "connection_id": connection.id,
            "date_from": date_from or portal.CREATED,
            "date_to": date_to or portal.TODAY,
        }
    ).action_fetch()


def get_documents(connection):
    """:return: dict of the documents of a connection by number"""
    return connection.document_ids.grouped("invoice_number")


if __name__ == "__main__":
    main()
