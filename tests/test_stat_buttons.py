from lxml import etree

from odoo.fields import Domain
from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import price_line
from .test_bill import CopacoBillCommon

MODELS = (
    *("copaco.connection", "copaco.run", "copaco.customer", "copaco.month"),
    *("copaco.document", "res.partner", "account.move"),
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestStatButtons(CopacoBillCommon):
    """The figure on a button is that of what it opens, and it is offered where it
    works."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")
        self.connection.invoice_grouping = "month"
        self.add("INV-1", "A1", "10", "2.50")
        self.add("INV-2", "A1", "20")
        self.add("INV-3", "A1", "30")
        self.add("INV-4", "A2", "40", CustomerNumber="K-2")
        lines = {"A1": [price_line("8")], "A2": [price_line("30")]}
        self.add_purchase("P-1", lines)
        self.fetch()

    def add(self, number, account, *amounts, CustomerNumber="K-1"):
        lines = [price_line(each, number=at) for at, each in enumerate(amounts, 1)]
        customer = {"CustomerNumber": CustomerNumber}
        self.add_invoice(number, account, lines, customer=customer)

    def test_after_a_fetch(self):
        self.assertLessEqual(
            {"to_do_count", "invoice_count", "finding_count", "copaco_document_count"},
            self.check(),
        )

    def test_when_copaco_changed_something_and_something_is_excluded(self):
        first, _second, _third, unknown = self.documents.filtered(
            lambda document: document.kind == "specification"
        )
        first.move_id.action_post()
        self.create_delivery(first.move_id, "failed")
        self.simulator.invoices.clear()
        self.add("INV-1", "A1", "10", "3.50")
        self.add("INV-2", "A1", "20")
        self.add("INV-5", "A3", "50", CustomerNumber="K-9")
        self.fetch()
        self.act(unknown, "action_exclude", "Own use")
        self.check()
        self.act(first, "action_correct")
        self.check()

    def test_when_copaco_sent_no_date(self):
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice("INV-6", "A1", [price_line("60")], customer=customer, Date="")
        self.fetch()
        undated = self.documents.filtered(lambda each: not each.invoice_date)
        self.assertEqual(undated.hold_reason, "payload_invalid")
        self.assertEqual(self.get_month().waiting_count, 2, "and an unknown customer")
        self.check()

    def test_amounts_of_a_month_whose_bill_has_a_date_of_the_month_before(self):
        lines = {"A1": [price_line("7", number=5, InvoiceRowHash="same")]}
        self.add_purchase("P-0", lines, Date="20261031")
        sale = price_line("9", number=5, InvoiceRowHash="same")
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice("INV-7", "A1", [sale], customer=customer)
        self.fetch()
        self.env["copaco.margin"]._update()
        month = self.get_month()
        for amount, action, name in (
            (111.5, month.action_view_sales(), "sale"),
            (45, month.action_view_purchases(), "cost"),
            (66.5, month.action_view_margins(), "margin"),
        ):
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(month[f"amount_{name}"], amount)
            self.assertEqual(sum(found.mapped(name)), amount)

    def test_what_a_message_says_that_waits(self):
        self.connection.invoice_policy = "post"
        self.create_partner(name="Slager", ref="K-3", street=False)
        self.add("INV-6", "A3", "60", CustomerNumber="K-3")
        self.fetch()
        other = self.connection.copy({"name": "Other", "import_from": "2026-11-24"})
        unknown = self.documents.filtered(lambda each: each.state == "held")
        unknown.sudo().copy({"connection_id": other.id, "invoice_number": "INV-8"})
        self.env.invalidate_all()
        self.assertEqual(self.connection.to_do_count, 2, "one of them is a draft")
        self.assertIn("in all: 1", self.connection.waiting_message)
        form = etree.fromstring(self.connection.get_view(view_type="form")["arch"])
        (button,) = form.xpath("//button[@string='Show what waits']")
        self.assertEqual(self.count_listed(self.connection, button), 1)
        notification = self.env["copaco.fetch.notification"]
        runs = self.connection.run_ids
        action = notification._get_buttons(self.connection, runs)[0]["action"]
        self.assertEqual(self.count(action, action["context"]), 1)

    def test_what_customers_pay_and_what_copaco_bills_are_not_added_up(self):
        for name in ("copaco_document_view_list", "copaco_document_view_list_to_do"):
            view = self.env.ref(f"account_copaco.{name}")
            arch = self.env["copaco.document"].get_view(view.id, "list")["arch"]
            (amount,) = etree.fromstring(arch).xpath("//field[@name='amount_source']")
            self.assertFalse(amount.get("sum"))
        arch = self.env["copaco.document"].get_view(view_type="pivot")["arch"]
        columns = etree.fromstring(arch).xpath("//field[@type='col']/@name")
        self.assertEqual(columns, ["kind", "state"])

    def test_sold_below_cost_is_what_was_sold(self):
        sale = price_line("9", number=5, InvoiceRowHash="same")
        customer = {"CustomerNumber": "K-1"}
        self.add_invoice("INV-7", "A1", [sale], customer=customer)
        cost = price_line("12", number=5, InvoiceRowHash="same")
        self.add_purchase("P-2", {"A1": [cost]})
        self.fetch()
        Margin = self.env["copaco.margin"]
        Margin._update()
        search = etree.fromstring(Margin.get_view(view_type="search")["arch"])
        (loss,) = search.xpath("//filter[@name='loss']")
        domain = [
            ("company_id", "=", self.company.id),
            *_evaluate(loss.get("domain"), {}),
        ]
        self.assertEqual(
            Margin.search(domain).mapped("sale"), [9], "others have no sale"
        )

    def test_a_bill_is_not_offered_to_be_invoiced_to_another_contact(self):
        action = self.env.ref("account_copaco.action_copaco_invoice_contact")
        form = etree.fromstring(self.documents.get_view(view_type="form")["arch"])
        (button,) = form.xpath(f"//button[@name='{action.id}']")
        bills = self.documents.filtered(lambda each: each.kind == "purchase")
        bills.move_id.action_post()
        invoiced = (self.documents - bills).filtered("move_id")
        invoiced.move_id.action_post()
        self.assertFalse(any(_is_hidden(button, each) for each in invoiced))
        self.assertTrue(all(_is_hidden(button, each) for each in bills))
        self.assertTrue(bills and invoiced)

    def check(self):
        """:return: set of the fields whose figures were compared"""
        self.env.invalidate_all()
        wrong, compared = [], set()
        for model in MODELS:
            form = etree.fromstring(self.env[model].get_view(view_type="form")["arch"])
            fields = form.xpath("//button[contains(@class, 'oe_stat_button')]/field")
            for field in fields:
                name = field.get("name")
                if self.env[model]._fields[name].type != "integer":
                    continue
                if not model.startswith("copaco") and not name.startswith("copaco"):
                    continue
                button = field.getparent()
                for record in self.env[model].search([]):
                    if _is_hidden(button, record):
                        continue
                    compared.add(name)
                    listed = self.count_listed(record, button)
                    if record[name] != listed:
                        wrong.append((record.display_name, name, record[name], listed))
        self.assertEqual(wrong, [])
        return compared

    def count_listed(self, record, button):
        """:return: of how many records the list is that a button opens"""
        if button.get("type") == "action":
            action_id = int(button.get("name"))
            action = self.env["ir.actions.act_window"].browse(action_id)
            action = action._get_action_dict()
        else:
            action = getattr(record, button.get("name"))()
        if action.get("res_id"):
            return 1
        values = {"id": record.id, "uid": self.env.uid}
        # As the web client does: what the action says overrides what its button says.
        context = _evaluate(button.get("context"), values)
        return self.count(action, context | _evaluate(action.get("context"), values))

    def count(self, action, context):
        """:return: how many records the list of a window action shows"""
        values = {"uid": self.env.uid}
        Model = self.env[action["res_model"]]
        domain = Domain(_evaluate(action.get("domain"), values) or [])
        search_view = action.get("search_view_id") or [False]
        search = etree.fromstring(Model.get_view(search_view[0], "search")["arch"])
        for key, value in context.items():
            if not key.startswith("search_default_") or not value:
                continue
            name = key.removeprefix("search_default_")
            (part,) = search.xpath(
                f"//filter[@name='{name}'] | //field[@name='{name}']"
            )
            if part.tag == "filter":
                domain &= Domain(_evaluate(part.get("domain"), values) or [])
            else:
                operator = "in" if isinstance(value, list) else "="
                domain &= Domain(name, operator, value)
        return Model.with_context(active_test=True).search_count(domain)


def _is_hidden(button, record):
    condition = button.get("invisible") or "False"
    names = [name for name in record._fields if name in condition]
    return safe_eval(condition, {name: record[name] for name in names})


def _evaluate(text, values):
    """:return: what a domain or context of an action is"""
    if not isinstance(text, str):
        return text or {}
    return safe_eval(text, values) if text.strip() else {}
