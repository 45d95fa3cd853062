"""Large documents, in a real server with workers and Odoo's default limits."""
