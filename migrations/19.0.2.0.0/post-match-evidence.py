def migrate(cr, version):
    """Links that were made by evidence know from now on by which."""
    cr.execute(
        """
        UPDATE copaco_customer
           SET match_evidence = CASE match_method WHEN 'vat' THEN vat
                                     ELSE customer_number END
         WHERE match_method IN ('vat', 'customer_number')
        """
    )
