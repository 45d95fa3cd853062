"""What must not be in a reseller's books, and what must be in them, as SQL.

%(company)s is the reseller's company.
"""

HOLD_REASONS = ("customer_unknown", "source_changed")

# Each finds what must not be, at any moment.
FAULTS = {
    "a document is there twice": """
        SELECT kind, invoice_number, customer_id, count(*)
          FROM copaco_document WHERE company_id = %(company)s
      GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a customer is there twice": """
        SELECT account_ref, count(*)
          FROM copaco_customer WHERE company_id = %(company)s
      GROUP BY 1 HAVING count(*) > 1""",
    "a document has not the one invoice that it should have": """
        SELECT document.invoice_number, document.state, move.id, array_agg(own.id)
          FROM copaco_document document
     LEFT JOIN account_move move ON move.id = document.move_id
     LEFT JOIN account_move own ON own.copaco_document_id = document.id
         WHERE document.company_id = %(company)s
           AND document.kind = 'specification'
      GROUP BY document.id, move.id
        HAVING (move.id IS NOT NULL) != (document.state IN ('invoiced', 'changed'))
            OR count(own.id) > 1
            OR bool_or(own.id IS DISTINCT FROM move.id) AND count(own.id) > 0
            OR move.state != %(move_state)s""",
    "an invoice is not what its documents come to": """
        SELECT move.id, move.amount_untaxed_signed, sum(document.amount_source)
          FROM account_move move
     LEFT JOIN copaco_document document ON document.move_id = move.id
         WHERE move.company_id = %(company)s
           AND move.move_type IN ('out_invoice', 'out_refund')
      GROUP BY move.id
        HAVING sum(document.amount_source) IS DISTINCT FROM move.amount_untaxed_signed
            OR bool_and(move.copaco_document_id != document.id)""",
    "a price line is not exactly once on an invoice": """
        SELECT line.id, line.amount, array_agg(booked.price_subtotal)
          FROM copaco_document_line line
          JOIN copaco_document document ON document.id = line.document_id
     LEFT JOIN account_move_line booked ON booked.copaco_line_id = line.id
         WHERE document.company_id = %(company)s
           AND document.state IN ('invoiced', 'changed')
      GROUP BY line.id
        HAVING count(booked.id) != 1
            OR sum(CASE document.kind WHEN 'purchase' THEN booked.balance
                                      ELSE -booked.balance END) != line.amount""",
    "a Copaco invoice has not the one bill that it should have": """
        SELECT document.invoice_number, array_agg(document.state),
               array_agg(document.move_id), sum(document.amount_source),
               min(-move.amount_untaxed_signed)
          FROM copaco_document document
     LEFT JOIN account_move move ON move.id = document.move_id
         WHERE document.company_id = %(company)s AND document.kind = 'purchase'
      GROUP BY 1
        HAVING bool_or((document.state IN ('invoiced', 'changed'))
                       != (move.id IS NOT NULL))
            OR min(move.id) != max(move.id)
            OR bool_or(move.state != 'draft')
            -- Each document is rounded, and so is the bill.
            OR abs(min(-move.amount_untaxed_signed)
                   - sum(document.amount_source)) > 0.005 * (count(*) + 1)""",
    "a bill is there twice": """
        SELECT ref, array_agg(id) FROM account_move
         WHERE company_id = %(company)s AND move_type IN ('in_invoice', 'in_refund')
      GROUP BY 1 HAVING count(*) > 1""",
    "an invoice is of no document": """
        SELECT id, name FROM account_move
         WHERE company_id = %(company)s AND copaco_document_id IS NULL""",
    "an invoice number was skipped": """
        SELECT sequence_prefix, array_agg(sequence_number ORDER BY sequence_number)
          FROM account_move WHERE company_id = %(company)s AND state = 'posted'
      GROUP BY 1 HAVING max(sequence_number) != count(*)""",
    "a change is there twice": """
        SELECT document_id, payload_digest, count(*)
          FROM copaco_document_version WHERE company_id = %(company)s
      GROUP BY 1, 2 HAVING count(*) > 1""",
    "a run failed without a word": """
        SELECT id, date_from, date_to, trigger, started_at FROM copaco_run
         WHERE company_id = %(company)s
           AND state = 'failed' AND message IS NULL""",
    "a run has not what it received": """
        SELECT run.id, run.trigger, run.received_count, run.unchanged_count,
               count(stored.run_id), run.amount_received, run.amount_unchanged,
               sum(stored.amount_source)
          FROM copaco_run run
     LEFT JOIN (SELECT run_id, line_count, amount_source FROM copaco_document
                 UNION ALL
                SELECT run_id, line_count, amount_source FROM copaco_document_version
               ) stored ON stored.run_id = run.id
         WHERE run.company_id = %(company)s
      GROUP BY run.id
        HAVING run.received_count != run.unchanged_count + count(stored.run_id)
            OR run.received_line_count
               != run.unchanged_line_count + coalesce(sum(stored.line_count), 0)
            OR run.amount_received
               != run.amount_unchanged + coalesce(sum(stored.amount_source), 0)""",
    "a connection has several activities": """
        SELECT res_id, array_agg(summary) FROM mail_activity
         WHERE res_model = 'copaco.connection' AND res_id IN %(connections)s
      GROUP BY 1 HAVING count(*) > 1""",
}

# Each finds what must not be when nothing is at work any more.
FAULTS_AT_REST = {
    "a document waits or is held without a good reason": """
        SELECT invoice_number, state, hold_reason, hold_message
          FROM copaco_document WHERE company_id = %(company)s
           AND state NOT IN ('invoiced', 'changed')
           AND NOT (state = 'held' AND hold_reason IN %(hold_reasons)s
                    AND hold_message IS NOT NULL)""",
    "a run goes on for ever": """
        SELECT id, date_from, date_to, trigger, started_at, stored_at FROM copaco_run
         WHERE company_id = %(company)s AND state = 'running'""",
    "a run failed": """
        SELECT id, date_from, date_to, trigger, started_at, message FROM copaco_run
         WHERE company_id = %(company)s AND state = 'failed'""",
}

# What became of each document; what is on its invoice has the sign of the document. A
# bill is of several documents, and rounded as a whole.
STORED = """
    SELECT document.invoice_number, customer.account_ref,
           document.state IN ('invoiced', 'changed') AS is_invoiced,
           document.line_count, document.amount_source::text,
           (SELECT count(*) FROM copaco_document_line WHERE document_id = document.id),
           count(DISTINCT move.id), count(booked.copaco_line_id),
           CASE document.kind
                WHEN 'purchase' THEN document.amount_billed * count(DISTINCT move.id)
                ELSE coalesce(-sum(booked.balance), 0) END::text
      FROM copaco_document document
      JOIN copaco_customer customer ON customer.id = document.customer_id
 LEFT JOIN account_move move
        ON CASE document.kind WHEN 'purchase' THEN move.id = document.move_id
                              ELSE move.copaco_document_id = document.id END
 LEFT JOIN account_move_line booked
        ON booked.move_id = move.id AND booked.display_type = 'product'
       AND (document.kind != 'purchase' OR booked.copaco_line_id IN (
            SELECT id FROM copaco_document_line WHERE document_id = document.id))
     WHERE document.company_id = %(company)s
  GROUP BY document.id, customer.account_ref"""

BOOKS = """
    SELECT document.invoice_number, customer.account_ref, customer.partner_id,
           document.state, document.hold_reason, document.amount_source,
           move.state, move.move_type, move.partner_id, move.invoice_date,
           move.invoice_date_due, move.amount_untaxed_signed, move.amount_total_signed,
           line.display_type, line.sequence,
           replace(line.name, coalesce(move.name, ''), 'NUMBER'),
           line.quantity, line.price_unit, line.price_subtotal, line.balance
      FROM copaco_document document
      JOIN copaco_customer customer ON customer.id = document.customer_id
 LEFT JOIN account_move move ON move.copaco_document_id = document.id
 LEFT JOIN account_move_line line ON line.move_id = move.id
     WHERE document.company_id = %(company)s
  ORDER BY 2, 1, line.display_type, 15, 16, 17, 18, 19, 20"""
