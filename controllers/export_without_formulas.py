import json
from contextlib import contextmanager
from threading import RLock, get_ident

from werkzeug.datastructures import FileStorage

from odoo.http import route

from odoo.addons.web.controllers.export import ExcelExport
from odoo.addons.web.controllers.pivot import TableExporter

TEXTS_ONLY = {"strings_to_formulas": False, "strings_to_urls": False}
_lock = RLock()


class CopacoExcelExport(ExcelExport):
    """What a vendor wrote may begin like a formula or a link: in exports of our own
    models it stays text. Every other model's export is Odoo's own."""

    def base(self, data):
        with texts_only(json.loads(data)["model"]):
            return super().base(data)


class CopacoTableExporter(TableExporter):
    """The same for pivots, whose titles are what is grouped by."""

    @route()
    def export_xlsx(self, data, **kw):
        """:param data: the table that the client shows, as JSON; a file or a text"""
        text = data
        if isinstance(data, FileStorage):
            text = data.read()
            data.seek(0)
        with texts_only((json.loads(text) or {}).get("model", "")):
            return super().export_xlsx(data, **kw)


@contextmanager
def texts_only(model):
    """Have xlsxwriter write texts as texts, not as formulas or links, into the
    workbooks that this thread creates meanwhile.

    Odoo creates them in its midst and lets nobody pass options, so the constructor adds
    them. It does so until the export is done, and for this thread alone: what others
    create meanwhile has Odoo's options. One thread at a time, because the first to end
    would restore the constructor under the other.

    :param model: name of the model that is exported; nothing is done unless it is ours
    """
    if not model.startswith("copaco."):
        yield
        return
    # As Odoo does: xlsxwriter is loaded by whoever exports.
    from xlsxwriter import Workbook

    with _lock:
        thread, init = get_ident(), Workbook.__init__

        def init_texts_only(workbook, filename=None, options=None):
            if get_ident() == thread:
                options = {**(options or {}), **TEXTS_ONLY}
            init(workbook, filename, options)

        Workbook.__init__ = init_texts_only
        try:
            yield
        finally:
            Workbook.__init__ = init
