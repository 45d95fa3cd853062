import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from lxml import html

from odoo.fields import Command
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import formatLang
from odoo.tools.safe_eval import safe_eval

from .common import CopacoCommon, price_line
from .test_bill import CopacoBillCommon

CENT = Decimal("0.01")
# What is added up of the records to which a figure leads.
MEASURES = {"copaco-overview-cost": "cost", "copaco-overview-margin": "margin"}
MONTHS = [date(2026, 11, 1), date(2026, 10, 1), date(2025, 11, 1)]
TOTALS = {
    "received": "Received",
    "invoiced": "Invoiced",
    "sent": "of which sent",
    "held": "Held for a decision",
    "new": "Still to be processed",
    "excluded": "Excluded",
}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestOverview(CopacoBillCommon):
    """The owner's page: each figure is the sum of the records that it opens."""

    def get_overview(self, user=None):
        Overview = self.env["copaco.overview"].with_user(user or self.billing_user)
        return Overview.browse(Overview.action_view_overview()["res_id"])

    def get_page(self, overview):
        self.env.invalidate_all()
        return html.fromstring(str(overview.figures))

    def get_rows(self, overview):
        """:return: dict of texts of the cells of each row, by its section and label"""
        rows = {}
        for row in self.get_page(overview).iter("tr"):
            section = row.xpath("string(ancestor::div[h3][1]/h3)")
            label, *cells = [
                cell.text_content().strip() for cell in row.xpath("./td|./th")
            ]
            rows[section, label] = cells
        return rows

    def get_row(self, overview, label, section=""):
        return self.get_rows(overview).get((section, label))

    def show(self, *amounts):
        env = self.env(user=self.billing_user)
        return [formatLang(env, float(amount), digits=2) for amount in amounts]

    def assertLinksAddUp(self, overview):
        """Each amount that isn't zero leads to records that add up to it."""
        page = self.get_page(overview)
        links = page.xpath("//a[contains(@href, '/copaco-overview-')]")
        self.assertTrue(links)
        for link in links:
            active_id, path = link.get("href").split("/")[-2:]
            action = self.env["ir.actions.act_window"].search([("path", "=", path)])
            domain = safe_eval(action.domain, {"active_id": int(active_id)})
            Model = self.env[action.res_model].with_user(self.billing_user)
            text = link.text_content().strip()
            measure = MEASURES.get(path, "amount")
            if text.endswith("%"):
                measure = "margin_percent"
            ((count, total),) = Model._read_group(
                domain,
                aggregates=[
                    "__count",
                    f"{measure}:{Model._fields[measure].aggregator}",
                ],
            )
            self.assertTrue(count, link.get("href"))
            shown = self.show(self.company.currency_id.round(total))
            if text.endswith("%"):
                shown = [f"{total:.1f}\N{NO-BREAK SPACE}%"]
            self.assertEqual(shown, [text], link.get("href"))

    def test_each_month_says_what_was_received_and_what_became_of_it(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1", lines=[price_line("10"), price_line("0.004", number=2)])
        self.add_known("INV-2", lines=[price_line("7", number=3)], Date="20261023")
        self.add_invoice("INV-3", "unknown", [price_line("12.50")])
        self.fetch()
        overview = self.get_overview()
        self.assertEqual(overview.display_name, "November 2026")
        self.assertEqual(self.get_row(overview, "Received"), self.show(22.5, 7, 0))
        self.assertEqual(self.get_row(overview, "Invoiced"), self.show(10, 7, 0))
        self.assertEqual(
            self.get_row(overview, "Held for a decision"), self.show(12.5, 0, 0)
        )
        self.assertEqual(
            self.get_row(overview, "Customer A1", "By customer"),
            [*self.show(10, 7, 0), "+3.00"],
        )
        self.assertEqual(
            self.get_row(overview, "Customer unknown", "Risers"),
            [*self.show(12.5, 0, 0), "+12.50"],
        )
        self.assertIsNone(self.get_row(overview, "Billed by Copaco"))
        self.assertLinksAddUp(overview)

    def test_an_invoice_counts_as_sent_when_that_is_proved(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1")
        self.fetch()
        move = self.documents.move_id
        move.action_post()
        overview = self.get_overview()
        self.assertEqual(self.get_row(overview, "of which sent")[0], "0.00")
        move.is_move_sent = True
        self.assertEqual(self.get_row(overview, "of which sent")[0], "12.50")
        delivery = self.create_delivery(move, "sending")
        self.assertEqual(self.get_row(overview, "of which sent")[0], "0.00")
        delivery.state = "sent"
        self.assertEqual(self.get_row(overview, "of which sent")[0], "12.50")
        # What the addon need not send, a person may have sent.
        delivery.write({"active": False, "state": "waiting"})
        self.assertEqual(self.get_row(overview, "of which sent")[0], "12.50")

    def test_the_margin_is_shown_where_the_cost_is_known(self):
        self.create_partner(ref="K-1")
        line = price_line("10", InvoiceRowHash="row-1")
        self.add_known("S-1", lines=[line])
        self.add_purchase("P-1", {"A1": [{**line, "ExtendedPrice": Decimal(8)}]})
        self.fetch()
        self.env["copaco.margin.checker"].sudo()._check_recent(self.connection)
        overview = self.get_overview()
        self.assertEqual(self.get_row(overview, "Billed by Copaco"), self.show(8, 0, 0))
        self.assertEqual(self.get_row(overview, "Margin"), self.show(2, 0, 0))
        self.assertEqual(self.get_row(overview, "Received"), self.show(10, 0, 0))
        self.assertLinksAddUp(overview)

    def test_it_says_what_was_fetched_and_when_keys_expire(self):
        self.add_known("INV-1")
        self.connection.api_key_expiry = date(2026, 12, 1)
        run = self.fetch()
        page = self.get_page(self.get_overview())
        for path in (
            f"/odoo/copaco-runs/{run.id}",
            f"/odoo/copaco-connections/{self.connection.id}",
        ):
            self.assertTrue(page.xpath(f"//a[@href='{path}']"), path)
        self.assertIn("The API key expires on 12/01/2026.", page.text_content())
        (coverage,) = page.xpath("//a[starts-with(@href, '/odoo/copaco-months/')]")[:1]
        month = self.env["copaco.month"].browse(
            int(coverage.get("href").split("/")[-1])
        )
        self.assertEqual(month.date, MONTHS[0])
        self.assertEqual(coverage.text_content(), "Documents waiting")

    def test_it_is_of_one_company_and_leads_to_other_months(self):
        self.create_partner(ref="K-1")
        self.add_known("INV-1", Date="20261023")
        self.fetch()
        overview = self.get_overview()
        self.assertEqual(overview.display_name, "October 2026")
        following = self.get_page(overview).xpath("//a[. = 'November 2026']")
        self.assertEqual(
            following[0].get("href"), f"/odoo/copaco-overview/{overview.id + 1}"
        )
        other_company = self.env["res.company"].create({"name": "Other"})
        other = new_test_user(
            self.env,
            "other",
            groups="account.group_account_invoice",
            company_id=other_company.id,
            company_ids=[(6, 0, other_company.ids)],
        )
        action = self.env["copaco.overview"].with_user(other).action_view_overview()
        self.assertFalse(action["res_id"])
        self.assertFalse(self.env["copaco.overview"].with_user(other).search([]))
        self.assertFalse(self.env["copaco.overview.line"].with_user(other).search([]))

    # === RANDOM DATA === #

    def test_figures_are_what_documents_add_up_to_one_by_one(self):
        usd = self.env.ref("base.USD")
        usd.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", usd.id)]).unlink()
        for day, rate in (("2020-01-01", 2), ("2026-11-10", 4)):
            self.env["res.currency.rate"].create(
                {
                    "currency_id": usd.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
            )
        self.run = self.create_runs(self.connection)[:1]
        for seed in range(2):
            with self.subTest(seed=seed), self.undone():
                self.check_random(random.Random(seed), usd)

    def check_random(self, rng, usd):
        partner = self.create_partner(name="Bakkerij")
        customers = self.env["copaco.customer"].sudo()
        for number in range(13):
            customers += self.create_customer(f"A-{number}", partner)
            customers[-1].name = f"Customer {number}"
        totals = defaultdict(Decimal)
        billed = defaultdict(lambda: [Decimal(0)] * 3)
        for number in range(50):
            month = rng.choice([*MONTHS, date(2026, 9, 1)])
            day = month + timedelta(days=rng.randrange(28))
            currency = rng.choice([self.company.currency_id, usd])
            rate = Decimal(1)
            if currency == usd:
                rate = Decimal("0.25" if day >= date(2026, 11, 10) else "0.5")
            kind = rng.choice(["specification"] * 5 + ["purchase"])
            state = rng.choice(["new", "held", "invoiced", "changed", "excluded"])
            customer = rng.choice([*customers, customers.browse()])
            is_sent = state in ("invoiced", "changed") and rng.random() < 0.5
            lines = [
                (
                    Decimal(rng.randint(-20000, 900000)) / 10000,
                    rng.choice(["Microsoft", "Acronis", "", False]),
                    rng.random() < 0.2,
                )
                for _line in range(rng.randrange(6))
            ]
            amount = _round(sum(line[0] for line in lines)) + rng.choice([0, CENT])
            excluded = _round(sum(line[0] for line in lines if line[2]))
            self.create_document(
                number, day, currency, kind, state, customer, is_sent, lines, amount
            ).amount_excluded = excluded
            if kind == "purchase" or month not in MONTHS:
                continue
            place = MONTHS.index(month)
            is_invoiced = state in ("invoiced", "changed")
            left = amount - excluded if is_invoiced else amount
            totals[place, "received"] += amount * rate
            totals[place, "invoiced" if is_invoiced else state] += left * rate
            totals[place, "excluded"] += (amount - left) * rate
            totals[place, "sent"] += left * rate * is_sent
            if state == "excluded":
                continue
            counted = [line for line in lines if not (is_invoiced and line[2])]
            for extended_price, vendor, _is_excluded in counted:
                billed[vendor or "Without vendor"][place] += extended_price * rate
            rest = left - sum(line[0] for line in counted)
            billed["Without vendor"][place] += rest * rate
            billed[customer.name or "Unknown customer"][place] += left * rate
        overview = self.get_overview()
        text = self.get_page(overview).text_content()
        self.assertIn("Amounts in another currency are converted", text)
        rows = self.get_rows(overview)
        for name, label in TOTALS.items():
            amounts = [_round(totals[place, name]) for place in range(3)]
            self.assertEqual(rows["", label], self.show(*amounts), name)
        billed = {name: each for name, each in billed.items() if any(map(_round, each))}
        customers = [name for name in billed if "ustomer" in name]
        largest = sorted(customers, key=billed.get, reverse=True)
        for section, names in (
            ("By vendor", [name for name in billed if "ustomer" not in name]),
            ("By customer", largest[:10]),
        ):
            for name in names:
                change = _round(billed[name][0] - billed[name][1])
                sign = "+" if change > 0 else ""
                self.assertEqual(
                    rows[section, name],
                    [
                        *self.show(*map(_round, billed[name])),
                        f"{sign}{self.show(change)[0]}",
                    ],
                    name,
                )
        for name in largest[10:]:
            self.assertNotIn(("By customer", name), rows)
        self.assertIn(("By customer", f"All: {len(largest)}"), rows)
        self.assertLinksAddUp(overview)

    def create_document(
        self, number, day, currency, kind, state, customer, is_sent, lines, amount
    ):
        move = self.env["account.move"]
        if state in ("invoiced", "changed"):
            move = move.create({"move_type": "out_invoice"})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE account_move SET state = 'posted', is_move_sent = %s "
                "WHERE id = %s",
                [is_sent, move.id],
            )
            self.env.invalidate_all()
        return (
            self.env["copaco.document"]
            .sudo()
            .create(
                {
                    "connection_id": self.connection.id,
                    "company_id": self.company.id,
                    "run_id": self.run.id,
                    "kind": kind,
                    "invoice_number": f"R-{number}",
                    "customer_id": customer.id,
                    "invoice_date": day,
                    "currency_id": currency.id,
                    "state": state,
                    "move_id": move.id,
                    "amount_source": float(amount),
                    "line_ids": [
                        Command.create(
                            {
                                "extended_price": float(extended_price),
                                "plan_category": vendor,
                                "is_excluded": is_excluded,
                            }
                        )
                        for extended_price, vendor, is_excluded in lines
                    ],
                }
            )
        )


@tagged("post_install", "-at_install")
class TestOverviewTour(CopacoCommon, HttpCase):
    def test_a_figure_leads_to_its_documents_in_a_browser(self):
        # Time can't be frozen for the threads of the server.
        today = date.today()
        self.connection.import_from = False
        self.add_invoice(
            "INV-1", "A1", [price_line("12.50")], today, Date=f"{today:%Y%m%d}"
        )
        self.fetch()
        self.start_tour(
            "/odoo/copaco-overview", "copaco_overview", login=self.env.user.login
        )


def _round(amount):
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)
