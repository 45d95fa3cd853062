from odoo import fields, models

SETUP_STEPS = [
    ("key", "API Key"),
    ("test", "Test"),
    ("books", "Books"),
    ("start", "First Day"),
    ("preview", "Preview"),
]


class CopacoSetupMixin(models.AbstractModel):
    """How far a connection is set up."""

    _name = "copaco.setup.mixin"
    _description = "Set-up of a Copaco Connection"

    setup_step = fields.Selection(
        SETUP_STEPS,
        string="Set-up",
        readonly=True,
        copy=False,
        help="How far somebody came in setting it up.",
    )
    can_fetch = fields.Boolean(compute="_compute_can_fetch")

    # === COMPUTE METHODS === #

    def _compute_can_fetch(self):
        for connection in self:
            connection.can_fetch = bool(connection.active and connection.api_key_hint)

    # === BUSINESS METHODS === #

    def _get_setup_step(self):
        """:return: the step that is next"""
        if not self.api_key_hint:
            return "key"
        is_granted = (self.access or {}).get(self._get_endpoint()) == "granted"
        if not (is_granted or self.fetched_until):
            return "test"
        return self.setup_step if self.setup_step in ("start", "preview") else "books"
