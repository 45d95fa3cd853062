"""What a database holds, read with plain SQL."""

TABLES = (
    *("account_move", "account_move_line"),
    *("copaco_connection", "copaco_customer", "copaco_document"),
    *("copaco_document_line", "copaco_document_version", "copaco_run"),
)


def read_rows(cr):
    """Return the rows of ``TABLES`` as they can be written to a file: a dictionary by
    table, id (a text) and column."""
    rows = {}
    for table in TABLES:
        cr.execute(f"SELECT id::text, to_jsonb({table}) FROM {table} ORDER BY id")
        rows[table] = dict(cr.fetchall())
    return rows
