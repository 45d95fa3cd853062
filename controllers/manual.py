from functools import cache
from pathlib import Path

from docutils.core import publish_parts
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

ADDON = Path(__file__).parents[1]
# Addresses are as in the repository: links among pages, and to pictures, are right.
PAGES = {
    "/account_copaco/README.rst": ADDON / "README.rst",
    **{
        f"/account_copaco/doc/{path.name}": path
        for path in sorted((ADDON / "doc").glob("*.rst"))
    },
}


class CopacoManual(http.Controller):
    """The manual of the version that is installed, which pages of Odoo link to."""

    @http.route(
        ["/account_copaco/README.rst", "/account_copaco/doc/<string:name>"],
        type="http",
        auth="user",
        readonly=True,
    )
    def manual(self, **_kw):
        """:return: a page of the manual as HTML; English only"""
        path = request.httprequest.path
        if path not in PAGES:
            raise NotFound()
        title, body = render(path)
        return request.render(
            "account_copaco.copaco_manual_page", {"title": title, "body": body}
        )


@cache
def render(path):
    """:param path: one of `PAGES`
    :return: (title, HTML) of what is in the addon's own files
    """
    source = PAGES[path]
    parts = publish_parts(
        source.read_text(),
        source_path=str(source),
        writer_name="html5",
        settings_overrides={
            "initial_header_level": 2,
            "report_level": 5,
            "syntax_highlight": "none",
        },
    )
    return parts["title"], Markup(parts["body"])
