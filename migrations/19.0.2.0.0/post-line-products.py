def migrate(cr, version):
    """Lines say which product they became; the rules of earlier versions were none."""
    cr.execute(
        """
        UPDATE copaco_document_line line
           SET product_id = move_line.product_id
          FROM account_move_line move_line
         WHERE move_line.copaco_line_id = line.id
           AND line.product_id IS NULL"""
    )
