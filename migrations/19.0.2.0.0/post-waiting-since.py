def migrate(cr, version):
    """What waits for a person waits since it was last written, as far as is known."""
    cr.execute(
        """
        UPDATE copaco_document
           SET waiting_since = write_date::date
         WHERE state IN ('held', 'changed') OR missing_state = 'reported'"""
    )
