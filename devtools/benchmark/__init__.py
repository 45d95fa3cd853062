"""How fast the addon is, beside other ways of making the same invoices in Odoo."""
