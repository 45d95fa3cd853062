from collections import defaultdict
from datetime import datetime

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import CHECKED_MONTHS, PURCHASE_KINDS

# Half of a cent: a price has changed when it is another one in cents, and when rounding
# both lines doesn't explain it.
HALF_CENT = 0.005

# The pairs of a month; a sale and its cost may be dated in the months next to it.
_MONTH = """
    WITH row AS (
        SELECT margin.*, coalesce(margin.plan_name, margin.subscription_name) AS name,
               coalesce(nullif(rule.margin_threshold, 0), %(threshold)s) AS threshold,
               -- As `get_name_key` does.
               regexp_replace(lower(margin.charge_type), '[[:space:]_-]+', '', 'g')
                   AS charge,
               date_trunc('month', margin.date)::date AS month,
               customer.state = 'excluded' AS is_customer_excluded
          FROM copaco_margin margin
     LEFT JOIN copaco_customer customer ON customer.id = margin.customer_id
     LEFT JOIN copaco_document_line sale_line ON sale_line.id = margin.sale_line_id
     LEFT JOIN copaco_document_line cost_line ON cost_line.id = margin.cost_line_id
     -- What is not invoiced has no rule yet.
     LEFT JOIN copaco_rule rule
            ON rule.id = coalesce(sale_line.rule_id, cost_line.rule_id)
         WHERE margin.connection_id = ANY(%(connections)s)
           AND margin.date >= %(before)s AND margin.date < %(after)s
    ),
    present AS (
        SELECT date_trunc('month', invoice_date)::date AS month,
               bool_or(kind = ANY(%(purchases)s)) AS has_costs,
               bool_or(kind != ALL(%(purchases)s)) AS has_sales
          FROM copaco_document
         WHERE connection_id = ANY(%(connections)s)
           AND invoice_date >= %(before)s AND invoice_date < %(after)s
           AND line_count > 0 AND currency_id IS NOT NULL
      GROUP BY 1
    ),
    whole AS (
        SELECT month FROM present WHERE has_costs AND has_sales
    ),
    -- What has the same service once in each of two months.
    service AS (
        SELECT row.*, month = lag(month) OVER same OR month = lead(month) OVER same
                      OR lag(month) OVER same = lag(month, 2) OVER same AS is_several,
               lag(month) OVER same AS month_before,
               -- The sign of a credit is on its quantity or on its price.
               lag(abs(sale / sale_quantity)) OVER same AS sale_before,
               lag(abs(cost / cost_quantity)) OVER same AS cost_before,
               1 / abs(sale_quantity) + 1 / abs(lag(sale_quantity) OVER same)
                   AS sale_room,
               1 / abs(cost_quantity) + 1 / abs(lag(cost_quantity) OVER same)
                   AS cost_room
          FROM row
         WHERE match IN ('sure', 'likely') AND charge IN ('cyclefee', 'itemfee')
           AND sale_quantity != 0 AND cost_quantity != 0
        WINDOW same AS (PARTITION BY customer_id,
                                     concat_ws('|', subscription_ref, charge_type,
                                               description)
                        ORDER BY month, id)
    ),
    found AS (
        SELECT CASE WHEN is_excluded AND cost != 0 THEN 'customer_excluded'
                    WHEN is_excluded THEN NULL
                    WHEN match = 'cost' AND is_customer_excluded
                    THEN 'customer_excluded'
                    WHEN match = 'cost' THEN 'cost_without_sale'
                    -- What Copaco credits is nothing that it bills.
                    WHEN match = 'sale' OR sale > 0 AND cost < 0
                    THEN 'sale_without_cost'
                    -- A credit of both is less by what was gained before.
                    WHEN sale < cost AND greatest(sale, cost) >= 0 THEN 'below_cost'
                    WHEN sale > 0 AND (sale - cost) / sale * 100 < threshold
                    THEN 'low_margin' END AS kind,
               id::text AS key, %(line)s, NULL::numeric AS sale_before,
               NULL::numeric AS cost_before
          FROM row
         WHERE month = %(month)s AND (sale != 0 OR cost != 0)
     UNION ALL
        SELECT 'quantity_differs', id::text, %(line)s, NULL, NULL
          FROM row
         WHERE month = %(month)s AND match IN ('sure', 'likely', 'group')
           AND NOT is_excluded
           AND abs(sale_quantity - cost_quantity) > 1e-6
     UNION ALL
        SELECT 'price_changed', id::text, %(line)s, sale_before, cost_before
          FROM service
         WHERE month = %(month)s AND month_before = %(before)s
           AND is_several IS NOT TRUE AND NOT is_excluded
           AND (abs(abs(sale / sale_quantity) - sale_before)
                > %(half_cent)s * greatest(sale_room, 1) + 1e-9
                OR abs(abs(cost / cost_quantity) - cost_before)
                > %(half_cent)s * greatest(cost_room, 1) + 1e-9)
     UNION ALL
        (SELECT DISTINCT ON (subscription_ref)
                'subscription_new', %(month_text)s || subscription_ref, %(line)s,
                NULL::numeric, NULL::numeric
           FROM row
          WHERE month = %(month)s AND subscription_ref != '' AND cost_count > 0
            AND EXISTS (SELECT FROM whole WHERE month = %(before)s)
            AND subscription_ref NOT IN (
                    SELECT subscription_ref
                      FROM copaco_margin
                     WHERE connection_id = ANY(%(connections)s) AND date < %(month)s
                       AND subscription_ref IS NOT NULL)
       ORDER BY subscription_ref, id)
     UNION ALL
        (SELECT DISTINCT ON (subscription_ref)
                'subscription_gone', %(month_text)s || subscription_ref, %(line)s,
                NULL::numeric, NULL::numeric
           FROM row
          WHERE month = %(before)s AND subscription_ref != '' AND cost_count > 0
            AND charge = 'cyclefee' AND lower(billing_frequency) LIKE 'month%%'
            AND subscription_ref NOT IN (
                    SELECT subscription_ref
                      FROM row
                     WHERE month = %(month)s AND subscription_ref IS NOT NULL)
       ORDER BY subscription_ref, id)
    )
    SELECT kind, key, sale_line_id, cost_line_id, customer_id, sale, cost,
           sale_quantity, cost_quantity, name, sale_before, cost_before
      FROM found
     WHERE kind IS NOT NULL AND EXISTS (SELECT FROM whole WHERE month = %(month)s)
       AND connection_id = ANY(%(own)s)"""

