"""Fills the demonstration database and fetches; Odoo's shell runs it with ``env``.

A Dutch reseller, contacts for nearly all of the simulator's customers, a connection to
the simulator. What is there already stays, so that a second run only fetches again.
"""

import os
import sys
import textwrap
import time

from simulator.companies import make_customers

COMPANY = {
    "name": "Voorbeeld Clouddiensten B.V.",
    "street": "Wolkendek 99",
    "zip": "1234 AB",
    "city": "Voorbeelddam",
    "email": "administratie@voorbeeld-clouddiensten.example",
}
CONNECTION = "Copaco Cloud (simulator)"
# Customers by their place in the simulator's list; the others are found by their
# customer number or their VAT number.
WITHOUT_CONTACT = (41, 43)
WITH_LIKE_NAME_ONLY = (15, 20, 36)
SHOWN_MESSAGES = 3
BULLET = {"initial_indent": "  - ", "subsequent_indent": "    "}
LEGAL_FORMS = (" B.V.", " U.A.")
OTHER_PARTS = {
    "Edited manually": "amount_edited",
    "Credited manually": "amount_credited",
    "Replaced": "amount_replaced",
}

COUNTED = {
    "Documents": ("copaco.document", []),
    "  invoiced": ("copaco.document", [("state", "in", ("invoiced", "changed"))]),
    "  held": ("copaco.document", [("state", "=", "held")]),
    "  excluded": ("copaco.document", [("state", "=", "excluded")]),
    "Document lines": ("copaco.document.line", []),
    "Invoices": ("account.move", [("copaco_document_id", "!=", False)]),
    "Invoice lines": ("account.move.line", [("copaco_line_id", "!=", False)]),
}


def main(env):
    env = env(user=env.ref("base.user_admin"))
    if not env["copaco.connection"].search_count([("name", "=", CONNECTION)]):
        set_up_company(env)
        create_contacts(env)
        create_connection(env)
    connection = env["copaco.connection"].search([("name", "=", CONNECTION)])
    connection.base_url = os.environ["COPACO_ADDRESS"]
    connection.api_key = os.environ["COPACO_API_KEY"]
    env.cr.commit()

    before = count(env)
    runs_before = connection.run_ids
    started = time.monotonic()
    fetched = filter(None, runs_before.mapped("date_from"))
    fetch(env, connection, min(fetched, default=None))
    seconds = time.monotonic() - started
    env.invalidate_all()
    report_counts(before, count(env), seconds)
    report_runs(connection.run_ids - runs_before)
    report_held(env, connection)
    if not report_reconciliation(env, connection):
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
    env["copaco.connection"].create(
        {
            "name": CONNECTION,
            "base_url": os.environ["COPACO_ADDRESS"],
            "invoice_policy": "post",
            "responsible_id": env.user.id,
            "fetch_purchases": False,
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
    env.cr.commit()


def count(env):
    return {
        title: env[model].search_count(domain)
        for title, (model, domain) in COUNTED.items()
    }


def report_counts(before, after, seconds):
    print(f"\nFetched from the simulator in {seconds:.1f} s\n")
    print(f"{'':16}{'before':>10}{'after':>10}")
    for title in COUNTED:
        print(f"{title:16}{before[title]:>10,}{after[title]:>10,}")


def report_runs(runs):
    print(
        f"\n{'Run':27}{'state':12}{'documents':>10}{'known':>8}{'lines':>8}  balanced"
    )
    for run in runs.sorted("id"):
        balanced = "yes" if run.is_balanced else "NO"
        print(
            f"{run.name:27}{run.state:12}{run.received_count:>10,}"
            f"{run.unchanged_count:>8,}{run.received_line_count:>8,}  {balanced}"
        )


def report_held(env, connection):
    """Print each reason with what it holds, and for each customer the newest message,
    which says what to do."""
    reasons = dict(
        env["copaco.document"]._fields["hold_reason"]._description_selection(env)
    )
    groups = env["copaco.document"]._read_group(
        [("connection_id", "=", connection.id), ("state", "=", "held")],
        ["hold_reason"],
        ["__count", "amount_source:sum", "id:recordset"],
    )
    print(f"\n{'Held, and why':28}{'documents':>10}{'amount':>14}")
    for reason, documents, amount, records in groups:
        print(f"{reasons[reason]:28}{documents:>10,}{amount:>14,.2f}")
        newest = {document.customer_id: document for document in records.sorted("id")}
        for document in list(newest.values())[:SHOWN_MESSAGES]:
            print(textwrap.fill(document.hold_message, 86, **BULLET))
        if len(newest) > SHOWN_MESSAGES:
            print(f"  - and {len(newest) - SHOWN_MESSAGES} customers more")


def report_reconciliation(env, connection):
    """Print where every cent is; tell whether the parts add up to what was
    received.

    What was invoiced is Odoo's own figure, from the invoices.
    """
    runs, documents = connection.run_ids, connection.document_ids
    moves = env["account.move"].search(
        [
            "|",
            ("copaco_document_id", "in", documents.ids),
            ("copaco_version_id.document_id", "in", documents.ids),
        ]
    )
    parts = {
        "Invoiced": sum(moves.mapped("amount_untaxed_signed")),
        "Held": sum(runs.mapped("amount_held")),
        "Excluded": sum(runs.mapped("amount_excluded")),
    }
    # Somebody may have edited invoices of the demonstration, or had Copaco change them.
    for title, name in OTHER_PARTS.items():
        if amount := sum(runs.mapped(name)):
            parts[title] = amount
    received = sum(run.amount_received - run.amount_unchanged for run in runs)
    print(f"\n{'Amounts without VAT':20}{env.company.currency_id.name:>14}")
    print(f"{'Received':20}{received:>14,.2f}")
    for title, amount in parts.items():
        print(f"{title:20}{amount:>14,.2f}")
    # Whole cents; adding zero makes of a negative zero a plain one.
    difference = round(received - sum(parts.values()), 2) + 0
    print(f"{'Difference':20}{difference:>14,.2f}")
    return not difference and all(runs.mapped("is_balanced"))


main(env)  # noqa: F821 (the shell's own)
