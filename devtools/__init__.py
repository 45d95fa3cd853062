"""Sets up an Odoo 19 to try and test this addon with; no part of the addon itself."""
