import time

from odoo import api, models

# So many at once share the start of the program that prints them, and are done within
# the time that a person waits.
PDFS_AT_ONCE = 10


class CopacoInvoicePdf(models.AbstractModel):
    """Has Odoo create the PDFs of invoices, without sending them. Until an invoice has
    one, Odoo shows the customer a pro forma invoice on its portal."""

    _name = "copaco.invoice.pdf"
    _description = "Copaco Invoice PDFs"

    @api.model
    def _create_missing(self, moves, deadline):
        """Create the PDFs that these confirmed invoices lack; commits. Where it can't
        be created, Odoo says why on the invoice.

        :param deadline: `time.monotonic()` after which no further ones are begun
        :return: (invoices whose PDF could not be created, invoices that were not tried)
        """
        missing = moves.filtered(lambda move: not move.invoice_pdf_report_id)
        failed = moves.browse()
        while missing and time.monotonic() < deadline:
            company = missing[0].company_id
            batch = missing.filtered(lambda move, c=company: move.company_id == c)
            batch = batch[:PDFS_AT_ONCE]
            failed += self._create(batch.with_company(company))
            missing -= batch
            self.env.cr.commit()  # pylint: disable=invalid-commit
        return failed, missing

    @api.model
    def _create(self, moves):
        """:return: the invoices among these, of one company, that still have no PDF"""
        sent = moves.filtered("is_move_sent")
        self.env["account.move.send"]._generate_and_send_invoices(
            moves, allow_raising=False, sending_methods=[]
        )
        # Odoo counts an invoice as sent once there is a PDF of it.
        (moves - sent).is_move_sent = False
        return moves.filtered(lambda move: not move.invoice_pdf_report_id)
