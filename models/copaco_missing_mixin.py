from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..hold_reasons import Hold

_lt = LazyTranslate(__name__)


class CopacoMissingMixin(models.AbstractModel):
    """Since when Copaco has a document, and whether it still has it, see
    `copaco.missing.document`."""

    _name = "copaco.missing.mixin"
    _description = "Whether Copaco Has a Document"

    # All windows whose responses had it have these days in common. That a response did
    # not have it tells nothing: Copaco may date something back.
    created_from = fields.Date(
        readonly=True, help="First day on which Copaco may have created this."
    )
    created_to = fields.Date(
        readonly=True, help="Last day on which Copaco may have created this."
    )
    created_origin = fields.Char(
        readonly=True, help="The portal that these days are those of."
    )
    created_endpoint = fields.Char(
        readonly=True, help="What was asked there: another source has other days."
    )
    missing_state = fields.Selection(
        [
            ("reported", "No longer at Copaco"),
            ("acknowledged", "No longer at Copaco, acknowledged"),
        ],
        string="Missing",
        index="btree_not_null",
        readonly=True,
    )

    # === ACTION METHODS === #

    def action_acknowledge_missing(self):
        """Note that a person knows that Copaco no longer has these documents."""
        self.env["copaco.missing.document"]._acknowledge(self)

    def action_fetch_again(self):
        """Ask Copaco again for the days on which it created this document.

        :return: see `copaco.connection.action_fetch`
        :raise UserError: when it isn't known which days that were
        """
        return self.env["copaco.run.scheduler"]._fetch_again(self)

    # === BUSINESS METHODS === #

    def _get_newest(self):
        """:return: what Copaco said last of this document, whatever a person decided:
        a `copaco.document.version`, or the document itself"""
        versions = self.version_ids
        return self._get_pending_version() or versions._get_declined() or self

    @api.model
    def _get_missing_domain(self):
        return [("missing_state", "=", "reported")]

    def _get_missing_hold(self):
        """:return: a `Hold` when Copaco no longer has this document, so that its
        charges may be on another one; or None"""
        if not self.missing_state:
            return None
        return Hold(
            "possible_double",
            _lt(
                "%(document)s is not invoiced, because Copaco no longer has it. "
                "Exclude it, or press Invoice anyway if it has to be paid.",
                document=self.name,
            ),
        )
