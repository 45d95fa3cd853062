"""Fills the demonstration database and fetches; Odoo's shell runs it with ``env``.

A Dutch reseller, contacts for nearly all of the simulator's customers and for Copaco, a
connection to the simulator with rules. What is there already stays, so that a second
run only fetches again.
"""

import os
import sys
import time

from simulator.companies import make_customers

from devtools.demo import report, rules

COMPANY = {
    "name": "Voorbeeld Clouddiensten B.V.",
    "street": "Wolkendek 99",
    "zip": "1234 AB",
    "city": "Voorbeelddam",
    "email": "administratie@voorbeeld-clouddiensten.example",
}
# As the simulator names the sender of purchase invoices.
VENDOR = "Copaco Nederland B.V."
CONNECTION = "Copaco Cloud (simulator)"
# Customers by their place in the simulator's list; the others are found by their
# customer number or their VAT number.
WITHOUT_CONTACT = (41, 43)
WITH_LIKE_NAME_ONLY = (15, 20, 36)
LEGAL_FORMS = (" B.V.", " U.A.")


def main(env):
    env = env(user=env.ref("base.user_admin"))
    if not env["copaco.connection"].search_count([("name", "=", CONNECTION)]):
        set_up_company(env)
        create_contacts(env)
        rules.create_rules(env, create_connection(env))
    connection = env["copaco.connection"].search([("name", "=", CONNECTION)])
    connection.base_url = os.environ["COPACO_ADDRESS"]
    connection.api_key = os.environ["COPACO_API_KEY"]
    connection.action_test_connection()
    if connection.is_source_proposed:
        connection.action_use_customer_invoices()
    env.cr.commit()

    before = report.count(env)
    runs_before = connection.run_ids
    started = time.monotonic()
    fetched = filter(None, runs_before.mapped("date_from"))
    fetch(env, connection, min(fetched, default=None))
    seconds = time.monotonic() - started
    env.invalidate_all()
    if not report.print_all(env, connection, runs_before, before, seconds):
        sys.exit(1)


def set_up_company(env):
    company = env.company
    company.write({**COMPANY, "country_id": env.ref("base.nl").id})
    env["account.chart.template"].try_loading("nl", company, install_demo=False)
    env.user.tz = "Europe/Amsterdam"
    # Two things that tell Odoo's maker about this database.
    env.ref("mail.ir_cron_module_update_notification").active = False
    company.iap_enrich_auto_done = True


def create_contacts(env):
    for customer in make_customers(1, 45):
        if customer.index in WITHOUT_CONTACT:
            continue
        values = {
            "name": customer.name,
            "is_company": True,
            "street": customer.street,
            "zip": customer.zip,
            "city": customer.city,
            "country_id": env["res.country"]
            .search([("code", "=", customer.country_code)])
            .id,
        }
        if customer.index in WITH_LIKE_NAME_ONLY:
            for form in LEGAL_FORMS:
                values["name"] = values["name"].removesuffix(form)
        elif customer.index % 2 and "shared_number" not in customer.traits:
            values |= {"ref": customer.customer_number, "email": customer.email}
            values["vat"] = "/"
        else:
            values |= {"vat": customer.vat, "email": customer.email}
        env["res.partner"].create(values)


def create_connection(env):
    vendor = env["res.partner"].create(
        {"name": VENDOR, "is_company": True, "country_id": env.ref("base.nl").id}
    )
    return env["copaco.connection"].create(
        {
            "name": CONNECTION,
            "base_url": os.environ["COPACO_ADDRESS"],
            "invoice_policy": "post",
            "responsible_id": env.user.id,
            "vendor_id": vendor.id,
            "margin_threshold": 10,
        }
    )


def fetch(env, connection, date_from):
    """Press the button; then do what the scheduled actions would go on with.

    :param date_from: first day of what was fetched before, which is received once more
    """
    connection.action_fetch()
    if date_from:
        # The button looks only some days further back than the last fetch ended.
        values = {"connection_id": connection.id, "date_from": date_from}
        env["copaco.fetch"].create(values).action_fetch()
    env["copaco.run"]._cron_execute()
    env["copaco.document"]._cron_process()
    env["copaco.finding"].action_check()
    env.cr.commit()


main(env)  # noqa: F821 (the shell's own)
