import re
from urllib.parse import urldefrag, urljoin

from lxml import etree, html

from odoo.tests import HttpCase, new_test_user, tagged

from ..controllers.manual import ADDON, PAGES, render
from ..hold_reasons import HOLD_REASONS

START = "/account_copaco/doc/index.rst"


@tagged("post_install", "-at_install")
class TestManual(HttpCase):
    """The manual can be read in Odoo, and every link to it and in it is right."""

    def get_links(self, path):
        """:return: (addresses that a page links to or shows, ids of its chapters)"""
        root = html.fragment_fromstring(str(render(path)[1]), create_parent="div")
        links = [urljoin(path, each) for each in root.xpath("//@href | //@src")]
        return links, {"", *root.xpath("//@id")}

    def get_text(self, path):
        """:return: what a page says, on one line"""
        return " ".join(html.fromstring(str(render(path)[1])).text_content().split())

    def test_a_bookkeeper_reads_it_in_odoo(self):
        new_test_user(self.env, "reader", groups="account.group_account_invoice")
        self.authenticate("reader", "reader")
        page = self.url_open(START)
        self.assertEqual(page.status_code, 200)
        guide = self.url_open("/account_copaco/doc/user_guide.rst").text
        self.assertIn('id="invoice-layouts"', guide)
        self.assertIn("<table", guide, "not as text")

    def test_nothing_else_can_be_read(self):
        self.authenticate("admin", "admin")
        for name in (
            "..%2F__manifest__.py",
            "index",
            "%2Fetc%2Fpasswd",
            "index.rst%00",
        ):
            with self.subTest(name=name):
                page = self.url_open(f"/account_copaco/doc/{name}")
                self.assertIn(page.status_code, (400, 404))

    def test_who_is_not_logged_in_is_asked_to_log_in(self):
        self.assertIn("/web/login", self.url_open(START).url)

    def test_links_in_it_lead_somewhere(self):
        for page in PAGES:
            links, _ids = self.get_links(page)
            for link in links:
                if not link.startswith("/"):
                    continue
                with self.subTest(page=page, link=link):
                    self.assertLeadsSomewhere(link)

    def test_help_leads_to_its_chapter(self):
        views = [*ADDON.glob("views/*.xml"), *ADDON.glob("wizards/*.xml")]
        links = {
            link
            for path in views
            for link in re.findall(r"/account_copaco/doc/[^\s\"<]*", path.read_text())
        }
        self.assertGreater(len(links), 10)
        for link in links:
            with self.subTest(link=link):
                self.assertLeadsSomewhere(link)

    def test_the_reference_has_every_reason_scheduled_action_and_setting(self):
        own = self.env["ir.model.data"].search(
            [("module", "=", "account_copaco"), ("model", "=", "ir.cron")]
        )
        actions = self.env["ir.cron"].browse(own.mapped("res_id"))
        self.assertGreater(len(actions), 5)
        titles = [*actions.mapped("name"), *(title for _name, title in HOLD_REASONS)]
        Connection = self.env["copaco.connection"]
        arch = etree.fromstring(Connection.get_view(view_type="form")["arch"])
        for field in arch.xpath("//sheet//field[not(ancestor::field)]"):
            about = Connection.fields_get([field.get("name")])[field.get("name")]
            is_shown = field.get("invisible") not in ("1", "True")
            if is_shown and not about["readonly"] and about["type"] != "one2many":
                titles.append(field.get("string") or about["string"])
        self.assertIn("Lowest Margin", titles)
        reference = self.get_text("/account_copaco/doc/reference.rst")
        # What every connection has, as any other record.
        known = {"Name", "Active", "Company"}
        self.assertEqual(
            [each for each in titles if each not in known and each not in reference], []
        )

    def assertLeadsSomewhere(self, link):
        path, chapter = urldefrag(link)
        if path in PAGES:
            self.assertIn(chapter, self.get_links(path)[1])
        else:
            self.assertTrue((ADDON.parent / path.removeprefix("/")).exists())
