from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..const import ORIGIN_FIELDS


class CopacoInvoiceGuard(models.AbstractModel):
    """Whether an invoice that was created from documents, or corrects one, may be
    deleted, cancelled, or used again when it was cancelled."""

    _name = "copaco.invoice.guard"
    _description = "Copaco Invoice Guard"

    def _check_reset(self, moves):
        """:raise UserError: when a cancelled invoice is reset that another one has
        replaced, or whose document was changed or excluded"""
        for move in moves.filtered(lambda move: move.state == "cancel").sudo():
            invoice = move.display_name or self.env._("A draft")
            document = move._get_copaco_document()
            # Others may have been invoiced since, and are no longer its documents.
            made_of = document
            if move.copaco_document_id:
                made_of |= move.invoice_line_ids.copaco_line_id.document_id
            if move.copaco_version_id:
                raise UserError(
                    self.env._(
                        "%(correction)s can't be used again. Prepare a new correction "
                        "on %(document)s.",
                        correction=invoice,
                        document=document.name,
                    )
                )
            for each in made_of:
                other = each._get_live_invoice()
                if other and other != move:
                    raise UserError(
                        self.env._(
                            "%(invoice)s can't be used again: %(document)s was "
                            "invoiced as %(other)s since. Cancel that first.",
                            invoice=invoice,
                            document=each.name,
                            other=other.display_name,
                        )
                    )
            documents = move._get_copaco_documents()
            digest = documents._get_digest()
            if move.copaco_digest and move.copaco_digest != digest:
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be used again: Copaco changed %(document)s "
                        "since. Retry the document to create a new one.",
                        invoice=invoice,
                        document=document.name,
                    )
                )
            excluded = documents.filtered(lambda each: each.state == "excluded")
            if excluded:
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be used again: %(document)s was excluded "
                        "since. Undo that first.",
                        invoice=invoice,
                        document=excluded[0].name,
                    )
                )
            self.env["copaco.restored.charges"].sudo()._check_reset(move)

    def _check_removal(self, moves):
        """:raise UserError: when an invoice or correction would be removed that a
        later correction builds on"""
        for move in moves.filtered(lambda move: move.state != "cancel").sudo():
            if move.copaco_is_replaced:
                continue
            documents = move._get_copaco_document() | move._get_copaco_documents()
            later = documents._get_live_corrections().filtered(
                lambda other, move=move: other.id > move.id
            )
            if later - moves:
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be cancelled or deleted, because "
                        "%(correction)s corrects it. Cancel or delete that first.",
                        invoice=move.display_name,
                        correction=(later - moves)[:1].display_name,
                    )
                )

    def _check_origins(self, moves):
        """:raise UserError: when an invoice would be deleted from which a person
        created another one: nobody would know any more what that is of"""
        names = [name for name in ORIGIN_FIELDS if name in moves._fields]
        created = moves.sudo().search(
            Domain.OR(Domain(name, "in", moves.ids) for name in names)
            & Domain("state", "!=", "cancel")
            & Domain("id", "not in", moves.ids)
        )
        for move in created.filtered(lambda move: not move._get_copaco_document()):
            origin = move._get_origins(names) & moves
            if origin._get_copaco_roots():
                raise UserError(
                    self.env._(
                        "%(invoice)s can't be deleted, because %(created)s was created "
                        "from it. Cancel or delete that first.",
                        invoice=origin[:1].display_name,
                        created=move.display_name,
                    )
                )
