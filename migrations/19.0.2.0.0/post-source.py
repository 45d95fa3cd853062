def migrate(cr, version):
    """Until now there was one source of what customers have to pay."""
    cr.execute(
        """
        UPDATE copaco_document
           SET created_endpoint = kind
         WHERE created_origin IS NOT NULL
        """
    )
