from odoo import fields, models

GROUPINGS = [
    ("none", "None"),
    ("category", "Plan category"),
    ("subscription", "Subscription"),
    ("consumer", "Consumer"),
    ("charge", "Kind of charge"),
]


class CopacoLayout(models.Model):
    """How the lines of an invoice are ordered, put under headings and worded. It never
    changes what is booked."""

    _name = "copaco.layout"
    _description = "Copaco Invoice Layout"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="Empty: all companies.",
    )
    section_by = fields.Selection(
        GROUPINGS,
        string="Sections",
        required=True,
        default="none",
        help="Copaco sends no vendor of a line; its plan category comes closest.",
    )
    subsection_by = fields.Selection(
        GROUPINGS, string="Subsections", required=True, default="none"
    )
    line_order = fields.Selection(
        [
            ("received", "As received"),
            ("copaco", "By plan category, subscription, period and kind of charge"),
        ],
        string="Order of Lines",
        required=True,
        default="received",
        help="The second is the order of Copaco's own printed invoice.",
    )

    # === BUSINESS METHODS === #

    def _get_levels(self):
        """:return: list of by what lines are put under sections, then subsections"""
        names = (self.section_by, self.subsection_by)
        return list(dict.fromkeys(name for name in names if name and name != "none"))
