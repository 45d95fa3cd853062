def migrate(cr, version):
    """The texts of the lines are looked for on their document."""
    cr.execute(
        """
        UPDATE copaco_document document
           SET search_text = found.text
          FROM (
            SELECT line.document_id, string_agg(DISTINCT part.text, E'\\n') AS text
              FROM copaco_document_line line
        CROSS JOIN LATERAL unnest(ARRAY[
                       line.subscription_ref, line.subscription_name, line.plan_name,
                       line.description, line.vendor_details, line.subscription_po,
                       line.line_po
                   ]) part (text)
             WHERE part.text != ''
          GROUP BY line.document_id
          ) found
         WHERE found.document_id = document.id"""
    )