# What a finding says of a pair.
_LINE = """connection_id, sale_line_id, cost_line_id, customer_id, sale, cost,
    sale_quantity, cost_quantity, name"""

_BILLS = """
    SELECT move.id, -move.amount_untaxed_in_currency_signed, move.copaco_amount,
           coalesce(nullif(move.invoice_currency_rate, 0), 1)
      FROM account_move move
      JOIN copaco_document document ON document.id = move.copaco_document_id
     WHERE document.kind = ANY(%(purchases)s)
       AND document.connection_id = ANY(%(own)s)
       AND document.invoice_date >= %(month)s AND document.invoice_date < %(after)s
       AND move.state != 'cancel'
       AND abs(move.amount_untaxed_in_currency_signed + move.copaco_amount) > 0.001"""


class CopacoMarginChecker(models.AbstractModel):
    """Finds what does not add up between the two sides of a month. A month is looked at
    when both of them are there: what is missing as a whole is no finding."""

    _name = "copaco.margin.checker"
    _description = "Copaco Margin Checker"

    def _check_recent(self, connections):
        """Check the last months of connections."""
        month = self.env["copaco.fetch.window"]._get_today().replace(day=1)
        months = [month - relativedelta(months=back) for back in range(CHECKED_MONTHS)]
        for connection in connections.filtered(self._has_costs):
            self._check_months(connection, months)

    def _has_costs(self, connection):
        """Whether there is anything to compare what is billed with."""
        return bool(
            self.env["copaco.document"].search_count(
                [
                    ("kind", "in", PURCHASE_KINDS),
                    ("root_company_id", "=", connection.company_id.root_id.id),
                ],
                limit=1,
            )
        )

    def _check_changed(self, connections):
        """Check the months of which documents were received or changed since they were
        checked last.

        :return: the connections that have such months, and those that have the other
            side of them
        """
        checked = connections.browse()
        for connection in connections:
            now = fields.Datetime.now()
            rows = self.env["copaco.document"]._read_group(
                [
                    ("connection_id", "=", connection.id),
                    ("invoice_date", "!=", False),
                    ("write_date", ">=", connection.margins_checked_at or datetime.min),
                ],
                ["invoice_date:month"],
            )
            if rows:
                checked |= self._check_months(connection, [row[0] for row in rows])
                connection.margins_checked_at = now
        return checked

    def _check_months(self, connection, months):
        """Compute the margins of months anew, and look for what there is to be found.

        :param months: list of first days
        :return: the connections of which that was looked for
        """
        root_company = connection.company_id.root_id
        one = relativedelta(months=1)
        later = [month + one for month in months]
        near = sorted({*months, *later, *(month - one for month in months)})
        while near:
            # Months that follow each other are computed at once.
            first = last = near.pop(0)
            while near and near[0] == last + one:
                last = near.pop(0)
            self.env["copaco.margin"]._refresh(
                root_company, first, last + one - relativedelta(days=1)
            )
        to_check = defaultdict(list)
        # Prices are compared with those of the month before.
        for month in sorted({*months, *later}):
            active = self._get_connections(connection, month).filtered("active")
            for each in connection | active:
                to_check[each].append(month)
        for each, own in to_check.items():
            self._check(each, own)
        return connection.union(*to_check)

    def _get_connections(self, connection, month):
        """:return: the connections whose lines of a month, and of the month before, are
        paired and compared with those of a connection"""
        one = relativedelta(months=1)
        return self.env["copaco.counterpart"]._get_connections(
            connection, month - one, month + one - relativedelta(days=1)
        )

    def _check(self, connection, months):
        """Find anew what there is about months: what was accepted stays so unless its
        figures changed, and what isn't found any more is solved.

        :param connection: a `copaco.connection`
        :param months: list of first days
        """
        found = {}
        for month in months:
            found |= self._find(connection, month)
        Finding = self.env["copaco.finding"]
        # What Copaco dates otherwise is what it was, in another month; and so is what
        # was found of a connection whose place this one took.
        own = self.env["copaco.replacement"]._get_replaced(connection)
        keys = [key for _kind, key in found]
        findings = Finding.search(
            Domain("connection_id", "in", own.ids)
            & (Domain("date", "in", months) | Domain("key", "in", keys))
        ).sorted(lambda finding: finding.connection_id == connection)
        known = {(finding.kind, finding.key): finding for finding in findings}
        confirmed = set()
        for identity, vals in found.items():
            finding = known.get(identity)
            if not finding:
                continue
            confirmed.add(finding)
            is_changed = finding.figures != vals["figures"]
            is_moved = (finding.date, finding.connection_id) != (
                vals["date"],
                connection,
            )
            if is_changed or is_moved:
                finding.write(vals)
            if finding.state == "solved" or (is_changed and finding.state != "open"):
                finding.write({"state": "open", "accepted_by_id": False})
            vals.clear()
        Finding.create([vals for vals in found.values() if vals])
        solved = findings.filtered(
            lambda finding: (
                finding not in confirmed
                and finding.date in months
                and finding.state != "solved"
            )
        )
        solved.state = "solved"

    def _find(self, connection, month):
        """:return: dict of values for `copaco.finding` by kind and key"""
        before = month - relativedelta(months=1)
        after = month + relativedelta(months=1)
        own = self.env["copaco.replacement"]._get_replaced(connection)
        self.env["account.move"].flush_model()
        values = {
            "purchases": list(PURCHASE_KINDS),
            "own": own.ids,
            "connections": self._get_connections(connection, month).ids,
            "month": month,
            "before": before,
            "after": after,
        }
        rows = self.env.execute_query_dict(
            SQL(
                _MONTH,
                **values,
                threshold=connection.margin_threshold or -1e12,
                month_text=f"{month:%Y-%m} ",
                half_cent=HALF_CENT,
                line=SQL(_LINE),
            )
        )
        common = {
            "company_id": connection.company_id.id,
            "connection_id": connection.id,
            "date": month,
        }
        found = {
            (row["kind"], row["key"]): {**common, **self._prepare_values(row)}
            for row in rows
        }
        for move_id, booked, amount, rate in self.env.execute_query(
            SQL(_BILLS, **values)
        ):
            found["bill_differs", str(move_id)] = {
                **common,
                "kind": "bill_differs",
                "key": str(move_id),
                "move_id": move_id,
                "amount": float(booked - amount) / float(rate),
                "figures": {"sale": float(booked), "cost": float(amount)},
            }
        return found

    def _prepare_values(self, row):
        """:param row: dict of what the database found
        :return: values for `copaco.finding`
        """
        kind = row["kind"]
        figures = {
            "name": row["name"] or "",
            "sale": round(float(row["sale"]), 2),
            "cost": round(float(row["cost"]), 2),
            "sale_quantity": round(float(row["sale_quantity"]), 6),
            "cost_quantity": round(float(row["cost_quantity"]), 6),
        }
        amount = {
            "sale_without_cost": figures["sale"],
            "quantity_differs": figures["sale"] - figures["cost"],
            "below_cost": figures["cost"] - figures["sale"],
            "low_margin": figures["sale"] - figures["cost"],
        }.get(kind, figures["cost"])
        if kind == "low_margin":
            figures["percent"] = round(amount / figures["sale"] * 100, 2)
        if kind == "price_changed":
            figures |= {
                "sale": round(abs(figures["sale"] / figures["sale_quantity"]), 3),
                "cost": round(abs(figures["cost"] / figures["cost_quantity"]), 3),
                "sale_before": round(float(row["sale_before"]), 3),
                "cost_before": round(float(row["cost_before"]), 3),
            }
        names = ("kind", "key", "sale_line_id", "cost_line_id", "customer_id")
        return {
            **{name: row[name] for name in names},
            "amount": amount,
            "figures": figures,
        }
