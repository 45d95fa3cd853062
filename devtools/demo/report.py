"""What the demonstration prints, with sums that prove it."""

import textwrap

SHOWN_MESSAGES = 3
BULLET = {"initial_indent": "  - ", "subsequent_indent": "    "}
OTHER_PARTS = {
    "Edited manually": "amount_edited",
    "Credited manually": "amount_credited",
    "Replaced": "amount_replaced",
}
KINDS = {"Customers": ("specification", 1), "Copaco": ("purchase", -1)}
SALES = [("document_id.kind", "=", "specification")]
COUNTED = {
    "Documents": ("copaco.document", []),
    "  invoiced": ("copaco.document", [("state", "in", ("invoiced", "changed"))]),
    "  held": ("copaco.document", [("state", "=", "held")]),
    "  excluded": ("copaco.document", [("state", "=", "excluded")]),
    "Document lines": ("copaco.document.line", []),
    "Invoices": (
        "account.move",
        [("copaco_document_id.kind", "=", "specification")],
    ),
    "Vendor bills": ("account.move", [("copaco_document_id.kind", "=", "purchase")]),
}
# By the books alone: what invoices of Copaco's have on each account with each tax.
BOOKED = """
    SELECT account_id, taxes, -sum(balance)
      FROM (
        SELECT line.account_id, line.balance,
               ARRAY(SELECT account_tax_id FROM account_move_line_account_tax_rel rel
                      WHERE rel.account_move_line_id = line.id
                   ORDER BY account_tax_id) AS taxes
          FROM account_move_line line
          JOIN account_move move ON move.id = line.move_id
          JOIN copaco_document document ON document.id = move.copaco_document_id
         WHERE line.display_type = 'product' AND document.kind = 'specification'
      ) line
  GROUP BY 1, 2"""


