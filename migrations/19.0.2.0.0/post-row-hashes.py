"""Row hashes are compared whichever case their letters are in."""


def migrate(cr, version):
    cr.execute(
        "UPDATE copaco_document_line SET row_hash = lower(row_hash)"
        " WHERE row_hash != lower(row_hash)"
    )
