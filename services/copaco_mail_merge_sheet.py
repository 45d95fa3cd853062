import io

from odoo import models


class CopacoMailMergeSheet(models.AbstractModel):
    """The rows of a mail merge: one for each invoice, with a link of its own."""

    _name = "copaco.mail.merge.sheet"
    _description = "Copaco Mail-Merge Sheet"

    def _write(self, moves, is_translated):
        """:param moves: confirmed customer invoices and credit notes
        :param is_translated: whether the columns are named in the user's language, or
            as `_get_columns` has them
        :return: bytes of an xlsx file: one sheet, the names of the columns in its first
            row, and a row for each invoice. Texts are texts, whatever they begin with.
        """
        # As Odoo does: xlsxwriter is loaded by whoever exports.
        from xlsxwriter import Workbook

        columns = self._get_columns()
        output = io.BytesIO()
        with Workbook(output, {"in_memory": True}) as workbook:
            sheet = workbook.add_worksheet()
            sheet.set_column(0, len(columns) - 1, 20)
            date_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
            amount_formats = {
                currency: workbook.add_format(
                    {"num_format": f"0.{'0' * currency.decimal_places}".rstrip(".")}
                )
                for currency in moves.currency_id
            }
            for position, (name, title) in enumerate(columns.items()):
                sheet.write_string(0, position, title if is_translated else name)
            for row, move in enumerate(moves, start=1):
                values = self._get_row(move)
                amount_format = amount_formats[move.currency_id]
                for position, name in enumerate(columns):
                    value = values[name]
                    if name == "amount":
                        sheet.write_number(row, position, value, amount_format)
                    elif name in ("date", "due_date") and value:
                        sheet.write_datetime(row, position, value, date_format)
                    elif value:
                        sheet.write_string(row, position, value)
        return output.getvalue()

    def _get_columns(self):
        """:return: dict of the titles of the columns, in the language of the user, by
        their fixed names: people have letters that refer to these"""
        return {
            "customer": self.env._("Customer"),
            "contact": self.env._("Contact"),
            "email": self.env._("Email"),
            "language": self.env._("Language"),
            "salutation": self.env._("Salutation"),
            "number": self.env._("Number"),
            "date": self.env._("Invoice Date"),
            "due_date": self.env._("Due Date"),
            "amount": self.env._("Total"),
            "currency": self.env._("Currency"),
            "link": self.env._("Link"),
        }

    def _get_row(self, move):
        """:return: dict by the names of `_get_columns`. The total is that with tax, in
        the currency of the invoice, and below zero for a credit note.
        """
        address = move.partner_id
        contact = self._get_contact(address)
        language = address.lang or move.commercial_partner_id.lang
        letter = self.with_context(lang=language or self.env.lang)
        return {
            "customer": move.commercial_partner_id.name,
            "contact": contact.name,
            "email": address.email,
            "language": language,
            "salutation": letter._get_salutation(contact),
            "number": move.name,
            "date": move.invoice_date,
            "due_date": move.invoice_date_due,
            "amount": move.amount_total_in_currency_signed,
            "currency": move.currency_id.name,
            # Not as a download: of an e-invoice that would be a zip.
            "link": move.get_base_url() + move.get_portal_url(report_type="pdf"),
        }

    def _get_contact(self, address):
        """:return: the person (`res.partner`) behind an address: itself, or its only
        contact person; else nobody"""
        if not address.is_company and address.name:
            return address
        people = address.commercial_partner_id.child_ids.filtered(
            lambda child: child.type == "contact" and not child.is_company
        )
        return people if len(people) == 1 else people.browse()

    def _get_salutation(self, contact):
        """:return: how a letter begins, in the language of the context"""
        if contact:
            return self.env._("Dear %(name)s,", name=contact.name)
        return self.env._("Dear Sir or Madam,")
