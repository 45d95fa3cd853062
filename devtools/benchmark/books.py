"""The database as ``prepare.py`` left it, and what its books say in the end."""

from decimal import Decimal

TOTALS = """
    SELECT count(*), sum(amount_untaxed_signed)::text, sum(amount_tax_signed)::text,
           (SELECT count(*) FROM account_move_line
             WHERE move_id > %(last)s AND display_type = 'product'),
           bool_and(state = %(state)s)
      FROM account_move WHERE id > %(last)s"""


class Books:
    """The company's records, and its invoices from ``begin`` on."""

    def __init__(self, env):
        env.cr.execute(
            "SELECT name, res_id FROM ir_model_data WHERE module = 'benchmark'"
        )
        records = dict(env.cr.fetchall())
        self.env = env
        self.company = env.company
        self.tax = env.company.account_sale_tax_id
        self.product = env["product.product"].browse(records.pop("product"))
        self.partner_ids = {
            name.removeprefix("partner_"): partner_id
            for name, partner_id in records.items()
        }

    def begin(self):
        """Count the invoices from here on only."""
        self.env.cr.execute("SELECT coalesce(max(id), 0) FROM account_move")
        (self._last,) = self.env.cr.fetchone()

    def get_totals(self, env=None, state="draft"):
        """Return the totals as ``month.get_totals`` does; with "state" among them if
        some invoice isn't in the state that all should be in."""
        cr = (env or self.env).cr
        cr.execute(TOTALS, {"last": self._last, "state": state})
        count, untaxed, tax, lines, all_right = cr.fetchone()
        totals = {
            "invoices": count,
            "lines": lines,
            "untaxed": str(Decimal(untaxed)),
            "tax": str(Decimal(tax)),
        }
        return totals if all_right else {**totals, "state": "wrong"}
