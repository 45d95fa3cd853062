from odoo import models


class CopacoCustomerLinker(models.AbstractModel):
    """Links customers to the contacts that the matcher finds for them, as long as no
    person decided who they are (promise 6 in doc/how_it_works.rst)."""

    _name = "copaco.customer.linker"
    _description = "Copaco Customer Linker"

    def _match(self, customers, suggest=True):
        """Look again who customers are, unless that was decided, and whether what
        linked them contradicts that by now.

        :param customers: `copaco.customer` records
        :param suggest: whether to look for contacts that are only alike
        """
        evidence = self.env["copaco.customer.evidence"]
        for company, own in customers.grouped("company_id").items():
            own = own.with_company(company)
            self._match_undecided(own, suggest)
            self._match_undecided(evidence._unlink_contradicted(own), suggest)

    def _match_undecided(self, customers, suggest):
        """See `_match`; of one company."""
        undecided = customers.filtered(
            lambda customer: customer.state in ("unmatched", "suggested")
        )
        if not undecided:
            return
        matcher = customers.env["copaco.customer.matcher"]
        matches = matcher._match_customers(undecided, suggest)
        for customer, match in matches.items():
            if match.partner and not customer.is_contradicted:
                customer._link(match.partner, match.method)
                continue
            suggestion = match.partner or match.suggestion
            vals = {
                "suggestion_reason": match.reason,
                "is_ambiguous": match.is_ambiguous,
            }
            if customer.is_contradicted:
                # The reason is why it was unlinked.
                suggestion, vals = suggestion or customer.suggested_partner_id, {}
            customer.write(
                {
                    "state": "suggested" if suggestion else "unmatched",
                    "suggested_partner_id": suggestion.id,
                    **vals,
                }
            )
