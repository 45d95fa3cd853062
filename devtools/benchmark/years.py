"""Years of data, copied by SQL from a month that the addon fetched and invoiced."""

# Further than the highest id of what is copied.
STEP = 1_000_000
# What differs in a month that is copied, by table; in this order.
CHANGES = {
    "copaco_run": {
        "name": "concat(name, ' -', month)",
        "payload_id": "NULL",
        "payload_digest": "NULL",
        **dict.fromkeys(("date_from", "date_to"), "({} - span)::date"),
        **dict.fromkeys(
            ("started_at", "stored_at", "finished_at", "create_date"), "{} - span"
        ),
    },
    "account_move": {
        "name": "concat(name, '-', month)",
        "access_token": "NULL",
        "copaco_document_id": "NULL",
        **dict.fromkeys(("date", "invoice_date"), "({} - span)::date"),
    },
    "copaco_document": {
        "run_id": "{} + month * step",
        "move_id": "{} + month * step",
        "invoice_number": "concat(invoice_number, '#', month)",
        "payload": "NULL",
        "create_date": "{} - span",
        **dict.fromkeys(
            ("invoice_date", "created_from", "created_to"), "({} - span)::date"
        ),
    },
    "copaco_document_line": {
        "document_id": "{} + month * step",
        "row_hash": "concat(row_hash, '#', month)",
        **dict.fromkeys(("date_start", "date_end"), "({} - span)::date"),
    },
    "copaco_margin": {
        "sale_line_id": "{} + month * step",
        "cost_line_id": "{} + month * step",
        "date": "({} - span)::date",
    },
    "copaco_finding": {
        "sale_line_id": "{} + month * step",
        "cost_line_id": "{} + month * step",
        "key": "concat(key, '-', month)",
        "date": "({} - span)::date",
    },
}
HELD = """
    UPDATE copaco_document
       SET state = 'held', hold_reason = 'tax_missing', move_id = NULL,
           hold_message = to_jsonb(concat(invoice_number, ': a tax is missing.')),
           waiting_since = current_date
     WHERE id %% 20 = 0 AND id BETWEEN %(step)s AND 3 * %(step)s"""


def add_months(env, count):
    """Copy the only month that there is to so many months before it."""
    env.flush_all()
    for table, changes in CHANGES.items():
        env.cr.execute(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name = %s AND is_generated = 'NEVER'""",
            [table],
        )
        columns = [name for (name,) in env.cr.fetchall()]
        values = {"id": "{} + month * step", **changes}
        found = [values.get(name, "{}").format(f'"{name}"') for name in columns]
        names = ", ".join(f'"{name}"' for name in columns)
        env.cr.execute(
            f"""INSERT INTO {table} ({names})
                SELECT {", ".join(found)}
                  FROM {table},
                       LATERAL (SELECT month, month * interval '1 month' AS span,
                                       %(step)s AS step
                                  FROM generate_series(1, %(count)s) month) copy""",
            {"step": STEP, "count": count},
        )
    env.cr.execute(
        """UPDATE account_move move SET copaco_document_id = document.id
             FROM copaco_document document
            WHERE document.move_id = move.id AND document.kind = 'specification'"""
    )
    env.cr.execute(HELD, {"step": STEP})
    env.cr.execute(f"ANALYZE {', '.join(CHANGES)}")
    env.cr.commit()
    env.invalidate_all()
