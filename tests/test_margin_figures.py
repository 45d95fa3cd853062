from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .test_bill import CopacoBillCommon
from .test_margin import line


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMarginFigures(CopacoBillCommon):
    """Figures of margins are in the currency that is beside them, and open their
    lines."""

    def setUp(self):
        super().setUp()
        self.partner = self.create_partner(name="Bakkerij", ref="K-1")

    def use_dollars(self, rate=2):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", usd.id)]).unlink()
        self.env["res.currency.rate"].create(
            {
                "currency_id": usd.id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": rate,
            }
        )
        return usd

    @property
    def margins(self):
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        return self.env["copaco.margin"].search(
            [("company_id", "=", self.company.id)], order="id"
        )

    @property
    def findings(self):
        return self.env["copaco.finding"].search(
            [("connection_id", "=", self.connection.id), ("state", "=", "open")]
        )

    def test_quantities_that_differ_are_not_written_alike(self):
        self.add_known("S-1", lines=[line("10", Quantity=1.001, UnitPrice=9.99)])
        self.add_purchase("P-1", {"A1": [line("8", Quantity=1234.5, UnitPrice=0.01)]})
        self.fetch()
        self.run_crons()
        finding = self.findings.filtered(lambda each: each.kind == "quantity_differs")
        self.assertIn("1.001 is billed on, and Copaco bills 1,234.5.", finding.message)

    def test_prices_that_differ_are_not_written_alike(self):
        sub = {"InvoiceRowHash": "old", "StartDate": "20260901", "EndDate": "20260930"}
        values = {"created": date(2026, 10, 23), "Date": "20261023"}
        before = line("96", Quantity=1000, UnitPrice="0.096", **sub)
        self.add_known("S-0", lines=[before], **values)
        self.add_purchase("P-0", {"A1": [before]}, **values)
        self.connection.import_from = values["created"]
        now = line("104", Quantity=1000, UnitPrice="0.104")
        self.add_known("S-1", lines=[now])
        self.add_purchase("P-1", {"A1": [now]})
        self.fetch()
        self.run_crons()
        finding = self.findings.filtered(lambda each: each.kind == "price_changed")
        for price in ("0.104", "0.096"):
            self.assertEqual(finding.message.count(price), 2)

    # === CURRENCIES === #

    def test_a_month_in_another_currency_has_its_margin_in_that_of_the_books(self):
        usd = self.use_dollars()
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("8")]}, Currency="USD")
        self.fetch()
        self.run_crons()
        month = self.get_month()
        self.assertIn("$", month.purchase_reconciliation)
        self.assertNotIn("$", month.reconciliation)
        with self.undone():
            (self.documents - self.purchases).sudo().currency_id = usd
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(month.currency_id, usd)
            for name in ("amount_sale", "amount_cost", "amount_margin"):
                currency = month._fields[name].get_currency_field(month)
                self.assertEqual(month[currency], self.company.currency_id, name)
        self.assertRecordValues(
            month, [{"amount_sale": 10, "amount_cost": 4, "amount_margin": 6}]
        )

    def test_a_bill_in_another_currency_that_differs_says_so_in_that(self):
        self.use_dollars()
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("8")]}, Currency="USD")
        self.fetch()
        self.purchases.move_id.invoice_line_ids[0].price_unit = 9
        self.env["copaco.finding"].action_check()
        finding = self.findings.filtered(lambda each: each.kind == "bill_differs")
        self.assertIn("$", finding.message)
        self.assertNotIn("€", finding.message)
        self.assertEqual(finding.amount, 0.5, "of the books")

    def test_what_is_in_an_unknown_currency_is_no_amount_of_the_books(self):
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("8")]}, Currency="XYZ")
        self.fetch()
        self.assertEqual(self.purchases.hold_reason, "currency_unknown")
        self.assertEqual(self.margins.mapped("cost"), [0])
        self.assertFalse(self.findings, "the cost is not known yet")
        rate = {"name": "2026-01-01", "company_id": self.company.id, "rate": 2}
        self.use_dollars().copy({"name": "XYZ", "rate_ids": [Command.create(rate)]})
        self.act(self.purchases, "action_retry")
        self.run_crons()
        self.assertEqual(self.purchases.state, "invoiced")
        self.assertEqual(self.margins.mapped("cost"), [4])

    # === LINES === #

    def test_each_margin_opens_its_lines(self):
        nothing = {"SubscriptionID": "", "PlanName": "Plan"}
        for number, (own, hashed) in enumerate(
            ((nothing, ""), (nothing, "hash"), ({"SubscriptionID": "S"}, "")), start=1
        ):
            priced = line("9", number, InvoiceRowHash=hashed)
            self.add_purchase(
                f"P-{number}",
                {"A1": []},
                customer={"Subscriptions": [{**own, "PriceLines": [priced]}]},
            )
        self.fetch()
        self.assertEqual(len(self.margins), 3)
        for margin in self.margins:
            domain = margin.action_view_lines()["domain"]
            self.assertEqual(
                self.env["copaco.document.line"].search(domain), margin.cost_line_id
            )

    # === FINDINGS === #

    def bill_below_cost(self, day):
        self.simulator.invoices.clear()
        self.simulator.purchases.clear()
        self.add_known("S-1", lines=[line("10")], Date=day)
        self.add_purchase("P-1", {"A1": [line("11")]}, Date=day)
        self.fetch()
        self.run_crons()

    def test_what_copaco_dates_in_another_month_stays_as_it_was_decided(self):
        self.connection.import_from = date(2026, 10, 1)
        self.bill_below_cost("20261031")
        finding = self.findings
        finding.reason = "Agreed with the customer"
        finding.action_accept()
        for day in (date(2026, 11, 1), date(2026, 10, 31)):
            self.bill_below_cost(f"{day:%Y%m%d}")
            self.assertEqual(set(self.documents.mapped("invoice_date")), {day})
            self.assertFalse(self.findings)
            self.assertRecordValues(
                finding, [{"state": "accepted", "date": day.replace(day=1)}]
            )

    def test_a_bill_that_differs_in_another_month_is_found_once(self):
        self.connection.import_from = date(2026, 10, 1)
        self.enter_bill("P-1", 12)
        self.bill_below_cost("20261031")
        self.act(self.purchases, "action_link_bill")
        for day in (date(2026, 10, 31), date(2026, 11, 1)):
            self.purchases.sudo().invoice_date = day
            self.env["copaco.finding"].action_check()
            (finding,) = self.findings.filtered(lambda each: each.move_id)
            self.assertEqual(finding.date, day.replace(day=1))

    def test_each_finding_opens_what_has_to_be_corrected(self):
        self.create_customer("A2", self.partner).write(
            {"state": "excluded", "partner_id": False}
        )
        self.add_known("S-1", lines=[line("10"), line("7", 2)])
        self.add_purchase("P-1", {"A1": [line("11"), line("5", 3)]})
        self.add_purchase("P-2", {"A2": [line("4", 4)]})
        self.fetch()
        self.run_crons()
        bill = self.purchases[0].move_id
        bill.invoice_line_ids[0].price_unit = 9
        self.env["copaco.finding"].action_check()
        sale = (self.documents - self.purchases).filtered(
            lambda each: each.customer_id.account_ref == "A1"
        )
        customers = self.env["copaco.customer"].search([])
        expected = {
            "below_cost": sale,
            "sale_without_cost": sale,
            "cost_without_sale": sale | self.purchases[0],
            "customer_excluded": customers.filtered(lambda c: c.account_ref == "A2"),
            "bill_differs": bill,
        }
        findings = self.findings.with_user(self.billing_user)
        self.assertEqual(set(findings.mapped("kind")), set(expected))
        for finding in findings:
            action = finding.action_view_subject()
            Model = self.env[action["res_model"]]
            opened = Model.browse(action.get("res_id")) or Model.search(
                action["domain"]
            )
            self.assertEqual(opened, expected[finding.kind], finding.kind)

    def test_the_weekly_mail_names_findings_until_they_are_accepted(self):
        self.connection.weekly_digest = True
        self.bill_below_cost("20261123")
        monitor = self.env["copaco.activity.monitor"].sudo()

        def send():
            last = self.env["mail.message"].search([], order="id desc", limit=1)
            monitor._send_weekly_digest()
            newer = self.env["mail.message"].search([("id", ">", last.id)])
            return newer.filtered(lambda each: "margins" in (each.subject or ""))

        message = send()
        partner = self.connection.responsible_id.partner_id
        self.assertEqual(message.notified_partner_ids, partner)
        for text in ("Sale below cost", "1.00", "11.00"):
            self.assertIn(text, message.body)
        self.assertEqual(len(self.connection.activity_ids), 1)
        self.findings.reason = "Agreed"
        self.findings.action_accept()
        self.assertFalse(self.connection.activity_ids)
        self.assertFalse(send())

    def test_services_of_different_customers_have_no_price_in_common(self):
        self.connection.import_from = date(2026, 10, 1)
        for number, account, day in (("1", "A1", "20261023"), ("2", "A2", "20261123")):
            priced = {
                kind: line(amount, InvoiceRowHash=f"row-{number}")
                for kind, amount in (("sale", f"1{number}"), ("cost", number))
            }
            for kind, priced_line in priced.items():
                own = {
                    "CustomerNumber": f"K-{number}",
                    "Subscriptions": [{"PriceLines": [priced_line]}],
                }
                if kind == "sale":
                    self.add_invoice(f"S-{number}", account, [], customer=own, Date=day)
                else:
                    self.add_purchase(
                        f"P-{number}", {account: []}, customer=own, Date=day
                    )
        self.fetch()
        self.run_crons()
        self.assertEqual(self.margins.mapped("match"), ["sure", "sure"])
        self.assertFalse(self.findings)

    def test_who_accepts_without_a_reason_is_told_which_in_his_language(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("11")]})
        self.fetch()
        self.run_crons()
        finding = self.findings.with_user(self.billing_user)
        dutch = finding.with_context(lang="nl_NL")
        self.env["ir.model.fields.selection"].search(
            [("field_id.model", "=", "copaco.finding"), ("value", "=", "below_cost")]
        ).with_context(lang="nl_NL").name = "Onder de kostprijs"
        with self.assertRaisesRegex(UserError, "Onder de kostprijs"):
            dutch.action_accept()

    def test_a_finding_that_was_accepted_keeps_a_reason(self):
        self.add_known("S-1", lines=[line("10")])
        self.add_purchase("P-1", {"A1": [line("11")]})
        self.fetch()
        self.run_crons()
        finding = self.findings.with_user(self.billing_user)
        finding.reason = "Agreed"
        finding.action_accept()
        for nothing in (False, "", "  "):
            with self.assertRaises(UserError):
                finding.reason = nothing
        finding.reason = "Agreed until May"
        finding.action_reopen()
        finding.reason = False
