"""Before the models are loaded. `CHANGELOG.rst` says what an upgrade changes."""


def migrate(cr, version):
    _add_root_company(cr)
    _set_same_documents_apart(cr)


def _add_root_company(cr):
    """Odoo would compute it document by document."""
    cr.execute("ALTER TABLE copaco_document ADD COLUMN root_company_id int4")
    cr.execute(
        """
        UPDATE copaco_document document
           SET root_company_id = split_part(company.parent_path, '/', 1)::int4
          FROM res_company company
         WHERE company.id = document.company_id
        """
    )


def _set_same_documents_apart(cr):
    """A parent company and its branch could each have the same document, and so could
    two customers whose accounts differ only in capitals. From now on one of them, one
    with an invoice if there is one, is what Copaco sends. The others stay as they are,
    with a key of their own, and are not expected to be received again."""
    cr.execute(
        """
        WITH same AS (
            SELECT document.id,
                   row_number() OVER (
                       PARTITION BY document.root_company_id, document.kind,
                                    document.invoice_number, document.account_key,
                                    CASE WHEN document.account_key IS NULL
                                         THEN document.payload_digest END
                           ORDER BY move.id IS NULL, document.id
                   ) AS position
              FROM copaco_document document
         LEFT JOIN account_move move
                ON move.id = document.move_id AND move.state != 'cancel'
        )
        UPDATE copaco_document document
           SET account_key = concat(account_key, ' #', document.id),
               created_origin = NULL
          FROM same
         WHERE same.id = document.id AND same.position > 1
        """
    )
