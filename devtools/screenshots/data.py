"""Adds to the demonstration what the pictures show, by files that Copaco might send,
and writes which pages these are; Odoo's shell runs it with ``env``."""

import base64
import json
import os
from pathlib import Path

from dateutil.relativedelta import relativedelta


def main(env):
    env = env(user=env.ref("base.user_admin"))
    connection = env["copaco.connection"].search([], limit=1)
    fetches = connection.run_ids.filtered(
        lambda run: run.date_from and run.kind == "specification"
    ).sorted("date_from")
    last_run = fetches.filtered("document_ids")[-1]
    documents = last_run.document_ids.sorted("invoice_number").filtered(is_in_one_part)
    first, changed, second, wrong, credited, untouched, *others = documents.filtered(
        "move_id"
    )

    upload(env, [with_known_lines(first, 2, "81100", "149.00")]).action_upload()
    upload(env, [with_known_lines(second, 1, "81101", "25.00")]).action_upload()
    upload(env, [with_changed_lines(changed)]).action_upload()
    next_month = [with_next_month(document) for document in documents]
    preview = upload(env, next_month, "next-month.json").action_preview()
    # Days are missing between this and what was fetched.
    start = fetches[0].date_from.replace(day=1) - relativedelta(months=2)
    period = {"date_from": start, "date_to": start + relativedelta(days=40)}
    env["copaco.fetch"].create(
        {"connection_id": connection.id, **period}
    ).action_fetch()
    wrong.customer_id.partner_id = second.partner_id
    correction = correct_beside_credit_note(env, credited)
    fail_to_send(documents.filtered("move_id")[-3:])
    connection.action_test_connection()
    rule = map_plans(env)
    accept_findings(env)
    print_layouts(env, others[:-3])
    connection.sudo().setup_step = "books"
    env.cr.commit()

    duplicate = documents.search([("invoice_number", "=", "81100")])
    month = env["copaco.month"].search(
        [("connection_id", "=", connection.id), ("document_count", ">", 0)], limit=1
    )
    overview = env["copaco.overview"].search([("date", "=", month.date)], limit=1)
    columns = ["Cost", "Margin", "Margin %"]
    pages = {
        "to_do": ("/odoo/copaco-to-do", 630),
        "decide": ("/odoo/copaco-decide", 500),
        "setup": ("/odoo/action-account_copaco.action_copaco_setup", 800),
        "run": (f"/odoo/copaco-runs/{last_run.id}", 1000),
        "unsent": ("/odoo/copaco-could-not-be-sent", 430),
        "connection": (f"/odoo/copaco-connections/{connection.id}", 1200),
        "months": ("/odoo/copaco-months", 350),
        "overview": (f"/odoo/copaco-overview/{overview.id}", 1960),
        "duplicates": (f"/odoo/copaco-documents/{duplicate.id}", 1060),
        "changed": (f"/odoo/copaco-documents/{changed.id}", 920),
        "other_contact": (
            *(f"/odoo/copaco-documents/{wrong.id}", 700),
            "Invoice to another contact…",
        ),
        "credited": (f"/odoo/customer-invoices/{correction.id}", 1090),
        "preview": (f"/odoo/copaco-preview/{preview['res_id']}", 1000),
        "plans": ("/odoo/copaco-plans", 700),
        "rule": (f"/odoo/copaco-rules/{rule.id}", 800),
        "findings": ("/odoo/copaco-findings", 640),
        "margin_month": (f"/odoo/copaco-months/{month.id}", 1250),
        "margin_comparison": ("/odoo/copaco-margin-comparison", 620),
        "margin_graph": ("/odoo/copaco-margins?view_type=graph", 560),
        "margin_lines": (
            *(f"/odoo/customer-invoices/{untouched.move_id.id}", 900),
            *(None, columns),
        ),
        "typical_customers": (f"/odoo/copaco-connections/{connection.id}", 1930),
    }
    Path(os.environ["COPACO_PAGES"]).write_text(json.dumps(pages))


def correct_beside_credit_note(env, document):
    """Credit a part of a line by hand, have Copaco take off more of it, and return the
    correction of what is left."""
    move = document.move_id
    reversal = env["account.move.reversal"].with_context(
        active_model="account.move", active_ids=move.ids
    )
    wizard = reversal.create(
        {"journal_id": move.journal_id.id, "reason": "One licence too many"}
    )
    credit_note = env["account.move"].browse(wizard.refund_moves()["res_id"])
    line = credit_note.invoice_line_ids.sorted("sequence")[0]
    (credit_note.invoice_line_ids - line).unlink()
    line.write({"quantity": 1, "price_unit": 8})
    credit_note.action_post()
    upload(env, [with_less(document, 20)]).action_upload()
    return env["account.move"].browse(document.action_correct()["res_id"])


