"""Attacks that take too long for every day; ``make faults`` runs them.

``test_*.py`` here are tests in Odoo: imported in ``tests/__init__.py`` and tagged
``"post_install", "-at_install", "-standard", "copaco_faults"``. Those in ``processes``
run without Odoo's test runner, with processes of their own. Both take their numbers and
note their figures by ``figures.py``.
"""
