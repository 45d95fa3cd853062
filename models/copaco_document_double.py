from odoo import api, fields, models


class CopacoDocument(models.Model):
    """The same invoice under an account that is written in other capitals may be the
    same document twice: nobody knows whether Copaco tells such accounts apart."""

    _inherit = "copaco.document"

    # Given with the other values of what came, so that nothing has to be computed.
    account_key = fields.Char(
        compute="_compute_account_key",
        store=True,
        precompute=True,
        readonly=False,
        help="The customer's account, whatever its capitals.",
    )
    is_no_double = fields.Boolean(
        readonly=True,
        help="A person said that it is to be invoiced besides one that looks the same.",
    )

    # Unless a person said so, the database lets no more than one of them be invoiced.
    _double_unique = models.UniqueIndex(
        "(company_id, kind, invoice_number, account_key) "
        "WHERE move_id IS NOT NULL AND is_no_double IS NOT TRUE",
        "There already is an invoice of a document that may be the same.",
    )

    # === COMPUTE METHODS === #

    @api.depends("customer_id.account_ref")
    def _compute_account_key(self):
        for document in self:
            document.account_key = get_account_key(document.customer_id.account_ref)

    # === ACTION METHODS === #

    def action_invoice_as_well(self):
        """Invoice these documents besides those that they may be the same as.

        :return: see `action_retry`
        """
        self._check_may_decide()
        documents = self.filtered(
            lambda document: (
                document.state == "held" and document.hold_reason == "possible_double"
            )
        ).sudo()
        for document in documents:
            document._message_log(
                body=self.env._(
                    "%(user)s said that this is no double of another document.",
                    user=self.env.user.name,
                )
            )
        documents.write({"is_no_double": True, "state": "new"})
        return documents.with_env(self.env)._process_now()

    # === BUSINESS METHODS === #

    def _get_doubles(self):
        """Find out which of these documents may be the same as one that came before, or
        that has an invoice.

        :return: dict of these others by document
        """
        asked = self.filtered(
            lambda document: document.account_key and not document.is_no_double
        )
        groups = self.search_fetch(
            [
                ("company_id", "in", asked.company_id.ids),
                ("invoice_number", "in", asked.mapped("invoice_number")),
                ("account_key", "in", asked.mapped("account_key")),
                ("is_no_double", "=", False),
            ],
            ["company_id", "kind", "invoice_number", "account_key", "move_id"],
        ).grouped(_get_identity)
        return {
            document: others
            for document in asked
            if (
                others := groups.get(_get_identity(document), self.browse()).filtered(
                    lambda other, document=document: (
                        other != document and (other.move_id or other.id < document.id)
                    )
                )
            )
        }


def get_account_key(account_ref):
    """:return: what accounts that differ only in capitals have in common, or False"""
    return account_ref.casefold() if account_ref else False


def _get_identity(document):
    return (
        document.company_id,
        document.kind,
        document.invoice_number,
        document.account_key,
    )
