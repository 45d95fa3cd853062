import json
import re

from werkzeug.datastructures import FileStorage

from odoo.http import route

from odoo.addons.web.controllers.export import ExcelExport
from odoo.addons.web.controllers.pivot import TableExporter

# What the library that writes the sheet makes a formula of, or a link to a file.
_ACTIVE = re.compile(r"=|\{=|internal:|external:|file:")


class CopacoExcelExport(ExcelExport):
    """Texts of a sheet stay texts. What a vendor wrote is on invoices, contacts and
    journal items, and may begin like a formula: Odoo puts an apostrophe before such a
    text in a csv file, but writes it as a formula into an xlsx file."""

    def from_data(self, fields, columns_headers, rows):
        return super().from_data(fields, columns_headers, _quote_rows(rows))

    def from_group_data(self, fields, columns_headers, groups):
        _quote_groups(groups)
        return super().from_group_data(fields, columns_headers, groups)


class CopacoTableExporter(TableExporter):
    """The same for pivots, whose titles are what is grouped by."""

    @route()
    def export_xlsx(self, data, **kw):
        """:param data: the table that the client shows, as JSON; a file or a text"""
        text = data.read() if isinstance(data, FileStorage) else data
        table = json.loads(text, object_hook=_quote_cell)
        return super().export_xlsx(json.dumps(table), **kw)


def _quote(value):
    if isinstance(value, str) and _ACTIVE.match(value):
        return f"'{value}"
    return value


def _quote_cell(cell):
    # The title of the table itself is the name of the sheet.
    return cell if "rows" in cell else {key: _quote(cell[key]) for key in cell}


def _quote_rows(rows):
    return [[_quote(value) for value in row] for row in rows]


def _quote_groups(node):
    """Quote the texts of a group and of all groups in it; a group is known by its
    value, or by the id and the name of a record."""
    node.data = _quote_rows(node.data)
    node.children = {
        (key[0], _quote(key[1])) if isinstance(key, tuple) else _quote(key): child
        for key, child in node.children.items()
    }
    for child in node.children.values():
        _quote_groups(child)
