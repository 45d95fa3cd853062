import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import HEADING_PLACEHOLDERS, LINE_PLACEHOLDERS

_PLACEHOLDER = re.compile(r"{(\w*)}")

GROUPINGS = [
    ("none", "None"),
    ("category", "Plan category"),
    ("subscription", "Subscription"),
    ("consumer", "Consumer"),
    ("charge", "Kind of charge"),
    ("po", "PO number"),
]


class CopacoLayout(models.Model):
    """How the lines of an invoice are ordered, put under headings and worded. It never
    changes what is booked."""

    _name = "copaco.layout"
    _inherit = "copaco.company.mixin"
    _description = "Copaco Invoice Layout"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
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
    usage = fields.Selection(
        [
            ("lines", "Each line"),
            ("detail", "A total per subscription, with its lines below"),
            ("total", "A total per subscription"),
        ],
        required=True,
        default="lines",
        help="How usage fees are printed. Each is still booked by itself.",
    )
    zero_lines = fields.Selection(
        [
            ("show", "Each line"),
            ("total", "One line for all of them"),
            ("hide", "Not printed"),
        ],
        required=True,
        default="show",
        help="Lines that cost nothing. They are on the invoice in Odoo in any case.",
    )
    vendor_details = fields.Selection(
        [
            ("text", "In the text of the line"),
            ("note", "As a note below the line"),
            ("none", "Not shown to the customer"),
        ],
        required=True,
        default="text",
        help="Below a total of usage, what would be a note is in the text.",
    )
    subscription_details = fields.Selection(
        [
            ("printed", "Those that Copaco prints"),
            ("all", "All that Copaco sends"),
            ("none", "None"),
        ],
        required=True,
        default="printed",
        help="The settings of a subscription, such as its memory.",
    )
    has_number = fields.Boolean(
        string="Copaco's Number",
        default=True,
        help="Print the number of Copaco's invoice, as the source of the invoice.",
    )
    line_text = fields.Text(
        string="Text of a Line",
        translate=True,
        help="Empty: the standard text. A row all of whose placeholders are empty is "
        "left out. What has to be known of several PO numbers, and of quantities "
        "that the invoice line can't have, is added where it is missing.",
    )
    heading_first = fields.Char(string="First Term", translate=True)
    heading_recurring = fields.Char(string="Recurring", translate=True)
    heading_once = fields.Char(string="One-Time", translate=True)
    heading_usage = fields.Char(string="Usage Fees", translate=True)
    heading_change = fields.Char(string="Changes", translate=True)
    heading_other = fields.Char(string="Other", translate=True)
    heading_total = fields.Char(string="Total of Usage", translate=True)
    heading_zero = fields.Char(string="Total of Zero Lines", translate=True)

    # === CONSTRAINT METHODS === #

    @api.constrains("line_text", "heading_total")
    def _check_placeholders(self):
        for layout in self:
            for text, known in (
                (layout.line_text, LINE_PLACEHOLDERS),
                (layout.heading_total, HEADING_PLACEHOLDERS),
            ):
                unknown = set(_PLACEHOLDER.findall(text or "")) - set(known)
                if unknown:
                    raise ValidationError(
                        self.env._(
                            "Layout %(layout)s has placeholders that are not known: "
                            "%(unknown)s. Use some of these: %(known)s.",
                            layout=layout.name,
                            unknown=", ".join(sorted(unknown)),
                            known=", ".join(known),
                        )
                    )

    # === BUSINESS METHODS === #

    def _get_levels(self):
        """:return: list of by what lines are put under sections, then subsections"""
        names = (self.section_by, self.subsection_by)
        return list(dict.fromkeys(name for name in names if name and name != "none"))

    def _fill(self, template, values):
        """:param template: a text of this layout, with placeholders in braces
        :param values: dict of texts by placeholder, see `LINE_PLACEHOLDERS`
        :return: the text, without rows all of whose placeholders are empty
        """
        rows = []
        for row in template.strip().split("\n"):
            names = [name for name in _PLACEHOLDER.findall(row) if name in values]
            if not names or any(values[name] for name in names):
                rows.append(
                    _PLACEHOLDER.sub(
                        lambda found: str(values.get(found[1], found[0]) or ""), row
                    ).rstrip()
                )
        return "\n".join(rows)
