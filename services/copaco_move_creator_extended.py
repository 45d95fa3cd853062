from odoo import api, models

# What `_create_new` stands in for, or calls before there are lines. An addon that
# extends one of them has a say in how the lines of an invoice are made, and is asked by
# creating them the usual way.
EXTENDABLE = {
    "account.move": (
        "_get_rounded_base_and_tax_lines",
        "_get_sync_stack",
        "_prepare_product_base_line_for_taxes_computation",
        "_recompute_cash_rounding_lines",
        "_sync_dynamic_line",
        "_sync_dynamic_lines",
        "_sync_invoice",
        "_sync_non_deductible_base_lines",
        "_sync_rounding_lines",
        "_sync_tax_lines",
        "_sync_unbalanced_lines",
        "create",
    ),
    "account.move.line": (
        "_compute_discount_allocation_needed",
        "_compute_epd_needed",
        "_compute_totals",
        "_sync_invoice",
        "create",
    ),
    "account.tax": (
        "_add_accounting_data_in_base_lines_tax_details",
        "_add_accounting_data_to_base_line_tax_details",
        "_add_tax_details_in_base_line",
        "_add_tax_details_in_base_lines",
        "_get_base_line_field_value_from_record",
        "_prepare_base_line_for_taxes_computation",
        "_prepare_base_line_grouping_key",
        "_prepare_base_line_tax_repartition_grouping_key",
        "_prepare_tax_lines",
        "_round_base_lines_tax_details",
    ),
}
# Odoo's automations put these on a model, to do what they are told to in between.
AUTOMATED = ("_compute_field_value", "create", "write")
# Addons of Odoo's that extend some of it and change nothing of a customer invoice.
HARMLESS = {
    "account",
    "account_copaco",
    "analytic",
    "hr_expense",
    "l10n_gcc_invoice",
    "mail",
    "purchase",
}


class CopacoMoveCreator(models.AbstractModel):
    """Whether others than Odoo itself have a say in how invoices are made."""

    _inherit = "copaco.move.creator"

    @api.model
    def _is_extended(self):
        """Whether another addon, or an automation of Odoo, has a say in how invoices
        and their lines are made."""
        for model, names in EXTENDABLE.items():
            registry_class, *definitions = type(self.env[model]).mro()
            if not vars(registry_class).keys().isdisjoint((*names, *AUTOMATED)):
                return True
            for definition in definitions:
                for name in vars(definition).keys() & set(names):
                    if not _is_harmless(vars(definition)[name]):
                        return True
        return False

    @api.model
    def _has_defaults(self):
        """Whether somebody has set defaults of invoices or of their lines, which may
        make anything of them."""
        return any(key.startswith("default_") for key in self.env.context) or any(
            not self.env[model]._fields[name].manual
            for model in ("account.move", "account.move.line")
            for name in self.env["ir.default"]._get_model_defaults(model)
        )


def _is_harmless(function):
    """Whether a function, and all that is wrapped around it, is Odoo's own or of an
    addon that is known."""
    while function:
        # `functools.wraps` copies ``__module__``, but not these.
        module = getattr(function, "__globals__", {}).get("__name__", "")
        addon = module.removeprefix("odoo.addons.").partition(".")[0]
        if (
            addon not in HARMLESS
            and module != "contextlib"
            and not module.startswith("odoo.orm.")
        ):
            return False
        function = getattr(function, "__wrapped__", None)
    return True
