from itertools import count

from odoo.fields import Command

from .common import CopacoCommon


class VariedCommon(CopacoCommon):
    """Taxes, payment terms and partners of all kinds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup_other_currency("USD", rates=[("2026-01-01", 1.1357)])
        cls.numbers = count(1)

    def create_taxes(self):
        """:return: dict of taxes by name, of every kind that sales have"""
        self.company.tax_exigibility = True
        transition = self.company_data["default_account_tax_sale"].copy(
            {"reconcile": True}
        )
        nine = self._create_tax(9)
        first = self._create_tax(10, sequence=1, include_base_amount=True)
        second = self._create_tax(5, sequence=2)
        return {
            "21 %": self.tax,
            "9 %": nine,
            "0 %": self._create_tax(0),
            "fixed": self.fixed_tax(0.37),
            "two": self.tax + nine,
            "on top of another": first + second,
            "group": self.group_of_taxes(self._create_tax(6) + self._create_tax(2)),
            "on payment": self._create_tax(
                19,
                tax_exigibility="on_payment",
                cash_basis_transition_account_id=transition.id,
            ),
        }

    def _create_tax(self, amount, factors=(100,), **values):
        """:param factors: percentages of the tax that are booked, each with a tag"""

        def create_lines(kind):
            parts = [("base", 100), *(("tax", factor) for factor in factors)]
            return [
                Command.create(
                    {
                        "repartition_type": part,
                        "factor_percent": factor,
                        "tag_ids": [
                            Command.create(
                                {
                                    "name": f"{next(self.numbers)} {kind} {part}",
                                    "applicability": "taxes",
                                    "country_id": self.nl.id,
                                }
                            )
                        ],
                    }
                )
                for part, factor in parts
            ]

        return self.percent_tax(
            amount,
            invoice_repartition_line_ids=create_lines("invoice"),
            refund_repartition_line_ids=create_lines("refund"),
            **values,
        )

    def create_terms(self):
        """:return: dict of payment terms by name, three of them with cash discount"""
        terms = {
            "none": self.env["account.payment.term"],
            "in parts": self.create_payment_terms(),
        }
        for computation in ("included", "excluded", "mixed"):
            terms[computation] = self.env["account.payment.term"].create(
                {
                    "name": computation,
                    "early_discount": True,
                    "discount_percentage": 3,
                    "discount_days": 7,
                    "early_pay_discount_computation": computation,
                }
            )
        return terms

    def create_partner_values(self, taxes):
        """:param taxes: see `create_taxes`
        :return: dict of values that make a partner special, by name"""
        reverse, other_account = self.env["account.fiscal.position"].create(
            [{"name": "Reverse charge"}, {"name": "Other account"}]
        )
        reversed_tax = self._create_tax(
            21, factors=(100, -100), fiscal_position_ids=reverse.ids
        )
        reversed_tax.original_tax_ids = self.env["account.tax"].union(*taxes.values())
        revenue = self.company_data["default_account_revenue"]
        other_account.write(
            {
                "tax_ids": [Command.set(self.tax.ids)],
                "account_ids": [
                    Command.create(
                        {
                            "account_src_id": revenue.id,
                            "account_dest_id": revenue.copy().id,
                        }
                    )
                ],
            }
        )
        self.category = self.env["res.partner.category"].create({"name": "Analytic"})
        return {
            "plain": {},
            "reverse charge": {"property_account_position_id": reverse.id},
            "other account": {"property_account_position_id": other_account.id},
            "analytic": {"category_id": self.category.ids},
        }

    def create_analytic_account(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        return self.env["account.analytic.account"].create(
            {"name": "Cloud", "plan_id": plan.id}
        )

    def create_analytic_model(self):
        """Have the "analytic" partners, and no others, distributed."""
        account = self.create_analytic_account()
        return self.env["account.analytic.distribution.model"].create(
            {
                "partner_category_id": self.category.id,
                "analytic_distribution": {account.id: 100},
            }
        )
