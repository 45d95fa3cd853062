from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date
from odoo.tools.misc import parse_date


class CopacoRunNameMixin(models.AbstractModel):
    """How a run is called: as its file, or by the days that were asked for, written as
    the reader writes them."""

    _name = "copaco.run.name.mixin"
    _description = "Name of a Copaco Run"

    name = fields.Char(compute="_compute_name", search="_search_name")
    file_name = fields.Char(string="File", readonly=True)
    date_from = fields.Date(help="First creation date asked for.")
    date_to = fields.Date(help="Last creation date asked for, inclusive.")

    # === COMPUTE METHODS === #

    @api.depends("date_from", "date_to", "file_name")
    @api.depends_context("lang")
    def _compute_name(self):
        for run in self:
            period = " – ".join(
                format_date(self.env, day)
                for day in (run.date_from, run.date_to)
                if day
            )
            run.name = run.file_name or period

    @api.depends_context("lang")
    def _compute_display_name(self):
        return super()._compute_display_name()

    def _search_name(self, operator, value):
        if operator not in ("ilike", "in"):
            return NotImplemented
        names = [value] if operator == "ilike" else value
        # Odoo gives back what is no date.
        read = (parse_date(self.env, name) for name in names if name)
        days = [day for day in read if not isinstance(day, str)]
        return (
            Domain("file_name", operator, value)
            | Domain("date_from", "in", days)
            | Domain("date_to", "in", days)
        )
