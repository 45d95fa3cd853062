import time

from odoo import models
from odoo.exceptions import UserError

# Odoo prints these in one go; they are few, so that the time is looked at in between.
PDFS_AT_ONCE = 10


class CopacoInvoicePdf(models.AbstractModel):
    """Has Odoo create the PDFs of invoices, without sending them. Until an invoice has
    one, Odoo shows the customer a pro forma invoice on its portal."""

    _name = "copaco.invoice.pdf"
    _description = "Copaco Invoice PDFs"

    def _create_missing(self, moves, deadline):
        """Create the PDFs that these confirmed invoices lack; commits. Where it can't
        be created, Odoo says why on the invoice.

        :param deadline: `time.monotonic()` after which no further ones are begun
        :return: (invoices whose PDF could not be created, invoices that were not tried)
        :raise UserError: when Odoo can't print
        """
        missing = moves.filtered(lambda move: not move.invoice_pdf_report_id)
        failed, count = moves.browse(), PDFS_AT_ONCE
        while missing and time.monotonic() < deadline:
            company = missing[0].company_id
            batch = missing.filtered(lambda move, c=company: move.company_id == c)
            batch = batch[:count]
            try:
                failed += self._create(batch.with_company(company))
            except UserError:
                self.env.cr.rollback()
                if len(batch) == 1:
                    raise
                # The wkhtmltopdf of some systems prints one document at a time.
                count = 1
                continue
            missing -= batch
            self.env.cr.commit()  # pylint: disable=invalid-commit
        return failed, missing

    def _create(self, moves):
        """:return: the invoices among these, of one company, that still have no PDF"""
        sent = moves.filtered("is_move_sent")
        self.env["account.move.send"]._generate_and_send_invoices(
            moves, allow_raising=False, sending_methods=[]
        )
        # Odoo counts an invoice as sent once there is a PDF of it.
        (moves - sent).is_move_sent = False
        return moves.filtered(lambda move: not move.invoice_pdf_report_id)
