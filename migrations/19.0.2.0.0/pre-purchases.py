def migrate(cr, version):
    """An upgrade must not begin to ask for what the key may not read, nor to create
    bills that nobody expects: whoever wants them switches it on."""
    cr.execute(
        """
        ALTER TABLE copaco_connection ADD COLUMN IF NOT EXISTS fetch_purchases boolean;
        UPDATE copaco_connection SET fetch_purchases = false;
        """
    )