def fail_to_send(documents):
    """Have invoices sent to a contact without an address, to one that prefers to be
    sent nothing, and to one by a mail server that isn't there."""
    nobody, nothing, refused = (document.move_id.partner_id for document in documents)
    nobody.email = False
    nothing.invoice_sending_method = "manual"
    refused.email = "invoices@example.com"
    documents.move_id.filtered(lambda move: move.state == "draft").action_post()
    env = documents.sudo().env
    env["copaco.sender"]._queue(documents.sudo())
    connection = documents.connection_id
    policy, connection.invoice_policy = connection.invoice_policy, "send"
    env["copaco.delivery"]._cron_send()
    connection.invoice_policy = policy


def map_plans(env):
    """Give some plans a product of their own, have one suggested, and return a rule for
    a category of plans."""
    Rule, Product = env["copaco.rule"], env["product.product"]
    Product.create({"name": "VMware vCloud - Virtual Data Center", "type": "service"})
    plans = env["copaco.plan"].search(
        [("plan_category", "=", "Microsoft 365")], limit=4
    )
    plans.write(
        {"product_id": Product.search([("name", "=", "Microsoft 365")], limit=1).id}
    )
    return Rule.search([("plan_category", "=", "Telecom")])


def print_layouts(env, documents):
    """Make the invoice of most kinds of plans anew in each layout, and print it."""
    # From here the program that makes the PDFs fetches their styles.
    env["ir.config_parameter"].set_param("report.url", os.environ["ODOO_ADDRESS"])
    document = max(
        documents, key=lambda each: len(set(each.line_ids.mapped("plan_category")))
    )
    folder = Path(os.environ["COPACO_PAGES"]).parent
    for layout in ("copaco", "subscription", "consumer", "received"):
        document.customer_id.layout_id = env.ref(f"account_copaco.layout_{layout}")
        document.move_id.button_draft()
        document.action_retry()
        document.move_id.action_post()
        pdf = env["ir.actions.report"]._render_qweb_pdf(
            "account.report_invoice", document.move_id.ids
        )[0]
        (folder / f"layout_{layout}.pdf").write_bytes(pdf)


def accept_findings(env):
    findings = env["copaco.finding"].search([("kind", "=", "subscription_new")])[:3]
    findings.reason = "Ordered by the customer"
    findings.action_accept()


def upload(env, invoices, name="copaco.json"):
    content = base64.b64encode(json.dumps({"Invoices": invoices}).encode())
    return env["copaco.upload"].create(
        {"kind": "specification", "content": content, "file_name": name}
    )


def is_in_one_part(document):
    return len(json.loads(document.payload)["Invoices"]) == 1


def read(document):
    """Return the invoice of a document as Copaco sent it, and its price lines."""
    (invoice,) = json.loads(document.payload)["Invoices"]
    invoice.pop("Totals", None)
    (customer,) = invoice["Customers"]
    subscriptions = [each["PriceLines"] for each in customer["Subscriptions"]]
    # What the pictures change of a line would differ from its VAT.
    for line in sum(subscriptions, []):
        for name in ("VAT", "TaxPercentage", "TaxZoneID"):
            line.pop(name, None)
    return invoice, subscriptions


def with_known_lines(document, count, number, amount):
    """Return an invoice with some lines of a document, and a line that is new."""
    invoice, subscriptions = read(document)
    invoice["Header"]["InvoiceID"] = number
    for lines in subscriptions:
        del lines[count:]
        count -= len(lines)
    subscriptions[0].append(make_line(number, amount, "Migration of mailboxes"))
    return invoice


def with_changed_lines(document):
    """Return a document with a higher amount of one line, and a line more."""
    invoice, subscriptions = read(document)
    line = subscriptions[0][0]
    line["ExtendedPrice"] = str(float(line["ExtendedPrice"]) + 12.5)
    subscriptions[0].append(make_line("changed", "24.95", "Five licences more"))
    return invoice


def with_less(document, amount):
    """Return a document with a lower amount of its first line."""
    invoice, subscriptions = read(document)
    line = subscriptions[0][0]
    line["ExtendedPrice"] = str(float(line["ExtendedPrice"]) - amount)
    return invoice


def with_next_month(document):
    """Return a document as it may be a month later, each amount a fifth higher."""
    invoice, subscriptions = read(document)
    date = document.invoice_date + relativedelta(months=1)
    number = int(document.invoice_number) + 1_000_000
    invoice["Header"] |= {"InvoiceID": f"{number}", "Date": f"{date:%Y%m%d}"}
    for line in sum(subscriptions, []):
        line["InvoiceRowHash"] += "-next"
        line["ExtendedPrice"] = f"{float(line['ExtendedPrice']) * 1.2:.2f}"
    return invoice


def make_line(key, amount, description):
    return {
        "LineId": f"line-{key}",
        "InvoiceRowHash": f"hash-{key}",
        "Description": description,
        "ChargeType": "One Time Fee",
        "Quantity": "1",
        "UnitPrice": amount,
        "ExtendedPrice": amount,
    }


main(env)  # noqa: F821 (the shell's own)
