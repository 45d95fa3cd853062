"""Starts Odoo as its own script does. ``python -m odoo`` can't have several workers:
Odoo starts one of them by the name of the script."""

from odoo.cli.command import main

main()