def print_all(env, connection, runs_before, before, seconds):
    """Print the report of a fetch.

    :param before: what `count` returned before it
    :return: whether everything adds up
    """
    report_counts(before, count(env), seconds)
    report_runs(connection.run_ids - runs_before)
    report_held(env, connection)
    report_rules(env)
    is_booked = report_accounts(env)
    report_margins(env, connection)
    return report_reconciliation(env, connection) and is_booked


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
        f"\n{'Run':27}{'of':11}{'state':12}{'documents':>10}{'known':>8}{'lines':>8}"
        "  balanced"
    )
    titles = {kind: title for title, (kind, _sign) in KINDS.items()}
    for run in runs.sorted("id"):
        balanced = "yes" if run.is_balanced else "NO"
        print(
            f"{run.name:27}{titles[run.kind]:11}{run.state:12}"
            f"{run.received_count:>10,}{run.unchanged_count:>8,}"
            f"{run.received_line_count:>8,}  {balanced}"
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


def report_rules(env):
    """Print each rule with the lines that were invoiced by it, and the plans of which
    no rule says anything."""
    Line = env["copaco.document.line"]
    groups = Line._read_group(
        [*SALES, ("document_id.state", "=", "invoiced")],
        ["rule_id"],
        ["__count", "amount:sum"],
    )
    print(f"\n{'Rule':54}{'product':20}{'lines':>7}{'amount':>14}")
    for rule, lines, amount in sorted(groups, key=lambda group: group[0].sequence):
        name = textwrap.shorten(rule.display_name if rule else "No rule", 52)
        product = rule.product_id.name if rule else ""
        print(f"{name:54}{product:20}{lines:>7,}{amount:>14,.2f}")
    plans = env["copaco.plan"].search([("company_id", "=", env.company.id)])
    unmapped = plans.filtered(
        lambda plan: not (plan.is_mapped or plan.used_product_ids)
    )
    names = ", ".join(unmapped.mapped("display_name"))
    print(f"Of {len(plans)} plans, {len(unmapped)} wait to be mapped: {names}")


def report_accounts(env):
    """Print what was invoiced for each account and tax; tell whether the books have the
    same, by SQL."""
    groups = env["account.move.line"]._read_group(
        [
            ("move_id.copaco_document_id.kind", "=", "specification"),
            ("display_type", "=", "product"),
        ],
        ["account_id", "tax_ids"],
        ["id:recordset"],
    )
    print(f"\n{'Account':34}{'tax':14}{'lines':>7}{'amount':>14}")
    found = {}
    for account, taxes, lines in groups:
        amount = sum(
            line.price_subtotal * (-1 if line.move_type == "out_refund" else 1)
            for line in lines
        )
        found[(account.id, *taxes.ids)] = round(amount, 2)
        name = f"{account.code} {account.name}"
        print(f"{name:34}{taxes.name or '-':14}{len(lines):>7,}{amount:>14,.2f}")
    env.cr.execute(BOOKED)
    booked = {
        (account, *taxes): round(float(amount), 2)
        for account, taxes, amount in env.cr.fetchall()
    }
    print(f"{'The sums by SQL':48}{'equal' if found == booked else 'DIFFER':>21}")
    return found == booked


def report_margins(env, connection):
    own = [("connection_id", "=", connection.id)]
    months = env["copaco.margin"]._read_group(
        own,
        ["date:month"],
        ["sale:sum", "cost:sum", "margin:sum", "margin_percent:avg"],
    )
    print(f"\n{'Month':20}{'billed on':>14}{'by Copaco':>14}{'margin':>14}{'%':>8}")
    for month, *amounts, percent in months:
        texts = "".join(f"{amount:>14,.2f}" for amount in amounts)
        print(f"{month:%B %Y}".ljust(20) + f"{texts}{percent or 0:>8.2f}")
    kinds = dict(env["copaco.finding"]._fields["kind"]._description_selection(env))
    groups = env["copaco.finding"]._read_group(
        [*own, ("state", "=", "open")], ["kind"], ["__count", "amount:sum"]
    )
    print(f"\n{'Finding':34}{'count':>6}{'amount':>14}")
    for kind, number, amount in groups:
        print(f"{kinds[kind]:34}{number:>6,}{amount:>14,.2f}")


def report_reconciliation(env, connection):
    """Print where every cent is; tell whether the parts add up to what was
    received.

    What was invoiced is Odoo's own figure, from the invoices and bills.
    """
    columns = [sum_up(env, connection, kind, sign) for kind, sign in KINDS.values()]
    print(f"\n{'Amounts without VAT':20}" + "".join(f"{title:>14}" for title in KINDS))
    differences = [get_difference(column) for column in columns]
    for title in dict.fromkeys(title for column in columns for title in column):
        amounts = "".join(f"{column.get(title, 0):>14,.2f}" for column in columns)
        print(f"{title:20}{amounts}")
    print(f"{'Difference':20}" + "".join(f"{each:>14,.2f}" for each in differences))
    return not any(differences) and all(connection.run_ids.mapped("is_balanced"))


def get_difference(column):
    received, *parts = column.values()
    # Whole cents; adding zero makes of a negative zero a plain one.
    return round(received - sum(parts), 2) + 0


def sum_up(env, connection, kind, sign):
    """:return: dict of what was received of a kind and of its parts, by their titles"""
    runs = connection.run_ids.filtered(lambda run: run.kind == kind)
    documents = connection.document_ids.filtered(lambda each: each.kind == kind)
    moves = env["account.move"].search(
        [
            "|",
            ("copaco_document_id", "in", documents.ids),
            ("copaco_version_id.document_id", "in", documents.ids),
        ]
    )
    parts = {
        "Received": sum(run.amount_received - run.amount_unchanged for run in runs),
        "Invoiced": sign * sum(moves.mapped("amount_untaxed_signed")),
        "Held": sum(runs.mapped("amount_held")),
        "Excluded": sum(runs.mapped("amount_excluded")),
    }
    if bills := moves.filtered("copaco_amount"):
        # Each document is rounded, and so is the bill, which is of several.
        billed = documents.filtered(lambda each: each.move_id in bills)
        of_documents = sum(billed.mapped("amount_to_invoice"))
        parts["Rounding of bills"] = of_documents - sum(bills.mapped("copaco_amount"))
    # Somebody may have edited invoices of the demonstration, or had Copaco change them.
    for title, name in OTHER_PARTS.items():
        if amount := sum(runs.mapped(name)):
            parts[title] = amount
    return parts
