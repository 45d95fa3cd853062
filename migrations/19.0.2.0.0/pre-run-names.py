def migrate(cr, version):
    """A run is named in the language of whoever reads it, and no longer of whoever
    planned it."""
    cr.execute("ALTER TABLE copaco_run DROP COLUMN IF EXISTS name")
